"""In a bake-off's folder: what the answer counts as, and what the other models answered to the same case."""

from __future__ import annotations

from typing import Final

from selfplay_core.models import Answer, Trace
from selfplay_core.store.bakeoffs import Entered, MarkRecord, Rival
from tui.drawing.answer import Shown, answer_lines
from tui.drawing.blocks import heading, note
from tui.drawing.glyphs import Glyphs
from tui.drawing.lines import BLANK, Line, Span, span, wrapped

__all__ = ["mark_lines", "rival_lines"]

_ROLES: Final = {"ok": "ok", "fixed": "ok", "miss": "bad", "open": "warn", "errored": "warn"}
_WORDS: Final = {"ok": "OK", "fixed": "OK after a fix", "miss": "MISS", "open": "open", "errored": "errored"}


def mark_lines(entered: Entered, width: int) -> list[Line]:
    """Return who answered, and what that counts as."""
    pieces = [span(entered.model, "strong"), Span(": "), *_mark(entered.mark)]
    return wrapped(pieces, width, first=(Span("  "),))


def rival_lines(entered: Entered, width: int, glyphs: Glyphs) -> list[Line]:
    """Return the answers of the other models, each with its mark, its commands and the server's replies."""
    lines: list[Line] = []
    for rival in entered.rivals:
        lines += [BLANK, heading("ANOTHER MODEL", width, glyphs), *_rival(rival, width, glyphs)]
    return lines


def _rival(rival: Rival, width: int, glyphs: Glyphs) -> list[Line]:
    pieces = [span(rival.model, "strong"), Span(f" #{rival.number}: ", "dim"), *_mark(rival.mark)]
    lines = wrapped(pieces, width)
    answer = _answer(rival.trace)
    if answer is None or not answer.commands:
        return [*lines, *note("no commands", width)]
    last = rival.trace.last
    results = last.results if last is not None else ()
    return [*lines, *answer_lines(Shown(answer, results, frozenset()), width, glyphs)]


def _answer(trace: Trace) -> Answer | None:
    return trace.last.answer if trace.last is not None else None


def _mark(mark: MarkRecord) -> list[Span]:
    pieces = [Span(_WORDS.get(mark.mark, mark.mark), _ROLES.get(mark.mark, "text"))]
    if mark.why:
        pieces.append(span(f", {mark.why}", "dim"))
    return pieces
