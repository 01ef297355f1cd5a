"""The keys that decide: what is decided is in the database, follows to the file, and can be taken back."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any, cast

import pytest

from selfplay_core.exchange.rows import render
from selfplay_core.models import AUTO, Decision, DecisionKind, Outcome
from selfplay_core.store.decisions import Planned, decide, decide_all
from selfplay_core.store.log import log_position
from tests.review import Review, a_few, decision_on, elsewhere, fill, read_example, review, review_job
from tests.samples import ACCEPT, make_trace
from tests.worlds import prompts_of
from tui.app import ReviewApp
from tui.keys.actions import REASONS, Keymap
from tui.review.deciding import Deciding
from tui.review.looking import Looking
from tui.review.running import Running
from tui.review.visiting import Visiting
from tui.screens.confirm import ConfirmScreen
from tui.state.review import SIGHT_SECONDS

MATTERS = [matter(cast(Any, None), cast(Any, None)) for matter in (Deciding, Looking, Running, Visiting)]


@pytest.mark.parametrize("name", [action.name for action in Keymap({}).on("review")])
def test_every_action_of_the_table_is_done_by_someone(name: str) -> None:
    """An action of the review screen is done by one of its matters, else by the app."""
    doers = [matter for matter in MATTERS if callable(getattr(matter, f"do_{name}", None))]
    assert len(doers) == 1 or (not doers and callable(getattr(ReviewApp, f"action_{name}", None)))


@pytest.mark.parametrize(
    ("key", "kind"), [("a", DecisionKind.ACCEPT), ("r", DecisionKind.REJECT), ("space", DecisionKind.SKIP)]
)
async def test_one_key_decides_and_goes_on(tmp_path: Path, key: str, kind: DecisionKind) -> None:
    """Accept, reject and skip are in the database, by the operator, and the next pending example is shown."""
    job = review_job(tmp_path)
    fill(job, a_few())
    async with review(job) as opened:
        await opened.press(key)
        decision = decision_on(job, 1)
        assert decision is not None
        assert (decision.kind, decision.by, decision.reason) == (kind, "tester", "")
        assert opened.number == 2
        assert "2 pending" in opened.text("example")


async def test_each_number_rejects_for_its_reason(tmp_path: Path) -> None:
    """Keys 1 to 6 reject, each with the reason of its place."""
    job = review_job(tmp_path)
    fill(job, a_few(len(REASONS)))
    async with review(job) as opened:
        await opened.press(*(str(place) for place in range(1, len(REASONS) + 1)))
    decisions = [decision_on(job, number) for number in range(1, len(REASONS) + 1)]
    assert [decision and (decision.kind, decision.reason) for decision in decisions] == [
        (DecisionKind.REJECT, reason) for reason in REASONS
    ]


async def test_after_the_last_one_the_screen_says_so(tmp_path: Path) -> None:
    """Where nothing is pending any more the example stays, with what was decided on it."""
    job = review_job(tmp_path)
    fill(job, a_few(1))
    async with review(job) as opened:
        await opened.press("a")
        assert opened.number == 1
        assert "Nothing more is pending" in opened.told
        assert "1 accept" in opened.text("example")


async def test_skipped_ones_come_again_once_nothing_else_is_left(tmp_path: Path) -> None:
    """Skipping is for now: what was skipped is shown again after the last pending one."""
    job = review_job(tmp_path)
    fill(job, a_few(2))
    async with review(job) as opened:
        await opened.press("space", "a")
        assert opened.number == 1
        await opened.press("a")
    assert [_kind(job, number) for number in (1, 2)] == ["accept", "accept"]


async def test_a_fault_cannot_be_accepted(tmp_path: Path) -> None:
    """A trace that ended by a fault shows nothing, so accepting it is refused in words; rejecting it is not."""
    job = review_job(tmp_path)
    fill(job, [replace(make_trace(), outcome=Outcome.ERRORED, reason="the server went away"), *a_few(1)])
    async with review(job) as opened:
        await opened.press("slash")
        await opened.type("status:errored")
        await opened.press("enter")
        assert opened.number == 1
        await opened.press("a")
        assert "cannot be accepted" in opened.told
        assert decision_on(job, 1) is None


async def test_a_flag_is_set_and_taken_away(tmp_path: Path) -> None:
    """The flag is in the database and on screen, and the same key takes it away."""
    job = review_job(tmp_path)
    fill(job, a_few())
    async with review(job) as opened:
        await opened.press("f")
        assert read_example(job, 1).flagged
        assert "flagged" in opened.text("example")
        await opened.press("f")
        assert not read_example(job, 1).flagged
        assert "flagged" not in opened.text("example")


async def test_undo_and_redo_have_no_end_and_outlive_the_app(tmp_path: Path) -> None:
    """Every decision is taken back in turn and restored in turn, by an app that is opened anew each time."""
    job = review_job(tmp_path)
    fill(job, a_few(3))
    async with review(job) as opened:
        await opened.press("a", "2", "space")
    before = [decision_on(job, number) for number in (1, 2, 3)]
    async with review(job) as opened:
        await opened.press("u")
        assert opened.number == 3
        assert "Undone: skip #3" in opened.told
        await opened.press("u", "u")
        assert opened.number == 1
        await opened.press("u")
        assert "nothing to undo" in opened.told
    assert [decision_on(job, number) for number in (1, 2, 3)] == [None, None, None]
    async with review(job) as opened:
        await opened.press("U", "ctrl+y", "U", "U")
        assert "nothing to redo" in opened.told
    after = [decision_on(job, number) for number in (1, 2, 3)]
    assert [(item.kind, item.reason) for item in after if item] == [(item.kind, item.reason) for item in before if item]


async def test_undo_reaches_what_the_list_does_not_hold(tmp_path: Path) -> None:
    """A decision on an example outside the filter is taken back all the same, and the screen says where it is."""
    job = review_job(tmp_path)
    fill(job, [*a_few(2), make_trace(text="sudo summon a pig")])
    async with review(job) as opened:
        await opened.press("a", "slash")
        await opened.type("pig")
        await opened.press("enter", "u")
        assert "not in this list" in opened.told
        assert opened.number == 3
        await opened.press("escape")
        assert list(opened.state.queue.numbers) == [1, 2, 3]
    assert decision_on(job, 1) is None


async def test_keys_that_undo_are_done_in_their_order_however_fast_they_come(tmp_path: Path) -> None:
    """What is typed while something is being saved is not lost: three undos take back three, a redo brings one."""
    job = review_job(tmp_path)
    fill(job, a_few(4))
    async with review(job) as opened:
        await opened.press("a", "a", "a")
        with opened.busy_store():
            for key in ("u", "u", "u", "U"):
                await opened.pilot.press(key)
            assert [_kind(job, number) for number in (1, 2, 3)] == ["accept"] * 3
        await opened.settled()
        await opened.until(lambda: not opened.state.saving)
        assert [_kind(job, number) for number in (1, 2, 3)] == ["accept", None, None]
        assert opened.number == 1
        assert "Done again: accept #1" in opened.told


async def test_an_automatic_acceptance_is_undone_while_it_is_shown(tmp_path: Path) -> None:
    """It goes before the person's last decision, stays undone for the acceptance itself, and can be redone."""
    job = review_job(tmp_path)
    fill(job, a_few(3))
    with elsewhere(job) as database:
        found = read_example(job, 2).trace
        decide(database, found.id, replace(ACCEPT, by=AUTO), render(found, ACCEPT))
    async with review(job) as opened:
        await opened.press("a", "slash")
        await opened.type("status:accepted")
        await opened.press("enter", "j")
        assert opened.number == 2
        assert "automatic" in opened.text("keys")
        await opened.press("u")
        assert "Undone: automatic accept #2" in opened.told
        assert (_kind(job, 1), _kind(job, 2)) == ("accept", None)
        assert "automatic" not in opened.text("keys")
        await opened.press("U")
        assert (_kind(job, 1), _kind(job, 2)) == ("accept", "accept")
        assert decision_on(job, 2) == replace(ACCEPT, by=AUTO)
        await opened.press("u", "u")
        assert (_kind(job, 1), _kind(job, 2)) == (None, None)
        await opened.press("u")
        assert "nothing to undo" in opened.told


