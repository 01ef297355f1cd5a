"""The review screen without a screen: what is shown, and what each key makes of it."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Final

from selfplay_core.models import AUTO, DecisionKind
from selfplay_core.store.filters import Filter
from selfplay_core.store.listing import Example, Listing
from tui.state.live import Live
from tui.state.queue import Queue, mark_of

__all__ = ["DEFAULT_FILTER", "SIGHT_SECONDS", "LastDecision", "Notice", "PaneName", "Sight", "State"]

SIGHT_SECONDS: Final = 0.25
"""How long an example must have been on screen before a decision on it counts."""

DEFAULT_FILTER: Final = Filter(status=("undecided", "skip"))


class PaneName(StrEnum):
    """The four panes, in the order in which the keys go through them."""

    QUEUE = "queue"
    EXAMPLE = "example"
    CONVERSATION = "conversation"
    STREAM = "stream"


@dataclass(frozen=True, slots=True)
class Notice:
    """One line for the operator; `role` is that of a span, `until` in monotonic seconds."""

    text: str
    role: str
    until: float


@dataclass(frozen=True, slots=True)
class LastDecision:
    """What `undo` would take back."""

    kind: DecisionKind
    number: int
    count: int = 1


@dataclass(slots=True)
class Sight:
    """Which example is on screen, and since when (monotonic seconds).

    `opened` are those that have been there before, for long enough to be decided on.
    """

    number: int | None = None
    attempts: int = 0
    since: float = 0.0
    opened: set[int] = field(default_factory=set)

    def shown(self, example: Example, clock: float) -> None:
        """Note that an example has been painted; one that is painted again has been seen since the first time."""
        if (self.number, self.attempts) != (example.number, len(example.trace.attempts)):
            if self.number is not None and self.was_opened(self.number, clock):
                self.opened.add(self.number)
            if self.number == example.number:
                self.opened.discard(example.number)  # with another attempt it is one that nobody has looked at
            self.number, self.attempts, self.since = example.number, len(example.trace.attempts), clock

    def was_opened(self, number: int, clock: float) -> bool:
        """Whether an example has been on screen alone, for long enough to be decided on."""
        return number in self.opened or (number == self.number and clock - self.since >= SIGHT_SECONDS)

    def long_enough(self, example: Example, clock: float) -> bool:
        """Whether a decision on the example counts."""
        same = (self.number, self.attempts) == (example.number, len(example.trace.attempts))
        return same and clock - self.since >= SIGHT_SECONDS


@dataclass(slots=True)
class State:
    """Everything the review screen shows; it reads no clock, no file and no terminal.

    `begin_at` is the example that a list begins at if it holds it: the one of last time, or of the list before.
    `listed` and `counted`: the first list and the first counts have arrived; before, nothing is known to be empty.
    """

    queue: Queue = field(default_factory=Queue)
    live: Live = field(default_factory=Live)
    wanted: Filter = DEFAULT_FILTER
    filter_text: str = ""
    listed: bool = False
    counted: bool = False
    begin_at: int | None = None
    example: Example | None = None
    sight: Sight = field(default_factory=Sight)
    held: int = 0
    decided: Counter[DecisionKind] = field(default_factory=Counter)
    undecided: int = 0
    last: LastDecision | None = None
    pane: PaneName = PaneName.EXAMPLE
    hidden: set[PaneName] = field(default_factory=set)
    zoomed: bool = False
    over: PaneName | None = None
    tail: bool = True
    diff: bool = True
    saving: bool = False
    notice: Notice | None = None
    decisions_at: list[float] = field(default_factory=list)

    @property
    def is_opening(self) -> bool:
        """Whether it is not known yet what the workspace holds."""
        return not (self.listed and self.counted)

    def may_decide(self, clock: float) -> bool:
        """Whether a decision on the example counts: it is on screen, has been seen, and nothing is being saved."""
        example = self.example
        if example is None or self.saving or example.number != self.queue.current:
            return False
        return self.sight.long_enough(example, clock)

    @property
    def automatic(self) -> Example | None:
        """The example on screen where the automatic acceptance decided it, or an import: undo takes that back first."""
        standing = self.example.standing if self.example is not None else None
        if standing is None or standing.decision is None:
            return None
        return self.example if standing.imported or standing.decision.by == AUTO else None

    def decide(self, number: int, kind: DecisionKind, clock: float) -> None:
        """Note a new decision, which is in the database; the pace counts it, and what was told before is no news."""
        if self.notice is not None and self.notice.role == "info":
            self.notice = None
        self.queue.mark(number, mark_of(kind))
        self.decisions_at.append(clock)
        del self.decisions_at[:-2_000]

    def moved(self, number: int, kind: DecisionKind | None) -> None:
        """Note what stands after an undo or a redo, which is no work and counts for no pace; None: nothing stands."""
        self.queue.mark(number, mark_of(kind))

    def pace(self, clock: float) -> float:
        """Return decisions a minute over the last five minutes, or since the first."""
        recent = [at for at in self.decisions_at if at > clock - 300.0]
        if len(recent) < 2:
            return float(len(recent))
        return len(recent) / max((clock - recent[0]) / 60.0, 0.25)

    def relist(self, found: Listing, wanted: Filter, text: str) -> None:
        """Show another list under another filter."""
        self.wanted, self.filter_text, self.listed = wanted, text, True
        if (current := self.queue.current) is not None:
            self.begin_at = current
        self.queue.load(found, stay_on=self.begin_at)

    def next_pane(self, steps: int) -> None:
        """Go to another pane among those that are shown."""
        shown = [pane for pane in PaneName if pane is PaneName.EXAMPLE or pane not in self.hidden]
        place = shown.index(self.pane) if self.pane in shown else 0
        self.pane = shown[(place + steps) % len(shown)]

    def tell(self, text: str, clock: float, role: str = "info", seconds: float = 6.0) -> None:
        """Show one line for a while."""
        self.notice = Notice(text, role, clock + seconds)

    def told(self, clock: float) -> Notice | None:
        """Return the line that is to be shown now."""
        return self.notice if self.notice is not None and clock < self.notice.until else None
