"""Laws of grouping: whatever is near stands together, by whatever chain, and nothing else does."""

from __future__ import annotations

from hypothesis import given, settings
from hypothesis import strategies as st
from rapidfuzz.distance import Indel

from selfplay_core.likeness.groups import grouped
from selfplay_core.likeness.normal import words

TEXTS = st.lists(
    st.lists(st.sampled_from(["a", "b", "c", "d", "e", "f", "g", "h"]), max_size=10).map(" ".join), max_size=25
)


def compared(texts: list[str]) -> list[int]:
    """Groups by comparing all with all."""
    above = list(range(len(texts)))

    def first(place: int) -> int:
        while above[place] != place:
            place = above[place]
        return place

    for later, text in enumerate(texts):
        for earlier in range(later):
            one, other = words(texts[earlier]), words(text)
            if one and other and Indel.normalized_similarity(one, other) >= 0.7:
                low, high = sorted((first(earlier), first(later)))
                above[high] = low
    return [first(place) for place in range(len(texts))]


@settings(max_examples=400, deadline=None)
@given(TEXTS)
def test_groups_are_those_of_comparing_with_all(texts: list[str]) -> None:
    """The filters lose no pair, and invent none."""
    assert grouped(texts) == compared(texts)


def test_a_bridge_joins_what_is_far_apart() -> None:
    """Near-copies of one text are one group, even if they are not near each other."""
    left = "one two three four five six seven"
    bridge = "one two three four five nine ten"
    right = "one two zero four zero nine ten"
    assert grouped([left, right]) == [0, 1]
    assert grouped([left, right, bridge]) == [0, 0, 0]


def test_texts_without_words_stand_alone() -> None:
    """They are like nothing."""
    assert grouped(["", "!", "a"]) == [0, 1, 2]
