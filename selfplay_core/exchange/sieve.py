"""Which lines of an export say what an earlier one says already."""

from __future__ import annotations

import hashlib
from collections import Counter
from enum import StrEnum
from typing import Final

from selfplay_core.dataset.cases import Case, LeftOut, Line
from selfplay_core.likeness.normal import normal_text
from selfplay_core.likeness.pool import PromptPool
from selfplay_core.likeness.skeleton import skeleton_of

__all__ = ["CROWD", "Duplicates", "Sieve"]

CROWD: Final = 10
"""How many lines of one skeleton are many: more of them were of no use (ReST-EM, arXiv 2312.06585, caps at 10)."""

_DIGEST: Final = 16


class Duplicates(StrEnum):
    """What becomes of lines that repeat an earlier one."""

    KEEP = "keep"
    EXACT = "exact"
    NEAR = "near"


class Sieve:
    """Knows the lines of one export; counts what repeats, and stops what is not wanted twice.

    Two lines are the same if they tell the same of the same prompt in the same mode, but for case, signs and blanks.
    A prompt is near another of its category from a ROUGE-L of 0.7 on. `per_skeleton` is the most lines of one command
    skeleton.
    """

    def __init__(self, duplicates: Duplicates, per_skeleton: int | None) -> None:
        self._duplicates = duplicates
        self._per_skeleton = per_skeleton
        self._seen: set[bytes] = set()
        self._skeletons: Counter[bytes] = Counter()
        self._pool = PromptPool()
        self.same = 0
        self.near = 0

    @property
    def skeletons(self) -> int:
        """How many different skeletons went through."""
        return len(self._skeletons)

    @property
    def crowded(self) -> int:
        """How many skeletons have more than ten lines."""
        return sum(count > CROWD for count in self._skeletons.values())

    def stops(self, case: Case, line: Line) -> LeftOut | None:
        """Return why a line is not wanted; one that is counts from here on."""
        told = _digest(case.trace.prompt.mode, normal_text(line.prompt), *line.said)
        if told in self._seen:
            self.same += 1
            if self._duplicates is not Duplicates.KEEP:
                return LeftOut.SAME
        if self._is_near(case, line):
            self.near += 1
            return LeftOut.NEAR
        skeleton = _digest(skeleton_of(line.commands))
        if line.commands and self._per_skeleton is not None and self._skeletons[skeleton] >= self._per_skeleton:
            return LeftOut.CROWDED
        self._seen.add(told)
        if line.commands:
            self._skeletons[skeleton] += 1
        if self._duplicates is Duplicates.NEAR:
            self._pool.add(case.trace.prompt.category, case.number, line.prompt)
        return None

    def _is_near(self, case: Case, line: Line) -> bool:
        """Whether an earlier trace asked nearly this; lines of the same trace share their prompt and do not count."""
        if self._duplicates is not Duplicates.NEAR:
            return False
        like = self._pool.closest(case.trace.prompt.category, line.prompt)
        return like is not None and like.number != case.number


def _digest(*texts: str) -> bytes:
    joined = "\0".join(texts).encode("utf-8", "surrogatepass")
    return hashlib.blake2b(joined, digest_size=_DIGEST).digest()
