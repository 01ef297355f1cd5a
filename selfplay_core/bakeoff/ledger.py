"""What models did in a bake-off, read back from its folder."""

from __future__ import annotations

from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

from selfplay_core.bakeoff.cases import CaseBook
from selfplay_core.bakeoff.marks import Mark, Marked, Why
from selfplay_core.bakeoff.terms import Terms
from selfplay_core.errors import UsageError
from selfplay_core.models import ModelIdentity, Trace
from selfplay_core.store.bakeoffs import BakeoffRecord, MarkRecord, bakeoff_of, contestants, marks, taken
from selfplay_core.store.codec import decode
from selfplay_core.store.database import DATABASE_NAME, Reader, open_current

__all__ = ["Entrant", "Ledger", "Result", "marks_by_model", "read_folder", "read_ledger"]


@dataclass(frozen=True, slots=True)
class Result:
    """One case as one model answered it; `number` is the trace's in the bake-off's folder."""

    number: int
    marked: Marked
    trace: Trace

    @property
    def seconds(self) -> float:
        """How long the model took over all its attempts."""
        return sum(attempt.seconds for attempt in self.trace.attempts)

    @property
    def tokens(self) -> int:
        """How many tokens the model put out in all its attempts."""
        return sum(attempt.output_tokens for attempt in self.trace.attempts)


@dataclass(frozen=True, slots=True)
class Entrant:
    """A model with its results by the place of the case; `label` is unique within a report."""

    label: str
    results: dict[int, Result]

    @property
    def identity(self) -> ModelIdentity | None:
        """Who answered last; None before the first answer."""
        latest = max(self.results.values(), key=lambda result: result.number, default=None)
        return None if latest is None else latest.trace.model

    @property
    def versions(self) -> tuple[str, ...]:
        """The servers that judged, each by brand and version."""
        worlds = {f"{one.trace.world.brand} {one.trace.world.version}".strip() for one in self.results.values()}
        return tuple(sorted(worlds))


@dataclass(frozen=True, slots=True)
class Ledger:
    """One bake-off as far as it came."""

    folder: Path
    book: CaseBook
    terms: Terms
    record: BakeoffRecord
    entrants: tuple[Entrant, ...]

    @property
    def is_complete(self) -> bool:
        """Whether every model has answered as many cases as were wanted."""
        return all(len(entrant.results) >= self.record.wanted for entrant in self.entrants)


def read_folder(folder: Path) -> Ledger:
    """Read a bake-off back; raises UsageError where there is none, StoreError if it cannot be read."""
    if not (folder / DATABASE_NAME).is_file():
        raise UsageError(f"no bake-off is here: {folder}. Name the folder that `bakeoff` told of, its --output.")
    with closing(open_current(folder)) as reader:
        return read_ledger(reader)


def read_ledger(reader: Reader) -> Ledger:
    """As `read_folder`, from an open one."""
    record = bakeoff_of(reader)
    if record is None:
        raise UsageError(f"this folder is a workspace, and holds no bake-off: {reader.workspace}. Name another.")
    book = decode(record.cases, CaseBook, "the cases of the bake-off")
    terms = decode(record.plan, Terms, "the terms of the bake-off")
    with reader.snapshot():
        found = [Entrant(one.model, _results(reader, one.run_id)) for one in contestants(reader)]
    # A name that never answered was misspelt, or its turn has not come.
    return Ledger(reader.workspace, book, terms, record, tuple(one for one in found if one.results))


def marks_by_model(reader: Reader) -> dict[str, dict[int, Mark]]:
    """Return the mark of every case by model and place, without reading a trace."""
    return {
        one.model: {mark.place: Mark(mark.mark) for mark in marks(reader, one.run_id)} for one in contestants(reader)
    }


def _results(reader: Reader, run_id: str) -> dict[int, Result]:
    return {one.mark.place: Result(one.number, _marked(one.mark), one.trace) for one in taken(reader, run_id)}


def _marked(record: MarkRecord) -> Marked:
    return Marked(Mark(record.mark), Why(record.why) if record.why else None, record.detail)
