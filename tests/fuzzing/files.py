"""Targets: lines of files read back, files of cases for a bake-off, and whole files taken into a workspace."""

from __future__ import annotations

import shutil
import sqlite3
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from itertools import count
from pathlib import Path
from tempfile import TemporaryDirectory, mkdtemp
from typing import Any
from unittest.mock import patch

from selfplay_core.bakeoff.cases import read_cases
from selfplay_core.dataset.native import NotNative, read_native
from selfplay_core.errors import SettingsError, StoreError
from selfplay_core.exchange.importing import Imported, import_files
from selfplay_core.exchange.original import NotARow, read_row
from selfplay_core.exchange.rows import render
from selfplay_core.models import Decision, DecisionKind
from selfplay_core.store import imports
from selfplay_core.store.codec import decode, encode
from selfplay_core.store.database import DATABASE_NAME, Database
from selfplay_core.store.imports import Fate
from selfplay_core.store.traces import insert_trace
from selfplay_core.text import one_line
from tests.fuzzing.laws import assert_shown
from tests.store_samples import assert_sound

__all__ = ["cases", "import_file", "row"]

# As many lines are taken in by one transaction.
_AT_ONCE = 200
_ACCEPT = Decision(DecisionKind.ACCEPT, "fuzzer", 2000.0)


def row(data: bytes) -> None:
    """One line is a trace that can be kept and shown as a row, or no row with a reason."""
    try:
        trace, _ = read_row(data, 1)
    except NotARow as error:
        assert_shown(one_line(str(error)))
    else:
        assert decode(encode(trace), type(trace), "the trace") == trace
        render(trace, _ACCEPT)
    try:
        read_native(data)
    except NotNative as error:
        assert_shown(one_line(str(error)))


def cases(data: bytes) -> None:
    """Any file holds cases, the same again from itself, or has an error that names it."""
    with TemporaryDirectory() as folder:
        path = Path(folder, "cases.jsonl")
        path.write_bytes(data)
        try:
            book = read_cases(str(path), None)
        except SettingsError as error:
            assert_shown(one_line(str(error)), 2000)
            return
        assert book.cases
        assert read_cases(str(path), None).digest == book.digest
    for case in book.cases:
        assert case.prompt == case.prompt.strip()
        assert len(case.prompt.splitlines()) == 1


def import_file(data: bytes) -> None:
    """Each line of any file is taken in or told with its reason; twice is once; what fails midway leaves nothing."""
    with TemporaryDirectory() as folder:
        file = Path(folder, "x.jsonl")
        file.write_bytes(data)
        with _workspace(Path(folder, "whole")) as database:
            first = _imported(database, file, data)
            assert first.fates[Fate.NEW] == _count(database, "trace") == _count(database, "prompt")
            whole = _state(database)
            again = _imported(database, file, data)
            assert again.fates[Fate.NEW] == 0
            assert _state(database) == whole
            assert_sound(database)
        if first.fates[Fate.NEW] and first.lines <= _AT_ONCE:
            with _workspace(Path(folder, "broken")) as database:
                _break_midway(database, file, zlib.crc32(data) % first.fates[Fate.NEW])
                assert _state(database) == (0, 0, 0)
                _imported(database, file, data)
                assert _state(database) == whole
                assert_sound(database)


def _break_midway(database: Database, file: Path, number: int) -> None:
    """Import with a disk that says no to a trace, by its number from 0."""
    numbers = count()

    def insert(*arguments: Any) -> None:
        if next(numbers) == number:
            full = sqlite3.OperationalError("database or disk is full")
            full.sqlite_errorcode = sqlite3.SQLITE_FULL
            raise full
        insert_trace(*arguments)

    with patch.object(imports, "insert_trace", insert):
        try:
            import_files(database, [file], at=1.0)
        except StoreError as error:
            assert_shown(one_line(str(error)))
        else:
            raise AssertionError("the disk said no, and the import says nothing")


@contextmanager
def _workspace(place: Path) -> Iterator[Database]:
    shutil.copytree(_empty_workspace(), place)
    database = Database.open(place)
    try:
        yield database
    finally:
        database.close()


def _state(database: Database) -> tuple[int, ...]:
    return tuple(_count(database, table) for table in ("trace", "prompt", "decision"))


def _imported(database: Database, file: Path, data: bytes) -> Imported:
    found = import_files(database, [file], at=1.0)
    assert found.waiting == 0
    bare = data.removeprefix(b"\xef\xbb\xbf")
    assert found.lines == sum(1 for line in bare.split(b"\n") if line.strip())
    left_out = sum(lines for fate, lines in found.fates.items() if fate.is_left_out)
    taken = sum(found.fates.values()) - left_out
    assert found.unread >= left_out
    assert found.lines <= taken + found.unread <= found.lines + left_out
    for problem in found.problems:
        assert problem.why
    return found


def _count(database: Database, table: str) -> int:
    (rows,) = database.row(f"SELECT COUNT(*) FROM {table}") or (0,)
    return int(rows)


@cache
def _empty_workspace() -> Path:
    """Return a workspace to copy: making its tables takes longer than all the rest."""
    workspace = Path(mkdtemp(prefix="fuzz-"), "ws")
    Database.open(workspace).close()
    assert (workspace / DATABASE_NAME).is_file()
    return workspace
