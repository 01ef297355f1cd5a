"""Which answers are better than which, from the server's refusals and from a person's edits."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from rapidfuzz.distance import Levenshtein

from selfplay_core.dataset.conversation import answer_text, attempt_text
from selfplay_core.dataset.evidence import evidence_of, gives_row, standing_answer
from selfplay_core.judging import Finding, find
from selfplay_core.models import Answer, Attempt, Decision, DecisionKind, Outcome, Trace

__all__ = ["NEAR_PAIR", "Label", "Origin", "Pair", "labels", "pairs"]

NEAR_PAIR: Final = 0.1
"""Below this share of changed tokens plain DPO may lower the likelihood of the chosen answer too (arXiv 2402.13228)."""

_TOKEN: Final = re.compile(r"\w+|\W")
_CONDEMNING: Final = frozenset({"wrong", "unsafe"})


class Origin(StrEnum):
    """Who prefers: the server, which refused one answer, or a person, who changed it."""

    RETRY = "retry"
    EDIT = "edit"


@dataclass(frozen=True, slots=True)
class Pair:
    """Two answers to one prompt, as text; `attempt` is the number of the rejected one.

    `distance` counts the tokens (words and single signs) that differ, `share` is their part of the longer text;
    `verified` says whether the chosen answer was executed on a real server.
    """

    origin: Origin
    attempt: int
    chosen: str
    rejected: str
    distance: int
    share: float
    verified: bool

    @property
    def is_near(self) -> bool:
        """Whether the two differ in so little that plain DPO may do harm."""
        return self.share < NEAR_PAIR


@dataclass(frozen=True, slots=True)
class Label:
    """One answer and whether it is wanted; `why` names the evidence, `attempt` is 0 for a person's own."""

    attempt: int
    text: str
    wanted: bool
    why: str


def pairs(trace: Trace, decision: Decision | None) -> list[Pair]:
    """Return the pairs of an accepted trace: each refused attempt, and the model's answer that a person changed.

    The chosen one is the answer that stands. An edit of the answer gives exactly one pair of its own; what a person
    accepted although the server refused it is preferred to nothing.
    """
    answer = standing_answer(trace, decision)
    if decision is None or answer is None or not gives_row(decision):
        return []
    mode, last = trace.prompt.mode, trace.last
    chosen = answer_text(answer, mode)
    evidence = evidence_of(trace, decision, answer)
    if evidence.is_refused:
        return []
    verified = evidence.is_verified
    found: list[Pair] = []
    if last is not None and decision.edited is not None:
        found.append(_pair(Origin.EDIT, last.number, chosen, attempt_text(last, mode), verified))
    if decision.edited is not None or _stands(trace):
        found.extend(
            _pair(Origin.RETRY, attempt.number, chosen, attempt_text(attempt, mode), verified)
            for attempt in trace.attempts[:-1]
            if _is_refused(trace, attempt) and not _says(attempt, answer)
        )
    return [pair for pair in found if pair.rejected.strip() and pair.chosen != pair.rejected]


def labels(trace: Trace, decision: Decision | None) -> list[Label]:
    """Return every attempt with its verdict: refused ones are not wanted, the one that was accepted is.

    An answer that the server took and nobody accepted is neither; one that a person rejected as wrong or unsafe is
    not wanted, whatever the server said.
    """
    return list(_labels(trace, decision))


def _labels(trace: Trace, decision: Decision | None) -> Iterator[Label]:
    mode, last = trace.prompt.mode, trace.last
    standing = standing_answer(trace, decision) if decision is not None and gives_row(decision) else None
    for attempt in trace.attempts:
        # What was refused once and passed later was refused by its circumstances.
        if _is_refused(trace, attempt) and not (standing is not None and _says(attempt, standing)):
            why = "no_answer" if attempt.answer is None else "refused_by_server"
            yield Label(attempt.number, attempt_text(attempt, mode), wanted=False, why=why)
    if decision is None or last is None:
        return
    if standing is not None:
        yield from _accepted(trace, decision, standing, last)
    elif _condemns(decision) and last.answer is not None and not _is_refused(trace, last):
        yield Label(last.number, answer_text(last.answer, mode), wanted=False, why=f"rejected_{decision.reason}")


def _accepted(trace: Trace, decision: Decision, standing: Answer, last: Attempt) -> Iterator[Label]:
    mode = trace.prompt.mode
    if decision.edited is None:
        if _stands(trace):
            yield Label(last.number, answer_text(standing, mode), wanted=True, why="accepted")
        return
    if evidence_of(trace, decision, standing).is_refused:
        return
    yield Label(0, answer_text(standing, mode), wanted=True, why="edited")
    if last.answer is not None and not _is_refused(trace, last) and not _says(last, standing):
        yield Label(last.number, answer_text(last.answer, mode), wanted=False, why="edited_away")


def _stands(trace: Trace) -> bool:
    """Whether the model's last answer was let through and taken, or is one without commands."""
    last = trace.last
    if last is None or last.answer is None or _is_refused(trace, last):
        return False
    return bool(last.results) or not last.answer.commands


def _says(attempt: Attempt, answer: Answer) -> bool:
    """Whether an attempt has the very commands of an answer."""
    return attempt.answer is not None and bool(answer.commands) and attempt.answer.commands == answer.commands


def _is_refused(trace: Trace, attempt: Attempt) -> bool:
    """Whether the server refused an attempt, or it was no answer; a fault is neither."""
    if attempt.answer is None:
        return trace.outcome is not Outcome.ERRORED or attempt is not trace.last
    earlier = trace.attempts[: trace.attempts.index(attempt)]
    return bool(attempt.results) and find(attempt.results, earlier=earlier) is Finding.MISTAKEN


def _condemns(decision: Decision) -> bool:
    return decision.kind is DecisionKind.REJECT and decision.reason in _CONDEMNING


def _pair(origin: Origin, attempt: int, chosen: str, rejected: str, verified: bool) -> Pair:
    first, second = _TOKEN.findall(chosen), _TOKEN.findall(rejected)
    distance = Levenshtein.distance(first, second)
    share = distance / max(len(first), len(second), 1)
    return Pair(origin, attempt, chosen, rejected, distance, round(share, 4), verified)
