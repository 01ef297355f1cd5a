"""Traces as the engine makes them, for the tests of what comes after."""

from __future__ import annotations

from selfplay_core.models import (
    Answer,
    Attempt,
    CommandResult,
    Decision,
    DecisionKind,
    FailedBecause,
    Level,
    Mode,
    ModelIdentity,
    Outcome,
    Prompt,
    Trace,
    Verdict,
    VerdictOutcome,
    WorldIdentity,
    WorldKind,
)

__all__ = ["ACCEPT", "AUTO_ACCEPT", "PAPER", "make_attempt", "make_result", "make_trace"]

PAPER = WorldIdentity(WorldKind.REAL, "Paper", "1.21.4")
AUTO_ACCEPT = Decision(DecisionKind.ACCEPT, by="auto", at=1.0)
ACCEPT = Decision(DecisionKind.ACCEPT, by="operator", at=2.0)

_LEVELS = {VerdictOutcome.PASSED: Level.EXECUTED, VerdictOutcome.FAILED: Level.PARSED}


def make_result(
    command: str,
    outcome: VerdictOutcome = VerdictOutcome.PASSED,
    *,
    reply: str = "Done.",
    because: FailedBecause | None = None,
    level: Level | None = None,
) -> CommandResult:
    """A judged command."""
    return CommandResult(command, reply, Verdict(outcome, because), level or _LEVELS.get(outcome, Level.NONE))


def make_attempt(
    number: int, *results: CommandResult, reasoning: str = "Because.", message: str | None = None
) -> Attempt:
    """An attempt whose answer holds the commands of its results."""
    commands = tuple(result.command for result in results)
    return Attempt(number, raw="{}", answer=Answer(commands, reasoning, message), results=results)


def make_trace(
    *attempts: Attempt,
    outcome: Outcome = Outcome.SOLVED,
    level: Level = Level.EXECUTED,
    text: str = "sudo give me a torch",
    category: str = "edge_items",
    world: WorldIdentity = PAPER,
) -> Trace:
    """An ended trace on a real server."""
    mode = Mode.GOD if text.startswith("pray") else Mode.SUDO
    return Trace(
        id="t1",
        prompt=Prompt(text, category, mode, 0, 0),
        attempts=attempts or (make_attempt(1, make_result("give slingshooter08 torch")),),
        outcome=outcome,
        level=level,
        reason="",
        system="You are the console.",
        model=ModelIdentity("ollama", "some-model", "sha256:1", "0.32"),
        world=world,
        parameters={"answer_temperature": 0.3},
    )
