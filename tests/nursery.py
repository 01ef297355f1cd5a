"""Processes by the hundred: forked from one that has loaded and warmed up everything, so that a start costs little.

`python -m tests.nursery FD` is that process. What it forks runs the command line or another of the `ROLES`, and is a
process like any other: with its own descriptors, to be killed by its pid.
"""

from __future__ import annotations

import contextlib
import gc
import importlib
import io
import os
import signal
import socket
import subprocess
import sys
import tempfile
import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from types import TracebackType
from typing import Final, Self, TextIO

import msgspec

__all__ = ["Child", "Nursery"]

PATIENCE: Final = 60.0
_HEAD: Final = 4  # bytes that hold the length of a message
_ROLES: Final = "tests.storm_roles"


class _Order(msgspec.Struct):
    """What a child is to be."""

    role: str
    words: list[str]
    folder: str
    environment: dict[str, str]


@dataclass(slots=True)
class Child:
    """A process that was forked, and every line that it wrote to stdout; `name` is what the count of kills calls it."""

    name: str
    pid: int
    errors: Path
    _nursery: Nursery
    _stdout: int
    _lines: list[str] = field(default_factory=list)
    _news: threading.Condition = field(default_factory=threading.Condition)
    _ended: bool = False
    _code: int | None = None
    _reader: threading.Thread | None = None

    def begin(self) -> None:
        """Start to read."""
        self._reader = threading.Thread(target=self._read, name=f"child-{self.pid}", daemon=True)
        self._reader.start()

    @property
    def lines(self) -> list[str]:
        """The whole lines so far."""
        with self._news:
            return list(self._lines)

    @property
    def said(self) -> str:
        """What it wrote to stderr."""
        return self.errors.read_text(errors="replace")

    def has_said(self, lines: int) -> bool:
        """Wait until it has written so many lines; False if it ended before."""
        with self._news:
            if not self._news.wait_for(lambda: self._ended or len(self._lines) >= lines, PATIENCE):
                raise AssertionError(f"{self.name} said nothing for {PATIENCE:g} s: {self._lines[-2:]}, {self.said}")
            return len(self._lines) >= lines

    def lives_for(self, seconds: float) -> bool:
        """Whether it is still there after so long; returns when it ends."""
        with self._news:
            return not self._news.wait_for(lambda: self._ended, seconds)

    def kill(self) -> int:
        """Kill it, if it has not ended by itself, and return its exit code: minus 9 if it was this."""
        os.kill(self.pid, signal.SIGKILL)  # not reaped yet, so nobody else has this pid
        return self.wait()

    def wait(self) -> int:
        """Wait for its end and return its exit code, or the negative number of its signal."""
        if self._code is None:
            assert self._reader is not None
            self._reader.join(PATIENCE)
            assert not self._reader.is_alive(), f"{self.name} did not end: {self._lines[-2:]}, {self.said}"
            self._code = self._nursery.reap(self.pid)
        return self._code

    def _read(self) -> None:
        with open(self._stdout, "rb") as stream:
            for line in stream:
                with self._news:
                    # A line without its end was cut off by the kill.
                    if line.endswith(b"\n"):
                        self._lines.append(line.decode().rstrip("\n"))
                    self._news.notify_all()
        with self._news:
            self._ended = True
            self._news.notify_all()


