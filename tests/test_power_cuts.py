"""What a power cut leaves of the output file and of the database: all that was synced, and anything of the rest."""

from __future__ import annotations

import errno
import os
import random
import shutil
import sqlite3
import stat
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing
from dataclasses import dataclass, field
from functools import partial
from itertools import pairwise
from pathlib import Path
from typing import Any, Final

import pytest

from selfplay_core.errors import OutputEditedError, SelfplayError, StoreError
from selfplay_core.exchange.files import FileSet
from selfplay_core.store import projection as projection_module
from selfplay_core.store.database import Database, Reader
from selfplay_core.store.decisions import undo
from tests.scratch import scratch
from tests.store_samples import (
    ACCEPT,
    accepted,
    assert_sound,
    begun,
    decided,
    ended,
    expected_prompts,
    projection,
    prompts_in,
)

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


def test_power_fails_at_every_step(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Before whichever step of appends and rewrites the power fails: what is left is continued or mended."""
    monkeypatch.setattr(projection_module, "_BATCH_ROWS", 2)
    output = tmp_path / "out.jsonl"
    output.write_bytes(BASE)
    with closing(begun(tmp_path)) as database:
        power = Power(tmp_path, recovered)
        with monkeypatch.context() as patch:
            power.watch(patch, database)
            target = projection(database, output)
            first, *_ = accepted(database, ["a", "b", "c" * 40])
            target.catch_up()
            accepted(database, ["d", "e"], 2)
            target.catch_up()
            undo(database, first.id, by="tester", at=1.0)
            target.catch_up()
            decided(database, first)
            target.catch_up()
            power.leave(database)
    assert power.cuts > 60
    recovered(tmp_path, output)


def test_power_fails_after_a_kill(tmp_path: Path) -> None:
    """A process dies, and the power fails while the next one recovers: nothing counts as sure too early."""
    died_at = 0
    while _dies_and_recovers(tmp_path / str(died_at), died_at):
        died_at += 1
    assert died_at >= 8


def _dies_and_recovers(folder: Path, died_at: int) -> bool:
    """Kill at a step of the first append, the next one or a rewrite; False if there is no such step."""
    folder.mkdir()
    output = folder / "out.jsonl"
    with closing(begun(folder)) as database, pytest.MonkeyPatch.context() as patch:
        power = Power(folder, partial(recovered, base=b""), dies_at=died_at, fails=False)
        power.watch(patch, database)
        target = projection(database, output)
        died = False
        try:
            first, _ = accepted(database, ["a", "b" * 40])
            target.catch_up()
            accepted(database, ["c"], 2)
            target.catch_up()
            undo(database, first.id, by="tester", at=1.0)
            target.catch_up()
        except Died:
            died, power.fails = True, True
            projection(database, output).check()
            projection(database, output).catch_up()
        power.fails = True
        power.leave(database)
        return died


@pytest.fixture
def half_way(tmp_path: Path) -> tuple[Path, int, bytes]:
    """A workspace whose process died before it synced an append: its output, the size that is sure, and the tail."""
    output = tmp_path / "out.jsonl"
    output.write_bytes(BASE)
    with closing(begun(tmp_path)) as database:
        target = projection(database, output)
        accepted(database, ["a", "b"])
        target.catch_up()
        sure = output.stat().st_size
        accepted(database, ["c", "d" * 30, "é"], 2)

        def die(fd: int) -> None:
            raise KeyboardInterrupt

        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(os, "fsync", die)
            with pytest.raises(KeyboardInterrupt):
                target.catch_up()
    return output, sure, output.read_bytes()[sure:]


def test_an_append_is_cut_at_any_byte(tmp_path: Path, half_way: tuple[Path, int, bytes]) -> None:
    """Whatever a power cut leaves of the last lines, they stand there once and whole after the next start."""
    output, sure, tail = half_way
    kept = output.read_bytes()[:sure]
    for left in _beginnings(tail):
        with scratch() as copy:
            shutil.copytree(tmp_path, copy, dirs_exist_ok=True)
            (copy / "out.jsonl").write_bytes(kept + left)
            recovered(copy, copy / "out.jsonl")
            assert (copy / "out.jsonl").read_bytes() == kept + tail


def _beginnings(tail: bytes) -> Iterator[bytes]:
    for end in range(len(tail) + 1):
        yield tail[:end]
    for end in range(0, len(tail), 7):
        yield tail[:end] + bytes(len(tail) - end)
        yield bytes(end) + tail[end:]
        yield tail[: end // 2] + bytes(end - end // 2)


@pytest.mark.parametrize("damage", ["changed", "shorter", "longer", "zeros behind", "zeros within"])
def test_what_no_power_cut_leaves_is_refused(tmp_path: Path, half_way: tuple[Path, int, bytes], damage: str) -> None:
    """A file that neither we nor a power cut made so is left alone; another output gets every row."""
    output, sure, tail = half_way
    whole = output.read_bytes()
    damaged = {
        "changed": whole[:sure] + tail.replace(b"prompt", b"PROMPT"),
        "shorter": whole[: sure - 3],
        "longer": whole + b"{}\n",
        "zeros behind": whole + bytes(9),
        "zeros within": whole[: sure - 9] + bytes(9) + tail,
    }[damage]
    output.write_bytes(damaged)
    with closing(Database.open(tmp_path)) as database:
        with pytest.raises(OutputEditedError, match=r"changed by hand.*found.*another --output"):
            projection(database, output).check()
        assert output.read_bytes() == damaged
        other = projection(database, tmp_path / "other.jsonl")
        other.check()
        other.catch_up()
        assert prompts_in(tmp_path / "other.jsonl") == expected_prompts(database)


@dataclass(frozen=True, slots=True)
class Written:
    """A workspace that was copied from under its process, with the size that its WAL had after each commit."""

    folder: Path
    acknowledged: Sequence[tuple[int, str]]

    @property
    def wal(self) -> bytes:
        return (self.folder / "selfplay.db-wal").read_bytes()

    def sure_at(self, size: int) -> set[str]:
        """Return the traces whose commits stand in so many bytes of the WAL."""
        return {trace_id for needed, trace_id in self.acknowledged if needed <= size}


@pytest.fixture(scope="module")
def written(tmp_path_factory: pytest.TempPathFactory) -> Written:
    folder, place = tmp_path_factory.mktemp("live"), tmp_path_factory.mktemp("written")
    acknowledged: list[tuple[int, str]] = []
    (folder / "out.jsonl").write_bytes(BASE)
    with closing(begun(folder)) as database:
        target = projection(database, folder / "out.jsonl")
        for number in range(1, 9):
            (made,) = ended(database, [f"prompt {number}"], number)
            decided(database, made, ACCEPT)
            acknowledged.append(((folder / "selfplay.db-wal").stat().st_size, made.id))
            target.catch_up()
        for name in ("selfplay.db", "selfplay.db-wal", "out.jsonl"):
            shutil.copy(folder / name, place)
    sizes = [size for size, _ in acknowledged]
    assert all(first < second for first, second in pairwise(sizes)), "the WAL began anew: make fewer traces"
    return Written(place, acknowledged)


def _left(written: Written, place: Path, wal: bytes | None) -> Path:
    for name in ("selfplay.db", "out.jsonl"):
        shutil.copy(written.folder / name, place)
    if wal is not None:
        (place / "selfplay.db-wal").write_bytes(wal)
    return place


def _damaged_wals(written: Written) -> Iterator[tuple[int, bytes]]:
    """Yield what a power cut may leave of the WAL, with the size up to which it is as it was."""
    chance, whole = random.Random(11), written.wal
    edges = [size + step for size, _ in written.acknowledged for step in (-1, 0, 1)]
    for size in [0, 16, 32, 56, *edges, *(chance.randrange(len(whole)) for _ in range(40)), len(whole)]:
        size = min(size, len(whole))
        yield size, whole[:size]
        yield size, whole[:size] + bytes(len(whole) - size)
        if size < len(whole):
            yield size, whole[:size] + bytes([whole[size] ^ 0x41]) + whole[size + 1 :]
            yield size, whole[:size] + chance.randbytes(len(whole) - size)


def test_a_wal_is_cut_anywhere(written: Written) -> None:
    """Every commit before the cut is there, of every one behind it nothing; the output is continued or refused.

    Refused it is where the disk has lost what it had called synced: then the file holds rows of which the database
    knows nothing, and another output gets what is known.
    """
    refused = 0
    for size, wal in _damaged_wals(written):
        with scratch() as place:
            workspace = _left(written, place, wal)
            with closing(Database.open(workspace)) as database:
                assert_sound(database)
                found = {trace_id for (trace_id,) in database.rows("SELECT trace_id FROM accepted")}
                assert written.sure_at(size) <= found
                refused += not _goes_on(database, workspace)
    assert refused > 0


def _goes_on(database: Database, workspace: Path) -> bool:
    output, other = workspace / "out.jsonl", workspace / "other.jsonl"
    before, is_known = output.read_bytes(), bool(database.rows("SELECT 1 FROM output"))
    target = projection(database, output)
    try:
        target.check()
    except OutputEditedError:
        assert output.read_bytes() == before
        projection(database, other).catch_up()
        assert prompts_in(other) == expected_prompts(database)
        return False
    target.catch_up()
    # A database that has never heard of the file takes all of it for what its owner had there before.
    base = BASE if is_known else before
    assert output.read_bytes().startswith(base)
    other.write_bytes(output.read_bytes().removeprefix(base).removeprefix(b"\n"))
    assert prompts_in(other) == expected_prompts(database)
    return True


@pytest.mark.parametrize("opened", [Reader, Database])
def test_the_index_of_the_wal_may_be_missing_or_garbage(written: Written, opened: type[Reader]) -> None:
    """Who comes first after a crash, a reader too, sees all that was committed."""
    for index in (None, b"", bytes(32768), random.Random(3).randbytes(32768)):
        with scratch() as place:
            workspace = _left(written, place, written.wal)
            if index is not None:
                (workspace / "selfplay.db-shm").write_bytes(index)
            with closing(opened.open(workspace)) as reader:
                assert len(reader.rows("SELECT id FROM trace")) == len(written.acknowledged)
                assert reader.rows("PRAGMA integrity_check") == [("ok",)]


def test_a_wal_that_is_gone_takes_only_its_own_commits_along(written: Written, tmp_path: Path) -> None:
    """Without its WAL the database is as it was when the last one had been written back, and sound."""
    whole = tmp_path / "whole"
    whole.mkdir()
    _left(written, whole, written.wal)
    with closing(Database.open(whole)) as database:
        accepted(database, ["later"], 20)
        shutil.copytree(whole, tmp_path / "left", ignore=shutil.ignore_patterns("*-wal", "*-shm"))
    with closing(Database.open(tmp_path / "left")) as database:
        assert_sound(database)
        assert len(database.rows("SELECT id FROM trace")) in (len(written.acknowledged), 0)


def test_a_torn_database_is_told(written: Written, tmp_path: Path) -> None:
    """A database of which blocks are gone opens, or is refused in three parts: never a traceback, never silence."""
    whole = tmp_path / "whole"
    whole.mkdir()
    _left(written, whole, written.wal)
    Database.open(whole).close()
    content = (whole / "selfplay.db").read_bytes()
    chance, told = random.Random(5), set()
    for _ in range(40):
        at = chance.randrange(len(content) // 8192) * 8192
        damaged = chance.choice([content[:at], content[:at] + bytes(8192) + content[at + 8192 :], content[: at + 100]])
        with scratch() as place:
            (place / "selfplay.db").write_bytes(damaged)
            told.add(_told_of(place))
    assert any("damaged" in words for words in told), told


def _told_of(workspace: Path) -> str:
    try:
        with closing(Database.open(workspace)) as database:
            accepted(database, ["more"], 30)
            return str(database.rows("PRAGMA integrity_check")[0][0])
    except SelfplayError as error:
        return str(error)
    except sqlite3.Error as error:
        raise AssertionError("a fault of the disk was not told") from error


def test_a_sync_that_failed_is_not_believed_the_second_time(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """After a failed sync the file is as before, and its rows are written again before they count as written."""
    output, written, synced = tmp_path / "out.jsonl", list[int](), [0]
    fsync, pwrite = os.fsync, os.pwrite

    def failing_once(fd: int) -> None:
        synced[0] += 1
        if synced[0] == 1:
            raise OSError(errno.EIO, os.strerror(errno.EIO))
        fsync(fd)

    def counting(fd: int, data: bytes, offset: int) -> int:
        written.append(synced[0])
        return pwrite(fd, data, offset)

    with closing(begun(tmp_path)) as database:
        target = projection(database, output)
        accepted(database, ["a", "b"])
        monkeypatch.setattr(os, "fsync", failing_once)
        monkeypatch.setattr(os, "pwrite", counting)
        with pytest.raises(StoreError, match=r"appending to the output failed.*out\.jsonl.*then go on"):
            target.catch_up()
        assert output.read_bytes() == b""
        assert target.catch_up() == 2
        assert written[0] == 0
        assert written[-1] > 0
        assert prompts_in(output) == ["a", "b"]


def test_rows_of_a_dead_process_are_written_again(
    half_way: tuple[Path, int, bytes], monkeypatch: pytest.MonkeyPatch
) -> None:
    """A whole append that nobody has synced may be one whose sync had failed: it is written over itself."""
    output, sure, tail = half_way
    written, pwrite = [], os.pwrite

    def recording(fd: int, data: bytes, offset: int) -> int:
        written.append((bytes(data), offset))
        return pwrite(fd, data, offset)

    monkeypatch.setattr(os, "pwrite", recording)
    recovered(output.parent, output)
    assert written == [(tail, sure)]


def test_an_export_is_on_the_disk_before_it_is_in_its_place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Every file of an export is synced before the first one moves, and its folder once all have moved."""
    done: list[tuple[str, int]] = []
    fsync, move = os.fsync, os.replace

    def syncing(fd: int) -> None:
        fsync(fd)
        done.append(("synced", os.fstat(fd).st_ino))

    def moving(source: Path, target: Path) -> None:
        done.append(("moved", source.stat().st_ino))
        move(source, target)

    monkeypatch.setattr(os, "fsync", syncing)
    monkeypatch.setattr(os, "replace", moving)
    with FileSet.opened() as files:
        for name in ("one", "two"):
            files.target(tmp_path / name).write(b"x" * 5_000_000)
        files.publish()
    one, two, folder = ((tmp_path / name).stat().st_ino for name in ("one", "two", "."))
    assert done == [("synced", one), ("synced", two), ("moved", one), ("moved", two), ("synced", folder)]
