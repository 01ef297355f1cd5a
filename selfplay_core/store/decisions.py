"""Decisions: entered in the log, and what follows from it for a trace's mark and the rows."""

from __future__ import annotations

import sqlite3
from collections.abc import Sequence
from dataclasses import dataclass

from selfplay_core.errors import CaseOfBakeoff, DecisionOvertaken, StoreError
from selfplay_core.models import Decision, DecisionKind, Outcome, Row, TraceId
from selfplay_core.store.accepted import accept, first_with_row, same_as, withdraw
from selfplay_core.store.bans import banned
from selfplay_core.store.codec import encode
from selfplay_core.store.database import Database, Reader
from selfplay_core.store.log import LogEntry, Standing, log, standing, trace_log
from selfplay_core.text import clip, one_line

__all__ = [
    "LogEntry",
    "Planned",
    "Standing",
    "decide",
    "decide_all",
    "enter",
    "first_with_row",
    "log",
    "move",
    "redo",
    "refuse_other_attempts",
    "same_as",
    "standing",
    "undo",
]

_PROMPT_OF = "SELECT prompt FROM trace WHERE id = ?"
_GIVES_ROW = frozenset({DecisionKind.ACCEPT, DecisionKind.EDIT})


@dataclass(frozen=True, slots=True)
class Planned:
    """A decision to be made together with others: the arguments of `decide`, and whether a file brought it."""

    trace_id: TraceId
    decision: Decision
    row: Row | None = None
    expected_seq: int | None = None
    expected_attempts: int | None = None
    imported: bool = False


def decide(
    database: Database,
    trace_id: TraceId,
    decision: Decision,
    row: Row | None = None,
    *,
    expected_seq: int | None = None,
    expected_attempts: int | None = None,
) -> Standing:
    """Commit a decision; `row` is what an accepted trace gives, None if it gives none.

    With `expected_seq` raises DecisionOvertaken if the last entry about the trace is another; without, the
    last decision wins and both stay in the log. With `expected_attempts` raises DecisionOvertaken if the trace
    has another number of attempts. Raises StoreError if there is no such trace, or if an errored one is to
    give a row, CaseOfBakeoff if a row would hold what a bake-off asks.
    """
    planned = Planned(trace_id, decision, row, expected_seq, expected_attempts)
    return decide_all(database, [planned])[0]


def decide_all(database: Database, items: Sequence[Planned]) -> tuple[Standing, ...]:
    """Commit all decisions in one transaction, or none of them; raises as `decide` does for the first it refuses."""
    with database.transaction() as connection:
        return tuple(enter(database, connection, item) for item in items)


def undo(database: Database, trace_id: TraceId, *, by: str, at: float, expected_seq: int | None = None) -> Standing:
    """Take back the decision that counts; the one before it counts again. Without one nothing changes."""
    return _step(database, trace_id, "undo", by=by, at=at, expected_seq=expected_seq)


def redo(database: Database, trace_id: TraceId, *, by: str, at: float, expected_seq: int | None = None) -> Standing:
    """Restore the decision that was undone last, unless a new one fell since. Without one nothing changes."""
    return _step(database, trace_id, "redo", by=by, at=at, expected_seq=expected_seq)


def move(
    database: Database, connection: sqlite3.Connection, trace_id: TraceId, kind: str, target: int, *, by: str, at: float
) -> Standing:
    """Enter an `undo` or `redo` of the entry `target`, which must be the next one to be moved so."""
    connection.execute(
        "INSERT INTO decision (trace_id, kind, target, at, by) VALUES (?, ?, ?, ?, ?)", (trace_id, kind, target, at, by)
    )
    return _settle(database, connection, trace_id)


def refuse_other_attempts(trace_id: TraceId, attempts: int, expected: int | None) -> None:
    """Raise DecisionOvertaken unless a trace has as many attempts as were seen."""
    if expected is not None and attempts != expected:
        raise DecisionOvertaken(
            f"the model was asked again meanwhile: trace {trace_id} has {attempts} attempts, not {expected}. "
            "Look at it again, then decide."
        )


