"""The workspace as the review screen uses it: lists, examples ahead of time, decisions, and the output file."""

from __future__ import annotations

import secrets
import time
from collections import Counter
from collections.abc import AsyncIterator, Iterable, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Final, TypeVar

from selfplay_core.engine.bulletin import RunFacts, facts_of_run
from selfplay_core.engine.session import Job
from selfplay_core.errors import SelfplayError
from selfplay_core.models import Decision, DecisionKind
from selfplay_core.store.database import Database, Reader
from selfplay_core.store.filters import Filter
from selfplay_core.store.flags import set_flag
from selfplay_core.store.held import held_count
from selfplay_core.store.history import Moved, Undoable, last_decision, redo_last, undo_automatic, undo_last
from selfplay_core.store.listing import (
    MARKS,
    Arrivals,
    Ended,
    Example,
    Listing,
    QueueLine,
    arrivals,
    changes,
    ended,
    example,
    lines,
    listing,
)
from selfplay_core.store.thread import AsyncReader, AsyncStore
from selfplay_core.store.traces import tally
from tui.workspace.commits import commit_one, commit_shown, commit_untouched
from tui.workspace.projector import Projector

__all__ = ["Curator", "News", "is_whole"]

T = TypeVar("T")

_EXAMPLES_KEPT: Final = 64
_LINES_KEPT: Final = 2_000
_AT_ONCE: Final = 500
_NUMBERS_AT_ONCE: Final = 1_000


@dataclass(frozen=True, slots=True)
class News:
    """What changed in the workspace since the last look, by whomever."""

    marks: tuple[tuple[int, int], ...]
    amended: tuple[int, ...]
    held: int
    decided: Counter[DecisionKind]
    undecided: int
    last: Undoable | None
    arrived: Arrivals
    run: RunFacts
    generating: bool
    version: int
    seq: int


