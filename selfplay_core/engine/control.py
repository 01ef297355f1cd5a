"""Pause, resume and drain: what a person, or a signal, says to a run."""

from __future__ import annotations

import asyncio

__all__ = ["Control", "Drained"]


OPERATOR = "operator"


class Drained(Exception):
    """Raised within a run where work is left undone because the run is draining."""


class Control:
    """The switches of one run; used on its event loop alone."""

    def __init__(self) -> None:
        self._draining = asyncio.Event()
        self._unpaused = asyncio.Event()
        self._unpaused.set()
        self._pausing: set[str] = set()
        self._last_round = False

    @property
    def draining(self) -> bool:
        """Whether nothing new may be taken up any more."""
        return self._draining.is_set()

    @property
    def paused(self) -> bool:
        """Whether nothing new is taken up for now."""
        return not self._unpaused.is_set()

    def pause(self, who: str = OPERATOR) -> None:
        """Take up nothing new; what has begun goes on to its end."""
        self._pausing.add(who)
        self._unpaused.clear()

    def resume(self, who: str = OPERATOR) -> None:
        """Take up work again, unless somebody else has paused the run too."""
        self._pausing.discard(who)
        if not self._pausing:
            self._unpaused.set()

    def drain(self) -> None:
        """Finish what has begun, then end the run."""
        self._draining.set()
        self._unpaused.set()

    def stop_after_this(self) -> None:
        """Begin no round any more, and end once the prompts that are written have been answered."""
        self._last_round = True

    async def may_begin_round(self) -> bool:
        """Wait out a pause, then tell whether another round may be written."""
        return await self.may_begin() and not self._last_round

    async def may_begin(self) -> bool:
        """Wait out a pause, then tell whether something new may be taken up."""
        await self._unpaused.wait()
        return not self.draining

    async def drained(self) -> None:
        """Return once the run drains."""
        await self._draining.wait()

    async def wait(self, seconds: float) -> None:
        """Wait for a while; raises Drained at once when the run drains meanwhile."""
        try:
            async with asyncio.timeout(seconds):
                await self._draining.wait()
        except TimeoutError:
            return
        raise Drained
