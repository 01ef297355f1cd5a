"""Pause, resume, stop after this, and what waits for a person."""

from __future__ import annotations

import asyncio
import time
from contextlib import closing
from dataclasses import replace
from pathlib import Path
from typing import Any

import msgspec
import pytest

from selfplay_core.engine.control import Control
from selfplay_core.engine.session import plan_of
from selfplay_core.events import Decided, Event, RoundStarted, TraceEnded, TraceHeld, TraceStarted
from selfplay_core.models import Answer, Attempt, Level, Outcome, Trace
from selfplay_core.store.database import Database
from selfplay_core.store.held import HeldAttempt, held, hold, rule_held
from selfplay_core.store.rounds import open_prompts
from selfplay_core.store.runs import last_run
from selfplay_core.store.traces import trace
from tests.samples import make_trace
from tests.worlds import Playground, play, playground


async def test_a_pause_takes_up_nothing_new(tmp_path: Path) -> None:
    """What has begun is finished, then nothing happens until the run is resumed."""
    control, quiet = Control(), asyncio.Event()
    seen: list[Event] = []

    def watch(event: Event) -> None:
        seen.append(event)
        if isinstance(event, TraceEnded) and not control.paused and not quiet.is_set():
            control.pause()
            asyncio.get_running_loop().call_later(0.3, quiet.set)

    async with playground(tmp_path) as ground:
        run = asyncio.create_task(play(ground.job(run__rounds=1), control, watch))
        await quiet.wait()
        begun = sum(isinstance(event, TraceStarted) for event in seen)
        ended = sum(isinstance(event, TraceEnded) for event in seen)
        control.resume()
        ran = await run
    assert begun == ended == 1
    assert (ran.ended.status, len(ran.traces)) == ("done", 15)


async def test_stop_after_this_answers_what_is_written(tmp_path: Path) -> None:
    """No round begins any more, the written prompts are answered, and the next run goes on."""
    control = Control()

    def watch(event: Event) -> None:
        if isinstance(event, TraceEnded):
            control.stop_after_this()

    async with playground(tmp_path) as ground:
        ran = await play(ground.job(run__rounds=5), control, watch)
        rounds = sum(isinstance(event, RoundStarted) for event in ran.events)
        assert (ran.ended.status, len(ran.traces)) == ("interrupted", 15 * rounds)
        assert rounds < 5
        rest = await play(ground.job(run__rounds=5))
    assert len(ran.traces) + len(rest.traces) == 15 * 5


async def test_a_drain_ends_a_pause(tmp_path: Path) -> None:
    """Stopping a paused run needs no resuming first."""
    control = Control()

    def watch(event: Event) -> None:
        if isinstance(event, TraceEnded):
            control.pause()
            asyncio.get_running_loop().call_later(0.05, control.drain)

    async with playground(tmp_path) as ground:
        async with asyncio.timeout(20):
            ran = await play(ground.job(run__rounds=1), control, watch)
    assert ran.ended.status == "interrupted"


@pytest.mark.parametrize(
    ("settings", "on_ask", "accept"),
    [
        ({}, "hold", "none"),
        ({"run__on_ask": "deny"}, "deny", "none"),
        ({"run__on_ask": "probe", "run__accept": "verified"}, "probe", "verified"),
    ],
)
async def test_an_interactive_run_leaves_to_its_person_what_nobody_settled(
    tmp_path: Path, settings: dict[str, Any], on_ask: str, accept: str
) -> None:
    """It holds what is asked about and accepts nothing; what the settings name, it does as any run."""
    async with playground(tmp_path) as ground:
        job = ground.job(given=["sudo kill", "sudo torch"], interactive=True, **settings)
        ran = await play(job)
    assert (plan_of(job, 1).on_ask, plan_of(job, 1).accept) == (on_ask, accept)
    assert any(isinstance(event, TraceHeld) for event in ran.events) is (on_ask == "hold")
    assert any(isinstance(event, Decided) for event in ran.events) is (accept == "verified")


def _park(workspace: Path, *, since: float) -> str:
    """Park the first open prompt of the last run, as the engine would, and return its trace's id."""
    with closing(Database.open(workspace)) as database:
        record = last_run(database)
        assert record is not None
        first = open_prompts(database, record.id)[0]
        attempt = Attempt(1, raw="{}", answer=Answer(("give slingshooter08 minecraft:torch 1",), "Because."))
        trace = replace(make_trace(attempt, outcome=Outcome.BLOCKED), id=first.trace_id, prompt=first.prompt)
        hold(database, HeldAttempt(first.trace_id, record.id, first.prompt, msgspec.json.encode(trace), since))
    return first.trace_id


async def _interrupted(ground: Playground) -> None:
    control = Control()

    def stop(event: Event) -> None:
        if isinstance(event, TraceEnded):
            control.drain()

    await play(ground.job(run__rounds=1), control, stop)


async def _outcome_after(ground: Playground, trace_id: str) -> Trace | None:
    ran = await play(ground.job(run__rounds=1))
    return next((trace for trace in ran.traces if trace.id == trace_id), None)


async def test_a_held_attempt_waits_through_restarts(tmp_path: Path) -> None:
    """The next run neither asks it again nor ends it."""
    async with playground(tmp_path) as ground:
        await _interrupted(ground)
        trace_id = _park(tmp_path / "workspace", since=time.time())
        assert await _outcome_after(ground, trace_id) is None
    with closing(Database.open(tmp_path / "workspace")) as database:
        assert [item.trace_id for item in held(database)] == [trace_id]


async def test_a_held_attempt_ends_blocked_after_a_day(tmp_path: Path) -> None:
    """Nobody came."""
    async with playground(tmp_path) as ground:
        await _interrupted(ground)
        trace_id = _park(tmp_path / "workspace", since=time.time() - 86_401)
        await play(ground.job(run__rounds=1))
    with closing(Database.open(tmp_path / "workspace")) as database:
        found = trace(database, trace_id)
        assert held(database) == []
    assert found is not None
    assert (found.outcome, found.level) == (Outcome.BLOCKED, Level.NONE)
    assert "24 hours" in found.reason


@pytest.mark.parametrize(("allow", "outcome"), [(True, Outcome.SOLVED), (False, Outcome.BLOCKED)])
async def test_what_a_person_ruled_is_done_by_the_next_run(tmp_path: Path, allow: bool, outcome: Outcome) -> None:
    """Allowed, the parked commands run; denied, nothing does."""
    async with playground(tmp_path) as ground:
        await _interrupted(ground)
        trace_id = _park(tmp_path / "workspace", since=time.time())
        with closing(Database.open(tmp_path / "workspace")) as database:
            (item,) = held(database)
            assert rule_held(database, trace_id, since=item.since, allow=allow, by="operator")
        await play(ground.job(run__rounds=1))
    with closing(Database.open(tmp_path / "workspace")) as database:
        found = trace(database, trace_id)
    assert found is not None
    assert found.outcome is outcome
    assert bool(found.attempts[-1].results) is allow
