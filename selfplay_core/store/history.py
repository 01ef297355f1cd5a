"""Undo and redo across traces, restarts and operators: what a person decided last, and what was undone last."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal

from selfplay_core.models import AUTO, Decision, TraceId
from selfplay_core.store.database import Database, Reader
from selfplay_core.store.decisions import move
from selfplay_core.store.log import LogEntry, log_entry, trace_log

__all__ = ["Moved", "Undoable", "last_decision", "redo_last", "undo_automatic", "undo_last"]

_PAGE = 256
_HERE = f"by <> '{AUTO}' AND imported = 0"
_BATCH = f"SELECT d.seq, d.trace_id FROM decision d WHERE d.batch = ? AND d.batch <> '' AND d.{_HERE}"


@dataclass(frozen=True, slots=True)
class Moved:
    """What one undo or redo did: the newest of the decisions that it moved, and each trace with its number."""

    kind: Literal["undo", "redo"]
    decision: Decision
    traces: tuple[tuple[TraceId, int], ...]


@dataclass(frozen=True, slots=True)
class Undoable:
    """A decision that stands, the number of its trace, and how many of its batch stand with it."""

    entry: LogEntry
    number: int
    count: int


@dataclass(frozen=True, slots=True)
class _Target:
    seq: int
    trace_id: TraceId


def undo_last(database: Database, *, by: str, at: float) -> Moved | None:
    """Take back the newest standing decision that any person made here, with those of its batch that still stand.

    None if no such decision stands; what the automatic acceptance decided, or an import brought, is left alone.
    """
    with database.transaction() as connection:
        newest = _newest_standing(database)
        if newest is None:
            return None
        entry = log_entry(database, newest)
        return _move_all(database, connection, "undo", entry, _standing_with(database, entry), by=by, at=at)


def undo_automatic(database: Database, trace_id: TraceId, *, by: str, at: float) -> Moved | None:
    """Take back what the automatic acceptance decided on a trace, or an import brought, for good unless it is redone.

    None if no such decision stands there. The entry in the log keeps acceptance and import from deciding anew.
    """
    with database.transaction() as connection:
        done = trace_log(database, trace_id).stack().done
        if not done or done[-1].is_by_person:
            return None
        return _move_all(database, connection, "undo", done[-1], [_Target(done[-1].seq, trace_id)], by=by, at=at)


def redo_last(database: Database, *, by: str, at: float) -> Moved | None:
    """Restore what was undone last and is not redone yet, with what else was undone of its batch.

    None if there is nothing, or if a person decided anything since.
    """
    with database.transaction() as connection:
        open_undos = _open_undos(database)
        newest = next(open_undos, None)
        if newest is None:
            return None
        entry = log_entry(database, newest.seq)
        targets = [newest]
        if _batch(entry):
            batch = _all_of(database, entry)
            targets += [target for target in open_undos if target in batch]
        return _move_all(database, connection, "redo", entry, targets, by=by, at=at)


def last_decision(reader: Reader) -> Undoable | None:
    """Return the decision that `undo_last` would take back, None if there is none."""
    newest = _newest_standing(reader)
    if newest is None:
        return None
    entry = log_entry(reader, newest)
    count = len(_standing_with(reader, entry))
    return Undoable(entry, _number(reader, entry.trace_id), count)


def _newest_standing(reader: Reader) -> int | None:
    row = reader.row("SELECT decision FROM standing WHERE by_person = 1 ORDER BY decision DESC LIMIT 1")
    return None if row is None else int(row[0])


def _standing_with(reader: Reader, entry: LogEntry) -> list[_Target]:
    """Return the entry and those of its batch that stand, too."""
    if not _batch(entry):
        return [_Target(entry.seq, entry.trace_id)]
    rows = reader.rows(f"{_BATCH} AND EXISTS (SELECT 1 FROM standing s WHERE s.decision = d.seq)", (_batch(entry),))
    return [_Target(*row) for row in rows]


def _all_of(reader: Reader, entry: LogEntry) -> set[_Target]:
    return {_Target(*row) for row in reader.rows(_BATCH, (_batch(entry),))}


def _open_undos(reader: Reader) -> Iterator[_Target]:
    """Yield what is undone and not redone, the latest undo first, back to the last decision of a person."""
    row = reader.row(f"SELECT max(seq) FROM decision WHERE target IS NULL AND {_HERE}")
    oldest = row[0] if row is not None and row[0] is not None else 0
    settled: set[int] = set()
    for kind, target in _steps(reader, behind=oldest):
        # The latest step says where its target is; an undone one may still have been overruled on its own trace.
        if target.seq in settled:
            continue
        settled.add(target.seq)
        if kind == "undo" and _is_next(reader, kind="redo", target=target):
            yield target


def _steps(reader: Reader, *, behind: int) -> Iterator[tuple[str, _Target]]:
    """Yield undos and redos from the end of the log, read a page at a time."""
    before = None
    while True:
        older, parameters = ("", ()) if before is None else (" AND seq < ?", (before,))
        page = reader.rows(
            f"SELECT seq, kind, target, trace_id FROM decision WHERE target IS NOT NULL AND seq > ?{older}"
            " ORDER BY seq DESC LIMIT ?",
            (behind, *parameters, _PAGE),
        )
        for _, kind, target, trace_id in page:
            yield kind, _Target(target, trace_id)
        if len(page) < _PAGE:
            return
        before = page[-1][0]


def _is_next(reader: Reader, *, kind: str, target: _Target) -> bool:
    """Whether an undo or redo on the target's own trace would move just this one."""
    stack = trace_log(reader, target.trace_id).stack()
    source = stack.done if kind == "undo" else stack.undone
    return bool(source) and source[-1].seq == target.seq


def _move_all(
    database: Database,
    connection: sqlite3.Connection,
    kind: Literal["undo", "redo"],
    entry: LogEntry,
    targets: list[_Target],
    *,
    by: str,
    at: float,
) -> Moved:
    for target in targets:
        move(database, connection, target.trace_id, kind, target.seq, by=by, at=at)
    assert entry.decision is not None
    in_order = sorted(targets, key=lambda target: target.seq)
    traces = tuple((target.trace_id, _number(database, target.trace_id)) for target in in_order)
    return Moved(kind, entry.decision, traces)


def _number(reader: Reader, trace_id: TraceId) -> int:
    ((number,),) = reader.rows("SELECT n FROM trace WHERE id = ?", (trace_id,))
    return int(number)


def _batch(entry: LogEntry) -> str:
    return entry.decision.batch if entry.decision is not None else ""
