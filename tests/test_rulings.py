"""What a person rules on held attempts: taken up by the run that goes on, or ended without one."""

from __future__ import annotations

import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, closing
from dataclasses import replace
from pathlib import Path

import pytest

from selfplay_core.engine.control import Control
from selfplay_core.engine.holding import Denied, deny_held, deny_pattern, pattern_of
from selfplay_core.engine.steering import Steer, steer
from selfplay_core.events import Event, TraceEnded, TraceHeld, TraceStarted
from selfplay_core.models import Action, Outcome, Trace
from selfplay_core.store.database import Database
from selfplay_core.store.held import HeldAttempt, held, hold, rule_held
from selfplay_core.store.thread import AsyncStore
from selfplay_core.store.traces import trace
from selfplay_core.verify.policy import Policy, hits
from tests.servers.rcon import RconFault
from tests.worlds import Going, Playground, going, play, playground

LATER = [f"sudo {number} torch" for number in range(8)]


@asynccontextmanager
async def reviewer(folder: Path) -> AsyncIterator[AsyncStore]:
    """The same workspace, as another process would open it."""
    store = await AsyncStore.open(folder / "workspace")
    try:
        yield store
    finally:
        await store.aclose()


async def ruled(store: AsyncStore, rule: Callable[..., bool], trace_id: str, **ruling: object) -> bool:
    """Rule on what is parked of a trace as it stands."""
    since = next((item.since for item in await store.do(held) if item.trace_id == trace_id), 0.0)
    return await store.do(rule, trace_id, since=since, **ruling)


def slowly(ground: Playground, seconds: float = 0.25) -> None:
    """Let answers take their time, but for those that will be held."""
    quick = ("kill", "border", "chunks")
    ground.slow = lambda body: 0.0 if body["messages"][-1]["content"].endswith(quick) else seconds


async def first_held(run: Going, count: int = 1) -> list[TraceHeld]:
    """Wait until so many attempts are parked."""
    await run.until(lambda events: len(holds(events)) >= count)
    return holds(run.events)


def holds(events: list[Event]) -> list[TraceHeld]:
    return [event for event in events if isinstance(event, TraceHeld)]


def end_of(events: list[Event], trace_id: str) -> Trace | None:
    ends = (event.trace for event in events if isinstance(event, TraceEnded))
    return next((trace for trace in ends if trace.id == trace_id), None)


async def test_an_allowed_attempt_is_run_by_the_run_that_goes_on(tmp_path: Path) -> None:
    """Before what was waiting already, once, and the screen has been told what it waits for."""
    async with playground(tmp_path) as ground, reviewer(tmp_path) as store:
        slowly(ground)
        async with going(ground.job(given=["sudo kill", *LATER], interactive=True)) as run:
            (parked,) = await first_held(run)
            assert (parked.command, parked.prompt.text) == ("kill @e", "sudo kill")
            assert await ruled(store, rule_held, parked.trace_id, allow=True, by="ann")
            ran = await run.ended()
        assert ground.server.commands.count("kill @e") == 1
    ended = end_of(ran.events, parked.trace_id)
    assert ended is not None
    assert ended.outcome is Outcome.SOLVED
    assert [trace.id for trace in ran.traces].index(parked.trace_id) < len(LATER) - 1
    assert len(ran.traces) == 1 + len(LATER)


async def test_who_answered_stays_who_answered(tmp_path: Path) -> None:
    """An attempt that a run of another model carries out is the first model's all the same."""
    async with playground(tmp_path) as ground, reviewer(tmp_path) as store:
        async with going(ground.job(given=["sudo kill"], interactive=True)) as run:
            (parked,) = await first_held(run)
            await run.ended()
        assert await ruled(store, rule_held, parked.trace_id, allow=True, by="ann")
        ran = await play(ground.job(given=["sudo torch"], new=True, llm__model="another"))
        models = {trace.prompt.text: trace.model.name for trace in ran.traces}
    assert models == {"sudo kill": "theirs", "sudo torch": "another"}


async def test_what_is_under_way_is_not_taken_up_twice(tmp_path: Path) -> None:
    """However often the workspace changes meanwhile."""
    async with playground(tmp_path) as ground, reviewer(tmp_path) as store:
        slowly(ground)
        ground.server.faults["kill @e"], ground.server.pace = RconFault.DELAY, 1.0
        async with going(ground.job(given=["sudo kill", *LATER], interactive=True, run__concurrency=4)) as run:
            (parked,) = await first_held(run)
            assert await ruled(store, rule_held, parked.trace_id, allow=True, by="ann")
            await ground.server.until(lambda: "kill @e" in ground.server.commands)
            assert await steer(store, Steer("look"), 10) == ""
            ran = await run.ended()
        assert ground.server.commands.count("kill @e") == 1
    assert len(ran.traces) == 1 + len(LATER)


