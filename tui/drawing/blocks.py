"""What the example and the conversation are built from: headings, texts of any length, commands with replies."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from selfplay_core.models import CommandResult
from selfplay_core.text import clip, without_colours
from tui.drawing.glyphs import Glyphs
from tui.drawing.lines import BLANK, Line, Span, between, paragraphs, span, wrapped
from tui.drawing.words import verdict_role, verdict_words

__all__ = [
    "LONGEST",
    "Gutter",
    "command_lines",
    "framed",
    "heading",
    "is_blank",
    "left_out",
    "note",
    "reply_lines",
    "text_lines",
]

LONGEST: Final = 40_000
"""How many characters of one text are shown."""

_CLIPPED: Final = "\u2026"  # what `clip` puts where something is missing


@dataclass(frozen=True, slots=True)
class Gutter:
    """What stands before a command: whether it differs, its number right-aligned, and the verdict's sign."""

    sign: Span
    number: int
    digits: int
    verdict: Span

    @property
    def line(self) -> Line:
        """The gutter with the blank that parts it from the command."""
        return (self.sign, Span(f" {self.number:>{self.digits}} ", "dim"), self.verdict, Span(" "))

    @property
    def width(self) -> int:
        """How many cells it takes."""
        return self.digits + 5


def framed(lines: Sequence[Line]) -> list[Line]:
    """Keep a cell free at the left; the lines were made two cells narrower than the pane."""
    return [(Span(" "), *line) if line else BLANK for line in lines]


def heading(title: str, width: int, glyphs: Glyphs, right: Line = BLANK) -> Line:
    """Return the title of a section, with a remark at the right end where there is room."""
    return between((Span(title, "title"),), right, width, glyphs.more) if right else (Span(title, "title"),)


def note(text: str, width: int, role: str = "dim") -> list[Line]:
    """Return a remark of ours."""
    return wrapped([Span(text, role)], width)


def is_blank(text: str) -> bool:
    """Whether a text shows nothing at all; a control character is something."""
    return not text.strip(" \t\r\n")


def text_lines(
    text: str,
    width: int,
    role: str,
    glyphs: Glyphs,
    *,
    first: Line = BLANK,
    indent: int | None = None,
    limit: int = LONGEST,
) -> list[Line]:
    """Wrap a text of many lines, and say how much of it is left out."""
    lines = paragraphs(text[:limit], width, role, first=first, indent=indent)
    return [*lines, *left_out(text, limit, width, glyphs, indent or 0)]


def command_lines(command: str, gutter: Gutter, width: int, glyphs: Glyphs, *, role: str = "command") -> list[Line]:
    """Wrap a command behind its gutter, every character of it in its place."""
    pieces = [span(command[:LONGEST], role)]
    lines = wrapped(pieces, width, first=gutter.line, indent=gutter.width, words=False)
    return [*lines, *left_out(command, LONGEST, width, glyphs, gutter.width)]


def reply_lines(result: CommandResult, first: Line, indent: int, width: int, glyphs: Glyphs) -> list[Line]:
    """Say what a verdict means where its sign does not, then what the server said, behind `first`."""
    words = verdict_words(result)
    lines: list[Line] = []
    if words:
        lines.extend(wrapped([span(words, verdict_role(result))], width, first=(Span(" " * indent),)))
    if is_blank(without_colours(result.reply)):
        return [*lines, (*first, Span("no output", "dim"))]
    reply = without_colours(result.reply).replace("\r\n", "\n").rstrip("\n")
    return [*lines, *text_lines(reply, width, "reply", glyphs, first=first, indent=indent)]


def left_out(text: str, limit: int, width: int, glyphs: Glyphs, indent: int) -> list[Line]:
    """Say how much of a text is beyond the limit; nothing if none is."""
    if len(text) <= limit:
        return []
    note = clip(text, limit)[limit:].replace(_CLIPPED, glyphs.more)
    return wrapped([Span(note, "warn")], width, first=(Span(" " * indent),))
