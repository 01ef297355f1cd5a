"""Shares, differences of shares and when a difference is decided, in closed form."""

from __future__ import annotations

import math
from dataclasses import dataclass
from enum import StrEnum
from statistics import NormalDist
from typing import Final

__all__ = [
    "LEVEL",
    "Interval",
    "PairCounts",
    "Rule",
    "difference",
    "error_chance",
    "more_cases",
    "wilson",
]

LEVEL: Final = 0.05
"""How often models that are equally good may be called different; intervals hold the truth in all other cases."""

_LOOK_AHEAD: Final = 100_000
_NEGLIGIBLE: Final = 1e-17


class Rule(StrEnum):
    """By which test a pair is decided."""

    EXACT = "exact McNemar test"
    """For a number of cases that was settled beforehand."""

    ANYTIME = "sequential test"
    """Holds however often one looks, and whenever one stops."""


@dataclass(frozen=True, slots=True)
class Interval:
    """Where a share or a difference may lie, at the confidence that was asked for."""

    low: float
    high: float


@dataclass(frozen=True, slots=True)
class PairCounts:
    """What two models made of the cases that are decided for both."""

    both: int
    first_only: int
    second_only: int
    neither: int

    @property
    def cases(self) -> int:
        return self.both + self.first_only + self.second_only + self.neither

    @property
    def difference(self) -> float:
        """The first model's share less the second's; 0 without a case."""
        return (self.first_only - self.second_only) / self.cases if self.cases else 0.0


def wilson(right: int, cases: int, *, level: float = LEVEL) -> Interval:
    """Return the score interval of a share (Wilson 1927); all that is possible where there is no case."""
    if cases == 0:
        return Interval(0.0, 1.0)
    z = NormalDist().inv_cdf(1 - level / 2)
    share = right / cases
    middle = share + z * z / (2 * cases)
    reach = z * math.sqrt(share * (1 - share) / cases + z * z / (4 * cases * cases))
    scale = 1 + z * z / cases
    # At the ends the formula is exact, and its rounding is not.
    low = 0.0 if right == 0 else (middle - reach) / scale
    high = 1.0 if right == cases else (middle + reach) / scale
    return Interval(low, high)


def difference(pair: PairCounts, *, level: float = LEVEL) -> Interval:
    """Return the interval of the difference of two paired shares: Newcombe 1998, method 10.

    Wilson's intervals of both shares, joined by how much they go together.
    """
    cases = pair.cases
    if cases == 0:
        return Interval(-1.0, 1.0)
    first, second = pair.both + pair.first_only, pair.both + pair.second_only
    of_first, of_second = wilson(first, cases, level=level), wilson(second, cases, level=level)
    share, other = first / cases, second / cases
    together = _correlation(pair)
    below = _joined(share - of_first.low, of_second.high - other, together)
    above = _joined(of_first.high - share, other - of_second.low, together)
    return Interval(max(-1.0, pair.difference - below), min(1.0, pair.difference + above))


def error_chance(first_only: int, second_only: int, rule: Rule) -> float:
    """Return how surprising such an inequality is between equal models; a pair is decided below the level.

    Only cases that one model alone got right tell them apart, each a toss of a fair coin between equal models.
    EXACT is the two-sided binomial test of that (McNemar 1947). ANYTIME is the inverse of the evidence for an
    unknown coin over a fair one, the unknown one's bias being uniform: between equal models it ever reaches 1/level
    with a chance of at most `level` (Ville's inequality), so that one may look after every case.
    """
    tosses = first_only + second_only
    if rule is Rule.EXACT:
        return min(1.0, 2 * _tail(tosses, min(first_only, second_only)))
    # ln of 2^n · B(h + 1, t + 1), the likelihood of the unknown coin over that of the fair one.
    evidence = (
        tosses * math.log(2) + math.lgamma(first_only + 1) + math.lgamma(second_only + 1) - math.lgamma(tosses + 2)
    )
    return float(math.exp(-max(evidence, 0.0)))


def more_cases(pair: PairCounts, rule: Rule, *, level: float = LEVEL) -> int | None:
    """Return about how many more cases decide a pair if the models go on to differ as they did.

    None where they do not differ so far, or where even 100,000 cases would not do.
    """
    if pair.first_only == pair.second_only:
        return None

    def decides(cases: int) -> bool:
        grown = cases / pair.cases
        counts = (round(pair.first_only * grown), round(pair.second_only * grown))
        return error_chance(*counts, rule) < level

    if not decides(_LOOK_AHEAD):
        return None
    low, high = pair.cases, _LOOK_AHEAD
    while high - low > 1:
        middle = (low + high) // 2
        low, high = (low, middle) if decides(middle) else (middle, high)
    return high - pair.cases


def _tail(tosses: int, heads: int) -> float:
    """Return the chance of at most so many heads among tosses of a fair coin; from the largest part down."""
    log_ways = math.lgamma(tosses + 1) - math.lgamma(heads + 1) - math.lgamma(tosses - heads + 1)
    part = total = math.exp(log_ways - tosses * math.log(2))
    while heads > 0 and part > total * _NEGLIGIBLE:
        part *= heads / (tosses - heads + 1)
        heads -= 1
        total += part
    return total


def _correlation(pair: PairCounts) -> float:
    """Return the phi coefficient; a positive one is drawn in a little, as Newcombe's method 10 does."""
    margins = (
        (pair.both + pair.first_only)
        * (pair.second_only + pair.neither)
        * (pair.both + pair.second_only)
        * (pair.first_only + pair.neither)
    )
    if margins == 0:
        return 0.0
    product = float(pair.both * pair.neither - pair.first_only * pair.second_only)
    if product > 0:
        product = max(product - pair.cases / 2, 0.0)
    return product / math.sqrt(margins)


def _joined(one: float, other: float, together: float) -> float:
    return math.sqrt(max(one * one - 2 * together * one * other + other * other, 0.0))
