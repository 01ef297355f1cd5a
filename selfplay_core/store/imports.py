"""Traces that were made elsewhere, taken in, and then what was decided on them.

A run that was made here is never touched: a copy of it that went another way elsewhere stands beside it, as a run of
its own that nothing takes up again.
"""

from __future__ import annotations

import hashlib
import sqlite3
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from enum import StrEnum
from functools import partial
from itertools import chain, count

from selfplay_core.errors import CaseOfBakeoff, StoreError, WorkspaceError
from selfplay_core.models import Decision, Row, Trace, TraceId
from selfplay_core.store.codec import decode, encode, storable
from selfplay_core.store.database import Database, Reader
from selfplay_core.store.decisions import Planned, enter
from selfplay_core.store.log import trace_log
from selfplay_core.store.runs import RunStatus, check_kind, remember_kind
from selfplay_core.store.traces import insert_trace

__all__ = ["Arrival", "Fate", "Taken", "take_decisions", "take_in"]


class Fate(StrEnum):
    """What became of something that was to be taken in."""

    NEW = "new"
    KNOWN = "known"
    DECIDED = "known, and now decided as there"
    OTHER_DECISIONS = "known, with other decisions"
    OTHER_ATTEMPTS = "known, with other attempts"
    AS_ROW = "known as a row, whose decisions are its own"
    OTHER_KIND = "of the other kind: sandbox and real server do not mix. Name another --workspace"
    PLACE_TAKEN = "another trace stands in its place of its run"
    REFUSED = "nothing that this workspace can hold"

    @property
    def is_left_out(self) -> bool:
        """Whether nothing of it is here."""
        return self in (Fate.OTHER_KIND, Fate.PLACE_TAKEN, Fate.REFUSED)


@dataclass(frozen=True, slots=True)
class Taken:
    """What became of an arrival; `why` tells of a refused one what the store said."""

    fate: Fate
    why: str = ""


@dataclass(frozen=True, slots=True)
class Arrival:
    """A trace with the run that it is of, and the decisions that stand.

    `rows` makes the row that each decision gives, which takes longer than all else. `row_id` is the id of the row by
    which it is known where its own id is not kept, blank for none. `seed` is decimal.
    """

    trace: Trace
    run_id: str
    seed: str
    ended_at: float
    decisions: tuple[Decision, ...] = ()
    flagged: bool = False
    row_id: str = ""
    rows: Callable[[], Sequence[Row | None]] = tuple


def take_in(
    database: Database, arrivals: Sequence[Arrival], at: float, as_trace: Callable[[Row], TraceId]
) -> list[Taken]:
    """Take in the traces that are not known yet, undecided; what is known stays as it is here.

    `as_trace` tells which id a trace has that was read from a row. One that cannot be stored is left out and told;
    raises StoreError, with nothing taken in, if the disk says no.
    """
    with database.transaction() as connection:
        return [
            _alone(connection, partial(_take_in, database, connection, arrival, at, as_trace)) for arrival in arrivals
        ]


def take_decisions(database: Database, arrivals: Sequence[Arrival]) -> list[Taken]:
    """Enter what was decided on traces that are here, in the order given, where nobody has decided on them here.

    What is known of a trace with the same content is DECIDED then; raises as `take_in` does.
    """
    with database.transaction() as connection:
        return [_alone(connection, partial(_decide, database, connection, arrival)) for arrival in arrivals]


def _alone(connection: sqlite3.Connection, work: Callable[[], Fate]) -> Taken:
    """Do the work on one arrival; what only this one is to blame for is its own end and leaves nothing."""
    connection.execute("SAVEPOINT arrival")
    try:
        taken = Taken(work())
    except (StoreError, CaseOfBakeoff, sqlite3.IntegrityError, sqlite3.DataError, OverflowError, ValueError) as error:
        if isinstance(error.__cause__, sqlite3.Error):
            raise  # The disk's.
        connection.execute("ROLLBACK TO arrival")
        taken = Taken(Fate.REFUSED, str(error))
    connection.execute("RELEASE arrival")
    return taken


def _take_in(
    database: Database,
    connection: sqlite3.Connection,
    arrival: Arrival,
    at: float,
    as_trace: Callable[[Row], TraceId],
) -> Fate:
    if _here(database, arrival) is not None or _is_out(database, arrival):
        return Fate.KNOWN
    if any(_is_prompt(database, as_trace(row)) for row in arrival.rows() if row is not None):
        return Fate.AS_ROW
    try:
        check_kind(database, arrival.trace.workspace_kind)
    except WorkspaceError:
        return Fate.OTHER_KIND
    remember_kind(connection, arrival.trace.workspace_kind)
    trace = _named(database, arrival)
    run = _run(connection, arrival, at)
    if not _announce(connection, run, trace):
        return Fate.PLACE_TAKEN
    insert_trace(connection, run, trace, arrival.ended_at, encode(trace))
    # Whoever has the run itself asks its errored prompts again.
    connection.execute("UPDATE prompt SET open = 0 WHERE trace_id = ?", (trace.id,))
    if arrival.flagged:
        connection.execute("INSERT INTO flag (trace_id, at, by) VALUES (?, ?, ?)", (trace.id, at, "import"))
    return Fate.NEW


