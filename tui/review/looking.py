"""Going from example to example, and what of them is shown."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

from textual.widgets import Input

from selfplay_core.store.filters import Filter
from tui.state.filter_text import BadFilter, hint, parse_filter
from tui.state.layout import Layout, has_room_beside, layout_of
from tui.state.review import DEFAULT_FILTER, Notice, PaneName
from tui.widgets.pane import Lines, Pane, Rows
from tui.workbench import Workbench

if TYPE_CHECKING:
    from tui.screens.review import ReviewScreen

__all__ = ["Looking"]

_AHEAD = 8


class Looking:
    """The keys that move and show."""

    def __init__(self, screen: ReviewScreen, bench: Workbench) -> None:
        self._screen = screen
        self._bench = bench
        self.filtering = False
        self._fetching: int | None = None
        self._wanted_text = ""
        self._told_of_filter: Notice | None = None

    async def begin(self) -> None:
        """Bring the list here, and the first example."""
        self._wanted_text = self._bench.state.filter_text
        try:
            await self._list(self._wanted(self._wanted_text), self._wanted_text)
        finally:
            # A list that cannot be read now comes with the next news.
            self._bench.state.listed = True

    def look(self, *, anew: bool = False) -> None:
        """Show the example that the cursor is on; `anew` even if it is on screen already."""
        state, curator = self._bench.state, self._bench.curator
        if state.saving:
            return  # whoever saves looks again once it is done
        number = state.queue.current
        on_screen = state.example.number if state.example is not None else self._fetching
        if not anew and number is not None and on_screen == number:
            self._screen.painter.queue()
            return
        found = curator.cached(number) if number is not None else None
        state.example = found
        self._screen.painter.queue()
        if found is not None or number is None:
            self._screen.painter.example()
        self._fetching = number if found is None else None
        if number is not None:
            self._screen.work(partial(self._fetch, number, painted=found is not None), only="look")

    def go(self, place: int) -> None:
        """Show the example at a place of the list."""
        self._bench.state.queue.go(place)
        self.look()

    def do_next(self) -> None:
        self._move_or_scroll(1)

    def do_previous(self) -> None:
        self._move_or_scroll(-1)

    def do_next_pending(self) -> None:
        if self._bench.state.queue.advance():
            self.look()

    def do_previous_pending(self) -> None:
        if self._bench.state.queue.retreat():
            self.look()

    def do_first(self) -> None:
        self.go(0)

    def do_last(self) -> None:
        self.go(len(self._bench.state.queue) - 1)

    def do_scroll_down(self) -> None:
        self._scroll(1)

    def do_scroll_up(self) -> None:
        self._scroll(-1)

    def do_page_down(self) -> None:
        self._scroll(max(self._pane().body_height // 2, 1))

    def do_page_up(self) -> None:
        self._scroll(-max(self._pane().body_height // 2, 1))

    def do_next_pane(self) -> None:
        self._go_to_pane(1)

    def do_previous_pane(self) -> None:
        self._go_to_pane(-1)

    def do_zoom(self) -> None:
        self._bench.state.zoomed = not self._bench.state.zoomed
        self._screen.lay_out()

    def do_diff(self) -> None:
        self._bench.state.diff = not self._bench.state.diff
        self._screen.painter.example()

    def do_tail(self) -> None:
        self._bench.state.tail = not self._bench.state.tail
        self._screen.painter.stream()

    def do_hide_left(self) -> None:
        self._toggle(PaneName.QUEUE)

    def do_hide_right(self) -> None:
        self._toggle(PaneName.CONVERSATION)

    def do_conversation(self) -> None:
        self._toggle(PaneName.CONVERSATION)

    def do_filter(self) -> None:
        self.filtering = True
        line = self._screen.query_one("#filter", Input)
        line.value = self._bench.state.filter_text
        line.display = True
        self._screen.set_focus(line)

    def do_back(self) -> None:
        state = self._bench.state
        if self.filtering:
            self._close_filter()
            self.filter_typed("")
        elif state.over is not None or state.zoomed:
            state.pane = state.pane if state.over is None else PaneName.EXAMPLE
            state.over, state.zoomed = None, False
            self._screen.lay_out()
        elif state.queue.forget_chosen():
            self._screen.painter.queue(anew=True)
        elif state.filter_text:
            self.filter_typed("")

    def filter_typed(self, text: str) -> None:
        """Show what a filter lets through while it is being typed."""
        self._forget_told()
        if text == self._wanted_text:
            return
        try:
            wanted = parse_filter(text, DEFAULT_FILTER)
        except BadFilter as error:
            self._tell_of_filter(str(error), "warn")
            return
        if self.filtering and (following := hint(text)):
            self._tell_of_filter(following, "dim")
        self._wanted_text = text
        self._screen.work(partial(self._list, wanted, text), only="filter")

    def filter_done(self) -> None:
        """Close the line and keep the filter; why it could not be taken stays told, what could follow does not."""
        self._close_filter()
        if self._told_of_filter is not None and self._told_of_filter.role == "dim":
            self._forget_told()

    async def show_number(self, number: int) -> None:
        """Look at one example, alone in the list if the list does not hold it."""
        place = self._bench.state.queue.place_of(number)
        if place is None:
            self._wanted_text = f"#{number}"
            await self._list(Filter(number=number), self._wanted_text)
        else:
            self.go(place)

    async def list_anew(self) -> None:
        """Make the list anew under the same filter."""
        await self._list(self._bench.state.wanted, self._bench.state.filter_text)

    def _wanted(self, text: str) -> Filter:
        try:
            return parse_filter(text, DEFAULT_FILTER)
        except BadFilter:
            return DEFAULT_FILTER

    async def _list(self, wanted: Filter, text: str) -> None:
        found = await self._bench.curator.listing(wanted)
        self._bench.state.relist(found, wanted, text)
        self._screen.painter.queue(anew=True)
        self.look(anew=True)

    async def _fetch(self, number: int, *, painted: bool) -> None:
        state, curator = self._bench.state, self._bench.curator
        if not painted:
            try:
                found = await curator.example(number)
            finally:
                if self._fetching == number:
                    self._fetching = None
            if found is None:
                self._gone(number)
                return
            if state.queue.current == number:
                state.example = found
                self._screen.painter.example()
        await curator.fetch(state.queue.coming(_AHEAD))

    def _gone(self, number: int) -> None:
        """Go on from an example that names nothing any more."""
        self._screen.tell(f"#{number} is there no more: its prompt was asked again, under a new number.")
        self._bench.state.queue.forget(number)
        self._screen.painter.queue(anew=True)
        self.look(anew=True)

    def _tell_of_filter(self, text: str, role: str) -> None:
        self._screen.tell(text, role)
        self._told_of_filter = self._bench.state.notice

    def _forget_told(self) -> None:
        """Take away what was told of a filter that is another by now, or is typed no more."""
        if self._told_of_filter is not None and self._bench.state.notice is self._told_of_filter:
            self._bench.state.notice = None
            self._screen.painter.notice()
        self._told_of_filter = None

    def _close_filter(self) -> None:
        self.filtering = False
        self._screen.query_one("#filter", Input).display = False
        self._screen.set_focus(None)

    def _toggle(self, pane: PaneName) -> None:
        state = self._bench.state
        if not has_room_beside(pane, self._screen.size.width):
            state.over = None if state.over is pane else pane
            state.pane = state.over or PaneName.EXAMPLE
        else:
            state.hidden ^= {pane}
            if state.pane in state.hidden:
                state.pane = PaneName.EXAMPLE
        self._screen.lay_out()

    def _go_to_pane(self, steps: int) -> None:
        """Go to another pane; one that there is no room for is shown over the example."""
        state = self._bench.state
        before = self._layout()
        state.over = None
        state.next_pane(steps)
        if not self._layout().shows(state.pane):
            state.over = state.pane
        if self._layout() != before:
            self._screen.lay_out()
        self._screen.painter.titles()
        self._screen.painter.stream()

    def _layout(self) -> Layout:
        return layout_of(self._bench.state, self._screen.size.width, self._screen.size.height)

    def _pane(self) -> Pane:
        return self._screen.query_one(f"#{self._bench.state.pane}", Pane)

    def _scroll(self, lines: int) -> None:
        pane = self._pane()
        pane = self._screen.query_one("#example", Lines) if pane.id == PaneName.QUEUE else pane
        pane.scroll_by(lines)
        if pane.id == PaneName.STREAM and isinstance(pane, Rows):
            self._bench.state.tail = pane.top >= pane.count() - pane.body_height
            self._screen.painter.stream()

    def _move_or_scroll(self, steps: int) -> None:
        """Move in the list; in the conversation and the stream the same keys scroll."""
        if self._bench.state.pane in (PaneName.CONVERSATION, PaneName.STREAM):
            self._scroll(steps)
            return
        self._bench.state.queue.move(steps)
        self.look()
