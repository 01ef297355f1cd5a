"""Locks between processes: one for the length of a transaction, one for the length of a run."""

from __future__ import annotations

import fcntl
import os
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from selfplay_core.errors import StoreError

__all__ = ["Lease", "WorkspaceLock"]


# Whoever only looks whether a lease is taken has it shared for an instant.
_GLANCE = 0.5


class WorkspaceLock:
    """An exclusive flock on one file, re-entrant within its owner, waited for at most `wait` seconds.

    SQLite's own busy handler sleeps and is unfair (seconds of delay under load), and two connections that
    write at once can corrupt the WAL in SQLite before 3.51.3: this lock stands around every write.
    """

    def __init__(self, path: Path, wait: float) -> None:
        self._path = path
        self._wait = wait
        self._fd = -1
        self._depth = 0

    @contextmanager
    def held(self) -> Iterator[None]:
        """Hold the lock; raises StoreError at the deadline and OSError if the file cannot be opened."""
        if self._depth == 0:
            self._fd = self._acquire()
        self._depth += 1
        try:
            yield
        finally:
            self._depth -= 1
            if self._depth == 0:
                os.close(self._fd)

    def _acquire(self) -> int:
        deadline = time.monotonic() + self._wait
        while True:
            fd = _open(self._path)
            if not _try_lock(fd):
                fd = self._wait_for(fd, deadline)
            if _still_there(fd, self._path):
                return fd
            os.close(fd)

    def _wait_for(self, fd: int, deadline: float) -> int:
        if _waited_for(fd, max(0.0, deadline - time.monotonic())):
            return fd
        raise StoreError(
            f"waited {self._wait:g} s for another process to end its write: {self._path}. "
            "Look for a selfplay-tui that hangs in this workspace, end it, and try again."
        )


class Lease:
    """A lock that is kept while a run goes on, and that the system gives back when its process dies."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._fd: int | None = None

    def acquire(self) -> bool:
        """Take the lease; False if somebody else has it."""
        if self._fd is not None:
            return True
        fd = _open(self._path)
        if not _try_lock(fd):
            # Shared it can be had only from those who look. To wait for a holder would be to get the lock when the
            # holder dies, long after giving up, and to look for an instant like a run that goes on.
            if not _try_lock(fd, fcntl.LOCK_SH):
                os.close(fd)
                return False
            if not _waited_for(fd, _GLANCE):
                return False
        self._fd = fd
        return True

    def release(self) -> None:
        if self._fd is not None:
            os.close(self._fd)
            self._fd = None

    def is_taken(self) -> bool:
        """Whether anybody has the lease, this object included."""
        if self._fd is not None:
            return True
        try:
            fd = os.open(self._path, os.O_RDONLY | os.O_CLOEXEC)
        except FileNotFoundError:
            return False
        try:
            return not _try_lock(fd, fcntl.LOCK_SH)
        finally:
            os.close(fd)


class _Waiter(threading.Thread):
    """Blocks in flock, which knows no deadline, for an owner that has one; closes a lock that comes late."""

    def __init__(self, fd: int) -> None:
        super().__init__(name="selfplay-lock", daemon=True)
        self._fd = fd
        self._answered = threading.Event()
        self._mutex = threading.Lock()
        self._abandoned = False
        self._granted = False
        self._error: OSError | None = None

    def run(self) -> None:
        try:
            fcntl.flock(self._fd, fcntl.LOCK_EX)
        except OSError as error:
            self._error = error
        with self._mutex:
            if self._abandoned or self._error is not None:
                os.close(self._fd)
            else:
                self._granted = True
        self._answered.set()

    def granted_within(self, seconds: float) -> bool:
        try:
            self._answered.wait(seconds)
        finally:
            with self._mutex:
                self._abandoned = not self._granted
        if self._error is not None:
            raise self._error
        return self._granted


def _open(path: Path) -> int:
    return os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o666)


def _waited_for(fd: int, seconds: float) -> bool:
    """Wait for the lock on `fd`, which is closed if it does not come in time."""
    waiter = _Waiter(fd)
    waiter.start()
    return waiter.granted_within(seconds)


def _try_lock(fd: int, kind: int = fcntl.LOCK_EX) -> bool:
    try:
        fcntl.flock(fd, kind | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


def _still_there(fd: int, path: Path) -> bool:
    """Whether `path` is still the locked file: one that was deleted meanwhile locks nobody out."""
    try:
        there = os.stat(path)
    except FileNotFoundError:
        return False
    return os.path.samestat(os.fstat(fd), there)
