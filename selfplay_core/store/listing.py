"""The queue of the review screen: all numbers under a filter at once, and what a screen shows of a few."""

from __future__ import annotations

from array import array
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import msgspec

from selfplay_core.likeness.pool import Like
from selfplay_core.models import DecisionKind, Level, Mode, Outcome, Trace, TraceId
from selfplay_core.store.accepted import same_as
from selfplay_core.store.bakeoffs import Entered, entered
from selfplay_core.store.codec import decode, encode
from selfplay_core.store.database import Reader
from selfplay_core.store.filters import LARGEST, MARKS, Filter, condition
from selfplay_core.store.likeness import like_of
from selfplay_core.store.log import Standing, log_position, standing

__all__ = [
    "MARKS",
    "Arrivals",
    "Changes",
    "Ended",
    "Example",
    "Listing",
    "QueueLine",
    "arrivals",
    "changes",
    "ended",
    "example",
    "example_of",
    "lines",
    "listing",
]

_PROMPT_CHARACTERS: Final = 300

# What is decoded at once: some 10 MB of Python's integers. Each chunk begins a search by words anew.
_CHUNK: Final = 1 << 18

_DIGIT_TO_MARK: Final = bytes(byte - ord("0") if chr(byte) in "012345" else 0 for byte in range(256))


@dataclass(slots=True)
class Listing:
    """Traces by ascending number; `marks` holds for each an index into `MARKS`."""

    numbers: array[int]
    marks: bytearray


@dataclass(frozen=True, slots=True)
class QueueLine:
    """A trace as the queue shows it; `prompt` is cut to 300 characters, `decision` None while undecided.

    `decided_at` is when what stands was decided, both times in seconds since the epoch.
    """

    number: int
    id: TraceId
    category: str
    mode: Mode
    outcome: Outcome
    level: Level
    decision: DecisionKind | None
    attempts: int
    ended_at: float
    prompt: str
    flagged: bool
    decided_at: float | None = None


@dataclass(frozen=True, slots=True)
class Example:
    """A whole trace with all that a decision on it needs.

    `same_as` is the number that gave its row first, `near` the earlier one whose prompt this one nearly copies.
    `entered` is what it counts as in a bake-off, if this is one's folder.
    """

    number: int
    run_id: str
    ended_at: float
    trace: Trace
    standing: Standing
    flagged: bool
    same_as: int | None
    near: Like | None = None
    entered: Entered | None = None


@dataclass(frozen=True, slots=True)
class Changes:
    """What happened up to `seq`, which is handed back to ask for what comes after.

    `marks` holds the number and the mark of every trace whose mark may be another than before. `amended` are
    numbers of which another content was read before: the model was asked again (then in `marks`, too), or the
    trace was errored and has been replaced under a new number (then the old one names nothing more).
    """

    seq: int
    marks: tuple[tuple[int, int], ...]
    amended: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class Arrivals:
    """What ended since: how many traces, the number of the last one, and number and id of the newest of them."""

    count: int
    last: int
    newest: tuple[tuple[int, TraceId], ...]


@dataclass(frozen=True, slots=True)
class Ended:
    """A trace without what was decided on it."""

    number: int
    ended_at: float
    trace: Trace


def listing(reader: Reader, wanted: Filter, *, after: int = 0) -> Listing:
    """Return all traces under a filter whose number is larger than `after`.

    Take the position of `changes` before, so that no decision falls between the two.
    """
    asked = condition(wanted)
    # The aggregates keep the order of the subquery.
    sql = (
        "SELECT json_group_array(n), group_concat(mark, '') FROM (SELECT q.n AS n, q.mark AS mark"
        f" FROM {asked.source} WHERE {asked.number} > ?{asked.where} ORDER BY {asked.number} LIMIT {_CHUNK})"
    )
    found = Listing(array("Q"), bytearray())
    decoder = msgspec.json.Decoder(list[int])
    with reader.snapshot():
        while True:
            ((numbers, marks),) = reader.rows(sql, (after, *asked.parameters))
            chunk = array("Q", decoder.decode(numbers))
            if not chunk:
                return found
            found.numbers.extend(chunk)
            found.marks += marks.encode().translate(_DIGIT_TO_MARK)
            if len(chunk) < _CHUNK:
                return found
            after = chunk[-1]


