"""One SQLite file a workspace: readers as many as wanted, one writer at a time across all processes."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Generator, Iterator, Sequence
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path
from typing import Any, Self

from selfplay_core.errors import OldWorkspace, StoreError, WorkspaceError
from selfplay_core.store.faults import file_faults, sqlite_faults, told_error
from selfplay_core.store.lock import Lease, WorkspaceLock
from selfplay_core.store.migrations import VERSION, migrate, version_of

__all__ = ["DATABASE_NAME", "Database", "Reader", "open_current"]

DATABASE_NAME = "selfplay.db"
_LOCK_NAME = "selfplay.lock"
_RUN_LOCK_NAME = "selfplay.run.lock"

_OLDEST_SQLITE = (3, 37, 0)  # STRICT tables
_PAGE_SIZE = 8192
_WAL_LIMIT = 64 * 1024 * 1024

# Of SQLite's machine, between two looks whether a statement is still wanted: some 0.1 ms.
_INSTRUCTIONS = 10_000

# These say that the workspace is the wrong place; all other complaints are the disk's.
_NOT_A_WORKSPACE = {
    sqlite3.SQLITE_NOTADB,
    sqlite3.SQLITE_CANTOPEN,
    sqlite3.SQLITE_READONLY,
    sqlite3.SQLITE_PERM,
    sqlite3.SQLITE_AUTH,
}


class Reader:
    """A connection that only looks; to be used and closed in the thread that opened it."""

    def __init__(self, connection: sqlite3.Connection, workspace: Path) -> None:
        self._connection = connection
        self.workspace = workspace
        self.path = workspace / DATABASE_NAME
        self.lease = Lease(workspace / _RUN_LOCK_NAME)

    @classmethod
    def open(cls, workspace: Path) -> Self:
        """Open for reading; raises WorkspaceError if there is no workspace of this version."""
        path = workspace / DATABASE_NAME
        if not path.is_file():
            raise WorkspaceError(f"no workspace is here: {path}. Start a run first, or name another --workspace.")
        with _opening(path):
            connection = _connect(path, "mode=ro")
            try:
                _refuse_foreign(version_of(connection), path, oldest=VERSION)
            except BaseException:
                connection.close()
                raise
        return cls(connection, workspace)

    def rows(self, sql: str, parameters: Sequence[Any] = ()) -> list[tuple[Any, ...]]:
        with sqlite_faults("reading the workspace", self.path):
            return self._connection.execute(sql, parameters).fetchall()

    def row(self, sql: str, parameters: Sequence[Any] = ()) -> tuple[Any, ...] | None:
        with sqlite_faults("reading the workspace", self.path):
            found: tuple[Any, ...] | None = self._connection.execute(sql, parameters).fetchone()
            return found

    def each(self, sql: str, parameters: Sequence[Any] = ()) -> Generator[tuple[Any, ...], None, None]:
        """Yield one row after the other; the statement stays open until the iterator ends or is closed."""
        with sqlite_faults("reading the workspace", self.path):
            cursor = self._connection.execute(sql, parameters)
            try:
                yield from cursor
            finally:
                cursor.close()

    @contextmanager
    def snapshot(self) -> Iterator[None]:
        """Let all reads in the block see the same moment; may be nested, and within a transaction."""
        if self._connection.in_transaction:
            yield
            return
        self.row("BEGIN")
        try:
            yield
        finally:
            self._connection.rollback()

    @contextmanager
    def stopping_when(self, is_stopped: Callable[[], bool]) -> Iterator[None]:
        """End statements of the block with sqlite3.OperationalError (SQLITE_INTERRUPT) once `is_stopped` says so."""
        self._connection.set_progress_handler(is_stopped, _INSTRUCTIONS)
        try:
            yield
        finally:
            self._connection.set_progress_handler(None, 0)

    def data_version(self) -> int:
        """Return a number that changes when another connection has committed; costs microseconds."""
        (version,) = self.row("PRAGMA data_version") or (0,)
        return int(version)

    def is_generating(self) -> bool:
        """Whether some living process has a run going in this workspace."""
        with file_faults("looking for a running generator", self.workspace / _RUN_LOCK_NAME):
            return self.lease.is_taken()

    def close(self) -> None:
        self._connection.close()


class Database(Reader):
    """The connection that writes: every change is one transaction under the workspace lock."""

    def __init__(self, connection: sqlite3.Connection, workspace: Path, lock: WorkspaceLock) -> None:
        super().__init__(connection, workspace)
        self._lock = lock

    @classmethod
    def open(cls, workspace: Path, *, wait: float = 30.0) -> Self:
        """Open or create the workspace.

        `wait` bounds, in seconds, how long a write waits for another process. Raises WorkspaceError if the
        folder is unusable, the file is no database of ours, or a newer program made it.
        """
        _refuse_old_sqlite()
        path = workspace / DATABASE_NAME
        lock = WorkspaceLock(workspace / _LOCK_NAME, wait)
        with _opening(path):
            workspace.mkdir(parents=True, exist_ok=True)
            with lock.held():
                connection = _connect(path, "mode=rwc")
                try:
                    _prepare(connection, path)
                except BaseException:
                    connection.close()
                    raise
        return cls(connection, workspace, lock)

    @contextmanager
    def locked(self) -> Iterator[None]:
        """Keep every other writer of this workspace out; may be nested."""
        with ExitStack() as stack:
            with file_faults("locking the workspace", self.path.with_name(_LOCK_NAME)):
                stack.enter_context(self._lock.held())
            yield

    @contextmanager
    def transaction(self) -> Iterator[sqlite3.Connection]:
        """Commit what the block did, or nothing of it; raises StoreError if the disk says no."""
        with self.locked(), sqlite_faults("writing to the workspace", self.path):
            self._connection.execute("BEGIN IMMEDIATE")
            try:
                yield self._connection
                self._connection.execute("COMMIT")
            except BaseException:
                if self._connection.in_transaction:
                    self._connection.execute("ROLLBACK")
                raise

    def close(self) -> None:
        """Close under the lock: the last connection to go writes the WAL back. May be called again."""
        self.lease.release()
        with ExitStack() as stack:
            # Without a lock to be had (the folder is gone, another process hangs) the connection ends all the same.
            with suppress(StoreError):
                stack.enter_context(self.locked())
            super().close()


def open_current(workspace: Path) -> Reader:
    """Open for reading; a workspace of an earlier version is brought up to date first."""
    try:
        return Reader.open(workspace)
    except OldWorkspace:
        Database.open(workspace).close()
        return Reader.open(workspace)


def _connect(path: Path, mode: str) -> sqlite3.Connection:
    connection = sqlite3.connect(f"{path.absolute().as_uri()}?{mode}", uri=True, isolation_level=None, timeout=10.0)
    connection.execute("PRAGMA foreign_keys = ON")
    return connection


def _prepare(connection: sqlite3.Connection, path: Path) -> None:
    version = _refuse_foreign(version_of(connection), path)
    connection.execute(f"PRAGMA page_size = {_PAGE_SIZE}")
    (journal,) = connection.execute("PRAGMA journal_mode = WAL").fetchone()
    if journal != "wal":
        raise WorkspaceError(
            f"this file system cannot share a database between processes (journal mode {journal}): {path}. "
            "Put the workspace on a local disk with --workspace."
        )
    connection.execute("PRAGMA synchronous = FULL")
    connection.execute(f"PRAGMA journal_size_limit = {_WAL_LIMIT}")
    migrate(connection, version)
    # A file without the right to write opens all the same; now is the time to know.
    connection.execute("DELETE FROM workspace WHERE false")


def _refuse_foreign(version: int | None, path: Path, oldest: int = 0) -> int:
    if version is None:
        raise WorkspaceError(f"this database belongs to another program: {path}. Use another --workspace.")
    if version > VERSION:
        raise WorkspaceError(
            f"a newer selfplay-tui made this workspace (version {version}, known up to {VERSION}): {path}. "
            "Update this program, or use another --workspace."
        )
    if version == 0 and oldest:
        raise WorkspaceError(f"there is nothing in this database yet: {path}. Start a run in its workspace first.")
    if version < oldest:
        raise OldWorkspace(
            f"this workspace is of an older version ({version}, wanted {VERSION}): {path}. "
            "Start a run in it once, which brings it up to date."
        )
    return version


def _refuse_old_sqlite() -> None:
    if sqlite3.sqlite_version_info < _OLDEST_SQLITE:
        wanted = ".".join(map(str, _OLDEST_SQLITE))
        raise WorkspaceError(
            f"SQLite is too old: this Python has {sqlite3.sqlite_version}, wanted is {wanted}. "
            "Use a Python that brings a newer one."
        )


@contextmanager
def _opening(path: Path) -> Iterator[None]:
    try:
        with sqlite_faults("opening the workspace", path):
            try:
                yield
            except sqlite3.Error as error:
                if getattr(error, "sqlite_errorcode", 0) & 0xFF not in _NOT_A_WORKSPACE:
                    raise
                what, advice = told_error(error) or (str(error), "Use another --workspace")
                raise WorkspaceError(f"this workspace cannot be used: {what}: {path}. {advice}.") from error
    except OSError as error:
        what, advice = told_error(error) or (str(error.strerror).lower(), "Use another --workspace")
        raise WorkspaceError(f"this workspace cannot be used: {what}: {path.parent}. {advice}.") from error
