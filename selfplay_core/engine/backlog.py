"""What earlier runs left in the workspace, and which run goes on."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import msgspec

from selfplay_core.engine.answering import unsendable
from selfplay_core.engine.holding import parked_trace
from selfplay_core.engine.plan import DEFAULT_ACCEPT, RunPlan
from selfplay_core.engine.queue import WorkItem
from selfplay_core.models import Outcome, Trace
from selfplay_core.store.codec import decode
from selfplay_core.store.database import Database
from selfplay_core.store.held import held
from selfplay_core.store.rounds import last_round, open_prompts
from selfplay_core.store.runs import RunRecord, RunStatus, last_run, runs
from selfplay_core.store.traces import trace, traces_of_run, undecided
from selfplay_core.verify.caps import Toll, toll_of_all

__all__ = ["Backlog", "collect_backlog", "released_items", "resumable_run", "toll_of_run"]

_RESUMABLE: Final = (RunStatus.INTERRUPTED, RunStatus.GAVE_UP)


@dataclass(frozen=True, slots=True)
class Backlog:
    """What earlier runs left: prompts without an answer, and traces that ended but were not decided on.

    In the order in which they were asked; `next_round` is the first round that this run still has to write.
    """

    entries: tuple[WorkItem | Trace, ...] = ()
    next_round: int = 0

    @property
    def open_prompts(self) -> int:
        """How many prompts still want an answer."""
        return sum(isinstance(entry, WorkItem) for entry in self.entries)


class _RecordedRun(msgspec.Struct):
    accept: str | None = None


class _Recorded(msgspec.Struct):
    """The settings of an earlier run, perhaps of an earlier version: all but one of them are of no interest."""

    run: _RecordedRun


def resumable_run(database: Database, fingerprint: str, seed: int | None) -> RunRecord | None:
    """Return the last run if it was interrupted and asked the same: same settings, and seed if one is named."""
    record = last_run(database)
    if record is None or record.status not in _RESUMABLE:
        return None
    return record if record.fingerprint == fingerprint and seed in (None, record.seed) else None


def collect_backlog(database: Database, resumed: RunRecord | None, plan: RunPlan, *, everything: bool) -> Backlog:
    """Return what is to be done first, in the order in which it was asked.

    Of the resumed run: its prompts without an answer, between its traces that ended without being decided on.
    With `everything` before it the same of earlier runs, as far as this run's categories and acceptance rule go.
    What a person has allowed to run comes in any case.
    """
    records = list(reversed(runs(database, limit=None)))
    entries: list[WorkItem | Trace] = list(released_items(database))
    for record in records:
        if record.id == (resumed.id if resumed else None):
            continue
        if everything:
            entries.extend(_left_by(database, record, plan))
    if resumed is None:
        return Backlog(tuple(entries))
    last = last_round(database, resumed.id)
    own = _left_by(database, resumed, plan, every_category=True)
    return Backlog((*entries, *own), 0 if last is None else last + 1)


def released_items(database: Database) -> list[WorkItem]:
    """Return the held attempts that a person has allowed to run, the longest waiting first."""
    allowed = [item for item in held(database) if item.allowed]
    seeds = {record.id: record.seed for record in runs(database, limit=None)} if allowed else {}
    return [
        WorkItem(0, item.run_id, item.trace_id, item.prompt, seeds[item.run_id], released=parked_trace(item))
        for item in allowed
    ]


def _left_by(
    database: Database, record: RunRecord, plan: RunPlan, *, every_category: bool = False
) -> list[WorkItem | Trace]:
    # A run's own prompts may be of a category that a person set it to under way.
    found: list[WorkItem | Trace] = [
        WorkItem(0, record.id, item.trace_id, item.prompt, record.seed)
        for item in open_prompts(database, record.id)
        if every_category or item.prompt.category in plan.categories
    ]
    if record.status in _RESUMABLE and _accept_of(record) == plan.accept:
        traces = (trace(database, line.id) for line in undecided(database, record.id))
        found.extend(ended for ended in traces if ended is not None)
    return sorted(found, key=lambda entry: (entry.prompt.round, entry.prompt.slot))


def _accept_of(record: RunRecord) -> str:
    """Return the rule by which a run accepted: what it left to a person is not for another rule to take."""
    return decode(record.settings, _Recorded, f"run {record.id}").run.accept or DEFAULT_ACCEPT


def toll_of_run(database: Database, run_id: str) -> Toll:
    """Return what a run had its traces do to the world, as far as their commands say it."""
    found = (trace(database, trace_id) for trace_id in traces_of_run(database, run_id))
    return sum((_toll_of_trace(ended) for ended in found if ended is not None), Toll())


def _toll_of_trace(ended: Trace) -> Toll:
    tolls = [
        toll_of_all([result.command for result in attempt.results if not result.probed]) for attempt in ended.attempts
    ]
    if (commands := _sent_in_vain(ended)) is not None:
        # Sent, and sent again after the first fault: what of it ran nobody knows, so all of it counts.
        tolls.extend([toll_of_all(commands)] * 2)
    return sum(tolls, Toll())


def _sent_in_vain(ended: Trace) -> tuple[str, ...] | None:
    """Return the commands whose verdict a fault took, if it was by that that the trace ended."""
    last = ended.last
    if ended.outcome is not Outcome.ERRORED or last is None or last.answer is None or last.results:
        return None
    return last.answer.commands if unsendable(last.answer.commands) is None else None
