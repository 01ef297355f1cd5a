"""Decisions: a log that only grows, and what follows from it for the rows."""

from __future__ import annotations

import sqlite3
from collections.abc import Sequence
from dataclasses import dataclass

from selfplay_core.errors import DecisionOvertaken, StoreError
from selfplay_core.models import Decision, DecisionKind, Outcome, Row, TraceId
from selfplay_core.store.codec import decode, encode
from selfplay_core.store.database import Database, Reader

__all__ = [
    "LogEntry",
    "Standing",
    "decide",
    "first_with_row",
    "log",
    "redo",
    "same_as",
    "standing",
    "undo",
]

_GIVES_ROW = frozenset({DecisionKind.ACCEPT, DecisionKind.EDIT})
_ENTRY = "SELECT seq, trace_id, kind, target, payload, row_id, at, by FROM decision"


@dataclass(frozen=True, slots=True)
class LogEntry:
    """One entry of the log: a decision, or an `undo` or `redo` of the entry `target`."""

    seq: int
    trace_id: TraceId
    kind: str
    target: int | None
    decision: Decision | None
    row_id: str | None
    at: float
    by: str


@dataclass(frozen=True, slots=True)
class Standing:
    """What counts for a trace now.

    `seq` is the last log entry about it (0: none), to be handed back as `expected_seq`. `decision` is the
    latest one that is not undone.
    """

    seq: int
    decision: Decision | None
    can_undo: bool
    can_redo: bool


def decide(
    database: Database,
    trace_id: TraceId,
    decision: Decision,
    row: Row | None = None,
    *,
    expected_seq: int | None = None,
) -> Standing:
    """Commit a decision; `row` is what an accepted trace gives, None if it gives none.

    With `expected_seq` raises DecisionOvertaken if the last entry about the trace is another; without, the
    last decision wins and both stay in the log. Raises StoreError if there is no such trace, or if an errored
    one is to give a row.
    """
    gives_row = decision.kind in _GIVES_ROW
    with database.transaction() as connection:
        _refuse_unfit(connection, trace_id, gives_row)
        _refuse_overtaken(database, trace_id, expected_seq)
        connection.execute(
            "INSERT INTO decision (trace_id, kind, payload, row_id, at, by) VALUES (?, ?, ?, ?, ?, ?)",
            (
                trace_id,
                decision.kind,
                encode(decision),
                row.id if row is not None and gives_row else None,
                decision.at,
                decision.by,
            ),
        )
        return _settle(database, connection, trace_id)


def undo(database: Database, trace_id: TraceId, *, by: str, at: float, expected_seq: int | None = None) -> Standing:
    """Take back the decision that counts; the one before it counts again. Without one nothing changes."""
    return _step(database, trace_id, "undo", by=by, at=at, expected_seq=expected_seq)


def redo(database: Database, trace_id: TraceId, *, by: str, at: float, expected_seq: int | None = None) -> Standing:
    """Restore the decision that was undone last, unless a new one fell since. Without one nothing changes."""
    return _step(database, trace_id, "redo", by=by, at=at, expected_seq=expected_seq)


def standing(reader: Reader, trace_id: TraceId) -> Standing:
    """Return what counts for a trace."""
    return _standing(_entries(reader, trace_id))


def log(reader: Reader, *, before: int | None = None, limit: int = 50) -> list[LogEntry]:
    """Return one page of the log, newest first, of entries older than `before`."""
    older, parameters = ("", ()) if before is None else (" WHERE seq < ?", (before,))
    return [_entry(*row) for row in reader.rows(f"{_ENTRY}{older} ORDER BY seq DESC LIMIT ?", (*parameters, limit))]


def same_as(reader: Reader, trace_id: TraceId) -> int | None:
    """Return the number of the trace that gave the same row first, None if this one did or gives none."""
    row = reader.row("SELECT row_id FROM accepted WHERE trace_id = ?", (trace_id,))
    if row is None or row[0] is None:
        return None
    first = _first(reader, row[0])
    return None if first is None or first[1] == trace_id else first[0]


def first_with_row(reader: Reader, row_id: str) -> int | None:
    """Return the number of the trace by which a row is out, None if it is not."""
    first = _first(reader, row_id)
    return None if first is None else first[0]


def _first(reader: Reader, row_id: str) -> tuple[int, str] | None:
    found = reader.row(
        "SELECT t.n, t.id FROM accepted a JOIN trace t ON t.id = a.trace_id WHERE a.row_id = ? ORDER BY a.seq LIMIT 1",
        (row_id,),
    )
    return None if found is None else (found[0], found[1])


