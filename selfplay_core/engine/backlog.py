"""What earlier runs left in the workspace, and which run goes on."""

from __future__ import annotations

import time
from dataclasses import replace
from typing import Final

import msgspec

from selfplay_core.engine.queue import WorkItem
from selfplay_core.engine.run import Backlog
from selfplay_core.models import Level, Outcome, Trace
from selfplay_core.store.database import Database
from selfplay_core.store.held import HeldAttempt, expired_held, held
from selfplay_core.store.rounds import open_prompts, rounds_of
from selfplay_core.store.runs import RunRecord, RunStatus, last_run, runs
from selfplay_core.store.traces import save_trace, trace, undecided

__all__ = ["collect_backlog", "end_ruled_out", "resumable_run"]

_HELD_FOR: Final = 24 * 3600.0
_RESUMABLE: Final = (RunStatus.INTERRUPTED, RunStatus.GAVE_UP)


def resumable_run(database: Database, fingerprint: str, seed: int | None, rounds: int) -> RunRecord | None:
    """Return the last run if it was interrupted and asked the same: same settings, seed and rounds."""
    record = last_run(database)
    if record is None or record.status not in _RESUMABLE:
        return None
    same = record.fingerprint == fingerprint and record.rounds == rounds and seed in (None, record.seed)
    return record if same else None


def collect_backlog(database: Database, resumed: RunRecord | None, *, everything: bool) -> Backlog:
    """Return what is to be done first.

    `everything` takes up the prompts that earlier runs left, errored ones included; the resumed run's own
    come in the order in which they were asked, between its traces that ended without being decided on.
    """
    seeds = {record.id: record.seed for record in runs(database, limit=1_000_000)}
    released = {item.trace_id: item for item in held(database) if item.allowed}
    entries: list[WorkItem | Trace] = []
    own: list[WorkItem | Trace] = []
    for item in open_prompts(database):
        work = WorkItem(0, item.run_id, item.trace_id, item.prompt, seeds[item.run_id])
        if resumed is not None and item.run_id == resumed.id:
            own.append(work)
        elif everything:
            entries.append(work)
    entries.extend(_released(item, seeds) for item in released.values())
    next_round = 0
    if resumed is not None:
        for line in undecided(database, resumed.id):
            found = trace(database, line.id)
            if found is not None:
                own.append(found)
        next_round = max((record.number + 1 for record in rounds_of(database, resumed.id)), default=0)
    own.sort(key=lambda entry: (entry.prompt.round, entry.prompt.slot))
    return Backlog((*entries, *own), next_round)


def end_ruled_out(database: Database) -> None:
    """End as blocked what a person has denied, or nobody has ruled on within a day."""
    now = time.time()
    for item in expired_held(database, now, _HELD_FOR):
        _block(database, item, "Nobody allowed it within 24 hours.", now)
    for item in held(database):
        if item.allowed is False:
            _block(database, item, f"Denied by {item.ruled_by}.", now)


def _block(database: Database, item: HeldAttempt, reason: str, now: float) -> None:
    parked = msgspec.json.decode(item.payload, type=Trace)
    ended = replace(parked, outcome=Outcome.BLOCKED, level=Level.NONE, reason=f"{parked.reason} {reason}")
    save_trace(database, item.run_id, ended, now)


def _released(item: HeldAttempt, seeds: dict[str, int]) -> WorkItem:
    parked = msgspec.json.decode(item.payload, type=Trace)
    return WorkItem(0, item.run_id, item.trace_id, item.prompt, seeds[item.run_id], released=parked)
