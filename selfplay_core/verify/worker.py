"""One thread that works one blocking connection, awaited from asyncio."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable
from concurrent.futures import Future
from functools import partial
from queue import SimpleQueue
from typing import Protocol, TypeVar

__all__ = ["Connection", "Worker"]

_JOIN_SECONDS = 1.0

_T = TypeVar("_T")


class Connection(Protocol):
    """What a worker must be able to end."""

    def disconnect(self) -> None:
        """Close it, from the worker's own thread."""

    def abort(self) -> None:
        """Make every wait in it fail at once, from any thread."""


class Worker:
    """A daemon thread that serves one connection; both end with the first failed task, or with `stop`."""

    def __init__(self, connection: Connection, name: str) -> None:
        self.serving = True
        self._connection = connection
        self._tasks: SimpleQueue[Callable[[], None] | None] = SimpleQueue()
        # Not an executor: its threads are joined at exit, and a resolver can hang for half a minute.
        self._thread = threading.Thread(target=self._serve, name=name, daemon=True)
        self._thread.start()

    async def run(self, task: Callable[[], _T]) -> _T:
        """Run `task` on the thread, only while `serving`; a wait that is cancelled ends the connection."""
        outcome: Future[_T] = Future()
        self._tasks.put(partial(self._perform, task, outcome))
        try:
            return await asyncio.wrap_future(outcome)
        except asyncio.CancelledError:
            self.stop()
            raise

    def stop(self) -> None:
        """End the connection and the thread from any thread; a task under way fails at once."""
        self.serving = False
        self._connection.abort()
        self._tasks.put(None)

    async def join(self) -> None:
        """Wait for the thread's end, but not long for a task that cannot be interrupted."""
        await asyncio.to_thread(self._thread.join, _JOIN_SECONDS)

    def _serve(self) -> None:
        while (task := self._tasks.get()) is not None:
            task()
        self._connection.disconnect()

    def _perform(self, task: Callable[[], _T], outcome: Future[_T]) -> None:
        if not outcome.set_running_or_notify_cancel():
            return
        try:
            result = task()
        except BaseException as error:  # whatever it is, the one who waits must hear of it
            self.serving = False
            self._connection.disconnect()
            self._tasks.put(None)
            outcome.set_exception(error)
        else:
            outcome.set_result(result)
        finally:
            del outcome  # the traceback holds this frame: without this the two would hold each other
