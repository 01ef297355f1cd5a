"""The counts of a run, from its events alone, and the closing table of the original script."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

from selfplay_core.events import (
    Decided,
    DryRunStarted,
    Event,
    PromptsFailed,
    PromptsWritten,
    RowsWritten,
    RunEnded,
    RunStarted,
    TraceEnded,
    TraceHeld,
)
from selfplay_core.models import CATEGORY_NAMES, DecisionKind, Outcome
from selfplay_core.text import clean, one_line

__all__ = ["Summary"]


@dataclass(slots=True)
class Summary:
    """What has happened so far; `apply` is fed every event in its order."""

    started: RunStarted | None = None
    ended: RunEnded | None = None
    outcomes: Counter[Outcome] = field(default_factory=Counter)
    by_category: dict[str, Counter[Outcome]] = field(default_factory=dict)
    first_tries: Counter[str] = field(default_factory=Counter)
    seed: int | None = None
    expected: int = 0
    written: int = 0
    dropped: int = 0
    copies: int = 0
    failed_requests: int = 0
    last_failure: str = ""
    held: int = 0
    undecided: set[str] = field(default_factory=set)
    accepted: int = 0
    duplicates: int = 0
    rows: int = 0

    @property
    def traces(self) -> int:
        """How many prompts have come to their end."""
        return self.outcomes.total()

    def apply(self, event: Event) -> None:
        """Count one event."""
        match event:
            case RunStarted():
                self.started = event
                self.seed = event.seed
                self.expected = event.expected_prompts
            case DryRunStarted():
                self.seed = event.seed
            case PromptsWritten():
                self.written += len(event.prompts)
                self.dropped += len(event.dropped)
                self.copies += event.copies
                self.expected -= event.asked - len(event.prompts)
            case PromptsFailed():
                self.failed_requests += 1
                self.dropped += event.dropped
                self.copies += event.copies
                self.last_failure = event.reason
                self.expected -= event.asked
            case TraceEnded():
                self._count(event)
            case TraceHeld():
                self.held += 1
            case Decided() if event.decision.kind is DecisionKind.ACCEPT:
                self.accepted += 1
                self.undecided.discard(event.trace_id)
                self.duplicates += event.same_as is not None
            case RowsWritten():
                self.rows += event.rows
            case RunEnded():
                self.ended = event
            case _:
                pass

    @property
    def status(self) -> str:
        """How the run ended: done, interrupted, gave_up or failed."""
        if self.ended is None:
            return "interrupted"
        return "failed" if self.ended.status == "done" and self._in_vain else self.ended.status

    @property
    def reason(self) -> str:
        """Why it ended so, where there is something to say."""
        if self.ended is None or self.ended.reason or not self._in_vain:
            return self.ended.reason if self.ended else ""
        return f"Nothing came of any request. The latest reason: {self.last_failure}"

    @property
    def _in_vain(self) -> bool:
        """Whether every request ended in a fault: no prompt could be had, or every prompt errored."""
        no_prompts = not self.written and self.failed_requests > 0
        return no_prompts or 0 < self.traces == self.outcomes[Outcome.ERRORED]

    def failed(self, reason: str) -> None:
        """Note that the run ended with an error."""
        self.ended = RunEnded("failed", reason)

    def as_json(self, output: str, seconds: float) -> dict[str, Any]:
        """Return the closing line of a batch run."""
        return {
            "event": "summary",
            "status": self.status,
            "reason": self.reason,
            "seed": self.seed,
            "model": self.started.model.name if self.started else "",
            "verifier": self.started.world.kind.value if self.started else "",
            "prompts": self.traces,
            "outcomes": {outcome.value: self.outcomes[outcome] for outcome in Outcome},
            "by_category": {
                category: {outcome.value: count for outcome, count in sorted(counts.items())}
                for category, counts in self._categories()
            },
            "prompts_written": self.written,
            "dropped_prompts": self.dropped,
            "dropped_copies": self.copies,
            "failed_prompt_requests": self.failed_requests,
            "first_try": self.first_tries.total(),
            "held": self.held,
            "accepted": self.accepted,
            "left_for_a_person": self.left_for_a_person,
            "duplicates": self.duplicates,
            "rows_written": self.rows,
            "output": output,
            "seconds": round(seconds, 3),
        }

    def table(self, output: str, seconds: float) -> Iterator[str]:
        """Yield the lines of the closing summary."""
        yield ""
        yield _HEADING
        for category, counts in self._categories():
            yield _table_line(category, counts, self.first_tries[category])
        yield _table_line("all", self.outcomes, self.first_tries.total())
        yield ""
        yield f"prompts {self.traces}   accepted {self.accepted}   rows written {self.rows}   time {seconds:.0f} s"
        if others := self._others():
            yield f"other: {others}"
        if self.left_for_a_person:
            yield f"{self.left_for_a_person} answers were not accepted by themselves and wait for a person."
        if self.duplicates:
            yield f"{self.duplicates} accepted answers gave a row that is out already; they are not written twice."
        if self.dropped or self.failed_requests:
            how_many = "all" if self.copies == self.dropped else f"{self.copies} of them"
            copies = f", {how_many} nearly known" if self.copies else ""
            yield f"prompts dropped: {self.dropped}{copies}; requests for prompts that failed: {self.failed_requests}"
        if self.held:
            yield f"{self.held} attempts wait for a person."
        yield f"output: {one_line(output)}"
        if self.reason:
            yield f"{self.status}: {clean(self.reason)}"

    @property
    def left_for_a_person(self) -> int:
        """How many traces of this run ended with an answer that nobody has decided on."""
        return len(self.undecided)

    def _count(self, event: TraceEnded) -> None:
        trace = event.trace
        self.outcomes[trace.outcome] += 1
        if trace.outcome is Outcome.ERRORED:
            self.last_failure = trace.reason
        if trace.outcome in _ANSWERED:
            self.undecided.add(trace.id)
        if trace.outcome is Outcome.SOLVED and len(trace.attempts) == 1:
            self.first_tries[trace.prompt.category] += 1
        self.by_category.setdefault(trace.prompt.category, Counter())[trace.outcome] += 1

    def _others(self) -> str:
        later = self.outcomes[Outcome.SOLVED] - self.first_tries.total()
        counts = [(later, "solved after an answer that was none")]
        counts += [(self.outcomes[outcome], outcome.value) for outcome in _OTHERS]
        return ", ".join(f"{count} {words}" for count, words in counts if count)

    def _categories(self) -> Iterator[tuple[str, Counter[Outcome]]]:
        for category in CATEGORY_NAMES:
            if category in self.by_category:
                yield category, self.by_category[category]


_HEADING = f"{'category':<20}{'total':>7}{'first try':>11}{'corrected':>11}{'failed':>8}{'other':>7}{'rate':>8}"
_ANSWERED = (Outcome.SOLVED, Outcome.CORRECTED, Outcome.REFUSED, Outcome.UNPROVEN)
_OTHERS = (Outcome.REFUSED, Outcome.UNPROVEN, Outcome.BLOCKED, Outcome.ERRORED)


def _table_line(name: str, counts: Counter[Outcome], first_tries: int) -> str:
    """Return one line of the table; a server's or the model's fault counts against no category."""
    total = counts.total()
    judged = total - counts[Outcome.ERRORED]
    corrected, failed = counts[Outcome.CORRECTED], counts[Outcome.FAILED]
    other = total - first_tries - corrected - failed
    rate = f"{first_tries / judged:.0%}" if judged else "-"
    return f"{name:<20}{total:>7}{first_tries:>11}{corrected:>11}{failed:>8}{other:>7}{rate:>8}"
