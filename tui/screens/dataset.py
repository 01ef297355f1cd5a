"""Everything that was ever decided: found by a filter, looked at, and opened again."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine
from functools import partial
from typing import Any, Final

from textual import events
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Horizontal, Vertical
from textual.widgets import Input
from textual.worker import WorkType

from selfplay_core.errors import SelfplayError
from selfplay_core.models import DecisionKind
from selfplay_core.store.history import Moved
from selfplay_core.store.listing import Example
from tui.bindings import bindings_of
from tui.dataset_list import DECIDED, DatasetList
from tui.drawing.dataset import counted, dataset_head, dataset_row, placeholder_row, time_of
from tui.drawing.example import example_lines
from tui.drawing.key_hints import hint
from tui.drawing.lines import Line, Span, paragraphs, span
from tui.filter_text import BadFilter, parse_filter
from tui.messages import CopyWanted
from tui.screens.base import WorkScreen
from tui.widgets.pane import Lines, Pane, Rows
from tui.workbench import Workbench

__all__ = ["DatasetScreen"]

_EVERY: Final = 2.0
_PATIENCE: Final = 30.0
_BESIDE: Final = 100
_AHEAD: Final = 20
_KEYS: Final[list[BindingType]] = [Binding("enter", "reopen", show=False)]


_Job = Callable[[], Coroutine[Any, Any, None]]


class DatasetScreen(WorkScreen[int | None]):
    """Lists what was decided, the newest first; ends with the number of an example to be opened, if any."""

    SCREEN = "dataset"
    AUTO_FOCUS = ""
    BINDINGS = [*bindings_of("dataset"), *_KEYS]  # noqa: RUF012  # as Textual declares it

    def __init__(self, bench: Workbench) -> None:
        super().__init__(bench)
        self._shelf = DatasetList(bench.curator)
        self._list = self._shelf.newest
        self._fetching = False
        self._looking = False

    def compose_body(self) -> ComposeResult:
        with Horizontal(id="dataset-line"):
            yield Lines(id="dataset-sign")
            yield Input(id="dataset-filter", placeholder="status:accepted category: retries>0 words", compact=True)
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

    def show_keys(self, extra: Line = ()) -> None:
        """Draw the key bar, with the one key that is no action of the table."""
        super().show_keys(extra or hint("enter", "reopen", "reopen"))

    def on_resize(self, event: events.Resize) -> None:
        self.body().display = event.size.width >= _BESIDE
        self._show_detail()

    @property
    def _rows(self) -> Rows:
        return self.query_one("#dataset-rows", Rows)

    @property
    def _filter(self) -> Input:
        return self.query_one("#dataset-filter", Input)

    @property
    def _digits(self) -> int:
        newest = self._list.number_at(0) if len(self._list) else 0
        return max(len(f"{newest:,}"), 5)

    # The list

    def _relist(self) -> None:
        self._work(self._list_anew, "list")

    async def _list_anew(self) -> None:
        await self._shelf.load()
        self._show_list()

    def _look(self) -> None:
        if not self._looking:
            self._looking = True
            self._work(self._follow, "changes")

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
            self.call_later(self._work, self._fetch, "rows")
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
            self._work(self._load_detail, "detail")

    async def _load_detail(self) -> None:
        number, glyphs = self._list.current, self.bench.glyphs
        shown = None if number is None else await self.bench.curator.example(number)
        if shown is None:
            self.body().set_title((Span(" nothing here ", "dim"),))
            self.body().show(lambda width: paragraphs(" No example under this filter.", width, "dim"))
            return
        self.body().set_title(_detail_title(shown, glyphs.decision(_kind(shown))))
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
        self._filter.focus()

    def action_reopen(self) -> None:
        if self._list.current is not None:
            self.dismiss(self._list.current)

    def action_edit(self) -> None:
        self.action_reopen()

    def action_copy(self) -> None:
        if self._list.current is not None:
            self.post_message(CopyWanted(self._list.current))

    def action_flag(self) -> None:
        if self._list.current is not None:
            self._work(partial(self._flag, self._list.current), "store", exclusive=False)

    def action_undo(self) -> None:
        self._work(partial(self._move, undo=True), "store", exclusive=False)

    def action_redo(self) -> None:
        self._work(partial(self._move, undo=False), "store", exclusive=False)

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
            self._tell(str(error), "bad")
            return
        self._tell("")
        if wanted != self._shelf.wanted:
            self._shelf.wanted = wanted
            self._relist()

    def on_input_submitted(self, message: Input.Submitted) -> None:
        message.stop()
        self.set_focus(None)

    async def on_pane_clicked(self, message: Pane.Clicked) -> None:
        """Go to a row, open the one that is looked at, or do what the span says."""
        message.stop()
        if message.action:
            await self.run_action(message.action)
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
            self._tell(f"#{number} is {'no longer flagged' if shown.flagged else 'flagged'}.")
            self._rows.refresh()
            self._look()

    async def _move(self, *, undo: bool) -> None:
        curator = self.bench.curator
        moved = await (curator.undo() if undo else curator.redo())
        self._tell(_said(moved, undo))
        self._look()

    # What waits

    def _work(self, job: _Job, group: str, *, exclusive: bool = True) -> None:
        # Not a coroutine, which would be left unawaited where the next key cancels it before it begins.
        guarded: WorkType[None] = partial(self._guarded, job)
        self.run_worker(guarded, group=group, exclusive=exclusive)

    async def _guarded(self, job: _Job) -> None:
        try:
            async with asyncio.timeout(_PATIENCE):
                await job()
        except SelfplayError as error:
            self._tell(str(error), "bad")
        except TimeoutError:
            self._tell(
                f"The workspace took longer than {_PATIENCE:.0f} s to answer. Try again, or narrow the filter.", "bad"
            )

    def _tell(self, text: str, role: str = "info") -> None:
        self.query_one("#dataset-told", Lines).show(lambda width: [(span(f" {text}", role),)])


def _kind(shown: Example) -> DecisionKind | None:
    return None if shown.standing.decision is None else shown.standing.decision.kind


def _detail_title(shown: Example, sign: str) -> Line:
    return (
        Span(f" {sign} {shown.number:,} ", "strong"),
        Span(" enter", "key", "reopen"),
        Span(" reopen ", "dim", "reopen"),
    )


def _said(moved: Moved | None, undo: bool) -> str:
    if moved is None:
        return f"There is nothing to {'undo' if undo else 'redo'}."
    numbers = ", ".join(f"#{number}" for _, number in moved.traces[:5])
    more = f" and {len(moved.traces) - 5} more" if len(moved.traces) > 5 else ""
    return f"{'Undone' if undo else 'Redone'}: {moved.decision.kind.value} of {numbers}{more}."
