"""What differs between two commands, and between two answers; the cost is bounded for any length."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from difflib import SequenceMatcher
from typing import Final

__all__ = ["Change", "Piece", "aligned", "changed_pieces"]

_TOKENS: Final = re.compile(r"\w+|\s+|[^\w\s]")
_MOST_PAIRS: Final = 40_000
_LIKE: Final = 0.3

Piece = tuple[str, bool]
"""A part of a command, and whether the other command lacks it."""


@dataclass(frozen=True, slots=True)
class Change:
    """Which command of one answer became which of the next, by their places; None where there is none."""

    old: int | None
    new: int | None
    is_same: bool = False


def changed_pieces(old: str, new: str) -> tuple[list[Piece], list[Piece]]:
    """Return both commands in pieces, those that the other one lacks marked.

    Beyond a length everything between the first and the last difference is marked; commands that have next to
    nothing in common are marked whole.
    """
    before, after = _TOKENS.findall(old), _TOKENS.findall(new)
    head = _alike(before, after)
    tail = _alike(before[head:][::-1], after[head:][::-1])
    middle_old, middle_new = before[head : len(before) - tail], after[head : len(after) - tail]
    blocks = _common(middle_old, middle_new)
    same = sum(map(len, before[:head])) + sum(map(len, before[len(before) - tail :]))
    same += sum(len("".join(middle_old[block_old : block_old + size])) for block_old, _, size in blocks)
    if same < _LIKE * max(len(old), len(new)):
        return [(old, True)], [(new, True)]
    ends = [(0, 0, head), *((head + i, head + j, n) for i, j, n in blocks)]
    ends.append((len(before) - tail, len(after) - tail, tail))
    return _marked(before, [(i, n) for i, _, n in ends]), _marked(after, [(j, n) for _, j, n in ends])


def aligned(old: Sequence[str], new: Sequence[str]) -> list[Change]:
    """Pair the commands of two answers in the order in which a person reads them."""
    if len(old) * len(new) > _MOST_PAIRS:
        return list(_paired(range(len(old)), range(len(new)), old, new))
    found: list[Change] = []
    for kind, i1, i2, j1, j2 in SequenceMatcher(None, old, new, autojunk=False).get_opcodes():
        if kind == "equal":
            found.extend(Change(i, j, True) for i, j in zip(range(i1, i2), range(j1, j2), strict=True))
        else:
            found.extend(_paired(range(i1, i2), range(j1, j2), old, new))
    return found


def _paired(left: range, right: range, old: Sequence[str], new: Sequence[str]) -> Iterator[Change]:
    shared = min(len(left), len(right))
    for i, j in zip(left[:shared], right[:shared], strict=True):
        yield Change(i, j, old[i] == new[j])
    yield from (Change(i, None) for i in left[shared:])
    yield from (Change(None, j) for j in right[shared:])


def _alike(left: Sequence[str], right: Sequence[str]) -> int:
    """Return how many tokens the two begin with in common."""
    count = 0
    for one, other in zip(left, right, strict=False):
        if one != other:
            break
        count += 1
    return count


def _common(old: Sequence[str], new: Sequence[str]) -> list[tuple[int, int, int]]:
    if not old or not new or len(old) * len(new) > _MOST_PAIRS:
        return []
    matcher = SequenceMatcher(None, old, new, autojunk=False)
    return [(block.a, block.b, block.size) for block in matcher.get_matching_blocks() if block.size]


def _marked(tokens: Sequence[str], same: Sequence[tuple[int, int]]) -> list[Piece]:
    """Return the tokens joined into pieces; `same` are beginnings and lengths of what both have."""
    pieces: list[Piece] = []
    place = 0
    for start, size in same:
        pieces.append(("".join(tokens[place:start]), True))
        pieces.append(("".join(tokens[start : start + size]), False))
        place = start + size
    return [piece for piece in pieces if piece[0]]
