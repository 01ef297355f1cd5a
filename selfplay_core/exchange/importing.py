"""Files read into a workspace: rows of the original script and of output files, and `selfplay/1`, line by line."""

from __future__ import annotations

import hashlib
from collections import Counter, deque
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from functools import partial
from itertools import islice
from math import inf
from pathlib import Path
from typing import BinaryIO, Final, NamedTuple

from selfplay_core.dataset.cases import Case
from selfplay_core.dataset.evidence import gives_row
from selfplay_core.dataset.native import SCHEMA, NotNative, read_native
from selfplay_core.errors import UsageError
from selfplay_core.exchange.original import NotARow, id_of_row, read_row
from selfplay_core.exchange.rows import render
from selfplay_core.models import Row, TraceId, WorldKind
from selfplay_core.store.database import Database
from selfplay_core.store.imports import Arrival, Fate, Taken, take_decisions, take_in
from selfplay_core.text import clip, one_line

__all__ = ["Imported", "Problem", "first_kind", "import_files", "refusals"]

_AT_ONCE: Final = 200
_LONGEST_LINE: Final = 32 * 1024 * 1024
_BLOCK: Final = 1024 * 1024
_BOM: Final = b"\xef\xbb\xbf"
_PROBLEMS_KEPT: Final = 100


@dataclass(frozen=True, slots=True)
class Problem:
    """A line that was not taken in, and why; its number counts from 1."""

    path: Path
    line: int
    why: str


@dataclass(slots=True)
class Imported:
    """What became of all lines; of the problems the first 100 are kept, and `why` while all have the same reason.

    `waiting` counts the traces that are in, and what was decided on them is not yet.
    """

    lines: int = 0
    fates: Counter[Fate] = field(default_factory=Counter)
    problems: list[Problem] = field(default_factory=list)
    unread: int = 0
    waiting: int = 0
    why: str | None = None

    @property
    def known(self) -> int:
        """How many lines told of a trace that was here."""
        return sum(count for fate, count in self.fates.items() if fate is not Fate.NEW and not fate.is_left_out)

    def refuse(self, path: Path, line: int, why: str) -> None:
        """Note a line that cannot be taken in."""
        why = clip(one_line(why), 300)
        self.why = why if self.unread == 0 or why == self.why else None
        self.unread += 1
        if len(self.problems) < _PROBLEMS_KEPT:
            self.problems.append(Problem(path, line, why))


class _Line(NamedTuple):
    number: int
    offset: int
    content: bytes | None


class _Later(NamedTuple):
    """A line with decisions, to be read again once all traces of its file are in; sorts as they were accepted."""

    accepted: float
    number: int
    offset: int
    is_new: bool


@dataclass(frozen=True, slots=True)
class _Read:
    line: _Line
    arrival: Arrival
    accepted: int | None


def import_files(database: Database, paths: Sequence[Path], *, at: float, so_far: Imported | None = None) -> Imported:
    """Take in every line that is one of ours; what is known already is passed over, what cannot be read is told.

    Of each file the traces come first, in its order, and then what was decided on them, in the order of acceptance. May
    be run again after any end: what was taken in is known then, and gets the decisions that it lacks. `so_far` counts
    what is in, also where the disk ends the work. Raises UsageError by a file that cannot be read.
    """
    digests = [_digest(path) for path in paths]
    imported = Imported() if so_far is None else so_far
    for path, digest in zip(paths, digests, strict=True):
        _File(database, path, imported, at).take_in(digest)
    return imported


def first_kind(paths: Sequence[Path]) -> WorldKind | None:
    """Return what the first line that can be read was judged by, None where there is no such line.

    Raises UsageError by a file that cannot be read, whichever it is.
    """
    for path in paths:
        _opened(path).close()
    for path in paths:
        for read in _arrivals(path, "", Imported(), 0.0):
            return read.arrival.trace.workspace_kind
    return None


def refusals(paths: Sequence[Path]) -> Imported:
    """Return why the lines of files without a single one that can be read are refused."""
    imported = Imported()
    for path in paths:
        deque(_arrivals(path, "", imported, 0.0), maxlen=0)
    return imported