async def test_what_is_allowed_at_the_very_end_is_still_worked_off(tmp_path: Path) -> None:
    """All rounds are written and the last prompt is being answered."""
    async with playground(tmp_path) as ground, reviewer(tmp_path) as store:
        slowly(ground, 0.6)
        async with going(ground.job(given=["sudo kill", "sudo torch"], interactive=True)) as run:
            (parked,) = await first_held(run)
            await run.until(lambda events: sum(isinstance(event, TraceStarted) for event in events) == 2)
            assert await ruled(store, rule_held, parked.trace_id, allow=True, by="ann")
            ran = await run.ended()
    assert ran.ended.status == "done"
    assert end_of(ran.events, parked.trace_id) is not None


async def test_a_draining_run_takes_up_nothing_that_is_allowed(tmp_path: Path) -> None:
    """It waits for the next one."""
    async with playground(tmp_path) as ground, reviewer(tmp_path) as store:
        slowly(ground, 0.6)
        job = ground.job(given=["sudo kill", *LATER], interactive=True)
        async with going(job) as run:
            (parked,) = await first_held(run)
            run.control.drain()
            assert await ruled(store, rule_held, parked.trace_id, allow=True, by="ann")
            ran = await run.ended()
        assert end_of(ran.events, parked.trace_id) is None
        ground.slow = lambda body: 0.0
        rest = await play(job)
    assert end_of(rest.events, parked.trace_id) is not None


async def test_the_round_of_an_allowed_attempt_is_set_up_again(tmp_path: Path) -> None:
    """Its clean-up has run meanwhile."""
    async with playground(tmp_path) as ground, reviewer(tmp_path) as store:
        slowly(ground, 1.0)
        job = ground.job(
            given=["sudo kill", "sudo torch"],
            interactive=True,
            run__prompts_per_category=1,
            run__categories_per_round=1,
            world__round_setup=("say begin",),
            world__round_cleanup=("say end",),
        )
        async with going(job) as run:
            (parked,) = await first_held(run)
            assert await ruled(store, rule_held, parked.trace_id, allow=True, by="ann")
            await run.ended()
        said = [command for command in ground.server.commands if command in ("say begin", "say end", "kill @e")]
    killed = said.index("kill @e")
    assert said[:killed][-1] == "say begin"
    assert said[killed + 1] == "say end"
    assert said.count("say begin") == said.count("say end")


async def test_a_denied_attempt_ends_at_once_and_without_a_run(tmp_path: Path) -> None:
    """Nothing was sent, the reason says who, and a second ruling comes too late."""
    async with playground(tmp_path) as ground, reviewer(tmp_path) as store:
        ran = await play(ground.job(given=["sudo kill"], interactive=True))
        (parked,) = holds(ran.events)
        assert await ruled(store, deny_held, parked.trace_id, by="ann", reason="Too broad.")
        found = await store.do(trace, parked.trace_id)
        assert not await ruled(store, deny_held, parked.trace_id, by="bob")
        assert not await ruled(store, rule_held, parked.trace_id, allow=True, by="bob")
        assert await store.do(held) == []
        assert "kill @e" not in ground.server.commands
    assert found is not None
    assert found.outcome is Outcome.BLOCKED
    assert found.reason.endswith("Denied by ann. Too broad.")
    assert found.attempts[-1].results == ()


async def test_what_was_allowed_cannot_be_denied(tmp_path: Path) -> None:
    """The first ruling counts."""
    async with playground(tmp_path) as ground, reviewer(tmp_path) as store:
        ran = await play(ground.job(given=["sudo kill"], interactive=True))
        (parked,) = holds(ran.events)
        assert await ruled(store, rule_held, parked.trace_id, allow=True, by="ann")
        assert not await ruled(store, deny_held, parked.trace_id, by="bob")


