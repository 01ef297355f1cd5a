"""Which traces are accepted without a person: law 5 as a rule."""

from __future__ import annotations

from typing import Literal

from selfplay_core.models import Level, Outcome, Trace, VerdictOutcome
from selfplay_core.verify.speech import shows_no_deed

__all__ = ["accepts"]

_GOOD = (Outcome.SOLVED, Outcome.CORRECTED)


def accepts(trace: Trace, rule: Literal["verified", "parsed", "none"]) -> bool:
    """Whether a trace is accepted by itself.

    `verified`: solved or corrected, every command of the last attempt passed and executed. `parsed`: also
    unproven at `parsed`. Never an answer without commands, and outside cosmetic_effects never one that only
    speaks or asks: that nothing was refused does not mean that anything was done.
    """
    last = trace.last
    if rule == "none" or last is None or last.answer is None or not last.answer.commands:
        return False
    if shows_no_deed(trace.prompt.category, last.answer.commands):
        return False
    if trace.outcome in _GOOD:
        passed = all(result.verdict.outcome is VerdictOutcome.PASSED for result in last.results)
        return passed and trace.level is Level.EXECUTED
    return rule == "parsed" and trace.outcome is Outcome.UNPROVEN and trace.level is Level.PARSED