def _step(
    database: Database, trace_id: TraceId, kind: str, *, by: str, at: float, expected_seq: int | None
) -> Standing:
    with database.transaction() as connection:
        _refuse_overtaken(database, trace_id, expected_seq)
        entries = _entries(database, trace_id)
        stack = _stack(entries)
        source = stack.done if kind == "undo" else stack.undone
        if not source:
            return _standing(entries)
        connection.execute(
            "INSERT INTO decision (trace_id, kind, target, at, by) VALUES (?, ?, ?, ?, ?)",
            (trace_id, kind, source[-1].seq, at, by),
        )
        return _settle(database, connection, trace_id)


@dataclass(frozen=True, slots=True)
class _Stack:
    done: list[LogEntry]
    undone: list[LogEntry]


def _stack(entries: Sequence[LogEntry]) -> _Stack:
    """Play the log of one trace: what stands, oldest first, and what could be redone, next one last."""
    stack = _Stack([], [])
    for entry in entries:
        if entry.kind == "undo":
            stack.undone.append(stack.done.pop())
        elif entry.kind == "redo":
            stack.done.append(stack.undone.pop())
        else:
            stack.done.append(entry)
            stack.undone.clear()
    return stack


def _standing(entries: Sequence[LogEntry]) -> Standing:
    stack = _stack(entries)
    return Standing(
        seq=entries[-1].seq if entries else 0,
        decision=stack.done[-1].decision if stack.done else None,
        can_undo=bool(stack.done),
        can_redo=bool(stack.undone),
    )


def _settle(database: Database, connection: sqlite3.Connection, trace_id: TraceId) -> Standing:
    """Bring the trace's mark and the accepted rows in line with its log."""
    entries = _entries(database, trace_id)
    done = _stack(entries).done
    counts = done[-1] if done else None
    connection.execute("UPDATE trace SET decision = ? WHERE id = ?", (counts.kind if counts else "undecided", trace_id))
    if counts is not None and counts.kind in _GIVES_ROW:
        _accept(connection, trace_id, counts)
    else:
        _withdraw(connection, trace_id)
    return _standing(entries)


def _accept(connection: sqlite3.Connection, trace_id: TraceId, entry: LogEntry) -> None:
    """Put the trace among the accepted; one that gives the same row as before keeps its place."""
    kept = connection.execute(
        "UPDATE accepted SET decision = ? WHERE trace_id = ? AND row_id IS ?",
        (entry.seq, trace_id, entry.row_id),
    )
    if kept.rowcount == 1:
        return
    _withdraw(connection, trace_id)
    connection.execute(
        "INSERT INTO accepted (trace_id, decision, row_id) VALUES (?, ?, ?)",
        (trace_id, entry.seq, entry.row_id),
    )


def _withdraw(connection: sqlite3.Connection, trace_id: TraceId) -> None:
    """Take the trace from the accepted; outputs in which its row may stand are to be written anew."""
    row = connection.execute("SELECT seq, row_id FROM accepted WHERE trace_id = ?", (trace_id,)).fetchone()
    if row is None:
        return
    seq, row_id = row
    connection.execute("DELETE FROM accepted WHERE seq = ?", (seq,))
    # A row that a smaller number gave before stands in the file under that number, and stays.
    earlier = connection.execute("SELECT 1 FROM accepted WHERE row_id = ? AND seq < ?", (row_id, seq)).fetchone()
    if row_id is not None and earlier is None:
        connection.execute(
            "UPDATE output SET stale_from = min(coalesce(stale_from, ?1), ?1)"
            " WHERE max(last_seq, coalesce(pending_last_seq, 0)) >= ?1",
            (seq,),
        )


def _refuse_unfit(connection: sqlite3.Connection, trace_id: TraceId, gives_row: bool) -> None:
    row = connection.execute("SELECT outcome FROM trace WHERE id = ?", (trace_id,)).fetchone()
    if row is None:
        raise StoreError(f"no such trace in this workspace: {trace_id}. Decide on one that is listed.")
    if gives_row and row[0] == Outcome.ERRORED:
        raise StoreError(
            f"an errored trace shows nothing and gives no row: {trace_id}. Reject it, or run it again first."
        )


def _refuse_overtaken(reader: Reader, trace_id: TraceId, expected_seq: int | None) -> None:
    if expected_seq is None:
        return
    now = standing(reader, trace_id)
    if now.seq != expected_seq:
        by = _entries(reader, trace_id)[-1].by if now.seq else "nobody"
        raise DecisionOvertaken(
            f"somebody decided meanwhile: trace {trace_id}, by {by}. Look at it again, then decide."
        )


def _entries(reader: Reader, trace_id: TraceId) -> list[LogEntry]:
    return [_entry(*row) for row in reader.rows(f"{_ENTRY} WHERE trace_id = ? ORDER BY seq", (trace_id,))]


def _entry(
    seq: int,
    trace_id: str,
    kind: str,
    target: int | None,
    payload: str | None,
    row_id: str | None,
    at: float,
    by: str,
) -> LogEntry:
    decision = None if payload is None else decode(payload, Decision, f"decision {seq}")
    return LogEntry(seq, trace_id, kind, target, decision, row_id, at, by)
