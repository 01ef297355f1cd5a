"""Which panes are on screen at which size, and that keys reach all of them at every size."""

from __future__ import annotations

import random
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.drawing_samples import corrected
from tests.review import a_few, decision_on, fill, review, review_job
from tui.screens.too_small import TooSmallScreen
from tui.state.layout import LEAST, layout_of
from tui.state.review import PaneName, State
from tui.widgets.pane import Pane

SIZES = [(160, 50), (120, 36), (100, 30), (80, 24), (60, 16)]
NARROWEST_EXAMPLE = 36


@given(
    st.integers(LEAST[0], 400),
    st.integers(LEAST[1], 200),
    st.sets(st.sampled_from([PaneName.QUEUE, PaneName.CONVERSATION])),
)
def test_the_example_has_always_room(columns: int, rows: int, hidden: set[PaneName]) -> None:
    """At no size and with nothing hidden or anything does the example have fewer than 36 columns and 8 rows."""
    layout = layout_of(State(hidden=hidden), columns, rows)
    assert layout.middle is PaneName.EXAMPLE
    assert columns - layout.queue - layout.conversation >= NARROWEST_EXAMPLE
    assert rows - 1 - layout.stream - layout.key_rows >= 8
    # With anything beside it, it is wide enough to be read all the same.
    assert columns - layout.queue - layout.conversation >= (50 if layout.queue or layout.conversation else 0)


@given(st.integers(LEAST[0], 400), st.integers(LEAST[1], 200), st.sampled_from(PaneName), st.booleans())
def test_the_pane_that_was_asked_for_is_shown(columns: int, rows: int, pane: PaneName, zoomed: bool) -> None:
    """A pane that is gone to and put over the others is on screen at every size, zoomed or not."""
    assert layout_of(State(pane=pane, over=pane, zoomed=zoomed), columns, rows).shows(pane)


@pytest.mark.parametrize("size", SIZES)
async def test_keys_reach_every_pane(tmp_path: Path, size: tuple[int, int]) -> None:
    """Going through the panes shows each of them and its text, and at the end the screen is as it was."""
    job = review_job(tmp_path)
    fill(job, [corrected(), *a_few()])
    async with review(job, size=size) as opened:
        opened.state.live.say(1.0, "accept", "t", "say streamed")
        opened.clock.seconds += 60.0
        opened.app.review.painter.stream()
        before = opened.text()
        texts = {"conversation": "attempt 1", "stream": "say streamed", "queue": "give me 1", "example": "PROMPT"}
        for pane, text in texts.items():
            await opened.press("tab")
            assert opened.app.review.query_one(f"#{pane}", Pane).region.area
            assert text in opened.text(pane)
        assert opened.state.pane is PaneName.EXAMPLE
        assert _panes(before) == _panes(opened.text())


@pytest.mark.parametrize("size", [(80, 24), (60, 16)])
async def test_a_side_is_laid_over_the_example_and_taken_away(tmp_path: Path, size: tuple[int, int]) -> None:
    """In a narrow terminal the same keys show the prompts and the conversation over the example; escape ends it."""
    job = review_job(tmp_path)
    fill(job, [corrected(), *a_few()])
    async with review(job, size=size) as opened:
        await opened.press("left_square_bracket", "j")
        assert "Prompts 7" in opened.text()
        assert opened.number == 2
        await opened.press("left_square_bracket")
        assert "2 pending" in opened.text("example")
        await opened.press("k", "o")
        assert "attempt 1" in opened.text("conversation")
        assert opened.text("example") == ""
        await opened.press("escape", "j")
        assert "2 pending" in opened.text("example")


async def test_the_conversation_has_room_beside_the_list_or_lies_over_the_example(tmp_path: Path) -> None:
    """Between narrow and wide the list stands beside the example, and `o` shows the conversation as where it is narrow.

    What a person hid stays hidden in a wider terminal; what only had no room does not.
    """
    job = review_job(tmp_path)
    fill(job, [corrected(), *a_few()])
    async with review(job, size=(100, 20)) as opened:
        example = opened.app.review.query_one("#example", Pane)
        assert example.size.width >= 60
        assert opened.text("conversation") == ""
        assert "Prompts 7" in opened.text("queue")
        await opened.press("o")
        assert "attempt 1" in opened.text("conversation")
        await opened.press("o")
        assert "1 pending" in opened.text("example")
        assert "Prompts 7" in opened.text("queue")
        await opened.resize(120, 20)
        assert "attempt 1" in opened.text("conversation")
        await opened.press("o")
        await opened.resize(119, 20)
        await opened.resize(120, 20)
        assert opened.text("conversation") == ""