class _File:
    """The work on one file."""

    def __init__(self, database: Database, path: Path, imported: Imported, at: float) -> None:
        self._database = database
        self._path = path
        self._imported = imported
        self._at = at
        self._later: list[_Later] = []

    def take_in(self, digest: str) -> None:
        arrivals = _arrivals(self._path, digest, self._imported, self._at)
        while batch := list(islice(arrivals, _AT_ONCE)):
            taken = take_in(self._database, [read.arrival for read in batch], self._at, _as_trace)
            for read, one in zip(batch, taken, strict=True):
                self._count(read, one)
        self._later.sort()
        with _opened(self._path) as file:
            for start in range(0, len(self._later), _AT_ONCE):
                self._decide(file, self._later[start : start + _AT_ONCE])

    def _count(self, read: _Read, taken: Taken) -> None:
        if taken.fate in (Fate.NEW, Fate.KNOWN) and read.arrival.decisions:
            is_new = taken.fate is Fate.NEW
            place = inf if read.accepted is None else read.accepted
            self._later.append(_Later(place, read.line.number, read.line.offset, is_new))
            self._imported.waiting += 1
            if not is_new:
                return
        self._imported.fates[taken.fate] += 1
        if taken.fate.is_left_out:
            why = f": {taken.why}" if taken.why else ""
            self._imported.refuse(self._path, read.line.number, f"it is {taken.fate.value}{why}")

    def _decide(self, file: BinaryIO, batch: Sequence[_Later]) -> None:
        arrivals = [_again(file, one.offset, one.number, self._path) for one in batch]
        for one, taken in zip(batch, take_decisions(self._database, arrivals), strict=True):
            self._imported.waiting -= 1
            if not one.is_new or taken.fate.is_left_out:
                self._imported.fates[taken.fate] += 1
            if taken.fate.is_left_out:
                self._imported.refuse(self._path, one.number, f"what was decided on it is left out: {taken.why}")


def _arrivals(path: Path, digest: str, imported: Imported, at: float) -> Iterator[_Read]:
    with _opened(path) as file:
        for line in _lines(file):
            imported.lines += 1
            if line.content is None:
                imported.refuse(path, line.number, f"it is longer than {_LONGEST_LINE:,} bytes")
                continue
            try:
                yield _read(line, line.content, digest, at)
            except (NotARow, NotNative) as error:
                imported.refuse(path, line.number, str(error))


def _read(line: _Line, content: bytes, digest: str, at: float) -> _Read:
    if b'"schema"' in content and SCHEMA.encode() in content:
        case = read_native(content)
        return _Read(line, _native(case), case.accepted)
    trace, row_id = read_row(content, line.number)
    return _Read(line, Arrival(trace, f"import-{digest}", "0", at, row_id=row_id), None)


def _native(case: Case) -> Arrival:
    origin, rows = case.origin, partial(_rows, case)
    return Arrival(case.trace, origin.run, origin.seed, case.ended_at, case.history, case.flagged, rows=rows)


def _again(file: BinaryIO, offset: int, number: int, path: Path) -> Arrival:
    file.seek(offset)
    try:
        return _native(read_native(_stripped(file.readline(_LONGEST_LINE + 1), number)))
    except NotNative as error:
        raise UsageError(f"this file was changed while it was read: {path}, line {number}. Import it again.") from error


def _rows(case: Case) -> list[Row | None]:
    return [render(case.trace, decision) if gives_row(decision) else None for decision in case.history]


def _as_trace(row: Row) -> TraceId:
    return id_of_row(row.line)


def _lines(file: BinaryIO) -> Iterator[_Line]:
    """Yield lines that are not blank, without content where one is too long to be read."""
    number = offset = 0
    while line := file.readline(_LONGEST_LINE + 1):
        number += 1
        start, offset = offset, offset + len(line)
        if len(line) > _LONGEST_LINE:
            yield _Line(number, start, None)
            while line and not line.endswith(b"\n"):
                line = file.readline(_BLOCK)
                offset += len(line)
        elif stripped := _stripped(line, number):
            yield _Line(number, start, stripped)


def _stripped(line: bytes, number: int) -> bytes:
    return (line.removeprefix(_BOM) if number == 1 else line).strip()


def _digest(path: Path) -> str:
    digest = hashlib.sha256()
    with _opened(path) as file:
        while block := file.read(_BLOCK):
            digest.update(block)
    return digest.hexdigest()[:16]


def _opened(path: Path) -> BinaryIO:
    try:
        if not path.is_file():
            trouble = "that is a folder" if path.is_dir() else "there is no such file to import"
            raise UsageError(f"{trouble}: {path}. Name JSONL files.")
        return path.open("rb")
    except OSError as error:
        raise UsageError(f"this file cannot be read: {path}: {error.strerror}. Name another.") from error
