"""All keys, from the table of keys; what is typed filters them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

from textual.app import ComposeResult
from textual.containers import Horizontal
from textual.widgets import Input

from tui.drawing.glyphs import Glyphs
from tui.drawing.help_page import help_lines
from tui.drawing.lines import Line, Span
from tui.keys.actions import Keymap
from tui.keys.bindings import bindings_of
from tui.screens.base import PlainScreen
from tui.screens.keys import before_inputs, keys_taken_in
from tui.state.filter_text import HELP
from tui.widgets.area import SafeInput
from tui.widgets.pane import Lines, Pane

__all__ = ["Explained", "HelpScreen", "Legend"]


class Explained(Protocol):
    """What the help page needs of whom it explains: a workbench has it, and so has a start without a workspace."""

    @property
    def keymap(self) -> Keymap: ...

    @property
    def glyphs(self) -> Glyphs: ...


@dataclass(frozen=True, slots=True)
class Legend:
    """The keys and the signs in force, where there is nothing else at hand."""

    keymap: Keymap
    glyphs: Glyphs


class HelpScreen(PlainScreen[str | None]):
    """Shows the keys of one screen; ends with the name of the action that was clicked or found, if any."""

    SCREEN = "help"
    BINDINGS = before_inputs(bindings_of("help"))

    def __init__(self, of: Explained, screen: str) -> None:
        super().__init__(of.keymap)
        self._glyphs = of.glyphs
        self._about = screen

    def compose_body(self) -> ComposeResult:
        yield Lines(id="body")
        with Horizontal(id="help-line"):
            yield Lines(id="help-sign")
            yield SafeInput(id="help-search", placeholder="type to search", compact=True)

    def on_mount(self) -> None:
        self.query_one("#help-sign", Lines).show(lambda width: [(Span(" / ", "key"),)])
        self.body().set_title((Span(" Keys ", "title"), Span(f"{self._about} screen ", "dim")))
        self._show("")
        self.set_focus(self._search)

    def show_keys(self, extra: Line = ()) -> None:
        """Draw the key bar with what the mouse can do."""
        super().show_keys(extra or (Span("a click does that one", "dim"),))

    def on_input_changed(self, message: Input.Changed) -> None:
        message.stop()
        self._show(message.value)

    async def clicked(self, message: Pane.Clicked) -> None:
        """End with what the clicked line says; the key bar's own keys act here."""
        if message.pane is not self.body():
            await super().clicked(message)
        elif message.action:
            self.dismiss(message.action)

    async def action_do_found(self) -> None:
        await keys_taken_in(self)
        search = self._search.value
        found = next((name for line in self._lines(search, 80) if (name := _action_in(line))), None)
        if search.strip() and found is not None:
            self.dismiss(found)

    def action_line_down(self) -> None:
        self.action_scroll_down()

    def action_line_up(self) -> None:
        self.action_scroll_up()

    def action_back(self) -> None:
        if self._search.value:
            self._search.value = ""
        else:
            self.dismiss(None)

    @property
    def _search(self) -> SafeInput:
        return self.query_one("#help-search", SafeInput)

    def _show(self, search: str) -> None:
        self.body().show(lambda width: self._lines(search, width))

    def _lines(self, search: str, width: int) -> list[Line]:
        filters = any(action.name == "filter" for action in self.keymap.on(self._about))
        return help_lines(self.keymap, self._about, HELP if filters else (), self._glyphs, width, search)


def _action_in(line: Line) -> str:
    return next((piece.action for piece in line if piece.action), "")
