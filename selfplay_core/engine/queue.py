"""The prompts that wait for a worker, and the rounds that wait for their prompts."""

from __future__ import annotations

import asyncio
from collections import Counter, deque
from dataclasses import dataclass

from selfplay_core.models import Prompt, Trace

__all__ = ["RoundBook", "WorkItem", "WorkQueue"]


@dataclass(frozen=True, slots=True)
class WorkItem:
    """One prompt to be solved; `position` is its place in the order in which traces are accepted.

    `seed` is that of the run that asked it. `released` is the held trace that a person has allowed to go on.
    """

    position: int
    run_id: str
    trace_id: str
    prompt: Prompt
    seed: int
    released: Trace | None = None


class WorkQueue:
    """First in, first out, until it is closed; what a person has let go on is before all others.

    What was taken out is under way until it is said to be done.
    """

    def __init__(self) -> None:
        self._released: deque[WorkItem] = deque()
        self._items: deque[WorkItem] = deque()
        self._closed = False
        self._undone = 0
        self._changed = asyncio.Condition()

    @property
    def waiting(self) -> int:
        """How many items nobody has begun."""
        return len(self._released) + len(self._items)

    @property
    def closed(self) -> bool:
        """Whether nothing is taken in any more."""
        return self._closed

    async def put(self, item: WorkItem) -> None:
        """Add an item at the end of its kind."""
        async with self._changed:
            (self._items if item.released is None else self._released).append(item)
            self._undone += 1
            self._changed.notify_all()

    async def close(self, *, discard: bool = False) -> None:
        """Let everybody who waits go once the items are used up, or at once."""
        async with self._changed:
            self._closed = True
            if discard:
                self._undone -= self.waiting
                self._released.clear()
                self._items.clear()
            self._changed.notify_all()

    async def get(self) -> WorkItem | None:
        """Return the next item, or None when there will be none."""
        async with self._changed:
            await self._changed.wait_for(lambda: self.waiting or self._closed)
            items = self._released or self._items
            return items.popleft() if items else None

    async def done(self) -> None:
        """Note that the work on one item has ended."""
        async with self._changed:
            self._undone -= 1
            self._changed.notify_all()

    async def all_done(self) -> None:
        """Wait until nothing waits and nothing is under way."""
        async with self._changed:
            await self._changed.wait_for(lambda: not self._undone)


class RoundBook:
    """Which rounds are complete: every prompt of theirs ended or parked."""

    def __init__(self) -> None:
        self._open: Counter[int] = Counter()
        self._changed = asyncio.Condition()

    def begin(self, round_number: int) -> None:
        """Note that a round has one more prompt to be ended."""
        self._open[round_number] += 1

    async def ended(self, round_number: int) -> bool:
        """Note that one prompt of a round has ended, and tell whether it was the last."""
        async with self._changed:
            self._open[round_number] -= 1
            self._changed.notify_all()
            return self._open[round_number] == 0

    async def complete_up_to(self, round_number: int) -> None:
        """Wait until no prompt of this round or an earlier one is open."""
        async with self._changed:
            await self._changed.wait_for(
                lambda: not any(count for number, count in self._open.items() if number <= round_number)
            )