class Curator:
    """Writes in one thread, reads examples in another, long lists in a third, and keeps up the output in a fourth.

    Examples are kept by number, so that the next one is there when it is wanted; whoever changes one drops it.
    """

    def __init__(
        self,
        workspace: Path,
        operator: str,
        *,
        store: AsyncStore,
        reader: AsyncReader,
        lister: AsyncReader,
        projector: Projector,
        seq: int,
        newest: int,
    ) -> None:
        self.workspace = workspace
        self.operator = operator
        self.store = store
        self.reader = reader
        self.lister = lister
        self.projector = projector
        self._examples: dict[int, Example] = {}
        self._lines: dict[int, QueueLine] = {}
        self._version = -1
        self._log_seq = seq
        self._newest = newest
        self._generating = False
        self._drops = 0

    @classmethod
    @asynccontextmanager
    async def open(cls, job: Job, operator: str) -> AsyncIterator[Curator]:
        """Open the workspace, made if it is not there; raises WorkspaceError."""
        async with AsyncExitStack() as stack:
            store = await AsyncStore.open(job.workspace)
            stack.push_async_callback(store.aclose)
            reader = await AsyncReader.open(job.workspace)
            stack.push_async_callback(reader.aclose)
            lister = await AsyncReader.open(job.workspace)
            stack.push_async_callback(lister.aclose)
            # Before any list is read, so that no decision falls between the two.
            position = (await lister.do(changes, -1)).seq
            newest = (await lister.do(arrivals, 0, 0)).last
            projector = await stack.enter_async_context(Projector.open(job.workspace, job.output))
            yield cls(
                job.workspace,
                operator,
                store=store,
                reader=reader,
                lister=lister,
                projector=projector,
                seq=position,
                newest=newest,
            )

    async def listing(self, wanted: Filter, *, after: int = 0) -> Listing:
        """Return the numbers that a filter lets through, or only those that arrived after one."""
        return await self.lister.do(listing, wanted, after=after)

    def line(self, number: int) -> QueueLine | None:
        """Return a row of the list if it is here already."""
        return self._lines.get(number)

    async def fetch_lines(self, numbers: Sequence[int]) -> bool:
        """Bring rows of the list here; False if all were."""
        missing = [number for number in numbers if not is_whole(self._lines.get(number))]
        if not missing:
            return False
        for line in await self.reader.do(lines, missing):
            self._lines[line.number] = line
        _shrink(self._lines, _LINES_KEPT)
        return True

    def cached(self, number: int) -> Example | None:
        """Return an example if it is here already."""
        return self._examples.get(number)

    async def example(self, number: int) -> Example | None:
        """Return a whole example, None if there is none of this number."""
        if (kept := self._examples.get(number)) is not None:
            return kept
        drops = self._drops
        found = await self.reader.do(example, number)
        # What was read while something was dropped may be older than the drop.
        if found is not None and drops == self._drops:
            self._examples[number] = found
            _shrink(self._examples, _EXAMPLES_KEPT)
        return found

    async def ended(self, numbers: Sequence[int]) -> list[Ended]:
        """Return traces that nobody looks at yet; they take no place among the examples that are kept."""
        return await self.lister.do(ended, numbers)

    async def fetch(self, numbers: Iterable[int]) -> None:
        """Bring examples here that are likely wanted next."""
        for number in numbers:
            await self.example(number)

    async def decide(self, shown: Example, decision: Decision) -> None:
        """Commit a decision on an example as it was shown.

        Raises DecisionOvertaken if somebody decided on it or had it answered anew meanwhile, and StoreError.
        """
        try:
            await self.store.do(commit_one, shown, decision)
        except SelfplayError:
            self.drop([shown.number])
            raise
        self._note([(shown.number, MARKS.index(decision.kind.value))])
        self.projector.wanted()

    @property
    def position(self) -> int:
        """How far the log has been taken in: what is on screen is as it was then."""
        return self._log_seq

    async def decide_all(self, numbers: Sequence[int], kind: DecisionKind, *, seen_at: int) -> tuple[int, ...]:
        """Decide on many at once, which one undo takes back; returns the numbers that were decided.

        `seen_at` is the `position` at which they were chosen. What anybody decided or had answered anew since, and
        what shows nothing to accept, is left as it is.
        """
        decision = self._batched(kind)
        decided: list[int] = []
        try:
            # Piece by piece, so that a generator is not kept waiting for all of them.
            for start in range(0, len(numbers), _AT_ONCE):
                piece = tuple(numbers[start : start + _AT_ONCE])
                decided.extend(await self.store.do(commit_untouched, piece, decision, seen_at))
        finally:
            self.drop(numbers)
            self.projector.wanted()
        return tuple(decided)

    async def decide_shown(self, shown: Sequence[Example], kind: DecisionKind) -> tuple[int, ...]:
        """Decide on a page of examples as they were shown, which one undo takes back; returns the numbers decided.

        What somebody else decided or had answered anew meanwhile is left as it is.
        """
        try:
            return await self.store.do(commit_shown, tuple(shown), self._batched(kind))
        finally:
            self.drop([example.number for example in shown])
            self.projector.wanted()

    async def undo(self, automatic: Example | None = None) -> Moved | None:
        """Take back the `automatic` decision on an example if it stands, else the last that a person made."""
        return await self._moved(await self.store.do(_undo, automatic, self.operator))

    async def redo(self) -> Moved | None:
        """Restore what was undone last; None if there is nothing."""
        return await self._moved(await self.store.do(redo_last, by=self.operator, at=time.time()))

    async def flag(self, shown: Example) -> None:
        """Flag an example, or take its flag away."""
        await self.store.do(set_flag, shown.trace.id, not shown.flagged, by=self.operator, at=time.time())
        self.drop([shown.number])

    async def is_generating(self) -> bool:
        """Whether a run goes on in this workspace, here or in another process."""
        return await self.lister.do(lambda reader: reader.is_generating())

    async def news(self) -> News | None:
        """Return what changed since what was last `taken`, None if nothing did."""
        news = await self.lister.do(_news, self._version, self._log_seq, self._newest, self._generating)
        if news is not None:
            self._note(news.marks)
            self.drop(news.amended)
        return news

    def taken(self, news: News) -> None:
        """Note that news have been taken in whole; until then they come again."""
        self._version, self._log_seq, self._generating = news.version, news.seq, news.generating
        self._newest = news.arrived.last

    def drop(self, numbers: Iterable[int]) -> None:
        """Forget what is kept of examples that have changed."""
        self._drops += 1
        for number in numbers:
            self._examples.pop(number, None)
            self._lines.pop(number, None)

    def _batched(self, kind: DecisionKind) -> Decision:
        return Decision(kind, by=self.operator, at=time.time(), batch=secrets.token_hex(8))

    def _note(self, marks: Iterable[tuple[int, int]]) -> None:
        """Forget examples that were decided on; of their rows only the decision is another."""
        self._drops += 1
        for number, mark in marks:
            self._examples.pop(number, None)
            if (line := self._lines.get(number)) is not None:
                self._lines[number] = replace(line, decision=_kind_of(mark), decided_at=None)

    async def _moved(self, moved: Moved | None) -> Moved | None:
        if moved is not None:
            self.drop([number for _, number in moved.traces])
            self.projector.wanted()
        return moved


def is_whole(line: QueueLine | None) -> bool:
    """Whether a row is here with all it tells; of one that was decided on meanwhile it is not known when."""
    return line is not None and (line.decision is None or line.decided_at is not None)


def _undo(database: Database, automatic: Example | None, by: str) -> Moved | None:
    now = time.time()
    with database.locked():
        taken = undo_automatic(database, automatic.trace.id, by=by, at=now) if automatic is not None else None
        return taken or undo_last(database, by=by, at=now)


def _kind_of(mark: int) -> DecisionKind | None:
    name = MARKS[mark]
    return DecisionKind(name) if name in list(DecisionKind) else None


def _news(reader: Reader, version: int, log_seq: int, newest: int, was_generating: bool) -> News | None:
    latest, generating = reader.data_version(), reader.is_generating()
    # A generator that is killed changes nothing in the database.
    if latest == version and generating == was_generating:
        return None
    changed = changes(reader, log_seq)
    decided: Counter[DecisionKind] = Counter()
    undecided = 0
    for count in tally(reader):
        if count.decision is not None:
            decided[count.decision] += count.count
        elif count.outcome != "errored":
            undecided += count.count
    return News(
        changed.marks,
        changed.amended,
        held_count(reader),
        decided,
        undecided,
        last_decision(reader),
        arrivals(reader, newest, _NUMBERS_AT_ONCE),
        facts_of_run(reader),
        generating,
        latest,
        changed.seq,
    )


def _shrink(kept: dict[int, T], size: int) -> None:
    while len(kept) > size:
        del kept[next(iter(kept))]
