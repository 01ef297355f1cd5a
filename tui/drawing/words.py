"""What the nouns are called on the screen, and how loudly."""

from __future__ import annotations

from functools import lru_cache
from typing import Final

from selfplay_core.models import (
    AUTO,
    Action,
    CommandResult,
    Decision,
    DecisionKind,
    FailedBecause,
    Level,
    Outcome,
    Trace,
    VerdictOutcome,
)
from selfplay_core.store.history import Moved
from selfplay_core.verify.policy import Policy

__all__ = [
    "Risk",
    "category_word",
    "counted",
    "decided_word",
    "decider",
    "decision_role",
    "gravest",
    "moved_words",
    "outcome_role",
    "outcome_words",
    "risk_words",
    "risks",
    "short_category_word",
    "unmoved_words",
    "verdict_role",
    "verdict_words",
]

Risk = tuple[int, str]
"""How risky a command is, from 1 to 5, and why."""

_CATEGORIES: Final = {
    "enchantment_combos": "enchant",
    "entity_nbt": "entity",
    "execute_chains": "execute",
    "edge_items": "items",
    "worldedit": "we",
    "multiplayer": "multi",
    "boundary_testing": "boundary",
    "natural_language": "natural",
    "cosmetic_effects": "cosmetic",
}
_LONGEST_CATEGORY: Final = 8
_SHORT_CATEGORIES: Final = {
    "enchantment_combos": "ench",
    "entity_nbt": "nbt",
    "execute_chains": "exec",
    "edge_items": "items",
    "worldedit": "we",
    "multiplayer": "multi",
    "boundary_testing": "bound",
    "natural_language": "lang",
    "cosmetic_effects": "cosm",
}
_SHORTEST_CATEGORY: Final = 5

_BECAUSE: Final = {
    FailedBecause.NOBODY: "nobody matched",
    FailedBecause.NOTHING_CHANGED: "nothing changed",
    FailedBecause.NOT_LOADED: "that place is not loaded",
    FailedBecause.NEEDS_PLAYER: "it needs a player",
    FailedBecause.OTHER: "it could not be carried out",
}
_DECIDED: Final = {
    DecisionKind.ACCEPT: ("accepted", "ok"),
    DecisionKind.REJECT: ("rejected", "bad"),
    DecisionKind.EDIT: ("edited", "info"),
    DecisionKind.SKIP: ("skipped", "dim"),
}
_OUTCOME_ROLES: Final = {
    Outcome.SOLVED: "ok",
    Outcome.CORRECTED: "ok",
    Outcome.UNPROVEN: "warn",
    Outcome.REFUSED: "warn",
    Outcome.BLOCKED: "warn",
}
_WORTH_A_WORD: Final = 3
_POLICY: Final = Policy()


def counted(number: int, noun: str, nouns: str = "") -> str:
    """Return a number with its noun in the singular or the plural."""
    return f"{number:,} {noun if number == 1 else nouns or noun + 's'}"


def category_word(name: str) -> str:
    """Return a category in at most eight letters; the name is the caller's to clean."""
    return _CATEGORIES.get(name, name.partition("_")[0][:_LONGEST_CATEGORY])


def short_category_word(name: str) -> str:
    """Return a category in at most five letters, for narrow lists; the name is the caller's to clean."""
    return _SHORT_CATEGORIES.get(name, name.partition("_")[0][:_SHORTEST_CATEGORY])


def decided_word(decision: Decision | None) -> str:
    """Return what was decided, in one word."""
    return "undecided" if decision is None else _DECIDED[decision.kind][0]


def decision_role(kind: DecisionKind | None) -> str:
    """Return the role in which a decision is drawn."""
    return "dim" if kind is None else _DECIDED[kind][1]


def decider(decision: Decision) -> str:
    """Return who decided."""
    return "automatically" if decision.by == AUTO else f"by {decision.by}"


def outcome_role(outcome: Outcome) -> str:
    """Return the role in which the end of a trace is drawn."""
    return _OUTCOME_ROLES.get(outcome, "bad")


