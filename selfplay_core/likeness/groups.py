"""Texts in groups, so that whatever is nearly a copy of something else is in its group: a similarity self-join."""

from __future__ import annotations

import math
from bisect import bisect_left
from collections import Counter
from collections.abc import Callable, Iterator, Sequence

from rapidfuzz.distance import Indel

from selfplay_core.likeness.normal import words
from selfplay_core.likeness.pool import NEAR, code_point

__all__ = ["grouped"]

_Token = tuple[int, int]
"""A word by how rare it is, and which occurrence of it in its text: so that a text is a set."""


def grouped(texts: Sequence[str], *, threshold: float = NEAR) -> list[int]:
    """Return for each text the place of the first one of its group; chains of near-copies are one group.

    Nothing is missed: two texts of m ≤ n words that reach the threshold t share t·m words at least, and t·n/(2-t), so
    they share one of so many rarest words of each as that leaves (the prefix filter of AllPairs, Bayardo et al. 2007).
    """
    coded, tokens = _coded(texts)
    groups = _Groups(len(texts))
    index: dict[_Token, list[int]] = {}
    for place in sorted(range(len(texts)), key=lambda place: (len(coded[place]), place)):
        size = len(tokens[place])
        if not size:
            continue
        share = threshold / (2 - threshold)
        prefix = tokens[place][: _beyond(size, share)]
        for other in _candidates(prefix, index, lambda other: len(coded[other]), share * size - 1e-9):
            if groups.first(other) == groups.first(place):
                continue
            if Indel.normalized_similarity(coded[other], coded[place], score_cutoff=threshold) >= threshold:
                groups.join(other, place)
        for token in tokens[place][: _beyond(size, threshold)]:
            index.setdefault(token, []).append(place)
    return [groups.first(place) for place in range(len(texts))]


class _Groups:
    """Disjoint sets of places; the smallest place of a set names it."""

    def __init__(self, count: int) -> None:
        self._above = list(range(count))

    def first(self, place: int) -> int:
        above = self._above
        while above[place] != place:
            above[place] = above[above[place]]
            place = above[place]
        return place

    def join(self, one: int, other: int) -> None:
        low, high = sorted((self.first(one), self.first(other)))
        self._above[high] = low


def _beyond(size: int, share: float) -> int:
    """Return how many of the rarest words must be looked at, so that one that is shared is among them."""
    return size - math.ceil(share * size - 1e-9) + 1


def _candidates(
    prefix: Sequence[_Token], index: dict[_Token, list[int]], length: Callable[[int], int], shortest: float
) -> set[int]:
    """Return the places that share a word of the prefix, but for those that are too short; they come by length."""
    found: set[int] = set()
    for token in prefix:
        places = index.get(token)
        if places:
            found.update(places[bisect_left(places, shortest, key=length) :])
    return found


def _coded(texts: Sequence[str]) -> tuple[list[str], list[list[_Token]]]:
    """Return each text with a character for each word, and its tokens, the rarest word of all being 0."""
    said = [words(text) for text in texts]
    counts = Counter(word for text in said for word in text)
    ranks = {word: rank for rank, (word, _) in enumerate(sorted(counts.items(), key=lambda item: (item[1], item[0])))}
    ranked = [[ranks[word] for word in text] for text in said]
    return ["".join(map(code_point, text)) for text in ranked], [sorted(_tokens(text)) for text in ranked]


def _tokens(text: Sequence[int]) -> Iterator[_Token]:
    seen: Counter[int] = Counter()
    for rank in text:
        yield rank, seen[rank]
        seen[rank] += 1
