"""One line out of parts that give way to each other: what matters most stays longest."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from tui.drawing.lines import BLANK, Line, Span, cropped, width_of

__all__ = ["Part", "fitted", "part"]

_GAPS: Final = (3, 2, 1)
"""How far apart parts stand, the widest first."""


@dataclass(frozen=True, slots=True)
class Part:
    """A part of a line in all its forms, the longest first; an empty one stands for nothing.

    The larger its `weight`, the sooner it gives way; `at_end` moves it to the right end.
    """

    weight: int
    forms: tuple[Line, ...]
    at_end: bool = False


def part(weight: int, *forms: Line | str, role: str = "text", at_end: bool = False) -> Part:
    """Return a part; a form that is a text of ours gets the role."""
    lines = (form if isinstance(form, tuple) else (Span(form, role),) if form else BLANK for form in forms)
    return Part(weight, tuple(lines), at_end)


def fitted(parts: Sequence[Part], width: int, mark: str = "\u2026", *, gaps: Sequence[int] = _GAPS) -> Line:
    """Return the parts in their order within `width` cells, as long and as far apart as there is room for."""
    chosen = [0] * len(parts)
    by_weight = sorted(range(len(parts)), key=lambda index: parts[index].weight)
    for index in reversed(by_weight):
        while not _fits(parts, chosen, width, gaps[-1]) and chosen[index] + 1 < len(parts[index].forms):
            chosen[index] += 1
    # What a long part left may be room enough for a shorter one that gave way before it.
    for index in by_weight:
        shortest = chosen[index]
        for chosen[index] in range(shortest + 1):
            if _fits(parts, chosen, width, gaps[-1]):
                break
    lines = [_laid_out(parts, chosen, width, gap) for gap in gaps]
    return next((line for line in lines if width_of(line) <= width), None) or cropped(lines[-1], width, mark)


def _fits(parts: Sequence[Part], chosen: Sequence[int], width: int, gap: int) -> bool:
    return width_of(_laid_out(parts, chosen, width, gap)) <= width


def _laid_out(parts: Sequence[Part], chosen: Sequence[int], width: int, gap: int) -> Line:
    forms = [(item.at_end, item.forms[form]) for item, form in zip(parts, chosen, strict=True)]
    left = _row([line for at_end, line in forms if line and not at_end], gap)
    right = _row([line for at_end, line in forms if line and at_end], gap)
    if not right:
        return left
    rest = max(width - width_of(left) - width_of(right), gap)
    return (*left, Span(" " * rest), *right)


def _row(lines: Sequence[Line], gap: int) -> Line:
    row: list[Span] = []
    for line in lines:
        if row:
            row.append(Span(" " * gap))
        row.extend(line)
    return tuple(row)
