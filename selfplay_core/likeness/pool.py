"""Prompts that are known, and which of them a new one is nearly a copy of."""

from __future__ import annotations

import math
from array import array
from dataclasses import dataclass
from typing import Final

from rapidfuzz import process
from rapidfuzz.distance import Indel

from selfplay_core.likeness.normal import words

__all__ = ["NEAR", "Like", "PromptPool", "code_point"]

NEAR: Final = 0.7
"""From which ratio on a prompt counts as nearly a copy: ROUGE-L < 0.7 is Self-Instruct's rule (arXiv 2212.10560)."""

_KEPT: Final = 100_000

# What no text can hold, and so no word may be given as its code point.
_SURROGATES: Final = range(0xD800, 0xE000)
_CODE_POINTS: Final = 0x110000 - len(_SURROGATES)


@dataclass(frozen=True, slots=True)
class Like:
    """The known prompt that comes closest: `ratio` is ROUGE-L's F, twice the common words over all words."""

    number: int
    ratio: float


def code_point(number: int) -> str:
    """Return the character that stands for a word; beyond all of them words share one, and look more alike."""
    number %= _CODE_POINTS
    return chr(number if number < _SURROGATES.start else number + len(_SURROGATES))


class PromptPool:
    """Known prompts by category; of each category the newest `kept` to twice as many are compared with.

    Each word becomes one code point, so that the longest common subsequence of words is one of characters, which
    rapidfuzz finds in C++. Memory is some 200 bytes a prompt.
    """

    def __init__(self, *, threshold: float = NEAR, kept: int = _KEPT) -> None:
        self._threshold = threshold
        self._kept = kept
        self._codes: dict[str, str] = {}
        self._categories: dict[str, _Category] = {}

    def add(self, category: str, number: int, prompt: str) -> None:
        """Take a prompt in under the number that names it."""
        coded = self._coded(prompt)
        if coded:
            self._categories.setdefault(category, _Category(self._threshold, self._kept)).add(number, coded)

    def closest(self, category: str, prompt: str) -> Like | None:
        """Return the known prompt of the category that is most alike, None if none reaches the threshold.

        Of equals the one that came first.
        """
        known = self._categories.get(category)
        coded = self._coded(prompt)
        return known.closest(coded) if known is not None and coded else None

    def _coded(self, prompt: str) -> str:
        codes = self._codes
        return "".join(codes.get(word) or self._code(word) for word in words(prompt))

    def _code(self, word: str) -> str:
        code = self._codes[word] = code_point(len(self._codes))
        return code


class _Category:
    """The prompts of one category, with the places of each word.

    A prompt of n words can only reach the threshold t against one of m if they share t·(m+n)/2 words, and if
    n ≥ t·m/(2-t). So of the m words asked for some may be missing, but whoever holds none of the rarest ones, one more
    than may be missing, is out: the prefix filter of set similarity joins (Chaudhuri et al. 2006).
    """

    def __init__(self, threshold: float, kept: int) -> None:
        self._threshold = threshold
        self._kept = kept
        self._numbers = array("q")
        self._texts: list[str] = []
        self._places: dict[str, array[int]] = {}

    def add(self, number: int, coded: str) -> None:
        if len(self._texts) >= 2 * self._kept:
            self._forget()
        self._enter(number, coded)

    def closest(self, coded: str) -> Like | None:
        places = sorted(self._sharing(coded))
        found = process.extractOne(
            coded,
            [self._texts[place] for place in places],
            scorer=Indel.normalized_similarity,
            processor=None,
            score_cutoff=self._threshold,
        )
        if found is None:
            return None
        _, ratio, position = found
        return Like(self._numbers[places[position]], float(ratio))

    def _sharing(self, coded: str) -> set[int]:
        """Return the places of all prompts that can reach the threshold, and of some that cannot."""
        size, threshold = len(coded), self._threshold
        least = math.ceil(threshold * size / (2 - threshold) - 1e-9)
        must_share = math.ceil(threshold * (size + least) / 2 - 1e-9)
        lists = sorted((self._places.get(code) or array("I") for code in coded), key=len)
        found: set[int] = set()
        for places in lists[: size - must_share + 1]:
            found.update(places)
        return found

    def _enter(self, number: int, coded: str) -> None:
        place = len(self._texts)
        self._numbers.append(number)
        self._texts.append(coded)
        for code in set(coded):
            self._places.setdefault(code, array("I")).append(place)

    def _forget(self) -> None:
        """Keep the newest alone."""
        kept = list(zip(self._numbers, self._texts, strict=True))[-self._kept :]
        self._numbers, self._texts, self._places = array("q"), [], {}
        for number, coded in kept:
            self._enter(number, coded)
