"""How an answer of a bake-off is drawn."""

from __future__ import annotations

import pytest

from selfplay_core.bakeoff.marks import Mark
from selfplay_core.store.bakeoffs import Entered, MarkRecord
from tui.drawing.lines import ROLES
from tui.drawing.rivals import mark_lines


@pytest.mark.parametrize("mark", Mark)
def test_every_mark_has_a_word_and_a_style(mark: Mark) -> None:
    """A role without a style would end the screen that shows it."""
    lines = mark_lines(Entered("good", MarkRecord(0, mark, "", ""), ()), 80)
    spans = [span for line in lines for span in line]
    assert {span.role for span in spans} <= set(ROLES)
    assert spans[-1].role != "text"
