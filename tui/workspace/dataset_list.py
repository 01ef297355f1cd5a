"""The list of the dataset browser, kept equal to the workspace: loaded whole once, then by what changed."""

from __future__ import annotations

from dataclasses import replace
from typing import Final

from selfplay_core.store.database import Reader
from selfplay_core.store.filters import Filter
from selfplay_core.store.listing import QueueLine, changes, listing
from selfplay_core.store.traces import tally
from tui.state.dataset import Newest
from tui.workspace.curator import Curator, is_whole

__all__ = ["DECIDED", "DatasetList"]

DECIDED: Final = Filter(status=("accept", "reject", "edit", "skip"))
"""What is listed while the filter names no status."""

_ONE_BY_ONE: Final = 200


class DatasetList:
    """The numbers under a filter, and the rows of those that are asked for.

    `whole` counts all traces of the workspace. Only `load` and `follow` change the list, each at one stroke.
    """

    def __init__(self, curator: Curator) -> None:
        self.newest = Newest()
        self.wanted = DECIDED
        self.whole = 0
        self._curator = curator
        self._seq = -1
        self._version = -1
        self._gone: set[int] = set()

    async def load(self) -> None:
        """Read the whole list; raises StoreError."""
        reader = self._curator.reader
        # The position comes first: what is decided while the list is read is looked up again then.
        seq = (await reader.do(changes, -1)).seq
        found = await self._curator.listing(self.wanted)
        self.whole = await reader.do(_count)
        self._seq = seq
        self.newest.load(found.numbers)
        self._gone.clear()

    async def follow(self) -> bool:
        """Take in what anybody changed since; False if nothing did, or the list is not read yet."""
        wanted, seq, reader = self.wanted, self._seq, self._curator.reader
        version = await reader.do(Reader.data_version)
        if version == self._version or seq < 0:
            return False
        found = await reader.do(changes, seq)
        touched = sorted({*(number for number, _ in found.marks), *found.amended})
        if len(touched) > _ONE_BY_ONE:
            await self.load()
            self._version = version
            return True
        present = await reader.do(_let_through, wanted, touched)
        top = self.newest.number_at(0) if len(self.newest) else 0
        arrived = await self._curator.listing(wanted, after=top)
        whole = await reader.do(_count)
        if (wanted, seq) != (self.wanted, self._seq):
            return False  # another list was loaded meanwhile
        self._version, self._seq, self.whole = version, found.seq, whole
        self._curator.drop(touched)
        for number in touched:
            self.newest.settle(number, present=number in present)
        self.newest.extend(arrived.numbers)
        return True

    def line(self, number: int) -> QueueLine | None:
        """Return a row if it is here already, whole."""
        line = self._curator.line(number)
        return line if is_whole(line) else None

    def is_gone(self, number: int) -> bool:
        """Whether a number that was asked for names nothing any more."""
        return number in self._gone

    async def fetch(self, numbers: list[int]) -> None:
        """Bring rows here."""
        await self._curator.fetch_lines([number for number in numbers if number not in self._gone])
        self._gone.update(number for number in numbers if self._curator.line(number) is None)


def _count(reader: Reader) -> int:
    return sum(count.count for count in tally(reader))


def _let_through(reader: Reader, wanted: Filter, numbers: list[int]) -> set[int]:
    """Return those of the numbers that a filter lets through."""
    return {
        number
        for number in numbers
        if wanted.number in (None, number) and listing(reader, replace(wanted, number=number)).numbers
    }
