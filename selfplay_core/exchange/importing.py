"""Files read into a workspace: rows of the original script and of output files, and `selfplay/1`, line by line."""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import BinaryIO, Final

from selfplay_core.dataset.cases import Case
from selfplay_core.dataset.evidence import gives_row
from selfplay_core.dataset.native import SCHEMA, NotNative, read_native
from selfplay_core.errors import UsageError
from selfplay_core.exchange.original import NotARow, read_row
from selfplay_core.exchange.rows import render
from selfplay_core.models import Decision, Row, Trace
from selfplay_core.store.database import Database
from selfplay_core.store.imports import Arrival, Fate, take_in
from selfplay_core.text import clip, one_line

__all__ = ["Imported", "Problem", "import_files"]

_AT_ONCE: Final = 200
_LONGEST_LINE: Final = 32 * 1024 * 1024
_LARGEST_PLACE: Final = (1 << 31) - 1
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
    """What became of all lines; of the problems the first 100 are kept."""

    lines: int = 0
    fates: Counter[Fate] = field(default_factory=Counter)
    problems: list[Problem] = field(default_factory=list)
    unread: int = 0

    def refuse(self, path: Path, line: int, why: str) -> None:
        """Note a line that cannot be taken in."""
        self.unread += 1
        if len(self.problems) < _PROBLEMS_KEPT:
            self.problems.append(Problem(path, line, clip(one_line(why), 300)))


@dataclass(frozen=True, slots=True)
class _Read:
    path: Path
    line: int
    arrival: Arrival


def import_files(database: Database, paths: Sequence[Path], *, at: float) -> Imported:
    """Take in every line that is one of ours; what is known already is passed over, what cannot be read is told.

    May be run again after any end: what was taken in is known then. Raises UsageError by a file that cannot be read.
    """
    digests = [_digest(path) for path in paths]
    imported = Imported()
    for path, digest in zip(paths, digests, strict=True):
        batch: list[_Read] = []
        for read in _arrivals(path, digest, imported, at):
            batch.append(read)
            if len(batch) == _AT_ONCE:
                _enter(database, batch, imported, at)
                batch = []
        _enter(database, batch, imported, at)
    return imported


def _enter(database: Database, batch: Sequence[_Read], imported: Imported, at: float) -> None:
    if not batch:
        return
    for read, fate in zip(batch, take_in(database, [read.arrival for read in batch], at), strict=True):
        imported.fates[fate] += 1
        if fate not in (Fate.NEW, Fate.KNOWN):
            imported.refuse(read.path, read.line, f"it is {fate.value}")


def _arrivals(path: Path, digest: str, imported: Imported, at: float) -> Iterator[_Read]:
    with _opened(path) as file:
        for number, line in _lines(file):
            imported.lines += 1
            if line is None:
                imported.refuse(path, number, f"it is longer than {_LONGEST_LINE:,} bytes")
                continue
            try:
                arrival = _arrival(line, number, digest, at)
            except (NotARow, NotNative) as error:
                imported.refuse(path, number, str(error))
            else:
                yield _Read(path, number, arrival)


def _arrival(line: bytes, number: int, digest: str, at: float) -> Arrival:
    if b'"schema"' in line and SCHEMA.encode() in line:
        case = read_native(line)
        if not _fits(case):
            raise NotNative("its round or slot is out of all bounds")
        decisions = tuple((decision, _row(case.trace, decision)) for decision in case.history)
        return Arrival(case.trace, case.origin.run, case.origin.seed, case.ended_at, decisions, case.flagged)
    trace, row_id = read_row(line, number)
    return Arrival(trace, f"import-{digest}", "0", at, row_id=row_id)


def _row(trace: Trace, decision: Decision) -> Row | None:
    return render(trace, decision) if gives_row(decision) else None


def _fits(case: Case) -> bool:
    place = case.trace.prompt
    return 0 <= place.round <= _LARGEST_PLACE and 0 <= place.slot <= _LARGEST_PLACE and case.origin.seed.isdecimal()


def _lines(file: BinaryIO) -> Iterator[tuple[int, bytes | None]]:
    """Yield lines that are not blank with their numbers, None for one that is too long to be read."""
    number = 0
    while line := file.readline(_LONGEST_LINE + 1):
        number += 1
        if len(line) > _LONGEST_LINE:
            yield number, None
            while line and not line.endswith(b"\n"):
                line = file.readline(_BLOCK)
            continue
        stripped = (line.removeprefix(_BOM) if number == 1 else line).strip()
        if stripped:
            yield number, stripped


def _digest(path: Path) -> str:
    digest = hashlib.sha256()
    with _opened(path) as file:
        while block := file.read(_BLOCK):
            digest.update(block)
    return digest.hexdigest()[:16]


def _opened(path: Path) -> BinaryIO:
    try:
        if not path.is_file():
            raise UsageError(f"there is no such file to import: {path}. Name JSONL files.")
        return path.open("rb")
    except OSError as error:
        raise UsageError(f"this file cannot be read: {path}: {error.strerror}. Name another.") from error
