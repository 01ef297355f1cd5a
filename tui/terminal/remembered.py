"""What the review screen remembers of each workspace: its layout, filter, theme and place."""

from __future__ import annotations

import os
import stat
import tempfile
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

import msgspec
import platformdirs

__all__ = ["Remembered", "recall", "remember"]

_VERSION: Final = 1
_NEWEST: Final = 50
_MOST_BYTES: Final = 1_000_000

# UnicodeError is a ValueError: a path or a filter may hold half a surrogate pair, which no JSON can.
_TROUBLE: Final = (OSError, ValueError, msgspec.MsgspecError)


@dataclass(frozen=True, slots=True)
class Remembered:
    """How a person left the screen; `hidden` are names of panes, `number` is that of the example looked at."""

    filter_text: str = ""
    hidden: tuple[str, ...] = ()
    theme: str = ""
    number: int | None = None
    tail: bool = True
    diff: bool = True


@dataclass(frozen=True, slots=True)
class _File:
    """The whole file, the workspace that was left last at the end."""

    version: int = _VERSION
    workspaces: dict[str, Remembered] = field(default_factory=dict)


def recall(workspace: Path) -> Remembered:
    """Return how the screen was left in a workspace; the defaults if that cannot be known."""
    with suppress(*_TROUBLE):
        return _read().workspaces.get(_name(workspace), Remembered())
    return Remembered()


def remember(workspace: Path, left: Remembered) -> None:
    """Note how the screen was left; does nothing where that cannot be written.

    Of two screens that are left at the same moment, the later one's note stands.
    """
    with suppress(*_TROUBLE):
        name = _name(workspace)
        others = {known: noted for known, noted in _read().workspaces.items() if known != name}
        _write(_File(workspaces=dict([*others.items(), (name, left)][-_NEWEST:])))


def _name(workspace: Path) -> str:
    return os.path.realpath(workspace)


def _path() -> Path:
    return platformdirs.user_state_path("selfplay-tui") / "review.json"


def _read() -> _File:
    with suppress(*_TROUBLE):
        found = msgspec.json.decode(_content(_path()), type=_File)
        if found.version == _VERSION:
            return found
    return _File()


def _content(path: Path) -> bytes:
    # A pipe in the file's place must not keep the screen waiting for somebody who writes into it.
    descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC | os.O_NONBLOCK)
    with open(descriptor, "rb") as file:
        if not stat.S_ISREG(os.fstat(descriptor).st_mode):
            return b""
        return file.read(_MOST_BYTES)


def _write(content: _File) -> None:
    path = _path()
    path.parent.mkdir(parents=True, exist_ok=True)
    descriptor, beside = tempfile.mkstemp(prefix=f"{path.name}.", dir=path.parent)
    try:
        with open(descriptor, "wb") as file:
            file.write(msgspec.json.encode(content))
        os.replace(beside, path)
    except BaseException:
        os.unlink(beside)
        raise
