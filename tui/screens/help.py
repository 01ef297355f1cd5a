"""All keys, from the table of keys; what is typed filters them."""

from __future__ import annotations

from typing import Final

from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Horizontal
from textual.widgets import Input

from tui.bindings import bindings_of
from tui.drawing.help_page import help_lines
from tui.drawing.key_hints import hint
from tui.drawing.lines import Line, Span
from tui.filter_text import HELP
from tui.screens.base import WorkScreen
from tui.widgets.pane import Lines, Pane
from tui.workbench import Workbench

__all__ = ["HelpScreen"]

_KEYS: Final[list[BindingType]] = [
    Binding("down", "scroll_down", show=False),
    Binding("up", "scroll_up", show=False),
]


class HelpScreen(WorkScreen[str | None]):
    """Shows the keys of one screen; ends with the name of the action that was clicked or found, if any."""

    SCREEN = "help"
    BINDINGS = [*bindings_of("help"), *_KEYS]  # noqa: RUF012  # as Textual declares it

    def __init__(self, bench: Workbench, screen: str) -> None:
        super().__init__(bench)
        self._about = screen

    def compose_body(self) -> ComposeResult:
        yield Lines(id="body")
        with Horizontal(id="help-line"):
            yield Lines(id="help-sign")
            yield Input(id="help-search", placeholder="type to search", compact=True)

    def on_mount(self) -> None:
        self.query_one("#help-sign", Lines).show(lambda width: [(Span(" / ", "key"),)])
        self.body().set_title((Span(" Keys ", "title"), Span(f"{self._about} screen ", "dim")))
        self._show("")
        self.query_one("#help-search", Input).focus()

    def show_keys(self, extra: Line = ()) -> None:
        """Draw the key bar with what can be done here."""
        own = (*hint("up down", "scroll"), *hint("enter", "do the first one found"), *hint("click", "do that one"))
        super().show_keys(extra or own)

    def on_input_changed(self, message: Input.Changed) -> None:
        message.stop()
        self._show(message.value)

    def on_input_submitted(self, message: Input.Submitted) -> None:
        message.stop()
        found = next((name for line in self._lines(message.value, 80) if (name := _action_in(line))), None)
        if message.value.strip() and found is not None:
            self.dismiss(found)

    async def on_pane_clicked(self, message: Pane.Clicked) -> None:
        """Do what the clicked line says; the key bar's own keys act here."""
        message.stop()
        if message.pane is self.body():
            if message.action:
                self.dismiss(message.action)
        elif message.action:
            await self.run_action(message.action)

    def action_back(self) -> None:
        search = self.query_one("#help-search", Input)
        if search.value:
            search.value = ""
        else:
            self.dismiss(None)

    def _show(self, search: str) -> None:
        self.body().show(lambda width: self._lines(search, width))

    def _lines(self, search: str, width: int) -> list[Line]:
        return help_lines(self.bench.keymap, self._about, HELP, self.bench.glyphs, width, search)


def _action_in(line: Line) -> str:
    return next((piece.action for piece in line if piece.action), "")
