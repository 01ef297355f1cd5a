"""Work beside the keys: whatever goes wrong in it is told, and ends nothing else."""

from __future__ import annotations

import logging
from collections.abc import Callable, Coroutine
from functools import partial
from typing import Any, ClassVar, TypeVar

from textual.css.query import NoMatches
from textual.screen import Screen
from textual.worker import Worker, WorkType

from selfplay_core.errors import SelfplayError

__all__ = ["BackgroundScreen", "Job", "is_left"]

T = TypeVar("T")

Job = Callable[[], Coroutine[Any, Any, None]]
"""Work as it is begun; a coroutine would be left unawaited where it is cancelled before it begins."""

_log = logging.getLogger(__name__)


def is_left(screen: Screen[Any]) -> bool:
    """Whether a screen was left: its widgets go one by one then, and nothing can be shown on it."""
    return not screen.is_attached or screen not in screen.app.screen_stack


class BackgroundScreen(Screen[T]):
    """A screen that does things which wait, and tells by `tell` what comes in their way."""

    DEFECT: ClassVar[str] = (
        "A defect stopped this; selfplay.log in the workspace says where it lies. Try again, or leave."
    )

    def tell(self, text: str, role: str = "info") -> None:
        """Show news to the person; every screen has its own place for them."""
        raise NotImplementedError

    def work(self, job: Job, *, only: str = "") -> Worker[None]:
        """Do something that waits, beside the keys.

        With `only` it takes the place of what was begun under the same name.
        """
        guarded: WorkType[None] = partial(self._guarded, job)
        return self.run_worker(guarded, group=only or "default", exclusive=bool(only), exit_on_error=False)

    async def _guarded(self, job: Job) -> None:
        try:
            await job()
        except SelfplayError as error:
            if not is_left(self):
                self.tell(str(error), "bad")
        except Exception as error:
            if isinstance(error, NoMatches) and is_left(self):
                return  # the screen was left meanwhile, and its widgets went with it
            # A defect of ours: what was decided and what is being edited outlive it.
            _log.exception("Work of %s ended by a defect", type(self).__name__)
            if not is_left(self):
                self.tell(self.DEFECT, "bad")
