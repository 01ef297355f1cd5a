"""Figures of the statistics screen: each costs an index range or a bounded number of the newest traces."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final

import msgspec

from selfplay_core.errors import StoreError
from selfplay_core.models import AUTO, DecisionKind, VerdictOutcome
from selfplay_core.store.database import Reader

__all__ = [
    "FrequentError",
    "decision_pace",
    "decisions_by_kind",
    "frequent_errors",
    "reject_reasons",
    "retries_histogram",
    "trace_pace",
]

_MINUTE: Final = 60.0
_BY_PEOPLE: Final = f"target IS NULL AND by <> '{AUTO}'"
_REFUSALS: Final = (VerdictOutcome.REJECTED, VerdictOutcome.FAILED)


@dataclass(frozen=True, slots=True)
class FrequentError:
    """What the server said `count` times; `message` is the newest wording of it, `key` None where it is unknown."""

    message: str
    count: int
    key: str | None


class _Verdict(msgspec.Struct):
    outcome: VerdictOutcome
    key: str | None = None
    message: str = ""


class _Result(msgspec.Struct):
    verdict: _Verdict


class _Attempt(msgspec.Struct):
    results: list[_Result] = msgspec.field(default_factory=list)


class _Trace(msgspec.Struct):
    """As much of a trace as the errors in it take to read."""

    attempts: list[_Attempt]


def decisions_by_kind(reader: Reader, since: float) -> dict[DecisionKind, int]:
    """Return how many decisions people have made since a time, those undone later counted too."""
    rows = reader.rows(
        f"SELECT kind, count(*) FROM decision INDEXED BY decision_made WHERE {_BY_PEOPLE} AND at >= ? GROUP BY kind",
        (since,),
    )
    made = dict(rows)
    return {kind: made.get(kind.value, 0) for kind in DecisionKind}


def decision_pace(reader: Reader, now: float, minutes: int) -> list[int]:
    """Return how many decisions people made in each of the last `minutes` minutes, the oldest first."""
    return _pace(reader, f"decision INDEXED BY decision_made WHERE {_BY_PEOPLE} AND", "at", now, minutes)


def trace_pace(reader: Reader, now: float, minutes: int) -> list[int]:
    """Return how many traces ended in each of the last `minutes` minutes, the oldest first."""
    return _pace(reader, "trace INDEXED BY trace_ended WHERE", "ended_at", now, minutes)


def reject_reasons(reader: Reader) -> dict[str, int]:
    """Return the reasons of all standing rejections with their counts, the most frequent first."""
    rows = reader.rows(
        "SELECT reason, count(*) FROM standing WHERE reason IS NOT NULL GROUP BY reason ORDER BY 2 DESC, 1"
    )
    return dict(rows)


def frequent_errors(reader: Reader, *, newest: int = 2000, limit: int = 10) -> list[FrequentError]:
    """Return what the server said most often of rejected and failed commands in the newest traces.

    Replies of the same known message count as one, whatever they name; others by their wording.
    """
    decoder = msgspec.json.Decoder(_Trace)
    newest_wording: dict[tuple[bool, str], _Verdict] = {}
    counts: dict[tuple[bool, str], int] = {}
    for number, payload in reader.rows("SELECT n, payload FROM trace ORDER BY n DESC LIMIT ?", (newest,)):
        for verdict in _refusals(decoder, number, payload):
            group = (verdict.key is not None, verdict.key or verdict.message)
            newest_wording.setdefault(group, verdict)
            counts[group] = counts.get(group, 0) + 1
    ordered = sorted(counts, key=lambda group: (-counts[group], group))
    return [
        FrequentError(newest_wording[group].message, counts[group], newest_wording[group].key)
        for group in ordered[:limit]
    ]


def retries_histogram(reader: Reader, newest: int = 10_000) -> dict[int, int]:
    """Return how many of the newest traces took how many retries; those without any attempt are left out."""
    rows = reader.rows(
        "SELECT attempts - 1, count(*) FROM (SELECT attempts FROM review ORDER BY n DESC LIMIT ?)"
        " WHERE attempts > 0 GROUP BY attempts ORDER BY attempts",
        (newest,),
    )
    return dict(rows)


def _pace(reader: Reader, source: str, column: str, now: float, minutes: int) -> list[int]:
    begin = now - minutes * _MINUTE
    rows: list[tuple[Any, ...]] = reader.rows(
        f"SELECT CAST(({column} - ?1) / {_MINUTE} AS INTEGER), count(*) FROM {source}"
        f" {column} >= ?1 AND {column} < ?2 GROUP BY 1",
        (begin, now),
    )
    counts = [0] * minutes
    for minute, count in rows:
        # Division may round the last instant of a minute up.
        counts[min(minute, minutes - 1)] += count
    return counts


def _refusals(decoder: msgspec.json.Decoder[_Trace], number: int, payload: str) -> list[_Verdict]:
    try:
        trace = decoder.decode(payload)
    except msgspec.MsgspecError as error:
        raise StoreError(
            f"trace #{number} cannot be read as stored: {error}. Put a copy of the workspace back, or use the version "
            "of selfplay-tui that wrote it."
        ) from error
    verdicts = [result.verdict for attempt in trace.attempts for result in attempt.results]
    return [verdict for verdict in verdicts if verdict.outcome in _REFUSALS]
