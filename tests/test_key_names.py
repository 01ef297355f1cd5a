"""Names of keys as a person writes them in the settings."""

from __future__ import annotations

import pytest

from tui.keys.actions import ACTIONS
from tui.keys.names import key_name


@pytest.mark.parametrize(
    ("written", "name"),
    [
        ("a", "a"),
        ("/", "slash"),
        ("+", "plus"),
        ("ctrl+x", "ctrl+x"),
        ("pagedown", "pagedown"),
        ("é", "é"),
        ("f5", "f5"),
    ],
)
def test_a_key_is_known_as_it_is_written(written: str, name: str) -> None:
    """By its sign, or by its name."""
    assert key_name(written) == name


@pytest.mark.parametrize("written", ["blorb", "ctrl+blorb", "hold+a", "", "\x1b", "ctrl+"])
def test_what_is_no_key_is_known_as_such(written: str) -> None:
    """So that no action is left without a key that works."""
    assert key_name(written) is None


def test_every_key_of_the_table_exists() -> None:
    """Under its name."""
    keys = [key for action in ACTIONS for key in action.keys]
    assert [key_name(key) for key in keys] == keys
