"""Decisions as they are committed, in the store's thread: only on what is still as it was shown."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from selfplay_core.engine.rows import render
from selfplay_core.models import Decision, DecisionKind, Outcome
from selfplay_core.store.database import Database
from selfplay_core.store.decisions import Planned, decide_all
from selfplay_core.store.listing import MARKS, Example, example

__all__ = ["commit_one", "commit_seen", "commit_shown"]


def commit_one(database: Database, shown: Example, decision: Decision) -> None:
    """Commit a decision on an example as it was shown; raises DecisionOvertaken if it is another by now."""
    decide_all(database, [_planned(shown, decision)])


def commit_seen(database: Database, seen: Mapping[int, int], decision: Decision) -> tuple[int, ...]:
    """Decide on what stands as its mark says and can be decided so; returns the numbers that were."""
    planned: dict[int, Planned] = {}
    with database.locked():
        for number, mark in seen.items():
            found = example(database, number)
            if found is None or _mark_of(found) != mark or not _can_be(decision.kind, found):
                continue
            planned[number] = _planned(found, decision)
        decide_all(database, list(planned.values()))
    return tuple(planned)


def commit_shown(database: Database, shown: Sequence[Example], decision: Decision) -> tuple[int, ...]:
    """Decide on what is as it was shown; returns the numbers that were."""
    with database.locked():
        untouched = [one for one in shown if _is_as_shown(example(database, one.number), one)]
        decide_all(database, [_planned(one, decision) for one in untouched])
    return tuple(one.number for one in untouched)


def _is_as_shown(now: Example | None, shown: Example) -> bool:
    if now is None:
        return False
    return (now.standing.seq, len(now.trace.attempts)) == (shown.standing.seq, len(shown.trace.attempts))


def _planned(shown: Example, decision: Decision) -> Planned:
    trace = shown.trace
    return Planned(trace.id, decision, render(trace, decision), shown.standing.seq, len(trace.attempts))


def _mark_of(found: Example) -> int:
    decision = found.standing.decision
    if decision is None:
        return MARKS.index("errored" if found.trace.outcome is Outcome.ERRORED else "undecided")
    return MARKS.index(decision.kind.value)


def _can_be(kind: DecisionKind, found: Example) -> bool:
    return kind is not DecisionKind.ACCEPT or found.trace.outcome is not Outcome.ERRORED
