"""A question that wants a plain yes, asked where one key does much."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from typing import Final

from textual.app import ComposeResult
from textual.containers import Vertical
from textual.screen import ModalScreen

from tui.drawing.lines import BLANK, Line, Span, span, wrapped
from tui.keys.actions import Keymap
from tui.keys.bindings import bindings_of
from tui.screens.background import is_left
from tui.widgets.pane import Lines, Pane

__all__ = ["RISKY_SECONDS", "ConfirmScreen"]

RISKY_SECONDS: Final = 0.6
"""How long something risky must have been on screen before a key says yes to it."""


_MARGINS: Final = 4


class ConfirmScreen(ModalScreen[bool]):
    """Asks once; `yes` counts only after the question has stood there for `armed_after` seconds.

    `confirm_key_label` says what yes does, with its count where there is one.
    """

    BINDINGS = bindings_of("confirm")

    def __init__(
        self,
        question_lines: Sequence[str | Line],
        confirm_key_label: str,
        *,
        armed_after: float = 0.3,
        clock: Callable[[], float] = time.monotonic,
        keymap: Keymap | None = None,
    ) -> None:
        super().__init__()
        self._question: list[Line] = [(span(line),) if isinstance(line, str) else line for line in question_lines]
        self._label = confirm_key_label
        self._armed_after = armed_after
        self._clock = clock
        self._keymap = keymap or Keymap({})
        self._painted: float | None = None

    def compose(self) -> ComposeResult:
        with Vertical(id="box"):
            yield Lines(id="body")

    def on_mount(self) -> None:
        self._fit()
        self.call_after_refresh(self._seen)

    def on_resize(self) -> None:
        self._fit()

    @property
    def is_armed(self) -> bool:
        """Whether a yes counts."""
        return self._painted is not None and self._clock() - self._painted >= self._armed_after

    def action_yes(self) -> None:
        if self.is_armed:
            self.dismiss(True)

    def action_no(self) -> None:
        self.dismiss(False)

    def action_back(self) -> None:
        self.dismiss(False)

    def action_quit_anywhere(self) -> None:
        """Say no, and let the screen below say what quitting means there."""
        self.dismiss(False)
        self.app.call_later(self.app.run_action, "screen.quit_anywhere")

    async def on_pane_clicked(self, message: Pane.Clicked) -> None:
        message.stop()
        if message.action:
            await self.run_action(message.action)

    def action_help(self) -> None:
        from tui.screens.help import HelpScreen, Legend

        legend = Legend(self._keymap, self.query_one("#body", Lines).glyphs)
        self.app.push_screen(HelpScreen(legend, "confirm"), self._do_found)

    def _do_found(self, action: str | None) -> None:
        if action:
            self.call_later(self.run_action, action)

    def _seen(self) -> None:
        if is_left(self):
            return
        self._painted = self._clock()
        self.set_timer(self._armed_after, self._show)
        self._show()

    def _fit(self) -> None:
        """Make the box as high as its text, or as the screen."""
        self._show()
        width = min(72, self.app.size.width - 2) - _MARGINS
        box = self.query_one("#box")
        box.styles.height = min(len(self._lines(width)) + 2, self.app.size.height)

    def _show(self) -> None:
        if is_left(self):
            return
        self.query_one("#body", Lines).show(self._lines)

    def _lines(self, width: int) -> list[Line]:
        lines = [part for line in self._question for part in wrapped(line, width)]
        return [*lines, BLANK, self._keys()]

    def _keys(self) -> Line:
        no = (Span(self._keymap.shown("no"), "key", "no"), Span(" no", "dim", "no"))
        if not self.is_armed:
            return (span(f"{self._keymap.shown('yes')} {self._label}, in a moment", "dim"), Span("   "), *no)
        yes = (Span(self._keymap.shown("yes"), "key", "yes"), Span(" ", "dim", "yes"), span(self._label, "strong"))
        return (*yes, Span("   "), *no)
