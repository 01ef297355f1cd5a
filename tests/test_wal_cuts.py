"""What a power cut leaves of the database: every commit that was synced, whatever became of the files around it."""

from __future__ import annotations

import random
import shutil
import sqlite3
from collections.abc import Iterator, Sequence
from contextlib import closing
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path

import pytest

from selfplay_core.errors import OutputEditedError, SelfplayError
from selfplay_core.store.database import Database, Reader
from tests.power import BASE
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
