"""Traces: kept as they end, listed by number, counted and searched."""

from __future__ import annotations

import sqlite3
from dataclasses import dataclass
from typing import Any

from selfplay_core.errors import StoreError
from selfplay_core.models import AUTO, DecisionKind, Level, Mode, Outcome, Trace, TraceId
from selfplay_core.store.codec import decode, encode, storable
from selfplay_core.store.database import Database, Reader
from selfplay_core.store.fulltext import match_expression
from selfplay_core.store.log import add_change
from selfplay_core.store.runs import check_kind, remember_kind, run_number

__all__ = [
    "Count",
    "TraceLine",
    "insert_trace",
    "keep_trace",
    "last_commands",
    "save_trace",
    "search",
    "tally",
    "trace",
    "traces",
    "traces_of_run",
    "undecided",
]

UNDECIDED = "undecided"

_LINE = (
    "t.n, t.id, r.id, t.round, t.slot, t.category, t.mode, t.outcome, t.level, t.decision, t.attempts,"
    " t.ended_at, t.prompt"
)
_LINES = f"SELECT {_LINE} FROM trace t JOIN run r ON r.seq = t.run"


@dataclass(frozen=True, slots=True)
class TraceLine:
    """A trace as a list shows it: `number` is what a person sees, `decision` None while undecided."""

    number: int
    id: TraceId
    run_id: str
    round: int
    slot: int
    category: str
    mode: Mode
    outcome: Outcome
    level: Level
    decision: DecisionKind | None
    attempts: int
    ended_at: float
    prompt: str


@dataclass(frozen=True, slots=True)
class Count:
    """How many traces share category, outcome and decision."""

    category: str
    outcome: Outcome
    decision: DecisionKind | None
    count: int


def save_trace(database: Database, run_id: str, trace: Trace, ended_at: float) -> None:
    """Commit a trace that has ended; it is held no more.

    An errored trace is replaced by a later one of the same id; the same trace again changes nothing. Raises
    StoreError if another trace has the id or no round announced it, WorkspaceError if its world is of the
    other kind.
    """
    with database.transaction() as connection:
        keep_trace(database, connection, run_id, trace, ended_at)


def keep_trace(database: Database, connection: sqlite3.Connection, run_id: str, trace: Trace, ended_at: float) -> None:
    """As `save_trace`, within a transaction of the caller's."""
    payload = encode(trace)
    check_kind(database, trace.workspace_kind)
    remember_kind(connection, trace.workspace_kind)
    run = _announced_run(database, run_id, trace)
    if _makes_room(connection, trace.id, payload, ended_at):
        insert_trace(connection, run, trace, ended_at, payload)
        connection.execute("DELETE FROM held WHERE trace_id = ?", (trace.id,))


def trace(reader: Reader, trace_id: TraceId) -> Trace | None:
    """Return a whole trace."""
    row = reader.row("SELECT payload FROM trace WHERE id = ?", (trace_id,))
    return None if row is None else decode(row[0], Trace, f"trace {trace_id}")


def traces(
    reader: Reader,
    *,
    after: int | None = None,
    limit: int = 50,
    newest_first: bool = False,
    category: str | None = None,
    outcome: Outcome | None = None,
    decision: DecisionKind | str | None = None,
) -> list[TraceLine]:
    """Return one page of traces by number, beginning behind `after`.

    `decision` is a kind or "undecided"; a filter that is None lets everything through.
    """
    filters = {"category": category, "outcome": outcome, "decision": decision}
    wanted = {column: str(value) for column, value in filters.items() if value is not None}
    conditions = [f"t.{column} = ?" for column in wanted]
    parameters: list[Any] = list(wanted.values())
    if after is not None:
        conditions.append("t.n < ?" if newest_first else "t.n > ?")
        parameters.append(after)
    where = f" WHERE {' AND '.join(conditions)}" if conditions else ""
    order = "DESC" if newest_first else "ASC"
    rows = reader.rows(f"{_LINES}{where} ORDER BY t.n {order} LIMIT ?", [*parameters, limit])
    return [_line(*row) for row in rows]


def traces_of_run(reader: Reader, run_id: str) -> list[TraceId]:
    """Return the ids of a run's traces by round and slot."""
    rows = reader.rows("SELECT id FROM trace WHERE run = ? ORDER BY round, slot", (run_number(reader, run_id),))
    return [row[0] for row in rows]


