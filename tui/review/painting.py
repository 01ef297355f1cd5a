"""The state painted into the panes; each part alone, so that a key repaints what it changed and nothing else."""

from __future__ import annotations

from collections import deque
from typing import TYPE_CHECKING, Final

from selfplay_core.store.listing import Example
from tui.drawing.conversation import conversation_lines, conversation_title
from tui.drawing.empty import empty_lines
from tui.drawing.example import example_lines
from tui.drawing.header import faults_lines, header_line
from tui.drawing.lines import BLANK, Line, Span, span, wrapped
from tui.drawing.queue import place_title, queue_row, queue_title
from tui.drawing.stream import stream_row, stream_title
from tui.state.review import PaneName
from tui.widgets.keybar import KeyBar
from tui.widgets.pane import Lines, Pane, Rows
from tui.workbench import Workbench

if TYPE_CHECKING:
    from tui.screens.review import ReviewScreen

__all__ = ["Painter"]

_LEFT_OF = {PaneName.EXAMPLE: PaneName.QUEUE, PaneName.CONVERSATION: PaneName.EXAMPLE}

_RATE_SECONDS: Final = 5.0
_NO_TITLE: Final[Line] = (Span(""),)
_NEAR: Final = 5
_NOTICE_LINES: Final = 5


class Painter:
    """Paints one review screen."""

    def __init__(self, screen: ReviewScreen, bench: Workbench) -> None:
        self._screen = screen
        self._bench = bench
        self._painted: int | None = None
        self._gone = 0
        self._undoes: Example | None = None
        self._faults: list[Line] = []
        self._streamed: deque[tuple[float, int]] = deque()

    def all(self) -> None:
        """Paint everything."""
        self.header()
        self.queue(anew=True)
        self.example()
        self.stream()
        self.titles()
        self.keys()
        self.notice()

    def header(self) -> None:
        """Paint the line at the top."""
        bench, state = self._bench, self._bench.state
        self._lines("header").show(
            lambda width: [
                header_line(
                    state,
                    bench.clock(),
                    bench.now(),
                    width,
                    workspace=bench.curator.workspace.name,
                    glyphs=bench.glyphs,
                )
            ]
        )

    def queue(self, *, anew: bool = False) -> None:
        """Paint the list; `anew` where rows came or went, else only what the cursor left and reached."""
        rows, queue = self._rows("queue"), self._bench.state.queue
        if anew or rows.count() != len(queue):
            rows.set_rows(len(queue), self._queue_row)
        rows.set_cursor(queue.cursor if len(queue) else None)
        self._fetch_rows()

    def queue_place(self, place: int | None) -> None:
        """Paint one row of the list."""
        self._rows("queue").refresh_row(place)

    def example(self) -> None:
        """Paint the example and its conversation: another one from the top, the same one where it stands."""
        bench, state, shown = self._bench, self._bench.state, self._bench.state.example
        number = shown.number if shown is not None else None
        self._show_what_undo_does()
        same, self._painted = number == self._painted, number
        if shown is None:
            self._lines("example").show(lambda width: empty_lines(state, bench.keymap, width, bench.glyphs))
            self._lines("conversation").show(self._empty_over_the_example)
        else:
            self._lines("example").show(lambda width: example_lines(shown, width, bench.glyphs), keep_place=same)
            self._lines("conversation").show(
                lambda width: conversation_lines(shown, width, bench.glyphs, diff=state.diff), keep_place=same
            )
            self._screen.call_after_refresh(self._seen)
        self.titles()

    def _empty_over_the_example(self, width: int) -> list[Line]:
        """Say why nothing is shown where the example, which says it otherwise, is covered."""
        if self._lines("example").display:
            return []
        return empty_lines(self._bench.state, self._bench.keymap, width, self._bench.glyphs)

    def stream(self) -> None:
        """Paint the stream and who is away, at the end while it is followed."""
        rows, live, clock = self._rows("stream"), self._bench.state.live, self._bench.clock()
        if not rows.display:
            return
        # At most half of the rows: the stream goes on behind a fault.
        faults = faults_lines(live, clock, rows.body_width, rows.body_height // 2, self._bench.glyphs)
        self._faults = [*faults, *self._output_trouble()]
        rows.set_rows(len(live.stream) + len(self._faults), self._stream_row)
        gone, self._gone = self._gone, live.streamed - len(live.stream)
        if self._bench.state.tail:
            rows.scroll_top(rows.count())
        else:
            rows.scroll_by(gone - self._gone)
        self._title(PaneName.STREAM, stream_title(live, self._rate(live.streamed, clock), self._bench.state.tail))

    def titles(self) -> None:
        """Paint the rules above the panes."""
        state = self._bench.state
        shown = state.example
        self._title(PaneName.QUEUE, queue_title(state.queue, state.filter_text, listed=state.listed))
        self._title(PaneName.EXAMPLE, self._example_title())
        self._title(PaneName.CONVERSATION, conversation_title(shown) if shown is not None else _NO_TITLE)

    def keys(self) -> None:
        """Paint the key bar, with what undo would take back."""
        bar = self._screen.query_one("#keys", KeyBar)
        bar.show_keys(self._bench.keymap, "review", max(bar.size.height, 1), self._last())

    def notice(self) -> None:
        """Paint the line above the keys, or take it away."""
        found = self._bench.state.told(self._bench.clock())
        widget = self._lines("notice")
        widget.display = found is not None
        if found is not None:
            # Above the keys, and above the filter while it is typed.
            below = self._screen.query_one("#keys").size.height + self._screen.looking.filtering
            width = self._screen.size.width
            lines = wrapped([span(found.text, found.role)], width - 1, first=(Span(" "),))[:_NOTICE_LINES]
            widget.styles.height = len(lines)
            widget.styles.offset = (0, -below)
            widget.show(lambda width: lines)

    def _show_what_undo_does(self) -> None:
        """Paint the key bar where undo is about another decision than before."""
        before, self._undoes = self._undoes, self._bench.state.automatic
        if before is not self._undoes:
            self.keys()

    def _output_trouble(self) -> list[Line]:
        trouble = self._bench.curator.projector.trouble
        return [(Span(f" {self._bench.glyphs.reject} output  ", "bad"), span(trouble, "bad"))] if trouble else []

    def _example_title(self) -> Line:
        state = self._bench.state
        place = BLANK if self._rows("queue").display else place_title(state.queue, state.filter_text)
        if state.example is None:
            return place or _NO_TITLE
        decision = state.example.standing.decision
        word = "pending" if decision is None else decision.kind.value
        return (Span(f" {state.example.number} {word} ", "strong"), *place)

    def _last(self) -> Line:
        state, glyphs = self._bench.state, self._bench.glyphs
        last = state.last
        if state.automatic is not None and (decision := state.automatic.standing.decision) is not None:
            how = "imported" if state.automatic.standing.imported else "automatic"
            words = f"{how} {glyphs.decision(decision.kind)} {state.automatic.number}"
            return (Span(words, "dim", "undo"),)
        if last is None:
            return BLANK
        more = f" +{last.count - 1}" if last.count > 1 else ""
        return (Span(f"last {glyphs.decision(last.kind)} {last.number}{more}", "dim", "undo"),)

    def _title(self, pane: PaneName, title: Line) -> None:
        widget = self._screen.query_one(f"#{pane}", Pane)
        neighbour = _LEFT_OF.get(pane)
        parted = neighbour is not None and self._screen.query_one(f"#{neighbour}", Pane).display
        widget.edge = self._bench.glyphs.down if parted else ""
        widget.is_active = self._bench.state.pane is pane
        widget.set_title(title)

    def _queue_row(self, index: int, width: int) -> Line:
        bench, queue = self._bench, self._bench.state.queue
        if index >= len(queue):
            return BLANK
        number = queue.numbers[index]
        return queue_row(
            bench.curator.line(number),
            number,
            queue.marks[index],
            width,
            bench.glyphs,
            chosen=number in queue.chosen,
            cursor=index == queue.cursor,
        )

    def _stream_row(self, index: int, width: int) -> Line:
        live, stream = self._bench.state.live, self._bench.state.live.stream
        if index < len(stream):
            row = stream[index]
            return stream_row(row, width, self._bench.glyphs, live.numbers.get(row.trace_id))
        fault = index - len(stream)
        return self._faults[fault] if fault < len(self._faults) else BLANK

    def _rate(self, streamed: int, clock: float) -> float:
        """Return how many rows came a second, over the last few seconds."""
        self._streamed.append((clock, streamed))
        while self._streamed[0][0] < clock - _RATE_SECONDS:
            self._streamed.popleft()
        since, count = self._streamed[0]
        return (streamed - count) / max(clock - since, 1.0)

    def _fetch_rows(self) -> None:
        rows, queue, curator = self._rows("queue"), self._bench.state.queue, self._bench.curator
        height = max(rows.body_height, 1)
        if not self._missing(rows.top - _NEAR, rows.top + height + _NEAR):
            return
        wanted = list(queue.numbers[max(rows.top - height, 0) : rows.top + 2 * height])
        is_seen = self._missing(rows.top, rows.top + height)

        async def fetch() -> None:
            if await curator.fetch_lines(wanted) and is_seen:
                rows.refresh()

        self._screen.work(fetch, only="rows")

    def _missing(self, first: int, behind: int) -> bool:
        """Whether some row from `first` to before `behind` is not here yet."""
        numbers = self._bench.state.queue.numbers
        return any(self._bench.curator.line(number) is None for number in numbers[max(first, 0) : max(behind, 0)])

    def _seen(self) -> None:
        state = self._bench.state
        if state.example is not None:
            state.sight.shown(state.example, self._bench.clock())

    def _lines(self, name: str) -> Lines:
        return self._screen.query_one(f"#{name}", Lines)

    def _rows(self, name: str) -> Rows:
        return self._screen.query_one(f"#{name}", Rows)