async def test_a_ruling_counts_only_for_the_attempt_that_was_seen(tmp_path: Path) -> None:
    """Another attempt of the same trace that has taken its place waits for a look of its own."""
    async with playground(tmp_path) as ground, reviewer(tmp_path) as store:
        ran = await play(ground.job(given=["sudo kill"], interactive=True))
        (parked,) = holds(ran.events)
        (seen,) = await store.do(held)
        await store.do(hold, replace(seen, since=seen.since + 1))
        assert not await store.do(rule_held, parked.trace_id, since=seen.since, allow=True, by="ann")
        assert not await store.do(deny_held, parked.trace_id, since=seen.since, by="ann")
        assert [item.allowed for item in await store.do(held)] == [None]
        assert await store.do(deny_held, parked.trace_id, since=seen.since + 1, by="ann")


async def test_a_denied_pattern_ends_what_is_held_and_blocks_what_comes(tmp_path: Path) -> None:
    """For this run and when it goes on, and nothing else."""
    prompts = ["sudo a kill", "sudo b kill", "sudo border", *LATER[:4], "sudo c kill", "sudo d kill"]
    job_settings = {"interactive": True, "given": prompts}
    async with playground(tmp_path) as ground, reviewer(tmp_path) as store:
        slowly(ground, 0.4)
        control = Control()
        async with going(ground.job(**job_settings), control) as run:  # type: ignore[arg-type]
            parked = await first_held(run, 3)
            pattern = pattern_of(parked[0].command)
            run_id = parked[0].run_id
            assert await store.do(deny_pattern, run_id, pattern, by="ann") == Denied(2, (run_id,))
            await run.until(lambda events: any(_prompt(event) == "sudo c kill" for event in events))
            control.drain()
            ran = await run.ended()
            again = await play(ground.job(**job_settings))  # type: ignore[arg-type]
        assert [item.prompt.text for item in await store.do(held)] == ["sudo border"]
        assert "kill @e" not in ground.server.commands
        blocked = [trace for trace in (*ran.traces, *again.traces) if trace.prompt.text.endswith("kill")]
        assert {trace.prompt.text: trace.outcome for trace in blocked} == {
            "sudo c kill": Outcome.BLOCKED,
            "sudo d kill": Outcome.BLOCKED,
        }
        assert "denied `kill` for this run" in blocked[0].reason


async def test_a_running_run_ends_what_nobody_ruled_on(tmp_path: Path) -> None:
    """After a day, without waiting for the next run."""
    async with playground(tmp_path) as ground, reviewer(tmp_path) as store:
        slowly(ground)
        async with going(ground.job(given=["sudo kill", *LATER], interactive=True)) as run:
            (parked,) = await first_held(run)
            (item,) = await store.do(held)
            old = HeldAttempt(item.trace_id, item.run_id, item.prompt, item.payload, time.time() - 86_401)
            await store.do(hold, old)
            ran = await run.ended()
    assert len(ran.traces) == len(LATER)
    with closing(Database.open(tmp_path / "workspace")) as database:
        found = trace(database, parked.trace_id)
    assert found is not None
    assert "24 hours" in found.reason


@pytest.mark.parametrize(
    ("command", "pattern"),
    [
        ("kill @e", "kill"),
        ("/minecraft:KILL @e[type=cow]", "kill"),
        ("worldborder set 10", "worldborder"),
        ("forceload remove all", "forceload remove"),
        ("execute as @a at @s run forceload remove all", "forceload remove"),
        ("execute as @a run return run kill @s", "kill"),
        ("effect give @a minecraft:wither 10", "effect give"),
        ("data merge entity @e[limit=1] {}", "data merge"),
        ("//regen", "//regen"),
        ("gamerule keepInventory true", "gamerule"),
        ("teleport @a 0 0 0", "teleport"),
        ("xp set @a 0", "xp set"),
    ],
)
def test_a_pattern_stands_for_the_command_that_runs(command: str, pattern: str) -> None:
    """Read through every wrapping, and the policy then denies the command it was taken from."""
    assert pattern_of(command) == pattern
    assert hits(command, pattern)
    ruling = Policy(allow=frozenset((pattern,)), ruled_out=frozenset((pattern,))).review(command)
    assert ruling.action is Action.DENY
    assert "a person denied" in ruling.reason


def test_a_pattern_spares_other_commands() -> None:
    """A beginning is made of whole words."""
    assert not hits("killall cow", "kill")
    assert not hits("forceload query", "forceload remove")
    assert not hits("say kill @e", "kill")


def _prompt(event: Event) -> str:
    return event.trace.prompt.text if isinstance(event, TraceEnded) else ""
