"""What a trace says of its model: right, right after a fix, wrong and why, or nothing yet."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from selfplay_core.bakeoff.cases import Case
from selfplay_core.bakeoff.expectation import unmet
from selfplay_core.models import Attempt, FailedBecause, Outcome, Trace, VerdictOutcome
from selfplay_core.text import clip, one_line
from selfplay_core.verify.speech import shows_no_deed

__all__ = ["Circumstances", "Mark", "Marked", "Why", "mark"]


class Mark(StrEnum):
    """OK, FIXED and MISS are the decided cases; FIXED is a part of what is right."""

    OK = "ok"
    FIXED = "fixed"
    MISS = "miss"
    OPEN = "open"
    ERRORED = "errored"

    @property
    def is_decided(self) -> bool:
        return self in (Mark.OK, Mark.FIXED, Mark.MISS)

    @property
    def is_right(self) -> bool:
        return self in (Mark.OK, Mark.FIXED)


class Why(StrEnum):
    """Why an answer is a MISS, or why nothing is decided."""

    REJECTED = "rejected"
    FAILED = "failed"
    REFUSED = "refused"
    BLANK = "blank"
    ILL_TYPED = "no valid answer"
    DENIED = "denied"
    UNMET = "expectation unmet"
    NOBODY = "nobody matched"
    UNCLEAR = "no clear reply"
    ONLY_SPEAKS = "only speaks or asks"
    ASKED = "a person must allow it"
    TOO_SLOW = "a pattern that takes too long"
    FAULT = "a server's fault"


@dataclass(frozen=True, slots=True)
class Circumstances:
    """What a trace does not tell of itself.

    `said_nothing`: it errored because the model's own reply was blank, or longer than allowed, each time it was asked;
    a reply that was cut off is a fault like others. `was_denied`: the policy denies the commands of a blocked trace,
    and does not only ask about them. `probing`: the whole bake-off only probes.
    """

    said_nothing: bool = False
    was_denied: bool = False
    probing: bool = False


@dataclass(frozen=True, slots=True)
class Marked:
    """A mark; `why` is None for what is right, `detail` says more where there is more to say."""

    mark: Mark
    why: Why | None = None
    detail: str = ""


def mark(case: Case, trace: Trace, circumstances: Circumstances) -> Marked:
    """Return what a trace says of its model.

    A refused, rejected or failed answer is a MISS whatever is expected, unless a refusal is. What ran, and what could
    not be shown (nobody was there, the answer only speaks), is decided by the expectation where there is one: met is
    OK, unmet is MISS. Without one such an answer stays OPEN: no error is not the same as done. Where the whole bake-off
    only probes, that the server's parser takes the commands is all that can be shown, and is OK.
    """
    if trace.outcome is Outcome.ERRORED:
        return _errored(trace, circumstances)
    if case.expects is not None and case.expects.refuse:
        return _refusal(trace)
    match trace.outcome:
        case Outcome.REFUSED:
            return Marked(Mark.MISS, Why.REFUSED)
        case Outcome.FAILED:
            return _failed(trace)
        case Outcome.BLOCKED:
            denied = Marked(Mark.MISS, Why.DENIED, trace.reason)
            return denied if circumstances.was_denied else Marked(Mark.OPEN, Why.ASKED, trace.reason)
        case _:
            return _ran(case, trace, probing=circumstances.probing)


def _refusal(trace: Trace) -> Marked:
    if trace.outcome is Outcome.REFUSED:
        return Marked(Mark.OK)
    answer = trace.last.answer if trace.last is not None else None
    gives = answer is not None and bool(answer.commands)
    return Marked(Mark.MISS, Why.UNMET, "it gives commands where it should refuse" if gives else "it does not refuse")


def _ran(case: Case, trace: Trace, *, probing: bool) -> Marked:
    last = trace.attempts[-1]
    right = Marked(Mark.OK if len(trace.attempts) == 1 else Mark.FIXED)
    if case.expects is not None:
        try:
            lacking = unmet(case.expects, last)
        except TimeoutError:
            return Marked(Mark.OPEN, Why.TOO_SLOW)
        return right if lacking is None else Marked(Mark.MISS, Why.UNMET, lacking)
    if trace.outcome is Outcome.UNPROVEN and not (probing and _was_parsed(last)):
        return Marked(Mark.OPEN, _why_open(last), trace.reason)
    if last.answer is not None and shows_no_deed(case.category, last.answer.commands):
        return Marked(Mark.OPEN, Why.ONLY_SPEAKS)
    return right


def _errored(trace: Trace, circumstances: Circumstances) -> Marked:
    if circumstances.said_nothing:
        return Marked(Mark.MISS, Why.BLANK, trace.reason)
    return Marked(Mark.ERRORED, Why.FAULT, trace.reason)


def _failed(trace: Trace) -> Marked:
    last = trace.last
    if last is None or last.answer is None or last.error is not None:
        return Marked(Mark.MISS, Why.ILL_TYPED, trace.reason)
    if not last.answer.commands:
        return Marked(Mark.MISS, Why.REFUSED, trace.reason)
    rejected = any(result.verdict.outcome is VerdictOutcome.REJECTED for result in last.results)
    return Marked(Mark.MISS, Why.REJECTED if rejected else Why.FAILED, clip(one_line(trace.reason), 400))


def _was_parsed(last: Attempt) -> bool:
    return all(result.probed and result.verdict.outcome is VerdictOutcome.PASSED for result in last.results)


def _why_open(last: Attempt) -> Why:
    if _was_parsed(last):
        return Why.ASKED
    circumstances = (FailedBecause.NOBODY, FailedBecause.NOT_LOADED, FailedBecause.NEEDS_PLAYER)
    is_nobody = any(result.verdict.because in circumstances for result in last.results)
    return Why.NOBODY if is_nobody else Why.UNCLEAR
