"""The counts of a run, from its events alone, and the closing table of the original script."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

from selfplay_core.events import (
    Decided,
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

__all__ = ["Summary"]


@dataclass(slots=True)
class Summary:
    """What has happened so far; `apply` is fed every event in its order."""

    started: RunStarted | None = None
    ended: RunEnded | None = None
    outcomes: Counter[Outcome] = field(default_factory=Counter)
    by_category: dict[str, Counter[Outcome]] = field(default_factory=dict)
    expected: int = 0
    written: int = 0
    dropped: int = 0
    failed_requests: int = 0
    held: int = 0
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
                self.expected = event.expected_prompts
            case PromptsWritten():
                self.written += len(event.prompts)
                self.dropped += len(event.dropped)
                self.expected -= event.asked - len(event.prompts)
            case PromptsFailed():
                self.failed_requests += 1
                self.expected -= event.asked
            case TraceEnded():
                self._count(event)
            case TraceHeld():
                self.held += 1
            case Decided() if event.decision.kind is DecisionKind.ACCEPT:
                self.accepted += 1
                self.duplicates += event.same_as is not None
            case RowsWritten():
                self.rows += event.rows
            case RunEnded():
                self.ended = event
            case _:
                pass

    def failed(self, reason: str) -> None:
        """Note that the run ended with an error."""
        self.ended = RunEnded("failed", reason)

    def as_json(self, output: str, seconds: float) -> dict[str, Any]:
        """Return the closing line of a batch run."""
        return {
            "event": "summary",
            "status": self.ended.status if self.ended else "interrupted",
            "reason": self.ended.reason if self.ended else "",
            "seed": self.started.seed if self.started else None,
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
            "failed_prompt_requests": self.failed_requests,
            "held": self.held,
            "accepted": self.accepted,
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
            yield _table_line(category, counts)
        yield _table_line("all", self.outcomes)
        yield ""
        yield f"prompts {self.traces}   accepted {self.accepted}   rows written {self.rows}   time {seconds:.0f} s"
        others = {outcome: self.outcomes[outcome] for outcome in _OTHERS if self.outcomes[outcome]}
        if others:
            yield "other: " + ", ".join(f"{count} {outcome.value}" for outcome, count in others.items())
        if self.duplicates:
            yield f"{self.duplicates} accepted answers gave a row that is out already; they are not written twice."
        if self.dropped or self.failed_requests:
            yield f"unusable prompts dropped: {self.dropped}; requests for prompts that failed: {self.failed_requests}"
        if self.held:
            yield f"{self.held} attempts wait for a person."
        yield f"output: {output}"
        if self.ended and self.ended.reason:
            yield f"{self.ended.status}: {self.ended.reason}"

    def _count(self, event: TraceEnded) -> None:
        trace = event.trace
        self.outcomes[trace.outcome] += 1
        self.by_category.setdefault(trace.prompt.category, Counter())[trace.outcome] += 1

    def _categories(self) -> Iterator[tuple[str, Counter[Outcome]]]:
        for category in CATEGORY_NAMES:
            if category in self.by_category:
                yield category, self.by_category[category]


_HEADING = f"{'category':<20}{'total':>7}{'first try':>11}{'corrected':>11}{'failed':>8}{'other':>7}{'rate':>8}"
_OTHERS = (Outcome.REFUSED, Outcome.UNPROVEN, Outcome.BLOCKED, Outcome.ERRORED)


def _table_line(name: str, counts: Counter[Outcome]) -> str:
    total = counts.total()
    other = sum(counts[outcome] for outcome in _OTHERS)
    rate = f"{counts[Outcome.SOLVED] / total:.0%}" if total else "-"
    return (
        f"{name:<20}{total:>7}{counts[Outcome.SOLVED]:>11}{counts[Outcome.CORRECTED]:>11}"
        f"{counts[Outcome.FAILED]:>8}{other:>7}{rate:>8}"
    )
