"""What the choice of prompts rests on, kept with the run: a state, and what each later round asked."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from selfplay_core.models import Trace, TraceId
from selfplay_core.store.codec import decode, encode
from selfplay_core.store.database import Database, Reader
from selfplay_core.store.runs import run_number

__all__ = [
    "Kept",
    "RoundKept",
    "ended_since",
    "kept_state",
    "known_prompts",
    "latest_state",
    "replace_state",
    "rounds_behind",
    "save_state",
]


@dataclass(frozen=True, slots=True)
class Kept:
    """A state as JSON, with the run that it is of and the last round that is in it."""

    run_id: str
    folded: int
    state: str


@dataclass(frozen=True, slots=True)
class RoundKept:
    """A round: what it asked, as JSON, and the traces that have come of it, in the order of their slots.

    `missing` are the ids of those that have not ended yet, or are to be asked again.
    """

    number: int
    asked: str
    traces: tuple[Trace, ...]
    missing: tuple[TraceId, ...] = ()


def save_state(connection: sqlite3.Connection, run: int, folded: int, state: str) -> None:
    """Keep the state of a run in the place of its last, within a transaction of the caller's."""
    connection.execute(
        "INSERT INTO curriculum (run, folded, state) VALUES (?, ?, ?)"
        " ON CONFLICT DO UPDATE SET folded = excluded.folded, state = excluded.state",
        (run, folded, state),
    )


def kept_state(reader: Reader, run_id: str) -> Kept | None:
    """Return the state of one run, None before its first round."""
    return _kept(reader, "r.id = ?", run_id)


def latest_state(reader: Reader) -> Kept | None:
    """Return the state of the newest run that has one."""
    return _kept(reader, "? = ''", "")


def rounds_behind(reader: Reader, run_id: str, *, after: int, up_to: int | None = None) -> list[RoundKept]:
    """Return the rounds of a run behind `after`, up to and with `up_to` if given."""
    run = run_number(reader, run_id)
    last = up_to if up_to is not None else 1 << 62
    rows = reader.rows(
        "SELECT number, asked FROM round WHERE run = ? AND number > ? AND number <= ? ORDER BY number",
        (run, after, last),
    )
    return [
        RoundKept(number, asked, tuple(_traces(reader, run, number)), tuple(_missing(reader, run, number)))
        for number, asked in rows
    ]


def ended_since(reader: Reader, owed: Sequence[TraceId]) -> list[Trace]:
    """Return the traces of these ids that have ended, in the order of the ids."""
    rows = reader.rows(
        "SELECT t.payload FROM json_each(?) o JOIN prompt p ON p.trace_id = o.value AND p.open = 0"
        " JOIN trace t ON t.id = o.value ORDER BY o.key",
        (encode(list(owed)),),
    )
    return [decode(payload, Trace, "a trace of an earlier run") for (payload,) in rows]


def known_prompts(reader: Reader, *, newest: int) -> list[tuple[str, str]]:
    """Return category and text of the newest prompts that are known here, in the order of their asking.

    What was imported counts as older than all that was asked here, so that a run which goes on has the same newest.
    """
    rows = reader.rows(
        "SELECT p.category, p.text FROM prompt p JOIN run r ON r.seq = p.run"
        " ORDER BY r.imported, p.run DESC, p.round DESC, p.slot DESC LIMIT ?",
        (newest,),
    )
    return [(category, text) for category, text in reversed(rows)]


def replace_state(database: Database, kept: Kept) -> None:
    """Put another state in the place of the one of its run."""
    with database.transaction() as connection:
        save_state(connection, run_number(database, kept.run_id), kept.folded, kept.state)


def _kept(reader: Reader, where: str, value: str) -> Kept | None:
    row = reader.row(
        "SELECT r.id, c.folded, c.state FROM curriculum c JOIN run r ON r.seq = c.run"
        f" WHERE {where} ORDER BY c.run DESC LIMIT 1",
        (value,),
    )
    return None if row is None else Kept(*row)


def _missing(reader: Reader, run: int, number: int) -> Iterator[TraceId]:
    query = "SELECT trace_id FROM prompt WHERE run = ? AND round = ? AND open = 1 ORDER BY slot"
    for (trace_id,) in reader.rows(query, (run, number)):
        yield trace_id


def _traces(reader: Reader, run: int, number: int) -> Iterator[Trace]:
    for (payload,) in reader.rows("SELECT payload FROM trace WHERE run = ? AND round = ? ORDER BY slot", (run, number)):
        yield decode(payload, Trace, f"a trace of round {number}")
