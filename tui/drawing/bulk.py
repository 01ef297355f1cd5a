"""A page of clean examples, every one of them whole: what is accepted with one key has been in sight."""

from __future__ import annotations

from collections.abc import Sequence

from selfplay_core.models import Trace
from selfplay_core.text import without_colours
from tui.drawing.glyphs import Glyphs
from tui.drawing.lines import BLANK, Line, Span, span, width_of, wrapped

__all__ = ["page_height", "page_lines", "row_height"]

_WIDE = 100
_PER_CELL = 4


def page_lines(
    traces: Sequence[tuple[int, Trace]], struck: frozenset[int], cursor: int, glyphs: Glyphs, width: int, height: int
) -> list[Line]:
    """Return the rows of a page with their numbers, a blank line behind each where `height` has room for that."""
    rows = [_row(place, number, trace, place in struck, glyphs, width) for place, (number, trace) in enumerate(traces)]
    is_airy = sum(map(len, rows)) + len(rows) <= height
    lines: list[Line] = []
    for place, row in enumerate(rows):
        if place == cursor:
            row[0] = (Span(glyphs.cursor, "key"), *_without_first_cell(row[0]))
        lines.extend([*row, BLANK] if is_airy else row)
    return lines


def page_height(traces: Sequence[tuple[int, Trace]], glyphs: Glyphs, width: int, most: int) -> int:
    """Return how many lines the rows of a page take together, struck or not."""
    return sum(row_height(number, trace, glyphs, width, most) for number, trace in traces)


def row_height(number: int, trace: Trace, glyphs: Glyphs, width: int, most: int) -> int:
    """Return how many lines a row takes, struck or not; more than `most` where it cannot be shown whole."""
    # Longer than any screen: it need not be wrapped to know that.
    if sum(map(len, _texts(trace))) > max(width * most, 0) * _PER_CELL:
        return most + 1
    rows = [_row(0, number, trace, is_struck, glyphs, width) for is_struck in (False, True)]
    if any(width_of(line) > width for row in rows for line in row):
        return most + 1
    return max(map(len, rows))


def _row(place: int, number: int, trace: Trace, is_struck: bool, glyphs: Glyphs, width: int) -> list[Line]:
    sign = Span(f"{glyphs.reject} struck ", "bad") if is_struck else Span(f"{glyphs.pending} ", "dim")
    head = (Span(f" {place + 1} ", "key", f"strike_{place + 1}"), sign, Span(f"#{number} ", "dim"))
    prompt = [span(trace.prompt.text, "dim" if is_struck else "prompt")]
    if width < _WIDE:
        return [*wrapped(prompt, width, first=head, indent=5), *_stacked(trace, glyphs, width)]
    left = width * 2 // 5
    return _side_by_side(
        wrapped(prompt, left - 2, first=head, indent=5), _stacked(trace, glyphs, width - left, 0), left
    )


def _stacked(trace: Trace, glyphs: Glyphs, width: int, margin: int = 5) -> list[Line]:
    """Return each command with its reply behind it, broken anywhere, then what the model says of them."""
    first = (Span(" " * margin),) if margin else BLANK
    lines: list[Line] = []
    for command, reply in _commands(trace):
        spans = [span(command, "command"), Span(f"  {glyphs.reply} ", "dim"), span(reply, "reply")]
        lines.extend(wrapped(spans, width, first=first, indent=margin + 2, words=False))
    if not lines:
        lines.append((*first, Span("no commands", "warn")))
    for text, role in _said(trace):
        lines.extend(wrapped([span(text, role)], width, first=first, indent=margin))
    return lines


def _commands(trace: Trace) -> list[tuple[str, str]]:
    """Return every command of the answer with what the server said to it."""
    last = trace.last
    answer = last.answer if last is not None else None
    replies = [without_colours(result.reply).strip() for result in last.results] if last is not None else []
    commands = answer.commands if answer is not None else ()
    return [
        (command, (replies[place] if place < len(replies) else "") or "no output")
        for place, command in enumerate(commands)
    ]


def _said(trace: Trace) -> list[tuple[str, str]]:
    """Return the god's message and the reasoning, which go into the row too."""
    answer = trace.last.answer if trace.last is not None else None
    if answer is None:
        return []
    return [(text, role) for text, role in ((answer.message, "text"), (answer.reasoning, "reasoning")) if text]


def _texts(trace: Trace) -> list[str]:
    texts = [text for pair in _commands(trace) for text in pair]
    return [trace.prompt.text, *texts, *(text for text, _ in _said(trace))]


def _side_by_side(left: Sequence[Line], right: Sequence[Line], place: int) -> list[Line]:
    lines: list[Line] = []
    for index in range(max(len(left), len(right))):
        one = left[index] if index < len(left) else BLANK
        gap = Span(" " * (place - width_of(one)))
        lines.append((*one, gap, *(right[index] if index < len(right) else BLANK)))
    return lines


def _without_first_cell(line: Line) -> Line:
    first, *rest = line
    return (Span(first.text[1:], first.role, first.action), *rest)
