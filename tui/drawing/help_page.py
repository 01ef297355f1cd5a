"""The help page: keys in force by group, the words of the filter, and what the signs mean."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from tui.drawing.columns import Block, balanced, beside, even, stacked
from tui.drawing.glyphs import Glyphs
from tui.drawing.lines import BLANK, Line, Span, paragraphs, span, width_of
from tui.keys.actions import GROUPS, Action, Keymap, spoken

__all__ = ["help_lines", "signs_of"]

_GAP: Final = 4
_KEY: Final = 9
_SIGN: Final = 4
_LEAST: Final = 36


def help_lines(
    keymap: Keymap, screen: str, words: Sequence[tuple[str, str]], glyphs: Glyphs, width: int, search: str = ""
) -> list[Line]:
    """Return the page in one to three columns; with `search` only what holds all its words.

    Every line of an action has the action's name as what a click does.
    """
    inner = max(width - 2, 1)
    count = max(min((inner + _GAP) // (_LEAST + _GAP), 3), 1)
    widths = even(inner, count, _GAP)
    room = min(widths)
    wanted = search.casefold().split()
    blocks = [
        *(_keys(keymap, screen, group, room, wanted) for group in GROUPS),
        _words(words, room, wanted),
        _signs(glyphs, room, wanted),
    ]
    dealt = balanced([block for block in blocks if block], count)
    if not any(dealt):
        return [
            (Span(" "), span(f"nothing here holds “{search.strip()}”; {keymap.shown('back')} clears the search", "dim"))
        ]
    columns = [stacked(column) for column in dealt]
    lines = beside(columns, widths[: len(columns)], _GAP)
    return [(Span(" "), *line) if line else BLANK for line in lines]


def signs_of(glyphs: Glyphs) -> list[tuple[str, str]]:
    """Return each sign with what it stands for; one sign may stand for more than one thing."""
    meanings = (
        (glyphs.accept, "accepted; passed; solved"),
        (glyphs.reject, "rejected; failed"),
        (glyphs.edit, "edited, and accepted so"),
        (glyphs.skip, "skipped; what the server replied"),
        (glyphs.pending, "nobody has decided yet"),
        (glyphs.held, "waits for a person; blocked"),
        (glyphs.retry, "another attempt after an error"),
        (glyphs.unclear, "the reply proves nothing"),
        (glyphs.flag, "flagged"),
        (glyphs.mark, "marked"),
        (glyphs.added, "added since the attempt before"),
        (glyphs.removed, "gone since the attempt before"),
    )
    return list(meanings)


def _keys(keymap: Keymap, screen: str, group: str, width: int, wanted: Sequence[str]) -> Block:
    lines: list[Line] = []
    for action in keymap.on(screen):
        keys = [spoken(key) for key in keymap.keys(action)]
        if action.group == group and _holds(wanted, *keys, action.name, action.label, action.help, group):
            lines.extend(_action(action, keys, width))
    return [_heading(group), *lines] if lines else []


def _action(action: Action, keys: Sequence[str], width: int) -> list[Line]:
    first: Line = tuple(
        piece
        for number, key in enumerate(keys)
        for piece in ((Span(" ", "text", action.name),) if number else ()) + (span(key, "key", action.name),)
    )
    gap = max(_KEY - width_of(first), 1)
    first = (*first, Span(" " * gap, "text", action.name))
    return [
        tuple(Span(piece.text, piece.role, action.name) for piece in line)
        for line in paragraphs(action.help, width, first=first, indent=_KEY)
    ]


def _words(words: Sequence[tuple[str, str]], width: int, wanted: Sequence[str]) -> Block:
    lines: list[Line] = []
    for word, meaning in words:
        if _holds(wanted, word, meaning, "filter"):
            lines.append((span(word, "key"),))
            lines.extend(paragraphs(meaning, width, "dim", first=(Span("  "),)))
    return [_heading("filter"), *lines] if lines else []


def _signs(glyphs: Glyphs, width: int, wanted: Sequence[str]) -> Block:
    lines: list[Line] = []
    for sign, meaning in signs_of(glyphs):
        if _holds(wanted, sign, meaning, "signs"):
            lines.extend(paragraphs(meaning, width, first=(Span(f"{sign:<{_SIGN}}", "strong"),)))
    return [_heading("signs"), *lines] if lines else []


def _heading(title: str) -> Line:
    return (Span(title.upper(), "title"),)


def _holds(wanted: Sequence[str], *texts: str) -> bool:
    text = " ".join(texts).casefold()
    return all(word in text for word in wanted)
