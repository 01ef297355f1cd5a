"""Slots and absences: who goes first, who waits for whom, and when it is enough."""

from __future__ import annotations

import asyncio

import pytest

from selfplay_core.engine.control import Control, Drained
from selfplay_core.engine.outage import Outage
from selfplay_core.engine.slots import Slots, Urgency
from selfplay_core.errors import GaveUp, ModelUnreachable
from selfplay_core.events import Away, Back, Event

AWAY = ModelUnreachable("nobody there")


async def test_a_free_slot_goes_to_the_most_urgent() -> None:
    """Requests for prompts go before answers that wait longer; among equals the first comes first."""
    slots, order = Slots(1), list[str]()

    async def use(name: str, urgency: Urgency) -> None:
        async with slots.slot(urgency):
            order.append(name)

    async with asyncio.TaskGroup() as group, slots.slot(Urgency.ANSWERS):
        for name, urgency in (
            ("answer 1", Urgency.ANSWERS),
            ("answer 2", Urgency.ANSWERS),
            ("prompts", Urgency.PROMPTS),
        ):
            group.create_task(use(name, urgency))
        await asyncio.sleep(0)
    assert order == ["prompts", "answer 1", "answer 2"]


async def test_no_more_than_the_slots_at_once() -> None:
    """However many ask."""
    slots, now, most = Slots(3), 0, 0

    async def use() -> None:
        nonlocal now, most
        async with slots.slot(Urgency.ANSWERS):
            now += 1
            most = max(most, now)
            await asyncio.sleep(0)
            now -= 1

    async with asyncio.TaskGroup() as group:
        for _ in range(20):
            group.create_task(use())
    assert most == 3


@pytest.mark.parametrize("handed_over", [False, True])
async def test_who_is_cancelled_while_waiting_takes_no_slot_along(handed_over: bool) -> None:
    """Not even in the moment of being handed one."""
    slots = Slots(1)

    async def use() -> None:
        async with slots.slot(Urgency.ANSWERS):
            pass

    async with slots.slot(Urgency.ANSWERS):
        waiting = asyncio.create_task(use())
        await asyncio.sleep(0)
        if not handed_over:
            waiting.cancel()
            await asyncio.sleep(0)
    waiting.cancel()
    with pytest.raises(asyncio.CancelledError):
        await waiting
    async with asyncio.timeout(1), slots.slot(Urgency.ANSWERS):
        pass


class Clock:
    def __init__(self) -> None:
        self.now = 1000.0

    def __call__(self) -> float:
        return self.now


class Patient(Control):
    """Waits by moving the clock on."""

    def __init__(self, clock: Clock) -> None:
        super().__init__()
        self.clock = clock

    async def wait_for_try(self, seconds: float) -> bool:
        if self.draining:
            raise Drained
        self.clock.now += seconds
        return False


def outage(events: list[Event], give_up: float) -> tuple[Outage, Patient]:
    clock = Clock()
    control = Patient(clock)
    return Outage("The model", give_up=give_up, control=control, announce=events.append, clock=clock), control


async def test_tries_grow_apart_up_to_half_a_minute() -> None:
    """1, 2, 4 … 30 s, each told with its reason."""
    events: list[Event] = []
    away, _ = outage(events, give_up=600)
    for _ in range(8):
        await away.wait(AWAY)
    assert [event.retry_in for event in events if isinstance(event, Away)] == [1, 2, 4, 8, 16, 30, 30, 30]


async def test_all_who_wait_share_the_next_try() -> None:
    """Ten requests that fail together make one absence, not ten."""
    events: list[Event] = []
    away, control = outage(events, give_up=600)
    start = control.clock.now
    await away.wait(AWAY)
    control.clock.now = start + 0.1
    for _ in range(9):
        await away.wait(AWAY)
        control.clock.now = start + 0.1
    assert len(events) == 1


async def test_an_absence_ends_with_the_first_answer() -> None:
    """The next one starts its waits and its patience anew."""
    events: list[Event] = []
    away, _ = outage(events, give_up=5)
    for _ in range(3):
        await away.wait(AWAY)
        away.over()
    away.over()
    assert [type(event) for event in events] == [Away, Back] * 3


async def test_patience_ends_at_give_up() -> None:
    """With one last try at the very end, and told what to do."""
    events: list[Event] = []
    away, control = outage(events, give_up=10)
    start = control.clock.now
    while control.clock.now < start + 10:
        await away.wait(AWAY)
    with pytest.raises(GaveUp, match="Start again when it is back"):
        await away.wait(AWAY)
    assert control.clock.now == start + 10


async def test_a_drain_waits_for_nobody() -> None:
    """What waits is left undone at once."""
    away, control = outage([], give_up=10)
    control.drain()
    with pytest.raises(Drained):
        await away.wait(AWAY)


async def test_a_person_hurries_all_who_wait() -> None:
    """The next try is now, of every server that is away; the one after it is planned anew."""
    events: list[Event] = []
    control = Control()
    model, server = (
        Outage(what, give_up=600, control=control, announce=events.append) for what in ("The model", "The server")
    )
    for _ in range(2):
        async with asyncio.timeout(0.9), asyncio.TaskGroup() as group:
            for away in (model, model, server):
                group.create_task(away.wait(AWAY))
            await asyncio.sleep(0)
            control.hurry()
    told = [(event.what, event.retry_in) for event in events if isinstance(event, Away)]
    assert told == [("The model", 1), ("The server", 1), ("The model", 2), ("The server", 2)]


async def test_who_waits_later_is_not_hurried() -> None:
    """A hurry is for the waits that have begun."""
    control = Control()
    control.hurry()
    assert not await control.wait_for_try(0.01)


async def test_a_drain_ends_a_wait_for_the_next_try() -> None:
    """What waits is left undone at once, not at the next try."""
    control = Control()
    waiting = asyncio.create_task(control.wait_for_try(600))
    await asyncio.sleep(0)
    control.drain()
    with pytest.raises(Drained):
        async with asyncio.timeout(1):
            await waiting
