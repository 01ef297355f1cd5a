"""Beginnings of commands that a person denied for the rest of a run."""

from __future__ import annotations

from selfplay_core.errors import StoreError
from selfplay_core.store.codec import storable
from selfplay_core.store.database import Database, Reader
from selfplay_core.store.runs import run_number

__all__ = ["denials", "deny_beginning"]


def deny_beginning(database: Database, run_id: str, beginning: str, *, by: str, at: float) -> None:
    """Deny every command of a run that begins so; denied twice is denied once.

    Raises StoreError if there is no such run, or if `beginning` is blank.
    """
    if not beginning.strip():
        raise StoreError(f"an empty beginning would deny every command of the run: {run_id}. Name at least one word.")
    with database.transaction() as connection:
        connection.execute(
            "INSERT INTO denial (run, beginning, at, by) VALUES (?, ?, ?, ?) ON CONFLICT DO NOTHING",
            (run_number(database, run_id), storable(beginning), at, by),
        )


def denials(reader: Reader, run_id: str) -> tuple[str, ...]:
    """Return what was denied for a run, in alphabetical order."""
    number = run_number(reader, run_id)
    return tuple(row[0] for row in reader.rows("SELECT beginning FROM denial WHERE run = ? ORDER BY 1", (number,)))
