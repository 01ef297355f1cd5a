"""Everything that was ever decided: found by a filter, looked at, and opened again."""

from __future__ import annotations

import asyncio
from functools import partial
from typing import Final

from textual import events
from textual.app import ComposeResult
from textual.containers import Horizontal, Vertical
from textual.widgets import Input

from selfplay_core.models import DecisionKind
from selfplay_core.store.listing import Example
from tui.drawing.dataset import counted, dataset_head, dataset_row, placeholder_row, time_of
from tui.drawing.example import example_lines
from tui.drawing.lines import Line, Span, paragraphs, span
from tui.drawing.words import moved_words, unmoved_words
from tui.keys.bindings import bindings_of
from tui.messages import CopyWanted
from tui.screens.background import BackgroundScreen, Job, is_left
from tui.screens.base import WorkScreen
from tui.state.filter_text import BadFilter, parse_filter
from tui.widgets.area import SafeInput
from tui.widgets.pane import Lines, Pane, Rows
from tui.workbench import Workbench
from tui.workspace.dataset_list import DECIDED, DatasetList

__all__ = ["DatasetScreen"]

_EVERY: Final = 2.0
_PATIENCE: Final = 30.0
_BESIDE: Final = 100
_AHEAD: Final = 20


class DatasetScreen(BackgroundScreen[int | None], WorkScreen[int | None]):
    """Lists what was decided, the newest first; ends with the number of an example to be opened, if any."""

    SCREEN = "dataset"
    AUTO_FOCUS = ""
    BINDINGS = bindings_of("dataset")

    def __init__(self, bench: Workbench) -> None:
        super().__init__(bench)
        self._shelf = DatasetList(bench.curator)
        self._list = self._shelf.newest
        self._fetching = False
        self._looking = False

    def compose_body(self) -> ComposeResult:
        with Horizontal(id="dataset-line"):
            yield Lines(id="dataset-sign")
            yield SafeInput(id="dataset-filter", placeholder="status:accepted category: retries>0 words", compact=True)
        with Horizontal(id="dataset-panes"):
            with Vertical(id="dataset-list"):
                yield Lines(id="dataset-head")
                yield Rows(id="dataset-rows")
            yield Lines(id="body")
        yield Lines(id="dataset-told")

    def on_mount(self) -> None:
        self.query_one("#dataset-sign", Lines).show(lambda width: [(Span(" / ", "key", "filter"),)])
        self.query_one("#dataset-head", Lines).show(self._head)
        self._relist()
        self.set_interval(_EVERY, self._look)

    def on_resize(self, event: events.Resize) -> None:
        self.body().display = event.size.width >= _BESIDE
        self._show_detail()

    @property
    def _rows(self) -> Rows:
        return self.query_one("#dataset-rows", Rows)

    @property
    def _filter(self) -> SafeInput:
        return self.query_one("#dataset-filter", SafeInput)

    @property
    def _digits(self) -> int:
        newest = self._list.number_at(0) if len(self._list) else 0
        return max(len(f"{newest:,}"), 5)

    # The list

    def _relist(self) -> None:
        self._read(self._list_anew, only="list")

    async def _list_anew(self) -> None:
        await self._shelf.load()
        self._show_list()

    def _look(self) -> None:
        if not self._looking:
            self._looking = True
            self._read(self._follow, only="changes")

    async def _follow(self) -> None:
        try:
            if await self._shelf.follow():
                self._show_list()
        finally:
            self._looking = False

    def _show_list(self) -> None:
        rows, index = self._rows, self._list.cursor
        rows.set_rows(len(self._list), self._draw)
        rows.set_cursor(index if len(self._list) else None)
        told = counted(len(self._list), self._shelf.whole)
        output = self.bench.curator.projector.output.name
        title: Line = (Span(" Dataset ", "title"), Span(f"{told} ", "strong"), span(f" {output} ", "dim"))
        head = self.query_one("#dataset-head", Lines)
        head.set_title(title)
        head.show(self._head)
        self._show_detail()

    def _head(self, width: int) -> list[Line]:
        return [dataset_head(width, self.bench.glyphs, self._digits)]

    def _draw(self, index: int, width: int) -> Line:
        number = self._list.number_at(index)
        line = self._shelf.line(number)
        if line is not None:
            now = self.bench.now()
            return dataset_row(line, width, self.bench.glyphs, self._digits, lambda at: time_of(at, now))
        gone = self._shelf.is_gone(number)
        if not gone and not self._fetching:
            self._fetching = True
            self.call_later(partial(self._read, self._fetch, only="rows"))
        return placeholder_row(number, gone, self.bench.glyphs, self._digits)

    async def _fetch(self) -> None:
        """Bring the rows in sight here, and those that come into sight meanwhile."""
        try:
            rows, window = self._rows, [-1]
            while window != (window := self._list.window(rows.top - _AHEAD, rows.top + rows.body_height + _AHEAD)):
                await self._shelf.fetch(window)
        finally:
            self._fetching = False
        rows.refresh()

    def _show_detail(self) -> None:
        if self.body().display:
            self._read(self._load_detail, only="detail")

    async def _load_detail(self) -> None:
        number, glyphs = self._list.current, self.bench.glyphs
        shown = None if number is None else await self.bench.curator.example(number)
        if shown is None:
            self.body().set_title((Span(" nothing here ", "dim"),))
            self.body().show(lambda width: paragraphs(" No example under this filter.", width, "dim"))
            return
        self.body().set_title(_detail_title(shown, glyphs.decision(_kind(shown)), self.keymap.shown("reopen")))
        self.body().show(lambda width: example_lines(shown, width, glyphs))

    # Keys

    def action_next(self) -> None:
        self._go(self._list.cursor + 1)

    def action_previous(self) -> None:
        self._go(self._list.cursor - 1)

    def action_first(self) -> None:
        self._go(0)

    def action_last(self) -> None:
        self._go(len(self._list) - 1)

    def action_page_down(self) -> None:
        self._go(self._list.cursor + max(self._rows.body_height // 2, 1))

    def action_page_up(self) -> None:
        self._go(self._list.cursor - max(self._rows.body_height // 2, 1))

    def action_filter(self) -> None:
        self.set_focus(self._filter)

    def action_reopen(self) -> None:
        if self._list.current is not None:
            self.dismiss(self._list.current)

    def action_copy(self) -> None:
        if self._list.current is not None:
            self.post_message(CopyWanted(self._list.current))

    def action_flag(self) -> None:
        if self._list.current is not None:
            self._read(partial(self._flag, self._list.current))

    def action_undo(self) -> None:
        self._read(partial(self._move, back=True))

    def action_redo(self) -> None:
        self._read(partial(self._move, back=False))

    def action_back(self) -> None:
        if self._filter.has_focus:
            self._filter.value = ""
            self.set_focus(None)
        else:
            self.dismiss(None)

    def on_input_changed(self, message: Input.Changed) -> None:
        message.stop()
        try:
            wanted = parse_filter(message.value, DECIDED)
        except BadFilter as error:
            self.tell(str(error), "bad")
            return
        self.tell("")
        if wanted != self._shelf.wanted:
            self._shelf.wanted = wanted
            self._relist()

    def on_input_submitted(self, message: Input.Submitted) -> None:
        message.stop()
        self.set_focus(None)

    async def clicked(self, message: Pane.Clicked) -> None:
        """Go to a row, open the one that is looked at, or do what the span says."""
        if message.action:
            await super().clicked(message)
        elif message.row is not None and message.row == self._list.cursor:
            self.action_reopen()
        elif message.row is not None:
            self._go(message.row)

    def _go(self, index: int) -> None:
        self._list.go(index)
        self._rows.set_cursor(self._list.cursor if len(self._list) else None)
        self._show_detail()

    async def _flag(self, number: int) -> None:
        shown = await self.bench.curator.example(number)
        if shown is not None:
            await self.bench.curator.flag(shown)
            self.tell(f"#{number} is {'no longer flagged' if shown.flagged else 'flagged'}.")
            self._rows.refresh()
            self._look()

    async def _move(self, *, back: bool) -> None:
        curator = self.bench.curator
        moved = await (curator.undo() if back else curator.redo())
        self.tell(f"{moved_words(moved)}." if moved is not None else unmoved_words(back=back))
        self._look()

    # What waits

    def _read(self, job: Job, *, only: str = "") -> None:
        self.work(partial(self._in_time, job), only=only)

    async def _in_time(self, job: Job) -> None:
        try:
            async with asyncio.timeout(_PATIENCE):
                await job()
        except TimeoutError:
            told = f"The workspace took longer than {_PATIENCE:.0f} s to answer. Try again, or narrow the filter."
            self.tell(told, "bad")

    def tell(self, text: str, role: str = "info") -> None:
        """Show one line below the list."""
        if is_left(self):
            return
        self.query_one("#dataset-told", Lines).show(lambda width: [(span(f" {text}", role),)])


def _kind(shown: Example) -> DecisionKind | None:
    return None if shown.standing.decision is None else shown.standing.decision.kind


def _detail_title(shown: Example, sign: str, key: str) -> Line:
    return (
        Span(f" {sign} {shown.number:,} ", "strong"),
        span(f" {key}", "key", "reopen"),
        Span(" reopen ", "dim", "reopen"),
    )