async def test_marked_ones_are_decided_together_and_taken_back_together(tmp_path: Path) -> None:
    """The question names the count, yes decides on all marked ones in one step, and one undo takes all back."""
    job = review_job(tmp_path)
    fill(job, a_few())
    async with review(job) as opened:
        await opened.press("x", "x", "j", "x")
        assert opened.state.queue.chosen == {1, 2, 4}
        await opened.press("A")
        assert "Accept 3 marked examples?" in opened.text()
        await opened.press("y")
        assert [_kind(job, number) for number in range(1, 7)] == ["accept", "accept", None, "accept", None, None]
        assert not opened.state.queue.chosen
        await opened.press("u")
        assert [_kind(job, number) for number in range(1, 7)] == [None] * 6
        await opened.until(lambda: opened.state.queue.pending == 6)
        await opened.press("U")
        assert [_kind(job, number) for number in range(1, 7)] == ["accept", "accept", None, "accept", None, None]


async def test_the_question_says_how_many_nobody_has_looked_at(tmp_path: Path) -> None:
    """Of the marked ones those count as opened that were on screen for as long as a decision needs."""
    job = review_job(tmp_path)
    fill(job, a_few())
    async with review(job) as opened:
        await opened.press("v")
        await _press_at_once(opened, "G")
        await _press_at_once(opened, "v")
        await opened.press("A")
        assert "Accept 6 marked examples?" in opened.text()
        assert "4 of them were never opened since the start: only the list was seen." in opened.text()
        await opened.press("n", "k", "k", "k", "k", "A")
        assert "never opened" not in opened.text()
        await opened.press("n", "escape", "g", "x", "R")
        assert "Reject 1 marked example?" in opened.text()
        assert "never opened" not in opened.text()


