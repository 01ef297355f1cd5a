"""The keys that move and show: examples, panes, the filter, other screens, and what is remembered of them."""

from __future__ import annotations

from pathlib import Path

import pytest
from textual.command import CommandPalette
from textual.events import Key
from textual.screen import Screen

from selfplay_core.models import Trace
from tests.drawing_samples import corrected
from tests.review import Review, a_few, fill, review, review_job
from tests.samples import make_attempt, make_result, make_trace
from tui.drawing.lines import plain
from tui.screens.ask import AskScreen
from tui.screens.bulk import BulkScreen
from tui.screens.copy_menu import CopyMenu
from tui.screens.dataset import DatasetScreen
from tui.screens.edit import EditScreen
from tui.screens.held import HeldScreen
from tui.screens.help import HelpScreen
from tui.screens.settings import SettingsScreen
from tui.screens.statistics import StatisticsScreen
from tui.screens.tune import TuneScreen
from tui.state.review import PaneName
from tui.widgets.pane import Pane


def a_long_one() -> Trace:
    """A trace that fills more than any screen."""
    results = [make_result(f"say line {number}", reply=f"said {number}") for number in range(60)]
    return make_trace(make_attempt(1, *results), text="sudo say sixty lines")


@pytest.mark.parametrize(
    ("keys", "number"),
    [
        (["j"], 2),
        (["down", "down"], 3),
        (["j", "j", "k"], 2),
        (["j", "up"], 1),
        (["k"], 1),
        (["G"], 6),
        (["end", "j"], 6),
        (["G", "g"], 1),
        (["end", "home"], 1),
    ],
)
async def test_moving_shows_another_example(tmp_path: Path, keys: list[str], number: int) -> None:
    """Letters and arrows go to the next, the previous, the first and the last example, and stop at the ends."""
    job = review_job(tmp_path)
    fill(job, a_few())
    async with review(job) as opened:
        await opened.press(*keys)
        assert opened.number == number
        assert f" {number} pending" in opened.text("example")


async def test_next_pending_passes_over_what_is_decided(tmp_path: Path) -> None:
    """`n` and `N` go from pending to pending, round the ends, and decide nothing."""
    job = review_job(tmp_path)
    fill(job, a_few())
    async with review(job) as opened:
        await opened.press("j", "a", "a", "g")
        await opened.press("n")
        assert opened.number == 4
        await opened.press("N")
        assert opened.number == 1
        await opened.press("N")
        assert opened.number == 6
        await opened.press("n")
        assert opened.number == 1


@pytest.mark.parametrize(("down", "up", "lines"), [("J", "K", 1), ("ctrl+d", "ctrl+u", 12), ("pagedown", "pageup", 12)])
async def test_scrolling_moves_the_example(tmp_path: Path, down: str, up: str, lines: int) -> None:
    """A line or half a page down and up again; another example begins at its top."""
    job = review_job(tmp_path)
    fill(job, [a_long_one(), a_long_one()])
    async with review(job) as opened:
        await opened.press(down)
        assert _top(opened, "example") == lines
        await opened.press(up, up)
        assert _top(opened, "example") == 0
        await opened.press(down, "j")
        assert (opened.number, _top(opened, "example")) == (2, 0)


async def test_the_move_keys_scroll_the_pane_they_are_in(tmp_path: Path) -> None:
    """In the conversation the keys for next and previous scroll it, and the example stays the same."""
    job = review_job(tmp_path)
    fill(job, [a_long_one(), *a_few(1)])
    async with review(job) as opened:
        await opened.press("tab", "j", "j", "k")
        assert opened.state.pane is PaneName.CONVERSATION
        assert (opened.number, _top(opened, "conversation"), _top(opened, "example")) == (1, 1, 0)


