"""The table of keys is the only one, and says something about each of them."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

import pytest

from tui.keys.actions import ACTIONS, GROUPS, SCREENS, Action, Keymap, spoken
from tui.keys.table import key_table

README = Path(__file__).parent.parent / "README.md"


def test_the_readme_shows_the_keys_that_are_in_force() -> None:
    """The README's table is the one that the table of actions gives."""
    _, _, after = README.read_text().partition("<!-- keys: written by `python -m tui.keys.table` -->\n")
    table, end, _ = after.partition("<!-- end of keys -->")
    assert end
    assert table == key_table()


def test_the_table_names_every_key_of_the_review_screen() -> None:
    """No key of the review screen is left out of the README's table."""
    table = key_table()
    reasons = {f"reject_{number}" for number in range(1, 7)}
    for action in Keymap({}).on("review"):
        for key in action.keys:
            assert f"`{spoken(key)}`" in table or action.name in reasons, action.name


@pytest.mark.parametrize("action", ACTIONS, ids=lambda action: action.name)
def test_every_action_says_what_it_does_and_where(action: Action) -> None:
    """An action has a key, a word for the bar, a line of help, a known group and known screens."""
    assert action.keys
    assert action.label.strip()
    assert action.help.strip()
    assert action.group in GROUPS
    assert action.screens
    assert set(action.screens) <= set(SCREENS)


def test_no_action_has_the_name_of_another() -> None:
    """Names are what settings speak of, so that each stands for one action."""
    assert [name for name, count in Counter(action.name for action in ACTIONS).items() if count > 1] == []


@pytest.mark.parametrize("screen", SCREENS)
def test_no_key_means_two_things_on_one_screen(screen: str) -> None:
    """On every screen a key has one meaning, and no two places in the key bar are the same."""
    actions = Keymap({}).on(screen)
    keys = Counter(key for action in actions for key in action.keys)
    assert [key for key, count in keys.items() if count > 1] == []
    places = Counter(action.bar for action in actions if action.bar)
    assert [place for place, count in places.items() if count > 1] == []
