"""What is done to an output file, one step a method, so that a test can stop between two."""

from __future__ import annotations

import errno
import os
import stat
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO

__all__ = ["Disk", "NotPlain", "beside", "stamp_of"]

_BLOCK = 1024 * 1024


class NotPlain(OSError):
    """Raised when the path leads to something that is no plain file."""


class Disk:
    """Changes output files; every method has reached the disk when it returns. Raises OSError."""

    def append(self, path: Path, offset: int, data: bytes) -> None:
        """Put `data` at `offset`, which must be the file's end; for offset 0 the file is made."""
        with _opened(path, os.O_RDWR | (os.O_CREAT if offset == 0 else 0)) as fd:
            if os.fstat(fd).st_size != offset:
                raise OSError(errno.EBUSY, "the file changed while it was written")
            self.write(fd, offset, data)
            os.fsync(fd)
        if offset == 0:
            sync_folder(path)

    def append_again(self, path: Path, offset: int, data: bytes) -> None:
        """Put `data` at `offset`, where it may stand already.

        A sync that failed once succeeds the second time although the blocks never reached the disk: only what is
        written anew is synced anew.
        """
        with _opened(path, os.O_RDWR) as fd:
            self.write(fd, offset, data)
            os.fsync(fd)
        sync_folder(path)

    def write(self, fd: int, offset: int, data: bytes) -> None:
        view = memoryview(data)
        while view:
            done = os.pwrite(fd, view, offset)
            view, offset = view[done:], offset + done

    def cut(self, path: Path, size: int) -> None:
        """Shorten the file to `size` bytes."""
        with _opened(path, os.O_RDWR) as fd:
            os.ftruncate(fd, size)
            os.fsync(fd)

    def sync(self, path: Path) -> None:
        """Make sure of a file that was moved by a process which died before it had synced the folder."""
        with _opened(path, os.O_RDWR) as fd:
            os.fsync(fd)
        sync_folder(path)

    def write_beside(self, path: Path, kept: int, fill: Callable[[BinaryIO], None]) -> None:
        """Make the next file beside `path`: its first `kept` bytes, then what `fill` writes."""
        with open(beside(path), "wb") as new:
            if path.exists():
                with path.open("rb") as old:
                    os.fchmod(new.fileno(), stat.S_IMODE(os.fstat(old.fileno()).st_mode))
                    _copy(old, new, kept)
            fill(new)
            new.flush()
            os.fsync(new.fileno())

    def put_in_place(self, path: Path) -> None:
        """Let the file beside `path` take its place."""
        os.replace(beside(path), path)
        sync_folder(path)

    def discard(self, path: Path) -> None:
        """Remove what an unfinished rewrite left beside `path`."""
        beside(path).unlink(missing_ok=True)


def beside(path: Path) -> Path:
    return path.with_name(f".{path.name}.selfplay-rewrite")


def stamp_of(path: Path) -> tuple[int, str] | None:
    """Return size and identity of a plain file, None if nothing is there; raises NotPlain for anything else.

    Two equal stamps with equal sizes mean that nobody wrote in between.
    """
    try:
        found = path.lstat()
    except FileNotFoundError:
        return None
    if not stat.S_ISREG(found.st_mode):
        raise NotPlain(errno.EINVAL, f"it is {_kind(found.st_mode)}")
    return found.st_size, f"{found.st_dev}:{found.st_ino}:{found.st_mtime_ns}"


def sync_folder(path: Path) -> None:
    fd = os.open(path.parent, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        os.fsync(fd)
    finally:
        os.close(fd)


@contextmanager
def _opened(path: Path, flags: int) -> Iterator[int]:
    # Without blocking: a FIFO that was put here meanwhile must not hold us for ever.
    fd = os.open(path, flags | os.O_CLOEXEC | os.O_NOFOLLOW | os.O_NONBLOCK, 0o666)
    try:
        yield fd
    finally:
        os.close(fd)


def _copy(old: BinaryIO, new: BinaryIO, size: int) -> None:
    while size > 0 and (block := old.read(min(size, _BLOCK))):
        new.write(block)
        size -= len(block)
    if size > 0:
        raise OSError(errno.EBUSY, "the file changed while it was read")


def _kind(mode: int) -> str:
    if stat.S_ISDIR(mode):
        return "a folder"
    if stat.S_ISFIFO(mode):
        return "a pipe"
    return "a symbolic link" if stat.S_ISLNK(mode) else "a device or socket"
