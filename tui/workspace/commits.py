"""Decisions as they are committed, in the store's thread: only on what is still as it was shown."""

from __future__ import annotations

from collections.abc import Sequence

from selfplay_core.exchange.rows import render
from selfplay_core.models import Decision, DecisionKind, Outcome
from selfplay_core.store.bans import banned
from selfplay_core.store.database import Database, Reader
from selfplay_core.store.decisions import Planned, decide_all
from selfplay_core.store.listing import Example, changes, example

__all__ = ["commit_one", "commit_shown", "commit_untouched"]


def commit_one(database: Database, shown: Example, decision: Decision) -> None:
    """Commit a decision on an example as it was shown; raises DecisionOvertaken if it is another by now."""
    decide_all(database, [_planned(shown, decision)])


def commit_untouched(database: Database, numbers: Sequence[int], decision: Decision, seen_at: int) -> tuple[int, ...]:
    """Decide on what nobody touched since a position of the log, and can be decided so; returns the numbers."""
    with database.locked():
        changed = changes(database, seen_at)
        touched = {number for number, _ in changed.marks}.union(changed.amended)
        left = (example(database, number) for number in numbers if number not in touched)
        found = [one for one in left if one is not None and _can_be(database, decision.kind, one)]
        decide_all(database, [_planned(one, decision) for one in found])
    return tuple(one.number for one in found)


def commit_shown(database: Database, shown: Sequence[Example], decision: Decision) -> tuple[int, ...]:
    """Decide on what is as it was shown; returns the numbers that were."""
    with database.locked():
        untouched = [
            one
            for one in shown
            if _is_as_shown(example(database, one.number), one) and _can_be(database, decision.kind, one)
        ]
        decide_all(database, [_planned(one, decision) for one in untouched])
    return tuple(one.number for one in untouched)


def _is_as_shown(now: Example | None, shown: Example) -> bool:
    if now is None:
        return False
    return (now.standing.seq, len(now.trace.attempts)) == (shown.standing.seq, len(shown.trace.attempts))


def _planned(shown: Example, decision: Decision) -> Planned:
    trace = shown.trace
    return Planned(trace.id, decision, render(trace, decision), shown.standing.seq, len(trace.attempts))


def _can_be(reader: Reader, kind: DecisionKind, found: Example) -> bool:
    if kind is not DecisionKind.ACCEPT:
        return True
    return found.trace.outcome is not Outcome.ERRORED and banned(reader, found.trace.prompt.text) is None
