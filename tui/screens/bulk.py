"""Pages of clean first-try examples: strike what is not good, accept the rest with one key."""

from __future__ import annotations

import asyncio
import hashlib
from collections import deque
from dataclasses import dataclass
from functools import partial, partialmethod
from typing import Final

from textual.app import ComposeResult

from selfplay_core.models import DecisionKind, Trace, TraceId
from selfplay_core.store.filters import Filter
from selfplay_core.store.history import Moved
from selfplay_core.store.listing import Example
from tui.drawing.bulk import page_height, page_lines, row_height
from tui.drawing.lines import BLANK, Line, Span, paragraphs
from tui.drawing.words import moved_words, unmoved_words
from tui.keys.actions import BULK_ROWS
from tui.keys.bindings import bindings_of
from tui.screens.background import is_left
from tui.screens.working import WorkingScreen
from tui.state.layout import LEAST
from tui.state.review import SIGHT_SECONDS
from tui.widgets.pane import Lines
from tui.workbench import Workbench

__all__ = ["BulkScreen", "is_control"]

_CONTROL_EVERY: Final = 10
_OTHER_LINES: Final = 4
"""The title, the key bar, and two lines of news: a page fits beside them."""


@dataclass(slots=True)
class _Page:
    """What was shown together, whole in `room` (columns and lines).

    It was read from the list's place `start` up to before `rest`. `too_long` counts what no page of this size could
    show, `accepted` are the numbers that were decided with one key.
    """

    examples: list[Example]
    start: int
    rest: int
    room: tuple[int, int]
    too_long: int = 0
    accepted: frozenset[int] = frozenset()

    @property
    def traces(self) -> list[tuple[int, Trace]]:
        """What is drawn."""
        return [(one.number, one.trace) for one in self.examples]


