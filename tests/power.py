"""A machine whose power fails: what has reached its disk, and what may have."""

from __future__ import annotations

import os
import shutil
import stat
from collections.abc import Callable, Iterator
from contextlib import closing
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

import pytest

from selfplay_core.store.database import Database
from tests.scratch import scratch
from tests.store_samples import (
    assert_sound,
    expected_prompts,
    projection,
    prompts_in,
)

__all__ = ["BASE", "Died", "Power", "recovered"]

BASE: Final = b"what stood there"


def recovered(workspace: Path, output: Path, base: bytes = BASE) -> None:
    """Open what is left, as the next start does, and hold the output to the accepted rows."""
    with closing(Database.open(workspace)) as database:
        assert_sound(database)
        target = projection(database, output)
        target.check()
        target.catch_up()
        content = output.read_bytes() if output.exists() else b""
        assert content.startswith(base)
        ours = output.with_name("ours.jsonl")
        ours.write_bytes(content.removeprefix(base).removeprefix(b"\n"))
        assert prompts_in(ours) == expected_prompts(database)
        assert not output.with_name(f".{output.name}.selfplay-rewrite").exists()


class Died(BaseException):
    """Raised where a process is killed."""


@dataclass(slots=True)
class Power:
    """A machine whose power can fail at every step: knows what has reached the disk, and what may have.

    `os.fsync` of a file makes its content sure, of a folder its names; until then each of them is as before, as now,
    or something between. What SQLite has committed counts as sure, as it syncs every commit.
    """

    folder: Path
    check: Callable[[Path, Path], None]
    dies_at: int = -1
    fails: bool = True
    cuts: int = 0
    _sure: dict[int, bytes] = field(default_factory=dict)
    _since: dict[int, set[bytes]] = field(default_factory=dict)
    _names: dict[str, int] = field(default_factory=dict)
    _is_cut: bool = False
    _trouble: Exception | None = None

    def watch(self, patch: pytest.MonkeyPatch, database: Database) -> None:
        """Fail before each change of a file, each sync and each commit from here on, where it `fails` at all.

        The process that changes the files is killed, too, before change or sync number `dies_at`.
        """
        self._settle()
        for name in ("fsync", "pwrite", "ftruncate", "replace"):
            patch.setattr(os, name, self._failing(name, getattr(os, name)))
        database._connection.set_trace_callback(self._before_commit)

    def leave(self, database: Database) -> None:
        """Fail a last time, and no more; raises what was found at a commit."""
        database._connection.set_trace_callback(None)
        if self._trouble is not None:
            raise self._trouble
        self.cut()

    def _before_commit(self, sql: str) -> None:
        try:
            if sql == "COMMIT":
                self.cut()
        except Exception as error:  # SQLite would swallow it
            self._trouble = self._trouble or error

    def cut(self) -> None:
        """Hold whatever the disk may hold now to the laws."""
        if self._is_cut or not self.fails:
            return
        self._is_cut = True
        try:
            for output in self._outputs():
                with scratch() as left:
                    for file in ("selfplay.db", "selfplay.db-wal"):
                        if (self.folder / file).exists():
                            shutil.copy(self.folder / file, left)
                    for name, content in output.items():
                        (left / name).write_bytes(content)
                    self.cuts += 1
                    self.check(left, left / "out.jsonl")
        finally:
            self._is_cut = False

    def _outputs(self) -> Iterator[dict[str, bytes]]:
        """Yield what may stand in the files: sure names or those of now, each with every stage of its content."""
        now = self._named()
        for names in (self._names, now) if self._names != now else (now,):
            contents = {name: list(self._stages(inode)) for name, inode in names.items()}
            for turn in range(max((len(stages) for stages in contents.values()), default=1)):
                yield {name: stages[min(turn, len(stages) - 1)] for name, stages in contents.items()}

    def _stages(self, inode: int) -> Iterator[bytes]:
        sure = self._sure.get(inode, b"")
        now = self._content(inode)
        yield sure
        yield from self._since.get(inode, ())
        if now == sure:
            return
        kept = next((at for at, (one, other) in enumerate(zip(sure, now, strict=False)) if one != other), len(sure))
        middle = (kept + len(now)) // 2
        zeros = bytes(len(now) - middle)
        yield now
        yield now[:middle]
        yield now[:middle] + zeros
        yield now[:kept] + bytes(middle - kept) + now[middle:]

    def _content(self, inode: int) -> bytes:
        found = [name for name, known in self._named().items() if known == inode]
        return (self.folder / found[0]).read_bytes() if found else self._sure.get(inode, b"")

    def _named(self) -> dict[str, int]:
        return {path.name: path.stat().st_ino for path in self.folder.iterdir() if "out.jsonl" in path.name}

    def _settle(self) -> None:
        self._names = self._named()
        self._sure = {inode: self._content(inode) for inode in self._names.values()}

    def _note(self) -> None:
        """Keep what may reach the disk later, by itself."""
        for inode in self._named().values():
            self._since.setdefault(inode, set()).add(self._content(inode))

    def _failing(self, name: str, real: Callable[..., Any]) -> Callable[..., Any]:
        def call(first: Any, *rest: Any, **more: Any) -> Any:
            self.cut()
            if not self._is_cut:
                self.dies_at -= 1
                if self.dies_at == -1:
                    if name == "pwrite":
                        real(first, rest[0][: len(rest[0]) // 2], rest[1])
                    self._note()
                    raise Died
                self._note()
            done = real(first, *rest, **more)
            if name == "fsync" and not self._is_cut:
                found = os.fstat(first)
                if stat.S_ISDIR(found.st_mode):
                    self._names = self._named()
                else:
                    self._since.pop(found.st_ino, None)
                    self._sure[found.st_ino] = self._content(found.st_ino)
            return done

        return call
