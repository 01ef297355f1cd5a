"""What the verdicts of an attempt mean for its trace: the table of "How an attempt is judged"."""

from __future__ import annotations

from collections.abc import Mapping, Sequence, Set
from enum import StrEnum
from types import MappingProxyType

from selfplay_core.models import Attempt, CommandResult, FailedBecause, Level, Outcome, VerdictOutcome

__all__ = ["USUAL_MEANINGS", "Finding", "Meanings", "attempt_level", "find", "good_outcome"]


class Finding(StrEnum):
    """What the server said of a whole attempt."""

    PROVEN = "proven"
    UNPROVEN = "unproven"
    MISTAKEN = "mistaken"


Meanings = Mapping[FailedBecause, Finding]

# Who was not there is the circumstances' fault as much as the model's: no mistake to tell it of, and no proof.
USUAL_MEANINGS: Meanings = MappingProxyType(
    {
        FailedBecause.NOBODY: Finding.UNPROVEN,
        FailedBecause.NOT_LOADED: Finding.UNPROVEN,
        FailedBecause.NEEDS_PLAYER: Finding.UNPROVEN,
        FailedBecause.NOTHING_CHANGED: Finding.PROVEN,
        FailedBecause.OTHER: Finding.MISTAKEN,
    }
)


def find(
    results: Sequence[CommandResult], meanings: Meanings = USUAL_MEANINGS, *, earlier: Sequence[Attempt] = ()
) -> Finding:
    """Weigh the verdicts of an attempt's commands; the worst one counts.

    A command that failed though it had passed in an `earlier` attempt of the trace is nobody's mistake: servers
    remember, and what exists already cannot be made again.
    """
    done = {result.command for attempt in earlier for result in attempt.results if _was_done(result)}
    return max((_weigh(result, meanings, done) for result in results), key=list(Finding).index)


def good_outcome(earlier: Sequence[Attempt], meanings: Meanings = USUAL_MEANINGS) -> Outcome:
    """Return `corrected` if the server refused an earlier attempt, else `solved`.

    An attempt that was no answer had no commands run, so it makes no correction.
    """
    refused = any(attempt.results and find(attempt.results, meanings) is Finding.MISTAKEN for attempt in earlier)
    return Outcome.CORRECTED if refused else Outcome.SOLVED


def attempt_level(attempt: Attempt | None) -> Level:
    """Return the lowest level among an attempt's commands; `none` where nothing ran."""
    if attempt is None or not attempt.results:
        return Level.NONE
    return min((result.level for result in attempt.results), key=lambda level: level.rank)


def _was_done(result: CommandResult) -> bool:
    return result.verdict.outcome is VerdictOutcome.PASSED and not result.probed


def _weigh(result: CommandResult, meanings: Meanings, done: Set[str]) -> Finding:
    match result.verdict.outcome, result.verdict.because:
        case VerdictOutcome.REJECTED, _:
            return Finding.MISTAKEN
        case VerdictOutcome.FAILED, because:
            meaning = meanings[because or FailedBecause.OTHER]
            return Finding.UNPROVEN if meaning is Finding.MISTAKEN and result.command in done else meaning
        case VerdictOutcome.PASSED, _:
            return Finding.UNPROVEN if result.probed else Finding.PROVEN
        case _:
            return Finding.UNPROVEN
