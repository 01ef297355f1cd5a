"""Focus, concurrency and retries, set anew while a run goes on, and the switches that another process turns."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest

from selfplay_core.engine.control import Control, Tuning
from selfplay_core.engine.slots import Slots, Urgency
from selfplay_core.engine.steering import Steer, state_of_run, steer
from selfplay_core.errors import SettingsError
from selfplay_core.events import (
    AttemptJudged,
    Event,
    PromptsWritten,
    RoundStarted,
    RunPaused,
    RunResumed,
    RunStarted,
    RunTuned,
    TraceEnded,
    TraceStarted,
)
from selfplay_core.models import CATEGORY_NAMES
from selfplay_core.store.thread import AsyncStore
from tests.commands import server_flags, start_command
from tests.worlds import Playground, going, play, playground

MANY = [f"sudo {number} torch" for number in range(60)]


def count(events: list[Event], kind: type[Event]) -> int:
    return sum(isinstance(event, kind) for event in events)


def at_work(events: list[Event]) -> int:
    """How many prompts are begun and not ended."""
    return count(events, TraceStarted) - count(events, TraceEnded)


async def test_what_is_in_force_can_be_read(tmp_path: Path) -> None:
    """Nothing before the start, then the plan's, then what was said; and it is told once."""
    control = Control()
    assert control.tuning is None
    async with playground(tmp_path) as ground, going(ground.job(run__rounds=1, run__max_retries=1), control) as run:
        await run.until(lambda events: count(events, RunStarted) == 1)
        await run.until(lambda events: control.tuning is not None)
        assert control.tuning == Tuning(None, 1, 1)
        control.tune(Tuning("worldedit", 2, 0))
        control.tune(Tuning("worldedit", 2, 0))
        assert control.tuning == Tuning("worldedit", 2, 0)
        ran = await run.ended()
    assert [event for event in ran.events if isinstance(event, RunTuned)] == [RunTuned("worldedit", 2, 0)]


@pytest.mark.parametrize(
    "tuning", [Tuning("redstone", 1, 1), Tuning(None, 0, 1), Tuning(None, 513, 1), Tuning(None, 1, -1)]
)
async def test_what_the_settings_would_refuse_is_refused(tmp_path: Path, tuning: Tuning) -> None:
    """With the name of the setting, and the run goes on as before."""
    control = Control()
    async with playground(tmp_path) as ground, going(ground.job(run__rounds=1), control) as run:
        await run.until(lambda events: control.tuning is not None)
        with pytest.raises(SettingsError, match=r"^run\."):
            control.tune(tuning)
        assert control.tuning == Tuning(None, 1, 2)
        assert (await run.ended()).ended.status == "done"


async def test_more_slots_are_used_at_once(tmp_path: Path) -> None:
    """The model is asked by as many as there may be, and by no more."""
    async with playground(tmp_path) as ground, going(ground.job(given=MANY, run__rounds=4)) as run:
        ground.slow = lambda body: 0.05
        await run.until(lambda events: count(events, TraceEnded) == 2)
        assert ground.model.most_at_once == 1
        run.control.tune(Tuning(None, 4, 2))
        ran = await run.ended()
        assert ground.model.most_at_once == 4
    assert len(ran.traces) == 60
    assert {trace.outcome.value for trace in ran.traces} == {"solved"}


async def test_fewer_slots_cancel_nobody(tmp_path: Path) -> None:
    """What is under way ends, then one after the other."""
    async with playground(tmp_path) as ground, going(ground.job(given=MANY, run__rounds=4, run__concurrency=4)) as run:
        ground.slow = lambda body: 0.05
        await run.until(lambda events: count(events, TraceEnded) == 8)
        begun = at_work(run.events)
        run.control.tune(Tuning(None, 1, 2))
        await run.until(lambda events: count(events, TraceEnded) == 8 + begun)
        alone = len(run.events)
        ran = await run.ended()
    assert max(at_work(ran.events[:index]) for index in range(alone, len(ran.events))) == 1
    assert len(ran.traces) == 60
    assert len({trace.id for trace in ran.traces}) == 60


async def test_focus_holds_from_the_next_round_and_is_given_up_again(tmp_path: Path) -> None:
    """One category of as many prompts as before, then all categories of the run."""
    async with playground(tmp_path) as ground, going(ground.job(run__rounds=10)) as run:
        ground.slow = lambda body: 0.01
        await run.until(lambda events: count(events, RoundStarted) == 1)
        run.control.tune(Tuning("worldedit", 1, 2))
        await run.until(lambda events: count(events, RoundStarted) == 5)
        run.control.tune(Tuning(None, 1, 2))
        ran = await run.ended()
    rounds = [event.categories for event in ran.events if isinstance(event, RoundStarted)]
    assert len(rounds[0]) == len(rounds[-1]) == 3
    assert rounds[1:5] == [("worldedit",)] * 4
    written = [event for event in ran.events if isinstance(event, PromptsWritten) and event.round == 2]
    assert [len(event.prompts) for event in written] == [5]


