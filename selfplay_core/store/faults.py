"""What the disk and SQLite complain about, told in three parts."""

from __future__ import annotations

import errno
import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from selfplay_core.errors import StoreError

__all__ = ["file_faults", "sqlite_faults", "told_error"]

_ROOM = "Make room and go on: what was confirmed before is safe"
_RIGHTS = "Give this user the right to write there, or use another --workspace or --output"
_DISK = "Look at the disk and the user's quota, then go on: what was confirmed before is safe"
_SOUND = "Put a copy of the workspace back, or start another with --workspace"
_BUSY = "End the other program that holds it, then try again"

_SQLITE: dict[int, tuple[str, str]] = {
    sqlite3.SQLITE_FULL: ("the disk is full", _ROOM),
    sqlite3.SQLITE_IOERR: ("the disk refused to read or write (full, over quota, or broken)", _DISK),
    sqlite3.SQLITE_READONLY: ("it is read-only", _RIGHTS),
    sqlite3.SQLITE_PERM: ("access is denied", _RIGHTS),
    sqlite3.SQLITE_CANTOPEN: ("it cannot be opened", _RIGHTS),
    sqlite3.SQLITE_CORRUPT: ("the database is damaged", _SOUND),
    sqlite3.SQLITE_NOTADB: ("the file is no database", _SOUND),
    sqlite3.SQLITE_BUSY: ("another program holds it", _BUSY),
    sqlite3.SQLITE_LOCKED: ("another program holds it", _BUSY),
    sqlite3.SQLITE_PROTOCOL: ("another program holds it", _BUSY),
    sqlite3.SQLITE_NOMEM: ("memory ran out", "Free memory and try again"),
}

_NO_ROOM = {errno.ENOSPC, errno.EDQUOT, errno.EFBIG}
_NO_RIGHT = {errno.EACCES, errno.EPERM, errno.EROFS}


@contextmanager
def sqlite_faults(doing: str, path: Path) -> Iterator[None]:
    """Turn what SQLite says about the disk into StoreError; errors in the SQL itself pass through."""
    try:
        yield
    except sqlite3.Error as error:
        told = told_error(error)
        if told is None:
            raise
        raise StoreError(f"{doing} failed: {told[0]}: {path}. {told[1]}.") from error


@contextmanager
def file_faults(doing: str, path: Path) -> Iterator[None]:
    """Turn OSError into StoreError."""
    try:
        yield
    except OSError as error:
        what, advice = told_error(error) or (_reason(error), _DISK)
        raise StoreError(f"{doing} failed: {what}: {path}. {advice}.") from error


def told_error(error: sqlite3.Error | OSError) -> tuple[str, str] | None:
    """Return what happened and what to do, or None if `error` is not about the disk."""
    if isinstance(error, sqlite3.Error):
        # Errors of the module itself carry no code; extended codes keep the primary one in the low byte.
        code: int = getattr(error, "sqlite_errorcode", sqlite3.SQLITE_ERROR)
        return _SQLITE.get(code & 0xFF)
    if error.errno in _NO_ROOM:
        return f"no room ({_reason(error)})", _ROOM
    if error.errno in _NO_RIGHT:
        return _reason(error), _RIGHTS
    return None


def _reason(error: OSError) -> str:
    return (error.strerror or type(error).__name__).lower()
