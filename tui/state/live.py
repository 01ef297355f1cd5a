"""What a run says while it goes on: counters, the stream of commands and replies, and who is away."""

from __future__ import annotations

from collections import Counter, deque
from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from typing import Final

from selfplay_core.engine.bulletin import Bulletin
from selfplay_core.events import (
    AttemptJudged,
    Away,
    Back,
    Event,
    GateClosed,
    GateOpened,
    PromptsFailed,
    PromptsGrowAlike,
    PromptsWritten,
    RoundStarted,
    RunEnded,
    RunPaused,
    RunResumed,
    RunStarted,
    TraceEnded,
    TraceHeld,
    TraceStarted,
)
from selfplay_core.models import Attempt, ModelIdentity, Outcome, Trace, VerdictOutcome, WorldIdentity

__all__ = ["Absence", "Live", "StreamRow"]

STREAM_LENGTH: Final = 5_000
_RATE_SECONDS: Final = 60.0


@dataclass(frozen=True, slots=True)
class StreamRow:
    """One row of the stream; `sign` names a glyph, `reply` is what came back.

    `head` is what the row is about, blank where that is the trace of this id, at its so many-th `retry`.
    """

    at: float
    sign: str
    head: str
    text: str
    reply: str = ""
    trace_id: str = ""
    retry: int = 0


@dataclass(frozen=True, slots=True)
class Absence:
    """A server that is away: why, since when, and when the next try is (monotonic seconds)."""

    what: str
    reason: str
    since: float
    next_try: float


