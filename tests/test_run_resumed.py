"""Runs that follow others in the same workspace: what is taken up, and what is left alone."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from typing import Any

import orjson
import pytest

from selfplay_core.engine.control import Control
from selfplay_core.events import Decided, Event, RunStarted, TraceEnded
from selfplay_core.models import Outcome
from selfplay_core.store.database import Database
from selfplay_core.store.decisions import undo
from selfplay_core.store.runs import last_run
from tests.servers.ollama import fail, say
from tests.servers.rcon import RconFault
from tests.worlds import play, playground, prompts_of, rows_in


@pytest.mark.parametrize("stop_after", [1, 4, 9, 17])
async def test_a_drained_run_goes_on_where_it_stopped(tmp_path: Path, stop_after: int) -> None:
    """Interrupted and resumed at another speed, the file is that of an uninterrupted run; nothing is asked twice."""
    async with playground(tmp_path) as ground:
        await play(ground.job(workspace="whole", output="whole.jsonl"))
        asked_whole = len(ground.model.chats)
        control = Control()
        ended: list[Event] = []

        def watch(event: Event) -> None:
            if isinstance(event, TraceEnded):
                ended.append(event)
                if len(ended) == stop_after:
                    control.drain()

        first = await play(ground.job(), control, watch)
        second = await play(ground.job(run__concurrency=3))
        asked_parts = len(ground.model.chats) - asked_whole
    assert first.ended.status == "interrupted"
    started = next(event for event in second.events if isinstance(event, RunStarted))
    assert started.resumed
    assert len(first.traces) + len(second.traces) == 2 * 3 * 5
    assert (tmp_path / "out.jsonl").read_bytes() == (tmp_path / "whole.jsonl").read_bytes()
    # A round whose prompts were being written when the run stopped is written again.
    assert asked_whole <= asked_parts <= asked_whole + 3


def _drained_after(count: int) -> tuple[Control, Callable[[Event], None]]:
    control, ended = Control(), list[Event]()

    def watch(event: Event) -> None:
        if isinstance(event, TraceEnded):
            ended.append(event)
            if len(ended) == count:
                control.drain()

    return control, watch


@pytest.mark.parametrize(
    ("first", "second", "resumed"),
    [
        ({}, {"interactive": True}, False),
        ({}, {"run__accept": "verified", "run__on_ask": "deny"}, True),
        ({"interactive": True}, {"interactive": True, "run__accept": "none"}, True),
        ({"interactive": True, "run__accept": "verified", "run__on_ask": "probe"}, {"run__on_ask": "probe"}, True),
        ({"interactive": True, "run__accept": "verified"}, {}, False),
    ],
)
async def test_a_run_goes_on_where_the_same_rules_are_in_force(
    tmp_path: Path, first: dict[str, Any], second: dict[str, Any], resumed: bool
) -> None:
    """However they came to be: what was settled by a flag, or left to whether a person is there."""
    async with playground(tmp_path) as ground:
        await play(ground.job(run__rounds=1, **first), *_drained_after(2))
        ran = await play(ground.job(run__rounds=1, **second), *_drained_after(1))
    started = next(event for event in ran.events if isinstance(event, RunStarted))
    assert started.resumed is resumed


async def test_a_review_setting_is_not_another_run(tmp_path: Path) -> None:
    """How the screen looks changes no row."""
    async with playground(tmp_path) as ground:
        await play(ground.job(run__rounds=1), *_drained_after(2))
        ran = await play(ground.job(run__rounds=1, review__theme="light", review__operator="ann"))
    assert next(event for event in ran.events if isinstance(event, RunStarted)).resumed


async def test_what_is_in_force_is_recorded(tmp_path: Path) -> None:
    """Not what was left open."""
    async with playground(tmp_path) as ground:
        await play(ground.job(given=["sudo torch"], interactive=True))
    with closing(Database.open(tmp_path / "workspace")) as database:
        record = last_run(database)
    assert record is not None
    run = orjson.loads(record.settings)["run"]
    assert (run["accept"], run["on_ask"]) == ("none", "hold")


async def test_a_finished_run_is_followed_by_a_new_one(tmp_path: Path) -> None:
    """`rounds` are rounds of this invocation; rows that are out already are not written twice."""
    given = ["sudo one torch", "sudo two torch", "sudo three fix"]
    async with playground(tmp_path) as ground:
        first = await play(ground.job(given=given))
        lines = (tmp_path / "out.jsonl").read_bytes()
        again = await play(ground.job(given=given))
    assert len(again.traces) == len(first.traces)
    decided = [event for event in again.events if isinstance(event, Decided)]
    assert decided
    assert all(event.same_as is not None for event in decided)
    assert (tmp_path / "out.jsonl").read_bytes() == lines


async def test_errored_prompts_are_taken_up_first_by_the_next_run(tmp_path: Path) -> None:
    """A fault costs a trace its place in this run, not its existence."""
    async with playground(tmp_path) as ground:
        healthy = ground.model.script
        ground.model.script = lambda body: (
            fail(400, {"error": "no"}) if "prompts" not in body["format"]["properties"] else healthy(body)
        )
        first = await play(ground.job(run__rounds=1))
        assert {trace.outcome for trace in first.traces} == {Outcome.ERRORED}
        assert not rows_in(tmp_path / "out.jsonl")
        ground.model.script = healthy
        second = await play(ground.job(run__rounds=1, run__seed=12))
    firsts = [trace.id for trace in first.traces]
    assert {trace.id for trace in second.traces[: len(firsts)]} == set(firsts)
    assert all(trace.outcome is not Outcome.ERRORED for trace in second.traces)


async def test_new_leaves_an_interrupted_run_alone(tmp_path: Path) -> None:
    """`--new` starts another run with nothing taken over."""
    control = Control()

    def stop(event: Event) -> None:
        if isinstance(event, TraceEnded):
            control.drain()

    async with playground(tmp_path) as ground:
        await play(ground.job(), control, stop)
        ran = await play(ground.job(new=True))
    started = next(event for event in ran.events if isinstance(event, RunStarted))
    assert (started.resumed, started.leftovers, len(ran.traces)) == (False, 0, 30)


async def test_what_a_stopped_run_had_solved_is_accepted_by_the_next(tmp_path: Path) -> None:
    """Traces that wait behind a slow prompt are not stranded when the next run has another seed."""
    async with playground(tmp_path) as ground:
        ground.slow = lambda body: 30.0 if body["messages"][1]["content"] == "sudo slow torch" else 0.0
        given = ["sudo slow torch", *(f"sudo {number} torch" for number in range(8))]
        ended: list[Event] = []
        all_but_one = asyncio.Event()

        def watch(event: Event) -> None:
            ended.extend([event] if isinstance(event, TraceEnded) else [])
            if len(ended) == 8:
                all_but_one.set()

        run = asyncio.create_task(play(ground.job(given=given, run__concurrency=4), watch=watch))
        await all_but_one.wait()
        run.cancel()
        with pytest.raises(asyncio.CancelledError):
            await run
        assert not rows_in(tmp_path / "out.jsonl")
        ground.slow = lambda body: 0.0
        await play(ground.job(given=["sudo another torch"], run__seed=99))
    assert set(prompts_of(tmp_path / "out.jsonl")) == {*given, "sudo another torch"}


async def test_what_was_left_to_a_person_is_not_for_another_rule_to_take(tmp_path: Path) -> None:
    """A run that accepted nothing left its traces for review; a later run with another rule leaves them there."""
    control = Control()
    ended: list[Event] = []

    def stop(event: Event) -> None:
        ended.extend([event] if isinstance(event, TraceEnded) else [])
        if len(ended) == 5:
            control.drain()

    async with playground(tmp_path) as ground:
        await play(ground.job(given=[f"sudo {number} torch" for number in range(9)], run__accept="none"), control, stop)
        await play(ground.job(given=["sudo last torch"]))
    assert not {f"sudo {number} torch" for number in range(5)} & set(prompts_of(tmp_path / "out.jsonl"))


async def test_a_focused_run_takes_up_its_own_category_alone(tmp_path: Path) -> None:
    """Leftovers of other categories wait for a run that is for them."""
    control = Control()

    def stop(event: Event) -> None:
        if isinstance(event, TraceEnded):
            control.drain()

    async with playground(tmp_path) as ground:
        await play(ground.job(run__categories_per_round=9), control, stop)
        ran = await play(ground.job(run__focus="worldedit", run__rounds=1))
    assert {trace.prompt.category for trace in ran.traces} == {"worldedit"}


async def test_an_undone_decision_stays_undone(tmp_path: Path) -> None:
    """What a person took back of the automatic acceptance is not accepted again by the run that goes on."""
    control = Control()
    ended: list[Event] = []

    def stop(event: Event) -> None:
        ended.extend([event] if isinstance(event, TraceEnded) else [])
        if len(ended) == 4:
            control.drain()

    async with playground(tmp_path) as ground:
        given = [f"sudo {number} torch" for number in range(8)]
        first = await play(ground.job(given=given), control, stop)
        decided = next(event for event in first.events if isinstance(event, Decided))
        with closing(Database.open(tmp_path / "workspace")) as database:
            undo(database, decided.trace_id, by="operator", at=1.0)
        await play(ground.job(given=given))
    undone = next(trace.prompt.text for trace in first.traces if trace.id == decided.trace_id)
    assert set(prompts_of(tmp_path / "out.jsonl")) == set(given) - {undone}


@pytest.mark.parametrize("faulty", [False, True])
async def test_a_resumed_run_has_the_cap_that_it_had(tmp_path: Path, faulty: bool) -> None:
    """What it did before it was interrupted counts, also where a fault took the verdict: a cap is no cap per start."""
    async with playground(tmp_path) as ground:
        theirs, server = ground.model.script, ground.server.handler
        ground.model.script = lambda body: (
            theirs(body)
            if "prompts" in body["format"]["properties"]
            else say('{"commands": ["summon cow"], "reasoning": "Moo.", "message": "Moo."}')
        )
        ground.server.handler = lambda command: "Summoned new Cow" if command == "summon cow" else server(command)
        control, ended = Control(), list[Event]()

        def stop(event: Event) -> None:
            ended.extend([event] if isinstance(event, TraceEnded) else [])
            # The cow is there each time; that it is, nobody hears.
            ground.server.faults = {"summon cow": RconFault.CLOSE} if faulty and len(ended) == 2 else {}
            if len(ended) == 5:
                control.drain()

        first = await play(ground.job(caps__entities=8), control, stop)
        assert [trace.outcome for trace in first.traces].count(Outcome.ERRORED) == faulty
        ran = await play(ground.job(caps__entities=8))
        assert ground.server.commands.count("summon cow") == 8
    assert "8 entities" in ran.ended.reason
