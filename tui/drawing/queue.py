"""The list of prompts: one row an example, whatever is known of it."""

from __future__ import annotations

from typing import Final

from selfplay_core.models import Outcome
from selfplay_core.store.filters import MARKS
from selfplay_core.store.listing import QueueLine
from selfplay_core.text import one_line
from tui.drawing.glyphs import Glyphs
from tui.drawing.lines import BLANK, Line, Span, between, cropped, span
from tui.drawing.words import category_word, outcome_role, short_category_word
from tui.state.queue import PENDING, Queue

__all__ = ["place_title", "queue_row", "queue_title"]

_CATEGORY_FROM: Final = 44
_SHORT_CATEGORY_FROM: Final = 32
_DIGITS: Final = 4
_ROLES: Final = {"accept": "ok", "reject": "bad", "edit": "info", "skip": "dim", "errored": "bad"}
_GOOD: Final = (Outcome.SOLVED, Outcome.CORRECTED)


def queue_row(
    line: QueueLine | None,
    number: int,
    mark: int,
    width: int,
    glyphs: Glyphs,
    *,
    chosen: bool,
    cursor: bool,
) -> Line:
    """Return one row; a line that has not been fetched yet shows what the list itself knows."""
    opening: list[Span] = [
        Span(glyphs.cursor if cursor else " ", "title"),
        Span(glyphs.marked(mark), _ROLES.get(MARKS[mark], "text")),
        Span(glyphs.mark if chosen else " ", "match" if chosen else "text"),
        Span(f"{number:>{_DIGITS}}", "dim"),
    ]
    if line is None:
        return cropped((*opening, Span(f" {glyphs.more}", "dim")), width, glyphs.more)
    opening.append(Span(glyphs.flag, "warn") if line.flagged else Span(" "))
    right = _right(line, mark, width, glyphs)
    # Nothing behind what can be seen needs to be made safe.
    prompt = span(line.prompt[: 2 * width], "text" if mark == PENDING else "dim")
    return between((*opening, prompt), right, width, glyphs.more)


def queue_title(queue: Queue, filter_text: str, *, listed: bool = True) -> Line:
    """Return how many of how many are undecided, once they are `listed`, and the filter if there is one."""
    total, pending = len(queue), queue.pending
    count = f"{pending:,}" if pending == total else f"{pending:,} of {total:,}"
    title: Line = (Span(" Prompts ", "title"), Span(f"{count} " if listed else "", "text"))
    return (*title, *_filter_in_force(filter_text))


def place_title(queue: Queue, filter_text: str) -> Line:
    """Return, where the list itself is out of sight, the place in it and the filter if there is one."""
    if not (len(queue) or filter_text.strip()):
        return BLANK
    place = queue.cursor + 1 if len(queue) else 0
    return (Span(f" {place:,}/{len(queue):,} ", "dim"), *_filter_in_force(filter_text))


def _filter_in_force(text: str) -> Line:
    return (span(f"/{text} ", "match"),) if text.strip() else BLANK


def _right(line: QueueLine, mark: int, width: int, glyphs: Glyphs) -> Line:
    """Return what a person looks for before opening it: retries, an end that is no success, the category."""
    pieces: list[Span] = []
    if line.attempts > 1:
        pieces.append(Span(f"{glyphs.retry}{line.attempts - 1}", "info"))
    if line.outcome not in _GOOD and MARKS[mark] != "errored":
        pieces.append(Span(glyphs.outcome(line.outcome), outcome_role(line.outcome)))
    category = one_line(line.category)
    if width >= _CATEGORY_FROM:
        pieces.append(Span(f"{category_word(category):<8}", "dim"))
    elif width >= _SHORT_CATEGORY_FROM:
        pieces.append(Span(f"{short_category_word(category):<5}", "dim"))
    spaced: list[Span] = []
    for piece in pieces:
        spaced.extend((Span(" "), piece) if spaced else (piece,))
    return tuple(spaced)
