"""Screens that wait for a server, a model or the disk: one piece of work at a time, told of in place."""

from __future__ import annotations

from typing import Final, Generic, TypeVar

from textual import events
from textual.worker import Worker

from tui.drawing.verdicts import note_lines
from tui.screens.background import BackgroundScreen, Job, is_left
from tui.screens.base import WorkScreen
from tui.widgets.pane import Lines
from tui.workbench import Workbench

__all__ = ["WorkingScreen"]

T = TypeVar("T")

_MOST_NEWS: Final = 6


class WorkingScreen(BackgroundScreen[T], WorkScreen[T], Generic[T]):
    """A screen with one piece of work under way at most."""

    def __init__(self, bench: Workbench) -> None:
        super().__init__(bench)
        self._news: tuple[str, str] = ("", "info")
        self._under_way: Worker[None] | None = None
        self._result: tuple[T | None] | None = None

    @property
    def is_busy(self) -> bool:
        """Whether work is under way."""
        return self._under_way is not None and not self._under_way.is_finished

    def begin(self, job: Job) -> None:
        """Do something in the background, or say that something is being done."""
        if self.is_busy:
            self.tell_busy()
        else:
            self._under_way = self.work(job)

    def tell_busy(self) -> None:
        """Say why a key does nothing now."""
        self.tell(f"Something is under way still; wait for it, or stop it with {self.keymap.shown('back')}.", "warn")

    def cancel(self) -> bool:
        """Cancel what is being done; False if nothing is."""
        if self._under_way is None or self._under_way.is_finished:
            return False
        self._under_way.cancel()
        return True

    def finish(self, result: T | None) -> None:
        """Leave with a result, once no other screen lies on top: Textual would close that one instead."""
        if self.is_active:
            self.dismiss(result)
        else:
            self._result = (result,)

    def tell(self, text: str, role: str = "info") -> None:
        """Show news in place, as high as they are; a blank text takes them away."""
        self._news = (text, role)
        if is_left(self):
            return
        news = self.query_one("#news", Lines)
        lines = note_lines(text, role, max(self.size.width, 1))
        news.styles.height = min(len(lines), _MOST_NEWS)
        news.display = bool(lines)
        news.show(lambda width: note_lines(text, role, width))

    def on_resize(self) -> None:
        self.tell(*self._news)

    def on_screen_resume(self, event: events.ScreenResume) -> None:
        if self._result is not None:
            (result,), self._result = self._result, None
            self.call_later(self.finish, result)
