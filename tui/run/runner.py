"""The run behind the review screen: in this process, or in another one that is followed and steered."""

from __future__ import annotations

import asyncio
import logging
import time
from collections import deque
from types import TracebackType
from typing import Final, Self

from selfplay_core.engine.control import Control, Tuning
from selfplay_core.engine.session import Job, generate
from selfplay_core.engine.steering import Steer, Steered, state_of_run, steer
from selfplay_core.errors import Fault, LoginRefused, ModelFault, SelfplayError, SettingsError
from selfplay_core.events import Away, Event, RunEnded, RunStarted
from selfplay_core.store.thread import AsyncStore

__all__ = ["Runner"]

_FIRST_DELAY: Final = 5.0
_LONGEST_DELAY: Final = 60.0
_STEER_PATIENCE: Final = 10.0

_log = logging.getLogger(__name__)


class Runner:
    """Starts runs of one job and gives their events to whoever drains them.

    `inbox` holds the events that nobody has taken yet. A server that cannot be reached at the start is tried again,
    later each time; settings that are wrong are not.
    """

    def __init__(self, job: Job, store: AsyncStore) -> None:
        self.job = job
        self.inbox: deque[Event] = deque(maxlen=50_000)
        self._store = store
        self._task: asyncio.Task[None] | None = None
        self._control = Control()
        self._tuned: Tuning | None = None
        self._started = False
        self._impatient = asyncio.Event()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.aclose()

    @property
    def is_running(self) -> bool:
        """Whether a run of this process is going on, or tries to begin."""
        return self._task is not None and not self._task.done()

    @property
    def has_begun(self) -> bool:
        """Whether the servers of the run in this process were reached."""
        return self.is_running and self._started

    @property
    def paused(self) -> bool:
        """Whether the run in this process takes up nothing new."""
        return self._control.paused

    @property
    def tuning(self) -> Tuning | None:
        """What the run in this process may be told to do otherwise, None where there is none."""
        return self._control.tuning if self.is_running else None

    def start(self) -> None:
        """Begin a run, or go on with the one that was interrupted; does nothing while there is one."""
        if not self.is_running:
            # A run that goes on stays as it was tuned here; the settings are for the next one.
            self._tuned = self._control.tuning or self._tuned
            self._control = Control(self._tuned)
            self._started = False
            self._task = asyncio.create_task(self._persist(self._control), name="selfplay-run")

    async def steer(self, wish: Steer) -> str:
        """Tell the run something; returns why it could not be told, blank if it was."""
        if not self.is_running:
            return await steer(self._store, wish, _STEER_PATIENCE)
        try:
            wish.apply(self._control)
        except SettingsError as error:
            return str(error)
        return ""

    async def standing(self) -> Steered:
        """Return how the run stands that `steer` would tell; its tuning is None while it has not started."""
        if not self.is_running:
            return await state_of_run(self._store, _STEER_PATIENCE)
        return Steered(self._control.paused, self._control.draining, self._control.tuning)

    def drain(self) -> None:
        """Let the run of this process finish what has begun."""
        self._control.drain()

    async def hurry(self) -> str:
        """Let the next try of a server that is away come now; returns why that could not be told, blank if it was."""
        if self.is_running and not self._started:
            self._impatient.set()
            return ""
        return await self.steer(Steer("hurry"))

    async def ended(self) -> None:
        """Wait until the run of this process is over."""
        if self._task is not None:
            await asyncio.wait([self._task])

    async def aclose(self) -> None:
        """End the run of this process at once; what was not committed is asked again by the next run."""
        if self._task is not None:
            self._task.cancel()
            await asyncio.wait([self._task])

    async def _persist(self, control: Control) -> None:
        delay = _FIRST_DELAY
        away_since: float | None = None
        while not control.draining:
            try:
                await generate(self.job, control, self._announce)
            except LoginRefused as error:
                self._announce(RunEnded("failed", f"{error} The password is read at the start: quit, and start again."))
            except Fault as fault:
                if self._started:
                    self._announce(RunEnded("failed", str(fault)))
                    return
                away_since = away_since or time.monotonic()
                self._announce(Away(_who(fault), str(fault), delay, time.monotonic() - away_since))
                await self._wait(control, delay)
                delay = min(2 * delay, _LONGEST_DELAY)
                continue
            except SelfplayError as error:
                self._announce(RunEnded("failed", str(error)))
            except Exception:
                # A defect of ours: the screen and what was decided outlive it, the log says where it lies.
                _log.exception("The run ended by a defect")
                self._announce(
                    RunEnded("failed", "A defect ended the run; the log of the workspace says where it lies.")
                )
            return
        self._announce(RunEnded("interrupted", "The run was asked to stop."))

    def _announce(self, event: Event) -> None:
        if isinstance(event, RunStarted):
            self._started = True
        self.inbox.append(event)

    async def _wait(self, control: Control, seconds: float) -> None:
        """Wait for the next try, less long if somebody is impatient or the run is to end."""
        self._impatient.clear()
        waits = [asyncio.ensure_future(wait()) for wait in (self._impatient.wait, control.drained)]
        try:
            await asyncio.wait(waits, timeout=seconds, return_when=asyncio.FIRST_COMPLETED)
        finally:
            for wait in waits:
                wait.cancel()


def _who(fault: Fault) -> str:
    return "The model" if isinstance(fault, ModelFault) else "The server"
