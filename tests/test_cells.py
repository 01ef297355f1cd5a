"""Laws of what prompts are asked to be: all cells in turn, balanced on the way, and steered to thin spots."""

from __future__ import annotations

from collections import Counter
from random import Random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from selfplay_core.categories import load_texts
from selfplay_core.curriculum.cells import Cell, Cells, Ground, Wish, choose, rotating
from selfplay_core.curriculum.coverage import Coverage, Seen, places
from selfplay_core.models import CATEGORY_NAMES

SMALL = Cells(("plain", "terse"), ("easy", "hard", "edge"), {"c": Ground((), ("one", "two", "three", "four"))})
ALL_OF_SMALL = 4 * 2 * 3
OURS = load_texts().cells


def asked_for(cells: Cells, category: str, prompts: int, *, a_round: int = 5, seed: int = 3) -> list[list[Wish]]:
    """The wishes of each round until so many prompts were asked for."""
    counts: Counter[str] = Counter()
    rounds = []
    chance = Random(seed)
    while (missing := prompts - counts.total()) > 0:
        wishes = choose(cells, category, counts, Coverage(), min(a_round, missing), chance)
        counts.update(wish.cell.key for wish in wishes)
        rounds.append(wishes)
    return rounds


def keys(rounds: list[list[Wish]]) -> list[str]:
    """The cells of some rounds, one after the other."""
    return [wish.cell.key for wishes in rounds for wish in wishes]


@settings(deadline=None, max_examples=60)
@given(st.integers(1, 4 * ALL_OF_SMALL), st.integers(1, 9), st.integers())
def test_the_least_covered_come_first(prompts: int, a_round: int, seed: int) -> None:
    """After n times as many prompts as there are cells each was asked for n times, on the way n or n + 1 times."""
    counts = Counter(keys(asked_for(SMALL, "c", prompts, a_round=a_round, seed=seed)))
    whole, rest = divmod(prompts, ALL_OF_SMALL)
    assert set(counts.values()) <= {whole, whole + 1}
    assert len(counts) == ALL_OF_SMALL or whole == 0
    assert sum(count == whole + 1 for count in counts.values()) == rest


@pytest.mark.parametrize("category", CATEGORY_NAMES)
def test_our_cells_are_all_asked_for_in_turn(category: str) -> None:
    """In every category, in as few prompts as there are cells."""
    number = len(OURS.grounds[category].constructs) * len(OURS.styles) * len(OURS.difficulties)
    assert set(Counter(keys(asked_for(OURS, category, number))).values()) == {1}
    assert len(set(keys(asked_for(OURS, category, number)))) == number


@pytest.mark.parametrize("seed", range(6))
def test_constructs_styles_and_difficulties_stay_balanced_on_the_way(seed: int) -> None:
    """No construct is ever two ahead of another, and no style or difficulty far ahead."""
    ground = OURS.grounds["execute_chains"]
    seen: dict[str, Counter[int]] = {"construct": Counter(), "style": Counter(), "difficulty": Counter()}
    sizes = {"construct": len(ground.constructs), "style": len(OURS.styles), "difficulty": len(OURS.difficulties)}
    for wish in (wish for wishes in asked_for(OURS, "execute_chains", 144, seed=seed) for wish in wishes):
        for name, counts in seen.items():
            counts[getattr(wish.cell, name)] += 1
            spread = max(counts.values()) - min(counts[place] for place in range(sizes[name]))
            assert spread <= (1 if name == "construct" else 4)


def test_the_same_chance_asks_the_same() -> None:
    """And another one asks otherwise."""
    rounds = [keys(asked_for(OURS, "edge_items", 30, seed=seed)) for seed in (1, 1, 2)]
    assert rounds[0] == rounds[1] != rounds[2]


def test_what_was_asked_before_counts() -> None:
    """The one cell that is behind is the next."""
    behind = Cell(2, 1, 0)
    counts = dict.fromkeys(set(keys(asked_for(SMALL, "c", ALL_OF_SMALL))), 3) | {behind.key: 2}
    (wish,) = choose(SMALL, "c", counts, Coverage(), 1, Random(0))
    assert wish.cell == behind
    assert (wish.construct, wish.style, wish.difficulty) == ("three", "terse", "easy")


def everything_but(*places_left: str) -> Coverage:
    """A map on which all but some places were asked for."""
    kinds = ("command", "sub-command", "component", "selector")
    seen = {f"{kind} {place}": Seen(5, 3, 1) for kind in kinds for place in places(kind)}
    for place in places_left:
        del seen[place]
    return Coverage(seen)


