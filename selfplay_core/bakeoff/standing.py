"""The figures of a model, and of two models against each other."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations

from selfplay_core.bakeoff.intervals import (
    LEVEL,
    Interval,
    PairCounts,
    Rule,
    difference,
    error_chance,
    more_cases,
    wilson,
)
from selfplay_core.bakeoff.ledger import Result
from selfplay_core.bakeoff.marks import Mark

__all__ = ["Figures", "Pair", "compare", "figures_of", "leader_is_decided"]

Marks = Mapping[int, Mark]
"""The mark of each case by its place."""


@dataclass(frozen=True, slots=True)
class Figures:
    """What a model did with a set of cases.

    `ok` (with `fixed` in it) and `missed` make up `decided`. Shares are of what is decided, `interval` is Wilson's
    of the share that is OK. Seconds are the model's over all attempts of a case, without errored ones; percentiles
    are by nearest rank. Where there is nothing to divide by, a figure is None.
    """

    ok: int
    fixed: int
    missed: int
    open: int
    errored: int
    interval: Interval
    missed_because: dict[str, int]
    open_because: dict[str, int]
    seconds: float | None
    seconds_p50: float | None
    seconds_p95: float | None
    tokens: float | None
    tokens_per_second: float | None

    @property
    def decided(self) -> int:
        return self.ok + self.missed

    @property
    def share(self) -> float | None:
        """The share that is OK."""
        return self.ok / self.decided if self.decided else None

    @property
    def fixed_share(self) -> float | None:
        """The share that is OK after a fix."""
        return self.fixed / self.decided if self.decided else None


@dataclass(frozen=True, slots=True)
class Pair:
    """Two models on the cases that are decided for both; `first` is the one with the larger share.

    `chance` is how surprising the difference would be between equal models, and is decided below `level`, which is
    shared among all pairs of a report (Bonferroni). `interval` is that of the difference at 95 %. `more` is about how
    many more cases would decide it, None where nobody can say.
    """

    first: str
    second: str
    counts: PairCounts
    interval: Interval
    rule: Rule
    chance: float
    level: float
    more: int | None

    @property
    def is_decided(self) -> bool:
        return self.chance < self.level


def figures_of(results: Iterable[Result]) -> Figures:
    """Return the figures of these results."""
    found = list(results)
    marks = Counter(result.marked.mark for result in found)
    answered = [result for result in found if result.marked.mark is not Mark.ERRORED]
    seconds = sorted(result.seconds for result in answered)
    tokens = sum(result.tokens for result in answered)
    ok = marks[Mark.OK] + marks[Mark.FIXED]
    return Figures(
        ok=ok,
        fixed=marks[Mark.FIXED],
        missed=marks[Mark.MISS],
        open=marks[Mark.OPEN],
        errored=marks[Mark.ERRORED],
        interval=wilson(ok, ok + marks[Mark.MISS]),
        missed_because=_reasons(found, Mark.MISS),
        open_because=_reasons(found, Mark.OPEN),
        seconds=sum(seconds) / len(seconds) if seconds else None,
        seconds_p50=_rank(seconds, 0.5),
        seconds_p95=_rank(seconds, 0.95),
        tokens=tokens / len(answered) if answered else None,
        tokens_per_second=tokens / sum(seconds) if sum(seconds) > 0 else None,
    )


def compare(models: Mapping[str, Marks], rule: Rule) -> list[Pair]:
    """Return every pair of models."""
    pairs = list(combinations(models, 2))
    return [_pair((one, models[one]), (other, models[other]), rule, LEVEL / len(pairs)) for one, other in pairs]


def leader_is_decided(models: Mapping[str, Marks]) -> bool:
    """Whether one model is decided to be better than each of the others, as one who looks after every turn may say."""
    pairs = compare(models, Rule.ANYTIME)
    beaten = {name: {pair.second for pair in pairs if pair.is_decided and pair.first == name} for name in models}
    return len(models) > 1 and any(len(others) == len(models) - 1 for others in beaten.values())


def _pair(one: tuple[str, Marks], other: tuple[str, Marks], rule: Rule, level: float) -> Pair:
    counts = _counts(one[1], other[1])
    if counts.second_only > counts.first_only:
        one, other = other, one
        counts = _counts(one[1], other[1])
    chance = error_chance(counts.first_only, counts.second_only, rule)
    return Pair(
        first=one[0],
        second=other[0],
        counts=counts,
        interval=difference(counts),
        rule=rule,
        chance=chance,
        level=level,
        more=None if chance < level else more_cases(counts, rule, level=level),
    )


def _counts(one: Marks, other: Marks) -> PairCounts:
    counts = Counter(
        (mark.is_right, other[place].is_right)
        for place, mark in one.items()
        if mark.is_decided and place in other and other[place].is_decided
    )
    return PairCounts(counts[True, True], counts[True, False], counts[False, True], counts[False, False])


def _reasons(results: Sequence[Result], mark: Mark) -> dict[str, int]:
    reasons = Counter(result.marked.why for result in results if result.marked.mark is mark)
    return {why.value: count for why, count in reasons.most_common() if why is not None}


def _rank(ordered: Sequence[float], share: float) -> float | None:
    return ordered[max(math.ceil(share * len(ordered)) - 1, 0)] if ordered else None
