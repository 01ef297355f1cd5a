"""Flags: what a person marked to come back to."""

from __future__ import annotations

from selfplay_core.errors import StoreError
from selfplay_core.models import TraceId
from selfplay_core.store.database import Database

__all__ = ["set_flag"]


def set_flag(database: Database, trace_id: TraceId, flagged: bool, *, by: str, at: float) -> None:
    """Set or take away a trace's flag; one that is as wanted stays as it is."""
    with database.transaction() as connection:
        if database.row("SELECT 1 FROM trace WHERE id = ?", (trace_id,)) is None:
            raise StoreError(f"no such trace in this workspace: {trace_id}. Flag one that is listed.")
        if flagged:
            connection.execute(
                "INSERT INTO flag (trace_id, at, by) VALUES (?, ?, ?) ON CONFLICT DO NOTHING", (trace_id, at, by)
            )
        else:
            connection.execute("DELETE FROM flag WHERE trace_id = ?", (trace_id,))