def undecided(
    reader: Reader, run_id: str, *, after: tuple[int, int] | None = None, limit: int | None = None
) -> list[TraceLine]:
    """Return traces that nobody decided on, by round and slot, from behind `after`; never errored ones."""
    rows = reader.rows(
        f"{_LINES} WHERE t.run = ? AND t.decision = 'undecided' AND t.outcome <> 'errored'"
        " AND (t.round, t.slot) > (?, ?) ORDER BY t.round, t.slot LIMIT ?",
        (run_number(reader, run_id), *(after or (-1, -1)), -1 if limit is None else limit),
    )
    return [_line(*row) for row in rows]


def search(reader: Reader, text: str, *, after: int = 0, limit: int = 50) -> list[TraceLine]:
    """Return one page of the traces whose prompt or last commands hold every word of `text`, by number.

    The last word counts as a beginning. Punctuation parts words, as in `minecraft:stone`.
    """
    match = match_expression(text)
    if not match:
        return []
    rows = reader.rows(
        f"SELECT {_LINE} FROM trace_text f JOIN trace t ON t.n = f.rowid JOIN run r ON r.seq = t.run"
        " WHERE trace_text MATCH ? AND f.rowid > ? ORDER BY f.rowid LIMIT ?",
        (match, after, limit),
    )
    return [_line(*row) for row in rows]


def tally(reader: Reader, run_id: str | None = None) -> list[Count]:
    """Return the counts of one run or of the workspace, from counters kept at every write."""
    chosen, parameters = ("", ()) if run_id is None else (" AND run = ?", (run_number(reader, run_id),))
    rows = reader.rows(
        f"SELECT category, outcome, decision, sum(count) FROM tally WHERE count > 0{chosen}"
        " GROUP BY category, outcome, decision ORDER BY category, outcome, decision",
        parameters,
    )
    return [Count(category, Outcome(outcome), _kind(kind), count) for category, outcome, kind, count in rows]


def _announced_run(database: Database, run_id: str, trace: Trace) -> int:
    run = run_number(database, run_id)
    row = database.row("SELECT run FROM prompt WHERE trace_id = ?", (trace.id,))
    if row is None or row[0] != run:
        raise StoreError(
            f"this trace belongs to no round of its run: trace {trace.id}, run {run_id}. "
            "Record the round before its traces."
        )
    return run


def _makes_room(connection: sqlite3.Connection, trace_id: TraceId, payload: str, at: float) -> bool:
    """Take an errored trace away, with what was decided on it; False if the new one is stored already."""
    row = connection.execute("SELECT outcome, payload FROM trace WHERE id = ?", (trace_id,)).fetchone()
    if row is None:
        return True
    outcome, stored = row
    if stored == payload:
        return False
    if outcome != Outcome.ERRORED:
        raise StoreError(
            f"another trace is kept under this id already: {trace_id}, which ended {outcome}. "
            "Only an errored trace may be replaced."
        )
    add_change(connection, trace_id, "replaced", by=AUTO, at=at)
    connection.execute("DELETE FROM standing WHERE trace_id = ?", (trace_id,))
    connection.execute("DELETE FROM trace WHERE id = ?", (trace_id,))
    return True


def insert_trace(connection: sqlite3.Connection, run: int, trace: Trace, ended_at: float, payload: str) -> None:
    """Insert a trace whose prompt stands already, within a transaction of the caller's."""
    prompt = trace.prompt
    connection.execute(
        "INSERT INTO trace (id, run, round, slot, category, mode, outcome, level, decision, attempts, ended_at, prompt,"
        " commands, payload) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
        (
            trace.id,
            run,
            prompt.round,
            prompt.slot,
            prompt.category,
            prompt.mode,
            trace.outcome,
            trace.level,
            UNDECIDED,
            len(trace.attempts),
            ended_at,
            storable(prompt.text),
            last_commands(trace),
            payload,
        ),
    )
    is_open = trace.outcome is Outcome.ERRORED
    connection.execute("UPDATE prompt SET open = ? WHERE trace_id = ?", (is_open, trace.id))


def last_commands(trace: Trace) -> str:
    """Return the commands of the last answer as they are searched, one a line."""
    answer = trace.last.answer if trace.last is not None else None
    return storable("\n".join(answer.commands)) if answer is not None else ""


def _kind(decision: str) -> DecisionKind | None:
    return None if decision == UNDECIDED else DecisionKind(decision)


def _line(
    number: int,
    id_: str,
    run_id: str,
    round_: int,
    slot: int,
    category: str,
    mode: str,
    outcome: str,
    level: str,
    decision: str,
    attempts: int,
    ended_at: float,
    prompt: str,
) -> TraceLine:
    return TraceLine(
        number,
        id_,
        run_id,
        round_,
        slot,
        category,
        Mode(mode),
        Outcome(outcome),
        Level(level),
        _kind(decision),
        attempts,
        ended_at,
        prompt,
    )
