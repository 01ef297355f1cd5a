"""Lines of spans: text made safe, with a role that the theme gives a style to, and perhaps an action to click."""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import groupby
from typing import Final

from rich.cells import cell_len, set_cell_size

from selfplay_core.text import one_line

__all__ = [
    "BLANK",
    "ROLES",
    "Line",
    "Span",
    "between",
    "cropped",
    "paragraphs",
    "plain",
    "span",
    "width_of",
    "wrapped",
]

ROLES: Final = (
    "text",
    "dim",
    "strong",
    "title",
    "rule",
    "key",
    "prompt",
    "command",
    "reply",
    "reasoning",
    "ok",
    "bad",
    "warn",
    "info",
    "added",
    "removed",
    "match",
    "sandbox",
)
"""What a span can be; `css/app.tcss` gives each a style."""


@dataclass(frozen=True, slots=True)
class Span:
    """A piece of a line; `text` is clean and holds no newline, `action` is what a click on it does."""

    text: str
    role: str = "text"
    action: str = ""


Line = tuple[Span, ...]

BLANK: Final[Line] = ()

_WIDEST: Final = 2
_EMOJI: Final = "\ufe0f"  # makes some of the characters before it two cells wide
_LEAST_ROOM: Final = 8


def span(text: str, role: str = "text", action: str = "") -> Span:
    """Return a span of text from anywhere, every control character in it visible."""
    return Span(one_line(text), role, action)


def plain(line: Line) -> str:
    """Return the text of a line without its roles."""
    return "".join(piece.text for piece in line)


def width_of(line: Iterable[Span]) -> int:
    """Return how many cells a line takes."""
    return sum(cell_len(piece.text) for piece in line)


def cropped(line: Line, width: int, mark: str = "\u2026") -> Line:
    """Return at most `width` cells of a line, the last one a mark where something is missing."""
    if width_of(line) <= width:
        return line
    if width <= 0:
        return BLANK
    room = width - cell_len(mark)
    kept: list[Span] = []
    for piece in line:
        size = cell_len(piece.text)
        if size > room:
            cut = set_cell_size(piece.text, max(room, 0)) if room > 0 else ""
            kept.append(replace(piece, text=cut + mark))
            break
        kept.append(piece)
        room -= size
    return tuple(kept)


def between(left: Line, right: Line, width: int, mark: str = "\u2026") -> Line:
    """Return a line with one part at its left and one at its right end; the left part gives way."""
    right = cropped(right, width, mark)
    room = width - width_of(right)
    left = cropped(left, max(room - 1, 0) if right else width, mark)
    gap = width - width_of(left) - width_of(right)
    return (*left, Span(" " * gap), *right) if gap > 0 else (*left, *right)


def wrapped(
    spans: Sequence[Span], width: int, *, first: Line = BLANK, indent: int | None = None, words: bool = True
) -> list[Line]:
    """Break spans into lines of at most `width` cells.

    `first` opens the first line; the others are indented by as much, or by `indent` cells. Between words the one
    blank at which a line is broken goes. Without `words`, as commands are, nothing goes: a line is broken behind a
    blank that is near its end, or a comma, else at any character. What is drawn over each other stays together.
    """
    pieces = _joined(spans)
    text = plain(pieces)
    used = width_of(first)
    margin = min(used if indent is None else indent, max(width - _LEAST_ROOM, 0))
    places = _breaks(text, max(width - used, 0) if first else width, max(width - margin, 1), bool(first), words)
    opening: Line = (Span(" " * margin),) if margin else BLANK
    lines: list[Line] = []
    for number, (start, end) in enumerate(places):
        lines.append((*(opening if number else first), *_cut(pieces, start, end)))
    return lines


def paragraphs(
    text: str, width: int, role: str = "text", *, first: Line = BLANK, indent: int | None = None
) -> list[Line]:
    """Wrap text from anywhere, a newline of its own beginning a line."""
    lines: list[Line] = []
    margin = width_of(first) if indent is None else indent
    for number, part in enumerate(text.replace("\r\n", "\n").split("\n")):
        opening = first if number == 0 else ((Span(" " * margin),) if margin else BLANK)
        lines.extend(wrapped([span(part, role)], width, first=opening, indent=margin))
    return lines


