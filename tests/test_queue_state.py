"""The queue: what is looked at, what comes next, and what is marked, without a screen."""

from __future__ import annotations

from array import array
from collections.abc import Callable, Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st

from selfplay_core.models import DecisionKind
from selfplay_core.store.listing import MARKS, Listing
from tui.state.queue import PENDING, SKIPPED, Queue, mark_of

ACCEPTED = MARKS.index("accept")
MANY = 1_000_000

NUMBERS = st.lists(st.integers(1, 60), unique=True, max_size=25).map(sorted)


def listed(numbers: Sequence[int], marks: Sequence[int] | None = None) -> Listing:
    return Listing(array("Q", numbers), bytearray(marks if marks is not None else [PENDING] * len(numbers)))


def queue_of(marks: Sequence[int], cursor: int = 0) -> Queue:
    """A queue of numbers from 10 on."""
    return Queue(array("Q", range(10, 10 + len(marks))), bytearray(marks), cursor)


@st.composite
def queues(draw: st.DrawFn) -> Queue:
    numbers = draw(NUMBERS)
    marks = draw(st.lists(st.integers(0, len(MARKS) - 1), min_size=len(numbers), max_size=len(numbers)))
    return Queue(array("Q", numbers), bytearray(marks), draw(st.integers(0, max(len(numbers) - 1, 0))))


def order_from(queue: Queue) -> list[int]:
    """All places but the cursor's, in the order in which they are come by going down and round the end."""
    count = len(queue)
    return [(queue.cursor + steps) % count for steps in range(1, count)]


@given(queues(), st.integers(0, 70))
def test_places_are_those_of_a_plain_search(queue: Queue, number: int) -> None:
    """A number stands where a list says it stands, and nowhere if it is not in it."""
    numbers = list(queue.numbers)
    assert queue.place_of(number) == (numbers.index(number) if number in numbers else None)


@given(queues())
def test_advance_takes_the_first_pending_one_round_the_end_else_the_first_skipped(queue: Queue) -> None:
    """Never the one that is looked at; nothing moves where no other is left."""
    before, order = queue.cursor, order_from(queue)
    pending = [place for place in order if queue.marks[place] == PENDING]
    skipped = [place for place in order if queue.marks[place] == SKIPPED]
    wanted = (pending or skipped or [before])[0]
    assert queue.advance() is bool(pending or skipped)
    assert queue.cursor == wanted


@given(queues())
def test_retreat_takes_the_nearest_pending_one_before_round_the_beginning(queue: Queue) -> None:
    """As advance, the other way, and without skipped ones."""
    before = queue.cursor
    pending = [place for place in reversed(order_from(queue)) if queue.marks[place] == PENDING]
    assert queue.retreat() is bool(pending)
    assert queue.cursor == (pending or [before])[0]


@pytest.mark.parametrize(
    ("marks", "cursor", "reached"),
    [
        ([PENDING, ACCEPTED, PENDING], 0, 2),
        ([PENDING, ACCEPTED, PENDING], 2, 0),
        ([SKIPPED, ACCEPTED, PENDING, SKIPPED], 2, 3),
        ([SKIPPED, PENDING, ACCEPTED, SKIPPED], 2, 1),
        ([ACCEPTED, PENDING, ACCEPTED], 1, 1),
        ([PENDING], 0, 0),
        ([], 0, 0),
    ],
)
def test_advance(marks: list[int], cursor: int, reached: int) -> None:
    """Wraps, prefers undecided over skipped ones, and stays where nothing else is left."""
    queue = queue_of(marks, cursor)
    assert queue.advance() is (reached != cursor)
    assert queue.cursor == reached


@given(queues(), st.integers(5, 12))
def test_what_is_fetched_ahead_holds_where_each_key_leads(queue: Queue, count: int) -> None:
    """The next, the previous and the next pending one are there before they are wanted; each once, and no more."""
    coming = queue.coming(count)
    assert len(coming) == len(set(coming)) <= count
    if len(queue):
        moves: tuple[Callable[[], object], ...] = (lambda: queue.move(1), lambda: queue.move(-1), queue.advance)
        start = queue.cursor
        for move in moves:
            queue.cursor = start
            move()
            assert queue.current in coming
    else:
        assert coming == []


@given(queues(), st.integers(-40, 40))
def test_moving_ends_at_the_ends(queue: Queue, steps: int) -> None:
    """The cursor is always a place of the list, 0 in an empty one."""
    expected = min(max(queue.cursor + steps, 0), max(len(queue) - 1, 0))
    queue.move(steps)
    assert queue.cursor == expected
    assert (queue.current is None) is (len(queue) == 0)


