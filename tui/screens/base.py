"""What all screens share: a body, the key bar, clicks that act like keys."""

from __future__ import annotations

from typing import ClassVar, TypeVar

from textual.app import ComposeResult
from textual.screen import Screen

from tui.drawing.lines import Line
from tui.keys.actions import Keymap
from tui.widgets.keybar import KeyBar
from tui.widgets.pane import Lines, Pane
from tui.workbench import Workbench

__all__ = ["PlainScreen", "WorkScreen"]

T = TypeVar("T")


class PlainScreen(Screen[T]):
    """A screen with a title, a body and a key bar; `back` leaves it.

    A subclass names itself (`SCREEN`, as in the table of keys), and yields its body from `compose_body`.
    """

    SCREEN: ClassVar[str] = ""
    BAR_ROWS: ClassVar[int] = 1

    def __init__(self, keymap: Keymap) -> None:
        super().__init__()
        self.keymap = keymap

    def compose(self) -> ComposeResult:
        yield from self.compose_body()
        yield KeyBar(id="keys")

    def compose_body(self) -> ComposeResult:
        """Yield what stands above the key bar."""
        yield from ()

    def on_mount(self) -> None:
        self.show_keys()

    def show_keys(self, extra: Line = ()) -> None:
        """Draw the key bar."""
        self.query_one("#keys", KeyBar).show_keys(self.keymap, self.SCREEN, self.BAR_ROWS, extra)

    def body(self) -> Lines:
        """Return the pane that the scroll keys move."""
        return self.query_one("#body", Lines)

    async def on_pane_clicked(self, message: Pane.Clicked) -> None:
        # The only handler of all screens: Textual calls that of every class, whatever an heir's has done.
        message.stop()
        await self.clicked(message)

    async def clicked(self, message: Pane.Clicked) -> None:
        """Do what the clicked span says."""
        if message.action:
            await self.run_action(message.action)

    def action_scroll_down(self) -> None:
        self.body().scroll_by(1)

    def action_scroll_up(self) -> None:
        self.body().scroll_by(-1)

    def action_page_down(self) -> None:
        self.body().scroll_by(max(self.body().body_height // 2, 1))

    def action_page_up(self) -> None:
        self.body().scroll_by(-max(self.body().body_height // 2, 1))

    def action_back(self) -> None:
        self.dismiss()

    async def action_quit_anywhere(self) -> None:
        """Quit; a screen with something to lose asks first."""
        await self.app.run_action("app.quit_anywhere")

    def do_found(self, action: str | None) -> None:
        """Do what the help page ended with."""
        if action:
            self.call_later(self.run_action, action)


class WorkScreen(PlainScreen[T]):
    """A screen on an open workspace."""

    def __init__(self, bench: Workbench) -> None:
        super().__init__(bench.keymap)
        self.bench = bench

    def action_help(self) -> None:
        from tui.screens.help import HelpScreen

        self.app.push_screen(HelpScreen(self.bench, self.SCREEN), self.do_found)
