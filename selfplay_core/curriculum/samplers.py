"""How the categories of a round are drawn: where the model is weak, but not where nothing can be won.

Weakest-first pours most of a run into what cannot be won, and p(1-p), the learnability of LILO (arXiv 2502.12272),
starves hard categories where few answers succeed at first. The gate looks at what comes of a category at all.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from random import Random
from types import MappingProxyType
from typing import Final

from selfplay_core.curriculum.skill import Skill

__all__ = ["CLOSED", "FLOOR", "OPEN", "SAMPLERS", "Sampler", "draw", "gate", "gated", "uniform", "weakest"]

FLOOR: Final = 0.1
"""The share of draws that go to every category alike, so that no verdict on one is for ever."""

CLOSED: Final = 0.75
"""Below this a gate counts as closing, and a person is told: some 25 failures without a success."""

OPEN: Final = 0.9
"""What was closing counts as open again from here on, so that nobody is told the same over and over."""

_ENOUGH: Final = 0.1
_OPTIMISM: Final = 1.28
_WEAKEST: Final = 3

Sampler = Callable[[Mapping[str, Skill]], dict[str, float]]
"""Weights of the categories by what is known of them."""


def gate(skill: Skill) -> float:
    """Return how far a category is open, 0 to 1: the square of its harvest's upper bound over what is enough.

    The bound is the mean and 1.28 standard deviations of the posterior (its 90th percentile, nearly); enough are 10 %.
    """
    return min(1.0, skill.harvest.upper(_OPTIMISM) / _ENOUGH) ** 2


def gated(skills: Mapping[str, Skill]) -> dict[str, float]:
    """Weigh by the expected failure rate of first answers, as far as the gate is open."""
    return {name: (1 - skill.first.mean) * gate(skill) for name, skill in skills.items()}


def weakest(skills: Mapping[str, Skill]) -> dict[str, float]:
    """Weigh the three categories alone whose first answers fail most; of equals the first."""
    ordered = sorted(skills, key=lambda name: skills[name].first.mean)
    return {name: float(name in ordered[:_WEAKEST]) for name in skills}


def uniform(skills: Mapping[str, Skill]) -> dict[str, float]:
    """Weigh all alike."""
    return dict.fromkeys(skills, 1.0)


SAMPLERS: Final[Mapping[str, Sampler]] = MappingProxyType({"gated": gated, "weakest": weakest, "uniform": uniform})


def draw(weights: Mapping[str, float], units: int, chance: Random) -> tuple[tuple[str, int], ...]:
    """Return which categories a round has, with how many of its units each, in the order of their first draw.

    Each unit is drawn by itself, in proportion to the weights and with one in ten from all alike. No category gets more
    than half of the round, but for rounds of one unit, or of fewer categories than that takes.
    """
    most = max(units // 2, -(-units // len(weights)), 1)
    drawn: Counter[str] = Counter()
    for _ in range(units):
        open_ = [name for name in weights if drawn[name] < most]
        drawn[_drawn(open_, [weights[name] for name in open_], chance)] += 1
    return tuple(drawn.items())


def _drawn(names: Sequence[str], weights: Sequence[float], chance: Random) -> str:
    if chance.random() < FLOOR or sum(weights) <= 0:
        return names[int(chance.random() * len(names))]
    return chance.choices(names, weights)[0]
