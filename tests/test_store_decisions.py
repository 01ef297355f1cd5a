"""Laws of decisions: the log, undo and redo, and the accepted order."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from selfplay_core.errors import DecisionOvertaken, StoreError
from selfplay_core.models import Answer, Decision, DecisionKind, Outcome
from selfplay_core.store.database import Database
from selfplay_core.store.decisions import (
    decide,
    first_with_row,
    log,
    redo,
    same_as,
    standing,
    undo,
)
from selfplay_core.store.traces import traces
from tests.store_samples import ACCEPT, NO_ROW, REJECT, accepted, begun, by, decided, ended, render


@pytest.fixture
def database(tmp_path: Path) -> Iterator[Database]:
    opened = begun(tmp_path)
    yield opened
    opened.close()


def accepted_order(database: Database) -> list[str]:
    return [row[0] for row in database.rows("SELECT trace_id FROM accepted ORDER BY seq")]


def test_the_last_decision_counts_and_all_are_kept(database: Database) -> None:
    """A later decision takes the place of an earlier one, which stays in the log."""
    (made,) = ended(database, ["x"])
    assert standing(database, made.id).decision is None
    decided(database, made)
    edit = Decision(DecisionKind.EDIT, "tester", 3.0, "clearer", Answer(("say hi",), "why"), "say hi to me")
    decided(database, made, edit)
    assert standing(database, made.id).decision == edit
    assert [(entry.kind, entry.decision) for entry in log(database)] == [("edit", edit), ("accept", ACCEPT)]
    assert [entry.kind for entry in log(database, before=2)] == ["accept"]


def test_undo_and_redo_walk_the_whole_history(tmp_path: Path, database: Database) -> None:
    """Undo and redo go as far as there are decisions, across restarts, and the log only grows."""
    (made,) = ended(database, ["x"])
    history = [ACCEPT, REJECT, by(DecisionKind.SKIP)]
    for decision in history:
        decided(database, made, decision)
    database.close()
    again = begun_again(tmp_path)
    seen = [undo(again, made.id, by="tester", at=5.0).decision for _ in range(4)]
    assert seen == [REJECT, ACCEPT, None, None]
    seen = [redo(again, made.id, by="tester", at=6.0).decision for _ in range(4)]
    assert seen == [*history, history[-1]]
    assert len(log(again)) == 9
    again.close()


def begun_again(workspace: Path) -> Database:
    return Database.open(workspace)


def test_a_new_decision_ends_redo(database: Database) -> None:
    """What was undone cannot be redone over a decision that fell since."""
    (made,) = ended(database, ["x"])
    decided(database, made)
    undo(database, made.id, by="tester", at=1.0)
    now = decided(database, made, REJECT)
    assert (now.can_undo, now.can_redo) == (True, False)
    assert redo(database, made.id, by="tester", at=2.0).decision == REJECT


def test_accepted_are_in_the_order_of_acceptance(database: Database) -> None:
    """An accepted trace has one place; one withdrawn and accepted again comes last."""
    first, second = accepted(database, ["a", "b"])
    decided(database, first)
    assert accepted_order(database) == [first.id, second.id]
    decided(database, first, REJECT)
    assert accepted_order(database) == [second.id]
    undo(database, first.id, by="tester", at=1.0)
    assert accepted_order(database) == [second.id, first.id]


def test_the_list_shows_what_counts(database: Database) -> None:
    """A trace's mark in lists follows every decision, undo and redo."""
    (made,) = ended(database, ["x"])
    marks = []
    for step in (decided, undo, redo):
        if step is decided:
            decided(database, made)
        else:
            step(database, made.id, by="tester", at=1.0)  # type: ignore[call-arg,arg-type]
        marks.append(traces(database)[0].decision)
    assert marks == [DecisionKind.ACCEPT, None, DecisionKind.ACCEPT]


def test_an_overtaken_decision_is_refused(tmp_path: Path, database: Database) -> None:
    """A decision made on the sight of an older one is refused if it says so, else the last wins; both are logged."""
    (made,) = ended(database, ["x"])
    other = Database.open(tmp_path)
    seen = standing(database, made.id)
    decided(other, made)
    with pytest.raises(DecisionOvertaken, match=rf"trace {made.id}, by tester"):
        decide(database, made.id, REJECT, expected_seq=seen.seq)
    with pytest.raises(DecisionOvertaken):
        undo(database, made.id, by="auto", at=1.0, expected_seq=seen.seq)
    now = decide(database, made.id, REJECT, expected_seq=standing(database, made.id).seq)
    assert now.decision == REJECT
    assert decided(other, made).decision == ACCEPT
    assert [entry.kind for entry in log(database)] == ["accept", "reject", "accept"]
    other.close()


def test_nothing_is_accepted_that_shows_nothing(database: Database) -> None:
    """An errored or missing trace gives no row; an errored one may be rejected."""
    (made,) = ended(database, ["x"], outcome=Outcome.ERRORED)
    with pytest.raises(StoreError, match="errored trace shows nothing"):
        decided(database, made)
    with pytest.raises(StoreError, match="no such trace"):
        decide(database, "nobody", REJECT)
    assert decided(database, made, REJECT).decision == REJECT
    assert accepted_order(database) == []


def test_the_same_row_names_the_first(database: Database) -> None:
    """A row that is out already is told by the number of the trace that gave it first."""
    first, second, silent = accepted(database, ["a", "a", NO_ROW])
    row = render(second, ACCEPT)
    assert row is not None
    assert (same_as(database, first.id), same_as(database, second.id)) == (None, 1)
    assert same_as(database, silent.id) is None
    assert first_with_row(database, row.id) == 1
    decided(database, first, REJECT)
    assert same_as(database, second.id) is None
    assert first_with_row(database, row.id) == 2
    assert first_with_row(database, "unknown") is None
