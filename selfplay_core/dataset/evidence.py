"""What speaks for a decided trace: which answer stands, which world showed what of it, and how much that is."""

from __future__ import annotations

from dataclasses import dataclass, replace
from types import MappingProxyType
from typing import Final

from selfplay_core.judging import Finding, find
from selfplay_core.models import (
    Answer,
    CommandResult,
    Decision,
    DecisionKind,
    FailedBecause,
    Level,
    Outcome,
    Trace,
    VerdictOutcome,
    WorldIdentity,
    WorldKind,
)

__all__ = [
    "Evidence",
    "evidence_of",
    "gives_row",
    "holds",
    "is_edited",
    "outcome_of",
    "own_commands",
    "standing_answer",
    "verifier_name",
]


_ENDS: Final = MappingProxyType(
    {Finding.PROVEN: Outcome.SOLVED, Finding.UNPROVEN: Outcome.UNPROVEN, Finding.MISTAKEN: Outcome.FAILED}
)


@dataclass(frozen=True, slots=True)
class Evidence:
    """The results of exactly the standing answer's commands, empty where they were never run.

    `level` is what they show together; `is_proof` says that all passed, or had nothing to change; `is_refused` that
    the server objected to one.
    """

    results: tuple[CommandResult, ...]
    world: WorldIdentity
    level: Level
    is_proof: bool

    @property
    def is_refused(self) -> bool:
        """Whether a world refused a command, or carried it out in vain, as an error of the answer."""
        return bool(self.results) and find(self.results) is Finding.MISTAKEN

    @property
    def is_verified(self) -> bool:
        """Whether every command was executed on a real server, as that server said."""
        return self.world.kind is WorldKind.REAL and self.is_proof and self.level is Level.EXECUTED


def gives_row(decision: Decision) -> bool:
    """Whether the decision accepts something."""
    return decision.kind in (DecisionKind.ACCEPT, DecisionKind.EDIT)


def is_edited(decision: Decision | None) -> bool:
    """Whether a person changed the prompt or the answer."""
    return decision is not None and (decision.edited is not None or decision.edited_prompt is not None)


def standing_answer(trace: Trace, decision: Decision | None) -> Answer | None:
    """Return what a person made of the answer, else the model's last one; None where no answer came."""
    if decision is not None and decision.edited is not None:
        return decision.edited
    return trace.last.answer if trace.last is not None else None


def own_commands(trace: Trace) -> tuple[str, ...] | None:
    """Return the commands of the model's last answer, None without one."""
    answer = trace.last.answer if trace.last is not None else None
    return None if answer is None else answer.commands


def outcome_of(trace: Trace, answer: Answer, evidence: Evidence) -> Outcome:
    """Return how the answer that stands ended: the trace's end is that of the model's commands, not of a person's."""
    if answer.commands == own_commands(trace):
        return trace.outcome
    return _ENDS[find(evidence.results)] if evidence.results else Outcome.UNPROVEN


def evidence_of(trace: Trace, decision: Decision | None, answer: Answer) -> Evidence:
    """Find the results of an answer's commands: those that a person had made anew, else the trace's for the model's."""
    if decision is not None and decision.world is not None and _covers(decision.results, answer):
        return _weighed(decision.results, decision.world, answer)
    if trace.last is not None and answer.commands == own_commands(trace):
        found = _weighed(trace.last.results, trace.world, answer)
        level = _lower(found.level, trace.level)
        return found if is_edited(decision) or level is found.level else replace(found, level=level)
    return Evidence((), trace.world, Level.NONE, is_proof=False)


def holds(result: CommandResult) -> bool:
    """Whether a command passed, or had nothing to change."""
    verdict = result.verdict
    unchanged = verdict.outcome is VerdictOutcome.FAILED and verdict.because is FailedBecause.NOTHING_CHANGED
    return verdict.outcome is VerdictOutcome.PASSED or unchanged


def verifier_name(world: WorldIdentity) -> str:
    """Return who a row says that judged it: `rcon` for a real server, else `sandbox`."""
    return "rcon" if world.kind is WorldKind.REAL else "sandbox"


def _weighed(results: tuple[CommandResult, ...], world: WorldIdentity, answer: Answer) -> Evidence:
    """Take no more from results than they show: the trace's level and outcome are those of another answer."""
    if not _covers(results, answer):
        return Evidence(results, world, Level.NONE, is_proof=False)
    level = min((_shown(result) for result in results), key=lambda level: level.rank)
    return Evidence(results, world, level, is_proof=all(map(holds, results)))


def _lower(one: Level, other: Level) -> Level:
    return min(one, other, key=lambda level: level.rank)


def _covers(results: tuple[CommandResult, ...], answer: Answer) -> bool:
    return bool(results) and tuple(result.command for result in results) == answer.commands


def _shown(result: CommandResult) -> Level:
    if result.verdict.outcome is VerdictOutcome.REJECTED:
        return Level.NONE
    return Level.PARSED if result.probed and result.level is Level.EXECUTED else result.level
