"""Accept, reject, skip, flag, undo: each decision is in the database before the next example is painted."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Coroutine
from functools import partial
from typing import TYPE_CHECKING, Any

from selfplay_core.errors import DecisionOvertaken, SelfplayError
from selfplay_core.models import Decision, DecisionKind, Outcome
from selfplay_core.store.history import Moved
from selfplay_core.store.listing import Example
from tui.drawing.lines import Line, Span
from tui.drawing.words import moved_words, unmoved_words
from tui.keys.actions import REASONS
from tui.screens.confirm import ConfirmScreen
from tui.state.review import SIGHT_SECONDS, LastDecision
from tui.workbench import Workbench

if TYPE_CHECKING:
    from tui.screens.review import ReviewScreen

__all__ = ["Deciding"]

_PATIENCE = 1.0

_DONE = {DecisionKind.ACCEPT: "accepted", DecisionKind.REJECT: "rejected"}


class Deciding:
    """The keys that decide."""

    def __init__(self, screen: ReviewScreen, bench: Workbench) -> None:
        self._screen = screen
        self._bench = bench
        self._saves = 0
        self._steps: deque[bool] = deque()
        for number, reason in enumerate(REASONS, start=1):
            setattr(self, f"do_reject_{number}", lambda reason=reason: self._decide(DecisionKind.REJECT, reason))

    def do_accept(self) -> None:
        self._decide(DecisionKind.ACCEPT)

    def do_reject(self) -> None:
        self._decide(DecisionKind.REJECT)

    def do_skip(self) -> None:
        self._decide(DecisionKind.SKIP)

    def do_flag(self) -> None:
        shown = self._bench.state.example
        if shown is not None:
            self._screen.work(partial(self._flag, shown))

    def do_undo(self) -> None:
        self._step(back=True)

    def do_redo(self) -> None:
        self._step(back=False)

    def do_mark(self) -> None:
        queue, place = self._bench.state.queue, self._bench.state.queue.cursor
        queue.toggle_chosen()
        self._screen.painter.queue_place(place)
        self._screen.looking.look()

    def do_mark_range(self) -> None:
        key = self._bench.keymap.shown("mark_range")
        if self._bench.state.queue.choose_range():
            self._screen.tell(f"{len(self._bench.state.queue.chosen)} marked.")
        else:
            self._screen.tell(f"A range begins here; go to its other end and press {key} again.")
        self._screen.painter.queue(anew=True)

    def do_accept_marked(self) -> None:
        self._ask_about_marked(DecisionKind.ACCEPT)

    def do_reject_marked(self) -> None:
        self._ask_about_marked(DecisionKind.REJECT)

    def _decide(self, kind: DecisionKind, reason: str = "") -> None:
        state, bench = self._bench.state, self._bench
        shown = state.example
        if shown is None:
            return
        if not state.may_decide(bench.clock()):
            if not state.saving:
                self._screen.tell(f"#{shown.number} was not on screen for {SIGHT_SECONDS} s yet.", "dim", 1.0)
            return
        if kind is DecisionKind.ACCEPT and shown.trace.outcome is Outcome.ERRORED:
            self._screen.tell(f"#{shown.number} ended by a fault and shows nothing; it cannot be accepted.", "warn")
            return
        decision = Decision(kind, by=bench.curator.operator, at=bench.now(), reason=reason)
        self._save(partial(self._commit, shown, decision))

    def _still_saving(self, save: int) -> None:
        if self._bench.state.saving and save == self._saves:
            self._screen.tell("Saving waits for another process that writes to the workspace.", "warn")

    def _save(self, job: Callable[[], Coroutine[Any, Any, None]]) -> None:
        """Do something that writes, one at a time; no other example is painted before it is done."""
        self._bench.state.saving = True
        self._saves += 1
        self._screen.set_timer(_PATIENCE, partial(self._still_saving, self._saves))
        self._screen.work(partial(self._saved, job))

    async def _saved(self, job: Callable[[], Coroutine[Any, Any, None]]) -> None:
        try:
            await job()
        except DecisionOvertaken as error:
            self._steps.clear()
            self._screen.tell(str(error), "warn", 12.0)
        except SelfplayError as error:
            # What was typed on trust in what failed is not done.
            self._steps.clear()
            self._screen.tell(str(error), "bad")
        finally:
            self._bench.state.saving = False
        if self._steps:
            self._save(self._move_all)
            return
        self._screen.looking.look(anew=True)
        self._screen.painter.keys()

    async def _commit(self, shown: Example, decision: Decision) -> None:
        state = self._bench.state
        await self._bench.curator.decide(shown, decision)
        state.decide(shown.number, decision.kind, self._bench.clock())
        state.last = LastDecision(decision.kind, shown.number)
        self._screen.painter.queue_place(state.queue.place_of(shown.number))
        # Whoever has gone elsewhere meanwhile stays there.
        if state.queue.current == shown.number and not state.queue.advance():
            self._screen.tell("Nothing more is pending in this list.")

    def _step(self, *, back: bool) -> None:
        """Undo or redo once what is being saved is saved: a key that came early is done in its turn, not lost."""
        self._steps.append(back)
        if not self._bench.state.saving:
            self._save(self._move_all)

    async def _move_all(self) -> None:
        while self._steps:
            await self._move(back=self._steps.popleft())

    async def _move(self, *, back: bool) -> None:
        curator = self._bench.curator
        moved = await (curator.undo(self._bench.state.automatic) if back else curator.redo())
        if moved is None:
            self._screen.tell(unmoved_words(back=back))
        else:
            await self._show_moved(moved)

    async def _show_moved(self, moved: Moved) -> None:
        state, (_, number) = self._bench.state, moved.traces[-1]
        shown = await self._bench.curator.example(number)
        if state.queue.place_of(number) is None:
            await self._screen.looking.list_anew()
        place = state.queue.place_of(number)
        decision = shown.standing.decision if shown is not None else None
        state.moved(number, decision.kind if decision is not None else None)
        where = "" if place is not None else " (not in this list)"
        self._screen.tell(f"{moved_words(moved)}{where}.")
        if place is not None:
            state.queue.go(place)

    async def _flag(self, shown: Example) -> None:
        await self._bench.curator.flag(shown)
        self._screen.looking.look(anew=True)

    def _ask_about_marked(self, kind: DecisionKind) -> None:
        numbers = sorted(self._bench.state.queue.chosen)
        if not numbers:
            self._screen.tell(f"Nothing is marked; {self._bench.keymap.shown('mark')} marks.")
            return
        seen_at = self._bench.curator.position
        what = "example" if len(numbers) == 1 else "examples"
        question: list[Line] = [(Span(f"{kind.value.capitalize()} {len(numbers):,} marked {what}?", "strong"),)]
        state, clock = self._bench.state, self._bench.clock()
        if unopened := sum(not state.sight.was_opened(number, clock) for number in numbers):
            question.append((Span(_unopened_words(unopened, len(numbers)), "warn"),))

        def answered(yes: bool | None) -> None:
            if yes:
                self._save(partial(self._decide_marked, numbers, kind, seen_at))

        bench = self._bench
        confirm = ConfirmScreen(question, kind.value, clock=bench.clock, keymap=bench.keymap)
        self._screen.app.push_screen(confirm, answered)

    async def _decide_marked(self, numbers: list[int], kind: DecisionKind, seen_at: int) -> None:
        state = self._bench.state
        decided = await self._bench.curator.decide_all(numbers, kind, seen_at=seen_at)
        state.queue.forget_chosen()
        for number in decided:
            state.decide(number, kind, self._bench.clock())
        if decided:
            state.last = LastDecision(kind, decided[-1], len(decided))
        if state.queue.current in decided:
            state.queue.advance()
        self._screen.painter.queue(anew=True)
        self._screen.looking.look(anew=True)
        left = len(numbers) - len(decided)
        more = (
            f" {left} were left: decided by others meanwhile, ended by a fault, or cases of a bake-off." if left else ""
        )
        undo = self._bench.keymap.shown("undo")
        self._screen.tell(f"{len(decided)} {_DONE[kind]}; {undo} takes all back.{more}")


def _unopened_words(unopened: int, marked: int) -> str:
    """Return how many of the marked examples nobody has looked at."""
    were = "It was" if marked == 1 else "None of them was" if unopened == marked else f"{unopened:,} of them were"
    never = "ever" if were.startswith("None") else "never"
    return f"{were} {never} opened since the start: only the list was seen."
