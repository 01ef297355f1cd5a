"""All that the choice of prompts rests on, as it stands after some rounds; what a round brought makes the next state.

A state is a pure function of the rounds that are in it, so that a run that is taken up again chooses as if it had
never ended.
"""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import Final

import msgspec

from selfplay_core.curriculum.coverage import Coverage, Seen
from selfplay_core.curriculum.diversity import RoundFigures
from selfplay_core.curriculum.samplers import CLOSED, OPEN, gate
from selfplay_core.curriculum.skill import Skill, after_a_change, after_a_round
from selfplay_core.likeness.skeleton import skeleton_of
from selfplay_core.models import CATEGORY_NAMES, Attempt, Outcome, Trace, VerdictOutcome

__all__ = ["Asked", "Closed", "Standing", "State", "advanced", "closed", "decoded", "encoded", "for_model", "reopened"]

_ROUNDS_KEPT: Final = 6
_ERRORS_KEPT: Final = 20
_ERROR_LENGTH: Final = 120
_SKELETON_LENGTH: Final = 200
_JUDGED_FIRST: Final = frozenset({Outcome.SOLVED, Outcome.CORRECTED, Outcome.FAILED})
_REFUSALS: Final = (VerdictOutcome.REJECTED, VerdictOutcome.FAILED)


@dataclass(slots=True)
class Standing:
    """What is known of one category: skill, how often each cell was asked for, and what the server objected to.

    `tried` and `won` count for people, without forgetting, since the category was last reopened.
    """

    skill: Skill = field(default_factory=Skill)
    cells: dict[str, int] = field(default_factory=dict)
    errors: dict[str, int] = field(default_factory=dict)
    tried: int = 0
    won: int = 0


@dataclass(slots=True)
class State:
    """What the next round is chosen by; `model` is the digest of the model that the skills are of.

    `closing` are the categories whose gates close, in our order; `owed` the traces of earlier runs that had not ended
    when this run began.
    """

    model: str = ""
    closing: list[str] = field(default_factory=list)
    owed: list[str] = field(default_factory=list)
    categories: dict[str, Standing] = field(default_factory=dict)
    seen: dict[str, Seen] = field(default_factory=dict)
    rounds: list[RoundFigures] = field(default_factory=list)

    def of(self, category: str) -> Standing:
        """Return what is known of a category, to be looked at alone."""
        return self.categories.get(category) or Standing()

    def skills(self, categories: Sequence[str]) -> dict[str, Skill]:
        """Return the skills of some categories, in their order."""
        return {name: self.of(name).skill for name in categories}


@dataclass(frozen=True, slots=True)
class Asked:
    """What a round asked: a cell for each prompt that was kept, how many were written, and dropped as copies."""

    cells: dict[str, list[str]]
    written: int
    copies: int


@dataclass(frozen=True, slots=True)
class Closed:
    """A category whose gate is closed: what came of it, and what the server said most."""

    category: str
    won: int
    tried: int
    error: str

    def __str__(self) -> str:
        return f"{self.category}: {self.won} of {self.tried}" + (f", {self.error}" if self.error else "")


def advanced(state: State, asked: Asked, traces: Sequence[Trace], speaks: Sequence[bool]) -> State:
    """Return the state with one more round in it; `speaks` says of each trace whether its answer only speaks or asks.

    Faults count nowhere. An answer that only speaks, outside of the cosmetic category, is no success, and neither is
    one that was blocked, declined or not proven; of these none says anything of the skill of first answers.
    """
    new = decoded(encoded(state))
    coverage = Coverage(new.seen)
    skeletons: Counter[str] = Counter()
    for category, cells in asked.cells.items():
        standing = _made(new, category)
        for cell in cells:
            standing.cells[cell] = standing.cells.get(cell, 0) + 1
    for trace, only_speaks in zip(traces, speaks, strict=True):
        if trace.outcome is Outcome.ERRORED:
            continue
        _count(_made(new, trace.prompt.category), trace, only_speaks=only_speaks)
        coverage.add(trace)
        if trace.last is not None and trace.last.answer is not None and trace.last.answer.commands:
            skeletons[_short(skeleton_of(trace.last.answer.commands))] += 1
    new.seen = coverage.seen
    for name, skill in after_a_round(new.skills(CATEGORY_NAMES)).items():
        _made(new, name).skill = skill
    new.rounds = [*new.rounds, RoundFigures(asked.written, asked.copies, dict(skeletons))][-_ROUNDS_KEPT:]
    new.closing = _closing(new)
    return new


