"""The list of prompts: one row an example, whatever is known of it."""

from __future__ import annotations

from typing import Final

from selfplay_core.models import Outcome
from selfplay_core.store.filters import MARKS
from selfplay_core.store.listing import QueueLine
from selfplay_core.text import one_line
from tui.drawing.glyphs import Glyphs
from tui.drawing.lines import Line, Span, between, cropped, span
from tui.drawing.words import category_word, outcome_role
from tui.state.queue import PENDING, Queue

__all__ = ["queue_row", "queue_title"]

_CATEGORY_FROM: Final = 44
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


def queue_title(queue: Queue, filter_text: str) -> Line:
    """Return how many of how many are undecided, and the filter if there is one."""
    total, pending = len(queue), queue.pending
    count = f"{pending:,}" if pending == total else f"{pending:,} of {total:,}"
    title: Line = (Span(" Prompts ", "title"), Span(f"{count} ", "text"))
    return (*title, span(f"/{filter_text} ", "match")) if filter_text.strip() else title


def _right(line: QueueLine, mark: int, width: int, glyphs: Glyphs) -> Line:
    """Return what a person looks for before opening it: retries, an end that is no success, the category."""
    pieces: list[Span] = []
    if line.attempts > 1:
        pieces.append(Span(f"{glyphs.retry}{line.attempts - 1}", "info"))
    if line.outcome not in _GOOD and MARKS[mark] != "errored":
        pieces.append(Span(glyphs.outcome(line.outcome), outcome_role(line.outcome)))
    if width >= _CATEGORY_FROM:
        word = category_word(one_line(line.category))
        pieces.append(Span(f"{word:<8}", "dim"))
    spaced: list[Span] = []
    for piece in pieces:
        spaced.extend((Span(" "), piece) if spaced else (piece,))
    return tuple(spaced)