@pytest.mark.parametrize(("forth", "back"), [("tab", "shift+tab"), ("l", "h"), ("right", "left")])
async def test_panes_are_gone_through_in_a_ring(tmp_path: Path, forth: str, back: str) -> None:
    """The keys for panes go through all four in order and back, and the active one is marked."""
    job = review_job(tmp_path)
    fill(job, a_few())
    async with review(job) as opened:
        seen = []
        for _ in range(4):
            await opened.press(forth)
            seen.append(opened.state.pane)
            active = [pane.id for pane in opened.app.screen.query(Pane) if pane.is_active]
            assert active == [opened.state.pane.value]
        assert seen == [PaneName.CONVERSATION, PaneName.STREAM, PaneName.QUEUE, PaneName.EXAMPLE]
        await opened.press(back)
        assert opened.state.pane is PaneName.QUEUE


async def test_a_zoomed_pane_has_the_screen(tmp_path: Path) -> None:
    """`z` gives the active pane all room, other panes can be gone to meanwhile, and `z` or escape gives it back."""
    job = review_job(tmp_path)
    fill(job, [corrected(), *a_few()])
    async with review(job) as opened:
        before = _shown(opened)
        await opened.press("z")
        assert _shown(opened) == {"example": 120}
        await opened.press("tab")
        assert _shown(opened) == {"conversation": 120}
        await opened.press("tab")
        assert _shown(opened) == {"stream": 120}
        await opened.press("z")
        assert _shown(opened) == before
        await opened.press("z", "escape")
        assert _shown(opened) == before


@pytest.mark.parametrize(
    ("key", "pane"), [("left_square_bracket", "queue"), ("right_square_bracket", "conversation"), ("o", "conversation")]
)
async def test_a_side_is_hidden_and_shown(tmp_path: Path, key: str, pane: str) -> None:
    """A side that is hidden leaves its room to the example; hidden while it is active, it gives up being so."""
    job = review_job(tmp_path)
    fill(job, a_few())
    async with review(job) as opened:
        before = _shown(opened)
        await opened.press("tab" if pane == "conversation" else "shift+tab", key)
        assert pane not in _shown(opened)
        assert _shown(opened)["example"] == before["example"] + before[pane]
        assert opened.state.pane is PaneName.EXAMPLE
        await opened.press(key)
        assert _shown(opened) == before


async def test_the_difference_is_marked_or_not(tmp_path: Path) -> None:
    """`d` shows the old command beside the new one, or the attempts as they are, and scrolls nothing."""
    job = review_job(tmp_path)
    fill(job, [corrected()])
    async with review(job) as opened:
        marked = _whole(opened, "conversation")
        assert "\u2212" in marked
        await opened.press("tab", "j", "d")
        assert "\u2212" not in _whole(opened, "conversation")
        assert _top(opened, "conversation") == 1
        await opened.press("k", "d")
        assert _whole(opened, "conversation") == marked


async def test_the_stream_is_followed_or_stands_still(tmp_path: Path) -> None:
    """`t` stops the stream where it is whatever comes, and lets it go on; scrolling up stops it, too."""
    job = review_job(tmp_path)
    fill(job, a_few())
    async with review(job) as opened:
        live = opened.state.live
        for number in range(40):
            live.say(1.0, "accept", "t", f"row {number}.")
        await opened.press("t")
        opened.app.review.painter.stream()
        still = opened.text("stream")
        assert "standing still" in still
        for number in range(40, 6_000):
            live.say(1.0, "accept", "t", f"row {number}.")
        opened.app.review.painter.stream()
        await opened.resize(121, 36)
        assert "row 5999." not in opened.text("stream")
        await opened.press("t")
        assert "row 5999." in opened.text("stream")
        await opened.press("tab", "tab", "k")
        assert not opened.state.tail
        await opened.press("j")
        assert opened.state.tail


