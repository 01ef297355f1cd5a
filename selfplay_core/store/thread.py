"""The store as asyncio sees it: one thread a process does all the writing, another reads for the screen."""

from __future__ import annotations

import asyncio
import sqlite3
from collections.abc import AsyncIterator, Callable
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Concatenate, Generic, ParamSpec, Self, TypeVar

from selfplay_core.errors import SelfplayError
from selfplay_core.store.database import Database, Reader

__all__ = ["AsyncReader", "AsyncStore", "ReadInterrupted", "open_store"]

_INTERRUPTED = "reading the workspace was stopped: a later question took its place. Nothing is lost."

P = ParamSpec("P")
T = TypeVar("T")
R = TypeVar("R", bound=Reader)


class ReadInterrupted(SelfplayError):
    """Raised by reading that `AsyncReader.interrupt` has stopped: nobody wants its result any more."""


class _OwnThread(Generic[R]):
    """A reader or writer that lives in a thread of its own, which does one piece of work after the other."""

    def __init__(self, executor: ThreadPoolExecutor, opened: R) -> None:
        self._executor = executor
        self._opened = opened
        self._closing: asyncio.Future[None] | None = None

    async def aclose(self) -> None:
        """Let the work that was handed in end, then close; may be called again."""
        if self._closing is None:
            loop = asyncio.get_running_loop()
            self._closing = loop.run_in_executor(self._executor, self._opened.close)
            self._executor.shutdown(wait=False)
        await asyncio.shield(self._closing)


class AsyncStore(_OwnThread[Database]):
    """Runs work on the database in its own thread, one piece after the other.

    A caller that is cancelled leaves its piece of work undone if it has not begun, and whole if it has.
    """

    @classmethod
    async def open(cls, workspace: Path, *, wait: float = 30.0) -> Self:
        """Open or create the workspace; raises WorkspaceError, see `Database.open`."""
        return cls(*await _opened_in_thread("selfplay-store", lambda: Database.open(workspace, wait=wait)))

    async def do(self, work: Callable[Concatenate[Database, P], T], /, *args: P.args, **kwargs: P.kwargs) -> T:
        """Return `work(database, …)`, run in the writing thread."""
        loop = asyncio.get_running_loop()
        return await loop.run_in_executor(self._executor, lambda: work(self._opened, *args, **kwargs))


@asynccontextmanager
async def open_store(workspace: Path) -> AsyncIterator[AsyncStore]:
    """Open or create the workspace for the length of the block; raises WorkspaceError, see `Database.open`."""
    store = await AsyncStore.open(workspace)
    try:
        yield store
    finally:
        await store.aclose()


class AsyncReader(_OwnThread[Reader]):
    """Runs reading work in its own thread, one piece after the other, and stops what nobody waits for.

    A caller that is cancelled stops its piece of work: it does not begin, or its SQL ends at the next look.
    """

    def __init__(self, executor: ThreadPoolExecutor, opened: Reader) -> None:
        super().__init__(executor, opened)
        self._handed_in: set[_Piece] = set()

    @classmethod
    async def open(cls, workspace: Path) -> Self:
        """Open the workspace for reading; raises WorkspaceError, see `Reader.open`."""
        return cls(*await _opened_in_thread("selfplay-reader", lambda: Reader.open(workspace)))

    async def do(self, work: Callable[Concatenate[Reader, P], T], /, *args: P.args, **kwargs: P.kwargs) -> T:
        """Return `work(reader, …)`, run in the reading thread; raises ReadInterrupted if `interrupt` stopped it."""
        piece = _Piece()
        self._handed_in.add(piece)
        try:
            loop = asyncio.get_running_loop()
            return await loop.run_in_executor(
                self._executor, piece.run, self._opened, lambda: work(self._opened, *args, **kwargs)
            )
        finally:
            # Stops it if the caller was cancelled; what has ended cannot be stopped any more.
            piece.stopped = True
            self._handed_in.discard(piece)

    def interrupt(self) -> None:
        """Stop all work that was handed in so far; whoever awaits it gets ReadInterrupted."""
        for piece in self._handed_in:
            piece.stopped = True

    async def aclose(self) -> None:
        """Stop the work that was handed in, then close; may be called again."""
        self.interrupt()
        await super().aclose()


class _Piece:
    """Work that the event loop can stop while the thread does it.

    SQLite's own interrupt stops only statements that run at that very moment, and work has several.
    """

    def __init__(self) -> None:
        self.stopped = False

    def run(self, reader: Reader, work: Callable[[], T]) -> T:
        if self.stopped:
            raise ReadInterrupted(_INTERRUPTED)
        try:
            with reader.stopping_when(lambda: self.stopped):
                return work()
        except sqlite3.OperationalError as error:
            if error.sqlite_errorcode == sqlite3.SQLITE_INTERRUPT:
                raise ReadInterrupted(_INTERRUPTED) from error
            raise


async def _opened_in_thread(name: str, opener: Callable[[], R]) -> tuple[ThreadPoolExecutor, R]:
    executor = ThreadPoolExecutor(max_workers=1, thread_name_prefix=name)
    opening = executor.submit(opener)
    try:
        return executor, await asyncio.wrap_future(opening)
    except BaseException:
        # A caller cancelled in the middle: the thread may have opened it all the same, and must close it.
        executor.submit(_close_opened, opening)
        executor.shutdown(wait=False)
        raise


def _close_opened(opening: Future[R]) -> None:
    if not opening.cancelled() and opening.exception() is None:
        opening.result().close()
