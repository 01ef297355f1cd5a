"""Samplers against students whose skill is known: what each is worth, and what it wastes.

A student has a skill s in each category and answers right with the probability sigmoid(s); a correction succeeds more
often. What is verified teaches: each success adds η(1-p) to the category's skill (the form of a policy gradient step),
or, by the other law, η/(1+n/200) for the n-th success (what is common saturates). Both are assumptions, which is why
there are two.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from random import Random
from statistics import fmean, stdev
from types import MappingProxyType
from typing import Final, Literal

from selfplay_core.curriculum.samplers import SAMPLERS, Sampler, draw
from selfplay_core.curriculum.skill import Skill, after_a_round
from selfplay_core.models import CATEGORY_NAMES

__all__ = ["LAWS", "SCENARIOS", "Comparison", "Estimate", "Law", "Result", "Scenario", "compare", "simulate"]

Law = Literal["gradient", "saturating"]
LAWS: Final[tuple[Law, ...]] = ("gradient", "saturating")

_NEVER: Final = -99.0
_PER_UNIT: Final = 5
_UNITS: Final = 3
_UPDATE_EVERY: Final = 10
_RATE: Final = {"gradient": 0.012, "saturating": 0.012}
_HALF: Final = 200
_CORRECTS: Final = 1.0
_DRIFT: Final = 0.002
_MENDED: Final = -1.0
_POINTS: Final = 10
_Z: Final = 1.96
_T_OF_FEW: Final = (12.706, 4.303)


@dataclass(frozen=True, slots=True)
class Scenario:
    """A world: the skill that a student begins with in each category, and whether corrections are asked for.

    `broken` categories cannot be won; where they are mended, they can from the middle of the run on. Where skill fades,
    it decays a little with every round, in all categories, and only practice makes up for it.
    """

    name: str
    skills: tuple[float, ...]
    retries: int = 2
    fades: bool = False
    mended: bool = False

    @property
    def broken(self) -> frozenset[int]:
        """The places of the categories that cannot be won."""
        return frozenset(place for place, skill in enumerate(self.skills) if skill == _NEVER)


def _spread(broken: int, hard: int) -> tuple[float, ...]:
    """Return nine beginnings: some that cannot be won, some that hardly can, the others from weak to good."""
    rest = len(CATEGORY_NAMES) - broken - hard
    return (*(_NEVER for _ in range(broken)), *(-3.0 for _ in range(hard)), *(-1.0 + 0.35 * n for n in range(rest)))


SCENARIOS: Final = MappingProxyType(
    {
        scenario.name: scenario
        for scenario in (
            Scenario("one-broken", _spread(1, 1)),
            Scenario("one-broken-no-retries", _spread(1, 1), retries=0),
            Scenario("none-broken", _spread(0, 1)),
            Scenario("none-broken-no-retries", _spread(0, 1), retries=0),
            Scenario("two-broken", _spread(2, 0)),
            Scenario("two-broken-no-retries", _spread(2, 0), retries=0),
            Scenario("all-alike", (0.0,) * len(CATEGORY_NAMES)),
            Scenario("skill-fades", _spread(1, 1), fades=True),
            Scenario("mended-half-way", _spread(1, 1), mended=True),
        )
    }
)
"""The worlds that samplers are compared in, by name; all but `all-alike` have hard and easy categories."""


@dataclass(frozen=True, slots=True)
class Result:
    """One student at its end: mean and worst probability of a right first answer, of what can be won at all.

    `wasted` is the share of prompts that could not be won when they were asked; `path` the mean after each tenth of the
    run, or after each round of a shorter one.
    """

    mean: float
    worst: float
    wasted: float
    path: tuple[float, ...]


@dataclass(frozen=True, slots=True)
class Estimate:
    """A mean over students with the half width of its 95 % interval."""

    mean: float
    half_width: float

    @classmethod
    def of(cls, values: Sequence[float]) -> Estimate:
        """Return the estimate from one value a student; one alone says nothing of how far off it is."""
        if len(values) < 2:
            return cls(fmean(values), math.inf)
        return cls(fmean(values), _t_quantile(len(values) - 1) * stdev(values) / math.sqrt(len(values)))


def _t_quantile(freedom: int) -> float:
    """Return the 97.5 % quantile of Student's t: that of the normal law makes intervals of few students too narrow.

    The series is Abramowitz and Stegun 26.7.5, within 0.03 from three degrees of freedom on.
    """
    if freedom <= len(_T_OF_FEW):
        return _T_OF_FEW[freedom - 1]
    first = (_Z**3 + _Z) / 4
    second = (5 * _Z**5 + 16 * _Z**3 + 3 * _Z) / 96
    third = (3 * _Z**7 + 19 * _Z**5 + 17 * _Z**3 - 15 * _Z) / 384
    return _Z + first / freedom + second / freedom**2 + third / freedom**3


@dataclass(frozen=True, slots=True)
class Comparison:
    """What a sampler is worth in a scenario under a law; `path` is the mean skill on the way."""

    scenario: str
    law: Law
    sampler: str
    mean: Estimate
    worst: Estimate
    wasted: Estimate
    path: tuple[float, ...]


@dataclass(slots=True)
class _Student:
    skills: list[float]
    broken: frozenset[int]
    law: Law
    successes: list[int]
    pending: list[int] = field(default_factory=list)

    def probability(self, place: int, *, correction: bool = False) -> float:
        if place in self.broken:
            return 0.0
        return 1 / (1 + math.exp(-self.skills[place] - (_CORRECTS if correction else 0.0)))

    def learn(self) -> None:
        """Take the examples of some rounds in at once, as a fine-tuning does."""
        for place in self.pending:
            self.successes[place] += 1
            if self.law == "gradient":
                self.skills[place] += _RATE["gradient"] * (1 - self.probability(place))
            else:
                self.skills[place] += _RATE["saturating"] / (1 + self.successes[place] / _HALF)
        self.pending.clear()

    def mend(self) -> None:
        """Let what could not be won be won from now on, by a beginner."""
        for place in self.broken:
            self.skills[place] = _MENDED
        self.broken = frozenset()

    def fade(self) -> None:
        for place in range(len(self.skills)):
            if place not in self.broken:
                self.skills[place] -= _DRIFT


def simulate(scenario: Scenario, sampler: Sampler, law: Law, *, rounds: int, seed: int) -> Result:
    """Let one student practise; the same arguments give the same result."""
    names = CATEGORY_NAMES
    places = {name: place for place, name in enumerate(names)}
    student = _Student(list(scenario.skills), scenario.broken, law, [0] * len(names))
    known = {name: Skill() for name in names}
    chance = Random(seed)
    wasted, asked, path = 0, 0, []
    for number in range(1, rounds + 1):
        if scenario.mended and number == rounds // 2 + 1:
            student.mend()
        for name, units in draw(sampler(known), _UNITS, chance):
            place = places[name]
            for _ in range(units * _PER_UNIT):
                asked += 1
                wasted += place in student.broken
                known[name] = _answered(known[name], student, place, scenario.retries, chance)
        known = after_a_round(known)
        if scenario.fades:
            student.fade()
        if number % _UPDATE_EVERY == 0 or number == rounds:
            student.learn()
        if number * _POINTS // rounds > (number - 1) * _POINTS // rounds:
            path.append(fmean(_winnable(student)))
    final = _winnable(student)
    return Result(fmean(final), min(final), wasted / asked, tuple(path))


def compare(
    scenarios: Sequence[Scenario],
    samplers: Mapping[str, Sampler] = SAMPLERS,
    *,
    laws: Sequence[Law] = LAWS,
    rounds: int = 200,
    students: int = 12,
    seed: int = 0,
) -> list[Comparison]:
    """Compare samplers on students alike: the n-th begins with the same seed under each of them."""
    found = []
    for scenario in scenarios:
        for law in laws:
            for name, sampler in samplers.items():
                results = [
                    simulate(scenario, sampler, law, rounds=rounds, seed=seed * 1_000_003 + student)
                    for student in range(students)
                ]
                found.append(_compared(scenario.name, law, name, results))
    return found


def _compared(scenario: str, law: Law, sampler: str, results: Sequence[Result]) -> Comparison:
    return Comparison(
        scenario,
        law,
        sampler,
        Estimate.of([result.mean for result in results]),
        Estimate.of([result.worst for result in results]),
        Estimate.of([result.wasted for result in results]),
        tuple(fmean(values) for values in zip(*(result.path for result in results), strict=True)),
    )


def _answered(skill: Skill, student: _Student, place: int, retries: int, chance: Random) -> Skill:
    first = chance.random() < student.probability(place)
    good = first or any(chance.random() < student.probability(place, correction=True) for _ in range(retries))
    if good:
        student.pending.append(place)
    return replace(skill, first=skill.first.seen(good=first), harvest=skill.harvest.seen(good=good))


def _winnable(student: _Student) -> list[float]:
    return [student.probability(place) for place in range(len(student.skills)) if place not in student.broken]
