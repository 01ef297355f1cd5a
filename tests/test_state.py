"""The state of the review screen, without a screen, a clock or a store."""

from __future__ import annotations

from array import array
from collections.abc import Sequence
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from selfplay_core.models import DecisionKind
from selfplay_core.store.filters import Filter
from selfplay_core.store.listing import MARKS, Example, Listing
from selfplay_core.store.log import Standing
from tests.store_samples import a_prompt, a_trace
from tui.state.review import DEFAULT_FILTER, SIGHT_SECONDS, PaneName, State


def listed(numbers: Sequence[int]) -> Listing:
    return Listing(array("Q", numbers), bytearray(len(numbers)))


def example(number: int, attempts: int = 1) -> Example:
    trace = a_trace(f"t{number}", a_prompt(f"sudo {number}"))
    trace = replace(trace, attempts=trace.attempts * attempts)
    return Example(
        number, "run", 1.0, trace, Standing(0, None, can_undo=False, can_redo=False), flagged=False, same_as=None
    )


def looking(*numbers: int, at: float = 0.0) -> State:
    """A state in which the first of these examples is on screen since `at`."""
    state = State()
    state.relist(listed(numbers), DEFAULT_FILTER, "")
    state.example = example(numbers[0])
    state.sight.shown(state.example, at)
    return state


def test_a_decision_counts_only_after_a_quarter_of_a_second() -> None:
    """Key repeat cannot accept a page of examples that nobody saw."""
    state = looking(1, 2)
    assert not state.may_decide(0.0)
    assert not state.may_decide(SIGHT_SECONDS - 0.001)
    assert state.may_decide(SIGHT_SECONDS)
    state.queue.advance()
    state.example = example(2)
    assert not state.may_decide(10.0)
    state.sight.shown(state.example, 10.0)
    assert not state.may_decide(10.2)
    assert state.may_decide(10.25)


def test_painting_again_does_not_begin_sight_anew() -> None:
    """Else the pulse of the screen would keep an example from ever being decided on."""
    state = looking(1)
    for tick in range(10):
        state.sight.shown(example(1), tick * 0.1)
    assert state.may_decide(0.9)


def test_an_amended_example_must_be_seen_again() -> None:
    """The model was asked once more: what stands there now is something else."""
    state = looking(1)
    assert state.may_decide(1.0)
    state.example = example(1, attempts=2)
    assert not state.may_decide(1.0)
    state.sight.shown(state.example, 1.0)
    assert not state.may_decide(1.1)
    assert state.may_decide(1.25)


def test_coming_back_to_an_example_begins_sight_anew() -> None:
    """It was away from the screen in between."""
    state = looking(1, 2)
    state.sight.shown(example(2), 5.0)
    state.sight.shown(example(1), 5.1)
    assert not state.may_decide(5.2)
    assert state.may_decide(5.4)


def test_nothing_is_decided_while_something_is_being_saved_or_another_is_on_its_way() -> None:
    """A key is for the example that is on screen, once."""
    state = looking(1, 2)
    state.saving = True
    assert not state.may_decide(1.0)
    state.saving = False
    assert state.may_decide(1.0)
    state.queue.move(1)
    assert not state.may_decide(1.0)
    state.example = None
    assert not state.may_decide(1.0)


def test_a_decision_is_marked_where_it_stands_and_an_undo_takes_the_mark_away() -> None:
    """Nothing moves under the eyes."""
    state = looking(1, 2, 3)
    state.decide(2, DecisionKind.REJECT, 1.0)
    assert list(state.queue.numbers) == [1, 2, 3]
    assert [MARKS[mark] for mark in state.queue.marks] == ["undecided", "reject", "undecided"]
    assert state.queue.current == 1
    state.moved(2, None)
    assert state.queue.pending == 3
    state.decide(99, DecisionKind.ACCEPT, 3.0)
    assert state.queue.pending == 3