def enter(database: Database, connection: sqlite3.Connection, item: Planned) -> Standing:
    """Enter a decision within a transaction of the caller's; raises as `decide` does."""
    decision = item.decision
    gives_row = decision.kind in _GIVES_ROW
    _refuse_unfit(connection, item, gives_row)
    _refuse_overtaken(database, item.trace_id, item.expected_seq)
    connection.execute(
        "INSERT INTO decision (trace_id, kind, payload, row_id, at, by, imported) VALUES (?, ?, ?, ?, ?, ?, ?)",
        (
            item.trace_id,
            decision.kind,
            encode(decision),
            item.row.id if item.row is not None and gives_row else None,
            decision.at,
            decision.by,
            item.imported,
        ),
    )
    return _settle(database, connection, item.trace_id)


def _step(
    database: Database, trace_id: TraceId, kind: str, *, by: str, at: float, expected_seq: int | None
) -> Standing:
    with database.transaction() as connection:
        _refuse_overtaken(database, trace_id, expected_seq)
        now = trace_log(database, trace_id)
        stack = now.stack()
        source = stack.done if kind == "undo" else stack.undone
        if not source:
            return now.standing()
        return move(database, connection, trace_id, kind, source[-1].seq, by=by, at=at)


def _settle(database: Database, connection: sqlite3.Connection, trace_id: TraceId) -> Standing:
    """Bring the trace's mark, what stands and the accepted rows in line with its log."""
    now = trace_log(database, trace_id)
    done = now.stack().done
    counts = done[-1] if done else None
    connection.execute("UPDATE trace SET decision = ? WHERE id = ?", (counts.kind if counts else "undecided", trace_id))
    connection.execute("DELETE FROM standing WHERE trace_id = ?", (trace_id,))
    if counts is not None:
        _stand(connection, counts)
    if counts is not None and counts.kind in _GIVES_ROW:
        _refuse_case(database, counts)
        accept(connection, trace_id, counts)
    else:
        withdraw(connection, trace_id)
    return now.standing()


def _stand(connection: sqlite3.Connection, entry: LogEntry) -> None:
    rejected = entry.decision is not None and entry.kind == DecisionKind.REJECT
    reason = entry.decision.reason if entry.decision is not None and rejected else None
    connection.execute(
        "INSERT INTO standing (trace_id, decision, by_person, reason) VALUES (?, ?, ?, ?)",
        (entry.trace_id, entry.seq, entry.is_by_person, reason),
    )


def _refuse_unfit(connection: sqlite3.Connection, item: Planned, gives_row: bool) -> None:
    row = connection.execute("SELECT outcome, attempts FROM trace WHERE id = ?", (item.trace_id,)).fetchone()
    if row is None:
        raise StoreError(f"no such trace in this workspace: {item.trace_id}. Decide on one that is listed.")
    outcome, attempts = row
    refuse_other_attempts(item.trace_id, attempts, item.expected_attempts)
    if gives_row and outcome == Outcome.ERRORED:
        raise StoreError(
            f"an errored trace shows nothing and gives no row: {item.trace_id}. Reject it, or run it again first."
        )


def _refuse_case(reader: Reader, entry: LogEntry) -> None:
    """Raise CaseOfBakeoff where an entry would count that gives a row of it, be it a new one or one restored."""
    if reader.row("SELECT 1 FROM bakeoff") is not None:
        raise CaseOfBakeoff(
            f"this is an answer of a bake-off, and no training data: {entry.trace_id}. Look at it, reject or flag it."
        )
    edited = entry.decision.edited_prompt if entry.decision is not None else None
    (prompt,) = (edited,) if edited is not None else reader.row(_PROMPT_OF, (entry.trace_id,)) or ("",)
    ban = banned(reader, prompt)
    if ban is not None:
        raise CaseOfBakeoff(
            f"a bake-off compares models by this prompt, or nearly this: {clip(one_line(ban), 120)!r}. It may not be "
            "trained on here: reject or skip it."
        )


def _refuse_overtaken(reader: Reader, trace_id: TraceId, expected_seq: int | None) -> None:
    if expected_seq is None:
        return
    now = trace_log(reader, trace_id)
    if now.seq != expected_seq:
        raise DecisionOvertaken(
            f"somebody decided meanwhile: trace {trace_id}, by {now.last_by or 'nobody'}. "
            "Look at it again, then decide."
        )
