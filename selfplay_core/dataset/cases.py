"""What every format is given of a trace, and what it gives back: lines of a file, or why there are none."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, Final

import orjson

from selfplay_core.dataset.conversation import Conversation, conversation
from selfplay_core.dataset.evidence import Evidence, evidence_of, gives_row, standing_answer, verifier_name
from selfplay_core.models import Answer, Decision, DecisionKind, Trace

__all__ = [
    "UNSHOWN",
    "VERIFIED",
    "Case",
    "LeftOut",
    "Line",
    "Origin",
    "Renderer",
    "canonical",
    "content_id",
    "tags_of",
    "taught",
    "verifier_in",
    "why_not_accepted",
]


VERIFIED: Final = "rcon_verified"
"""The tag, and the key of a line, that say that every command was executed on a real server."""

UNSHOWN: Final = "not_shown_to_work"
"""The tag of lines whose accepted answer no server was shown to carry out: a person alone stands for it."""

_VERIFIER: Final = "verifier_"


class LeftOut(StrEnum):
    """Why a trace gives no line."""

    UNDECIDED = "undecided"
    SKIPPED = "skipped"
    REJECTED = "rejected"
    UNREADABLE = "not readable as stored"
    NO_ANSWER = "no answer to train on"
    NO_PAIR = "no two answers to compare"
    NO_LABEL = "no answer that is known to be good or bad"
    SAME = "the same as an earlier line"
    NEAR = "nearly the same as an earlier line"
    CROWDED = "more than wanted of one skeleton"
    UNSHOWN = "not shown to work"
    BAKEOFF = "a case of a bake-off, or nearly one"


@dataclass(frozen=True, slots=True)
class Origin:
    """The run that a trace is of; `seed` in decimal digits, as it may be wider than JSON's readers take."""

    run: str
    seed: str


@dataclass(frozen=True, slots=True)
class Case:
    """A trace with what stands of it in the workspace; `history` are the decisions that stand, the last one counts.

    `number` is the trace's in this workspace, `ended_at` seconds since the epoch, `accepted` its place in the order of
    acceptance, from 1 on, where that was asked for.
    """

    number: int
    trace: Trace
    history: tuple[Decision, ...]
    ended_at: float
    origin: Origin
    flagged: bool = False
    accepted: int | None = None

    @property
    def decision(self) -> Decision | None:
        """The decision that counts, None while there is none."""
        return self.history[-1] if self.history else None


@dataclass(frozen=True, slots=True)
class Line:
    """One line of a file without its newline, and by what it is compared with others.

    `prompt` is what was asked, and what two lines about the same prompt `said` must be equal for them to be the same;
    `commands` are those of the answer that stands. `tags` are what a manifest counts.
    """

    data: bytes
    prompt: str
    said: tuple[str, ...]
    commands: tuple[str, ...]
    tags: tuple[str, ...] = ()


Renderer = Callable[[Case], list[Line] | LeftOut]
"""A format: the lines of a trace, or why there are none."""


def canonical(body: Mapping[str, Any]) -> bytes:
    """Return the one JSON text of a body: sorted keys, no blanks, no newline."""
    return orjson.dumps(body, option=orjson.OPT_SORT_KEYS)


def content_id(prefix: str, digest: str) -> str:
    """Return an id that says by what it was made."""
    return f"{prefix}{digest[:24]}"


def why_not_accepted(decision: Decision | None) -> LeftOut | None:
    """Return why a decision gives no row, None where it gives one."""
    if decision is None:
        return LeftOut.UNDECIDED
    if gives_row(decision):
        return None
    return LeftOut.REJECTED if decision.kind is DecisionKind.REJECT else LeftOut.SKIPPED


def tags_of(case: Case, *kinds: str) -> tuple[str, ...]:
    """Return what a manifest counts of a line: its kinds, who judged it, and whether a real server showed it all."""
    answer = standing_answer(case.trace, case.decision)
    evidence = evidence_of(case.trace, case.decision, answer) if answer is not None else None
    world = evidence.world if evidence is not None else case.trace.world
    verified = (VERIFIED,) if evidence is not None and evidence.is_verified else ()
    accepted = answer if case.decision is not None and gives_row(case.decision) else None
    unshown = (UNSHOWN,) if evidence is not None and accepted is not None and _is_unshown(accepted, evidence) else ()
    return (*kinds, f"{_VERIFIER}{verifier_name(world)}", *verified, *unshown)


def _is_unshown(answer: Answer, evidence: Evidence) -> bool:
    return bool(answer.commands) and not evidence.is_proof


def verifier_in(tags: tuple[str, ...]) -> str:
    """Return who the tags say that judged."""
    return next(tag.removeprefix(_VERIFIER) for tag in tags if tag.startswith(_VERIFIER))


def taught(case: Case) -> Conversation | LeftOut:
    """Return the conversation of an accepted trace, or why there is none."""
    return why_not_accepted(case.decision) or conversation(case.trace, case.decision) or LeftOut.NO_ANSWER
