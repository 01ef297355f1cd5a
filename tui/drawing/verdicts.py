"""What is known of commands that are being edited: the policy's ruling, and the server's verdict once they ran."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from selfplay_core.models import Action, CommandResult, FailedBecause, Ruling, VerdictOutcome
from selfplay_core.text import clip, without_colours
from selfplay_core.verify.verifier import MAX_COMMAND_BYTES
from tui.drawing.glyphs import Glyphs
from tui.drawing.lines import Line, Span, paragraphs, span, wrapped

__all__ = ["Checked", "check_lines", "note_lines", "result_lines", "verdict_words"]

_SHOWN_REPLY = 2_000


@dataclass(frozen=True, slots=True)
class Checked:
    """One command with what is known of it; `result` is None where it was not run as it stands."""

    command: str
    ruling: Ruling
    too_long: bool
    result: CommandResult | None


def check_lines(checked: Sequence[Checked], glyphs: Glyphs, width: int) -> list[Line]:
    """Return what is known of each command, one after the other."""
    lines: list[Line] = []
    for number, item in enumerate(checked, start=1):
        lines.extend(_check(number, item, glyphs, width))
    return lines


def note_lines(text: str, role: str, width: int) -> list[Line]:
    """Return one piece of news, wrapped."""
    return paragraphs(text, width, role, first=(Span(" "),)) if text else []


def result_lines(result: CommandResult, glyphs: Glyphs, width: int, first: Line) -> list[Line]:
    """Return what a server made of one command: the verdict in words, and its reply."""
    passed = _is_good(result)
    role = "ok" if passed else "bad" if result.verdict.outcome is not VerdictOutcome.UNCLEAR else "warn"
    sign = glyphs.accept if passed else glyphs.verdict(result.verdict.outcome)
    head = (*first, Span(f"{sign} {verdict_words(result)} ", role), Span(f"{glyphs.reply} ", "dim"))
    reply = clip(without_colours(result.reply).strip(), _SHOWN_REPLY) or "no output"
    margin = sum(len(piece.text) for piece in first)
    return paragraphs(reply, width, "reply", first=head, indent=margin + 2)


def verdict_words(result: CommandResult) -> str:
    """Return a verdict as a person says it."""
    verdict = result.verdict
    because = f", {verdict.because.value.replace('_', ' ')}" if verdict.because is not None else ""
    level = " (only parsed)" if result.probed else ""
    return f"{verdict.outcome.value}{because}{level}"


def _check(number: int, item: Checked, glyphs: Glyphs, width: int) -> list[Line]:
    first = (Span(f" {number:>2} ", "dim"),)
    if item.too_long:
        why = f"too long: a server reads {MAX_COMMAND_BYTES:,} bytes, this one has {_bytes(item.command):,}"
        return wrapped([Span(f"{glyphs.reject} {why}", "bad")], width, first=first)
    if item.ruling.action is Action.DENY:
        return wrapped([span(f"{glyphs.reject} {item.ruling.reason}", "bad")], width, first=first)
    if item.result is not None:
        return result_lines(item.result, glyphs, width, first)
    if item.ruling.action is Action.ASK:
        return wrapped([span(f"{glyphs.held} {item.ruling.reason}", "warn")], width, first=first)
    return [(*first, Span(f"{glyphs.pending} not run", "dim"))]


def _bytes(command: str) -> int:
    return len(command.encode("utf-8", "surrogatepass"))


def _is_good(result: CommandResult) -> bool:
    return result.verdict.outcome is VerdictOutcome.PASSED or result.verdict.because is FailedBecause.NOTHING_CHANGED
