"""Laws of amendments: further attempts change a trace, and never a row."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from selfplay_core.errors import DecisionOvertaken, StoreError, WorkspaceError
from selfplay_core.models import AUTO, DecisionKind, Level, Outcome, Trace, WorldKind
from selfplay_core.store.amendments import amend_trace
from selfplay_core.store.database import Database
from selfplay_core.store.decisions import decide, redo, standing, undo
from selfplay_core.store.filters import Filter
from selfplay_core.store.history import redo_last, undo_last
from selfplay_core.store.listing import lines, listing
from selfplay_core.store.traces import search, tally, trace, traces
from tests.store_samples import (
    ACCEPT,
    REJECT,
    a_prompt,
    a_trace,
    asked_again,
    assert_sound,
    begun,
    by,
    decided,
    ended,
    expected_prompts,
    projection,
    prompts_in,
    render,
    saved,
)


@pytest.fixture
def database(tmp_path: Path) -> Iterator[Database]:
    opened = begun(tmp_path)
    yield opened
    opened.close()


def amended(database: Database, made: Trace) -> Trace:
    more = asked_again(made)
    amend_trace(database, more, by="ann", at=9.0, expected_attempts=len(made.attempts))
    return more


def test_an_amended_trace_is_another(database: Database) -> None:
    """Content, outcome, level, counts, search and filters are the new ones; number and time stay."""
    (made,) = ended(database, ["x"], outcome=Outcome.FAILED)
    decided(database, made, REJECT)
    more = replace(asked_again(made), level=Level.PARSED)
    amend_trace(database, more, by="ann", at=9.0, expected_attempts=1)
    assert trace(database, made.id) == more
    (line,) = lines(database, [1])
    assert (line.outcome, line.level, line.attempts, line.decision, line.ended_at) == (
        Outcome.CORRECTED,
        Level.PARSED,
        2,
        None,
        1500.0,
    )
    assert [(count.outcome, count.decision, count.count) for count in tally(database)] == [(Outcome.CORRECTED, None, 1)]
    assert [found.number for found in search(database, "summon pig")] == [1]
    assert search(database, "minecraft stone") == []
    assert list(listing(database, Filter(status=("undecided",), min_retries=1, text="pig")).numbers) == [1]
    assert_sound(database)


def test_what_stood_before_an_amendment_is_over(tmp_path: Path, database: Database) -> None:
    """Neither undo nor redo, on the trace or across traces, brings back a decision on other content."""
    first, second = ended(database, ["x", "y"])
    decided(database, second, by(DecisionKind.SKIP))
    decided(database, first, REJECT)
    decided(database, first)
    undo(database, first.id, by="ann", at=1.0)
    more = amended(database, first)
    now = standing(database, first.id)
    assert (now.decision, now.can_undo, now.can_redo) == (None, False, False)
    assert redo_last(database, by="ann", at=2.0) is None
    for step in (undo, redo):
        assert step(database, first.id, by="ann", at=2.0) == now
    moved = undo_last(database, by="ann", at=2.0)
    assert moved is not None
    assert moved.traces == ((second.id, 2),)
    decided(database, more)
    assert undo(database, first.id, by="ann", at=3.0).decision is None
    redo(database, first.id, by="ann", at=4.0)
    output = tmp_path / "out.jsonl"
    projection(database, output).catch_up()
    assert prompts_in(output) == expected_prompts(database) == ["x"]
    assert "summon pig" in output.read_text()


def test_an_amendment_overtakes_decisions_on_what_was_before(database: Database) -> None:
    """Who saw fewer attempts, or the log before the amendment, is refused; so is a second amendment at once."""
    (made,) = ended(database, ["x"])
    seen = standing(database, made.id)
    more = amended(database, made)
    with pytest.raises(DecisionOvertaken, match=rf"trace {made.id} has 2 attempts, not 1"):
        decide(database, made.id, ACCEPT, render(made, ACCEPT), expected_attempts=1)
    with pytest.raises(DecisionOvertaken, match="by ann"):
        decide(database, made.id, replace(ACCEPT, by=AUTO), render(made, ACCEPT), expected_seq=seen.seq)
    with pytest.raises(DecisionOvertaken):
        amended(database, made)
    expected = standing(database, made.id).seq
    decide(database, made.id, ACCEPT, render(more, ACCEPT), expected_attempts=2, expected_seq=expected)


@pytest.mark.parametrize("kind", [DecisionKind.ACCEPT, DecisionKind.EDIT])
def test_an_accepted_trace_is_not_amended(database: Database, kind: DecisionKind) -> None:
    """A trace that gives a row keeps its content until the decision is undone."""
    (made,) = ended(database, ["x"])
    decided(database, made, by(kind))
    with pytest.raises(StoreError, match=rf"accepted.*{made.id}\. Undo the decision"):
        amended(database, made)
    assert trace(database, made.id) == made
    undo(database, made.id, by="ann", at=1.0)
    amended(database, made)


def without_attempt(made: Trace) -> Trace:
    return made


def with_another_past(made: Trace) -> Trace:
    return replace(asked_again(made), attempts=asked_again(made).attempts[::-1])


def with_another_prompt(made: Trace) -> Trace:
    return replace(asked_again(made), prompt=a_prompt("z"))


def errored(made: Trace) -> Trace:
    return replace(asked_again(made), outcome=Outcome.ERRORED)


@pytest.mark.parametrize("change", [without_attempt, with_another_past, with_another_prompt, errored])
def test_only_further_attempts_are_taken(database: Database, change: Callable[[Trace], Trace]) -> None:
    """An amendment that changes the past, adds nothing or ends errored is refused and leaves all as it was."""
    (made,) = ended(database, ["x"])
    decided(database, made, REJECT)
    with pytest.raises(StoreError, match=made.id):
        amend_trace(database, change(made), by="ann", at=9.0, expected_attempts=1)
    assert trace(database, made.id) == made
    assert standing(database, made.id).decision == REJECT


def test_what_ended_errored_is_run_again_instead(database: Database) -> None:
    """Errored, unknown and other-world traces are not amended."""
    (made,) = ended(database, ["x"], outcome=Outcome.ERRORED)
    with pytest.raises(StoreError, match="errored trace takes no further attempt"):
        amended(database, made)
    with pytest.raises(StoreError, match="no such trace"):
        amended(database, replace(made, id="nobody"))
    real = replace(made, world=replace(made.world, kind=WorldKind.REAL))
    with pytest.raises(WorkspaceError, match="come from the sandbox"):
        amended(database, real)
    assert [line.attempts for line in traces(database)] == [1]


def test_text_that_utf8_cannot_hold_is_no_other_past(database: Database) -> None:
    """A trace whose text was mended when stored takes attempts that are mended the same way."""
    (made,) = saved(database, [a_trace("", a_prompt("x"), command="say \ud800")])
    more = amended(database, made)
    stored = trace(database, made.id)
    assert stored is not None
    assert len(stored.attempts) == len(more.attempts)