async def test_a_range_is_marked_from_end_to_end(tmp_path: Path) -> None:
    """The same key begins and ends a range; it is rejected as a whole, and escape takes marks away instead."""
    job = review_job(tmp_path)
    fill(job, a_few())
    async with review(job) as opened:
        await opened.press("j", "v", "j", "j", "v")
        assert opened.state.queue.chosen == {2, 3, 4}
        await opened.press("escape")
        assert not opened.state.queue.chosen
        await opened.press("v", "k", "v", "R")
        assert "Reject 2 marked examples?" in opened.text()
        await opened.press("y")
    assert [_kind(job, number) for number in range(1, 7)] == [None, None, "reject", "reject", None, None]


async def test_a_no_and_a_hasty_yes_decide_nothing(tmp_path: Path) -> None:
    """No leaves all as it was, and a yes that comes with the question counts for nothing."""
    job = review_job(tmp_path)
    fill(job, a_few())
    async with review(job) as opened:
        await opened.press("A")
        assert "Nothing is marked" in opened.told
        await opened.press("x", "R")
        await opened.pilot.press("y")
        await opened.settled()
        assert isinstance(opened.app.screen, ConfirmScreen)
        await opened.press("n")
        assert opened.is_home
        assert opened.state.queue.chosen == {1}
    assert _kind(job, 1) is None


async def test_a_decision_counts_only_on_what_was_seen(tmp_path: Path) -> None:
    """A key that comes before the example stood on screen for a quarter of a second does nothing."""
    job = review_job(tmp_path)
    fill(job, a_few())
    async with review(job) as opened:
        for seconds in (0.0, SIGHT_SECONDS - 0.01):
            opened.clock.seconds += seconds
            await _press_at_once(opened, "a")
            assert decision_on(job, 1) is None
        opened.clock.seconds += 0.02
        await _press_at_once(opened, "a")
        assert _kind(job, 1) == "accept"
        await _press_at_once(opened, "a")
        assert decision_on(job, 2) is None


