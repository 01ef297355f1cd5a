"""A WorldEdit edit is as large as the region that the same answer selects."""

from __future__ import annotations

import pytest

from selfplay_core.models import Action
from selfplay_core.verify.policy import Policy

SMALL = ("//pos1 0,64,0", "//pos2 9,68,9")
HUGE = ("//pos1 -5000,-64,-5000", "//pos2 5000,319,5000")


@pytest.mark.parametrize(
    ("commands", "last"),
    [
        ((*SMALL, "//set stone"), Action.ALLOW),
        ((*HUGE, "//set air"), Action.ASK),
        (("//world world", *HUGE, "//replace dirt air"), Action.ASK),
        ((*reversed(HUGE), "//walls glass"), Action.ASK),
        (("/worldedit:/pos1 -5000,0,0", "//POS2 5000,9,9", "//SET air"), Action.ASK),
        (("//pos1 0 0 0", "//pos2 500 9 9", "//set air"), Action.ASK),
        ((*SMALL, "//expand 100", "//set air"), Action.ASK),
        (("//chunk", "//set air"), Action.ASK),
        ((*HUGE, "//size"), Action.ALLOW),
        ((*HUGE, "//desel", *SMALL, "//set stone"), Action.ALLOW),
        ((*HUGE, *SMALL, "//set stone"), Action.ALLOW),
        (("//set stone",), Action.ALLOW),
        (("//pos1 0,0,0", "//set stone"), Action.ALLOW),
        (("//pos1 what", "//pos2 ever", "//set stone"), Action.ALLOW),
        ((*HUGE, "//set air", "give Bob torch"), Action.ALLOW),
    ],
)
def test_the_last_command_is_ruled_on_with_the_selection_before_it(commands: tuple[str, ...], last: Action) -> None:
    """Over 4,096 blocks it waits for a person, also where the size cannot be told."""
    *before, ruling = Policy().review_all(commands)
    assert ruling.action is last, ruling.reason
    if last is Action.ALLOW and commands[:2] != HUGE:
        assert all(earlier.action is Action.ALLOW for earlier in before)
