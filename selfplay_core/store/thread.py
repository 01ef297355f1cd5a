"""The store as asyncio sees it: one thread a process does all the writing."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path
from typing import Concatenate, ParamSpec, Self, TypeVar

from selfplay_core.store.database import Database

__all__ = ["AsyncStore"]

P = ParamSpec("P")
T = TypeVar("T")


class AsyncStore:
    """Runs work on the database in its own thread, one piece after the other.

    A caller that is cancelled leaves its piece of work undone if it has not begun, and whole if it has.
    """

    def __init__(self, executor: ThreadPoolExecutor, database: Database) -> None:
        self._executor = executor
        self._database = database
        self._closing: asyncio.Future[None] | None = None

    @classmethod
    async def open(cls, workspace: Path, *, wait: float = 30.0) -> Self:
        """Open or create the workspace; raises WorkspaceError, see `Database.open`."""
        executor = ThreadPoolExecutor(max_workers=1, thread_name_prefix="selfplay-store")
        opening = executor.submit(Database.open, workspace, wait=wait)
        try:
            return cls(executor, await asyncio.wrap_future(opening))
        except BaseException:
            # A caller cancelled in the middle: the thread may have opened it all the same, and must close it.
            executor.submit(_close_opened, opening)
            executor.shutdown(wait=False)
            raise

    async def do(self, work: Callable[Concatenate[Database, P], T], /, *args: P.args, **kwargs: P.kwargs) -> T:
        """Return `work(database, …)`, run in the writing thread."""
        loop = asyncio.get_running_loop()
        return await loop.run_in_executor(self._executor, lambda: work(self._database, *args, **kwargs))

    async def aclose(self) -> None:
        """Let the work that was handed in end, then close; may be called again."""
        if self._closing is None:
            loop = asyncio.get_running_loop()
            self._closing = loop.run_in_executor(self._executor, self._database.close)
            self._executor.shutdown(wait=False)
        await asyncio.shield(self._closing)


def _close_opened(opening: Future[Database]) -> None:
    if not opening.cancelled() and opening.exception() is None:
        opening.result().close()
