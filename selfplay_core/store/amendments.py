"""A trace gets further attempts because a person asked the model again."""

from __future__ import annotations

import sqlite3

from selfplay_core.errors import StoreError
from selfplay_core.models import Outcome, Trace
from selfplay_core.store.accepted import is_accepted
from selfplay_core.store.bakeoffs import refuse_bakeoff
from selfplay_core.store.codec import decode, encode
from selfplay_core.store.database import Database
from selfplay_core.store.decisions import refuse_other_attempts
from selfplay_core.store.log import add_change
from selfplay_core.store.runs import check_kind
from selfplay_core.store.traces import last_commands

__all__ = ["amend_trace"]


def amend_trace(database: Database, trace: Trace, *, by: str, at: float, expected_attempts: int) -> None:
    """Put a trace with further attempts in the place of the stored one, which keeps number and time.

    It becomes undecided, and what was decided before can be undone or redone no more: a row of other content
    cannot come back. Raises DecisionOvertaken if the stored one has another number of attempts than expected,
    WorkspaceError if its world is of the other kind or the folder a bake-off's, StoreError if it gives a row now, if
    either is errored, or if anything but further attempts would change.
    """
    with database.transaction() as connection:
        refuse_bakeoff(database)
        check_kind(database, trace.workspace_kind)
        stored = _stored(database, trace)
        refuse_other_attempts(trace.id, len(stored.attempts), expected_attempts)
        payload = encode(trace)
        _refuse_errored(stored, trace)
        _refuse_other_past(stored, decode(payload, Trace, f"trace {trace.id}"))
        _refuse_accepted(database, trace)
        _replace(connection, trace, payload)
        connection.execute("DELETE FROM standing WHERE trace_id = ?", (trace.id,))
        add_change(connection, trace.id, "amended", by=by, at=at)


def _stored(database: Database, trace: Trace) -> Trace:
    row = database.row("SELECT payload FROM trace WHERE id = ?", (trace.id,))
    if row is None:
        raise StoreError(f"no such trace in this workspace: {trace.id}. Ask again for one that is listed.")
    return decode(row[0], Trace, f"trace {trace.id}")


def _refuse_errored(stored: Trace, trace: Trace) -> None:
    if Outcome.ERRORED in (stored.outcome, trace.outcome):
        raise StoreError(
            f"an errored trace takes no further attempt, and none ends one: {trace.id}. "
            "Start the run again: it takes up errored traces first."
        )


def _refuse_other_past(stored: Trace, trace: Trace) -> None:
    known = len(stored.attempts)
    if trace.prompt != stored.prompt or trace.attempts[:known] != stored.attempts or len(trace.attempts) == known:
        raise StoreError(
            f"only further attempts can be added to a trace: {trace.id} differs in its prompt or in its first "
            f"{known} attempts, or has no others. Look at it again, then ask again."
        )


def _refuse_accepted(database: Database, trace: Trace) -> None:
    if is_accepted(database, trace.id):
        raise StoreError(
            f"this trace is accepted and its row may be out: {trace.id}. Undo the decision, then ask again."
        )


def _replace(connection: sqlite3.Connection, trace: Trace, payload: str) -> None:
    connection.execute(
        "UPDATE trace SET outcome = ?, level = ?, decision = 'undecided', attempts = ?, commands = ?, payload = ?"
        " WHERE id = ?",
        (trace.outcome, trace.level, len(trace.attempts), last_commands(trace), payload, trace.id),
    )
