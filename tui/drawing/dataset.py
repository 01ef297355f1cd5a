"""The browser of everything decided: its rows, and the line that counts them."""

from __future__ import annotations

import time
from collections.abc import Callable

from selfplay_core.models import Mode
from selfplay_core.store.listing import QueueLine
from tui.drawing.glyphs import Glyphs
from tui.drawing.lines import Line, Span, between, cropped, span, width_of

__all__ = ["counted", "dataset_head", "dataset_row", "placeholder_row", "time_of"]

_CATEGORY = 19
_WITH_CATEGORY = 74
_WITH_WHEN = 48
_WHEN = 13


def dataset_head(width: int, glyphs: Glyphs, digits: int) -> Line:
    """Return the names of the columns; `digits` is the room for a number."""
    left: Line = (Span(f" {'id':>{digits}}     {glyphs.retry} "),)
    if width >= _WITH_CATEGORY:
        left = (*left, Span(f"{'category':<{_CATEGORY + 1}}"))
    line = between((*left, Span(" prompt")), (Span(f"{'when':<{_WHEN}}"),) if width >= _WITH_WHEN else (), width)
    return tuple(Span(piece.text, "dim") for piece in line)


def dataset_row(line: QueueLine, width: int, glyphs: Glyphs, digits: int, when: Callable[[float], str]) -> Line:
    """Return one row: number, decision, flag, retries, category, prompt, and when it was decided, else ended."""
    retries = max(line.attempts - 1, 0)
    role = {"accept": "ok", "edit": "info", "reject": "bad"}.get(line.decision.value if line.decision else "", "dim")
    left: Line = (
        Span(f" {line.number:>{digits},} "),
        Span(f"{glyphs.decision(line.decision)}", role),
        Span(glyphs.flag if line.flagged else " ", "warn"),
        Span(f"{retries or '':>3} ", "warn"),
    )
    if width >= _WITH_CATEGORY:
        left = (*left, *between((span(line.category, "dim"),), (Span(" "),), _CATEGORY + 1))
    prefix = "pray " if line.mode is Mode.GOD and not line.prompt.startswith("pray ") else ""
    at = line.ended_at if line.decided_at is None else line.decided_at
    right: Line = (Span(f"{when(at):<{_WHEN}}", "dim"),) if width >= _WITH_WHEN else ()
    room = width - width_of(left) - width_of(right) - 2
    prompt = cropped((span(f"{prefix}{line.prompt}"),), max(room, 1), glyphs.more)
    return between((*left, Span(" "), *prompt), right, width)


def placeholder_row(number: int, gone: bool, glyphs: Glyphs, digits: int) -> Line:
    """Return a row that is not here yet, or that another trace has taken the place of."""
    told = "replaced by a later trace" if gone else glyphs.more
    return (Span(f" {number:>{digits},} "), Span(told, "dim"))


def counted(shown: int, whole: int) -> str:
    """Return how many there are under the filter, of all."""
    return f"{shown:,} of {whole:,}"


def time_of(at: float, now: float) -> str:
    """Return the time of day, with its date where that is not today's."""
    then, today = time.localtime(at), time.localtime(now)
    if then[:3] == today[:3]:
        return time.strftime("%H:%M:%S", then)
    return time.strftime("%d %b %H:%M" if then.tm_year == today.tm_year else "%Y-%m-%d", then)
