"""The list of the dataset browser, without a screen."""

from __future__ import annotations

from array import array

from hypothesis import given
from hypothesis import strategies as st

from tui.state.dataset import Newest

NUMBERS = st.lists(st.integers(1, 50), unique=True).map(sorted)


@given(NUMBERS, st.integers(0, 60), st.integers(1, 50), st.booleans())
def test_the_cursor_stays_on_its_number(numbers: list[int], index: int, changed: int, present: bool) -> None:
    """Whatever comes or goes, the same number is looked at, else the next older one, else the oldest."""
    found = Newest()
    found.load(array("Q", numbers))
    found.go(index)
    before = found.current
    found.settle(changed, present=present)
    expected = sorted(set(numbers) | {changed}) if present else [number for number in numbers if number != changed]
    assert list(found.numbers) == expected
    assert found.window(0, 100) == expected[::-1]
    if not expected:
        assert found.current is None
    elif before is not None:
        older = [number for number in expected if number <= before]
        assert found.current == (older[-1] if older else expected[0])


@given(NUMBERS, st.lists(st.integers(1, 60), unique=True).map(sorted))
def test_arrivals_go_on_top(numbers: list[int], arrived: list[int]) -> None:
    """Only what is newer than everything is added, and the cursor stays where it was."""
    found = Newest()
    found.load(array("Q", numbers))
    before = found.current
    found.extend(array("Q", arrived))
    last = numbers[-1] if numbers else 0
    assert list(found.numbers) == [*numbers, *(number for number in arrived if number > last)]
    assert found.current == (before if before is not None else next(reversed(found.numbers), None))
