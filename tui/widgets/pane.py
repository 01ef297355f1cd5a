"""A rectangle of lines with a titled rule above: the only widget that draws text from outside."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Self

from rich.segment import Segment
from rich.style import Style
from textual import events, messages
from textual.geometry import Region
from textual.message import Message
from textual.reactive import reactive
from textual.strip import Strip
from textual.widget import Widget

from tui.drawing.glyphs import GLYPHS, Glyphs
from tui.drawing.lines import ROLES, Line, Span, cropped, width_of

__all__ = ["Build", "Lines", "Pane", "Rows"]

Build = Callable[[int], Sequence[Line]]
"""Makes the lines of a pane for a width in cells."""

_WHEEL = 3


class Pane(Widget, can_focus=False):
    """Draws lines by itself, so that a repaint costs what is on screen and nothing else.

    `title` is the text of the rule above; blank: no rule. `glyphs` are those of the app, `edge` is a sign
    that parts the pane from its neighbour on the left; blank: none. Clicking a span that has an action, or a row,
    tells the screen by `Clicked`.
    """

    COMPONENT_CLASSES = {*(f"line--{role}" for role in ROLES), "line--cursor"}  # noqa: RUF012  # as Textual declares it
    is_active = reactive(False, layout=False)

    class Clicked(Message):
        """A span with an action, or a row, was clicked."""

        def __init__(self, pane: Pane, action: str, row: int | None) -> None:
            super().__init__()
            self.pane = pane
            self.action = action
            self.row = row

    def __init__(self, *, name: str | None = None, id: str | None = None, classes: str | None = None) -> None:  # noqa: A002  # Textual's name
        super().__init__(name=name, id=id, classes=classes)
        self._title: Line = ()
        self._styles_by_role: dict[tuple[str, bool], Style] = {}
        self.top = 0
        self.glyphs = GLYPHS
        self.edge = ""

    @property
    def body_width(self) -> int:
        """How many cells a line has."""
        return max(self.size.width - len(self.edge), 0)

    @property
    def body_height(self) -> int:
        """How many lines there is room for."""
        return max(self.size.height - bool(self._title), 0)

    def on_mount(self) -> None:
        found = getattr(getattr(self.app, "bench", None), "glyphs", None)
        if isinstance(found, Glyphs):
            self.glyphs = found

    def refresh(self, *regions: Region, repaint: bool = True, layout: bool = False, recompose: bool = False) -> Self:
        """Refresh as any widget, and tell the screen at once: by itself a widget does so a frame later."""
        super().refresh(*regions, repaint=repaint, layout=layout, recompose=recompose)
        if repaint and not layout and self.is_attached:
            self.screen.post_message(messages.Update(self))
        return self

    def set_title(self, title: Line) -> None:
        """Show `title` in the rule above; repaints only if it is another one."""
        if title != self._title:
            self._title = title
            self.refresh()

    def line_at(self, index: int, width: int) -> Line | None:
        """Return the line of this index, None behind the last."""
        raise NotImplementedError

    def count(self) -> int:
        """Return how many lines there are."""
        raise NotImplementedError

    def is_cursor(self, index: int) -> bool:
        """Whether a line is drawn as the one that is chosen."""
        return False

    def row_at(self, index: int) -> int | None:
        """Return which row a click on a line means, if any."""
        return None

    def scroll_by(self, lines: int) -> None:
        """Move the lines up or down within their bounds."""
        self.scroll_top(self.top + lines)

    def scroll_top(self, top: int) -> None:
        """Show the lines from `top` on."""
        bounded = max(min(top, self.count() - self.body_height), 0)
        if bounded != self.top:
            self.top = bounded
            self.refresh()

    def render_line(self, y: int) -> Strip:
        if self._title:
            if y == 0:
                return self._title_strip(self.size.width)
            y -= 1
        index = self.top + y
        line = self.line_at(index, self.body_width)
        return self._strip(line or (), self.body_width, cursor=line is not None and self.is_cursor(index))

    def _title_strip(self, width: int) -> Strip:
        role = "title" if self.is_active else "rule"
        title = cropped(self._title, width - 2, self.glyphs.more)
        rest = max(width - width_of(title) - 1, 0)
        pieces = (Span(self.glyphs.across, role), *title, Span(self.glyphs.across * rest, role))
        return Strip([Segment(piece.text, self._style(piece.role, False)) for piece in pieces], width)

    def _strip(self, line: Line, width: int, *, cursor: bool) -> Strip:
        pieces = cropped(line, width, self.glyphs.more)
        segments = [Segment(self.edge, self._style("rule", False))] if self.edge else []
        segments.extend(Segment(piece.text, self._style(piece.role, cursor)) for piece in pieces)
        blank = width - width_of(pieces)
        if blank > 0:
            segments.append(Segment(" " * blank, self._style("text", cursor)))
        return Strip(segments, width + len(self.edge))

    def _style(self, role: str, cursor: bool) -> Style:
        found = self._styles_by_role.get((role, cursor))
        if found is None:
            found = self.get_component_rich_style(f"line--{role}")
            if cursor:
                chosen = self.get_component_rich_style("line--cursor")
                found += Style(bgcolor=chosen.bgcolor, bold=chosen.bold, reverse=chosen.reverse)
            self._styles_by_role[role, cursor] = found
        return found

    def notify_style_update(self) -> None:
        self._styles_by_role.clear()
        super().notify_style_update()

    def on_mouse_scroll_down(self, event: events.MouseScrollDown) -> None:
        event.stop()
        self.scroll_by(_WHEEL)

    def on_mouse_scroll_up(self, event: events.MouseScrollUp) -> None:
        event.stop()
        self.scroll_by(-_WHEEL)

    def on_click(self, event: events.Click) -> None:
        event.stop()
        y = event.y - bool(self._title)
        if y < 0:
            self.post_message(self.Clicked(self, _action_at(self._title, event.x - 1), None))
            return
        index = self.top + y
        line = self.line_at(index, self.body_width)
        if line is not None:
            self.post_message(self.Clicked(self, _action_at(line, event.x - len(self.edge)), self.row_at(index)))


class Lines(Pane):
    """A text that is made for the pane's width, and made again when the width changes."""

    def __init__(self, *, name: str | None = None, id: str | None = None, classes: str | None = None) -> None:  # noqa: A002  # Textual's name
        super().__init__(name=name, id=id, classes=classes)
        self._build: Build = lambda width: ()
        self._built: Sequence[Line] = ()
        self._built_for = -1

    def show(self, build: Build, *, keep_place: bool = False) -> None:
        """Show another text from its top, or from where the last one stood."""
        self._build = build
        self._built_for = -1
        top = self.top if keep_place else 0
        self.top = max(min(top, self.count() - self.body_height), 0) if self.size.width else 0
        self.refresh()

    def line_at(self, index: int, width: int) -> Line | None:
        lines = self._lines(width)
        return lines[index] if 0 <= index < len(lines) else None

    def count(self) -> int:
        return len(self._lines(self.body_width))

    def on_resize(self) -> None:
        self.scroll_top(self.top)

    def _lines(self, width: int) -> Sequence[Line]:
        if width != self._built_for:
            self._built = self._build(width) if width > 0 else ()
            self._built_for = width
        return self._built


