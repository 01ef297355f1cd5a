"""Signals that come before a batch run can heed them: while its modules load, and while its job is made."""

from __future__ import annotations

import signal
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType
from typing import Final, NoReturn

__all__ = ["SIGNALS", "Interrupted", "hold_signals", "released_signals"]

SIGNALS: Final = (signal.SIGINT, signal.SIGTERM)
"""What asks a command to end."""


class Interrupted(KeyboardInterrupt):
    """Raised by a signal before the run; `code` is the exit code."""

    def __init__(self, number: int) -> None:
        super().__init__()
        self.code = 128 + number


def hold_signals() -> None:
    """Keep signals back until `released_signals`: nothing may wait for anybody in between."""
    signal.pthread_sigmask(signal.SIG_BLOCK, SIGNALS)


@contextmanager
def released_signals() -> Iterator[None]:
    """Let signals in, those that were held first, each as Interrupted unless the block handles it otherwise."""
    before = {number: signal.signal(number, _interrupt) for number in SIGNALS}
    try:
        signal.pthread_sigmask(signal.SIG_UNBLOCK, SIGNALS)
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def _interrupt(number: int, _frame: FrameType | None) -> NoReturn:
    raise Interrupted(number)
