"""One line where the terminal is too small for anything else."""

from __future__ import annotations

from typing import ClassVar

from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.screen import Screen

from tui.drawing.lines import span
from tui.state.layout import LEAST
from tui.widgets.pane import Lines

__all__ = ["TooSmallScreen"]


class TooSmallScreen(Screen[None]):
    """Says how large the terminal must be; only quitting works."""

    BINDINGS: ClassVar[list[BindingType]] = [Binding("q", "app.quit", "quit", show=False)]

    def compose(self) -> ComposeResult:
        yield Lines(id="body")

    def on_mount(self) -> None:
        columns, rows = LEAST
        self.query_one("#body", Lines).show(lambda width: [(span(f"needs {columns}x{rows}"),)])
