"""The figures of a workspace, counted over all its traces in one pass."""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from selfplay_core.curriculum.coverage import KINDS, Coverage, places
from selfplay_core.dataset.cases import Case
from selfplay_core.dataset.conversation import Kind, conversation
from selfplay_core.dataset.evidence import evidence_of, gives_row, standing_answer, verifier_name
from selfplay_core.dataset.preferences import Origin, labels, pairs
from selfplay_core.exchange.sieve import CROWD
from selfplay_core.exchange.source import cases, numbers_of
from selfplay_core.likeness.normal import normal_text
from selfplay_core.likeness.skeleton import skeleton_of
from selfplay_core.models import Attempt, VerdictOutcome
from selfplay_core.store.database import Reader
from selfplay_core.store.filters import Filter
from selfplay_core.store.likeness import LikenessCount, likeness_count
from selfplay_core.store.runs import kind_of

__all__ = ["Figures", "Lengths", "count"]

_ERRORS_TOLD: Final = 10
_SKELETONS_TOLD: Final = 5
_WORDING: Final = 200
_UNDECIDED: Final = "undecided"
_REFUSALS: Final = (VerdictOutcome.REJECTED, VerdictOutcome.FAILED)


class Lengths:
    """How long something is, each length with how often it came."""

    def __init__(self) -> None:
        self._counts: Counter[int] = Counter()

    def add(self, length: int) -> None:
        """Count one."""
        self._counts[length] += 1

    def as_json(self) -> dict[str, float]:
        """Return mean, median, 95th percentile and maximum; zeros where nothing was counted."""
        total = self._counts.total()
        if not total:
            return {"mean": 0, "p50": 0, "p95": 0, "max": 0}
        mean = sum(length * count for length, count in self._counts.items()) / total
        return {
            "mean": round(mean, 1),
            "p50": self._reached(0.5 * total),
            "p95": self._reached(0.95 * total),
            "max": max(self._counts),
        }

    def _reached(self, wanted: float) -> int:
        seen = 0
        for length in sorted(self._counts):
            seen += self._counts[length]
            if seen >= wanted:
                return length
        return max(self._counts)


@dataclass(frozen=True, slots=True)
class Message:
    """What the server said of a refused command, and how often; `message` is its first wording."""

    message: str
    count: int


