"""What other processes ask of the one that holds the server: asked here, answered here."""

from __future__ import annotations

from dataclasses import dataclass

from selfplay_core.store.bakeoffs import refuse_bakeoff
from selfplay_core.store.database import Database, Reader

__all__ = ["Request", "answer", "answer_of", "ask", "newest_request", "open_requests", "withdraw"]


@dataclass(frozen=True, slots=True)
class Request:
    """One request; `payload` and its answer are the engine's own JSON."""

    id: int
    kind: str
    payload: str
    asked_at: float


def ask(database: Database, kind: str, payload: str, at: float) -> int:
    """Leave a request and return its id; raises WorkspaceError in a bake-off's folder, where nobody serves it."""
    refuse_bakeoff(database)
    with database.transaction() as connection:
        done = connection.execute(
            "INSERT INTO request (kind, payload, asked_at) VALUES (?, ?, ?) RETURNING id", (kind, payload, at)
        )
        return int(done.fetchone()[0])


def open_requests(reader: Reader) -> list[Request]:
    """Return what nobody has answered yet, the oldest first."""
    rows = reader.rows("SELECT id, kind, payload, asked_at FROM request WHERE answer IS NULL ORDER BY id")
    return [Request(*row) for row in rows]


def newest_request(reader: Reader) -> int:
    """Return the id of the last request that anybody ever left, 0 before the first."""
    row = reader.row("SELECT seq FROM sqlite_sequence WHERE name = 'request'")
    return 0 if row is None else int(row[0])


def answer(database: Database, request_id: int, said: str) -> None:
    """Answer a request; one that was withdrawn meanwhile stays gone."""
    with database.transaction() as connection:
        connection.execute("UPDATE request SET answer = ? WHERE id = ?", (said, request_id))


def answer_of(reader: Reader, request_id: int) -> str | None:
    """Return the answer, None while there is none."""
    row = reader.row("SELECT answer FROM request WHERE id = ?", (request_id,))
    return None if row is None else row[0]


def withdraw(database: Database, request_id: int) -> None:
    """Take a request away, answered or not."""
    with database.transaction() as connection:
        connection.execute("DELETE FROM request WHERE id = ?", (request_id,))
