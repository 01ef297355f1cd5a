"""Traces that were made elsewhere, taken in with what was decided on them."""

from __future__ import annotations

import sqlite3
from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum

from selfplay_core.errors import WorkspaceError
from selfplay_core.models import Decision, Row, Trace
from selfplay_core.store.codec import encode, storable
from selfplay_core.store.database import Database
from selfplay_core.store.decisions import Planned, enter
from selfplay_core.store.runs import RunStatus, check_kind, remember_kind
from selfplay_core.store.traces import insert_trace

__all__ = ["Arrival", "Fate", "take_in"]


class Fate(StrEnum):
    """What became of something that was to be taken in."""

    NEW = "new"
    KNOWN = "known"
    OTHER_KIND = "of the other kind: sandbox and real server do not mix"
    PLACE_TAKEN = "another trace stands in its place of its run"


@dataclass(frozen=True, slots=True)
class Arrival:
    """A trace with the run that it is of, and the decisions that stand, each with the row that it gives.

    `row_id` is the id of the row by which it is known where its own id is not kept, blank for none. `seed` is decimal.
    """

    trace: Trace
    run_id: str
    seed: str
    ended_at: float
    decisions: tuple[tuple[Decision, Row | None], ...] = ()
    flagged: bool = False
    row_id: str = ""


def take_in(database: Database, arrivals: Sequence[Arrival], at: float) -> list[Fate]:
    """Take in what is not known yet, all of it or nothing; what is known stays as it is here."""
    with database.transaction() as connection:
        return [_take_in(database, connection, arrival, at) for arrival in arrivals]


def _take_in(database: Database, connection: sqlite3.Connection, arrival: Arrival, at: float) -> Fate:
    trace = arrival.trace
    if _is_known(database, arrival):
        return Fate.KNOWN
    try:
        check_kind(database, trace.workspace_kind)
    except WorkspaceError:
        return Fate.OTHER_KIND
    remember_kind(connection, trace.workspace_kind)
    run = _run(connection, arrival, at)
    if not _announce(connection, run, trace):
        return Fate.PLACE_TAKEN
    insert_trace(connection, run, trace, arrival.ended_at, encode(trace))
    # Whoever has the run itself asks its errored prompts again.
    connection.execute("UPDATE prompt SET open = 0 WHERE trace_id = ?", (trace.id,))
    for decision, row in arrival.decisions:
        enter(database, connection, Planned(trace.id, decision, row))
    if arrival.flagged:
        connection.execute("INSERT INTO flag (trace_id, at, by) VALUES (?, ?, ?)", (trace.id, at, "import"))
    return Fate.NEW


def _is_known(database: Database, arrival: Arrival) -> bool:
    if database.row("SELECT 1 FROM prompt WHERE trace_id = ?", (arrival.trace.id,)) is not None:
        return True
    known = "SELECT 1 FROM accepted WHERE row_id = ?"
    return bool(arrival.row_id) and database.row(known, (arrival.row_id,)) is not None


def _run(connection: sqlite3.Connection, arrival: Arrival, at: float) -> int:
    connection.execute(
        "INSERT INTO run (id, seed, fingerprint, rounds, status, started_at, ended_at, settings, imported)"
        f" VALUES (?, ?, '', 0, '{RunStatus.DONE}', ?, ?, '{{}}', 1) ON CONFLICT DO NOTHING",
        (arrival.run_id, arrival.seed, at, at),
    )
    ((seq,),) = connection.execute("SELECT seq FROM run WHERE id = ?", (arrival.run_id,))
    return int(seq)


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
