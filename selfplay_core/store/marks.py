"""Places in an output file from which a rewrite may begin, so that an undo need not render every row again."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable
from dataclasses import dataclass

from selfplay_core.store.database import Reader

__all__ = ["Mark", "add_marks", "drop_marks", "is_due", "last_mark"]

# What is rendered again, at most, before the first row that changed.
_SPACING = 256 * 1024


@dataclass(frozen=True, slots=True)
class Mark:
    """Behind the accepted row `seq` the file had this size and hash."""

    seq: int
    size: int
    hash: str


def is_due(size: int, last: Mark) -> bool:
    return size - last.size >= _SPACING


def last_mark(reader: Reader, key: str, *, before: int | None = None) -> Mark | None:
    """Return the last mark of an output, of those before the row `before` if given."""
    below, parameters = ("", ()) if before is None else (" AND seq < ?", (before,))
    row = reader.row(
        f"SELECT seq, size, hash FROM output_mark WHERE path = ?{below} ORDER BY seq DESC LIMIT 1",
        (key, *parameters),
    )
    return None if row is None else Mark(*row)


def add_marks(connection: sqlite3.Connection, key: str, marks: Iterable[Mark]) -> None:
    connection.executemany(
        "INSERT OR REPLACE INTO output_mark VALUES (?, ?, ?, ?)",
        [(key, mark.seq, mark.size, mark.hash) for mark in marks],
    )


def drop_marks(connection: sqlite3.Connection, key: str, *, behind: int) -> None:
    """Forget the marks behind the row `behind`: what stands there is about to change."""
    connection.execute("DELETE FROM output_mark WHERE path = ? AND seq > ?", (key, behind))
