"""The review screen on a workspace of its own, driven by keys."""

from __future__ import annotations

import threading
from collections.abc import AsyncIterator, Callable, Iterator, Sequence
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, cast

from textual.pilot import Pilot
from textual.screen import Screen
from textual.worker import WorkerCancelled

from selfplay_core.engine.desk import Desk
from selfplay_core.engine.session import Job
from selfplay_core.models import Decision, Trace
from selfplay_core.store.database import Database, Reader
from selfplay_core.store.listing import Example, example
from selfplay_core.store.rounds import PlannedPrompt, add_round
from selfplay_core.store.runs import RunRecord, RunStatus, end_run, start_run
from selfplay_core.store.traces import save_trace
from tests.samples import make_trace
from tui.app import ReviewApp
from tui.drawing.glyphs import choose_glyphs
from tui.job import settle_job
from tui.keys.actions import Keymap
from tui.options import parse
from tui.run.runner import Runner
from tui.state.review import State
from tui.widgets.pane import Pane
from tui.workbench import Workbench
from tui.workspace.curator import Curator

__all__ = ["Review", "SteadyClock", "a_few", "decision_on", "elsewhere", "fill", "read_example", "review", "review_job"]

NOW = 1_700_000_200.0
_PATIENCE = 400


class SteadyClock:
    """A monotonic clock that moves when it is told."""

    def __init__(self) -> None:
        self.seconds = 1_000.0

    def __call__(self) -> float:
        return self.seconds


@dataclass(slots=True)
class Review:
    """The app, the pilot at its keys, and the clock that decisions are measured by."""

    app: ReviewApp
    pilot: Pilot[int]
    clock: SteadyClock

    @property
    def bench(self) -> Workbench:
        return self.app.bench

    @property
    def state(self) -> State:
        return self.app.bench.state

    @property
    def number(self) -> int | None:
        """The number of the example on screen."""
        return self.state.example.number if self.state.example is not None else None

    @property
    def told(self) -> str:
        """The line above the keys, whether it still stands there or not."""
        return self.state.notice.text if self.state.notice is not None else ""

    @property
    def is_home(self) -> bool:
        """Whether the review screen is the one on top."""
        return self.app.screen is cast(Screen[Any], self.app.review)

    async def press(self, *keys: str) -> None:
        """Press keys one after the other, each once what the one before began has settled."""
        for key in keys:
            self.clock.seconds += 1.0
            await self.pilot.press(key)
            await self.settled()

    async def type(self, text: str) -> None:
        """Type into a field."""
        for character in text:
            await self.pilot.press("space" if character == " " else character)
        await self.settled()

    async def settled(self) -> None:
        """Wait until nothing that a key began is still under way."""
        while True:
            try:
                await self.app.workers.wait_for_complete()
            except WorkerCancelled:
                continue  # another one took its place
            await self.pilot.pause()
            return

    async def until(self, fulfilled: Callable[[], bool]) -> None:
        """Wait until something holds; fails with the screen's text if it does not come."""
        for _ in range(_PATIENCE):
            if fulfilled():
                return
            await self.pilot.pause(0.05)
        raise AssertionError(f"It did not come about. On screen:\n{self.text()}")

    async def resize(self, columns: int, rows: int) -> None:
        """Give the terminal another size."""
        await self.pilot.resize_terminal(columns, rows)
        await self.pilot.pause()
        await self.settled()

    def hear_no_news(self) -> None:
        """Let the screen learn no more what others do in the workspace."""
        self.app._polling = True

    @contextmanager
    def busy_store(self) -> Iterator[None]:
        """Keep the thread that writes busy until the block ends."""
        gate = threading.Event()
        self.bench.curator.store._executor.submit(gate.wait, 30)
        try:
            yield
        finally:
            gate.set()

    def text(self, pane: str = "") -> str:
        """Return what stands on screen, or in one pane of it; what is not displayed gives nothing."""
        panes = [self.app.screen.query_one(f"#{pane}", Pane)] if pane else list(self.app.screen.query(Pane))
        lines: list[str] = []
        for widget in panes:
            if all(node.display for node in widget.ancestors_with_self if hasattr(node, "display")):
                lines.extend(widget.render_line(y).text.rstrip() for y in range(widget.size.height))
        return "\n".join(lines)


def review_job(folder: Path, *words: str) -> Job:
    """A job on the sandbox in a workspace of the folder; `words` are further flags."""
    options = parse(["--workspace", str(folder / "workspace"), "--seed", "3", *words])
    return replace(settle_job(options, {}).job, interactive=True)


def a_few(count: int = 6) -> list[Trace]:
    """Traces solved at the first try, which differ in what is asked for."""
    return [make_trace(text=f"sudo give me {number} torches") for number in range(1, count + 1)]


def fill(job: Job, traces: Sequence[Trace], *, run: str = "t") -> None:
    """Put traces of an ended run into the job's workspace; their places in the run follow their order."""
    with elsewhere(job) as database:
        start_run(database, RunRecord(run, 7, "f", 1, RunStatus.RUNNING, 1000.0, "{}"))
        placed = [
            replace(trace, id=f"{run}{slot}", prompt=replace(trace.prompt, round=0, slot=slot))
            for slot, trace in enumerate(traces)
        ]
        planned = [PlannedPrompt(trace.id, trace.prompt) for trace in placed]
        add_round(database, run, 0, sorted({trace.prompt.category for trace in placed}), planned)
        for place, trace in enumerate(placed):
            save_trace(database, run, trace, 1_700_000_000.0 + place)
        end_run(database, run, RunStatus.DONE, 1_700_000_100.0)


@contextmanager
def elsewhere(job: Job) -> Iterator[Database]:
    """A connection of another process to the job's workspace."""
    database = Database.open(job.workspace)
    try:
        yield database
    finally:
        database.close()


def read_example(job: Job, number: int) -> Example:
    """An example as it stands in the database."""
    reader = Reader.open(job.workspace)
    try:
        found = example(reader, number)
    finally:
        reader.close()
    assert found is not None
    return found


def decision_on(job: Job, number: int) -> Decision | None:
    """What the database says was decided on an example."""
    return read_example(job, number).standing.decision


@asynccontextmanager
async def review(
    job: Job,
    *,
    size: tuple[int, int] = (120, 36),
    generates: bool = False,
    origins: dict[str, str] | None = None,
) -> AsyncIterator[Review]:
    """Open the review screen and wait for its first example, if there is one."""
    clock = SteadyClock()
    async with Curator.open(job, "tester") as curator:
        runner, desk = Runner(job, curator.store), Desk(job, curator.store)
        keymap, glyphs = Keymap.of(job.settings.review.keys), choose_glyphs(job.settings.review.ascii)
        bench = Workbench(job, origins or {}, curator, desk, runner, keymap, glyphs, clock=clock, now=lambda: NOW)
        app = ReviewApp(bench, generates=generates)
        try:
            async with app.run_test(size=size) as pilot:
                opened = Review(app, pilot, clock)
                await opened.settled()
                await pilot.pause()
                yield opened
        finally:
            await runner.aclose()
            await desk.aclose()
