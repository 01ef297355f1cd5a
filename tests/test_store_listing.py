"""Laws of the review queue: filters, marks, lines, examples, and what changed since."""

from __future__ import annotations

import random
import sqlite3
from array import array
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from selfplay_core.errors import StoreError
from selfplay_core.models import Decision, DecisionKind, Level, Outcome, Trace, VerdictOutcome
from selfplay_core.store import listing as listing_module
from selfplay_core.store.amendments import amend_trace
from selfplay_core.store.database import Database, Reader
from selfplay_core.store.decisions import redo, standing, undo
from selfplay_core.store.filters import MARKS, Filter
from selfplay_core.store.flags import set_flag
from selfplay_core.store.listing import Arrivals, arrivals, changes, example, example_of, lines, listing
from selfplay_core.store.listing import ended as ended_traces
from selfplay_core.store.traces import save_trace
from tests.store_samples import (
    ACCEPT,
    REJECT,
    RUN,
    a_prompt,
    a_result,
    a_trace,
    an_attempt,
    asked_again,
    begun,
    by,
    decided,
    ended,
    saved,
)

CATEGORIES = ("edge_items", "worldedit", "multiplayer")


@pytest.fixture
def database(tmp_path: Path) -> Iterator[Database]:
    opened = begun(tmp_path)
    yield opened
    opened.close()


def numbers(reader: Reader, wanted: Filter, after: int = 0) -> list[int]:
    return list(listing(reader, wanted, after=after).numbers)


def marks(reader: Reader) -> list[str]:
    return [MARKS[mark] for mark in listing(reader, Filter()).marks]


def mixed(database: Database, count: int) -> dict[int, tuple[Trace, DecisionKind | None, bool]]:
    """Traces of all sorts by number, each with its decision and flag."""
    chance = random.Random(7)
    made = []
    for number in range(count):
        attempts = tuple(
            an_attempt(n, *(a_result(f"say {word}", chance.choice(list(VerdictOutcome))) for word in "ab"[: n % 3]))
            for n in range(1, chance.randrange(5))
        )
        prompt = a_prompt(f"ask {chance.choice(('torch', 'sword'))} {number}", category=chance.choice(CATEGORIES))
        trace = a_trace("", prompt, chance.choice([Outcome.SOLVED, *Outcome]))
        made.append(replace(trace, attempts=attempts, level=chance.choice(list(Level))))
    made += [a_trace("", a_prompt(f"ask torch {number}")) for number in (count, count + 1)]
    known = {}
    for number, trace in enumerate(saved(database, made), start=1):
        kinds = list(DecisionKind) if trace.outcome is not Outcome.ERRORED else [DecisionKind.REJECT]
        kind = chance.choice([None, *kinds])
        if kind is not None:
            decided(database, trace, by(kind))
        flagged = chance.random() < 0.3
        if flagged:
            set_flag(database, trace.id, True, by="tester", at=1.0)
        known[number] = trace, kind, flagged
    return known


WORST = (VerdictOutcome.REJECTED, VerdictOutcome.FAILED, VerdictOutcome.UNCLEAR, VerdictOutcome.PASSED)


def worst(trace: Trace) -> VerdictOutcome | None:
    found = {result.verdict.outcome for result in trace.last.results} if trace.last else set()
    return next((outcome for outcome in WORST if outcome in found), None)


Meaning = Callable[[Trace, DecisionKind | None, bool], bool]

