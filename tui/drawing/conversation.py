"""The conversation with the model: every attempt, what the server said to it, and what the next one changed."""

from __future__ import annotations

from typing import Final

from selfplay_core.models import Attempt, CommandResult, Outcome
from selfplay_core.store.listing import Example
from tui.drawing.answer import gutter_of
from tui.drawing.blocks import (
    LONGEST,
    command_lines,
    framed,
    heading,
    is_blank,
    left_out,
    note,
    reply_lines,
    text_lines,
)
from tui.drawing.difference import Change, Piece, aligned, changed_pieces
from tui.drawing.glyphs import Glyphs
from tui.drawing.lines import BLANK, Line, Span, cropped, plain, span, width_of, wrapped
from tui.drawing.words import counted

__all__ = ["conversation_lines", "conversation_title"]

_THOUGHT_LINES: Final = 3
_WIDE: Final = 48


def conversation_lines(shown: Example, width: int, glyphs: Glyphs, *, diff: bool) -> list[Line]:
    """Return every attempt in order; with `diff` the commands that an attempt changed stand beside the old ones."""
    inner = width - 2
    attempts = shown.trace.attempts
    if not attempts:
        lines = note("The model gave no answer.", inner)
        return framed([*lines, *text_lines(shown.trace.reason, inner, "text", glyphs)])
    lines = []
    before: Attempt | None = None
    for attempt in attempts:
        lines.extend(_attempt(attempt, before if diff else None, inner, glyphs))
        lines.append(BLANK)
        before = attempt
    return framed(lines[:-1])


def conversation_title(shown: Example) -> Line:
    """Return how many answers it took."""
    trace = shown.trace
    count = len(trace.attempts)
    if count == 0:
        words = "no answer"
    elif count == 1:
        words = "first try" if trace.outcome is Outcome.SOLVED else "1 attempt"
    else:
        words = counted(count - 1, "retry", "retries")
    return (Span(" Conversation ", "title"), Span(f" {words} ", "dim"))


def _attempt(attempt: Attempt, before: Attempt | None, width: int, glyphs: Glyphs) -> list[Line]:
    lines = [heading(f"attempt {attempt.number}", width, glyphs, _cost(attempt))]
    if attempt.hint is not None:
        hint = attempt.hint or "Try again."
        lines.extend(_said("you", hint, "info", width, glyphs))
    lines.extend(_thoughts(attempt.thinking, width, glyphs))
    if attempt.answer is None:
        lines.extend(_said("llm", attempt.raw or "(an empty reply)", "text", width, glyphs))
    else:
        if not is_blank(attempt.answer.reasoning):
            lines.extend(_said("llm", attempt.answer.reasoning, "reasoning", width, glyphs))
        lines.extend(_commands(attempt, before, width, glyphs))
        if attempt.answer.message:
            lines.extend(_said("god", attempt.answer.message, "text", width, glyphs))
    if attempt.error is not None:
        sign: Line = (Span(f"{glyphs.reject} ", "bad"),)
        lines.extend(text_lines(attempt.error, width, "bad", glyphs, first=sign, indent=2))
    return lines


def _cost(attempt: Attempt) -> Line:
    seconds = f"{attempt.seconds:.1f} s" if attempt.seconds else ""
    tokens = f"{attempt.output_tokens:,} tok" if attempt.output_tokens else ""
    return (Span("  ".join(filter(None, (seconds, tokens))), "dim"),)


def _said(who: str, text: str, role: str, width: int, glyphs: Glyphs) -> list[Line]:
    first = _speaker(who, glyphs)
    return text_lines(text, width, role, glyphs, first=first, indent=_hang(first, width))


def _speaker(who: str, glyphs: Glyphs) -> Line:
    return (Span(f"{who:<5} ", "strong"), Span(f"{glyphs.reply} ", "dim"))


def _hang(first: Line, width: int) -> int:
    """Return how far the lines after the first are indented: a narrow pane has no room to spare."""
    return width_of(first) if width >= _WIDE else 2


def _thoughts(thinking: str, width: int, glyphs: Glyphs) -> list[Line]:
    """Return the beginning of what the model thought, and how much more there was."""
    text = " ".join(thinking[: 4 * _THOUGHT_LINES * width].split())
    if not text:
        return []
    first = _speaker("think", glyphs)
    margin = _hang(first, width)
    lines = wrapped([span(text, "dim")], width, first=first, indent=margin)
    kept = lines[:_THOUGHT_LINES]
    if len(lines) > len(kept) or len(thinking) > 4 * _THOUGHT_LINES * width:
        shown = sum(len(plain(line)) - margin for line in kept)
        words = f"{glyphs.more} {counted(max(len(thinking) - shown, 1), 'more character')}"
        kept.append(cropped((Span(" " * margin), Span(words, "dim")), width, glyphs.more))
    return kept


def _commands(attempt: Attempt, before: Attempt | None, width: int, glyphs: Glyphs) -> list[Line]:
    commands = attempt.answer.commands if attempt.answer is not None else ()
    old = before.answer.commands if before is not None and before.answer is not None else None
    if not commands and not old:
        return note("no commands", width)
    lines: list[Line] = []
    digits = len(str(max(len(commands), len(old or ()))))
    changes = [Change(index, index, True) for index in range(len(commands))] if old is None else aligned(old, commands)
    for change in changes:
        lines.extend(_change(change, old or (), attempt, digits, width, glyphs))
    return lines


def _change(
    change: Change, old: tuple[str, ...], attempt: Attempt, digits: int, width: int, glyphs: Glyphs
) -> list[Line]:
    commands = attempt.answer.commands if attempt.answer is not None else ()
    lines: list[Line] = []
    gone = old[change.old] if change.old is not None and not change.is_same else None
    come = commands[change.new] if change.new is not None else None
    pieces: tuple[list[Piece], list[Piece]] = ([((gone or "")[:LONGEST], True)], [((come or "")[:LONGEST], True)])
    if gone is not None and come is not None:
        pieces = changed_pieces(gone[:LONGEST], come[:LONGEST])
    if gone is not None:
        lines.extend(_removed(pieces[0], digits, width, glyphs))
        lines.extend(left_out(gone, LONGEST, width, glyphs, digits + 5))
    if come is None or change.new is None:
        return lines
    result = attempt.results[change.new] if change.new < len(attempt.results) else None
    sign = Span(" ") if change.is_same else Span(glyphs.added, "added")
    gutter = gutter_of(sign, change.new + 1, digits, result, glyphs)
    if change.is_same:
        lines.extend(command_lines(come, gutter, width, glyphs, role="dim" if old else "command"))
    else:
        spans = [span(text, "added" if is_other else "command") for text, is_other in pieces[1]]
        lines.extend(wrapped(spans, width, first=gutter.line, indent=gutter.width, words=False))
        lines.extend(left_out(come, LONGEST, width, glyphs, gutter.width))
    return [*lines, *_reply(result, gutter.width, width, glyphs)]


def _removed(pieces: list[Piece], digits: int, width: int, glyphs: Glyphs) -> list[Line]:
    first: Line = (Span(glyphs.removed, "removed"), Span(" " * (digits + 4)))
    spans = [span(text, "removed" if is_other else "dim") for text, is_other in pieces]
    return wrapped(spans, width, first=first, words=False)


def _reply(result: CommandResult | None, margin: int, width: int, glyphs: Glyphs) -> list[Line]:
    if result is None:
        return []
    first = _speaker("rcon", glyphs)
    if width < _WIDE:
        margin = 2
    return reply_lines(result, first, max(margin, _hang(first, width)), width, glyphs)
