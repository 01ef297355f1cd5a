"""One line where the terminal is too small for anything else."""

from __future__ import annotations

from typing import ClassVar

from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.screen import Screen

from tui.drawing.lines import paragraphs
from tui.state.layout import LEAST
from tui.widgets.pane import Lines

__all__ = ["TooSmallScreen"]


class TooSmallScreen(Screen[None]):
    """Says how large the terminal must be; only quitting works, and asks where an edit below is not saved."""

    BINDINGS: ClassVar[list[BindingType]] = [Binding("q,ctrl+q", "quit_anywhere", "quit", show=False)]

    def __init__(self) -> None:
        super().__init__()
        self._asked = False

    def compose(self) -> ComposeResult:
        yield Lines(id="body")

    def on_mount(self) -> None:
        columns, rows = LEAST
        self._tell(f"needs {columns}x{rows}")

    async def action_quit_anywhere(self) -> None:
        if self._asked or not any(getattr(screen, "is_changed", False) for screen in self.app.screen_stack):
            await self.app.run_action("app.quit_anywhere")
            return
        self._asked = True
        self._tell("an edit is not saved; again quits")

    def _tell(self, text: str) -> None:
        self.query_one("#body", Lines).show(lambda width: paragraphs(text, width))