async def test_focus_given_up_leaves_the_other_rounds_as_they_would_have_been(tmp_path: Path) -> None:
    """Drawn from all alike, which categories a round has depends on the seed and its number alone."""

    def rounds(events: list[Event]) -> list[tuple[str, ...]]:
        return [event.categories for event in events if isinstance(event, RoundStarted)]

    async with playground(tmp_path) as ground:
        plain = await play(ground.job(run__rounds=6, run__sampler="uniform", workspace="plain", output="plain.jsonl"))
        async with going(ground.job(run__rounds=6, run__sampler="uniform")) as run:
            await run.until(lambda events: count(events, RoundStarted) == 1)
            run.control.tune(Tuning(CATEGORY_NAMES[0], 1, 2))
            await run.until(lambda events: count(events, RoundStarted) == 3)
            run.control.tune(Tuning(None, 1, 2))
            tuned = await run.ended()
    assert rounds(tuned.events)[4:] == rounds(plain.events)[4:]


async def test_retries_hold_from_the_next_attempt_on(tmp_path: Path) -> None:
    """Raised in the middle of a prompt they are that prompt's, too."""
    async with playground(tmp_path) as ground:
        ground.slow = lambda body: 0.1
        async with going(ground.job(given=["sudo learn"], run__max_retries=1)) as run:
            await run.until(lambda events: count(events, AttemptJudged) == 1)
            run.control.tune(Tuning(None, 1, 3))
            ran = await run.ended()
    (trace,) = ran.traces
    assert (trace.outcome.value, len(trace.attempts)) == ("corrected", 4)


async def test_a_run_that_goes_on_is_as_it_was_tuned(tmp_path: Path) -> None:
    """In the process that tuned it; another run is set as its plan says."""
    kept = Tuning("worldedit", 3, 0)
    async with playground(tmp_path) as ground:
        ground.slow = lambda body: 0.02
        first = Control()
        async with going(ground.job(run__rounds=20), first) as run:
            await run.until(lambda events: count(events, TraceEnded) == 1)
            first.drain()
            await run.ended()
        again = Control(kept)
        async with going(ground.job(run__rounds=20), again) as run:
            await run.until(lambda events: count(events, RunTuned) == 1)
            assert again.tuning == kept
            await run.until(lambda events: ground.model.most_at_once == 3)
            again.drain()
            await run.ended()
        another = Control(kept)
        async with going(ground.job(run__rounds=20, new=True), another) as run:
            await run.until(lambda events: count(events, TraceEnded) == 1)
            assert another.tuning == Tuning(None, 1, 2)


async def test_a_persons_pause_is_told(tmp_path: Path) -> None:
    """And that it is over; a second word for the same thing is none."""
    async with playground(tmp_path) as ground, going(ground.job(run__rounds=1)) as run:
        await run.until(lambda events: count(events, TraceEnded) == 1)
        run.control.pause()
        run.control.pause()
        run.control.resume()
        run.control.resume()
        ran = await run.ended()
    told = [type(event) for event in ran.events if isinstance(event, RunPaused | RunResumed)]
    assert told == [RunPaused, RunResumed]


async def _first_line(ground: Playground, folder: Path) -> asyncio.subprocess.Process:
    ground.slow = lambda body: 0.2
    process = await start_command(
        folder, "--headless", "--rounds", "3", "--workspace", "workspace", *server_flags(ground)
    )
    assert process.stdout is not None
    await process.stdout.readline()
    return process


async def test_a_run_of_another_process_is_steered(tmp_path: Path) -> None:
    """Paused, tuned, resumed and drained through the workspace; what is not allowed is said."""
    async with playground(tmp_path) as ground:
        process = await _first_line(ground, tmp_path)
        store = await AsyncStore.open(tmp_path / "workspace")
        assert await steer(store, Steer("pause"), 10) == ""
        assert (await state_of_run(store, 10)).paused
        assert await steer(store, Steer("tune", Tuning("worldedit", 3, 0)), 10) == ""
        assert (await state_of_run(store, 10)).tuning == Tuning("worldedit", 3, 0)
        assert "run.concurrency" in await steer(store, Steer("tune", Tuning(None, 0, 0)), 10)
        assert await steer(store, Steer("resume"), 10) == ""
        assert not (await state_of_run(store, 10)).paused
        assert await steer(store, Steer("drain"), 10) == ""
        out, _ = await asyncio.wait_for(process.communicate(), 60)
        assert b'"event":"run_tuned"' in out.replace(b" ", b"")
        assert process.returncode in (0, 130)
        assert "No run is going on" in await steer(store, Steer("pause"), 10)
        await store.aclose()


async def test_slots_change_their_number_under_load() -> None:
    """Those who hold one keep it; who waits gets a new one at once, and none before there is one."""
    slots, inside, leave = Slots(2), list[int](), asyncio.Event()

    async def use(number: int) -> None:
        async with slots.slot(Urgency.ANSWERS):
            inside.append(number)
            await leave.wait()

    async with asyncio.TaskGroup() as group:
        for number in range(6):
            group.create_task(use(number))
        await asyncio.sleep(0)
        assert inside == [0, 1]
        slots.resize(3)
        await asyncio.sleep(0)
        assert inside == [0, 1, 2]
        slots.resize(1)
        slots.release()
        slots.release()
        await asyncio.sleep(0)
        assert inside == [0, 1, 2]
        slots.release()
        await asyncio.sleep(0)
        assert inside == [0, 1, 2, 3]
        slots.resize(9)
        leave.set()