def for_model(state: State, digest: str) -> State:
    """Return the state as it stands for a model: another one is known only by hearsay."""
    if state.model == digest:
        return state
    new = decoded(encoded(state))
    if state.model:
        for name, skill in after_a_change(new.skills(CATEGORY_NAMES)).items():
            _made(new, name).skill = skill
        new.closing = _closing(new)
    new.model = digest
    return new


def reopened(state: State, category: str) -> State:
    """Return the state with a category given another chance: what came of it is forgotten."""
    new = decoded(encoded(state))
    standing = _made(new, category)
    standing.skill = replace(standing.skill, harvest=Skill().harvest)
    standing.tried = standing.won = 0
    standing.errors.clear()
    new.closing = _closing(new)
    return new


def closed(state: State) -> list[Closed]:
    """Return the categories whose gate closes, or has not opened well since it closed."""
    found = []
    for name in state.closing:
        standing = state.of(name)
        errors = sorted(standing.errors.items(), key=lambda item: (-item[1], item[0]))
        found.append(Closed(name, standing.won, standing.tried, errors[0][0] if errors else ""))
    return found


def encoded(state: State) -> str:
    """Return the state as JSON."""
    return msgspec.json.encode(state).decode()


def decoded(text: str) -> State:
    """Return the state that JSON holds; raises msgspec.MsgspecError."""
    return msgspec.json.decode(text, type=State)


def _made(state: State, category: str) -> Standing:
    """Return what is known of a category, to be changed."""
    return state.categories.setdefault(category, Standing())


def _short(skeleton: str) -> str:
    """Return a skeleton, or what stands for a long one: the state is kept with every round."""
    if len(skeleton) <= _SKELETON_LENGTH:
        return skeleton
    return hashlib.blake2b(skeleton.encode("utf-8", "surrogatepass"), digest_size=16).hexdigest()


def _closing(state: State) -> list[str]:
    return [name for name in CATEGORY_NAMES if gate(state.of(name).skill) < (OPEN if name in state.closing else CLOSED)]


def _count(standing: Standing, trace: Trace, *, only_speaks: bool) -> None:
    good = trace.outcome in (Outcome.SOLVED, Outcome.CORRECTED) and not only_speaks
    skill = standing.skill
    if trace.outcome in _JUDGED_FIRST and not only_speaks:
        first = trace.outcome is Outcome.SOLVED and len(trace.attempts) == 1
        skill = replace(skill, first=skill.first.seen(good=first))
    standing.skill = replace(skill, harvest=skill.harvest.seen(good=good))
    standing.tried += 1
    standing.won += good
    for attempt in trace.attempts:
        _count_errors(standing.errors, attempt)


def _count_errors(errors: dict[str, int], attempt: Attempt) -> None:
    """Count what the server objected to, by the Space-Saving algorithm (Metwally, Agrawal, El Abbadi 2005).

    A new error takes over the place and the count of the rarest, so that one which comes often is never lost for
    having come late.
    """
    for result in attempt.results:
        if result.verdict.outcome in _REFUSALS:
            said = (result.verdict.message or result.reply).split("\n")[0][:_ERROR_LENGTH]
            if said not in errors and len(errors) >= _ERRORS_KEPT:
                rarest = min(errors, key=lambda error: (errors[error], error))
                errors[said] = errors.pop(rarest)
            errors[said] = errors.get(said, 0) + 1