@pytest.mark.parametrize("size", SIZES)
async def test_nothing_is_wider_than_the_screen(tmp_path: Path, size: tuple[int, int]) -> None:
    """Header, panes and key bar fit at every size, and the example is decided on at every size."""
    job = review_job(tmp_path)
    fill(job, [corrected(), *a_few()])
    async with review(job, size=size) as opened:
        for pane in opened.app.screen.query(Pane):
            assert pane.region.right <= size[0]
            assert pane.region.bottom <= size[1]
        assert opened.app.review.query_one("#example").size.width >= NARROWEST_EXAMPLE
        assert "a accept" in opened.text("keys")
        assert "? keys" in opened.text("keys")
        await opened.press("a")
        assert decision_on(job, 1) is not None


async def test_too_small_a_terminal_says_how_large_it_must_be(tmp_path: Path) -> None:
    """Below 60x16 one line is all there is, no key but `q` does anything, and growing again brings all back."""
    job = review_job(tmp_path)
    fill(job, [corrected(), *a_few()])
    async with review(job, size=(80, 24)) as opened:
        await opened.press("j")
        before = opened.text()
        for size in ((59, 16), (60, 15), (59, 15), (20, 1)):
            await opened.resize(*size)
            assert opened.text().split() == ["needs", "60x16"]
        await opened.press("a", "r", "j", "e", "question_mark", "ctrl+p", "escape", "A", "slash")
        assert isinstance(opened.app.screen, TooSmallScreen)
        assert decision_on(job, 2) is None
        await opened.resize(80, 24)
        assert opened.is_home
        assert _panes(opened.text()) == _panes(before)


async def test_a_terminal_may_be_too_small_from_the_start(tmp_path: Path) -> None:
    """Started too small the screen waits for room; `q` leaves."""
    job = review_job(tmp_path)
    fill(job, a_few())
    async with review(job, size=(40, 10)) as opened:
        assert "needs 60x16" in opened.text()
        await opened.resize(80, 24)
        assert "1 pending" in opened.text("example")
        await opened.resize(40, 10)
        await opened.press("q")
        assert opened.app.return_code == 0


async def test_a_storm_of_sizes_ends_where_a_quiet_start_would(tmp_path: Path) -> None:
    """After any number of sizes, too small ones included, with keys in between, the screen is as at a fresh start."""
    job = review_job(tmp_path)
    fill(job, [corrected(), *a_few()])
    drawn = random.Random(4)
    async with review(job) as fresh:
        expected = _panes(fresh.text())
    async with review(job) as opened:
        for _ in range(30):
            await opened.pilot.resize_terminal(drawn.randint(1, 200), drawn.randint(1, 60))
            await opened.pilot.press(drawn.choice(["tab", "z", "o", "left_square_bracket", "J", "t", "d"]))
        opened.state.hidden.clear()
        opened.state.zoomed, opened.state.over, opened.state.pane = False, None, PaneName.EXAMPLE
        opened.state.tail = opened.state.diff = True
        await opened.resize(119, 36)
        await opened.resize(120, 36)
        assert _panes(opened.text()) == expected


async def test_another_screen_outlives_a_terminal_that_was_too_small(tmp_path: Path) -> None:
    """What was open before the terminal shrank is open again afterwards."""
    job = review_job(tmp_path)
    fill(job, a_few())
    async with review(job) as opened:
        await opened.press("s")
        statistics = opened.app.screen
        await opened.resize(30, 8)
        await opened.resize(100, 30)
        assert opened.app.screen is statistics
        await opened.press("escape")
        assert opened.is_home
        assert "1 pending" in opened.text("example")


def _panes(text: str) -> list[str]:
    """The lines of a screen without the header, whose counts come with time, and the notice."""
    return text.splitlines()[1:]