def outcome_words(trace: Trace, *, held: bool = False) -> str:
    """Return how a trace ended, for somebody who does not know our words."""
    count = len(trace.attempts)
    if held:
        return "held: nothing runs until a person allows it"
    match trace.outcome:
        case Outcome.SOLVED if count <= 1:
            return "solved at the first try"
        case Outcome.SOLVED:
            hinted = any(attempt.hint is not None for attempt in trace.attempts)
            return f"solved at attempt {count}, after {'a person asked again' if hinted else 'no usable answer'}"
        case Outcome.CORRECTED:
            return f"corrected at attempt {count}, after the server refused"
        case Outcome.REFUSED:
            return "refused: the model gave no command"
        case Outcome.UNPROVEN:
            return "unproven: not shown to work, nor to fail"
        case Outcome.FAILED:
            return f"failed: still wrong after {counted(count, 'attempt')}"
        case Outcome.BLOCKED:
            return "blocked: nothing of the last answer was run"
        case Outcome.ERRORED:
            return "errored: a fault, which says nothing about the answer"


def verdict_role(result: CommandResult) -> str:
    """Return the role of a verdict's sign; what is the circumstances' fault is no more than a warning."""
    verdict = result.verdict
    if verdict.outcome is VerdictOutcome.PASSED:
        return "info" if result.probed else "ok"
    if verdict.outcome is VerdictOutcome.UNCLEAR:
        return "warn"
    blameless = verdict.because not in (None, FailedBecause.OTHER)
    return "warn" if verdict.outcome is VerdictOutcome.FAILED and blameless else "bad"


def verdict_words(result: CommandResult) -> str:
    """Return what a person should know of a verdict, blank where the sign says it all."""
    verdict = result.verdict
    match verdict.outcome:
        case VerdictOutcome.PASSED:
            return "parsed, not run" if result.probed or result.level is Level.PARSED else ""
        case VerdictOutcome.REJECTED:
            return "rejected"
        case VerdictOutcome.FAILED:
            return f"failed: {_BECAUSE[verdict.because or FailedBecause.OTHER]}"
        case VerdictOutcome.UNCLEAR:
            return f"unclear: {_why_unclear(result)}"


def gravest(found: tuple[Risk, ...]) -> Risk:
    """Return the largest risk of an answer, the first of several."""
    return max(found, key=lambda risk: risk[0], default=(0, ""))


def risk_words(risk: Risk) -> str:
    """Return why a command is risky; blank where it is not."""
    return risk[1] if risk[0] >= _WORTH_A_WORD else ""


def moved_words(moved: Moved) -> str:
    """Return what an undo or a redo did, without a full stop: `Undone: reject #3 and 2 more`."""
    verb = "Undone" if moved.kind == "undo" else "Done again"
    more = len(moved.traces) - 1
    kind = f"automatic {moved.decision.kind.value}" if moved.decision.by == AUTO else moved.decision.kind.value
    return f"{verb}: {kind} #{moved.traces[-1][1]}{f' and {more:,} more' if more else ''}"


def unmoved_words(*, back: bool) -> str:
    """Return why an undo or a redo did nothing."""
    if back:
        return (
            "There is nothing to undo: no decision that a person made here stands in this workspace. "
            "What was accepted automatically, or imported, is undone while the review screen shows it."
        )
    return "There is nothing to redo: no decision was undone in this workspace since the last one that was made."


@lru_cache(256)
def risks(commands: tuple[str, ...]) -> tuple[Risk, ...]:
    """Return what the policy's own rules say of each command of an answer.

    Those of the settings are left out: they permit and forbid, and make no command more or less risky.
    """
    return tuple((ruling.risk, _why(ruling.action, ruling.reason)) for ruling in _POLICY.review_all(commands))


def _why(action: Action, reason: str) -> str:
    """Return a ruling's reason without its beginning and the command, which stands beside it."""
    if action is Action.ALLOW:
        return "changes the world, or many"
    why = reason.partition(": ")[2].rpartition(" (`")[0] or reason
    return why.removeprefix("it ")


def _why_unclear(result: CommandResult) -> str:
    message, reply = result.verdict.message, result.reply.strip()
    if message and message.strip() != reply:
        return message
    return "the reply has no known meaning" if reply else "silence proves nothing here"
