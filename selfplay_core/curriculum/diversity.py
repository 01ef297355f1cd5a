"""Whether prompts and answers grow poorer from round to round.

Duplicates alone say little, and so does a falling number of skeletons: rounds are small. Both together, over three
rounds against the three before, are an alarm.

The constants are from planted collapses (tests/test_diversity.py). Copies are dropped before they are answered, so that
a collapse leaves few answers, and these differ: skeletons are compared over as many prompts written, not as many
answers, or no collapse would ever show. A run looks 200 times or so, so that one chance in twenty a look would be ten
false alarms a run; at three standard deviations and a third less skeletons there is one in four runs or so, and a
generator that says what it has said before nine times in ten is told within three rounds. Where most prompts are copies
already no share can rise by so much, and a collapse is not told: the share itself is shown.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

__all__ = ["Alarm", "RoundFigures", "alarm", "effective_number"]

_WINDOW: Final = 3
_RISE: Final = 0.1
_FALL: Final = 2 / 3
_SIGNIFICANT: Final = 3.0


@dataclass(frozen=True, slots=True)
class RoundFigures:
    """What a round brought: prompts that were written, how many of them were copies, and skeletons of the answers."""

    written: int = 0
    copies: int = 0
    skeletons: Mapping[str, int] | None = None


@dataclass(frozen=True, slots=True)
class Alarm:
    """The share of copies and the effective number of skeletons, in the last three rounds and in those before."""

    copies_before: float
    copies_now: float
    skeletons_before: float
    skeletons_now: float

    def __str__(self) -> str:
        return (
            f"The prompts grow alike: {self.copies_before:.0%} copies became {self.copies_now:.0%}, and "
            f"{self.skeletons_before:.0f} ways to answer {self.skeletons_now:.0f}, over three rounds. "
            "Look at the writer's examples, or raise the temperature of the category."
        )


def effective_number(counts: Iterable[int]) -> float:
    """Return how many equally frequent kinds would be as diverse: exp of the entropy, the Hill number of order 1."""
    values = [count for count in counts if count > 0]
    whole = sum(values)
    if not whole:
        return 0.0
    return math.exp(-sum(count / whole * math.log(count / whole) for count in values))


def alarm(rounds: Sequence[RoundFigures]) -> Alarm | None:
    """Return the alarm of the last three rounds, None where copies did not rise or skeletons did not fall.

    Copies rise by ten points at least, and by more than three standard deviations (a test of two shares); skeletons
    fall by a third, counted over as many prompts written.
    """
    if len(rounds) < 2 * _WINDOW:
        return None
    before, now = _pooled(rounds[-2 * _WINDOW : -_WINDOW]), _pooled(rounds[-_WINDOW:])
    if not (before.written and now.written):
        return None
    first, second = before.copies / before.written, now.copies / now.written
    pooled = (before.copies + now.copies) / (before.written + now.written)
    deviation = math.sqrt(pooled * (1 - pooled) * (1 / before.written + 1 / now.written))
    rises = second - first >= _RISE and second - first > _SIGNIFICANT * deviation
    kinds_before, kinds_now = _kinds(before, now), _kinds(now, before)
    if not rises or kinds_now > _FALL * kinds_before:
        return None
    return Alarm(first, second, kinds_before, kinds_now)


def _pooled(rounds: Sequence[RoundFigures]) -> RoundFigures:
    skeletons: Counter[str] = Counter()
    for one in rounds:
        skeletons.update(one.skeletons or {})
    return RoundFigures(sum(one.written for one in rounds), sum(one.copies for one in rounds), skeletons)


def _kinds(one: RoundFigures, other: RoundFigures) -> float:
    """Return the effective number of skeletons, thinned out to as many prompts as were written for the other."""
    return effective_number((one.skeletons or {}).values()) * min(1.0, other.written / one.written)
