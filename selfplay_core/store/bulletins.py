"""What the run that goes on says of itself: left here for other processes to read."""

from __future__ import annotations

from selfplay_core.store.database import Database, Reader
from selfplay_core.store.runs import run_number

__all__ = ["post_bulletin", "posted_bulletin"]


def post_bulletin(database: Database, run_id: str, said: str) -> None:
    """Replace what was said before, by whichever run; `said` is the engine's own JSON."""
    with database.transaction() as connection:
        connection.execute(
            "INSERT OR REPLACE INTO bulletin (one, run, said) VALUES (1, ?, ?)", (run_number(database, run_id), said)
        )


def posted_bulletin(reader: Reader, run_id: str) -> str | None:
    """Return what a run said last, None if it said nothing or another one has spoken since."""
    row = reader.row("SELECT said FROM bulletin WHERE run = ?", (run_number(reader, run_id),))
    return None if row is None else row[0]
