"""Pause, tune, stop and start the run while reviewing."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

from selfplay_core.engine.steering import Steer
from tui.screens.tune import TuneScreen
from tui.workbench import Workbench

if TYPE_CHECKING:
    from tui.screens.review import ReviewScreen

__all__ = ["Running"]


class Running:
    """The keys that say something to the run."""

    def __init__(self, screen: ReviewScreen, bench: Workbench) -> None:
        self._screen = screen
        self._bench = bench

    def do_pause(self) -> None:
        # The run itself says whether it pauses, in whichever process it is.
        if self._bench.state.live.paused or self._bench.runner.paused:
            self._screen.work(partial(self._steer, Steer("resume"), "Going on."))
        else:
            self._screen.work(partial(self._steer, Steer("pause"), "Paused; what has begun goes on to its end."))

    def do_stop(self) -> None:
        if self._bench.runner.is_running:
            self._bench.state.live.status = "draining"
        self._screen.work(partial(self._steer, Steer("drain"), "The run finishes what has begun, then stops."))

    def do_start(self) -> None:
        # Where a server is away there is a run that waits for it, here or in another process.
        self._screen.work(self._hurry if self._bench.state.live.absences else self._start)

    def do_tune(self) -> None:
        self._screen.app.push_screen(TuneScreen(self._bench))

    async def _hurry(self) -> None:
        error = await self._bench.runner.hurry()
        if not error:
            self._bench.state.live.try_now(self._bench.clock())
        self._screen.tell(error or "Trying again at once.", "bad" if error else "info")
        self._screen.painter.header()
        self._screen.painter.stream()

    async def _start(self) -> None:
        runner = self._bench.runner
        if runner.is_running or await self._bench.curator.is_generating():
            self._screen.tell("A run is going on already in this workspace.")
            return
        runner.start()
        self._bench.state.live.status = "starting"
        self._screen.painter.header()

    async def _steer(self, wish: Steer, told: str) -> None:
        error = await self._bench.runner.steer(wish)
        self._screen.tell(error or told, "bad" if error else "info")
        self._screen.painter.header()
