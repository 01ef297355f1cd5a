"""A page of clean examples: every row whole, or with a mark where something of it is missing."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from selfplay_core.models import CommandResult, Trace
from selfplay_core.text import one_line
from tui.drawing.glyphs import Glyphs
from tui.drawing.lines import BLANK, Line, Span, cropped, span, width_of, wrapped

__all__ = ["MOST_LINES", "page_lines", "row_heights"]

MOST_LINES: Final = 3
_WIDE: Final = 100
_ENOUGH_TO_WRAP: Final = 2_000


def page_lines(
    traces: Sequence[tuple[int, Trace]], struck: frozenset[int], cursor: int, glyphs: Glyphs, width: int, height: int
) -> list[Line]:
    """Return the rows of a page with their numbers; together they fit into `height` wherever one line a row does."""
    rows = [_row(place, number, trace, place in struck, glyphs, width) for place, (number, trace) in enumerate(traces)]
    heights = row_heights([len(row) for row in rows], height)
    is_airy = sum(map(min, heights, map(len, rows))) + len(rows) <= height
    lines: list[Line] = []
    for place, (row, most) in enumerate(zip(rows, heights, strict=True)):
        kept = _shortened(row, most, glyphs, width)
        if place == cursor and kept:
            kept[0] = (Span(glyphs.cursor, "key"), *_without_first_cell(kept[0]))
        lines.extend([*kept, BLANK] if is_airy else kept)
    return lines


def row_heights(needed: Sequence[int], height: int) -> list[int]:
    """Share the lines of a screen: each row one, then one more to whoever needs it, at most `MOST_LINES`."""
    given = [1] * len(needed)
    left = height - len(needed)
    for most in range(2, MOST_LINES + 1):
        for place, wanted in enumerate(needed):
            if left > 0 and wanted >= most:
                given[place] = most
                left -= 1
    return given


def _row(place: int, number: int, trace: Trace, is_struck: bool, glyphs: Glyphs, width: int) -> list[Line]:
    sign = Span(f"{glyphs.reject} struck ", "bad") if is_struck else Span(f"{glyphs.pending} ", "dim")
    head = (Span(f" {place + 1} ", "key", f"strike_{place + 1}"), sign, Span(f"#{number} ", "dim"))
    prompt = [_bounded(trace.prompt.text, "dim" if is_struck else "prompt")]
    results = trace.last.results if trace.last is not None else ()
    if width < _WIDE:
        return [*wrapped(prompt, width, first=head, indent=5), *_stacked(results, glyphs, width)]
    left = width * 2 // 5
    return _side_by_side(
        wrapped(prompt, left - 2, first=head, indent=5), _stacked(results, glyphs, width - left, 0), left
    )


def _stacked(results: Sequence[CommandResult], glyphs: Glyphs, width: int, margin: int = 5) -> list[Line]:
    """Return each command with its reply behind it, broken anywhere."""
    lines: list[Line] = []
    for result in results:
        spans = [
            _bounded(result.command, "command"),
            Span(f"  {glyphs.reply} ", "dim"),
            _bounded(result.reply.strip() or "no output", "reply"),
        ]
        first = (Span(" " * margin),) if margin else BLANK
        lines.extend(wrapped(spans, width, first=first, indent=margin + 2))
    return lines or [(Span(" " * margin + "no commands", "warn"),)]


def _side_by_side(left: Sequence[Line], right: Sequence[Line], place: int) -> list[Line]:
    lines: list[Line] = []
    for index in range(max(len(left), len(right))):
        one = left[index] if index < len(left) else BLANK
        gap = Span(" " * (place - width_of(one)))
        lines.append((*one, gap, *(right[index] if index < len(right) else BLANK)))
    return lines


def _shortened(row: Sequence[Line], most: int, glyphs: Glyphs, width: int) -> list[Line]:
    kept = list(row[:most])
    if len(row) > most:
        kept[-1] = (*cropped(kept[-1], width - 2, ""), *_mark(kept[-1], glyphs, width))
    return kept


def _mark(line: Line, glyphs: Glyphs, width: int) -> Line:
    room = width - 1 - min(width_of(line), width - 2)
    return (Span(" " * max(room, 1)), Span(glyphs.more, "warn"))


def _without_first_cell(line: Line) -> Line:
    first, *rest = line
    return (Span(first.text[1:], first.role, first.action), *rest)


def _bounded(text: str, role: str) -> Span:
    """Return text of which no more is wrapped than could be seen."""
    return span(one_line(text[:_ENOUGH_TO_WRAP]), role)