@given(
    st.lists(st.integers(1, 20), min_size=1, unique=True).map(sorted),
    st.lists(st.integers(1, 20), unique=True).map(sorted),
    st.data(),
)
def test_another_filter_keeps_the_example_that_is_looked_at(
    first: list[int], second: list[int], data: st.DataObject
) -> None:
    """If it lets it through, and when it is taken away again after one that let nothing through."""
    state = State()
    state.relist(listed(first), DEFAULT_FILTER, "")
    state.queue.go(data.draw(st.integers(0, len(first) - 1)))
    looked_at = state.queue.current
    state.relist(listed([]), Filter(text="x"), "x")
    assert state.queue.current is None
    state.relist(listed(second), Filter(number=1), "#1")
    assert (state.wanted, state.filter_text) == (Filter(number=1), "#1")
    if looked_at in second:
        assert state.queue.current == looked_at
    elif second:
        assert state.queue.current == second[0]


def test_a_session_begins_where_the_last_one_ended() -> None:
    """If that example is still in the list."""
    for begin_at, expected in ((2, 2), (9, 1), (None, 1)):
        state = State(begin_at=begin_at)
        state.relist(listed([1, 2, 3]), DEFAULT_FILTER, "")
        assert state.queue.current == expected


def test_pace_is_of_the_last_five_minutes() -> None:
    """In decisions a minute; what lies further back is forgotten, and what is undone was still work."""
    state = looking(1)
    assert state.pace(0.0) == 0.0
    for second in range(0, 600, 6):
        state.decide(1, DecisionKind.ACCEPT, float(second))
    assert state.pace(600.0) == pytest.approx(10.0, rel=0.05)
    assert state.pace(5000.0) == 0.0


@given(st.lists(st.floats(0, 1000), max_size=50), st.floats(0, 2000))
def test_pace_is_finite(moments: list[float], clock: float) -> None:
    """Also for many decisions in the same moment, as of marks."""
    state = State()
    for moment in sorted(moments):
        state.decide(1, DecisionKind.SKIP, moment)
    assert 0 <= state.pace(clock) <= 50 * 4


def test_an_undo_and_a_redo_are_no_work() -> None:
    """The pace counts what was decided anew: going back and forth makes nobody faster."""
    state = looking(1, 2)
    state.decide(1, DecisionKind.ACCEPT, 0.0)
    before = state.pace(60.0)
    for _ in range(5):
        state.moved(1, None)
        state.moved(1, DecisionKind.ACCEPT)
    assert state.pace(60.0) == before


def test_pace_remembers_no_more_than_it_needs() -> None:
    """A day at the keyboard does not grow it."""
    state = looking(1)
    for _ in range(3_000):
        state.decide(1, DecisionKind.ACCEPT, 1.0)
    assert len(state.decisions_at) == 2_000


@given(st.sets(st.sampled_from(PaneName)), st.sampled_from(PaneName), st.integers(-9, 9))
def test_going_through_the_panes_ends_at_one_that_is_shown(hidden: set[PaneName], pane: PaneName, steps: int) -> None:
    """The example is always one of them, whatever was remembered as hidden."""
    state = State(hidden=hidden, pane=pane)
    state.next_pane(steps)
    assert state.pane is PaneName.EXAMPLE or state.pane not in hidden


def test_all_panes_are_come_by_and_back_again() -> None:
    """In their order, round the end, in both directions."""
    state = State()
    gone = []
    for _ in PaneName:
        state.next_pane(1)
        gone.append(state.pane)
    assert gone == [PaneName.CONVERSATION, PaneName.STREAM, PaneName.QUEUE, PaneName.EXAMPLE]
    state.next_pane(-1)
    assert state.pane is PaneName.QUEUE


def test_a_notice_stays_for_its_time() -> None:
    """The latest one alone."""
    state = State()
    assert state.told(0.0) is None
    state.tell("old", 0.0, seconds=100.0)
    state.tell("new", 1.0, "warn", seconds=2.0)
    told = state.told(2.9)
    assert told is not None
    assert (told.text, told.role) == ("new", "warn")
    assert state.told(3.0) is None
