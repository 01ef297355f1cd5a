"""Pause, resume, hurry, drain and tune: what a person, or a signal, says to a run."""

from __future__ import annotations

import asyncio

from selfplay_core.engine.tuning import Tuning, check_tuning
from selfplay_core.errors import SettingsError
from selfplay_core.events import Announce, Event, RunPaused, RunResumed, RunTuned

__all__ = ["Control", "Drained", "Tuning"]


OPERATOR = "operator"


class Drained(Exception):
    """Raised within a run where work is left undone because the run is draining."""


class Control:
    """The switches of one run; used on its event loop alone.

    What is switched before the run starts holds from its start, but for the tuning, which is the plan's then:
    only an earlier run that goes on is set as `kept`, which is how its process had tuned it.
    """

    def __init__(self, kept: Tuning | None = None) -> None:
        self._kept = kept
        self._draining = asyncio.Event()
        self._unpaused = asyncio.Event()
        self._unpaused.set()
        self._woken = asyncio.Event()
        self._pausing: dict[str, str] = {}
        self._last_round = False
        self._tuning: Tuning | None = None
        self._tuned = asyncio.Event()
        self._announce: Announce | None = None
        self._reopening = False

    def begin(self, tuning: Tuning, announce: Announce, *, resumed: bool) -> None:
        """Take over from a plan what can be tuned, and tell of every switch from here on."""
        self._tuning = tuning
        self._announce = announce
        for reason in self._pausing.values():
            self._tell(RunPaused(reason))
        if resumed and self._kept is not None:
            self.tune(self._kept)

    @property
    def draining(self) -> bool:
        """Whether nothing new may be taken up any more."""
        return self._draining.is_set()

    @property
    def paused(self) -> bool:
        """Whether nothing new is taken up for now."""
        return not self._unpaused.is_set()

    @property
    def tuning(self) -> Tuning | None:
        """What is in force; None before the run starts."""
        return self._tuning

    def tune(self, tuning: Tuning) -> None:
        """Set the run anew; raises SettingsError for values that are not allowed, or before the run starts."""
        check_tuning(tuning)
        if self._tuning is None:
            raise SettingsError("The run has not started yet, so nothing can be set anew. Try again in a moment.")
        if tuning != self._tuning:
            self._tuning = tuning
            self._tuned.set()
            self._tell(RunTuned(tuning.focus, tuning.concurrency, tuning.max_retries))

    def pause(self, who: str = OPERATOR, reason: str = "as the operator said") -> None:
        """Take up nothing new; what has begun goes on to its end."""
        if who in self._pausing or self.draining:
            return
        self._pausing[who] = reason
        self._unpaused.clear()
        self._tell(RunPaused(reason))

    def resume(self, who: str = OPERATOR) -> None:
        """Take up work again, unless somebody else has paused the run too."""
        if self._pausing.pop(who, None) is None or self._pausing:
            return
        self._unpaused.set()
        self._tell(RunResumed())

    def reopen(self) -> None:
        """Give every category whose gate is closed another chance, from the next round on that is written."""
        self._reopening = True

    def take_reopening(self) -> bool:
        """Tell whether the gates are to be opened, once for each time that they were."""
        taken, self._reopening = self._reopening, False
        return taken

    def drain(self) -> None:
        """Finish what has begun, then end the run."""
        self._draining.set()
        self._unpaused.set()
        self._wake()

    def hurry(self) -> None:
        """Let the next try of every server that is away come now."""
        self._wake()

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

    async def tuned(self) -> Tuning:
        """Return the tuning the next time that it changes, or has changed since the last call."""
        while True:
            await self._tuned.wait()
            self._tuned.clear()
            if self._tuning is not None:
                return self._tuning

    async def wait(self, seconds: float) -> None:
        """Wait for a while; raises Drained at once when the run drains meanwhile."""
        try:
            async with asyncio.timeout(seconds):
                await self._draining.wait()
        except TimeoutError:
            return
        raise Drained

    async def wait_for_try(self, seconds: float) -> bool:
        """As `wait`, but ended by `hurry`, too; returns whether it was."""
        woken = self._woken
        if self.draining:
            raise Drained
        try:
            async with asyncio.timeout(seconds):
                await woken.wait()
        except TimeoutError:
            return False
        if self.draining:
            raise Drained
        return True

    def _wake(self) -> None:
        """End every `wait_for_try` that has begun; those that begin later wait anew."""
        woken, self._woken = self._woken, asyncio.Event()
        woken.set()

    def _tell(self, event: Event) -> None:
        if self._announce is not None:
            self._announce(event)
