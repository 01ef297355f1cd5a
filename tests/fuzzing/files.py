"""Targets: lines of files read back, and whole files taken into a workspace."""

from __future__ import annotations

import shutil
from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory, mkdtemp

from selfplay_core.dataset.native import NotNative, read_native
from selfplay_core.exchange.importing import Imported, import_files
from selfplay_core.exchange.original import NotARow, read_row
from selfplay_core.exchange.rows import render
from selfplay_core.models import Decision, DecisionKind
from selfplay_core.store.codec import decode, encode
from selfplay_core.store.database import DATABASE_NAME, Database
from selfplay_core.store.imports import Fate
from selfplay_core.text import one_line
from tests.fuzzing.laws import assert_shown
from tests.store_samples import assert_sound

__all__ = ["import_file", "row"]

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


def import_file(data: bytes) -> None:
    """Each line of any file is taken in or told with its reason; twice is once; the database stays sound."""
    with TemporaryDirectory() as folder:
        workspace, file = Path(folder, "ws"), Path(folder, "x.jsonl")
        shutil.copytree(_empty_workspace(), workspace)
        file.write_bytes(data)
        database = Database.open(workspace)
        try:
            first = _imported(database, file, data)
            assert first.fates[Fate.NEW] == _count(database, "trace") == _count(database, "prompt")
            decided = _count(database, "decision")
            again = _imported(database, file, data)
            assert again.fates[Fate.NEW] == 0
            assert (_count(database, "trace"), _count(database, "decision")) == (first.fates[Fate.NEW], decided)
            assert_sound(database)
        finally:
            database.close()


def _imported(database: Database, file: Path, data: bytes) -> Imported:
    found = import_files(database, [file], at=1.0)
    assert found.waiting == 0
    assert found.lines == sum(1 for line in data.split(b"\n") if line.strip())
    left_out = sum(count for fate, count in found.fates.items() if fate.is_left_out)
    taken = sum(found.fates.values()) - left_out
    assert found.unread >= left_out
    assert found.lines <= taken + found.unread <= found.lines + left_out
    for problem in found.problems:
        assert problem.why
    return found


def _count(database: Database, table: str) -> int:
    (count,) = database.row(f"SELECT COUNT(*) FROM {table}") or (0,)
    return int(count)


@cache
def _empty_workspace() -> Path:
    """Return a workspace to copy: making its tables takes longer than all the rest."""
    workspace = Path(mkdtemp(prefix="fuzz-"), "ws")
    Database.open(workspace).close()
    assert (workspace / DATABASE_NAME).is_file()
    return workspace
