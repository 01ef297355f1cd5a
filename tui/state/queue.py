"""The queue of examples: which, in what order, decided how, and which one is looked at."""

from __future__ import annotations

from array import array
from bisect import bisect_left
from dataclasses import dataclass, field
from typing import Final

from selfplay_core.models import DecisionKind
from selfplay_core.store.listing import MARKS, Listing

__all__ = ["PENDING", "SKIPPED", "Queue", "mark_of"]

PENDING: Final = MARKS.index("undecided")
SKIPPED: Final = MARKS.index("skip")


def mark_of(decision: DecisionKind | None) -> int:
    """Return the mark of what was decided."""
    return PENDING if decision is None else MARKS.index(decision.value)


@dataclass(slots=True)
class Queue:
    """Numbers in ascending order with their marks; `cursor` is a place in it, 0 in an empty one.

    What is decided stays in its place until the list is made anew, so that nothing moves under the eyes.
    """

    numbers: array[int] = field(default_factory=lambda: array("Q"))
    marks: bytearray = field(default_factory=bytearray)
    cursor: int = 0
    chosen: set[int] = field(default_factory=set)
    anchor: int | None = None
    _pending: int = field(init=False)

    def __post_init__(self) -> None:
        self._pending = self.marks.count(PENDING)

    def __len__(self) -> int:
        return len(self.numbers)

    @property
    def current(self) -> int | None:
        """The number that is looked at, None in an empty queue."""
        return self.numbers[self.cursor] if self.numbers else None

    @property
    def pending(self) -> int:
        """How many nobody has decided on."""
        return self._pending

    def load(self, found: Listing, *, stay_on: int | None = None) -> None:
        """Show another list, from the example that was looked at, else from its first pending one."""
        self.numbers, self.marks = found.numbers, found.marks
        self._pending = self.marks.count(PENDING)
        self.chosen = {number for number in self.chosen if self.place_of(number) is not None}
        self.anchor = None
        place = None if stay_on is None else self.place_of(stay_on)
        if place is None:
            place = max(self.marks.find(PENDING), 0)
        self.cursor = place

    def extend(self, found: Listing) -> None:
        """Add what arrived since, behind the rest."""
        self.numbers.extend(found.numbers)
        self.marks.extend(found.marks)
        self._pending += found.marks.count(PENDING)

    def forget(self, number: int) -> None:
        """Take a number out that names nothing any more."""
        place = self.place_of(number)
        if place is None:
            return
        self._pending -= self.marks[place] == PENDING
        del self.numbers[place], self.marks[place]
        self.chosen.discard(number)
        if self.anchor is not None and self.anchor > place:
            self.anchor -= 1
        if self.cursor > place or self.cursor >= len(self.numbers):
            self.cursor = max(self.cursor - 1, 0)

    def place_of(self, number: int) -> int | None:
        """Return where a number stands, None if it is not in the list."""
        place = bisect_left(self.numbers, number)
        return place if place < len(self.numbers) and self.numbers[place] == number else None

    def mark(self, number: int, mark: int) -> int | None:
        """Note how an example was decided, and return its place if it is in the list."""
        place = self.place_of(number)
        if place is not None:
            self._pending += (mark == PENDING) - (self.marks[place] == PENDING)
            self.marks[place] = mark
        return place

    def move(self, steps: int) -> None:
        """Look at another example so many places on, as far as there are any."""
        self.go(self.cursor + steps)

    def go(self, place: int) -> None:
        """Look at the example at a place, or the nearest there is."""
        self.cursor = max(min(place, len(self.numbers) - 1), 0)

    def advance(self) -> bool:
        """Go to the next pending example, round the end if need be, else to the next skipped one.

        False if there is none but the one that is looked at.
        """
        for wanted in (PENDING, SKIPPED):
            place = self.marks.find(wanted, self.cursor + 1)
            if place < 0:
                place = self.marks.find(wanted, 0, self.cursor)
            if place >= 0:
                self.cursor = place
                return True
        return False

    def retreat(self) -> bool:
        """Go to the pending example before this one, round the beginning if need be."""
        place = self.marks.rfind(PENDING, 0, self.cursor)
        if place < 0:
            place = self.marks.rfind(PENDING, self.cursor + 1)
        if place < 0:
            return False
        self.cursor = place
        return True

    def coming(self, count: int) -> list[int]:
        """Return at most `count` numbers likely to be looked at next: neighbours, and those that `advance` goes to."""
        near = range(max(self.cursor - 1, 0), min(self.cursor + 3, len(self.numbers)))
        found = dict.fromkeys(self.numbers[place] for place in near)
        for wanted in (PENDING, SKIPPED):
            for start, end in ((self.cursor + 1, len(self.marks)), (0, self.cursor)):
                place = start - 1
                while len(found) < count and (place := self.marks.find(wanted, place + 1, end)) >= 0:
                    found[self.numbers[place]] = None
        return list(found)[:count]

    def toggle_chosen(self) -> None:
        """Mark the example that is looked at, or take its mark away, and go on."""
        if self.current is not None:
            self.chosen ^= {self.current}
            self.move(1)

    def choose_range(self) -> bool:
        """Set the beginning of a range, or mark everything between it and here; True once it is marked."""
        if self.anchor is None:
            self.anchor = self.cursor
            return False
        low, high = sorted((self.anchor, self.cursor))
        self.chosen.update(self.numbers[low : high + 1])
        self.anchor = None
        return True

    def forget_chosen(self) -> bool:
        """Take all marks away; False if there were none."""
        had = bool(self.chosen) or self.anchor is not None
        self.chosen.clear()
        self.anchor = None
        return had
