"""Signals and what they mean for work that can be drained: the first finishes what has begun, the second stops."""

from __future__ import annotations

import asyncio
import signal
import sys
from collections.abc import Coroutine
from typing import TypeVar

from selfplay_core.engine.control import Control
from tui.early import SIGNALS

__all__ = ["Stopped", "heeding_signals"]

T = TypeVar("T")


class Stopped(Exception):
    """Raised by the second signal; `code` is the exit code."""

    def __init__(self, code: int) -> None:
        super().__init__()
        self.code = code


async def heeding_signals(work: Coroutine[None, None, T], control: Control) -> tuple[T, int]:
    """Return what the work returns, and the exit code of the signal that drained it, 0 without one.

    Raises Stopped, with the work cancelled, by a second signal.
    """
    task = asyncio.ensure_future(work)
    heard: list[signal.Signals] = []

    def hear(number: signal.Signals) -> None:
        heard.append(number)
        if len(heard) == 1:
            print("selfplay-tui: finishing what has begun; once more to stop at once.", file=sys.stderr)
            control.drain()
        else:
            task.cancel()

    loop = asyncio.get_running_loop()
    for number in SIGNALS:
        loop.add_signal_handler(number, hear, number)
    try:
        result = await task
    except asyncio.CancelledError:
        if not heard:
            raise
        raise Stopped(128 + heard[0]) from None
    finally:
        for number in SIGNALS:
            loop.remove_signal_handler(number)
    return result, 128 + heard[0] if heard else 0
