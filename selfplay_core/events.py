"""What a run announces, one small frozen class each; the name of an event on the wire is its class's in snake_case."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass, fields
from typing import Any

import msgspec

from selfplay_core.models import Attempt, Decision, ModelIdentity, Prompt, Trace, WorldIdentity

__all__ = [
    "Announce",
    "AttemptJudged",
    "Away",
    "Back",
    "Decided",
    "DryRunStarted",
    "Event",
    "GateClosed",
    "GateOpened",
    "PromptsFailed",
    "PromptsGrowAlike",
    "PromptsWritten",
    "RoundStarted",
    "RowsWritten",
    "RunEnded",
    "RunPaused",
    "RunResumed",
    "RunStarted",
    "RunTuned",
    "TraceEnded",
    "TraceHeld",
    "TraceStarted",
    "as_json",
]


@dataclass(frozen=True, slots=True)
class Event:
    """Anything that a run announces."""


@dataclass(frozen=True, slots=True)
class RunStarted(Event):
    """A run begins, or goes on.

    `done_rounds` of `rounds` are written already; `leftovers` are prompts without an answer that are taken up
    first; `expected_prompts` counts these and what the remaining rounds ask for.
    """

    seed: int
    rounds: int
    done_rounds: int
    leftovers: int
    expected_prompts: int
    resumed: bool
    model: ModelIdentity
    world: WorldIdentity


@dataclass(frozen=True, slots=True)
class DryRunStarted(Event):
    """Prompts are going to be written, and nothing else."""

    seed: int
    rounds: int
    model: ModelIdentity


@dataclass(frozen=True, slots=True)
class RoundStarted(Event):
    """The categories of a round have been chosen."""

    round: int
    categories: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class PromptsWritten(Event):
    """Prompts of one category are there, by the model or from a file; `dropped` pairs unusable ones with the reason.

    `copies` of these were dropped because nearly the same was asked before.
    """

    round: int
    category: str
    asked: int
    prompts: tuple[str, ...]
    dropped: tuple[tuple[str, str], ...]
    copies: int = 0


@dataclass(frozen=True, slots=True)
class PromptsFailed(Event):
    """No prompts of a category could be had in this round; `dropped` were unusable, `copies` of these nearly known."""

    round: int
    category: str
    asked: int
    reason: str
    dropped: int = 0
    copies: int = 0


@dataclass(frozen=True, slots=True)
class GateClosed(Event):
    """Hardly anything can be won in a category, so it is asked for seldom; `error` is what the server said most."""

    category: str
    won: int
    tried: int
    error: str


@dataclass(frozen=True, slots=True)
class GateOpened(Event):
    """A category is asked for again as its weakness deserves."""

    category: str


@dataclass(frozen=True, slots=True)
class PromptsGrowAlike(Event):
    """Prompts and answers have grown poorer over three rounds; `figures` tells how much."""

    round: int
    figures: str


@dataclass(frozen=True, slots=True)
class TraceStarted(Event):
    """A prompt is being answered."""

    trace_id: str
    prompt: Prompt


@dataclass(frozen=True, slots=True)
class AttemptJudged(Event):
    """An answer was decoded and, where it could be, its commands were run and judged."""

    trace_id: str
    attempt: Attempt


@dataclass(frozen=True, slots=True)
class TraceHeld(Event):
    """An attempt waits for a person: `command` is the first that the policy asks about, and `reason` why."""

    trace_id: str
    command: str
    reason: str
    prompt: Prompt
    run_id: str


@dataclass(frozen=True, slots=True)
class TraceEnded(Event):
    """A trace ended and stands in the database."""

    trace: Trace


@dataclass(frozen=True, slots=True)
class Decided(Event):
    """A decision stands in the database; `same_as` is the number of the trace whose row is already out."""

    trace_id: str
    decision: Decision
    same_as: int | None


@dataclass(frozen=True, slots=True)
class RowsWritten(Event):
    """Rows reached the output file."""

    path: str
    rows: int


@dataclass(frozen=True, slots=True)
class Away(Event):
    """A server cannot be used for now; the next try is in `retry_in` seconds."""

    what: str
    reason: str
    retry_in: float
    since: float


@dataclass(frozen=True, slots=True)
class Back(Event):
    """A server that was away answers again."""

    what: str
    after: float


@dataclass(frozen=True, slots=True)
class RunPaused(Event):
    """The run takes up nothing new for now: a person said so, or it has a reason of its own."""

    reason: str


@dataclass(frozen=True, slots=True)
class RunResumed(Event):
    """No reason for a pause is left."""


@dataclass(frozen=True, slots=True)
class RunTuned(Event):
    """A person set the run anew: `focus` is None where every category of the run has its turn."""

    focus: str | None
    concurrency: int
    max_retries: int


@dataclass(frozen=True, slots=True)
class RunEnded(Event):
    """The run is over; `status` is `done`, `interrupted` or `gave_up`."""

    status: str
    reason: str


Announce = Callable[[Event], None]
"""Where a run's events go; returns at once and never raises."""


def as_json(event: Event) -> dict[str, Any]:
    """Return the event as JSON-ready data with its name under `event`.

    A `TraceEnded` is summarised: its prompt, category and outcome at the top, and the last attempt's commands.
    """
    body: dict[str, Any]
    if isinstance(event, TraceEnded):
        body = _summary(event.trace)
    else:
        body = {item.name: msgspec.to_builtins(getattr(event, item.name)) for item in fields(event)}
    return {"event": _name(event), **body}


def _name(event: Event) -> str:
    return re.sub(r"(?<!^)(?=[A-Z])", "_", type(event).__name__).lower()


def _summary(trace: Trace) -> dict[str, Any]:
    last = trace.last
    results = last.results if last else ()
    return {
        "trace_id": trace.id,
        "round": trace.prompt.round,
        "slot": trace.prompt.slot,
        "category": trace.prompt.category,
        "mode": trace.prompt.mode.value,
        "prompt": trace.prompt.text,
        "outcome": trace.outcome.value,
        "level": trace.level.value,
        "reason": trace.reason,
        "attempts": len(trace.attempts),
        "commands": list(last.answer.commands) if last and last.answer else [],
        "replies": [result.reply for result in results],
        "verdicts": [result.verdict.outcome.value for result in results],
    }