def _breaks(text: str, first_room: int, room: int, is_opened: bool, words: bool) -> Iterator[tuple[int, int]]:
    """Yield from where to where each line goes; the first has its own room, and may stay empty if it `is_opened`."""
    reach = _reach_plain(text) if text.isascii() else _reach(text)
    start, size, left = 0, len(text), first_room
    while True:
        end = reach(start, left)
        if end == start and not (is_opened and start == 0) and start < size:
            end = max(reach(start, _WIDEST), start + 1)
        following = end
        if end < size and end > start:
            end, following = _between_words(text, start, end) if words else _behind_an_argument(text, start, end)
        yield start, end
        if following >= size:
            return
        start, left, is_opened = following, room, False


def _between_words(text: str, start: int, end: int) -> tuple[int, int]:
    """Return where a line ends that has room up to `end`, and where the next one goes on."""
    blank = end if text[end] == " " else text.rfind(" ", start, end)
    # A line of nothing but blanks would only push the word down.
    if blank <= start or text[start:blank].isspace() or _is_drawn_over(text, blank + 1):
        return end, end
    return blank, blank + 1


def _behind_an_argument(text: str, start: int, end: int) -> tuple[int, int]:
    """Return where a line ends that has room up to `end`, twice: the next one goes on there."""
    low = end - (end - start) // 3
    place = text.rfind(" ", low, end) + 1 or text.rfind(",", low, end) + 1 or end
    return (end, end) if _is_drawn_over(text, place) else (place, place)


def _is_drawn_over(text: str, place: int) -> bool:
    """Whether the character at a place has no width, and belongs to the one before it."""
    return place < len(text) and not cell_len(text[place])


def _reach_plain(text: str) -> Callable[[int, int], int]:
    size = len(text)
    return lambda start, room: min(start + room, size)


def _reach(text: str) -> Callable[[int, int], int]:
    """Return how far `room` cells go in a text, never into what is drawn over one another."""
    places, before = _clusters(text)

    def reach(start: int, room: int) -> int:
        index = bisect_left(places, start)
        return places[bisect_right(before, before[index] + room, index) - 1]

    return reach


def _clusters(text: str) -> tuple[list[int], list[int]]:
    """Return where each character begins that has a width, and how many cells come before it; the ends come last.

    Characters of no width belong to the one before them.
    """
    places, before = [0], [0]
    cells, known = 0, _CharacterCells()
    for place, character in enumerate(text):
        size = known[character]
        if size and place:
            places.append(place)
            before.append(cells)
        if character == _EMOJI and cells:
            cells = before[-1] + cell_len(text[places[-1] : place + 1])
        else:
            cells += size
    return [*places, len(text)], [*before, cells]


class _CharacterCells(dict[str, int]):
    """How many cells each character takes by itself, measured once."""

    def __missing__(self, character: str) -> int:
        self[character] = size = cell_len(character)
        return size


def _cut(pieces: Line, start: int, end: int) -> Line:
    """Return what stands from one place of the text to another."""
    if len(pieces) == 1:
        piece = pieces[0]
        return (Span(piece.text[start:end], piece.role, piece.action),)
    kept: list[Span] = []
    place = 0
    for piece in pieces:
        low, high = max(start - place, 0), min(end - place, len(piece.text))
        if low < high:
            kept.append(Span(piece.text[low:high], piece.role, piece.action))
        place += len(piece.text)
        if place >= end:
            break
    return tuple(kept)


def _joined(pieces: Iterable[Span]) -> Line:
    """Join neighbours of the same role, so that a line is few segments."""
    groups = groupby(pieces, key=lambda piece: (piece.role, piece.action))
    return tuple(Span("".join(piece.text for piece in group), role, action) for (role, action), group in groups)
