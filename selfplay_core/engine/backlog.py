"""What earlier runs left in the workspace, and which run goes on."""

from __future__ import annotations

import time
from dataclasses import replace
from typing import Final

import msgspec

from selfplay_core.engine.plan import DEFAULT_ACCEPT, RunPlan
from selfplay_core.engine.queue import WorkItem
from selfplay_core.engine.run import Backlog
from selfplay_core.models import Level, Outcome, Trace
from selfplay_core.store.codec import decode
from selfplay_core.store.database import Database
from selfplay_core.store.held import HeldAttempt, expired_held, held
from selfplay_core.store.rounds import last_round, open_prompts
from selfplay_core.store.runs import RunRecord, RunStatus, last_run, runs
from selfplay_core.store.traces import save_trace, trace, traces_of_run, undecided
from selfplay_core.verify.caps import Toll, toll_of_all

__all__ = ["collect_backlog", "end_ruled_out", "resumable_run", "toll_of_run"]

_HELD_FOR: Final = 24 * 3600.0
_RESUMABLE: Final = (RunStatus.INTERRUPTED, RunStatus.GAVE_UP)


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
    seeds = {record.id: record.seed for record in records}
    entries: list[WorkItem | Trace] = [_released(item, seeds) for item in held(database) if item.allowed]
    for record in records:
        if record.id == (resumed.id if resumed else None):
            continue
        if everything:
            entries.extend(_left_by(database, record, plan))
    if resumed is None:
        return Backlog(tuple(entries))
    last = last_round(database, resumed.id)
    own = _left_by(database, resumed, plan)
    return Backlog((*entries, *own), 0 if last is None else last + 1)


def _left_by(database: Database, record: RunRecord, plan: RunPlan) -> list[WorkItem | Trace]:
    found: list[WorkItem | Trace] = [
        WorkItem(0, record.id, item.trace_id, item.prompt, record.seed)
        for item in open_prompts(database, record.id)
        if item.prompt.category in plan.categories
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
    toll = Toll()
    for trace_id in traces_of_run(database, run_id):
        found = trace(database, trace_id)
        for attempt in found.attempts if found is not None else ():
            toll += toll_of_all([result.command for result in attempt.results if not result.probed])
    return toll


def end_ruled_out(database: Database) -> None:
    """End as blocked what a person has denied, or nobody has ruled on within a day."""
    now = time.time()
    for item in expired_held(database, now, _HELD_FOR):
        _block(database, item, "Nobody allowed it within 24 hours.", now)
    for item in held(database):
        if item.allowed is False:
            _block(database, item, f"Denied by {item.ruled_by}.", now)


def _block(database: Database, item: HeldAttempt, reason: str, now: float) -> None:
    parked = decode(item.payload.decode(), Trace, f"held attempt {item.trace_id}")
    ended = replace(parked, outcome=Outcome.BLOCKED, level=Level.NONE, reason=f"{parked.reason} {reason}")
    save_trace(database, item.run_id, ended, now)


def _released(item: HeldAttempt, seeds: dict[str, int]) -> WorkItem:
    parked = decode(item.payload.decode(), Trace, f"held attempt {item.trace_id}")
    return WorkItem(0, item.run_id, item.trace_id, item.prompt, seeds[item.run_id], released=parked)