def _decide(database: Database, connection: sqlite3.Connection, arrival: Arrival) -> Fate:
    trace_id = _here(database, arrival)
    if trace_id is None or not arrival.decisions:
        return Fate.KNOWN
    row = database.row("SELECT payload FROM trace WHERE id = ?", (trace_id,))
    mine = None if row is None else decode(row[0], Trace, f"trace {trace_id}")
    if mine != replace(arrival.trace, id=trace_id):
        return Fate.OTHER_ATTEMPTS
    log = trace_log(database, trace_id)
    # Nobody wants back from his own backup what he has undone since.
    if any(entry.decision == arrival.decisions[-1] for entry in log.entries):
        return Fate.KNOWN
    if log.standing().decision is not None:
        return Fate.OTHER_DECISIONS
    for decision, its_row in zip(arrival.decisions, arrival.rows(), strict=True):
        enter(database, connection, Planned(trace_id, decision, its_row, imported=True))
    return Fate.DECIDED


def _here(reader: Reader, arrival: Arrival) -> TraceId | None:
    """Return the id under which a trace is known here, None if it is not."""
    own = arrival.trace.id
    for trace_id in (_aside(own), own):
        if _is_prompt(reader, trace_id):
            return trace_id
    # What stood aside elsewhere may have its original here.
    place = arrival.trace.prompt
    found = reader.rows(
        "SELECT trace_id FROM prompt WHERE round = ? AND slot = ?"
        " AND run IN (SELECT seq FROM run WHERE id = ? UNION SELECT seq FROM run WHERE origin = ? AND imported = 1)",
        (place.round, place.slot, arrival.run_id, arrival.run_id),
    )
    return next((trace_id for (trace_id,) in found if _aside(trace_id) == own), None)


def _is_prompt(reader: Reader, trace_id: TraceId) -> bool:
    return reader.row("SELECT 1 FROM prompt WHERE trace_id = ?", (trace_id,)) is not None


def _is_out(reader: Reader, arrival: Arrival) -> bool:
    """Whether a trace ever gave the row that this one was read from, if it was read from one."""
    given = "SELECT 1 FROM decision WHERE row_id = ?"
    return bool(arrival.row_id) and reader.row(given, (arrival.row_id,)) is not None


def _named(reader: Reader, arrival: Arrival) -> Trace:
    """Return the trace under the id that it will have: its own, unless a run that may go on here will need that."""
    row = reader.row("SELECT status FROM run WHERE id = ? AND imported = 0", (arrival.run_id,))
    goes_on = row is not None and row[0] != RunStatus.DONE
    return replace(arrival.trace, id=_aside(arrival.trace.id)) if goes_on else arrival.trace


def _aside(trace_id: TraceId) -> TraceId:
    return hashlib.sha256(f"aside\0{trace_id}".encode()).hexdigest()[:24]


def _run(connection: sqlite3.Connection, arrival: Arrival, at: float) -> int:
    """Return the imported run of a name, made where there is none; one that was made here is another."""
    found = "SELECT seq FROM run WHERE origin = ? AND imported = 1"
    row = connection.execute(found, (arrival.run_id,)).fetchone()
    if row is None:
        connection.execute(
            "INSERT INTO run (id, seed, fingerprint, rounds, status, started_at, ended_at, settings, imported, origin)"
            f" VALUES (?, ?, '', 0, '{RunStatus.DONE}', ?, ?, '{{}}', 1, ?)",
            (_free_name(connection, arrival.run_id), arrival.seed, at, at, arrival.run_id),
        )
        row = connection.execute(found, (arrival.run_id,)).fetchone()
    return int(row[0])


def _free_name(connection: sqlite3.Connection, name: str) -> str:
    names = chain((name,), (f"{name}~import{number}" for number in count(1)))
    taken = "SELECT 1 FROM run WHERE id = ?"
    return next(free for free in names if connection.execute(taken, (free,)).fetchone() is None)


def _announce(connection: sqlite3.Connection, run: int, trace: Trace) -> bool:
    """Make the place of a trace; False if it is another's."""
    prompt = trace.prompt
    connection.execute(
        "INSERT INTO round (run, number, categories) VALUES (?, ?, '[]') ON CONFLICT DO NOTHING", (run, prompt.round)
    )
    made = connection.execute(
        "INSERT INTO prompt (trace_id, run, round, slot, category, mode, text) VALUES (?, ?, ?, ?, ?, ?, ?)"
        " ON CONFLICT DO NOTHING",
        (trace.id, run, prompt.round, prompt.slot, prompt.category, prompt.mode, storable(prompt.text)),
    )
    return made.rowcount == 1
