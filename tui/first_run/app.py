"""The app of the very first start: it ends with the job that is to be run."""

from __future__ import annotations

from textual.app import App

from tui.job import Settled
from tui.keys.bindings import keymap_of
from tui.screens.first_run import FirstRunScreen
from tui.terminal.themes import OWN_THEMES, STYLES, theme_name
from tui.workbench import Beginning

__all__ = ["FirstRunApp"]


class FirstRunApp(App[Settled | None], inherit_bindings=False):
    """Shows the first-run screen; None where the person only leaves. Textual's own keys are left out."""

    TITLE = "selfplay"
    CSS_PATH = STYLES
    ENABLE_COMMAND_PALETTE = False

    def __init__(self, begin: Beginning) -> None:
        super().__init__()
        # Under the name by which panes find the signs to draw with.
        self.bench = begin
        for theme in OWN_THEMES:
            self.register_theme(theme)
        self.theme = theme_name(begin.job.settings.review.theme)
        self.set_keymap(keymap_of(begin.keymap))

    def on_mount(self) -> None:
        self.push_screen(FirstRunScreen(self.bench), self.exit)

    def action_quit_anywhere(self) -> None:
        """Leave, and start nothing."""
        self.exit(None)
