"""Leaving from wherever one is: the keys are those of the table, and nothing typed is lost without a question."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from pathlib import Path

import pytest
from msgspec import structs
from textual.app import App

from tests.review import Review, a_few, decision_on, fill, review, review_job
from tui.app import ReviewApp
from tui.first_run.app import FirstRunApp
from tui.keys.actions import Keymap
from tui.run.runner import Runner
from tui.screens.edit import EditScreen
from tui.screens.too_small import TooSmallScreen
from tui.workbench import Beginning

SCREENS = ("e", "m", "b", "exclamation_mark", "B", "s", "comma", "question_mark", "T", "y")


async def test_an_unsaved_edit_is_asked_about(tmp_path: Path) -> None:
    """As `esc` asks; a second press, not too hasty, throws it away and quits."""
    job = review_job(tmp_path)
    fill(job, a_few(1))
    async with review(job) as opened:
        await _change_something(opened)
        await opened.press("ctrl+q")
        assert isinstance(opened.app.screen, EditScreen)
        assert "^q again quits and throws the changes away" in opened.text()
        await opened.type("y")
        await opened.press("ctrl+q")
        assert opened.app.return_code is None
        await opened.press("ctrl+q")
        assert opened.app.return_code == 0
    assert decision_on(job, 1) is None


async def test_an_edit_outlives_a_question_above_it(tmp_path: Path) -> None:
    """Quitting from a question says no to it, and asks about the edit below."""
    job = review_job(tmp_path)
    fill(job, a_few(1))
    async with review(job) as opened:
        await _change_something(opened, "kill @e")
        await opened.press("ctrl+r")
        assert not isinstance(opened.app.screen, EditScreen)
        await opened.press("ctrl+q")
        assert isinstance(opened.app.screen, EditScreen)
        assert "throws the changes away" in opened.text()
        assert opened.app.return_code is None


async def test_an_edit_outlives_a_terminal_that_is_too_small(tmp_path: Path) -> None:
    """The one line that there is room for asks."""
    job = review_job(tmp_path)
    fill(job, a_few(1))
    async with review(job) as opened:
        await _change_something(opened)
        await opened.resize(40, 10)
        assert isinstance(opened.app.screen, TooSmallScreen)
        await opened.press("q")
        assert "not saved" in opened.text()
        assert opened.app.return_code is None
        await opened.press("q")
        assert opened.app.return_code == 0


@pytest.mark.parametrize("key", SCREENS)
async def test_one_key_quits_from_every_screen(tmp_path: Path, key: str) -> None:
    """The one of the table, where nothing is to be lost."""
    job = review_job(tmp_path)
    fill(job, a_few(2))
    async with review(job) as opened:
        await opened.press(key)
        assert not opened.is_home
        await opened.press("ctrl+q")
        assert opened.app.return_code == 0


async def test_the_key_can_be_another(tmp_path: Path) -> None:
    """What a person sets is in force on the screens too, and the usual key is then nobody's."""
    job = review_job(tmp_path)
    own = structs.replace(job.settings.review, keys={"quit_anywhere": "ctrl+x"})
    job = replace(job, settings=structs.replace(job.settings, review=own))
    fill(job, a_few(1))
    async with review(job) as opened:
        await opened.press("s", "ctrl+q")
        assert opened.app.return_code is None
        await opened.press("ctrl+x")
        assert opened.app.return_code == 0


async def test_what_a_run_has_begun_is_waited_for_in_sight(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The review screen comes to the top and says so; the key again leaves at once."""
    job = review_job(tmp_path)
    fill(job, a_few(1))
    monkeypatch.setattr(Runner, "is_running", property(lambda self: True))
    monkeypatch.setattr(Runner, "ended", lambda self: asyncio.Event().wait())
    async with review(job) as opened:
        await opened.pilot.press("B")
        await opened.until(lambda: not opened.is_home)
        await opened.pilot.press("ctrl+q")
        await opened.until(lambda: opened.is_home)
        assert "Finishing what has begun" in opened.told
        assert opened.number == 1
        await opened.pilot.press("ctrl+q")
        await opened.until(lambda: opened.app.return_code == 0)


@pytest.mark.parametrize("key", SCREENS)
async def test_the_key_that_stops_a_run_is_harmless_elsewhere(tmp_path: Path, key: str) -> None:
    """And tells of no key that is none."""
    job = review_job(tmp_path)
    fill(job, a_few(2))
    async with review(job) as opened:
        await opened.press(key)
        above = opened.app.screen
        await opened.press("ctrl+c")
        assert opened.app.screen is above
        assert not opened.app._notifications


@pytest.mark.parametrize("app", [ReviewApp, FirstRunApp])
def test_no_key_of_textual_is_left(app: type[App[object]]) -> None:
    """Neither the one that quits at once nor the one that tells of it."""
    assert not {"ctrl+q", "ctrl+c"} & set(app._merge_bindings().key_to_bindings)


async def test_the_first_start_is_left_by_the_same_key(tmp_path: Path) -> None:
    """Nothing is started then; `^c` does nothing."""
    job = review_job(tmp_path)
    app = FirstRunApp(Beginning(job, {}, Keymap({})))
    async with app.run_test() as pilot:
        await pilot.press("ctrl+c")
        assert not app._notifications
        assert app.return_code is None
        await pilot.press("ctrl+q")
    assert app.return_code == 0
    assert app.return_value is None


async def _change_something(opened: Review, command: str = "say x") -> None:
    await opened.press("e")
    await opened.pilot.press("ctrl+end")
    await opened.pilot.press("enter")
    await opened.type(command)
    await opened.pilot.pause()