async def test_going_away_and_coming_back_begins_anew(tmp_path: Path) -> None:
    """An example that was left must be seen again before a decision on it counts."""
    job = review_job(tmp_path)
    fill(job, a_few())
    async with review(job) as opened:
        await opened.press("j")
        for key in ("k", "a"):
            await _press_at_once(opened, key)
        assert opened.number == 1
        assert decision_on(job, 1) is None


async def test_nothing_else_is_painted_before_the_decision_is_saved(tmp_path: Path) -> None:
    """While the database is busy the example stays, and further keys neither decide nor lead away from it."""
    job = review_job(tmp_path)
    fill(job, a_few())
    async with review(job) as opened:
        opened.clock.seconds += 1.0
        with opened.busy_store():
            for key in ("a", "r", "j"):
                await opened.pilot.press(key)
                await opened.pilot.pause(0.02)
                opened.clock.seconds += 1.0
            assert "1 pending" in opened.text("example")
            assert decision_on(job, 1) is None
        await opened.until(lambda: opened.number == 2)
        assert "2 pending" in opened.text("example")
        assert _kind(job, 1) == "accept"
        assert decision_on(job, 2) is None


async def test_a_decision_of_another_process_is_not_overruled_unseen(tmp_path: Path) -> None:
    """Who decides on what somebody else has decided meanwhile is told so, nothing is lost, and sees it."""
    job = review_job(tmp_path)
    fill(job, a_few())
    async with review(job) as opened:
        opened.hear_no_news()
        theirs = Decision(DecisionKind.REJECT, by="somebody", at=3.0, reason="unsafe")
        with elsewhere(job) as database:
            decide(database, "t0", theirs)
            position = log_position(database)
            await opened.press("a")
            assert log_position(database) == position
        assert decision_on(job, 1) == theirs
        assert opened.told
        assert opened.number == 1
        assert "unsafe" in opened.text("example")
        await opened.press("a")
        assert _kind(job, 1) == "accept"


async def test_what_is_decided_follows_to_the_file(tmp_path: Path) -> None:
    """Accepted examples are rows in the order of acceptance, and what is undone leaves the file again."""
    job = review_job(tmp_path)
    fill(job, a_few(3))
    async with review(job) as opened:
        write = opened.bench.curator.projector.write
        await opened.press("j", "a", "r", "a")
        await write()
        assert prompts_of(job.output) == ["sudo give me 2 torches", "sudo give me 1 torches"]
        await opened.press("u")
        await write()
        assert prompts_of(job.output) == ["sudo give me 2 torches"]
        await opened.press("u", "u")
        await write()
        assert prompts_of(job.output) == []
        await opened.press("U")
    assert prompts_of(job.output) == ["sudo give me 2 torches"]


async def _press_at_once(opened: Review, key: str) -> None:
    await opened.pilot.press(key)
    await opened.settled()


def _kind(job: Any, number: int) -> str | None:
    decision = decision_on(job, number)
    return decision.kind.value if decision is not None else None


async def test_an_imported_decision_is_undone_while_it_is_shown_and_never_from_afar(tmp_path: Path) -> None:
    """Undo is about what was decided here; what came by an import is named, and goes back where it is looked at."""
    job = review_job(tmp_path)
    fill(job, a_few(2))
    with elsewhere(job) as database:
        foreign = replace(ACCEPT, by="ada", batch="theirs")
        for number in (1, 2):
            found = read_example(job, number).trace
            decide_all(database, [Planned(found.id, foreign, render(found, foreign), imported=True)])
    async with review(job) as opened:
        await opened.press("u")
        assert "There is nothing to undo" in opened.told
        await opened.press("slash")
        await opened.type("status:accepted")
        await opened.press("enter", "j")
        assert opened.number == 2
        assert "imported" in opened.text("keys")
        await opened.press("u")
        assert "Undone: accept #2" in opened.told
        assert (_kind(job, 1), _kind(job, 2)) == ("accept", None)