FILTERS: list[tuple[Filter, Meaning]] = [
    (Filter(), lambda trace, kind, flagged: True),
    (
        Filter(status=("undecided", "skip")),
        lambda trace, kind, flagged: (
            kind is DecisionKind.SKIP or (kind is None and trace.outcome is not Outcome.ERRORED)
        ),
    ),
    (Filter(status=("reject",)), lambda trace, kind, flagged: kind is DecisionKind.REJECT),
    (Filter(categories=CATEGORIES[:2]), lambda trace, kind, flagged: trace.prompt.category in CATEGORIES[:2]),
    (Filter(categories=("unknown",)), lambda trace, kind, flagged: False),
    (Filter(outcomes=(Outcome.FAILED,)), lambda trace, kind, flagged: trace.outcome is Outcome.FAILED),
    (Filter(verdicts=WORST[:2]), lambda trace, kind, flagged: worst(trace) in WORST[:2]),
    (Filter(verdicts=(VerdictOutcome.PASSED,)), lambda trace, kind, flagged: worst(trace) is VerdictOutcome.PASSED),
    (Filter(min_retries=1), lambda trace, kind, flagged: len(trace.attempts) >= 2),
    (Filter(min_retries=0, max_retries=1), lambda trace, kind, flagged: len(trace.attempts) in (1, 2)),
    (Filter(flagged=True), lambda trace, kind, flagged: flagged),
    (Filter(flagged=False), lambda trace, kind, flagged: not flagged),
    (Filter(text="ask tor"), lambda trace, kind, flagged: "torch" in trace.prompt.text),
    (Filter(text='" ( *'), lambda trace, kind, flagged: True),
    (
        Filter(text="say b"),
        lambda trace, kind, flagged: bool(trace.last and trace.last.answer and "say b" in trace.last.answer.commands),
    ),
    (
        Filter(text="torch", categories=CATEGORIES[:1], status=("undecided",), flagged=False),
        lambda trace, kind, flagged: (
            "torch" in trace.prompt.text
            and trace.prompt.category == CATEGORIES[0]
            and kind is None
            and trace.outcome is not Outcome.ERRORED
            and not flagged
        ),
    ),
    (
        Filter(clean=True),
        lambda trace, kind, flagged: (
            trace.outcome is Outcome.SOLVED
            and len(trace.attempts) == 1
            and worst(trace) is VerdictOutcome.PASSED
            and trace.level is Level.EXECUTED
        ),
    ),
    (Filter(number=10**30), lambda trace, kind, flagged: False),
]


@pytest.mark.parametrize("chunk", [3, 1 << 16])
def test_a_filter_lets_through_what_it_says(database: Database, monkeypatch: pytest.MonkeyPatch, chunk: int) -> None:
    """Every condition holds for what is listed and fails for what is not, in the order of numbers, with its marks."""
    monkeypatch.setattr(listing_module, "_CHUNK", chunk)
    known = mixed(database, 120)
    for wanted, holds in FILTERS:
        expected = [number for number, what in known.items() if holds(*what)]
        assert numbers(database, wanted) == expected, wanted
        assert numbers(database, wanted, after=60) == [number for number in expected if number > 60], wanted
    assert numbers(database, Filter(number=7)) == [7]
    expected_marks = [
        kind.value if kind else ("errored" if trace.outcome is Outcome.ERRORED else "undecided")
        for trace, kind, _ in known.values()
    ]
    assert marks(database) == expected_marks
    assert set(expected_marks) == set(MARKS)
    assert sum(len(numbers(database, Filter(status=(mark,)))) for mark in MARKS) == len(known)
    assert numbers(database, Filter(clean=True))


def test_an_empty_workspace_lists_nothing(database: Database) -> None:
    """Nothing is a listing, too."""
    found = listing(database, Filter())
    assert (found.numbers, found.marks) == (array("Q"), bytearray())
    assert changes(database, -1).seq == changes(database, 0).seq == 0


def test_a_listing_reads_no_payloads(database: Database) -> None:
    """Whatever the filter, the table of traces is not touched."""
    ended(database, ["x"])
    plans: list[str] = []
    database._connection.set_trace_callback(plans.append)
    for wanted, _ in FILTERS:
        listing(database, wanted)
    database._connection.set_trace_callback(None)
    asked = [sql for sql in plans if sql.startswith("SELECT json_group_array")]
    assert len(asked) == len(FILTERS)
    for sql in asked:
        plan = [row[3] for row in database.rows(f"EXPLAIN QUERY PLAN {sql}")]
        assert not any("SCAN t" in step or "USE TEMP B-TREE" in step for step in plan), plan
        assert not any(step.split()[1] in ("t", "trace") for step in plan), plan


def test_lines_come_in_the_order_asked(database: Database) -> None:
    """A page of the queue is in the caller's order, its prompts cut, unknown numbers left out."""
    first, second = ended(database, ["a" * 400, "b"])
    decided(database, second, REJECT)
    set_flag(database, first.id, True, by="tester", at=1.0)
    found = lines(database, [2, 99, 1, 2**70])
    assert [(line.number, line.id, line.decision, line.flagged) for line in found] == [
        (2, second.id, DecisionKind.REJECT, False),
        (1, first.id, None, True),
    ]
    assert [line.decided_at for line in found] == [REJECT.at, None]
    assert found[1].prompt == "a" * 300
    assert lines(database, []) == []


