"""Every setting in force, and where it came from."""

from __future__ import annotations

from typing import Final

from textual.app import ComposeResult

from tui.drawing.key_hints import SCROLLING, hints_of
from tui.drawing.lines import Line, Span
from tui.drawing.settings_table import Place, settings_in_force, settings_lines
from tui.keys.bindings import bindings_of
from tui.screens.base import WorkScreen
from tui.widgets.pane import Lines

__all__ = ["SettingsScreen"]

_CONFIG: Final = "selfplay.toml"


class SettingsScreen(WorkScreen[None]):
    """Shows the settings as a table; nothing is changed here."""

    SCREEN = "settings"
    BINDINGS = bindings_of("settings")

    def compose_body(self) -> ComposeResult:
        yield Lines(id="body")

    def on_mount(self) -> None:
        bench, job = self.bench, self.bench.job
        settings = settings_in_force(job.settings, bench.origins, job.credentials)
        made = sum(setting.made for setting in settings)
        places = (
            Place("workspace", str(job.workspace)),
            Place("output", str(job.output)),
            Place("operator", bench.curator.operator),
        )
        config = job.workspace / _CONFIG
        self.body().set_title((Span(" Settings ", "title"), Span(f"{made} of {len(settings)} set by you ", "dim")))
        self.body().show(lambda width: settings_lines(settings, places, bench.keymap, config, width, bench.glyphs))

    def show_keys(self, extra: Line = ()) -> None:
        """Draw the key bar with the keys that scroll."""
        super().show_keys(extra or hints_of(self.bench.keymap, SCROLLING))
