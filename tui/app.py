"""The app: its screens, its two pulses, and its end."""

from __future__ import annotations

import asyncio
import gc
import signal
from collections.abc import Iterable
from functools import partial
from typing import Final

from textual import events
from textual.app import App, SystemCommand
from textual.geometry import Size
from textual.screen import Screen
from textual.worker import WorkType

from tui.keys.bindings import keymap_of
from tui.keys.palette import ActionProvider
from tui.messages import CopyWanted
from tui.run.pulse import Changed, drain, take_news
from tui.screens.review import ReviewScreen
from tui.screens.too_small import TooSmallScreen
from tui.state.filter_text import names_one
from tui.state.layout import LEAST
from tui.state.review import PaneName
from tui.terminal.remembered import Remembered, recall, remember
from tui.terminal.themes import OWN_THEMES, STYLES, theme_name
from tui.workbench import Workbench

__all__ = ["ReviewApp"]

_EVENTS_EVERY: Final = 1 / 15
_NEWS_EVERY: Final = 0.25
_CLOCK_EVERY: Final = 1.0


class ReviewApp(App[int], inherit_bindings=False):
    """Shows one workspace, and generates in it if `generates`; returns the exit code.

    Textual's own keys are left out: its `^q` would throw an edit away, its `^c` tells of that key.
    """

    TITLE = "selfplay"
    CSS_PATH = STYLES
    COMMANDS = App.COMMANDS | {ActionProvider}
    ENABLE_COMMAND_PALETTE = True

    def __init__(self, bench: Workbench, *, generates: bool) -> None:
        super().__init__()
        self.bench = bench
        self.review = ReviewScreen(bench)
        self._generates = generates
        self._polling = False
        self._quitting = False
        self._owed = Changed()
        self._code = 0
        self._lent = False
        self._trouble = ""
        for theme in OWN_THEMES:
            self.register_theme(theme)
        self.theme = theme_name(bench.job.settings.review.theme)
        self.set_keymap(keymap_of(bench.keymap))

    def on_mount(self) -> None:
        self._recall()
        self.push_screen(self.review)
        self.set_interval(_EVENTS_EVERY, self._take_events)
        self.set_interval(_NEWS_EVERY, self._look_for_news)
        self.set_interval(_CLOCK_EVERY, self._tick)
        loop = asyncio.get_running_loop()
        for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
            loop.add_signal_handler(number, self._on_signal, number)
        self.app_suspend_signal.subscribe(self, partial(self._lend, True), immediate=True)
        self.app_resume_signal.subscribe(self, partial(self._lend, False), immediate=True)
        self.call_after_refresh(self._settle_in)

    def on_resize(self, event: events.Resize) -> None:
        self._fit(event.size)

    def _fit(self, size: Size) -> None:
        """Cover everything with one line where there is no room, and uncover it again."""
        small = size.width < LEAST[0] or size.height < LEAST[1]
        if small and not isinstance(self.screen, TooSmallScreen):
            self.push_screen(TooSmallScreen())
        elif not small and isinstance(self.screen, TooSmallScreen):
            self.pop_screen()

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """Open no palette where there is no room for it."""
        return action != "command_palette" or not isinstance(self.screen, TooSmallScreen)

    def action_quit(self) -> None:  # type: ignore[override]  # Textual's is a coroutine; this one only begins the end
        """Let the run finish what has begun, then leave; asked again, leave at once."""
        runner = self.bench.runner
        if self._quitting or not runner.is_running:
            self.action_leave()
            return
        self._quitting = True
        runner.drain()
        self.bench.state.live.status = "draining"
        key = self.bench.keymap.shown("quit")
        self.review.tell(f"Finishing what has begun; {key} again leaves at once. Everything is saved.", seconds=3600)
        self.review.painter.header()
        leave: WorkType[None] = self._leave_when_done
        self.run_worker(leave, group="leave")

    def action_quit_anywhere(self) -> None:
        """Quit from whichever screen; the review screen says what is waited for, so it comes to the top."""
        if self.bench.runner.is_running and not self._quitting and self.screen is not self.review:
            while self.screen is not self.review:
                self.pop_screen()
            self.review.looking.look(anew=True)
        self.action_quit()

    def action_leave(self) -> None:
        """Leave at once; what was not committed is asked again by the next run."""
        self._remember()
        self.exit(return_code=self._code)

    def get_system_commands(self, screen: Screen[object]) -> Iterable[SystemCommand]:
        """Offer themes and the like, but no second way to quit or to show keys."""
        for command in super().get_system_commands(screen):
            if command.title in ("Theme", "Maximize", "Minimize", "Screenshot"):
                yield command

    async def _leave_when_done(self) -> None:
        await self.bench.runner.ended()
        self.action_leave()

    def _settle_in(self) -> None:
        # What stands on screen by now lives as long as the app: the collector need not look at it each time.
        gc.collect()
        gc.freeze()
        if self._generates:
            self.bench.runner.start()
            self.bench.state.live.status = "starting"

    @property
    def _can_paint(self) -> bool:
        """Whether the review screen has its panes; they go one by one while the app ends."""
        return self.is_running and self.review.is_mounted

    def _take_events(self) -> None:
        self._paint(drain(self.bench))

    def _look_for_news(self) -> None:
        if not self._polling:
            self._polling = True
            # Not a coroutine, which would be left unawaited where the app ends before it begins.
            look: WorkType[None] = self._news
            self.run_worker(look, group="news")

    async def _news(self) -> None:
        try:
            last = self.bench.state.last
            changed = await take_news(self.bench)
            trouble, self._trouble = self._trouble, self.bench.curator.projector.trouble
            if self._can_paint and self._trouble and self._trouble != trouble:
                self.review.tell(self._trouble, "bad")
            self._paint(changed)
            if self.bench.state.last != last and self._can_paint:
                self.review.painter.keys()
        finally:
            self._polling = False

    def _tick(self) -> None:
        # A screen may have been opened above the one line, and left after there was room again.
        self._fit(self.size)
        self._paint(Changed(header=True, stream=self.bench.state.tail))
        if self._can_paint:
            self.review.painter.notice()

    def _paint(self, changed: Changed) -> None:
        """Paint what changed; what changes behind another screen is painted once that is left."""
        self._owed.add(changed)
        if not self._owed or not self._can_paint or self.screen is not self.review:
            return
        changed, self._owed = self._owed, Changed()
        painter, queue = self.review.painter, self.bench.state.queue
        if changed.header:
            painter.header()
        if changed.stream:
            painter.stream()
        if changed.queue:
            painter.queue(anew=True)
            painter.titles()
        if changed.example:
            self.review.looking.look(anew=True)
        elif self.bench.state.example is None and queue.current is not None:
            self.review.looking.look()
        elif changed.header and self.bench.state.example is None:
            painter.example()

    def on_copy_wanted(self, message: CopyWanted) -> None:
        message.stop()
        self.review.visiting.copy(message.number)

    def _lend(self, lent: bool, app: App[object]) -> None:
        """Note that the terminal is an editor's for now."""
        self._lent = lent

    def _on_signal(self, number: signal.Signals) -> None:
        if self._lent and number is signal.SIGINT:
            return  # meant for the editor, which has the terminal
        self._code = 128 + number
        if number is signal.SIGHUP:
            self.action_leave()  # nobody looks on any more
        else:
            self.action_quit()

    def _recall(self) -> None:
        found = recall(self.bench.curator.workspace)
        state = self.bench.state
        state.filter_text, state.tail, state.diff = found.filter_text, found.tail, found.diff
        state.hidden = {PaneName(name) for name in found.hidden if name in list(PaneName)}
        state.begin_at = found.number
        if found.theme in self.available_themes and "review.theme" not in self.bench.origins:
            self.theme = found.theme

    def _remember(self) -> None:
        state = self.bench.state
        remember(
            self.bench.curator.workspace,
            Remembered(
                filter_text="" if names_one(state.filter_text) else state.filter_text,
                hidden=tuple(sorted(state.hidden)),
                theme=self.theme,
                number=state.queue.current,
                tail=state.tail,
                diff=state.diff,
            ),
        )