@dataclass(slots=True)
class Live:
    """The state of the run in this process, or of the one that is followed; times come from the caller.

    `status` is blank before the first run, `starting`, `running`, `draining`, `following` (another process runs),
    or how the run ended; `reason` says why. `closed` tells of categories of which hardly anything comes, and `alarm`
    that prompts grow alike. `numbers` holds those of traces that have ended, by id; `outcomes`
    counts those that the stream tells of.
    """

    status: str = ""
    reason: str = ""
    paused: str = ""
    model: ModelIdentity | None = None
    world: WorldIdentity | None = None
    round: int = 0
    rounds: int = 0
    seed: int = 0
    in_work: dict[str, str] = field(default_factory=dict)
    outcomes: Counter[Outcome] = field(default_factory=Counter)
    absences: dict[str, Absence] = field(default_factory=dict)
    stream: deque[StreamRow] = field(default_factory=lambda: deque(maxlen=STREAM_LENGTH))
    streamed: int = 0
    numbers: dict[str, int] = field(default_factory=dict)
    closed: dict[str, str] = field(default_factory=dict)
    alarm: str = ""
    _heard: Bulletin | None = None
    _ended: dict[int, int] = field(default_factory=dict)

    def apply(self, event: Event, at: float, clock: float) -> None:
        """Take in one event: `at` is the time of day, `clock` the monotonic one."""
        match event:
            case RunStarted():
                self.status, self.reason, self.paused = "running", "", ""
                self.model, self.world = event.model, event.world
                self.round, self.rounds, self.seed = event.done_rounds, event.rounds, event.seed
                self.absences.clear()
                self.in_work.clear()
                self.closed.clear()
                self.alarm = ""
                self.say(at, "pending", "run", _found(event))
            case RoundStarted():
                self.round = event.round + 1
                self.say(at, "pending", f"round {event.round + 1}", ", ".join(event.categories))
            case PromptsWritten() if event.dropped:
                self.say(at, "skip", event.category, _dropped(event))
            case GateClosed():
                self.closed[event.category] = told = _gate_words(event)
                self.say(at, "held", event.category, f"hardly anything can be won here: {told}")
            case GateOpened():
                self.closed.pop(event.category, None)
                self.say(at, "accept", event.category, "is asked for again")
            case PromptsGrowAlike():
                self.alarm = event.figures
                self.say(at, "reject", "prompts", event.figures)
            case PromptsFailed():
                self.say(at, "reject", event.category, "no prompts", event.reason)
            case TraceStarted():
                self.in_work[event.trace_id] = event.prompt.text
            case AttemptJudged():
                self._judged(event.attempt, event.trace_id, at)
            case TraceHeld():
                self.in_work.pop(event.trace_id, None)
                self.say(at, "held", "", event.command, event.reason, event.trace_id)
            case TraceEnded():
                self._trace_ended(event.trace, at, clock)
            case Away():
                self.absences[event.what] = Absence(
                    event.what, event.reason, clock - event.since, clock + event.retry_in
                )
                self.say(at, "reject", event.what, "away", event.reason)
            case Back():
                self.absences.pop(event.what, None)
                self.say(at, "accept", event.what, f"back after {event.after:.0f} s")
            case RunPaused():
                self.paused = event.reason or "paused"
            case RunResumed():
                self.paused = ""
            case RunEnded():
                self.status, self.reason, self.paused = event.status, event.reason, ""
                self.absences.clear()
                self.in_work.clear()
            case _:
                pass

    def follow(self, trace: Trace, at: float, clock: float) -> None:
        """Take in a trace that another process has ended."""
        for attempt in trace.attempts:
            self._judged(attempt, trace.id, at)
        self._trace_ended(trace, at, clock)

    def pass_over(self, count: int, at: float, clock: float) -> None:
        """Count traces that another process has ended, and of which there are too many to be shown."""
        if count > 0:
            self._count(count, clock)
            self.say(at, "skip", "run", f"{count:,} more prompts were answered than are shown here")

    def hear(self, said: Bulletin, at: float, clock: float) -> None:
        """Take in what the run of another process says of itself."""
        if said == self._heard:
            return
        before, self._heard = self._heard, said
        self.paused = said.paused
        for absent in said.absences:
            if before is None or absent not in before.absences:
                away = Away(absent.what, absent.reason, absent.next_try - at, at - absent.since)
                self.apply(away, at, clock)
        for gate in said.closed:
            if before is None or gate not in before.closed:
                self.apply(gate, at, clock)
        for category in set(self.closed) - {gate.category for gate in said.closed}:
            self.apply(GateOpened(category), at, clock)
        if said.alike is not None and (before is None or said.alike != before.alike):
            self.apply(said.alike, at, clock)
        names = {absent.what for absent in said.absences}
        for absence in [absence for absence in self.absences.values() if absence.what not in names]:
            self.apply(Back(absence.what, clock - absence.since), at, clock)

    def lose_sight(self, reason: str) -> None:
        """Note that the run of another process has ended; how, only that process knows."""
        self.status, self.reason, self.paused, self._heard = "done", reason, "", None
        self.absences.clear()

    def number(self, ended: Iterable[tuple[int, str]]) -> None:
        """Note the numbers of traces, of which as many are kept as the stream has rows."""
        for number, trace_id in ended:
            self.numbers[trace_id] = number
        while len(self.numbers) > STREAM_LENGTH:
            del self.numbers[next(iter(self.numbers))]

    def try_now(self, clock: float) -> None:
        """Note that every server that is away is being tried."""
        for what, absence in self.absences.items():
            self.absences[what] = replace(absence, next_try=min(absence.next_try, clock))

    def per_minute(self, clock: float) -> float:
        """Return how many traces ended within the last minute."""
        for second in [second for second in self._ended if second < clock - _RATE_SECONDS]:
            del self._ended[second]
        return sum(self._ended.values()) * 60 / _RATE_SECONDS

    def say(
        self, at: float, sign: str, head: str, text: str, reply: str = "", trace_id: str = "", retry: int = 0
    ) -> None:
        """Add a row to the stream."""
        self.stream.append(StreamRow(at, sign, head, text, reply, trace_id, retry))
        self.streamed += 1

    def _judged(self, attempt: Attempt, trace_id: str, at: float) -> None:
        retry = attempt.number - 1
        if attempt.error is not None:
            self.say(at, "reject", "", "no usable answer", attempt.error, trace_id, retry)
        for result in attempt.results:
            signs = {VerdictOutcome.PASSED: "accept", VerdictOutcome.UNCLEAR: "unclear"}
            sign = signs.get(result.verdict.outcome, "reject")
            self.say(at, sign, "", result.command, result.reply, trace_id, retry)

    def _trace_ended(self, trace: Trace, at: float, clock: float) -> None:
        self.in_work.pop(trace.id, None)
        self.outcomes[trace.outcome] += 1
        self._count(1, clock)
        if trace.outcome in (Outcome.BLOCKED, Outcome.ERRORED, Outcome.REFUSED):
            sign = "held" if trace.outcome is Outcome.BLOCKED else "reject"
            self.say(at, sign, "", trace.outcome, trace.reason, trace.id)

    def _count(self, traces: int, clock: float) -> None:
        second = int(clock)
        self._ended[second] = self._ended.get(second, 0) + traces


def _dropped(event: PromptsWritten) -> str:
    others = len(event.dropped) - event.copies
    parts = [(event.copies, "nearly known"), (others, "unusable")]
    return f"{', '.join(f'{count} {words}' for count, words in parts if count)} prompts dropped"


def _gate_words(gate: GateClosed) -> str:
    """Return how little came of a category, and what the server said most."""
    return f"{gate.won} of {gate.tried}" + (f", {gate.error}" if gate.error else "")


def _found(event: RunStarted) -> str:
    """Return what a start found in the workspace."""
    verb = "goes on" if event.resumed else "begins"
    left = f", {event.leftovers} prompts that wait for an answer come first" if event.leftovers else ""
    return f"{verb} with seed {event.seed}, {event.done_rounds} of {event.rounds} rounds are written{left}"
