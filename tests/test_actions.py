"""The table of keys: whole, without contradiction, and followed by the screens."""

from __future__ import annotations

from collections import Counter
from typing import Any

import pytest
from textual.binding import Binding
from textual.screen import Screen

from selfplay_core.errors import SettingsError
from tui.keys.actions import ACTIONS, BULK_ROWS, GROUPS, SCREENS, Keymap
from tui.screens.ask import AskScreen
from tui.screens.bulk import BulkScreen
from tui.screens.confirm import ConfirmScreen
from tui.screens.copy_menu import CopyMenu
from tui.screens.dataset import DatasetScreen
from tui.screens.edit import EditScreen
from tui.screens.first_run import FirstRunScreen
from tui.screens.held import HeldScreen
from tui.screens.help import HelpScreen
from tui.screens.settings import SettingsScreen
from tui.screens.statistics import StatisticsScreen
from tui.screens.tune import TuneScreen

WORK_SCREENS: list[tuple[str, type[Screen[Any]]]] = [
    ("edit", EditScreen),
    ("held", HeldScreen),
    ("bulk", BulkScreen),
    ("ask", AskScreen),
    ("tune", TuneScreen),
    ("copy", CopyMenu),
    ("confirm", ConfirmScreen),
    ("dataset", DatasetScreen),
    ("statistics", StatisticsScreen),
    ("settings", SettingsScreen),
    ("help", HelpScreen),
    ("first", FirstRunScreen),
]


@pytest.mark.parametrize("screen", SCREENS)
def test_no_key_stands_twice_on_one_screen(screen: str) -> None:
    """Else one of the two actions could not be reached."""
    keys = Counter(key for action in Keymap({}).on(screen) for key in action.keys)
    assert [key for key, count in keys.items() if count > 1] == []


def test_every_action_is_named_once_and_belongs_somewhere() -> None:
    """A keymap is told by names, the help page is made of groups."""
    assert [name for name, count in Counter(action.name for action in ACTIONS).items() if count > 1] == []
    for action in ACTIONS:
        assert action.keys
        assert action.group in GROUPS
        assert set(action.screens) <= set(SCREENS)


@pytest.mark.parametrize(("name", "screen"), WORK_SCREENS)
def test_a_screen_does_what_the_table_promises_and_binds_nothing_else(name: str, screen: type[Screen[Any]]) -> None:
    """Every action of the table has its method; every binding of the class comes from the table."""
    actions = Keymap({}).on(name)
    for action in actions:
        assert callable(getattr(screen, f"action_{action.name}", None)), action.name
    bound = {binding.id for binding in screen.BINDINGS if isinstance(binding, Binding)}
    assert bound == {action.name for action in actions}
    assert len(screen.BINDINGS) == len(actions)


@pytest.mark.parametrize(("name", "screen"), WORK_SCREENS)
def test_a_click_is_handled_once(name: str, screen: type[Screen[Any]]) -> None:
    """Textual calls the handler of every class; two of them would act twice."""
    assert len([one for one in screen.__mro__ if "on_pane_clicked" in vars(one)]) == 1


@pytest.mark.parametrize("key", ["a", "enter", "space"])
def test_no_key_that_accepts_elsewhere_does_anything_to_what_is_held(key: str) -> None:
    """A hand that is used to accepting must not let a risky command run."""
    assert [action.name for action in Keymap({}).on("held") if key in action.keys] == []


def test_every_row_of_a_bulk_page_has_a_key() -> None:
    """Its number."""
    keys = {action.name: action.keys for action in Keymap({}).on("bulk")}
    assert [keys[f"strike_{number}"] for number in range(1, BULK_ROWS + 1)] == [
        (str(number),) for number in range(1, BULK_ROWS + 1)
    ]


def test_a_persons_own_keys_may_not_contradict_the_others() -> None:
    """On whichever screen they meet."""
    with pytest.raises(SettingsError, match=r"'y'.*allow"):
        Keymap.of({"deny": "y"})
    assert Keymap.of({"deny": "d, delete"}).own["deny"] == ("d", "delete")


def test_a_key_may_be_written_by_its_sign() -> None:
    """It is the same key then, also where two actions are given it."""
    assert Keymap.of({"flag": "+, /", "filter": "f"}).own["flag"] == ("plus", "slash")
    with pytest.raises(SettingsError, match=r"'slash'.*filter"):
        Keymap.of({"flag": "/"})


@pytest.mark.parametrize("written", ["blorb", "a, ctrl+blorb", "\x1b[2J"])
def test_what_is_no_key_is_refused(written: str) -> None:
    """With the key, the action, and what can be written: an action without a key that works cannot be reached."""
    with pytest.raises(SettingsError, match=r"review\.keys: .*(blorb|\[2J).*accept, is no key; write a character"):
        Keymap.of({"accept": written})


WITH_FIELDS = {"review", "edit", "ask", "help"}


@pytest.mark.parametrize(("name", "screen"), [pair for pair in WORK_SCREENS if pair[0] not in WITH_FIELDS])
def test_every_screen_that_has_room_for_it_explains_its_keys(name: str, screen: type[Screen[Any]]) -> None:
    """By the key that explains those of the review screen."""
    assert "help" in [action.name for action in Keymap({}).on(name)]
