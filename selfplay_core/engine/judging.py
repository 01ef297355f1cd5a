"""What the verdicts of an attempt mean for its trace: the table of "How an attempt is judged"."""

from __future__ import annotations

from collections.abc import Sequence
from enum import StrEnum

from selfplay_core.models import Attempt, CommandResult, FailedBecause, Level, Outcome, VerdictOutcome

__all__ = ["Finding", "attempt_level", "find", "good_outcome"]

# The circumstances' fault as much as the model's: told to nobody as a mistake, and no proof either.
_CIRCUMSTANCES = frozenset({FailedBecause.NOBODY, FailedBecause.NOT_LOADED, FailedBecause.NEEDS_PLAYER})


class Finding(StrEnum):
    """What the server said of a whole attempt."""

    PROVEN = "proven"
    UNPROVEN = "unproven"
    MISTAKEN = "mistaken"


def find(results: Sequence[CommandResult]) -> Finding:
    """Weigh the verdicts of an attempt's commands; the worst one counts."""
    return max((_weigh(result) for result in results), key=list(Finding).index)


def good_outcome(earlier: Sequence[Attempt]) -> Outcome:
    """Return `corrected` if the server refused an earlier attempt, else `solved`.

    An attempt that was no answer had no commands run, so it makes no correction.
    """
    refused = any(attempt.results and find(attempt.results) is Finding.MISTAKEN for attempt in earlier)
    return Outcome.CORRECTED if refused else Outcome.SOLVED


def attempt_level(attempt: Attempt | None) -> Level:
    """Return the lowest level among an attempt's commands; `none` where nothing ran."""
    if attempt is None or not attempt.results:
        return Level.NONE
    return min((result.level for result in attempt.results), key=lambda level: level.rank)


def _weigh(result: CommandResult) -> Finding:
    match result.verdict.outcome, result.verdict.because:
        case VerdictOutcome.REJECTED, _:
            return Finding.MISTAKEN
        case VerdictOutcome.FAILED, FailedBecause.NOTHING_CHANGED:
            return Finding.PROVEN
        case VerdictOutcome.FAILED, because:
            return Finding.UNPROVEN if because in _CIRCUMSTANCES else Finding.MISTAKEN
        case VerdictOutcome.PASSED, _:
            return Finding.UNPROVEN if result.probed else Finding.PROVEN
        case _:
            return Finding.UNPROVEN
