"""Runs: which were started here, with what, how they ended, and by which kind of world they judge."""

from __future__ import annotations

import sqlite3
from dataclasses import dataclass, replace
from enum import StrEnum

from selfplay_core.errors import StoreError, WorkspaceError
from selfplay_core.models import WorldKind
from selfplay_core.store.database import Database, Reader

__all__ = [
    "RunRecord",
    "RunStatus",
    "check_kind",
    "end_run",
    "hold_generating",
    "insert_run",
    "kind_of",
    "last_run",
    "refuse_second_generator",
    "resume_run",
    "run_number",
    "runs",
    "start_run",
]

_COLUMNS = "id, seed, fingerprint, rounds, status, started_at, settings, ended_at"


class RunStatus(StrEnum):
    """How far a run came; one that is `running` has a living process."""

    RUNNING = "running"
    DONE = "done"
    INTERRUPTED = "interrupted"
    GAVE_UP = "gave_up"


@dataclass(frozen=True, slots=True)
class RunRecord:
    """One invocation; `settings` is JSON, times are seconds since the epoch."""

    id: str
    seed: int
    fingerprint: str
    rounds: int
    status: RunStatus
    started_at: float
    settings: str
    ended_at: float | None = None


def start_run(database: Database, record: RunRecord) -> None:
    """Record a new run and keep other generators out until it ends or its process does.

    Raises WorkspaceError if another process generates in this workspace.
    """
    with database.locked():
        hold_generating(database)
        with database.transaction() as connection:
            _bury(connection)
            insert_run(connection, record)


def resume_run(database: Database, run_id: str) -> None:
    """Take up an earlier run; raises WorkspaceError if another process generates in this workspace."""
    with database.locked():
        hold_generating(database)
        with database.transaction() as connection:
            _bury(connection)
            number = run_number(database, run_id)
            connection.execute("UPDATE run SET status = 'running', ended_at = NULL WHERE seq = ?", (number,))


def insert_run(connection: sqlite3.Connection, record: RunRecord) -> None:
    """Insert a run that is going on, within a transaction of the caller's."""
    connection.execute(
        "INSERT INTO run (id, seed, fingerprint, rounds, status, started_at, settings)"
        " VALUES (?, ?, ?, ?, 'running', ?, ?)",
        (record.id, str(record.seed), record.fingerprint, record.rounds, record.started_at, record.settings),
    )


def end_run(database: Database, run_id: str, status: RunStatus, ended_at: float) -> None:
    """Record how a run ended and let other generators in."""
    with database.transaction() as connection:
        connection.execute("UPDATE run SET status = ?, ended_at = ? WHERE id = ?", (status, ended_at, run_id))
    database.lease.release()


def last_run(reader: Reader) -> RunRecord | None:
    """Return the newest run; one whose process died is seen as interrupted."""
    found = runs(reader, limit=1)
    return found[0] if found else None


def runs(reader: Reader, limit: int | None = 50) -> list[RunRecord]:
    """Return the newest runs that were made here, or all of them, newest first."""
    newest = f"SELECT {_COLUMNS} FROM run WHERE imported = 0 ORDER BY seq DESC LIMIT ?"
    rows = reader.rows(newest, (-1 if limit is None else limit,))
    records = [_record(*row) for row in rows]
    if any(record.status is RunStatus.RUNNING for record in records) and not reader.is_generating():
        return [_as_interrupted(record) for record in records]
    return records


def run_number(reader: Reader, run_id: str) -> int:
    """Return the place of a run in the order of their starts; raises StoreError if there is none."""
    row = reader.row("SELECT seq FROM run WHERE id = ?", (run_id,))
    if row is None:
        raise StoreError(f"no such run in this workspace: {run_id} ({reader.path}). Name another.")
    return int(row[0])


def kind_of(reader: Reader) -> WorldKind | None:
    """Return what the workspace's traces were judged by, None before the first trace."""
    row = reader.row("SELECT kind FROM workspace")
    return None if row is None else WorldKind(row[0])


def check_kind(reader: Reader, kind: WorldKind) -> None:
    """Raise WorkspaceError if the workspace is of the other kind."""
    stored = kind_of(reader)
    if stored is not None and stored is not kind:
        have = "the sandbox" if stored is WorldKind.SANDBOX else "a real server"
        want = "the sandbox" if kind is WorldKind.SANDBOX else "a real server"
        raise WorkspaceError(
            f"the traces of this workspace come from {have}, and this run would judge by {want}: "
            f"{reader.workspace}. Use another --workspace, or the same world as before."
        )


def remember_kind(connection: sqlite3.Connection, kind: WorldKind) -> None:
    connection.execute("INSERT INTO workspace (one, kind) VALUES (1, ?) ON CONFLICT DO NOTHING", (kind,))


def refuse_second_generator(reader: Reader) -> None:
    """Raise WorkspaceError if another process generates in this workspace; only a run's start makes sure of it."""
    if reader.is_generating():
        raise _in_use(reader)


def hold_generating(database: Database) -> None:
    """Keep other generators out until a run ends or this process does; raises WorkspaceError if one is here."""
    if not database.lease.acquire():
        raise _in_use(database)


def _in_use(reader: Reader) -> WorkspaceError:
    return WorkspaceError(
        f"another process generates in this workspace: {reader.workspace}. "
        "Wait for its end, or use another --workspace."
    )


def _bury(connection: sqlite3.Connection) -> None:
    """Mark runs as interrupted whose process cannot live, now that the lease is ours."""
    connection.execute("UPDATE run SET status = 'interrupted' WHERE status = 'running'")


def _record(
    id_: str,
    seed: str,
    fingerprint: str,
    rounds: int,
    status: str,
    started_at: float,
    settings: str,
    ended_at: float | None,
) -> RunRecord:
    return RunRecord(id_, int(seed), fingerprint, rounds, RunStatus(status), started_at, settings, ended_at)


def _as_interrupted(record: RunRecord) -> RunRecord:
    return replace(record, status=RunStatus.INTERRUPTED) if record.status is RunStatus.RUNNING else record