@given(queues(), st.lists(st.tuples(st.integers(1, 60), st.integers(0, len(MARKS) - 1)), max_size=20), NUMBERS)
def test_the_count_of_pending_ones_is_that_of_the_marks(
    queue: Queue, marked: list[tuple[int, int]], numbers: list[int]
) -> None:
    """Through every decision, arrival and change of list."""
    for number, mark in marked:
        place = queue.mark(number, mark)
        assert place is None or queue.marks[place] == mark
        assert queue.pending == list(queue.marks).count(PENDING)
    queue.extend(listed([100, 101], [PENDING, ACCEPTED]))
    assert queue.pending == list(queue.marks).count(PENDING)
    queue.load(listed(numbers))
    assert queue.pending == len(numbers)


@given(queues(), NUMBERS)
def test_another_list_keeps_the_example_that_is_looked_at(queue: Queue, numbers: list[int]) -> None:
    """If it holds it; else it begins at its first pending one."""
    before = queue.current
    queue.load(listed(numbers), stay_on=before)
    if before in numbers:
        assert queue.current == before
    else:
        assert queue.current == (numbers[0] if numbers else None)


def test_another_list_begins_at_its_first_pending_one() -> None:
    """And at its first one if all are decided."""
    queue = queue_of([PENDING])
    queue.load(listed([3, 4, 5], [ACCEPTED, SKIPPED, PENDING]))
    assert queue.current == 5
    queue.load(listed([3, 4], [ACCEPTED, ACCEPTED]))
    assert queue.current == 3


@given(queues(), NUMBERS)
def test_arrivals_move_nothing(queue: Queue, numbers: list[int]) -> None:
    """They stand behind the rest; the cursor, marks and the beginning of a range stay."""
    queue.choose_range()
    before, cursor, anchor, current = list(queue.numbers), queue.cursor, queue.anchor, queue.current
    queue.extend(listed([100 + number for number in numbers]))
    assert list(queue.numbers) == [*before, *(100 + number for number in numbers)]
    assert len(queue.marks) == len(queue)
    assert (queue.cursor, queue.anchor) == (cursor, anchor)
    assert current is None or queue.current == current


@given(queues(), st.data())
def test_a_range_marks_what_lies_between_in_either_direction(queue: Queue, data: st.DataObject) -> None:
    """Both ends included, whichever was chosen first, and what was marked before stays."""
    if not len(queue):
        return
    first, last = (data.draw(st.integers(0, len(queue) - 1)) for _ in range(2))
    queue.chosen = {queue.numbers[0]}
    queue.go(first)
    assert not queue.choose_range()
    queue.go(last)
    assert queue.choose_range()
    low, high = min(first, last), max(first, last)
    assert queue.chosen == {queue.numbers[0], *queue.numbers[low : high + 1]}
    assert queue.anchor is None


def test_marking_goes_on_and_marking_again_takes_back() -> None:
    """One key down the list, and the same key for a slip."""
    queue = queue_of([PENDING, PENDING])
    queue.toggle_chosen()
    queue.toggle_chosen()
    assert (queue.chosen, queue.cursor) == ({10, 11}, 1)
    queue.toggle_chosen()
    assert queue.chosen == {10}
    assert queue.forget_chosen()
    assert not queue.forget_chosen()


def test_marks_of_examples_that_left_the_list_are_taken_away() -> None:
    """Nothing is decided on that the operator does not see any more."""
    queue = queue_of([PENDING] * 4)
    queue.chosen = {10, 12, 13}
    queue.choose_range()
    queue.load(listed([9, 12, 14]))
    assert queue.chosen == {12}
    assert queue.anchor is None


def test_an_empty_list_can_be_walked_and_marked() -> None:
    """No key fails where there is nothing."""
    queue = Queue()
    queue.toggle_chosen()
    queue.move(1)
    queue.go(7)
    assert not queue.choose_range()
    assert queue.choose_range()
    assert (queue.current, queue.chosen, queue.coming(8), queue.pending) == (None, set(), [], 0)


def test_marks_of_decisions() -> None:
    """Every kind has its own, and none means undecided."""
    assert [MARKS[mark_of(kind)] for kind in DecisionKind] == [kind.value for kind in DecisionKind]
    assert MARKS[mark_of(None)] == "undecided"


def test_a_million_entries_cost_no_loop_over_them() -> None:
    """A thousand of each key with the next pending one at the far end: by a loop in Python, this would take minutes."""
    marks = bytearray([ACCEPTED]) * MANY
    marks[0] = marks[-1] = PENDING
    queue = Queue()
    queue.load(Listing(array("Q", range(1, MANY + 1)), marks), stay_on=MANY)
    assert queue.current == MANY
    queue.chosen = {1, MANY, MANY + 1}
    for _ in range(1_000):
        queue.mark(2, ACCEPTED)
        assert queue.pending == 2
        assert queue.advance()
        assert queue.current == 1
        assert queue.coming(8) == [1, 2, 3, MANY]
        assert queue.retreat()
        assert queue.current == MANY
    queue.load(listed(range(2, MANY + 2)), stay_on=MANY)
    assert (queue.current, queue.chosen) == (MANY, {MANY, MANY + 1})
