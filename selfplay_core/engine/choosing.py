"""What each round asks: which categories, which cells of them, and what would only repeat what is known."""

from __future__ import annotations

from collections import Counter, deque
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Final, Literal

import msgspec

from selfplay_core.curriculum.cells import Cells, Wish, choose, rotating
from selfplay_core.curriculum.coverage import Coverage
from selfplay_core.curriculum.diversity import Alarm, alarm
from selfplay_core.curriculum.samplers import SAMPLERS, draw
from selfplay_core.curriculum.state import (
    Asked,
    Closed,
    State,
    advanced,
    closed,
    decoded,
    encoded,
    for_model,
    reopened,
)
from selfplay_core.engine.seeds import choice_rng
from selfplay_core.likeness.copies import Copies
from selfplay_core.likeness.pool import Like, PromptPool
from selfplay_core.models import Trace
from selfplay_core.store.bans import bans
from selfplay_core.store.codec import decode
from selfplay_core.store.curriculum import (
    Kept,
    RoundKept,
    ended_since,
    kept_state,
    known_prompts,
    latest_state,
    replace_state,
    rounds_behind,
)
from selfplay_core.store.database import Database, Reader
from selfplay_core.verify.speech import shows_no_deed

__all__ = ["Choice", "Chooser", "Known", "begin"]

_KNOWN: Final = 100_000
_RECENT: Final = 6
_OPENINGS: Final = 3
_OPENING_WORDS: Final = 4
_EXAMPLES: Final = 3


@dataclass(frozen=True, slots=True)
class Known:
    """What a run begins with: a state, the last of its own rounds that is in it, and the prompts that are known.

    `bans` are those that no training row may hold.
    """

    state: State = field(default_factory=State)
    folded: int = -1
    prompts: tuple[tuple[str, str], ...] = ()
    bans: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Choice:
    """What one category of a round is asked for."""

    category: str
    wishes: tuple[Wish, ...]
    examples: tuple[str, ...]
    avoid: tuple[str, ...]


def begin(database: Database, run_id: str, model: str) -> Known:
    """Return what is known in a workspace at the start of a run: its own state if it goes on, else what others left.

    A new run keeps what it begins with at once: what it answers of an earlier run's prompts must not change it, if it
    is stopped before its first round and taken up again.
    """
    prompts, banned = tuple(known_prompts(database, newest=_KNOWN)), bans(database)
    kept = kept_state(database, run_id)
    if kept is not None:
        return Known(for_model(_decoded(kept.state), model), kept.folded, prompts, banned)
    # Rounds of another run may have had another focus: they are nothing to compare with.
    state = replace(for_model(_left_behind(database), model), rounds=[])
    replace_state(database, Kept(run_id, Known().folded, encoded(state)))
    return Known(state, prompts=prompts, bans=banned)


def _left_behind(reader: Reader) -> State:
    """Return the state of the run before, with all that has ended since: its last rounds, and what it was owed."""
    before = latest_state(reader)
    if before is None:
        return State()
    state = _decoded(before.state)
    late = ended_since(reader, state.owed)
    if late:
        state = advanced(state, Asked({}, 0, 0), late, [_speaks(trace) for trace in late])
        ended = {trace.id for trace in late}
        state.owed = [trace_id for trace_id in state.owed if trace_id not in ended]
    for one in rounds_behind(reader, before.run_id, after=before.folded):
        state = with_round(state, one)
    return state


def with_round(state: State, one: RoundKept) -> State:
    """Return the state with a round in it; one of given prompts says nothing of what the model writes and can do."""
    asked = decode(one.asked, Asked, f"what round {one.number} asked")
    if not asked.cells:
        return state
    new = advanced(state, asked, one.traces, [_speaks(trace) for trace in one.traces])
    new.owed = [*new.owed, *one.missing]
    return new


class Chooser:
    """Knows what has been asked, and draws what comes next; the same rounds always give the same choice."""

    def __init__(
        self, known: Known, cells: Cells, sampler: Literal["gated", "weakest", "uniform"], weights: Mapping[str, float]
    ) -> None:
        self.state = known.state
        self.folded = known.folded
        self._cells = cells
        self._sampler = SAMPLERS[sampler]
        self._weights = weights
        self._pool = PromptPool(kept=_KNOWN)
        self._recent: dict[str, deque[str]] = {}
        self._openings: dict[str, Counter[str]] = {}
        self._count = 0
        for category, prompt in known.prompts:
            self.take(category, prompt)
        self._bans = Copies(known.bans)

    def fold(self, rounds: Sequence[RoundKept]) -> Alarm | None:
        """Take complete rounds into the state; returns the alarm that the last of them raises, if it does."""
        raised: Alarm | None = None
        for one in rounds:
            self.state, self.folded = with_round(self.state, one), one.number
            raised = alarm(self.state.rounds)
        return raised

    def reopen(self, category: str) -> None:
        """Give a category another chance."""
        self.state = reopened(self.state, category)

    def closed(self) -> list[Closed]:
        """Return the categories whose gate closes, or has not opened well since it closed."""
        return closed(self.state)

    def draw(self, seed: int, number: int, categories: Sequence[str], units: int) -> tuple[tuple[str, int], ...]:
        """Return the categories of a round, with how many units each; settings' weights multiply the sampler's."""
        weights = self._sampler(self.state.skills(categories))
        weighed = {name: weight * self._weights.get(name, 1.0) for name, weight in weights.items()}
        return draw(weighed, units, choice_rng(seed, number))

    def choice(self, seed: int, number: int, category: str, count: int, examples: Sequence[str]) -> Choice:
        """Return what a category's prompts of a round are asked to be, and what they must not repeat."""
        chance = choice_rng(seed, number, category)
        wishes = choose(self._cells, category, self.state.of(category).cells, Coverage(self.state.seen), count, chance)
        openings = self._openings.get(category, Counter()).most_common(_OPENINGS)
        avoid = [*self._recent.get(category, ()), *(f"{words} …" for words, times in openings if times > 1)]
        return Choice(category, tuple(wishes), tuple(rotating(examples, _EXAMPLES, chance)), tuple(avoid))

    def like(self, category: str, prompt: str) -> Like | None:
        """Return the known prompt that one is nearly a copy of."""
        return self._pool.closest(category, prompt)

    def is_banned(self, prompt: str) -> bool:
        """Whether a prompt is nearly one that models are compared by."""
        return self._bans.like(prompt) is not None

    def take(self, category: str, prompt: str) -> None:
        """Know a prompt from here on."""
        self._count += 1
        self._pool.add(category, self._count, prompt)
        self._recent.setdefault(category, deque(maxlen=_RECENT)).append(prompt)
        words = prompt.split()[:_OPENING_WORDS]
        self._openings.setdefault(category, Counter())[" ".join(words).lower()] += 1

    def encoded(self) -> str:
        """Return the state as it is kept."""
        return encoded(self.state)


def _decoded(text: str) -> State:
    try:
        return decoded(text)
    except msgspec.MsgspecError:
        # Of another version: what is known of categories is worth less than a run.
        return State()


def _speaks(trace: Trace) -> bool:
    answer = trace.last.answer if trace.last is not None else None
    return answer is not None and shows_no_deed(trace.prompt.category, answer.commands)
