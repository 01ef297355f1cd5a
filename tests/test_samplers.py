"""Laws of how the categories of a round are drawn: the gate, the floor, the cap, and settings' weights."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from random import Random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from selfplay_core.categories import load_texts
from selfplay_core.curriculum.samplers import CLOSED, FLOOR, SAMPLERS, draw, gate, gated, uniform, weakest
from selfplay_core.curriculum.skill import Beta, Skill
from selfplay_core.curriculum.state import Standing, State
from selfplay_core.engine.choosing import Chooser, Known
from selfplay_core.models import CATEGORY_NAMES

COUNTS = st.floats(0, 1e6)
WEIGHTS = st.dictionaries(st.sampled_from(CATEGORY_NAMES), st.floats(0, 1e6), min_size=1)


def harvested(good: float, bad: float) -> Skill:
    """A category of which so much has come."""
    return Skill(Beta(), Beta(good, bad))


def drawn(weights: Mapping[str, float], units: int, rounds: int) -> Counter[str]:
    """How many units each category has had after some rounds."""
    chance = Random(11)
    return sum((Counter(dict(draw(weights, units, chance))) for _ in range(rounds)), Counter())


@pytest.mark.parametrize(
    ("good", "bad", "expected"),
    [
        (0, 0, 1.0),  # nothing known: the mean 1/2 and 1.28 deviations of 0.29 are far above a tenth
        (0, 18, 1.0),  # 1/20 + 1.28 * 0.0475 = 0.111
        (0, 38, 0.3160),  # 1/40 + 1.28 * 0.024383 = 0.05621, half of it and more, squared
        (0, 98, 0.0514),  # 1/100 + 1.28 * 0.0099 = 0.02267
        (2, 98, 0.2573),  # 3/102 + 1.28 * 0.016647 = 0.05072
        (10, 90, 1.0),
    ],
)
def test_the_gate_at_known_points(good: float, bad: float, expected: float) -> None:
    """The square of the upper bound over a tenth; worked out by hand."""
    assert gate(harvested(good, bad)) == pytest.approx(expected, rel=1e-3)


@given(COUNTS, COUNTS)
def test_the_gate_opens_with_success_and_closes_with_failure(good: float, bad: float) -> None:
    """It is a share, never shut for good, and each success that adds to many opens it."""
    here = gate(harvested(good, bad))
    assert 0 < here <= 1
    assert gate(harvested(good, bad * 2 + 1)) <= here
    assert gate(harvested(good + bad, bad)) == 1.0


def test_a_category_that_is_never_won_closes() -> None:
    """After some fifty failures, not after ten; one success in ten keeps it open."""
    assert gate(harvested(0, 10)) == 1.0
    assert gate(harvested(0, 50)) < CLOSED
    assert gate(harvested(5, 45)) > CLOSED


@settings(deadline=None)
@given(st.lists(st.tuples(COUNTS, COUNTS, COUNTS, COUNTS), min_size=9, max_size=9))
def test_gated_weighs_by_failure_as_far_as_the_gate_is_open(counts: list[tuple[float, float, float, float]]) -> None:
    """The formula, for any counts; and it is no use to look at the others."""
    skills = {name: Skill(Beta(a, b), Beta(c, d)) for name, (a, b, c, d) in zip(CATEGORY_NAMES, counts, strict=True)}
    weights = gated(skills)
    assert list(weights) == list(skills)
    for name, (a, b, _, _) in zip(CATEGORY_NAMES, counts, strict=True):
        assert weights[name] == pytest.approx((b + 1) / (a + b + 2) * gate(skills[name]))


def test_uniform_weighs_all_alike_and_weakest_three() -> None:
    """Whatever is known, and those whose first answers fail most."""
    skills = {name: Skill(Beta(place, 9 - place)) for place, name in enumerate(CATEGORY_NAMES)}
    assert set(uniform(skills).values()) == {1.0}
    assert [name for name, weight in weakest(skills).items() if weight] == list(CATEGORY_NAMES[:3])
    assert set(SAMPLERS) == {"gated", "weakest", "uniform"}


def test_draws_are_in_proportion_to_the_weights() -> None:
    """But for the tenth that goes to all alike."""
    counts = drawn({"a": 1, "b": 2, "c": 5}, 1, 20_000)
    for name, weight in {"a": 1, "b": 2, "c": 5}.items():
        assert counts[name] / 20_000 == pytest.approx(FLOOR / 3 + (1 - FLOOR) * weight / 8, abs=0.01)


@pytest.mark.parametrize("units", [1, 3, 9])
@pytest.mark.parametrize("weights", [(0.0,), (0.0, 0.0), (1e-12,)])
def test_no_category_starves(units: int, weights: tuple[float, ...]) -> None:
    """Each gets half of its part of the floor at least, even with a weight of nothing."""
    rounds = 6_000 // units
    found = {**dict.fromkeys(CATEGORY_NAMES, 1.0), **dict(zip(CATEGORY_NAMES, weights, strict=False))}
    counts = drawn(found, units, rounds)
    assert min(counts[name] for name in CATEGORY_NAMES) >= 0.5 * FLOOR * rounds * units / len(CATEGORY_NAMES)


@given(WEIGHTS, st.integers(1, 9), st.integers())
def test_every_unit_is_drawn(weights: dict[str, float], units: int, seed: int) -> None:
    """From the categories that there are, each named once, and the same seed draws the same."""
    found = draw(weights, units, Random(seed))
    assert sum(count for _, count in found) == units
    assert len({name for name, _ in found}) == len(found)
    assert {name for name, _ in found} <= set(weights)
    assert found == draw(weights, units, Random(seed))


@given(st.integers(2, 9), st.integers(3, 9), st.integers())
def test_no_category_gets_more_than_half_of_a_round(units: int, categories: int, seed: int) -> None:
    """Even one that has all the weight."""
    weights = {name: float(place == 0) for place, name in enumerate(CATEGORY_NAMES[:categories])}
    assert max(count for _, count in draw(weights, units, Random(seed))) <= units / 2


@pytest.mark.parametrize(("categories", "units", "most"), [(1, 1, 1), (1, 9, 9), (2, 3, 2), (2, 9, 5), (9, 1, 1)])
def test_the_cap_gives_way_where_it_cannot_be_kept(categories: int, units: int, most: int) -> None:
    """With fewer categories than it takes, and in a round of one unit."""
    weights = {name: float(place == 0) for place, name in enumerate(CATEGORY_NAMES[:categories])}
    found = [dict(draw(weights, units, Random(seed))) for seed in range(50)]
    assert max(max(one.values()) for one in found) == most
    assert all(sum(one.values()) == units for one in found)


def test_different_seeds_draw_differently() -> None:
    """And every category is drawn by some."""
    weights = dict.fromkeys(CATEGORY_NAMES, 1.0)
    found = {draw(weights, 3, Random(seed)) for seed in range(60)}
    assert len(found) > 40
    assert {name for one in found for name, _ in one} == set(CATEGORY_NAMES)


def shares(sampler: str, weights: Mapping[str, float], state: State | None = None) -> dict[str, float]:
    """The part of all units that the chooser of a run gives to each category."""
    known = Known(state or State())
    chooser = Chooser(known, load_texts().cells, sampler, weights)  # type: ignore[arg-type]
    counts: Counter[str] = Counter()
    for number in range(10_000):
        counts.update(dict(chooser.draw(6, number, CATEGORY_NAMES, 1)))
    return {name: counts[name] / counts.total() for name in CATEGORY_NAMES}


def test_weights_of_the_settings_multiply() -> None:
    """Those of the sampler: a category of weight three is drawn three times as often as it would be."""
    found = shares("uniform", {"worldedit": 3.0, "multiplayer": 0.0})
    floor, rest = FLOOR / 9, 1 - FLOOR
    assert found["worldedit"] == pytest.approx(floor + rest * 3 / 10, abs=0.015)
    assert found["multiplayer"] == pytest.approx(floor, abs=0.01)
    assert found["edge_items"] == pytest.approx(floor + rest / 10, abs=0.015)


def test_weights_open_no_gate_and_skill_still_counts() -> None:
    """What the sampler gives a weight of nearly nothing stays so, whatever the settings say."""
    state = State(categories={"worldedit": Standing(harvested(0, 400)), "edge_items": Standing(Skill(Beta(99, 0)))})
    found = shares("gated", {"worldedit": 3.0}, state)
    assert found["worldedit"] < 0.05
    assert found["edge_items"] < 0.05
    assert found["multiplayer"] > 0.1


def test_a_draw_depends_on_the_seed_and_the_round_alone() -> None:
    """Not on what was drawn before it, or a resumed run would go another way."""
    choosers = [Chooser(Known(), load_texts().cells, "gated", {}) for _ in range(2)]
    for number in range(5):
        choosers[0].draw(1, number, CATEGORY_NAMES, 3)
    one, other = (chooser.draw(1, 7, CATEGORY_NAMES, 3) for chooser in choosers)
    assert one == other
    assert len({choosers[0].draw(seed, 7, CATEGORY_NAMES, 3) for seed in range(20)}) > 10
