"""What an undo or a redo did, in words."""

from __future__ import annotations

from typing import Literal

import pytest

from selfplay_core.models import Decision, DecisionKind
from selfplay_core.store.history import Moved
from tui.drawing.words import moved_words, unmoved_words

REJECT = Decision(DecisionKind.REJECT, by="ann", at=1.0)


@pytest.mark.parametrize(
    ("kind", "count", "expected"),
    [("undo", 1, "Undone: reject #1"), ("redo", 1_205, "Done again: reject #1205 and 1,204 more")],
)
def test_a_moved_decision_is_told_with_its_number(kind: Literal["undo", "redo"], count: int, expected: str) -> None:
    """The last one of a batch stands for all."""
    traces = tuple((f"t{number}", number) for number in range(1, count + 1))
    assert moved_words(Moved(kind, REJECT, traces)) == expected


@pytest.mark.parametrize(("back", "what"), [(True, "undo"), (False, "redo")])
def test_what_moved_nothing_says_of_what(back: bool, what: str) -> None:
    """And where."""
    told = unmoved_words(back=back)
    assert told.startswith(f"There is nothing to {what}: no decision")
    assert "in this workspace" in told