@pytest.mark.parametrize(
    ("category", "place", "told"),
    [
        ("multiplayer", "sub-command bossbar set color", "/bossbar set color"),
        ("execute_chains", "sub-command execute store success storage", "/execute store success storage"),
        ("execute_chains", "selector advancements", "the selector option advancements="),
        ("edge_items", "component instrument", "the item component instrument"),
        ("boundary_testing", "command kill", "/kill"),
    ],
)
def test_a_thin_spot_is_steered_to_at_once(category: str, place: str, told: str) -> None:
    """One that no command has had is asked for in the very next round, and in every one until it was asked."""
    for seed in range(5):
        wishes = choose(OURS, category, {}, everything_but(place), 5, Random(seed))
        assert wishes[0].form == told
        assert str(wishes[0]).endswith(f"; its answer needs {told}")


@pytest.mark.parametrize("category", [name for name in CATEGORY_NAMES if OURS.grounds[name].roots])
def test_every_place_of_a_category_is_steered_to_in_the_end(category: str) -> None:
    """If the model does what it is asked, in as many rounds as it takes to name each place once."""
    seen: dict[str, Seen] = {}
    told: list[str] = []
    ground = OURS.grounds[category]
    there = [place for place in places("sub-command") if place.split()[0] in ground.roots]
    extra = (len(places("component")) if ground.components else 0) + (
        len(places("selector")) if ground.selectors else 0
    )
    bare = [root for root in ground.roots if not any(place.split()[0] == root for place in there)]
    number = len(there) + len(bare) + extra
    for seed in range(-(-number // 3)):
        for wish in choose(OURS, category, {}, Coverage(seen), 5, Random(seed)):
            if wish.form:
                told.append(wish.form)
                seen[place_of(wish.form)] = Seen(1)
    assert len(set(told)) == number
    assert {f"/{place}" for place in [*there, *bare]} <= set(told)


def place_of(form: str) -> str:
    """The place on the map that a wish names."""
    if form.startswith("/"):
        return f"{'sub-command' if ' ' in form else 'command'} {form[1:]}"
    *_, kind, name = form.removesuffix("=").split(" ")
    return f"{'selector' if kind == 'option' else kind} {name}"


def test_every_second_prompt_is_free() -> None:
    """The first, the third and the fifth are steered, each to another place; where there is no ground none is."""
    wishes = choose(OURS, "execute_chains", {}, Coverage(), 5, Random(1))
    assert [bool(wish.form) for wish in wishes] == [True, False, True, False, True]
    assert len({wish.form for wish in wishes if wish.form}) == 3
    assert not any(wish.form for wish in choose(OURS, "worldedit", {}, Coverage(), 5, Random(1)))


def test_every_root_exists() -> None:
    """What a category is steered to are commands of the game; WorldEdit's are not in its grammar."""
    for name, ground in OURS.grounds.items():
        assert set(ground.roots) <= set(places("command")), name
        assert bool(ground.roots) == (name != "worldedit")


def test_all_texts_of_the_cells_differ() -> None:
    """Or two cells would ask for the same."""
    assert len(set(OURS.styles)) == len(OURS.styles)
    assert len(set(OURS.difficulties)) == len(OURS.difficulties)
    for ground in OURS.grounds.values():
        assert len(set(ground.constructs)) == len(ground.constructs)


def test_a_request_reads_well() -> None:
    """What a category's prompts of a round are asked to be, as the model reads it."""
    wishes = choose(
        OURS, "edge_items", {}, everything_but("component instrument", "sub-command loot give fish"), 3, Random(4)
    )
    assert [str(wish) for wish in wishes] == REQUEST


REQUEST = [
    "a firework, a banner or a written book; "
    "exact, with numbers, names or coordinates; "
    "at the edge of what the game can do, or easy to get subtly wrong; "
    "its answer needs the item component instrument",
    "an item whose name players get wrong; "
    "chatty, with a reason or a small story around the wish; "
    "it takes two or three commands, or a condition",
    "a potion or a tipped arrow; "
    "terse, a few words, no punctuation; "
    "one command does it; "
    "its answer needs /loot give fish",
]


@given(st.lists(st.text(), unique=True), st.integers(0, 9), st.integers())
def test_examples_rotate(examples: list[str], count: int, seed: int) -> None:
    """A few of them, each once, and all if there are no more."""
    found = rotating(examples, count, Random(seed))
    assert len(found) == len(set(found)) == min(count, len(examples))
    assert set(found) <= set(examples)