class BulkScreen(WorkingScreen[int | None]):
    """Goes through the list page by page; brings back a number that is to be opened whole."""

    SCREEN = "bulk"
    BINDINGS = bindings_of("bulk")

    def __init__(self, bench: Workbench) -> None:
        super().__init__(bench)
        shown = bench.state.wanted
        self._wanted = Filter(status=("undecided",), categories=shown.categories, text=shown.text, clean=True)
        self._numbers: list[int] = []
        self._pages: list[_Page] = []
        self._struck: set[int] = set()
        self._turning = asyncio.Lock()
        self._place = 0
        self._cursor = 0
        self._seen_at: float | None = None
        self._saving = False
        self._steps: deque[bool] = deque()
        self._too_early = ""

    def compose_body(self) -> ComposeResult:
        yield Lines(id="body")
        yield Lines(id="news")

    def on_mount(self) -> None:
        self.body().set_title((Span(" Bulk ", "title"),))
        self.begin(self._begin)

    @property
    def page(self) -> _Page | None:
        """What is on screen, None before the first page and behind the last."""
        return self._pages[self._place] if self._place < len(self._pages) else None

    @property
    def has_been_seen(self) -> bool:
        """Whether the page has been on screen for long enough to be decided on."""
        return self._seen_at is not None and self.bench.clock() - self._seen_at >= SIGHT_SECONDS

    @property
    def is_whole(self) -> bool:
        """Whether all lines of the page are in sight."""
        return self.page is not None and self.body().count() <= self.body().body_height

    def on_resize(self) -> None:
        super().on_resize()
        self.work(self._fit, only="fit")

    def tell(self, text: str, role: str = "info") -> None:
        super().tell(text, role)
        # The page has another height now, and blank lines where there is room for them.
        self.call_after_refresh(self._show)

    def _strike(self, row: int) -> None:
        page = self.page
        if page is not None and row < len(page.examples) and not self.is_busy:
            self._struck ^= {page.examples[row].number}
            self._cursor = row
            self._show()

    action_strike_1 = partialmethod(_strike, 0)
    action_strike_2 = partialmethod(_strike, 1)
    action_strike_3 = partialmethod(_strike, 2)
    action_strike_4 = partialmethod(_strike, 3)
    action_strike_5 = partialmethod(_strike, 4)
    action_strike_6 = partialmethod(_strike, 5)
    action_strike_7 = partialmethod(_strike, 6)
    action_strike_8 = partialmethod(_strike, 7)

    def action_strike(self) -> None:
        self._strike(self._cursor)

    def action_next(self) -> None:
        self._move(1)

    def action_previous(self) -> None:
        self._move(-1)

    def action_open_row(self) -> None:
        if self.page is not None and self.page.examples and not self._saving:
            self.finish(self.page.examples[self._cursor].number)

    def action_accept_page(self) -> None:
        if self.is_busy:
            self.tell_busy()
        elif self.page is not None and not self.has_been_seen:
            key = self.keymap.shown("accept_page")
            self._too_early = f"Too early for page {self._place + 1}: look at it first, then press {key} again."
            self.tell(self._too_early, "warn")
            # The page may be seen long enough just now: what is told then must not stay.
            self.set_timer(SIGHT_SECONDS, self._take_back_too_early)
        elif self.page is not None and not self.is_whole:
            key = self.keymap.shown("accept_page")
            self._come_into_sight()
            self.tell(f"Part of the page was out of sight: look at all of it, then press {key} again.", "warn")
        elif self.page is not None:
            self.begin(partial(self._accept, self.page))

    def action_undo(self) -> None:
        self._step(back=True)

    def action_redo(self) -> None:
        self._step(back=False)

    def action_back(self) -> None:
        if not self._saving:
            self.finish(None)

    async def _begin(self) -> None:
        async with self._turning:
            await self._read_on()
            await self._turn_to(0)
        await self._take_steps()

    def _step(self, *, back: bool) -> None:
        """Undo or redo once what is under way is done: a key that came early is done in its turn, not lost."""
        if self.is_busy:
            self._steps.append(back)
            return
        # What a failure has left over was typed on trust in what failed.
        self._steps = deque([back])
        self.begin(self._take_steps)

    async def _take_steps(self) -> None:
        while self._steps:
            await (self._undo() if self._steps.popleft() else self._redo())

    async def _fit(self) -> None:
        """Compose the page anew from its first example where it was made for another size."""
        async with self._turning:
            page = self.page
            if page is not None and page.room != self._room():
                await self._compose_anew(page)
                self._come_into_sight()

    async def _compose_anew(self, page: _Page) -> None:
        """Put another page in the place of one; what comes behind it is another then, too."""
        place = self._pages.index(page)
        self._pages[place:] = [await self._fill(page.start)]

    async def _accept(self, page: _Page) -> None:
        async with self._turning:
            # Composed anew while the key was on its way: nobody has seen that page.
            if page is self.page:
                await self._accept_shown(page)
        await self._take_steps()

    async def _accept_shown(self, page: _Page) -> None:
        chosen = self._chosen(page)
        self._saving = True
        try:
            decided = await self.bench.curator.decide_shown(chosen, DecisionKind.ACCEPT) if chosen else ()
        finally:
            self._saving = False
        for number in decided:
            self.bench.state.decide(number, DecisionKind.ACCEPT, self.bench.clock())
        page.accepted = frozenset(decided)
        await self._turn_to(self._place + 1)
        told = f"Accepted {len(decided)}; {self.keymap.shown('undo')} takes them back." if decided else ""
        left = [one.number for one in chosen if one.number not in page.accepted]
        self.tell(f"{told} {_left_alone(left)}".strip(), "warn" if left else "info")

    async def _undo(self) -> None:
        async with self._turning:
            moved = await self.bench.curator.undo()
            if moved is None:
                self.tell(unmoved_words(back=True))
                return
            await self._follow(moved, forward=False)

    async def _redo(self) -> None:
        async with self._turning:
            moved = await self.bench.curator.redo()
            if moved is None:
                self.tell(unmoved_words(back=False))
                return
            await self._follow(moved, forward=True)

    async def _follow(self, moved: Moved, *, forward: bool) -> None:
        """Show the page that an undo or a redo was about, if it was about one of ours."""
        numbers = frozenset(number for _, number in moved.traces)
        kind = moved.decision.kind if forward else None
        for number in numbers:
            self.bench.state.moved(number, kind)
        place = next((place for place, page in enumerate(self._pages) if page.accepted == numbers), None)
        if place is not None:
            await self._turn_to(place + 1 if forward else place)
        elif self.page is not None and numbers & {one.number for one in self.page.examples}:
            await self._turn_to(self._place)
        self.tell(f"{moved_words(moved)}.")

    async def _turn_to(self, place: int) -> None:
        """Show a page, made now if it is one behind the last; one that others have emptied is passed over."""
        while place < len(self._pages):
            page = self._pages[place]
            await self._refresh(page)
            if page.examples and not self._fits(page):
                await self._compose_anew(page)
            if self._pages[place].examples:
                break
            place += 1
        if place >= len(self._pages):
            self._pages.append(await self._fill(self._pages[-1].rest if self._pages else 0))
        self._place = len(self._pages) - 1 if place >= len(self._pages) else place
        self._come_into_sight()

    def _come_into_sight(self) -> None:
        """Show the page as one that nobody has looked at."""
        self._cursor = 0
        self._seen_at = None
        self._show()
        self.call_after_refresh(self._seen)

    async def _fill(self, start: int) -> _Page:
        """Read on while there is room for another one, whole; controls and what never has room are passed over."""
        page = _Page([], start, start, self._room())
        width, left = page.room
        while len(page.examples) < BULK_ROWS and (page.rest < len(self._numbers) or await self._read_on()):
            one = await self.bench.curator.example(self._numbers[page.rest])
            if one is not None and one.standing.decision is None and not is_control(one.trace.id):
                height = row_height(one.number, one.trace, self.bench.glyphs, width, page.room[1])
                if height > page.room[1]:
                    page.too_long += 1
                elif height > left:
                    break
                else:
                    page.examples.append(one)
                    left -= height
            page.rest += 1
        return page

    def _room(self) -> tuple[int, int]:
        """Return columns and lines of a page; those of the least terminal where this one is less."""
        size = self.app.size
        return max(size.width, LEAST[0]), max(size.height, LEAST[1]) - _OTHER_LINES

    def _fits(self, page: _Page) -> bool:
        width, height = self._room()
        return page_height(page.traces, self.bench.glyphs, width, height) <= height

    def _chosen(self, page: _Page) -> list[Example]:
        """Return what is not struck."""
        return [one for one in page.examples if one.number not in self._struck]

    async def _read_on(self) -> bool:
        """Add what arrived behind the end of the list; False if nothing did."""
        after = self._numbers[-1] if self._numbers else 0
        found = await self.bench.curator.listing(self._wanted, after=after)
        self._numbers.extend(found.numbers)
        return bool(found.numbers)

    async def _refresh(self, page: _Page) -> None:
        """Read a page anew, without what has been decided on meanwhile."""
        numbers = [one.number for one in page.examples]
        self.bench.curator.drop(numbers)
        again = [await self.bench.curator.example(number) for number in numbers]
        page.examples = [one for one in again if one is not None and one.standing.decision is None]

    def _seen(self) -> None:
        self._seen_at = self.bench.clock()
        self.set_timer(SIGHT_SECONDS, self._take_back_too_early)

    def _take_back_too_early(self) -> None:
        """Say no longer that it is too early once it is not."""
        if self._too_early and self._news[0] == self._too_early and self.has_been_seen:
            self.tell("")
            self._too_early = ""

    def _move(self, steps: int) -> None:
        if self.page is not None and self.page.examples:
            self._cursor = max(min(self._cursor + steps, len(self.page.examples) - 1), 0)
            self._show()

    def _show(self) -> None:
        if is_left(self):
            return
        self.body().set_title(self._title())
        self.body().show(self._lines, keep_place=True)
        self.show_keys()

    def _title(self) -> Line:
        page = self.page
        if page is None or not page.examples:
            return (Span(" Bulk ", "title"), Span(" clean, first try ", "dim"))
        count = len(page.examples) - len(self._chosen(page))
        struck = f"  {count} struck" if count else ""
        left = len(self._numbers) - page.rest
        return (
            Span(" Bulk ", "title"),
            Span(f" page {self._place + 1}  {left:,} after it", "dim"),
            Span(struck, "warn"),
            Span(f"  {page.too_long} too long for a page" if page.too_long else "", "warn"),
            Span(f"  clean, first try; 1 in {_CONTROL_EVERY} is kept back ", "dim"),
        )

    def _lines(self, width: int) -> list[Line]:
        page = self.page
        if page is None:
            return [BLANK, (Span(" Looking for clean examples", "dim"),)]
        if not page.examples:
            return _nothing_left(bool(self._numbers), page.too_long, width)
        height = self.body().body_height
        struck = frozenset(place for place, one in enumerate(page.examples) if one.number in self._struck)
        return page_lines(page.traces, struck, self._cursor, self.bench.glyphs, width, height)


def is_control(trace_id: TraceId) -> bool:
    """Whether a clean example is shown singly all the same: one in ten, the same ones for everybody."""
    return int.from_bytes(hashlib.sha256(trace_id.encode()).digest()[:8]) % _CONTROL_EVERY == 0


def _nothing_left(had_some: bool, too_long: int, width: int) -> list[Line]:
    end = "That was the last page." if had_some else "There is no clean first-try example that waits."
    controls = f"One in {_CONTROL_EVERY} clean ones, and what was struck, wait for a single look."
    if too_long:
        controls += f" So {'does' if too_long == 1 else 'do'} {too_long:,} too long to be shown whole on a page."
    margin = (Span(" "),)
    return [BLANK, *paragraphs(end, width, "strong", first=margin), *paragraphs(controls, width, "dim", first=margin)]


def _left_alone(numbers: list[int]) -> str:
    if not numbers:
        return ""
    named = ", ".join(f"#{number}" for number in numbers)
    return f"Left as others made it meanwhile: {named}."