@pytest.mark.parametrize(
    ("key", "screen"),
    [
        ("e", EditScreen),
        ("m", AskScreen),
        ("b", BulkScreen),
        ("exclamation_mark", HeldScreen),
        ("B", DatasetScreen),
        ("s", StatisticsScreen),
        ("comma", SettingsScreen),
        ("question_mark", HelpScreen),
        ("T", TuneScreen),
        ("y", CopyMenu),
        ("ctrl+p", CommandPalette),
    ],
)
async def test_a_key_opens_a_screen_and_escape_leaves_it(
    tmp_path: Path, key: str, screen: type[Screen[object]]
) -> None:
    """Every screen opens over the review screen by its key, and leaving it shows the same example where it stood."""
    job = review_job(tmp_path)
    fill(job, [a_long_one(), a_long_one()])
    async with review(job) as opened:
        await opened.press("j", "J", "J")
        await opened.press(key)
        assert isinstance(opened.app.screen, screen)
        await opened.press("escape")
        assert opened.is_home
        assert (opened.number, _top(opened, "example")) == (2, 2)


async def test_copying_sends_to_the_clipboard(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """What is chosen in the menu goes to the terminal's clipboard, and the screen says how."""
    for name in ("DISPLAY", "WAYLAND_DISPLAY"):
        monkeypatch.delenv(name, raising=False)
    job = review_job(tmp_path)
    fill(job, a_few())
    async with review(job) as opened:
        await opened.press("y", "p")
        assert opened.app.clipboard == "sudo give me 1 torches"
        assert "clipboard" in opened.told


async def test_the_palette_does_what_its_words_say(tmp_path: Path) -> None:
    """An action that is searched for by its words in the palette is done on the review screen."""
    job = review_job(tmp_path)
    fill(job, a_few())
    async with review(job) as opened:
        await opened.press("ctrl+p")
        await opened.type("flag, or take")
        await opened.until(lambda: bool(opened.app.screen.query("CommandList")))
        await opened.pilot.pause(0.3)
        await opened.press("enter", "enter")
        await opened.until(lambda: opened.is_home)
        await opened.until(lambda: opened.state.example is not None and opened.state.example.flagged)


async def test_a_filter_narrows_while_it_is_typed(tmp_path: Path) -> None:
    """Each letter narrows the list, escape brings everything back, enter keeps it, and keys are letters meanwhile."""
    job = review_job(tmp_path)
    fill(job, [*a_few(3), make_trace(text="sudo summon a pig"), make_trace(text="sudo summon a piglin")])
    async with review(job) as opened:
        await opened.press("slash")
        await opened.type("pig")
        assert list(opened.state.queue.numbers) == [4, 5]
        assert opened.number == 4
        await opened.type("l")
        assert list(opened.state.queue.numbers) == [5]
        await opened.press("escape")
        assert list(opened.state.queue.numbers) == [1, 2, 3, 4, 5]
        await opened.press("slash")
        await opened.type("pig")
        await opened.press("enter", "j")
        assert (opened.number, opened.state.filter_text) == (5, "pig")
        assert "/pig" in opened.text("queue")
        assert opened.state.decided.total() == 0
        await opened.press("escape")
        assert len(opened.state.queue) == 5


async def test_letters_right_behind_the_filters_key_are_not_lost(tmp_path: Path) -> None:
    """A filter that is pasted together with the key that opens it is typed as a whole, and decides nothing."""
    job = review_job(tmp_path)
    fill(job, [*a_few(3), make_trace(text="sudo summon a pig")])
    async with review(job) as opened:
        opened.clock.seconds += 1.0
        await opened.pilot.press("slash", *"pig", "enter")
        await opened.settled()
        assert opened.state.filter_text == "pig"
        for key in ("slash", *"let", "backspace"):
            opened.app.post_message(Key(key, key if len(key) == 1 else None))
        await opened.settled()
        await opened.until(lambda: opened.state.filter_text == "le")
        assert opened.state.decided.total() == 0


async def test_a_letter_that_is_taken_back_at_once_filters_nothing(tmp_path: Path) -> None:
    """Escape right behind a letter wins over the list that the letter has asked for."""
    job = review_job(tmp_path)
    fill(job, a_few(3))
    async with review(job) as opened:
        await opened.press("slash")
        opened.app.review.looking.filter_typed("nothing")
        opened.app.review.looking.do_back()
        await opened.settled()
        assert opened.state.filter_text == ""
        assert len(opened.state.queue) == 3


async def test_a_bad_value_is_told_and_filters_nothing(tmp_path: Path) -> None:
    """A value that a key of the filter never has is named in one line, and the list stays as it was."""
    job = review_job(tmp_path)
    fill(job, a_few(3))
    async with review(job) as opened:
        await opened.press("slash")
        await opened.type("status:nonsense")
        assert "nonsens" in opened.told
        assert len(opened.state.queue) == 3


async def test_nothing_found_says_how_to_go_on(tmp_path: Path) -> None:
    """Where a filter lets nothing through, the pane names it and the keys that lead on."""
    job = review_job(tmp_path)
    fill(job, a_few(3))
    async with review(job) as opened:
        await opened.press("slash")
        await opened.type("zebra")
        await opened.press("enter")
        assert "Nothing matches" in opened.text("example")
        assert "zebra" in opened.text("example")
        await opened.press("a", "r", "u", "x", "e", "f", "y", "m", "J", "G", "n", "N")
        assert opened.is_home


async def test_a_click_does_what_a_key_does(tmp_path: Path) -> None:
    """A row is chosen by clicking it, and a key of the key bar by clicking its name."""
    job = review_job(tmp_path)
    fill(job, a_few())
    async with review(job) as opened:
        await opened.pilot.click("#queue", offset=(12, 3))
        await opened.settled()
        assert opened.number == 3
        opened.clock.seconds += 1.0
        await opened.pilot.click("#keys", offset=(3, 0))
        await opened.settled()
        assert opened.number == 4
        assert "1 of" not in opened.text("queue")
        assert "5 of 6" in opened.text("queue")


async def test_what_was_left_is_found_again(tmp_path: Path) -> None:
    """Hidden panes, filter, theme, the difference and the example are there when the workspace is opened again."""
    job = review_job(tmp_path)
    fill(job, [*a_few(3), make_trace(text="sudo summon a pig"), make_trace(text="sudo summon a pig twice")])
    async with review(job) as opened:
        await opened.press("left_square_bracket", "d", "t", "slash")
        await opened.type("pig")
        await opened.press("enter", "j")
        opened.app.theme = "selfplay-light"
        await opened.press("q")
    async with review(job) as opened:
        assert opened.number == 5
        assert list(opened.state.queue.numbers) == [4, 5]
        assert opened.app.theme == "selfplay-light"
        assert "queue" not in _shown(opened)
        assert (opened.state.diff, opened.state.tail) == (False, False)
        await opened.press("escape")
        assert len(opened.state.queue) == 5


async def test_a_theme_that_was_set_by_hand_outranks_the_remembered_one(tmp_path: Path) -> None:
    """A theme from settings or flags holds, whatever was left last time."""
    job = review_job(tmp_path)
    fill(job, a_few(1))
    async with review(job) as opened:
        opened.app.theme = "selfplay-light"
        await opened.press("q")
    async with review(job, origins={"review.theme": "--theme"}) as opened:
        assert opened.app.theme == "selfplay-dark"


def _top(opened: Review, pane: str) -> int:
    return opened.app.review.query_one(f"#{pane}", Pane).top


def _whole(opened: Review, name: str) -> str:
    """All lines of a pane, in sight or not."""
    pane = opened.app.review.query_one(f"#{name}", Pane)
    lines = (pane.line_at(index, pane.body_width) for index in range(pane.count()))
    return "\n".join(plain(line or ()) for line in lines)


def _shown(opened: Review) -> dict[str, int]:
    """The panes on screen and how wide they are."""
    panes = {name.value: opened.app.review.query_one(f"#{name.value}", Pane) for name in PaneName}
    return {name: pane.size.width for name, pane in panes.items() if pane.region.area}
