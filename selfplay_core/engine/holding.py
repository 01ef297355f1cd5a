"""What a person says no to, and what nobody ruled on in time: held attempts that end without having run."""

from __future__ import annotations

import time
from dataclasses import dataclass, replace
from typing import Final

from selfplay_core.models import Level, Outcome, Trace
from selfplay_core.store.codec import decode
from selfplay_core.store.database import Database, Reader
from selfplay_core.store.denials import deny_beginning
from selfplay_core.store.held import HeldAttempt, expired_held, held, rule_held
from selfplay_core.store.runs import RunStatus, last_run
from selfplay_core.store.traces import save_trace
from selfplay_core.text import clip, one_line
from selfplay_core.verify.policy import hits, pattern_of

__all__ = [
    "HELD_SECONDS",
    "Denied",
    "caught",
    "deny_held",
    "deny_pattern",
    "end_ruled_out",
    "parked_trace",
    "pattern_of",
]

HELD_SECONDS: Final = 24 * 3600.0
"""How long an attempt waits for a person before it ends by itself (DESIGN.md, "How an attempt is judged")."""


def parked_trace(item: HeldAttempt) -> Trace:
    """Return the trace so far, whose last attempt waits; raises StoreError if it cannot be read."""
    return decode(item.payload.decode(), Trace, f"held attempt {item.trace_id}")


def deny_held(database: Database, trace_id: str, *, since: float, by: str, reason: str = "") -> bool:
    """End the attempt parked at `since` as blocked; False where `rule_held` is."""
    with database.locked():
        item = next((item for item in held(database) if (item.trace_id, item.since) == (trace_id, since)), None)
        return item is not None and _deny(database, item, by, reason)


@dataclass(frozen=True, slots=True)
class Denied:
    """What a denied beginning did: how many held attempts `ended`, and for which `runs` it holds."""

    ended: int = 0
    runs: tuple[str, ...] = ()


def deny_pattern(database: Database, run_id: str, beginning: str, *, by: str) -> Denied:
    """Deny commands that begin so for the rest of a run, and every attempt of it that is held with such a one.

    So for the run that goes on, if that is another one: it is who would send them. A blank beginning denies nothing.
    """
    if not beginning.strip():
        return Denied()
    reason = f"So is `{clip(one_line(beginning), 80)}` for the rest of the run."
    with database.locked():
        meant = _runs_meant(database, run_id)
        for one in meant:
            deny_beginning(database, one, beginning, by=by, at=time.time())
        items = [item for item in held(database) if _is_meant(item, meant, beginning)]
        return Denied(sum(_deny(database, item, by, reason) for item in items), meant)


def caught(reader: Reader, run_id: str, beginning: str) -> tuple[tuple[str, float], ...]:
    """Return which held attempts `deny_pattern` would end: the trace of each, and since when it is parked."""
    if not beginning.strip():
        return ()
    meant = _runs_meant(reader, run_id)
    return tuple((item.trace_id, item.since) for item in held(reader) if _is_meant(item, meant, beginning))


def end_ruled_out(database: Database) -> None:
    """End as blocked what a person has denied, or nobody has ruled on within a day."""
    now = time.time()
    if not expired_held(database, now, HELD_SECONDS) and all(item.allowed is not False for item in held(database)):
        return
    with database.locked():
        for item in expired_held(database, now, HELD_SECONDS):
            _block(database, item, f"Nobody allowed it within {HELD_SECONDS / 3600:.0f} hours.")
        for item in held(database):
            if item.allowed is False:
                _block(database, item, f"Denied by {item.ruled_by}.")


def _deny(database: Database, item: HeldAttempt, by: str, reason: str) -> bool:
    if not rule_held(database, item.trace_id, since=item.since, allow=False, by=by):
        return False
    _block(database, item, f"Denied by {by}. {reason}".rstrip())
    return True


def _runs_meant(reader: Reader, run_id: str) -> tuple[str, ...]:
    newest = last_run(reader)
    goes_on = newest is not None and newest.status is RunStatus.RUNNING and newest.id != run_id
    return (run_id, newest.id) if newest is not None and goes_on else (run_id,)


def _is_meant(item: HeldAttempt, runs: tuple[str, ...], beginning: str) -> bool:
    if item.run_id not in runs or item.allowed is not None:
        return False
    last = parked_trace(item).last
    commands = last.answer.commands if last is not None and last.answer is not None else ()
    return any(hits(command, beginning) for command in commands)


def _block(database: Database, item: HeldAttempt, reason: str) -> None:
    parked = parked_trace(item)
    ended = replace(parked, outcome=Outcome.BLOCKED, level=Level.NONE, reason=f"{parked.reason} {reason}".strip())
    save_trace(database, item.run_id, ended, time.time())
