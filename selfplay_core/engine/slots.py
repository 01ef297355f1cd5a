"""The model server's slots: a bounded number of requests at once, the more urgent first."""

from __future__ import annotations

import asyncio
import heapq
import itertools
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from enum import IntEnum

__all__ = ["Slots", "Urgency", "workers_for"]


class Urgency(IntEnum):
    """Who goes first: a person who waits; then prompts, for want of which slots stand empty at the end of a round."""

    PERSON = 0
    PROMPTS = 1
    ANSWERS = 2


class Slots:
    """A semaphore with an order, by urgency, then first come, first served, whose size may change."""

    def __init__(self, count: int) -> None:
        self._count = count
        self._free = count
        self._waiting: list[tuple[Urgency, int, asyncio.Future[None]]] = []
        self._arrivals = itertools.count()

    @asynccontextmanager
    async def slot(self, urgency: Urgency) -> AsyncIterator[None]:
        """Hold one slot for the length of the block."""
        await self.acquire(urgency)
        try:
            yield
        finally:
            self.release()

    def resize(self, count: int) -> None:
        """Let `count` hold a slot at once from here on; those who hold one keep it."""
        self._free += count - self._count
        self._count = count
        self._hand_out()

    async def acquire(self, urgency: Urgency = Urgency.ANSWERS) -> None:
        """Take a slot as soon as it is one's turn; to be given back with `release`."""
        if self._free > 0:
            self._free -= 1
            return
        turn: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        heapq.heappush(self._waiting, (urgency, next(self._arrivals), turn))
        try:
            await turn
        except asyncio.CancelledError:
            # Handed a slot in the moment of being cancelled: it goes on to the next.
            if turn.done() and not turn.cancelled():
                self.release()
            raise

    def release(self) -> None:
        """Give a slot back, and with it the turn to whoever is next."""
        self._free += 1
        self._hand_out()

    def _hand_out(self) -> None:
        while self._free > 0 and self._waiting:
            _, _, turn = heapq.heappop(self._waiting)
            if not turn.done():
                turn.set_result(None)
                self._free -= 1


def workers_for(slots: int) -> int:
    """Return how many prompts are worked on at once.

    One slot means one prompt at a time, so that a server with a memory sees the same order every time. With more,
    twice as many prompts as slots: some wait for the server while others are answered.
    """
    return 1 if slots == 1 else 2 * slots
