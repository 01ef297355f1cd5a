"""The bar of a batch run on a terminal."""

from __future__ import annotations

import sys

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn
from rich.text import Text

from selfplay_core.models import Outcome
from tui.commands.summary import Summary

__all__ = ["ProgressBar"]

_WORDS = ((Outcome.SOLVED, "ok"), (Outcome.CORRECTED, "corrected"), (Outcome.FAILED, "failed"))


class ProgressBar:
    """Prompts done, rate, outcomes and the time left, on stderr below the lines."""

    def __init__(self) -> None:
        self._console = Console(file=sys.stderr, highlight=False, markup=False, emoji=False)
        self._progress = Progress(
            BarColumn(bar_width=20),
            MofNCompleteColumn(),
            TextColumn("{task.fields[counts]}", markup=False),
            TimeRemainingColumn(compact=True),
            console=self._console,
            transient=True,
        )
        self._task = self._progress.add_task("", total=None, counts="")

    def print(self, line: str) -> None:
        """Print one line above the bar; nothing in it is markup."""
        self._console.print(Text(line))

    def update(self, summary: Summary) -> None:
        """Bring the bar up to date; it appears with the first call."""
        self._progress.start()
        speed = self._progress.tasks[self._task].speed
        rate = f"{speed * 60:.0f}/min  " if speed else ""
        self._progress.update(
            self._task, total=summary.expected, completed=summary.traces, counts=rate + _counts(summary)
        )

    def stop(self) -> None:
        """Take the bar away."""
        self._progress.stop()


def _counts(summary: Summary) -> str:
    others = summary.traces - sum(summary.outcomes[outcome] for outcome, _ in _WORDS)
    return "  ".join([*(f"{summary.outcomes[outcome]} {word}" for outcome, word in _WORDS), f"{others} other"])
