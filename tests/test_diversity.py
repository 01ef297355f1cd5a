"""Laws of the alarm: it fires on planted collapse soon, and hardly ever on rounds that go on as they were."""

from __future__ import annotations

import itertools
import math
from collections import Counter
from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from selfplay_core.curriculum.diversity import Alarm, RoundFigures, alarm, effective_number

PROMPTS = 15
WINDOWS = 6


def written(seed: int, rounds: int, kinds: int, *, collapses_after: int | None = None) -> list[RoundFigures]:
    """Rounds of a generator that draws from so many kinds of prompt by Zipf's law with exponent 1.

    From its collapse on it says nine times in ten what it has said before (self-conditioning 0.9). As in a run, a
    copy of what is known is counted and dropped; what is left is answered, in a third as many ways.
    """
    chance = Random(seed)
    cumulated = list(itertools.accumulate(1 / place for place in range(1, kinds + 1)))
    said: list[int] = []
    found = []
    for number in range(rounds):
        known = set(said)
        skeletons: Counter[str] = Counter()
        copies = 0
        for _ in range(PROMPTS):
            repeats = collapses_after is not None and number >= collapses_after and chance.random() < 0.9
            prompt = chance.choice(said) if repeats else chance.choices(range(kinds), cum_weights=cumulated)[0]
            if prompt in known:
                copies += 1
            else:
                skeletons[str(prompt % (kinds // 3))] += 1
            known.add(prompt)
            said.append(prompt)
        found.append(RoundFigures(PROMPTS, copies, skeletons))
    return found


def alarms(rounds: list[RoundFigures]) -> list[int]:
    """The rounds after which the alarm is raised, counted from 1."""
    return [number for number in range(1, len(rounds) + 1) if alarm(rounds[max(number - WINDOWS, 0) : number])]


@pytest.mark.parametrize("kinds", [1_000, 3_000, 10_000])
def test_a_collapse_is_told_within_a_few_rounds(kinds: int) -> None:
    """Within three of its begin, in nineteen runs of twenty at least."""
    found = []
    for seed in range(20):
        after = 10 + seed
        raised = [number - after for number in alarms(written(seed, after + 8, kinds, collapses_after=after))]
        found.append(min((rounds for rounds in raised if rounds > 0), default=99))
    print(f"{kinds} kinds: told after rounds {sorted(found)}")
    assert sum(rounds <= 3 for rounds in found) >= 19


@pytest.mark.parametrize("kinds", [500, 1_000, 3_000, 10_000])
def test_nothing_is_told_of_rounds_that_go_on_as_they_were(kinds: int) -> None:
    """Though copies become more by themselves: at most two alarms in 200 rounds, on the average less than one.

    Measured over 25 runs each: 0.28, 0.44, 0.12 and 0.20 alarms in 200 rounds of 500, 1000, 3000 and 10,000 kinds.
    """
    found = [len(alarms(written(seed, 200, kinds))) for seed in range(10)]
    print(f"{kinds} kinds: {sum(found)} alarms in {len(found)} runs of 200 rounds")
    assert max(found) <= 2
    assert sum(found) < len(found)


def rounds_of(copies: int, kinds: int, *, prompts: int = PROMPTS) -> list[RoundFigures]:
    """Three rounds alike, with so many kinds of skeleton in each."""
    return [RoundFigures(prompts, copies, {f"{number}": 1 for number in range(kinds)})] * 3


ALARM = [*rounds_of(1, 14), *rounds_of(12, 3)]


def test_copies_and_skeletons_together_are_an_alarm() -> None:
    """With the figures that it rests on."""
    raised = alarm(ALARM)
    assert raised is not None
    assert raised.copies_before == pytest.approx(1 / 15)
    assert raised.copies_now == pytest.approx(12 / 15)
    assert (raised.skeletons_before, raised.skeletons_now) == pytest.approx((14, 3))
    assert "7% copies became 80%, and 14 ways to answer 3" in str(raised)


@pytest.mark.parametrize(
    "rounds",
    [
        ALARM[1:],  # five rounds are too few to compare
        [*rounds_of(1, 14), *rounds_of(12, 14)],  # many copies, and as many ways to answer
        [*rounds_of(1, 14), *rounds_of(1, 3)],  # fewer ways to answer, of as many prompts
        [*rounds_of(12, 3), *rounds_of(1, 14)],  # it grows richer
        [*rounds_of(12, 3), *rounds_of(12, 3)],  # it is poor, and stays so
        [*rounds_of(1, 14), *rounds_of(3, 9)],  # what chance does, too
        [*rounds_of(0, 14, prompts=0), *rounds_of(12, 3)],  # prompts from a file
        [*rounds_of(1, 14), *rounds_of(0, 0, prompts=0)],
        [RoundFigures()] * 6,
    ],
)
def test_one_of_them_alone_is_none(rounds: list[RoundFigures]) -> None:
    """And neither is a change that chance explains, or that there is nothing to compare with."""
    assert alarm(rounds) is None


def test_a_shorter_round_is_no_collapse() -> None:
    """Of five prompts there are fewer ways to answer than of fifteen; what counts is how many per prompt."""
    assert alarm([*rounds_of(1, 12), *rounds_of(2, 4, prompts=5)]) is None


@given(st.lists(st.integers(0, 1_000), max_size=30))
def test_the_effective_number_lies_between_one_and_the_number_of_kinds(counts: list[int]) -> None:
    """The Hill number of order 1; the order of the kinds and empty ones make no difference."""
    kinds = sum(count > 0 for count in counts)
    found = effective_number(counts)
    assert found == pytest.approx(effective_number([0, *sorted(counts)]))
    if kinds:
        assert 1 - 1e-9 <= found <= kinds + 1e-9
    else:
        assert found == 0


@pytest.mark.parametrize(
    ("counts", "expected"),
    [([7], 1.0), ([3, 3, 3], 3.0), ([1, 3], math.exp(0.562335)), ([2, 1, 1], math.exp(1.039721))],
)
def test_the_effective_number_at_known_points(counts: list[int], expected: float) -> None:
    """Equally frequent kinds count as many as they are, others less."""
    assert effective_number(counts) == pytest.approx(expected, rel=1e-5)


def test_an_alarm_reads_well() -> None:
    """A person learns what became of what, and what to do."""
    assert str(Alarm(0.1, 0.5, 20.2, 9.9)) == (
        "The prompts grow alike: 10% copies became 50%, and 20 ways to answer 10, over three rounds. "
        "Look at the writer's examples, or raise the temperature of the category."
    )