def lines(reader: Reader, numbers: Sequence[int]) -> list[QueueLine]:
    """Return the lines of these traces in the order given; unknown numbers are left out."""
    rows = reader.rows(
        "SELECT t.n, t.id, t.category, t.mode, t.outcome, t.level, t.decision, t.attempts, t.ended_at,"
        f" substr(t.prompt, 1, {_PROMPT_CHARACTERS}), q.flagged, d.at"
        " FROM json_each(?) j CROSS JOIN trace t ON t.n = j.value JOIN review q ON q.n = t.n"
        " LEFT JOIN standing s ON s.trace_id = t.id LEFT JOIN decision d ON d.seq = s.decision ORDER BY j.key",
        (encode(list(numbers)),),
    )
    return [_line(*row) for row in rows]


def example(reader: Reader, number: int) -> Example | None:
    """Return a whole trace by its number, None if no trace has it."""
    return _example(reader, "t.n = ?", min(number, LARGEST))


def example_of(reader: Reader, trace_id: TraceId) -> Example | None:
    """Return a whole trace by its id, None if there is none."""
    return _example(reader, "t.id = ?", trace_id)


def changes(reader: Reader, since: int) -> Changes:
    """Return what was decided, undone, redone, amended or replaced since a position, by anybody.

    With -1 nothing but the position of this moment.
    """
    with reader.snapshot():
        seq = log_position(reader)
        if since < 0 or seq <= since:
            return Changes(seq, (), ())
        marks = reader.rows(
            "SELECT q.n, q.mark FROM (SELECT trace_id FROM decision WHERE seq > ?1"
            " UNION SELECT trace_id FROM trace_change WHERE seq > ?1 AND kind = 'amended') c"
            " JOIN trace t ON t.id = c.trace_id JOIN review q ON q.n = t.n ORDER BY q.n",
            (since,),
        )
        amended = reader.rows("SELECT DISTINCT n FROM trace_change WHERE seq > ? ORDER BY n", (since,))
        return Changes(seq, tuple((n, mark) for n, mark in marks), tuple(n for (n,) in amended))


def arrivals(reader: Reader, since: int, most: int) -> Arrivals:
    """Return what ended after a number, whatever was decided on it, and the newest `most` of it by ascending number."""
    with reader.snapshot():
        ((count, last),) = reader.rows("SELECT count(*), max(n) FROM review WHERE n > ?", (since,))
        newest = reader.rows("SELECT n, id FROM trace WHERE n > ? ORDER BY n DESC LIMIT ?", (since, most))
    return Arrivals(count, last or since, tuple((n, trace_id) for n, trace_id in reversed(newest)))


def ended(reader: Reader, numbers: Sequence[int]) -> list[Ended]:
    """Return these traces in the order given; unknown numbers are left out."""
    rows = reader.rows(
        "SELECT t.n, t.ended_at, t.payload FROM json_each(?) j CROSS JOIN trace t ON t.n = j.value ORDER BY j.key",
        (encode(list(numbers)),),
    )
    return [Ended(number, at, decode(payload, Trace, f"trace #{number}")) for number, at, payload in rows]


def _example(reader: Reader, where: str, value: object) -> Example | None:
    with reader.snapshot():
        row = reader.row(
            "SELECT t.n, t.id, r.id, t.ended_at, t.payload, q.flagged"
            f" FROM trace t JOIN run r ON r.seq = t.run JOIN review q ON q.n = t.n WHERE {where}",
            (value,),
        )
        if row is None:
            return None
        number, trace_id, run_id, ended_at, payload, flagged = row
        trace = decode(payload, Trace, f"trace {trace_id}")
        now = standing(reader, trace_id)
        same, near = same_as(reader, trace_id), like_of(reader, number)
        found = entered(reader, trace_id)
        return Example(number, run_id, ended_at, trace, now, bool(flagged), same, near, found)


def _line(
    number: int,
    id_: str,
    category: str,
    mode: str,
    outcome: str,
    level: str,
    decision: str,
    attempts: int,
    ended_at: float,
    prompt: str,
    flagged: int,
    decided_at: float | None,
) -> QueueLine:
    return QueueLine(
        number,
        id_,
        category,
        Mode(mode),
        Outcome(outcome),
        Level(level),
        None if decision == MARKS[0] else DecisionKind(decision),
        attempts,
        ended_at,
        prompt,
        bool(flagged),
        decided_at,
    )
