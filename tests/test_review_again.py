"""Asking the model again about what was decided: said beforehand, refused before anything is typed, told afterwards."""

from __future__ import annotations

from pathlib import Path
from typing import Any, cast

from selfplay_core.engine.desk import Asked
from selfplay_core.models import Trace
from selfplay_core.store.amendments import amend_trace
from tests.review import Review, a_few, decision_on, elsewhere, fill, review, review_job
from tests.store_samples import asked_again
from tui.screens.ask import AskScreen


async def test_what_is_accepted_is_refused_before_a_hint_is_typed(tmp_path: Path) -> None:
    """The example is named by its number, and no line for a hint opens."""
    job = review_job(tmp_path)
    fill(job, a_few(2))
    async with review(job) as opened:
        await opened.press("a", "k", "m")
        assert opened.is_home
        assert opened.told.startswith("#1 is accepted, by tester")
        assert "Undo that" in opened.told


async def test_that_asking_ends_a_decision_is_said_before_and_after(tmp_path: Path) -> None:
    """A rejection ends with the new attempt, and what undo takes back next is named."""
    job = review_job(tmp_path)
    fill(job, a_few(3))
    async with review(job) as opened:
        await opened.press("r", "a", "g")
        assert opened.number == 1
        await opened.press("m")
        assert isinstance(opened.app.screen, AskScreen)
        assert "It is rejected by tester. Another answer ends that" in opened.text()
        _answer_at_once(opened)
        await opened.press("enter")
        assert opened.is_home
        assert "#1 was answered anew: that it was rejected is over" in opened.told
        assert decision_on(job, 1) is None
        await opened.press("u")
        assert "Undone: accept #2" in opened.told


async def test_nothing_is_said_to_end_where_nothing_was_decided(tmp_path: Path) -> None:
    """An undecided example has no decision to lose."""
    job = review_job(tmp_path)
    fill(job, a_few(1))
    async with review(job) as opened:
        await opened.press("m")
        assert "ends that" not in opened.text()


def _answer_at_once(opened: Review) -> None:
    """Let the model's answer be there as soon as it is asked for."""

    class _Desk:
        async def ask_again(self, trace: Trace, hint: str, *, by: str) -> Asked:
            after = asked_again(trace)
            with elsewhere(opened.bench.job) as database:
                amend_trace(database, after, by=by, at=3.0, expected_attempts=len(trace.attempts))
            return Asked(after)

        async def aclose(self) -> None:
            """Close nothing."""

    opened.bench.desk = cast(Any, _Desk())