class Figures:
    """What has been counted so far."""

    def __init__(self, workspace: str, likeness: LikenessCount, coverage: Coverage | None = None) -> None:
        self.workspace = workspace
        self.likeness = likeness
        self.coverage = coverage
        self.traces = 0
        self.categories: dict[str, Counter[str]] = {}
        self.outcomes: Counter[str] = Counter()
        self.levels: Counter[str] = Counter()
        self.decisions: Counter[str] = Counter()
        self.reasons: Counter[str] = Counter()
        self.verifiers: Counter[str] = Counter()
        self.servers: Counter[str] = Counter()
        self.models: Counter[str] = Counter()
        self.prompt_characters = Lengths()
        self.commands_per_answer = Lengths()
        self.command_characters = Lengths()
        self.attempts = Lengths()
        self.repeated = 0
        self.products: Counter[str] = Counter()
        self.skeletons: Counter[str] = Counter()
        self._seen: set[bytes] = set()
        self._messages: Counter[str] = Counter()
        self._wordings: dict[str, str] = {}

    def add(self, case: Case) -> None:
        """Count a trace."""
        self.traces += 1
        self._count_kind(case)
        self._count_lengths(case)
        self._count_products(case)
        for attempt in case.trace.attempts:
            self._count_errors(attempt)
        if self.coverage is not None:
            self.coverage.add(case.trace)

    @property
    def errors(self) -> list[Message]:
        """What the server said most often of refused commands, replies of the same known message as one."""
        ordered = sorted(self._messages.items(), key=lambda item: (-item[1], item[0]))
        return [Message(self._wordings[group], count) for group, count in ordered[:_ERRORS_TOLD]]

    @property
    def crowded(self) -> list[tuple[str, int]]:
        """The skeletons of accepted answers that have more than ten rows, the largest first."""
        ordered = sorted(self.skeletons.items(), key=lambda item: (-item[1], item[0]))
        return [(skeleton, count) for skeleton, count in ordered if count > CROWD]

    def as_json(self) -> dict[str, Any]:
        """Return all figures."""
        return {
            "workspace": self.workspace,
            "traces": self.traces,
            "categories": {name: dict(sorted(counts.items())) for name, counts in sorted(self.categories.items())},
            "outcomes": _sorted(self.outcomes),
            "levels": _sorted(self.levels),
            "decisions": _sorted(self.decisions),
            "reject_reasons": _sorted(self.reasons),
            "verifiers": _sorted(self.verifiers),
            "servers": _sorted(self.servers),
            "models": _sorted(self.models),
            "lengths": {
                "prompt_characters": self.prompt_characters.as_json(),
                "commands_per_answer": self.commands_per_answer.as_json(),
                "command_characters": self.command_characters.as_json(),
                "attempts": self.attempts.as_json(),
            },
            "duplicates": {
                "repeated_prompts": self.repeated,
                "repeated_rate": _rate(self.repeated, self.traces),
                "compared": self.likeness.compared,
                "near_prompts": self.likeness.near,
                "near_rate": _rate(self.likeness.near, self.likeness.compared),
                "skeletons": len(self.skeletons),
                "crowded_skeletons": [
                    {"skeleton": skeleton, "rows": count} for skeleton, count in self.crowded[:_SKELETONS_TOLD]
                ],
            },
            "errors": [{"message": one.message, "count": one.count} for one in self.errors],
            "products": _sorted(self.products),
            **({"coverage": _covered(self.coverage)} if self.coverage is not None else {}),
        }

    def _count_kind(self, case: Case) -> None:
        trace, decision = case.trace, case.decision
        self.categories.setdefault(trace.prompt.category, Counter())[trace.outcome.value] += 1
        self.outcomes[trace.outcome.value] += 1
        self.levels[trace.level.value] += 1
        self.decisions[decision.kind.value if decision is not None else _UNDECIDED] += 1
        if decision is not None and decision.reason:
            self.reasons[decision.reason] += 1
        self.verifiers[verifier_name(trace.world)] += 1
        self.servers[f"{trace.world.brand} {trace.world.version}".strip() or "unnamed"] += 1
        self.models[trace.model.name] += 1

    def _count_lengths(self, case: Case) -> None:
        prompt = case.trace.prompt.text
        self.prompt_characters.add(len(prompt))
        self.attempts.add(len(case.trace.attempts))
        asked = hashlib.blake2b(
            f"{case.trace.prompt.category}\0{normal_text(prompt)}".encode("utf-8", "surrogatepass"), digest_size=16
        ).digest()
        self.repeated += asked in self._seen
        self._seen.add(asked)
        answer = standing_answer(case.trace, case.decision)
        if answer is not None:
            self.commands_per_answer.add(len(answer.commands))
            for command in answer.commands:
                self.command_characters.add(len(command))

    def _count_products(self, case: Case) -> None:
        trace, decision = case.trace, case.decision
        for label in labels(trace, decision):
            self.products["kto_wanted" if label.wanted else "kto_unwanted"] += 1
        answer = standing_answer(trace, decision)
        if decision is None or answer is None or not gives_row(decision):
            return
        found = conversation(trace, decision)
        kind = found.kind if found is not None else Kind.SFT
        self.products[f"rows_{kind.value}"] += 1
        self.products["rows_rcon_verified"] += evidence_of(trace, decision, answer).is_verified
        if answer.commands:
            self.skeletons[skeleton_of(answer.commands)] += 1
        for pair in pairs(trace, decision):
            self.products["pairs_from_edits" if pair.origin is Origin.EDIT else "pairs_from_retries"] += 1
            self.products["pairs_near"] += pair.is_near

    def _count_errors(self, attempt: Attempt) -> None:
        for result in attempt.results:
            if result.verdict.outcome in _REFUSALS:
                group = result.verdict.key or (result.verdict.message or result.reply)[:_WORDING]
                self._messages[group] += 1
                self._wordings.setdefault(group, (result.verdict.message or result.reply)[:_WORDING])


def count(reader: Reader, wanted: Filter, *, covers: bool = False) -> Figures:
    """Count everything under a filter, and what of the commands' grammar it `covers` if that is wanted.

    Memory grows by 16 bytes a prompt, and with what differs.
    """
    with reader.snapshot():
        kind = kind_of(reader)
        named, coverage = kind.value if kind is not None else "", Coverage() if covers else None
        figures = Figures(named, likeness_count(reader, wanted), coverage)
        for case in cases(reader, numbers_of(reader, wanted, by_acceptance=False)):
            figures.add(case)
    return figures


def _covered(coverage: Coverage) -> dict[str, Any]:
    return {
        kind: {
            "places": len(places(kind)),
            "never_seen": coverage.unseen(kind),
            "seen": {
                place: {"asked": seen.asked, "passed": seen.passed, "failed": seen.failed}
                for place in places(kind)
                if (seen := coverage.of(f"{kind} {place}")).asked
            },
        }
        for kind in KINDS
    }


def _sorted(counts: Mapping[str, int]) -> dict[str, int]:
    return {name: count for name, count in sorted(counts.items()) if count}


def _rate(part: int, whole: int) -> float:
    return round(part / whole, 4) if whole else 0.0
