"""The log of decisions, which only grows, and what of it counts for a trace."""

from __future__ import annotations

import sqlite3
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from selfplay_core.models import AUTO, Decision, TraceId
from selfplay_core.store.codec import decode
from selfplay_core.store.database import Reader

__all__ = [
    "LogEntry",
    "Stack",
    "Standing",
    "TraceLog",
    "add_change",
    "log",
    "log_entry",
    "log_position",
    "standing",
    "trace_log",
]

_ENTRY = "SELECT seq, trace_id, kind, target, payload, row_id, at, by, imported FROM decision"


@dataclass(frozen=True, slots=True)
class LogEntry:
    """One entry of the log: a decision, or an `undo` or `redo` of the entry `target`; an imported one is a file's."""

    seq: int
    trace_id: TraceId
    kind: str
    target: int | None
    decision: Decision | None
    row_id: str | None
    at: float
    by: str
    imported: bool = False

    @property
    def is_by_person(self) -> bool:
        """Whether a person decided it here."""
        return self.by != AUTO and not self.imported


@dataclass(frozen=True, slots=True)
class Standing:
    """What counts for a trace now.

    `seq` is the last log entry about it (0: none), to be handed back as `expected_seq`. `decision` is the
    latest one that is not undone and that no amendment of the trace has ended; `imported` if a file brought it.
    """

    seq: int
    decision: Decision | None
    can_undo: bool
    can_redo: bool
    imported: bool = False


@dataclass(frozen=True, slots=True)
class Stack:
    """What stands, oldest first, and what could be redone, next one last."""

    done: list[LogEntry]
    undone: list[LogEntry]


@dataclass(frozen=True, slots=True)
class TraceLog:
    """What the log says of one trace since its last amendment; `last_by` (nobody: "") wrote the entry `seq`."""

    seq: int
    last_by: str
    entries: Sequence[LogEntry]

    def stack(self) -> Stack:
        """Play the entries."""
        stack = Stack([], [])
        for entry in self.entries:
            if entry.kind == "undo":
                stack.undone.append(stack.done.pop())
            elif entry.kind == "redo":
                stack.done.append(stack.undone.pop())
            else:
                stack.done.append(entry)
                stack.undone.clear()
        return stack

    def standing(self) -> Standing:
        """Return what counts."""
        stack = self.stack()
        return Standing(
            seq=self.seq,
            decision=stack.done[-1].decision if stack.done else None,
            can_undo=bool(stack.done),
            can_redo=bool(stack.undone),
            imported=bool(stack.done) and stack.done[-1].imported,
        )


def trace_log(reader: Reader, trace_id: TraceId) -> TraceLog:
    """Return what the log says of a trace; what stood before another content is over and left out."""
    rows = reader.rows(f"{_ENTRY} WHERE trace_id = ? ORDER BY seq", (trace_id,))
    entries = [_entry(*row) for row in rows]
    seq, last_by = (entries[-1].seq, entries[-1].by) if entries else (0, "")
    change = reader.row(
        "SELECT seq, by, kind FROM trace_change WHERE trace_id = ? ORDER BY seq DESC LIMIT 1", (trace_id,)
    )
    if change is None:
        return TraceLog(seq, last_by, entries)
    changed, changed_by, kind = change
    # That an errored trace was run again is nobody's doing: it alone keeps no automatic decision away.
    if kind == "amended" and changed > seq:
        seq, last_by = changed, changed_by
    return TraceLog(seq, last_by, [entry for entry in entries if entry.seq > changed])


def standing(reader: Reader, trace_id: TraceId) -> Standing:
    """Return what counts for a trace."""
    return trace_log(reader, trace_id).standing()


def log(reader: Reader, *, before: int | None = None, limit: int = 50) -> list[LogEntry]:
    """Return one page of the log, newest first, of entries older than `before`."""
    older, parameters = ("", ()) if before is None else (" WHERE seq < ?", (before,))
    return [_entry(*row) for row in reader.rows(f"{_ENTRY}{older} ORDER BY seq DESC LIMIT ?", (*parameters, limit))]


def log_entry(reader: Reader, seq: int) -> LogEntry:
    """Return one entry, which must exist."""
    (row,) = reader.rows(f"{_ENTRY} WHERE seq = ?", (seq,))
    return _entry(*row)


def log_position(reader: Reader) -> int:
    """Return the number of the newest entry, decisions and changes of traces alike; 0 before the first."""
    row = reader.row("SELECT seq FROM sqlite_sequence WHERE name = 'decision'")
    return 0 if row is None else int(row[0])


def add_change(
    connection: sqlite3.Connection, trace_id: TraceId, kind: Literal["amended", "replaced"], *, by: str, at: float
) -> None:
    """Enter in the log that a trace has other content than before, under a number that no decision will have."""
    taken = connection.execute("UPDATE sqlite_sequence SET seq = seq + 1 WHERE name = 'decision'")
    if taken.rowcount == 0:
        connection.execute("INSERT INTO sqlite_sequence (name, seq) VALUES ('decision', 1)")
    connection.execute(
        "INSERT INTO trace_change (seq, trace_id, n, kind, at, by)"
        " SELECT s.seq, t.id, t.n, ?, ?, ? FROM trace t, sqlite_sequence s WHERE t.id = ? AND s.name = 'decision'",
        (kind, at, by, trace_id),
    )


def _entry(
    seq: int,
    trace_id: str,
    kind: str,
    target: int | None,
    payload: str | None,
    row_id: str | None,
    at: float,
    by: str,
    imported: int,
) -> LogEntry:
    decision = None if payload is None else decode(payload, Decision, f"decision {seq}")
    return LogEntry(seq, trace_id, kind, target, decision, row_id, at, by, bool(imported))
