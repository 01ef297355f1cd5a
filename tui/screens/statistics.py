"""What came of the traces so far, in figures that keep up with the workspace."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Final

from textual.app import ComposeResult

from selfplay_core.models import Outcome
from selfplay_core.store.coverage import command_roots
from selfplay_core.store.database import Reader
from selfplay_core.store.filters import Filter
from selfplay_core.store.listing import listing
from selfplay_core.store.statistics import (
    decision_pace,
    decisions_by_kind,
    frequent_errors,
    reject_reasons,
    retries_histogram,
    trace_pace,
)
from selfplay_core.store.traces import tally, traces
from selfplay_core.verify.roots import root_of
from tui.drawing.key_hints import SCROLLING, hints_of
from tui.drawing.lines import Line, Span, span
from tui.drawing.statistics import ERRORS_OF, TRIES_OF, Figures, Output, Tries, statistics_lines
from tui.keys.bindings import bindings_of
from tui.screens.background import BackgroundScreen, is_left
from tui.screens.base import WorkScreen
from tui.widgets.pane import Lines
from tui.workbench import Workbench

__all__ = ["StatisticsScreen"]

_EVERY: Final = 2.0
_PATIENCE: Final = 20.0
_MINUTES: Final = 60
_HOUR: Final = 3600.0
_TITLE: Final = Span(" Statistics ", "title")


class StatisticsScreen(BackgroundScreen[None], WorkScreen[None]):
    """Shows the figures, and reads them anew when the workspace or the minute is another one."""

    SCREEN = "statistics"
    BINDINGS = bindings_of("statistics")

    def __init__(self, bench: Workbench) -> None:
        super().__init__(bench)
        self._reading = False
        self._seen: tuple[object, ...] | None = None

    def compose_body(self) -> ComposeResult:
        yield Lines(id="body")

    def on_mount(self) -> None:
        self.body().set_title((_TITLE,))
        self.body().show(lambda width: [(Span(" reading the workspace", "dim"),)])
        self._look()
        self.set_interval(_EVERY, self._look)

    def show_keys(self, extra: Line = ()) -> None:
        """Draw the key bar with the keys that scroll."""
        super().show_keys(extra or hints_of(self.bench.keymap, SCROLLING))

    def _look(self) -> None:
        if not self._reading:
            self._reading = True
            self.work(self._read, only="figures")

    async def _read(self) -> None:
        try:
            async with asyncio.timeout(_PATIENCE):
                await self._refresh_figures()
        except TimeoutError:
            self.tell(f"The workspace took longer than {_PATIENCE:.0f} s to read; it is tried again.", "warn")
        finally:
            self._reading = False

    async def _refresh_figures(self) -> None:
        bench, now = self.bench, self.bench.now()
        reader, projector = bench.curator.reader, bench.curator.projector
        seen = (await reader.do(Reader.data_version), int(now // 60), projector.rows, projector.trouble)
        if seen == self._seen:
            return
        figures = await reader.do(_figures, now, projector.output, projector.rows, projector.trouble)
        self.body().show(
            lambda width: statistics_lines(figures, width, bench.glyphs), keep_place=self._seen is not None
        )
        self._seen = seen
        self.tell(f"{sum(count.count for count in figures.counts):,} traces", "dim")

    def tell(self, text: str, role: str = "info") -> None:
        """Show what was read, or why it could not be, in the rule above."""
        if is_left(self):
            return
        title: Line = (_TITLE, span(text, role), Span(" "))
        self.body().set_title(title)


def _figures(reader: Reader, now: float, output: Path, written: int, trouble: str) -> Figures:
    """Read everything; runs in the reading thread."""
    return Figures(
        counts=tuple(tally(reader)),
        last_hour=decisions_by_kind(reader, now - _HOUR),
        reasons=reject_reasons(reader),
        decisions=decision_pace(reader, now, _MINUTES),
        traces=trace_pace(reader, now, _MINUTES),
        tries=_tries(reader),
        errors=tuple((error.message, error.count) for error in frequent_errors(reader, newest=ERRORS_OF)),
        output=Output(str(output), _size(output), written, trouble),
        roots=tuple(command_roots(reader, root_of, newest=ERRORS_OF)),
    )


def _tries(reader: Reader) -> tuple[Tries, ...]:
    newest = traces(reader, newest_first=True, limit=1)
    if not newest:
        return ()
    after = max(newest[0].number - TRIES_OF, 0)
    good = (Outcome.SOLVED, Outcome.CORRECTED)
    return tuple(
        Tries(
            retries,
            count,
            len(listing(reader, Filter(outcomes=good, min_retries=retries, max_retries=retries), after=after).numbers),
        )
        for retries, count in retries_histogram(reader, TRIES_OF).items()
    )


def _size(file: Path) -> int | None:
    try:
        return file.stat().st_size
    except OSError:
        return None
