"""Attempts that the policy holds for a person: parked here, so that nothing waits in memory."""

from __future__ import annotations

from dataclasses import dataclass

from selfplay_core.errors import StoreError
from selfplay_core.models import Mode, Prompt, TraceId
from selfplay_core.store.database import Database, Reader
from selfplay_core.store.runs import run_number

__all__ = ["HeldAttempt", "expired_held", "held", "held_count", "hold", "rule_held"]

_HELD = (
    "SELECT h.trace_id, r.id, p.text, p.category, p.mode, p.round, p.slot,"
    " h.payload, h.since, h.allowed, h.ruled_by"
    " FROM held h JOIN prompt p ON p.trace_id = h.trace_id JOIN run r ON r.seq = p.run"
)


@dataclass(frozen=True, slots=True)
class HeldAttempt:
    """A parked attempt; `payload` is the engine's own.

    `since` is in seconds since the epoch. `allowed` is None until a person has ruled.
    """

    trace_id: TraceId
    run_id: str
    prompt: Prompt
    payload: bytes
    since: float
    allowed: bool | None = None
    ruled_by: str = ""


def hold(database: Database, attempt: HeldAttempt) -> None:
    """Park an attempt of a prompt that a round announced; an earlier one of the same trace is replaced."""
    with database.transaction() as connection:
        run = run_number(database, attempt.run_id)
        done = connection.execute(
            "INSERT INTO held (trace_id, payload, since, allowed, ruled_by)"
            " SELECT trace_id, ?, ?, ?, ? FROM prompt WHERE trace_id = ? AND run = ?"
            " ON CONFLICT DO UPDATE SET payload = excluded.payload, since = excluded.since,"
            " allowed = excluded.allowed, ruled_by = excluded.ruled_by",
            (attempt.payload, attempt.since, attempt.allowed, attempt.ruled_by, attempt.trace_id, run),
        )
        if done.rowcount != 1:
            raise StoreError(
                f"this attempt belongs to no round of its run: trace {attempt.trace_id}, "
                f"run {attempt.run_id}. Record the round before its attempts."
            )


def held(reader: Reader) -> list[HeldAttempt]:
    """Return all parked attempts, the longest waiting first."""
    return [_held(*row) for row in reader.rows(f"{_HELD} ORDER BY h.since, h.trace_id")]


def held_count(reader: Reader) -> int:
    """Return how many parked attempts nobody has ruled on; reads no payload."""
    row = reader.row("SELECT count(*) FROM held WHERE allowed IS NULL")
    return 0 if row is None else int(row[0])


def expired_held(reader: Reader, now: float, older_than: float) -> list[HeldAttempt]:
    """Return the attempts that nobody ruled on for `older_than` seconds or more."""
    rows = reader.rows(
        f"{_HELD} WHERE h.allowed IS NULL AND h.since <= ? ORDER BY h.since, h.trace_id", (now - older_than,)
    )
    return [_held(*row) for row in rows]


def rule_held(database: Database, trace_id: TraceId, *, since: float, allow: bool, by: str) -> bool:
    """Record what a person ruled on the attempt parked at `since`.

    False if it is parked no more, was ruled on before, or another attempt of its trace has taken its place.
    """
    with database.transaction() as connection:
        done = connection.execute(
            "UPDATE held SET allowed = ?, ruled_by = ? WHERE trace_id = ? AND since = ? AND allowed IS NULL",
            (allow, by, trace_id, since),
        )
        return done.rowcount == 1


def _held(
    trace_id: str,
    run_id: str,
    text: str,
    category: str,
    mode: str,
    round_: int,
    slot: int,
    payload: bytes,
    since: float,
    allowed: int | None,
    ruled_by: str,
) -> HeldAttempt:
    prompt = Prompt(text, category, Mode(mode), round_, slot)
    return HeldAttempt(trace_id, run_id, prompt, payload, since, None if allowed is None else bool(allowed), ruled_by)
