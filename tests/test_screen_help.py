"""The help page: every key in force, found by typing, done by a click."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from textual.screen import Screen

from tests.other_screens import Host, a_bench, a_job, shown, until
from tests.work_screens import WorkHost, bench_of
from tui.drawing.columns import balanced, beside
from tui.drawing.glyphs import ASCII, GLYPHS, Glyphs
from tui.drawing.help_page import help_lines, signs_of
from tui.drawing.lines import Line, Span, plain, width_of
from tui.keys.actions import SCREENS, Keymap, spoken
from tui.screens.bulk import BulkScreen
from tui.screens.confirm import ConfirmScreen
from tui.screens.dataset import DatasetScreen
from tui.screens.help import HelpScreen, Legend
from tui.screens.settings import SettingsScreen
from tui.screens.statistics import StatisticsScreen
from tui.screens.tune import TuneScreen
from tui.state.filter_text import HELP
from tui.widgets.area import SafeInput
from tui.widgets.pane import Pane
from tui.workbench import Workbench

OWN = Keymap.of({"accept": "f9,enter", "undo": "z,backspace", "zoom": "f8"})


@pytest.mark.parametrize("keymap", [Keymap({}), OWN])
@pytest.mark.parametrize("screen", SCREENS)
@pytest.mark.parametrize("width", [60, 80, 120, 160])
def test_every_action_stands_there_once(keymap: Keymap, screen: str, width: int) -> None:
    """Each action of a screen is there with all its keys in force, in one, two and three columns, and fits."""
    lines = help_lines(keymap, screen, HELP, GLYPHS, width)
    assert all(width_of(line) <= width for line in lines)
    for action in keymap.on(screen):
        found = [piece.text for line in lines for piece in line if piece.action == action.name and piece.role == "key"]
        assert found == [spoken(key) for key in keymap.keys(action)]
        said = " ".join(piece.text for line in lines for piece in line if piece.action == action.name)
        assert all(word in said for word in action.help.split())
    text = "\n".join(plain(line) for line in lines)
    assert all(word in text for word, _ in HELP)


@pytest.mark.parametrize("screen", SCREENS)
async def test_the_words_of_the_filter_stand_where_there_is_one(screen: str) -> None:
    """And nowhere else: what does nothing is no help."""
    page = HelpScreen(Legend(Keymap({}), GLYPHS), screen)
    async with Host(page).run_test(size=(160, 50)) as pilot:
        await pilot.pause()
        lines = page._lines("", 160)
        has_filter = screen in ("review", "dataset")
        assert any("status:pending" in plain(line) for line in lines) is has_filter


@pytest.mark.parametrize("glyphs", [GLYPHS, ASCII])
def test_every_sign_has_a_meaning(glyphs: Glyphs) -> None:
    """Each sign of a decision, a verdict or an outcome is explained, and none of them as two different lines."""
    explained = {sign for sign, _ in signs_of(glyphs)}
    for name in ("accept", "reject", "edit", "skip", "pending", "held", "retry", "unclear", "flag", "mark"):
        assert getattr(glyphs, name) in explained
    text = "\n".join(plain(line) for line in help_lines(Keymap({}), "review", HELP, glyphs, 80))
    assert all(meaning.split()[0] in text for _, meaning in signs_of(glyphs))


def test_search_keeps_what_holds_every_word() -> None:
    """Words may stand anywhere in keys, names and texts; where nothing is found, that is said."""
    found = help_lines(Keymap({}), "review", HELP, GLYPHS, 160, "PENDING reject")
    assert {piece.action for line in found for piece in line if piece.action} == {"reject"}
    nothing = help_lines(Keymap({}), "review", HELP, GLYPHS, 80, "xyzzy [/red]")
    assert "xyzzy [/red]" in plain(nothing[0])


def test_columns_are_as_low_as_they_can_be() -> None:
    """Blocks keep their order, and none is lost or cut."""
    blocks: list[list[Line]] = [[(Span(str(number)),)] * height for number, height in enumerate((5, 1, 1, 4, 2))]
    dealt = balanced(blocks, 3)
    assert [block for column in dealt for block in column] == blocks
    assert len(dealt) <= 3
    assert max(sum(map(len, column)) + len(column) - 1 for column in dealt) == 7
    assert balanced([], 3) == [[]]


def test_a_block_keeps_within_its_column() -> None:
    """What is too wide for its column gives way, and what stands beside it stays in its place."""
    wide: list[Line] = [(Span("abcdef"),), ()]
    right: list[Line] = [(Span("x"),), (Span("y"),)]
    assert [plain(line) for line in beside((wide, right), (3, 1), gap=2)] == ["ab\u2026  x", "     y"]


@pytest.mark.parametrize("size", [(80, 24), (120, 36), (160, 50), (60, 16), (12, 4)])
async def test_typing_finds_and_enter_does(tmp_path: Path, size: tuple[int, int]) -> None:
    """What is typed filters the page at once, escape takes it away, enter ends with the first action that is left."""
    async with a_bench(tmp_path / "w") as bench:
        screen = HelpScreen(bench, "review")
        app = Host(screen)
        async with app.run_test(size=size) as pilot:
            await pilot.press(*"stream")
            if size[0] >= 60:
                await until(pilot, lambda: "follow the" in shown(screen) and "undo the last" not in shown(screen))
            await pilot.press("escape")
            if size[0] >= 60:
                await until(pilot, lambda: "accept, and go" in shown(screen))
            await pilot.press("enter")
            assert app.results == []
            await pilot.press(*"stand still", "enter")
            await until(pilot, lambda: app.results == ["tail"])


async def test_a_click_does_and_escape_leaves(tmp_path: Path) -> None:
    """A click on any part of a line ends with its action; a click on nothing ends nothing, escape ends with nothing."""
    async with a_bench(tmp_path / "w", keymap=OWN) as bench:
        app = Host(HelpScreen(bench, "review"))
        async with app.run_test(size=(80, 24)) as pilot:
            await pilot.press("down")
            await pilot.press("up")
            await pilot.click("#body", offset=(3, 1))
            assert app.results == []
            await pilot.click("#body", offset=(12, 2))
            await until(pilot, lambda: app.results == ["accept"])
        screen = HelpScreen(bench, "dataset")
        app = Host(screen)
        async with app.run_test(size=(80, 24)) as pilot:
            assert "ask the model" not in shown(screen)
            await pilot.press("escape")
            await until(pilot, lambda: app.results == [None])


async def test_the_key_bar_leaves_this_screen_and_no_other(tmp_path: Path) -> None:
    """One click, one screen."""
    async with a_bench(tmp_path / "w") as bench:
        below = SettingsScreen(bench)
        app = Host(below)
        async with app.run_test(size=(80, 24)) as pilot:
            await app.push_screen(help_screen := HelpScreen(bench, "review"))
            await pilot.pause()
            place = help_screen.query_one("#keys", Pane).render_line(0).text.index("back")
            await pilot.click("#keys", offset=(place, 0))
            await pilot.pause()
            assert app.screen is below
            assert app.results == []


async def test_the_page_is_scrolled_by_the_arrows(tmp_path: Path) -> None:
    """Whatever is typed meanwhile goes into the search."""
    async with a_bench(tmp_path / "w") as bench:
        screen = HelpScreen(bench, "review")
        async with Host(screen).run_test(size=(80, 24)) as pilot:
            await pilot.press("down", "down", "up", "pagedown")
            assert screen.body().top > 1
            await pilot.press("J")
            assert screen.query_one("#help-search", SafeInput).value == "J"


MAKERS: list[Callable[[Workbench], Screen[Any]]] = [
    SettingsScreen,
    StatisticsScreen,
    DatasetScreen,
    TuneScreen,
    BulkScreen,
    lambda bench: ConfirmScreen(["Sure?"], "do it"),
]


@pytest.mark.parametrize("make", MAKERS)
async def test_every_screen_without_a_field_explains_itself(
    tmp_path: Path, make: Callable[[Workbench], Screen[Any]]
) -> None:
    """By `?`, with its own keys; escape leads back to it."""
    async with bench_of(a_job(tmp_path / "w")) as bench:
        screen = make(bench)
        app = WorkHost(screen)
        async with app.run_test(size=(80, 24)) as pilot:
            await pilot.press("question_mark")
            await until(pilot, lambda: isinstance(app.screen, HelpScreen))
            name = getattr(screen, "SCREEN", "confirm")
            await until(pilot, lambda: f"{name} screen" in shown(app.screen))
            await pilot.press("escape")
            await until(pilot, lambda: screen.is_current)
            assert app.results == []
