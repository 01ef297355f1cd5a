"""The first row of an example: everything that a verdict on it needs, always in the same place."""

from __future__ import annotations

import math
from typing import Final

from selfplay_core.models import CommandResult, VerdictOutcome, WorldKind
from selfplay_core.store.listing import Example
from selfplay_core.text import one_line
from tui.drawing.answer import Shown
from tui.drawing.fitting import Part, fitted, part
from tui.drawing.glyphs import Glyphs
from tui.drawing.lines import Line
from tui.drawing.words import category_word, counted, gravest, risk_words, risks

__all__ = ["strip_line"]

_CAUTION: Final = 4


def strip_line(shown: Example, answer: Shown, width: int, glyphs: Glyphs, *, held: bool = False) -> Line:
    """Return the verdict strip; what matters least is abbreviated first."""
    trace = shown.trace
    retries = len(trace.attempts) - 1
    parts = [_ran(answer, glyphs, held=held)]
    if trace.world.kind is WorldKind.SANDBOX:
        parts.append(part(0, " SANDBOX ", role="sandbox"))
    if retries > 0:
        words = counted(retries, "retry", "retries")
        parts.append(part(1, f"{glyphs.retry} {words}", f"{glyphs.retry} {retries:,}", role="info"))
    parts.extend(_risk(answer, glyphs))
    if shown.flagged:
        parts.append(part(2, f"{glyphs.flag} flagged", glyphs.flag, role="warn"))
    if shown.same_as is not None:
        number = f"#{shown.same_as}"
        parts.append(part(3, f"= same as {number}", f"= {number}", role="warn"))
    if shown.near is not None and shown.near.number != shown.same_as:
        ratio = f"{glyphs.near} {math.floor(shown.near.ratio * 100) / 100:.2f}"
        parts.append(part(4, f"{ratio} of #{shown.near.number}", f"{ratio} #{shown.near.number}", role="warn"))
    level = answer.level.value
    parts.append(part(6, f"level {level}", level, "", role="dim"))
    parts.append(_place(trace.prompt.category, trace.prompt.mode.value, glyphs))
    return fitted(parts, width, glyphs.more)


def _ran(answer: Shown, glyphs: Glyphs, *, held: bool) -> Part:
    total = len(answer.commands)
    if answer.answer is None:
        return part(0, f"{glyphs.reject} no answer", role="bad")
    if not total:
        return part(0, f"{glyphs.unclear} no commands", role="warn")
    if not answer.results:
        words = f"{total} held" if held else f"{total} not run"
        return part(0, f"{glyphs.held if held else glyphs.dot} {words}", role="warn")
    passed = sum(result.verdict.outcome is VerdictOutcome.PASSED for result in answer.results)
    probed = any(result.probed for result in answer.results)
    word = "parsed" if probed else "ran"
    sign, role = _worst(answer.results, glyphs)
    role = "info" if probed and role == "ok" else role
    return part(0, f"{sign} {passed}/{total} {word}", f"{sign} {passed}/{total}", role=role)


def _worst(results: tuple[CommandResult, ...], glyphs: Glyphs) -> tuple[str, str]:
    outcomes = {result.verdict.outcome for result in results}
    if outcomes & {VerdictOutcome.REJECTED, VerdictOutcome.FAILED}:
        return glyphs.reject, "bad"
    return (glyphs.unclear, "warn") if VerdictOutcome.UNCLEAR in outcomes else (glyphs.accept, "ok")


def _risk(answer: Shown, glyphs: Glyphs) -> list[Part]:
    risk = gravest(risks(answer.commands))
    words = risk_words(risk)
    if not words:
        return []
    whole = f"{glyphs.held} {one_line(words)}"
    if risk[0] < _CAUTION:
        return [part(7, whole, "", role="dim")]
    return [part(4, whole, f"{glyphs.held} risky", glyphs.held, role="warn")]


def _place(category: str, mode: str, glyphs: Glyphs) -> Part:
    name = one_line(category)
    return part(5, f"{name} {glyphs.dot} {mode}", name, category_word(name), "", role="dim", at_end=True)
