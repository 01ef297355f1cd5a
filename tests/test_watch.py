"""The watch: a server that changes while a run goes on, and people who come and go."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any

import pytest

from selfplay_core.engine.control import Control
from selfplay_core.errors import CanaryFailed, ForeignPlayers
from selfplay_core.events import Decided, Event, RunPaused, RunResumed, RunStarted, TraceEnded, TraceStarted
from selfplay_core.models import Outcome
from tests.servers.rcon import RconFault
from tests.worlds import REJECTED, Playground, play, playground, rows_in, server_says

OFTEN = 0.001  # minutes: sixty milliseconds
MANY = [f"sudo {number} torch" for number in range(60)]
ONLY_US = "There are 1 of a max of 20 players online: slingshooter08"
A_STRANGER = "There are 2 of a max of 20 players online: slingshooter08, Herobrine"


class People:
    """Who is online, and how often the server was asked."""

    def __init__(self, ground: Playground) -> None:
        self.list = ONLY_US
        self.asked = 0
        self.canary = REJECTED
        ground.server.handler = self.says

    def says(self, command: str) -> str:
        if command == "list":
            self.asked += 1
            return self.list
        return self.canary if command == "selfplay_no_such_command" else server_says(command)


def slowly(ground: Playground) -> None:
    """Give the watch time to look between two answers."""
    ground.slow = lambda body: 0.02


async def test_a_canary_that_fails_ends_the_run_and_nothing_is_decided_after_it(tmp_path: Path) -> None:
    """The error says what was answered; what had been decided before stays."""
    events: list[Event] = []
    async with playground(tmp_path) as ground:
        people = People(ground)
        slowly(ground)

        def watch(event: Event) -> None:
            events.append(event)
            if sum(isinstance(event, TraceEnded) for event in events) == 5:
                people.canary = "All is well."

        with pytest.raises(CanaryFailed, match=r"selfplay_no_such_command.*All is well\."):
            await play(ground.job(given=MANY, verify__canary_minutes=OFTEN), watch=watch)
        told = len(events)
        decided = [event for event in events if isinstance(event, Decided)]
        rows = len(rows_in(tmp_path / "out.jsonl"))
        assert 0 < len(decided) < len(MANY)
        assert rows <= len(decided)
        asked, sent = len(ground.model.chats), len(ground.server.commands)
        # A look, an answer and more would fit into this time many times over.
        await asyncio.sleep(0.3)
        assert (len(events), len(ground.model.chats), len(ground.server.commands)) == (told, asked, sent)
        assert len(rows_in(tmp_path / "out.jsonl")) == rows


async def test_a_run_after_a_failed_canary_goes_on_where_it_stopped(tmp_path: Path) -> None:
    """No prompt is lost or asked twice, once the server can be trusted again."""
    async with playground(tmp_path) as ground:
        people = People(ground)
        slowly(ground)
        ended: list[str] = []

        def watch(event: Event) -> None:
            if isinstance(event, TraceEnded):
                ended.append(event.trace.prompt.text)
                people.canary = "All is well."

        with pytest.raises(CanaryFailed):
            await play(ground.job(given=MANY, verify__canary_minutes=OFTEN), watch=watch)
        people.canary = REJECTED
        ran = await play(ground.job(given=MANY, verify__canary_minutes=OFTEN))
    assert ran.ended.status == "done"
    # One that was being committed when the canary failed may have ended without a word.
    again = [trace.prompt.text for trace in ran.traces]
    assert not set(ended) & set(again)
    assert len(ended) + len(again) >= len(MANY) - 1
    assert sorted(row["input"]["user_message"] for row in rows_in(tmp_path / "out.jsonl")) == sorted(MANY)


async def test_a_stranger_pauses_the_run_until_he_has_left(tmp_path: Path) -> None:
    """Nothing is begun while he is there, what has begun ends, and everything is done in the end."""
    events: list[Event] = []
    async with playground(tmp_path) as ground:
        people = People(ground)
        slowly(ground)
        looked = 0

        def watch(event: Event) -> None:
            nonlocal looked
            events.append(event)
            if sum(isinstance(event, TraceEnded) for event in events) == 3 and not looked:
                people.list, looked = A_STRANGER, 1
            if isinstance(event, RunPaused):
                looked = people.asked

        async def leaves() -> None:
            await ground.server.until(lambda: looked > 1 and people.asked >= looked + 4)
            people.list = ONLY_US

        async with asyncio.timeout(20), asyncio.TaskGroup() as group:
            group.create_task(leaves())
            ran = await play(ground.job(given=MANY, verify__canary_minutes=OFTEN), watch=watch)
    kinds = [type(event) for event in events]
    paused, resumed = kinds.index(RunPaused), kinds.index(RunResumed)
    assert paused < resumed
    assert TraceStarted not in kinds[paused:resumed]
    assert TraceStarted in kinds[resumed:]
    pause = events[paused]
    assert isinstance(pause, RunPaused)
    assert "Herobrine" in pause.reason
    assert "slingshooter08" not in pause.reason
    assert ran.ended.status == "done"
    assert len(ran.traces) == len(MANY)
    assert {trace.outcome for trace in ran.traces} == {Outcome.SOLVED}


async def test_a_stranger_who_stays_ends_the_run(tmp_path: Path) -> None:
    """As a server does that stays away: what is done is kept, the rest is left for the next run."""
    async with playground(tmp_path) as ground:
        people = People(ground)
        slowly(ground)

        def watch(event: Event) -> None:
            if isinstance(event, TraceEnded):
                people.list = A_STRANGER

        job = ground.job(given=MANY, verify__canary_minutes=OFTEN, run__give_up="1s")
        async with asyncio.timeout(20):
            ran = await play(job, watch=watch)
        assert ran.ended.status == "gave_up"
        assert "Herobrine" in ran.ended.reason
        assert "--allow-players" in ran.ended.reason
        assert 0 < len(ran.traces) < len(MANY)
        people.list = ONLY_US
        rest = await play(ground.job(given=MANY, verify__canary_minutes=OFTEN, run__give_up="1s"))
    assert len(ran.traces) + len(rest.traces) == len(MANY)


async def test_a_drain_does_not_wait_for_a_stranger(tmp_path: Path) -> None:
    """Whoever stops a paused run gets it stopped."""
    control = Control()
    async with playground(tmp_path) as ground:
        people = People(ground)
        slowly(ground)

        def watch(event: Event) -> None:
            if isinstance(event, TraceEnded):
                people.list = A_STRANGER
            if isinstance(event, RunPaused):
                control.drain()

        async with asyncio.timeout(20):
            ran = await play(ground.job(given=MANY, verify__canary_minutes=OFTEN), control, watch)
    assert ran.ended.status == "interrupted"


async def test_a_persons_pause_outlasts_a_stranger(tmp_path: Path) -> None:
    """That the stranger has left is no reason to go on for who paused the run by hand."""
    control = Control()
    events: list[Event] = []
    async with playground(tmp_path) as ground:
        people = People(ground)
        slowly(ground)

        looks: list[int] = []

        def watch(event: Event) -> None:
            events.append(event)
            if isinstance(event, TraceEnded) and not control.paused:
                control.pause()
                people.list = A_STRANGER
            if isinstance(event, RunPaused) and "Herobrine" in event.reason:
                people.list = ONLY_US
                looks.append(people.asked)

        running = asyncio.create_task(play(ground.job(given=MANY, verify__canary_minutes=OFTEN), control, watch))
        async with asyncio.timeout(20):
            await ground.server.until(lambda: bool(looks) and people.asked >= looks[0] + 3)
            paused = control.paused
            control.drain()
            await running
    kinds = [type(event) for event in events]
    assert paused
    assert RunResumed not in kinds
    assert TraceStarted not in kinds[kinds.index(RunPaused) :]


async def test_strangers_at_the_start_are_told_before_the_model_is_asked(tmp_path: Path) -> None:
    """Nothing is asked, nothing is run and no run is begun."""
    events: list[Event] = []
    async with playground(tmp_path) as ground:
        People(ground).list = A_STRANGER
        with pytest.raises(ForeignPlayers, match=r"Herobrine.*--allow-players"):
            await play(ground.job(given=MANY), watch=events.append)
        assert not ground.model.chats
        assert not [command for command in ground.server.commands if command.startswith("give")]
    assert not events
    assert not rows_in(tmp_path / "out.jsonl")


@pytest.mark.parametrize(
    "settings",
    [{"verify__allow_players": True}, {"world__players": ("slingshooter08", "herobrine")}],
    ids=["allowed", "named"],
)
async def test_strangers_who_are_allowed_or_named_stop_nothing(tmp_path: Path, settings: dict[str, Any]) -> None:
    """Neither at the start nor later; and a canary that fails still does."""
    async with playground(tmp_path) as ground:
        people = People(ground)
        people.list = A_STRANGER
        slowly(ground)
        ran = await play(ground.job(given=MANY[:20], verify__canary_minutes=OFTEN, **settings))
        assert ran.ended.status == "done"
        assert not [event for event in ran.events if isinstance(event, RunPaused)]
        assert people.asked > 2
        started = next(event for event in ran.events if isinstance(event, RunStarted))
        assert started.world.players == ("slingshooter08", "Herobrine")
        people.canary = "All is well."
        with pytest.raises(CanaryFailed):
            await play(ground.job(given=MANY[:20], new=True, verify__canary_minutes=OFTEN, **settings))


@pytest.mark.parametrize("fault", [RconFault.CLOSE, RconFault.GARBAGE, RconFault.WRONG_ID])
async def test_a_fault_during_a_look_is_no_verdict(tmp_path: Path, fault: RconFault) -> None:
    """The run goes on as if nothing had been, and is looked after again."""
    async with playground(tmp_path) as ground:
        people = People(ground)
        slowly(ground)
        looked = 0

        def watch(event: Event) -> None:
            nonlocal looked
            if isinstance(event, TraceEnded):
                if not ground.server.faults and not looked:
                    looked = people.asked
                    ground.server.faults["selfplay_no_such_command"] = fault
                elif people.asked >= looked + 2:
                    ground.server.faults.clear()

        ran = await play(ground.job(given=MANY, verify__canary_minutes=OFTEN), watch=watch)
        assert people.asked > looked + 2
    assert looked
    assert ran.ended.status == "done"
    assert {trace.outcome for trace in ran.traces} == {Outcome.SOLVED}
    assert len(ran.traces) == len(MANY)


async def test_a_watch_ends_with_its_run(tmp_path: Path) -> None:
    """No look comes after the last row."""
    async with playground(tmp_path) as ground:
        people = People(ground)
        ran = await play(ground.job(given=MANY[:5], verify__canary_minutes=OFTEN))
        asked = people.asked
        await asyncio.sleep(0.2)  # three looks long
        assert people.asked == asked
    assert ran.ended.status == "done"
