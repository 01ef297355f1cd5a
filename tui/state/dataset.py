"""The list of the dataset browser: numbers, the newest first, and which one is looked at."""

from __future__ import annotations

from array import array
from bisect import bisect_left
from dataclasses import dataclass, field

__all__ = ["Newest"]


@dataclass(slots=True)
class Newest:
    """Numbers as they are stored, ascending; an `index` counts from the newest, `cursor` is one.

    Whatever comes or goes, the cursor stays on its number, or on the nearest older one.
    """

    numbers: array[int] = field(default_factory=lambda: array("Q"))
    cursor: int = 0

    def __len__(self) -> int:
        return len(self.numbers)

    @property
    def current(self) -> int | None:
        """The number that is looked at, None in an empty list."""
        return self.number_at(self.cursor) if self.numbers else None

    def number_at(self, index: int) -> int:
        """Return the number of a row."""
        return self.numbers[len(self.numbers) - 1 - index]

    def window(self, first: int, last: int) -> list[int]:
        """Return the numbers of the rows from `first` up to but without `last`, as far as there are any."""
        return [self.number_at(index) for index in range(max(first, 0), min(last, len(self.numbers)))]

    def load(self, numbers: array[int]) -> None:
        """Show another list."""
        with_cursor = self.current
        self.numbers = numbers
        self._go_to(with_cursor)

    def extend(self, numbers: array[int]) -> None:
        """Add numbers that are larger than all others."""
        with_cursor = self.current
        last = self.numbers[-1] if self.numbers else 0
        self.numbers.extend(number for number in numbers if number > last)
        self._go_to(with_cursor)

    def settle(self, number: int, *, present: bool) -> None:
        """Have a number in the list, or not."""
        with_cursor = self.current
        place = bisect_left(self.numbers, number)
        there = place < len(self.numbers) and self.numbers[place] == number
        if present and not there:
            self.numbers.insert(place, number)
        elif there and not present:
            del self.numbers[place]
        self._go_to(with_cursor)

    def go(self, index: int) -> None:
        """Look at a row, or the nearest there is."""
        self.cursor = max(min(index, len(self.numbers) - 1), 0)

    def _go_to(self, number: int | None) -> None:
        if number is None:
            self.cursor = 0
            return
        # The first that is not smaller, so counted from the newest: the number itself, else the next older one.
        place = bisect_left(self.numbers, number + 1) - 1
        self.go(len(self.numbers) - 1 - max(place, 0))
