"""Which traces are nearly copies of earlier ones: measured once, kept, and counted."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from selfplay_core.likeness.pool import Like, PromptPool
from selfplay_core.models import Outcome
from selfplay_core.store.database import Database, Reader
from selfplay_core.store.filters import Filter, condition

__all__ = ["Comparison", "LikenessCount", "like_of", "likeness_count"]

_COMPARED_WITH: Final = 100_000
_LOADED_AT_ONCE: Final = 1_000
_COMPARED_AT_ONCE: Final = 25

_PROMPTS = "SELECT n, category, prompt, outcome FROM trace WHERE n > ?"


@dataclass(frozen=True, slots=True)
class LikenessCount:
    """How many traces have been compared, and how many of them are nearly copies."""

    compared: int
    near: int


class Comparison:
    """Compares new traces with the newest 100,000 before them, whoever made them; lives as long as a process writes.

    Errored traces are neither compared nor compared with: their prompts are asked again.
    """

    def __init__(self) -> None:
        self._pool = PromptPool(kept=_COMPARED_WITH)
        self._known: int | None = None

    def step(self, database: Database) -> bool:
        """Do a piece of the work, some milliseconds of it; False once there is nothing more to do."""
        done = _compared_up_to(database)
        if self._known is None:
            self._known = _begin(database, done)
        if self._known < done:
            self._load(database, self._known, done)
            return True
        rows = database.rows(f"{_PROMPTS} ORDER BY n LIMIT ?", (done, _COMPARED_AT_ONCE))
        if not rows:
            return False
        with database.transaction() as connection:
            if _compared_up_to(database) == done:
                found = [(number, *self._compared(number, *rest)) for number, *rest in rows]
                connection.executemany("INSERT INTO likeness (n, near, ratio) VALUES (?, ?, ?)", found)
        return True

    def _load(self, reader: Reader, after: int, up_to: int) -> None:
        rows = reader.rows(f"{_PROMPTS} AND n <= ? ORDER BY n LIMIT ?", (after, up_to, _LOADED_AT_ONCE))
        for number, category, prompt, outcome in rows:
            self._add(number, category, prompt, outcome)
        self._known = rows[-1][0] if len(rows) == _LOADED_AT_ONCE else up_to

    def _compared(self, number: int, category: str, prompt: str, outcome: str) -> tuple[int | None, float | None]:
        like = None if outcome == Outcome.ERRORED else self._pool.closest(category, prompt)
        self._add(number, category, prompt, outcome)
        self._known = number
        return (like.number, like.ratio) if like is not None else (None, None)

    def _add(self, number: int, category: str, prompt: str, outcome: str) -> None:
        if outcome != Outcome.ERRORED:
            self._pool.add(category, number, prompt)


def like_of(reader: Reader, number: int) -> Like | None:
    """Return the earlier trace that one is nearly a copy of, None if there is none or it was not compared yet."""
    row = reader.row("SELECT near, ratio FROM likeness WHERE n = ? AND near IS NOT NULL", (number,))
    return None if row is None else Like(*row)


def likeness_count(reader: Reader, wanted: Filter | None = None) -> LikenessCount:
    """Return how many traces under a filter were compared, and how many of them are near another."""
    asked = condition(wanted or Filter())
    ((compared, near),) = reader.rows(
        f"SELECT count(*), count(l.near) FROM {asked.source} JOIN likeness l ON l.n = {asked.number}"
        f" WHERE true{asked.where}",
        asked.parameters,
    )
    return LikenessCount(compared, near)


def _compared_up_to(reader: Reader) -> int:
    row = reader.row("SELECT max(n) FROM likeness")
    return 0 if row is None or row[0] is None else int(row[0])


def _begin(reader: Reader, done: int) -> int:
    """Return the number after which the pool begins: what is older than the newest is not loaded at all."""
    row = reader.row("SELECT n FROM trace WHERE n <= ? ORDER BY n DESC LIMIT 1 OFFSET ?", (done, _COMPARED_WITH))
    return 0 if row is None else int(row[0])
