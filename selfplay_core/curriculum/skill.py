"""What is known of a category: how often the first answer stands, and how often anything verified comes of it."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Final

__all__ = ["FORGET_MODEL", "Beta", "Skill", "after_a_change", "after_a_round"]

_FIRST_KEPT: Final = 0.98
_HARVEST_KEPT: Final = 0.995

FORGET_MODEL: Final = 0.3
"""What is kept of all counts when another model answers."""


@dataclass(frozen=True, slots=True)
class Beta:
    """Successes and failures as far as they are remembered, over the uniform prior Beta(1, 1)."""

    good: float = 0.0
    bad: float = 0.0

    @property
    def mean(self) -> float:
        """The expected rate."""
        return (self.good + 1) / (self.good + self.bad + 2)

    @property
    def deviation(self) -> float:
        """The standard deviation of the rate."""
        a, b = self.good + 1, self.bad + 1
        return math.sqrt(a * b / ((a + b) ** 2 * (a + b + 1)))

    def upper(self, z: float) -> float:
        """Return a bound that the rate lies below, `z` standard deviations above its mean."""
        return min(self.mean + z * self.deviation, 1.0)

    def seen(self, *, good: bool) -> Beta:
        """Return the counts with one more."""
        return replace(self, good=self.good + good, bad=self.bad + (not good))

    def kept(self, share: float) -> Beta:
        """Return the counts with only a share of them remembered."""
        return Beta(self.good * share, self.bad * share)


@dataclass(frozen=True, slots=True)
class Skill:
    """What a model can do in a category.

    `first`: whether the first answer stood, of prompts that were answered by commands. `harvest`: whether a verified
    success came of a prompt within all its retries, which prompts that were blocked, declined or not proven have not.
    """

    first: Beta = Beta()
    harvest: Beta = Beta()


def after_a_round(skills: Mapping[str, Skill]) -> dict[str, Skill]:
    """Return all skills a little forgotten: a model that learns is another one fifty rounds later.

    That something cannot be won is forgotten more slowly, for it costs a round each time to find it out again.
    """
    return {name: Skill(one.first.kept(_FIRST_KEPT), one.harvest.kept(_HARVEST_KEPT)) for name, one in skills.items()}


def after_a_change(skills: Mapping[str, Skill]) -> dict[str, Skill]:
    """Return what is known of another model: a hint, no more."""
    return {name: Skill(one.first.kept(FORGET_MODEL), one.harvest.kept(FORGET_MODEL)) for name, one in skills.items()}
