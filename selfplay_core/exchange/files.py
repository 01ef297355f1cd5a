"""Files that appear whole or not at all."""

from __future__ import annotations

import errno
import fcntl
import glob
import hashlib
import os
import stat
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path
from typing import BinaryIO, Final

from selfplay_core.errors import StoreError, UsageError

__all__ = ["FileSet", "Target", "disk_fault", "refuse_existing"]

_BUFFER: Final = 1024 * 1024
_ENDING: Final = ".selfplay-export"


class Target:
    """Lines on their way into a stream, counted and hashed."""

    def __init__(self, stream: BinaryIO) -> None:
        self._stream = stream
        self._hash = hashlib.sha256()
        self.lines = 0
        self.size = 0

    def write(self, line: bytes) -> None:
        """Add a line; its newline is added here."""
        whole = line + b"\n"
        self._stream.write(whole)
        self._hash.update(whole)
        self.lines += 1
        self.size += len(whole)

    @property
    def sha256(self) -> str:
        """The hash of all that was written."""
        return self._hash.hexdigest()


class FileSet:
    """Files that are written beside their places, and put there together; without `publish` nothing has happened."""

    def __init__(self) -> None:
        self._made: list[tuple[Path, Path]] = []
        self._stack = ExitStack()

    @classmethod
    @contextmanager
    def opened(cls) -> Iterator[FileSet]:
        """Remove in the end whatever was not published."""
        files = cls()
        try:
            yield files
        finally:
            files._discard()

    @contextmanager
    def alone_in(self, folder: Path) -> Iterator[None]:
        """Keep other exports from publishing into a folder."""
        fd = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
        try:
            fcntl.flock(fd, fcntl.LOCK_EX)
            yield
        finally:
            os.close(fd)

    def target(self, path: Path) -> Target:
        """Return a new file that will stand at `path`; raises UsageError if it cannot be made."""
        _sweep(path)
        beside = path.with_name(f".{path.name}.{os.getpid()}{_ENDING}")
        try:
            stream = self._stack.enter_context(beside.open("wb", buffering=_BUFFER))
        except OSError as error:
            raise UsageError(
                f"this file cannot be written: {path}: {error.strerror}. Name another --output, or make its folder."
            ) from error
        self._made.append((beside, path))
        return Target(stream)

    def write_whole(self, path: Path, content: bytes) -> None:
        """Make a file of one piece."""
        self.target(path).write(content.removesuffix(b"\n"))

    def publish(self) -> None:
        """Let every file take its place, once all have reached the disk; raises StoreError if the disk says no."""
        try:
            self._stack.close()
            for beside, _ in self._made:
                _sync(beside)
        except OSError as error:
            raise disk_fault(error, self._made[0][1]) from error
        done: list[str] = []
        try:
            for beside, path in self._made:
                os.replace(beside, path)
                done.append(str(path))
            for folder in {path.parent for _, path in self._made}:
                _sync(folder)
        except OSError as error:
            raise disk_fault(error, path, done) from error

    def _discard(self) -> None:
        with suppress(OSError):
            self._stack.close()
        for beside, _ in self._made:
            beside.unlink(missing_ok=True)


def refuse_existing(path: Path, *, force: bool) -> None:
    """Raise UsageError by anything at `path` that is not ours to replace."""
    try:
        found = path.lstat()
    except FileNotFoundError:
        if not path.parent.is_dir():
            raise UsageError(f"the folder does not exist: {path.parent}. Make it, or name another --output.") from None
        return
    except OSError as error:
        raise UsageError(f"this path cannot be used: {path}: {error.strerror}. Name another --output.") from error
    if not stat.S_ISREG(found.st_mode):
        raise UsageError(f"this is no plain file: {path}. Name another --output.")
    if not force:
        raise UsageError(f"this file exists already: {path}. Give --force to replace it, or name another --output.")


def disk_fault(error: OSError, path: Path, done: Sequence[str] = ()) -> StoreError:
    """Return what a person is told when writing fails; `done` are the files that stand in their places already."""
    advice = "Free some space" if error.errno in (errno.ENOSPC, errno.EDQUOT, errno.EFBIG) else "Look at the disk"
    replaced = f"replaced already: {', '.join(done)}" if done else "nothing was replaced"
    return StoreError(f"the disk refused the export: {path}: {error.strerror}. {advice}; {replaced}.")


def _sweep(path: Path) -> None:
    """Remove what exports of the same file left that were killed."""
    for left in path.parent.glob(f".{glob.escape(path.name)}.*{_ENDING}"):
        pid = left.name.removesuffix(_ENDING).rpartition(".")[2]
        if pid.isdecimal() and not _is_alive(int(pid)):
            left.unlink(missing_ok=True)


def _is_alive(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except OSError:
        return True
    return True


def _sync(path: Path) -> None:
    fd = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
    try:
        os.fsync(fd)
    finally:
        os.close(fd)
