"""Blocks of lines below and beside each other."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from tui.drawing.lines import BLANK, Line, Span, cropped, width_of

__all__ = ["Block", "balanced", "beside", "even", "stacked"]

Block = Sequence[Line]


def stacked(blocks: Iterable[Block]) -> list[Line]:
    """Return blocks one below the other with a blank line between; empty ones leave no gap."""
    lines: list[Line] = []
    for block in blocks:
        if lines and block:
            lines.append(BLANK)
        lines.extend(block)
    return lines


def beside(blocks: Sequence[Block], widths: Sequence[int], gap: int = 3) -> list[Line]:
    """Return blocks side by side, each cropped to its width in cells."""
    height = max((len(block) for block in blocks), default=0)
    return [_row([_at(block, index) for block in blocks], widths, gap) for index in range(height)]


def even(width: int, count: int, gap: int = 3) -> list[int]:
    """Return the widths of so many columns of about the same size; what is left over widens the first ones."""
    room, over = divmod(max(width - gap * (count - 1), count), count)
    return [room + (index < over) for index in range(count)]


def balanced(blocks: Sequence[Block], count: int) -> list[list[Block]]:
    """Deal blocks into columns in reading order, so that the highest column is as low as it can be."""
    best: list[list[Block]] = [list(blocks)]
    for height in sorted({_height(blocks[i:j]) for i in range(len(blocks)) for j in range(i + 1, len(blocks) + 1)}):
        dealt = _dealt(blocks, height)
        if len(dealt) <= count and all(_height(column) <= height for column in dealt):
            best = dealt
            break
    return best


def _dealt(blocks: Sequence[Block], height: int) -> list[list[Block]]:
    dealt: list[list[Block]] = [[]]
    for block in blocks:
        if dealt[-1] and _height([*dealt[-1], block]) > height:
            dealt.append([])
        dealt[-1].append(block)
    return dealt


def _height(blocks: Sequence[Block]) -> int:
    return sum(len(block) for block in blocks) + max(len(blocks) - 1, 0)


def _at(block: Block, index: int) -> Line:
    return block[index] if index < len(block) else BLANK


def _row(parts: Sequence[Line], widths: Sequence[int], gap: int) -> Line:
    spans: list[Span] = []
    owed = 0
    for part, width in zip(parts, widths, strict=True):
        shown = cropped(part, width)
        if shown and owed:
            spans.append(Span(" " * owed))
            owed = 0
        spans.extend(shown)
        owed += width - width_of(shown) + gap
    return tuple(spans)