def test_an_example_holds_what_a_decision_needs(database: Database) -> None:
    """The whole trace with what stands, by number and by id, and the number that gave its row before."""
    first, second = ended(database, ["a", "a"])
    decided(database, first)
    decided(database, second)
    set_flag(database, second.id, True, by="tester", at=1.0)
    found = example(database, 2)
    assert found is not None
    assert found == example_of(database, second.id)
    assert (found.trace, found.standing, found.same_as) == (second, standing(database, second.id), 1)
    assert (found.run_id, found.ended_at, found.flagged) == (RUN, 1500.0, True)
    assert example(database, 3) is example(database, 2**70) is example_of(database, "nobody") is None


def test_changes_tell_what_anybody_did(tmp_path: Path, database: Database) -> None:
    """Every decision, undo, redo, amendment and replacement since a position is told once, with the mark of now."""
    first, second, third = ended(database, ["a", "b", "c"])
    errored = ended(database, ["d"], 2, outcome=Outcome.ERRORED)[0]
    start = changes(database, -1)
    assert (start.marks, start.amended) == ((), ())
    other = Database.open(tmp_path)
    decided(other, first, REJECT)
    undo(other, first.id, by="tester", at=1.0)
    decided(other, second)
    now = changes(database, start.seq)
    assert (now.marks, now.amended) == (((1, 0), (2, 1)), ())
    assert changes(database, now.seq) == replace(now, marks=())
    amend_trace(other, asked_again(first), by="tester", at=1.0, expected_attempts=1)
    save_trace(other, RUN, replace(errored, outcome=Outcome.SOLVED), 2.0)
    later = changes(database, now.seq)
    assert (later.marks, later.amended) == (((1, 0),), (1, 4))
    assert example(database, 4) is None
    assert numbers(database, Filter(), after=4) == [5]
    decided(other, third)
    undo(other, third.id, by="tester", at=1.0)
    redo(other, third.id, by="tester", at=1.0)
    assert changes(database, later.seq).marks == ((3, 1),)
    assert [entry for entry, _ in changes(database, 0).marks] == [1, 2, 3]
    other.close()


def test_a_flag_stays_with_its_trace(database: Database) -> None:
    """A flag is set and taken away, any number of times, and outlives the replacement of an errored trace."""
    (errored,) = ended(database, ["a"], outcome=Outcome.ERRORED)
    for flagged in (True, True):
        set_flag(database, errored.id, flagged, by="tester", at=1.0)
    save_trace(database, RUN, replace(errored, outcome=Outcome.SOLVED), 2.0)
    assert numbers(database, Filter(flagged=True)) == [2]
    for flagged in (False, False):
        set_flag(database, errored.id, flagged, by="tester", at=1.0)
    assert numbers(database, Filter(flagged=True)) == []
    with pytest.raises(StoreError, match="no such trace"):
        set_flag(database, "nobody", True, by="tester", at=1.0)


def test_a_snapshot_sees_one_moment(tmp_path: Path, database: Database) -> None:
    """What others commit within a snapshot is not seen in it, and is after it."""
    (made,) = ended(database, ["a"])
    reader = Reader.open(tmp_path)
    with reader.snapshot():
        assert marks(reader) == ["undecided"]
        decided(database, made, Decision(DecisionKind.SKIP, "tester", 1.0))
        with reader.snapshot():
            assert marks(reader) == ["undecided"]
    assert marks(reader) == ["skip"]
    with pytest.raises(sqlite3.OperationalError), reader.snapshot():
        reader.rows("SELECT nonsense")
    decided(database, made, ACCEPT)
    assert marks(reader) == ["accept"]
    reader.close()


def test_arrivals_are_all_that_ended_since(tmp_path: Path) -> None:
    """Decided or not, errored or not; the newest by name, the others by their count."""
    database = begun(tmp_path)
    assert arrivals(database, 0, 10) == Arrivals(0, 0, ())
    made = ended(database, ["a", "b", "c"])
    decided(database, made[1])
    made += ended(database, ["d"], 2, outcome=Outcome.ERRORED)
    assert arrivals(database, 1, 2) == Arrivals(3, 4, ((3, made[2].id), (4, made[3].id)))
    assert arrivals(database, 4, 2) == Arrivals(0, 4, ())
    assert arrivals(database, 0, 0) == Arrivals(4, 4, ())
    database.close()


def test_traces_are_read_many_at_once(tmp_path: Path) -> None:
    """In the order that was asked for; what is not there is left out."""
    database = begun(tmp_path)
    made = ended(database, ["a", "b", "c"])
    assert [(found.number, found.trace) for found in ended_traces(database, [3, 9, 1])] == [(3, made[2]), (1, made[0])]
    database.close()
