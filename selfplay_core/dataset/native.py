"""`selfplay/1`: a trace and all that stands of it, without loss; also the backup, and how two workspaces are merged.

What a trainer wants stands beside the record: messages, tools, other answers, evidence. All of it can be made anew
from the record, which is what is read back, and of which the row's id is the hash.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Mapping
from typing import Any, Final

import msgspec
import orjson

from selfplay_core.dataset.cases import Case, LeftOut, Line, Origin, canonical, content_id, tags_of
from selfplay_core.dataset.conversation import TOOLS, Turn, attempt_text, conversation
from selfplay_core.dataset.evidence import evidence_of, standing_answer
from selfplay_core.dataset.messages import message
from selfplay_core.models import Answer, Attempt, Decision, Level, Trace

__all__ = ["SCHEMA", "NotNative", "native_lines", "read_native"]

SCHEMA: Final = "selfplay/1"

_LARGEST: Final = (1 << 63) - 1
# What may be wider than that; a look that spares most records the walk through all their values.
_LONG_NUMBER: Final = re.compile(rb"[^\"\d.]\d{19}")
_LARGEST_PLACE: Final = (1 << 31) - 1
# The end of the year 9999, behind which Python knows no date; and more digits than any seed has.
_LATEST: Final = 253_402_300_799
_MOST_DIGITS: Final = 1_000


class NotNative(ValueError):
    """Raised by a line that is no row of ours, or no more the one that was written; says why."""


class _Record(msgspec.Struct, omit_defaults=True):
    """The part of a row that is read back; what it does not know is passed over, and old rows lack `accepted`."""

    trace: Trace
    decisions: tuple[Decision, ...]
    ended_at: float
    flagged: bool
    run: Origin
    accepted: int | None = None


class _Row(msgspec.Struct):
    schema: str
    id: str
    record: msgspec.Raw


def native_lines(case: Case) -> list[Line] | LeftOut:
    """Return the one line of any trace, decided or not."""
    trace, decision = case.trace, case.decision
    answer = standing_answer(trace, decision)
    found = conversation(trace, decision)
    record = _record_of(case)
    body: dict[str, Any] = {
        "schema": SCHEMA,
        "id": _id_of(record),
        "kind": found.kind.value if found is not None else "none",
        "mode": trace.prompt.mode.value,
        "category": trace.prompt.category,
        "messages": [_message(turn) for turn in found.turns] if found is not None else [],
        "tools": TOOLS,
        "alternatives": [_alternative(trace, attempt) for attempt in trace.attempts[:-1]],
        "verification": _verification(trace, decision, answer),
        "record": orjson.Fragment(record),
    }
    commands = answer.commands if answer is not None else ()
    return [Line(canonical(body), trace.prompt.text, (trace.id,), commands, tags_of(case, body["kind"]))]


def read_native(line: bytes) -> Case:
    """Return what a line holds, with 0 for its number; raises NotNative."""
    try:
        row = msgspec.json.decode(line, type=_Row)
        if row.schema != SCHEMA:
            raise NotNative(f"its schema is {row.schema[:40]!r}, and this program reads {SCHEMA!r}")
        if row.id != _id_of(canonical(orjson.loads(bytes(row.record)))):
            raise NotNative("it was changed after it was written: its id is not that of its record")
        record = msgspec.json.decode(row.record, type=_Record)
        if not (_is_bounded(bytes(row.record)) and _fits(record)):
            raise NotNative("a number or a time in its record is out of all bounds")
    except (
        msgspec.MsgspecError,
        orjson.JSONDecodeError,
        orjson.JSONEncodeError,
        UnicodeDecodeError,
        RecursionError,
    ) as error:
        raise NotNative(f"it is no {SCHEMA} row: {error}") from error
    return Case(0, record.trace, record.decisions, record.ended_at, record.run, record.flagged, record.accepted)


def _is_bounded(record: bytes) -> bool:
    """Whether every whole number can be stored and written again: neither SQLite nor JSON's readers take wider ones."""
    if _LONG_NUMBER.search(record) is None:
        return True
    waiting = [msgspec.json.decode(record)]
    while waiting:
        value = waiting.pop()
        if isinstance(value, Mapping):
            waiting.extend(value.values())
        elif isinstance(value, list):
            waiting.extend(value)
        elif isinstance(value, int) and not -_LARGEST - 1 <= value <= _LARGEST:
            return False
    return True


def _fits(record: _Record) -> bool:
    place, seed = record.trace.prompt, record.run.seed
    times = (record.ended_at, *(decision.at for decision in record.decisions))
    return (
        0 <= place.round <= _LARGEST_PLACE
        and 0 <= place.slot <= _LARGEST_PLACE
        and (record.accepted is None or record.accepted > 0)
        and all(0 <= time <= _LATEST for time in times)
        and seed.isascii()
        and seed.isdecimal()
        and len(seed) <= _MOST_DIGITS
    )


def _record_of(case: Case) -> bytes:
    record = _Record(case.trace, case.history, case.ended_at, case.flagged, case.origin, case.accepted)
    return canonical(msgspec.to_builtins(record))


def _id_of(record: bytes) -> str:
    return content_id("sp_", hashlib.sha256(record).hexdigest())


def _verification(trace: Trace, decision: Decision | None, answer: Answer | None) -> Mapping[str, Any]:
    evidence = evidence_of(trace, decision, answer) if answer is not None else None
    world = evidence.world if evidence is not None else trace.world
    return {
        "level": evidence.level.value if evidence is not None else Level.NONE.value,
        "rcon_verified": evidence is not None and evidence.is_verified,
        "server": {"kind": world.kind.value, "brand": world.brand, "version": world.version},
    }


def _message(turn: Turn) -> Mapping[str, Any]:
    return {**message(turn), "train": turn.train}


def _alternative(trace: Trace, attempt: Attempt) -> Mapping[str, Any]:
    return {
        "attempt": attempt.number,
        "content": attempt_text(attempt, trace.prompt.mode),
        "verdicts": [result.verdict.outcome.value for result in attempt.results],
        "error": attempt.error,
    }
