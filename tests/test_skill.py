"""Laws of what is known of a category: the posterior, its bound, and forgetting."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from selfplay_core.curriculum.skill import FORGET_MODEL, Beta, Skill, after_a_change, after_a_round

COUNTS = st.floats(0, 1e6)


@pytest.mark.parametrize(
    ("good", "bad", "mean", "deviation"),
    [(0, 0, 1 / 2, 0.288675), (3, 1, 4 / 6, 0.178174), (0, 18, 1 / 20, 0.0475595), (9, 9, 1 / 2, 0.109109)],
)
def test_the_posterior_at_known_points(good: float, bad: float, mean: float, deviation: float) -> None:
    """Mean and standard deviation of Beta(1 + good, 1 + bad), from a table."""
    assert Beta(good, bad).mean == pytest.approx(mean)
    assert Beta(good, bad).deviation == pytest.approx(deviation, abs=1e-6)


@given(COUNTS, COUNTS, st.booleans())
def test_each_answer_moves_the_mean_its_way(good: float, bad: float, right: bool) -> None:
    """And nothing else is counted."""
    before, after = Beta(good, bad), Beta(good, bad).seen(good=right)
    assert (after.good - before.good, after.bad - before.bad) == pytest.approx(
        (float(right), float(not right)), abs=1e-6
    )
    assert (after.mean > before.mean) == right or after.mean == pytest.approx(before.mean, abs=1e-9)


@given(COUNTS, COUNTS, st.floats(0, 3))
def test_the_bound_is_above_the_mean_and_a_rate(good: float, bad: float, z: float) -> None:
    """More evidence at the same rate brings it down."""
    beta = Beta(good, bad)
    assert beta.mean <= beta.upper(z) <= 1
    assert Beta(good * 2 + 1, bad * 2 + 1).upper(z) <= beta.upper(z) + 1e-9


@given(COUNTS, COUNTS, st.floats(0, 1))
def test_forgetting_moves_the_mean_towards_one_half(good: float, bad: float, share: float) -> None:
    """And no further; where all is forgotten nothing is known."""
    beta = Beta(good, bad)
    kept = beta.kept(share)
    assert abs(kept.mean - 0.5) <= abs(beta.mean - 0.5) + 1e-9
    assert (kept.mean - 0.5) * (beta.mean - 0.5) >= -1e-9
    assert beta.kept(0) == Beta()


def test_a_round_forgets_first_answers_faster_than_the_harvest() -> None:
    """That something cannot be won is not to be found out again and again; half of a skill is gone in 35 rounds."""
    skills = {"a": Skill(Beta(100, 100), Beta(0, 100))}
    for _ in range(35):
        skills = after_a_round(skills)
    assert skills["a"].first.good == pytest.approx(100 * 0.98**35)
    assert 45 < skills["a"].first.good < 55
    assert skills["a"].harvest.bad > 80


def test_another_model_is_known_by_hearsay() -> None:
    """Three tenths of all counts are kept, in every category."""
    skills = {name: Skill(Beta(10, 20), Beta(30, 40)) for name in "ab"}
    kept = Skill(Beta(3, 6), Beta(9, 12))
    found = after_a_change(skills)
    assert pytest.approx(0.3) == FORGET_MODEL
    for name in "ab":
        assert (found[name].first.good, found[name].first.bad) == pytest.approx((kept.first.good, kept.first.bad))
        assert (found[name].harvest.good, found[name].harvest.bad) == pytest.approx((9, 12))