class Nursery:
    """The process that forks; a context manager, which kills at its end what still lives."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._living: dict[int, Child] = {}
        self._started = 0
        self._socket, theirs = socket.socketpair()
        with theirs:
            command = [sys.executable, "-m", "tests.nursery", str(theirs.fileno())]
            self._process = subprocess.Popen(command, pass_fds=[theirs.fileno()])
        self._socket.settimeout(PATIENCE)

    def __enter__(self) -> Self:
        assert _received(self._socket)[0] == b"ready"
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        for child in list(self._living.values()):
            child.kill()
        self._socket.close()
        self._process.wait(PATIENCE)

    def start(self, role: str, *words: str, folder: Path, name: str = "", **environment: str) -> Child:
        """Fork a process that runs a role in `folder`."""
        order = _Order(role, list(words), str(folder), {"XDG_STATE_HOME": str(folder / "state"), **environment})
        self._started += 1
        errors = self._folder / f"{self._started}.stderr"
        out, into = os.pipe()
        with errors.open("wb") as stderr:
            _send(self._socket, msgspec.json.encode(order), [into, stderr.fileno()])
        os.close(into)
        pid = int(_received(self._socket)[0])
        self._living[pid] = child = Child(name or role, pid, errors, self, out)
        child.begin()
        return child

    def run(self, role: str, *words: str, folder: Path, **environment: str) -> Child:
        """Fork a process that runs a role in `folder`, and wait for its end."""
        child = self.start(role, *words, folder=folder, **environment)
        child.wait()
        return child

    def reap(self, pid: int) -> int:
        """Take in the exit code of a process that has ended, or is about to."""
        _send(self._socket, str(pid).encode())
        code = int(_received(self._socket)[0])
        del self._living[pid]
        return code


def _serve(orders: socket.socket) -> None:
    _warm_up()
    _send(orders, b"ready")
    while True:
        message, descriptors = _received(orders)
        if not message:
            return
        if descriptors:
            pid = os.fork()
            if pid == 0:
                orders.close()
                _be(msgspec.json.decode(message, type=_Order), descriptors)
            for descriptor in descriptors:
                os.close(descriptor)
            _send(orders, str(pid).encode())
        else:
            _, status = os.waitpid(int(message), 0)
            _send(orders, str(os.waitstatus_to_exitcode(status)).encode())


def _send(orders: socket.socket, message: bytes, descriptors: Sequence[int] = ()) -> None:
    socket.send_fds(orders, [len(message).to_bytes(_HEAD)], descriptors)
    orders.sendall(message)


def _received(orders: socket.socket) -> tuple[bytes, list[int]]:
    """Return a message and the descriptors that came with it; an empty one where the other side has gone."""
    head, descriptors, _, _ = socket.recv_fds(orders, _HEAD, 2)
    return orders.recv(int.from_bytes(head), socket.MSG_WAITALL) if head else b"", list(descriptors)


def _be(order: _Order, descriptors: Sequence[int]) -> None:
    """Become what was ordered, and end with it."""
    code = 70
    try:
        for descriptor, standard in zip(descriptors, (1, 2), strict=True):
            os.dup2(descriptor, standard)
            os.close(descriptor)
        os.chdir(order.folder)
        os.environ.update(order.environment)
        # Anew, for the streams of the process that forked know other files.
        sys.stdout, sys.stderr = _stream(1), _stream(2)
        code = _role(order.role)(order.words)
        sys.stdout.flush()
    except SystemExit as ended:
        code = ended.code if isinstance(ended.code, int) else 1
    except BaseException:
        sys.excepthook(*sys.exc_info())
    finally:
        sys.stderr.flush()
        os._exit(code)


def _stream(descriptor: int) -> TextIO:
    return open(descriptor, "w", buffering=1, encoding="utf-8", closefd=False)


def _role(name: str) -> Callable[[list[str]], int]:
    roles: dict[str, Callable[[list[str]], int]] = importlib.import_module(_ROLES).ROLES
    return roles[name]


def _warm_up() -> None:
    """Load, once and for all children, whatever a run, a review, an export and an import load."""
    with tempfile.TemporaryDirectory() as folder, contextlib.redirect_stdout(io.StringIO()):
        os.environ["XDG_STATE_HOME"] = folder
        for words in (
            ["--headless", "--json", "--rounds", "1", "--seed", "1", "--workspace", f"{folder}/a"],
            ["export", "--workspace", f"{folder}/a", "--format", "native", "--output", f"{folder}/native"],
            ["import", f"{folder}/native", "--workspace", f"{folder}/b"],
        ):
            assert _role("command")(words) == 0, words
    assert threading.active_count() == 1, threading.enumerate()
    gc.collect()
    gc.freeze()  # so that children need not copy what all of them share


if __name__ == "__main__":
    _serve(socket.socket(fileno=int(sys.argv[1])))
