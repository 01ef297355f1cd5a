"""Prompts that no training row may hold, as they are what models are compared by."""

from __future__ import annotations

from collections.abc import Iterable
from weakref import WeakKeyDictionary

from selfplay_core.likeness.copies import Copies
from selfplay_core.store.codec import storable
from selfplay_core.store.database import Database, Reader

__all__ = ["add_bans", "banned", "bans", "has_bans", "lift_bans"]


class _Bans:
    """The banned prompts that one connection has seen, ready to be compared with."""

    def __init__(self) -> None:
        self.last = 0
        self.copies = Copies()

    def take_in(self, rows: Iterable[tuple[int, str]]) -> None:
        for number, prompt in rows:
            self.copies.add(prompt)
            self.last = number


_known: WeakKeyDictionary[Reader, _Bans] = WeakKeyDictionary()


def add_bans(database: Database, prompts: Iterable[str], *, source: str, at: float) -> None:
    """Keep prompts out of training rows from here on; what is banned already stays so."""
    with database.transaction() as connection:
        connection.executemany(
            "INSERT INTO ban (prompt, source, at) VALUES (?, ?, ?) ON CONFLICT DO NOTHING",
            [(storable(prompt), source, at) for prompt in prompts],
        )


def lift_bans(database: Database, prompts: Iterable[str]) -> int:
    """Let prompts become rows again; returns how many were banned."""
    with database.transaction() as connection:
        return sum(
            connection.execute("DELETE FROM ban WHERE prompt = ?", (storable(prompt),)).rowcount for prompt in prompts
        )


def has_bans(reader: Reader) -> bool:
    """Whether any prompt is banned here."""
    return reader.row("SELECT 1 FROM ban LIMIT 1") is not None


def bans(reader: Reader) -> tuple[str, ...]:
    """Return every banned prompt, the first banned first."""
    return tuple(prompt for (prompt,) in reader.rows("SELECT prompt FROM ban ORDER BY id"))


def banned(reader: Reader, prompt: str) -> str | None:
    """Return the banned prompt that this one is the same as, or nearly a copy of; None if there is none.

    Those which this connection has seen are kept ready, until one of them was lifted.
    """
    ((count,),) = reader.rows("SELECT count(*) FROM ban WHERE id <= ?", (_seen(reader).last,))
    if count != len(_seen(reader).copies):
        _known[reader] = _Bans()
    seen = _seen(reader)
    seen.take_in(reader.rows("SELECT id, prompt FROM ban WHERE id > ? ORDER BY id", (seen.last,)))
    return seen.copies.like(prompt)


def _seen(reader: Reader) -> _Bans:
    return _known.setdefault(reader, _Bans())
