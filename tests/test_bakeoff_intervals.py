"""The arithmetic of a comparison, against what is published, against enumeration and against simulation."""

from __future__ import annotations

import math
import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from selfplay_core.bakeoff.intervals import (
    LEVEL,
    PairCounts,
    Rule,
    difference,
    error_chance,
    more_cases,
    wilson,
)


@pytest.mark.parametrize(
    ("right", "cases", "low", "high"),
    [
        # Newcombe 1998, "Two-sided confidence intervals for the single proportion", table I, method 3.
        (81, 263, 0.2553, 0.3662),
        (15, 148, 0.0624, 0.1605),
        (0, 20, 0.0, 0.1611),
        (1, 29, 0.0061, 0.1718),
    ],
)
def test_wilsons_interval_is_the_published_one(right: int, cases: int, low: float, high: float) -> None:
    found = wilson(right, cases)
    assert (round(found.low, 4), round(found.high, 4)) == (low, high)


@pytest.mark.parametrize(
    ("both", "first_only", "second_only", "neither", "low", "high"),
    [
        # Newcombe 1998, "Improved confidence intervals … paired data", table II, method 10.
        (36, 12, 2, 0, 0.0569, 0.3404),
        (20, 12, 2, 16, 0.0562, 0.3290),
        (18, 12, 2, 18, 0.0562, 0.3290),
    ],
)
def test_the_interval_of_a_difference_is_the_published_one(
    both: int, first_only: int, second_only: int, neither: int, low: float, high: float
) -> None:
    found = difference(PairCounts(both, first_only, second_only, neither))
    assert found.low == pytest.approx(low, abs=0.002)
    assert found.high == pytest.approx(high, abs=0.002)


@pytest.mark.parametrize("share", [0.03, 0.1, 0.35, 0.5, 0.8, 0.95])
@pytest.mark.parametrize("cases", [20, 147, 1542])
def test_wilsons_interval_covers(share: float, cases: int) -> None:
    """By enumeration: the chance that the interval holds the truth is about what it says."""
    covered = sum(
        math.exp(
            math.lgamma(cases + 1)
            - math.lgamma(right + 1)
            - math.lgamma(cases - right + 1)
            + right * math.log(share)
            + (cases - right) * math.log(1 - share)
        )
        for right in range(cases + 1)
        if wilson(right, cases).low <= share <= wilson(right, cases).high
    )
    print(f"Wilson, {cases} cases, share {share}: covers {covered:.3f}")
    assert 0.91 < covered < 0.985


@pytest.mark.parametrize(
    ("both", "first_only", "second_only"), [(0.6, 0.1, 0.1), (0.5, 0.2, 0.1), (0.85, 0.06, 0.03), (0.1, 0.15, 0.05)]
)
def test_the_interval_of_a_difference_covers(both: float, first_only: float, second_only: float) -> None:
    """By simulation of 147 cases, as the original's author took."""
    chance, held, runs = random.Random(7), 0, 1500
    truth = first_only - second_only
    for _ in range(runs):
        found = [0, 0, 0, 0]
        for _ in range(147):
            drawn = chance.random()
            edges = (both, both + first_only, both + first_only + second_only)
            found[sum(drawn >= edge for edge in edges)] += 1
        interval = difference(PairCounts(*found))
        held += interval.low <= truth <= interval.high
    print(f"Newcombe, 147 cases, {first_only} against {second_only} alone: covers {held / runs:.3f}")
    assert 0.93 < held / runs < 0.975


def test_the_exact_test_keeps_its_level() -> None:
    """By enumeration: for no number of discordant cases are equal models called different too often."""
    for tosses in range(120):
        ways = [math.comb(tosses, heads) for heads in range(tosses + 1)]
        called = sum(
            count for heads, count in enumerate(ways) if error_chance(heads, tosses - heads, Rule.EXACT) < LEVEL
        )
        assert called / 2**tosses <= LEVEL


def test_the_exact_test_is_the_binomial_one() -> None:
    assert error_chance(0, 5, Rule.EXACT) == pytest.approx(2 / 32)
    assert error_chance(9, 1, Rule.EXACT) == pytest.approx(2 * 11 / 1024)
    assert error_chance(4, 4, Rule.EXACT) == 1.0
    assert error_chance(0, 0, Rule.EXACT) == 1.0


def test_whoever_looks_after_every_case_is_not_deceived_either() -> None:
    """Equal models, looked at after each of 300 discordant cases: the share that is ever called different."""
    chance, called, runs, tosses = random.Random(3), 0, 3000, 300

    def deciding(rule: Rule) -> list[int]:
        """For each number of tosses the most heads that are too few for a fair coin."""
        return [
            max((heads for heads in range(n // 2 + 1) if error_chance(heads, n - heads, rule) < LEVEL), default=-1)
            for n in range(tosses + 1)
        ]

    anytime, exact = deciding(Rule.ANYTIME), deciding(Rule.EXACT)
    deceived = 0
    for _ in range(runs):
        heads = 0
        is_called = is_deceived = False
        for n in range(1, tosses + 1):
            heads += chance.random() < 0.5
            fewer = min(heads, n - heads)
            is_called |= fewer <= anytime[n]
            is_deceived |= fewer <= exact[n]
        called += is_called
        deceived += is_deceived
    print(f"equal models ever called different: sequential {called / runs:.4f}, exact {deceived / runs:.4f}")
    assert called / runs <= LEVEL
    # What the test is for: the exact one, looked at as often, is wrong far more often.
    assert deceived / runs > 3 * LEVEL


@given(st.integers(0, 400), st.integers(0, 400), st.sampled_from(Rule))
def test_neither_model_is_favoured(one: int, other: int, rule: Rule) -> None:
    chance = error_chance(one, other, rule)
    assert 0 <= chance <= 1
    assert chance == pytest.approx(error_chance(other, one, rule), rel=1e-9)
    turned = difference(PairCounts(5, other, one, 3))
    found = difference(PairCounts(5, one, other, 3))
    assert found.low == pytest.approx(-turned.high)
    assert found.low <= PairCounts(5, one, other, 3).difference <= found.high


@given(st.integers(0, 60), st.integers(0, 60), st.integers(0, 60), st.sampled_from(Rule))
def test_so_many_more_cases_decide_and_no_fewer(first: int, second: int, alike: int, rule: Rule) -> None:
    pair = PairCounts(alike, first, second, 0)
    more = more_cases(pair, rule)
    if first == second:
        assert more is None
        return
    if more is None or error_chance(first, second, rule) < LEVEL:
        return
    grown = (pair.cases + more) / pair.cases
    assert error_chance(round(first * grown), round(second * grown), rule) < LEVEL


def test_nothing_is_known_without_a_case() -> None:
    assert (wilson(0, 0).low, wilson(0, 0).high) == (0.0, 1.0)
    empty = PairCounts(0, 0, 0, 0)
    assert (difference(empty).low, difference(empty).high, empty.difference) == (-1.0, 1.0, 0.0)
    assert more_cases(empty, Rule.EXACT) is None