class Rows(Pane):
    """A list of any length, of which only the visible rows are asked for."""

    def __init__(self, *, name: str | None = None, id: str | None = None, classes: str | None = None) -> None:  # noqa: A002  # Textual's name
        super().__init__(name=name, id=id, classes=classes)
        self._count = 0
        self._cursor: int | None = None
        self._draw: Callable[[int, int], Line] = lambda index, width: ()

    def set_rows(self, count: int, draw: Callable[[int, int], Line]) -> None:
        """Show `count` rows, each drawn by `draw(index, width)` when it comes into sight."""
        self._count = count
        self._draw = draw
        self.top = max(min(self.top, count - self.body_height), 0)
        self.refresh()

    def set_cursor(self, index: int | None) -> None:
        """Choose a row, and bring it into sight with some rows around it."""
        if index == self._cursor:
            return
        before, self._cursor = self._cursor, index
        top = self.top
        if index is not None and self.body_height:
            margin = min(3, (self.body_height - 1) // 2)
            self.top = max(min(self.top, index - margin), index + margin + 1 - self.body_height)
            self.top = max(min(self.top, self._count - self.body_height), 0)
        if top != self.top:
            self.refresh()
            return
        for row in (before, index):
            self.refresh_row(row)

    def refresh_row(self, index: int | None) -> None:
        """Draw one row again."""
        if index is not None and 0 <= index - self.top < self.body_height:
            self.refresh(Region(0, index - self.top + bool(self._title), self.size.width, 1))

    def line_at(self, index: int, width: int) -> Line | None:
        return self._draw(index, width) if 0 <= index < self._count else None

    def count(self) -> int:
        return self._count

    def is_cursor(self, index: int) -> bool:
        return index == self._cursor

    def row_at(self, index: int) -> int | None:
        return index

    def on_resize(self) -> None:
        cursor, self._cursor = self._cursor, None
        self.set_cursor(cursor)


def _action_at(line: Line, x: int) -> str:
    place = 0
    for piece in line:
        place += width_of((piece,))
        if x < place:
            return piece.action
    return ""
