"""How the screen opens, and where it says what is in force."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest
from textual.widgets import Input

from selfplay_core.models import Decision, DecisionKind
from selfplay_core.store.decisions import decide
from tests.review import a_few, elsewhere, fill, review, review_job
from tui.workspace.curator import Curator, News


async def test_a_number_that_was_looked_up_is_not_remembered(tmp_path: Path) -> None:
    """The next start shows the whole list, and not one example that may have been decided since."""
    job = review_job(tmp_path)
    fill(job, a_few())
    for typed, remembered in (("#3", ""), ("torches #3", "torches #3")):
        async with review(job) as opened:
            await opened.press("slash")
            opened.app.review.query_one("#filter", Input).value = typed
            await opened.settled()
            await opened.press("enter")
            assert (opened.number, opened.state.filter_text) == (3, typed)
            await opened.press("q")
        async with review(job) as opened:
            assert opened.state.filter_text == remembered
            await opened.press("escape", "q")


@pytest.mark.parametrize(("size", "shown"), [((80, 24), True), ((60, 16), True), ((120, 36), False)])
async def test_a_filter_is_seen_where_the_list_is_not(tmp_path: Path, size: tuple[int, int], shown: bool) -> None:
    """The example's title has the place and the filter, also where nothing matches; beside the list it has neither."""
    job = review_job(tmp_path)
    fill(job, a_few())
    async with review(job, size=size) as opened:
        await opened.press("j")
        assert ("2/6" in opened.text("example")) is shown
        await opened.press("slash")
        await opened.type("torches")
        await opened.press("enter")
        title = opened.text("example").splitlines()[0]
        assert ("/torches" in title) is shown
        assert "/torches" in opened.text("example" if shown else "queue")
        await opened.press("slash")
        await opened.type("zebra")
        title = opened.text("example").splitlines()[0]
        assert ("0/0 /zebra" in title) is shown


async def test_what_has_not_been_read_is_not_said_to_be_empty(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Until the first list and the first counts are here the screen says that it opens, and counts nothing."""
    job = review_job(tmp_path)
    fill(job, a_few(1))
    with elsewhere(job) as database:
        decide(database, "t0", Decision(DecisionKind.REJECT, by="somebody", at=3.0))
    here, news = asyncio.Event(), Curator.news

    async def later(curator: Curator) -> News | None:
        return await news(curator) if here.is_set() else None

    monkeypatch.setattr(Curator, "news", later)
    async with review(job) as opened:
        await opened.pilot.pause(0.3)
        assert "Opening the workspace" in opened.text("example")
        assert "opening" in opened.text("header")
        assert "wait" not in opened.text("header")
        here.set()
        await opened.until(lambda: "All decided: 1 example" in opened.text("example"))
        assert "0 wait" in opened.text("header")
        assert "opening" not in opened.text("header")
