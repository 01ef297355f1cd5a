"""The review screen in this process with a driver that renders every byte, and keeps none of them for long."""

from __future__ import annotations

import asyncio
import os
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from textual import events
from textual.app import App
from textual.driver import Driver
from textual.geometry import Size

from benchmarks.figures import Times
from selfplay_core.categories import load_texts
from selfplay_core.engine.desk import Desk
from selfplay_core.engine.servers import Credentials
from selfplay_core.engine.session import Job
from selfplay_core.settings_sources import load_settings
from tui.app import ReviewApp
from tui.keys.actions import Keymap
from tui.run.runner import Runner
from tui.workbench import Workbench
from tui.workspace.curator import Curator

__all__ = ["CountingDriver", "Opened", "lag", "opened", "settled"]

SIZE: Final = (160, 50)


class CountingDriver(Driver):
    """Renders as a terminal's driver does, counts the bytes, and hands them to the null device.

    Textual's headless driver draws no ANSI at all, which is the dearer half of a repaint.
    """

    def __init__(
        self, app: App[Any], *, debug: bool = False, mouse: bool = True, size: tuple[int, int] | None = None
    ) -> None:
        super().__init__(app, debug=debug, mouse=mouse, size=size or SIZE)
        self.bytes = 0
        self.paints = 0
        self._sink = open(os.devnull, "wb", buffering=0)  # noqa: SIM115  # closed by `close`
        self._awaited = ""
        self._seen = asyncio.Event()
        self._seen_at = 0.0
        self._recent = ""

    def write(self, data: str) -> None:
        encoded = data.encode()
        self._sink.write(encoded)
        self.bytes += len(encoded)
        if self._awaited:
            self._recent += data

    def flush(self) -> None:
        self.paints += 1
        if self._awaited and self._awaited in self._recent:
            self._seen_at = time.perf_counter()
            self._awaited = ""
            self._seen.set()

    async def until_painted(self, text: str, patience: float = 30.0) -> float:
        """Return when a paint that holds `text` was flushed; begin to wait before what leads to it."""
        self._awaited, self._recent = text, ""
        self._seen.clear()
        async with asyncio.timeout(patience):
            await self._seen.wait()
        return self._seen_at

    def press(self, key: str) -> None:
        """Press a key as the thread that reads a terminal does."""
        self.process_message(events.Key(key, key if len(key) == 1 else None))

    def start_application_mode(self) -> None:
        size = Size(*(self._size or SIZE))
        self.send_message(events.Resize(size, size))

    def disable_input(self) -> None:
        pass

    def stop_application_mode(self) -> None:
        pass

    def close(self) -> None:
        self._sink.close()


@dataclass(frozen=True, slots=True)
class Opened:
    """The app while it is on screen."""

    app: ReviewApp
    bench: Workbench
    driver: CountingDriver
    opened_after: float
    """Seconds from before the workspace was opened until its first example was painted."""

    async def key(self, key: str, then: str) -> float:
        """Press a key, and return the seconds until a paint holds `then`."""
        painted = asyncio.ensure_future(self.driver.until_painted(then))
        await asyncio.sleep(0)
        began = time.perf_counter()
        self.driver.press(key)
        return await painted - began


@asynccontextmanager
async def opened(workspace: Path) -> AsyncIterator[Opened]:
    """Show a workspace without generating in it, from its opening to the first example on screen."""
    began = time.perf_counter()
    job = _job(workspace)
    async with Curator.open(job, "benchmark") as curator:
        runner, desk = Runner(job, curator.store), Desk(job, curator.store)
        bench = Workbench(job, {}, curator, desk, runner, Keymap.of({}))
        app = ReviewApp(bench, generates=False)
        made: asyncio.Future[CountingDriver] = asyncio.get_running_loop().create_future()
        app.driver_class = _telling(made)
        running = asyncio.ensure_future(app.run_async(size=SIZE, mouse=False))
        try:
            driver = await made
            first = asyncio.ensure_future(driver.until_painted(" pending"))
            await asyncio.wait([first, running], return_when=asyncio.FIRST_COMPLETED)
            if running.done():
                raise RuntimeError("The app ended before its first example was painted; what it said stands above.")
            yield Opened(app, bench, driver, await first - began)
        finally:
            app.exit()
            await running
            await runner.aclose()
            await desk.aclose()


async def settled(opened: Opened) -> None:
    """Wait until nothing has been painted for half a second but the clock."""
    painted = -1
    while opened.driver.paints - painted > 1:
        painted = opened.driver.paints
        await asyncio.sleep(0.5)


async def lag(into: Times, every: float = 0.005) -> None:
    """Measure how late the event loop comes, until cancelled."""
    while True:
        due = time.perf_counter() + every
        await asyncio.sleep(every)
        into.seconds.append(max(time.perf_counter() - due, 0.0))


def _telling(made: asyncio.Future[CountingDriver]) -> type[CountingDriver]:
    """Return the driver's class for one app; what it makes is told by `made`."""

    class Driver(CountingDriver):
        def __init__(self, *args: Any, **options: Any) -> None:
            super().__init__(*args, **options)
            made.set_result(self)

    return Driver


def _job(workspace: Path) -> Job:
    return Job(
        settings=load_settings(file=None, environment={}, flags={}, flag_names={}).settings,
        texts=load_texts(),
        credentials=Credentials(),
        workspace=workspace,
        output=workspace / "self_play.jsonl",
        interactive=True,
    )
