"""The accepted order: which traces give a row, and under which number it goes to every output."""

from __future__ import annotations

import sqlite3

from selfplay_core.models import TraceId
from selfplay_core.store.database import Reader
from selfplay_core.store.log import LogEntry

__all__ = ["accept", "first_with_row", "is_accepted", "same_as", "withdraw"]


def accept(connection: sqlite3.Connection, trace_id: TraceId, entry: LogEntry) -> None:
    """Put the trace among the accepted; one that gives the same row as before keeps its place."""
    kept = connection.execute(
        "UPDATE accepted SET decision = ? WHERE trace_id = ? AND row_id IS ?",
        (entry.seq, trace_id, entry.row_id),
    )
    if kept.rowcount == 1:
        return
    withdraw(connection, trace_id)
    connection.execute(
        "INSERT INTO accepted (trace_id, decision, row_id) VALUES (?, ?, ?)",
        (trace_id, entry.seq, entry.row_id),
    )


def withdraw(connection: sqlite3.Connection, trace_id: TraceId) -> None:
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


def is_accepted(reader: Reader, trace_id: TraceId) -> bool:
    """Whether the trace has a place in the accepted order."""
    return reader.row("SELECT 1 FROM accepted WHERE trace_id = ?", (trace_id,)) is not None


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
