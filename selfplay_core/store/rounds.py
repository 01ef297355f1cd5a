"""Rounds and their prompts: what was asked, and what is still to be answered."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from selfplay_core.models import Mode, Prompt, TraceId
from selfplay_core.store.codec import encode, storable
from selfplay_core.store.curriculum import save_state
from selfplay_core.store.database import Database, Reader
from selfplay_core.store.runs import run_number

__all__ = [
    "Chosen",
    "OpenPrompt",
    "PlannedPrompt",
    "WhyOpen",
    "add_round",
    "last_round",
    "open_prompts",
]

_PROMPT = "p.trace_id, p.text, p.category, p.mode, p.round, p.slot"


class WhyOpen(StrEnum):
    """Why a prompt waits for an answer."""

    UNFINISHED = "unfinished"
    ERRORED = "errored"


@dataclass(frozen=True, slots=True)
class PlannedPrompt:
    """A prompt with the id that its trace will have."""

    trace_id: TraceId
    prompt: Prompt


@dataclass(frozen=True, slots=True)
class Chosen:
    """What a round asked, and the state that it was chosen by, with the last round in it; both as JSON."""

    asked: str
    folded: int
    state: str


@dataclass(frozen=True, slots=True)
class OpenPrompt:
    """A prompt that has no trace yet, or an errored one."""

    trace_id: TraceId
    run_id: str
    prompt: Prompt
    why: WhyOpen


def add_round(
    database: Database,
    run_id: str,
    number: int,
    categories: Sequence[str],
    prompts: Sequence[PlannedPrompt],
    chosen: Chosen | None = None,
) -> None:
    """Record a round with all its prompts and what it was chosen by, or nothing of it.

    The prompts' own `round` must be `number`; a round is recorded once.
    """
    with database.transaction() as connection:
        run = run_number(database, run_id)
        connection.execute(
            "INSERT INTO round (run, number, categories) VALUES (?, ?, ?)", (run, number, encode(list(categories)))
        )
        if chosen is not None:
            connection.execute("UPDATE round SET asked = ? WHERE run = ? AND number = ?", (chosen.asked, run, number))
            save_state(connection, run, chosen.folded, chosen.state)
        connection.executemany(
            "INSERT INTO prompt (trace_id, run, round, slot, category, mode, text) VALUES (?, ?, ?, ?, ?, ?, ?)",
            [(planned.trace_id, run, *_place_and_text(planned.prompt)) for planned in prompts],
        )


def last_round(reader: Reader, run_id: str) -> int | None:
    """Return the number of the newest round of a run, None before the first."""
    row = reader.row("SELECT max(number) FROM round WHERE run = ?", (run_number(reader, run_id),))
    return None if row is None else row[0]


def open_prompts(reader: Reader, run_id: str | None = None) -> list[OpenPrompt]:
    """Return what is to be answered, by start of run, round and slot, without what is held."""
    chosen, parameters = ("", ()) if run_id is None else (" AND p.run = ?", (run_number(reader, run_id),))
    rows = reader.rows(
        f"SELECT r.id, t.id IS NOT NULL, {_PROMPT} FROM prompt p JOIN run r ON r.seq = p.run"
        " LEFT JOIN trace t ON t.id = p.trace_id WHERE p.open = 1"
        f" AND NOT EXISTS (SELECT 1 FROM held h WHERE h.trace_id = p.trace_id){chosen}"
        " ORDER BY p.run, p.round, p.slot",
        parameters,
    )
    return [_open_prompt(*row) for row in rows]


def _place_and_text(prompt: Prompt) -> tuple[Any, ...]:
    return (prompt.round, prompt.slot, prompt.category, prompt.mode, storable(prompt.text))


def _planned(trace_id: str, text: str, category: str, mode: str, round_: int, slot: int) -> PlannedPrompt:
    return PlannedPrompt(trace_id, Prompt(text, category, Mode(mode), round_, slot))


def _open_prompt(run_id: str, has_trace: int, *prompt: Any) -> OpenPrompt:
    planned = _planned(*prompt)
    why = WhyOpen.ERRORED if has_trace else WhyOpen.UNFINISHED
    return OpenPrompt(planned.trace_id, run_id, planned.prompt, why)
