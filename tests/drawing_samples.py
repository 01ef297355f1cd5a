"""Examples as the store gives them, for the tests of what is drawn."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from selfplay_core.models import (
    Answer,
    Attempt,
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
from selfplay_core.store.listing import Example
from selfplay_core.store.log import Standing
from tests.samples import make_attempt, make_result, make_trace
from tui.drawing.lines import Line, plain

__all__ = [
    "BESSIE",
    "GLOW",
    "SANDBOX",
    "TELL",
    "as_text",
    "corrected",
    "hostile",
    "hostile_edit",
    "make_example",
    "unproven",
]

SANDBOX = WorldIdentity(WorldKind.SANDBOX, "selfplay-sandbox", "1")
GLOW = "execute as @a at @s run effect give @e[type=cow,distance=..10] glowing 30 0 true"
BESSIE = "data merge entity @e[type=cow,limit=1,sort=nearest] {CustomName:'\"Bessie\"'}"
TELL = 'tellraw @a [{"text":"Done","color":"gold"}]'


def make_example(
    trace: Trace, decision: Decision | None = None, *, flagged: bool = False, same_as: int | None = None
) -> Example:
    """An example that stands decided as given."""
    standing = Standing(0 if decision is None else 1, decision, decision is not None, can_redo=False)
    return Example(1843, "run", 0.0, trace, standing, flagged, same_as)


def corrected() -> Trace:
    """Right at the second attempt, with a hint and a command more."""
    first = make_attempt(
        1,
        make_result(GLOW, reply="Applied effect Glowing to 3 targets"),
        make_result(
            BESSIE.replace("'\"Bessie\"'", "Bessie"),
            VerdictOutcome.REJECTED,
            reply="Expected value at position 12: \u2026{CustomName:<--[HERE]",
        ),
        reasoning="First make them glow.",
    )
    second = make_attempt(
        2,
        make_result(GLOW, reply="Applied effect Glowing to 3 targets"),
        make_result(BESSIE, reply="Modified entity data of Bessie"),
        make_result(TELL, reply=""),
        reasoning="CustomName takes a JSON text string, so it needs both kinds of quotes.",
    )
    return make_trace(
        replace(first, thinking="Cows. " * 100, seconds=2.1, output_tokens=312),
        replace(second, hint="Quote the name."),
        outcome=Outcome.CORRECTED,
        text="Make every cow within ten blocks of a player glow for thirty seconds, then name the nearest one Bessie.",
        category="execute_chains",
    )


def unproven() -> Trace:
    """A god on the sandbox, to whom nobody listened."""
    attempt = make_attempt(
        1,
        make_result(
            "kill @e[type=cow]", VerdictOutcome.FAILED, reply="No entity was found", because=FailedBecause.NOBODY
        ),
        make_result("execute as @a run foo", VerdictOutcome.UNCLEAR, reply=""),
        message="So be it.",
    )
    trace = make_trace(attempt, outcome=Outcome.UNPROVEN, level=Level.NONE, text="pray remove the cows", world=SANDBOX)
    return replace(trace, reason="failed: 'kill @e[type=cow]' was answered 'No entity was found'")


def hostile_edit(text: str) -> Decision:
    """An edit in which every text is the given one."""
    answer = Answer((text, text), text, text)
    return Decision(DecisionKind.EDIT, by=text, at=1.0, reason=text, edited=answer, edited_prompt=text)


def hostile(text: str) -> Trace:
    """A trace in which every text from outside is the given one."""
    results = (
        make_result(text, reply=text),
        make_result(text, VerdictOutcome.UNCLEAR, reply=text),
        make_result(f"say {text}", VerdictOutcome.REJECTED, reply=text),
    )
    first = make_attempt(1, *results, reasoning=text, message=text)
    second = make_attempt(2, *(replace(result, context=text) for result in results[::-1]), reasoning=text, message=text)
    attempts: Sequence[Attempt] = (
        replace(first, thinking=text, hint=text),
        Attempt(2, raw=text, answer=None, error=text, thinking=text),
        replace(second, number=3, error=text),
    )
    trace = make_trace(*attempts, outcome=Outcome.FAILED, text=text, category=text)
    return replace(trace, reason=text)


def as_text(lines: Sequence[Line]) -> str:
    """The lines as a person sees them, without blanks at their ends."""
    return "\n".join(plain(line).rstrip() for line in lines)
