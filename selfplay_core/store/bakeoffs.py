"""What a bake-off keeps: what is asked, who takes part, what became of each case."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from selfplay_core.errors import WorkspaceError
from selfplay_core.models import Prompt, Trace, TraceId
from selfplay_core.store.codec import decode, encode, storable
from selfplay_core.store.database import Database, Reader
from selfplay_core.store.runs import RunRecord, insert_run, run_number
from selfplay_core.store.traces import keep_trace

__all__ = [
    "BakeoffRecord",
    "Contestant",
    "Entered",
    "MarkRecord",
    "Rival",
    "Taken",
    "announce_cases",
    "bakeoff_of",
    "begin_bakeoff",
    "contestants",
    "entered",
    "marks",
    "refuse_bakeoff",
    "save_contrast",
    "save_marked",
    "take_part",
    "taken",
]


_ENTRIES = (
    "SELECT c.model, t.n, p.round, m.mark, m.why, m.detail FROM bakeoff_mark m JOIN trace t ON t.id = m.trace_id"
    " JOIN prompt p ON p.trace_id = m.trace_id JOIN contestant c ON c.run = p.run"
)


@dataclass(frozen=True, slots=True)
class BakeoffRecord:
    """One bake-off; `plan` and `cases` are its own JSON, `wanted` is how many of the cases are asked.

    `sequential`: it may stop as soon as it is decided.
    """

    fingerprint: str
    seed: int
    plan: str
    cases: str
    wanted: int
    sequential: bool


@dataclass(frozen=True, slots=True)
class Contestant:
    """A model that takes part, and the run that its traces belong to."""

    model: str
    run_id: str


@dataclass(frozen=True, slots=True)
class MarkRecord:
    """What one case gave, in the words of the bake-off."""

    place: int
    mark: str
    why: str
    detail: str


@dataclass(frozen=True, slots=True)
class Taken:
    """One marked case of a contestant with its whole trace; `number` is the trace's."""

    number: int
    mark: MarkRecord
    trace: Trace


@dataclass(frozen=True, slots=True)
class Rival:
    """What another model answered to the same case, and under which number."""

    model: str
    number: int
    mark: MarkRecord
    trace: Trace


@dataclass(frozen=True, slots=True)
class Entered:
    """What an answer counts as in its bake-off, and those of the other models to the same case."""

    model: str
    mark: MarkRecord
    rivals: tuple[Rival, ...]


def bakeoff_of(reader: Reader) -> BakeoffRecord | None:
    """Return the bake-off that a folder holds, None where it holds none."""
    row = reader.row("SELECT fingerprint, seed, plan, cases, wanted, sequential FROM bakeoff")
    return None if row is None else BakeoffRecord(row[0], int(row[1]), row[2], row[3], row[4], bool(row[5]))


def refuse_bakeoff(reader: Reader) -> None:
    """Raise WorkspaceError where a folder holds a bake-off: what it asks is no training data."""
    if bakeoff_of(reader) is not None:
        raise WorkspaceError(
            f"this folder holds a bake-off, whose answers stay as they are: {reader.workspace}. "
            "Name another --workspace to generate in; `bakeoff` with the same cases goes on here."
        )


def begin_bakeoff(database: Database, record: BakeoffRecord) -> None:
    """Record a bake-off, or that an earlier one goes on with as many cases; the caller keeps others out."""
    with database.transaction() as connection:
        connection.execute(
            "INSERT INTO bakeoff (one, fingerprint, seed, plan, cases, wanted, sequential)"
            " VALUES (1, ?, ?, ?, ?, ?, ?) ON CONFLICT (one) DO UPDATE SET wanted = ?, sequential = ?",
            (
                record.fingerprint,
                str(record.seed),
                record.plan,
                storable(record.cases),
                *(record.wanted, record.sequential) * 2,
            ),
        )


def contestants(reader: Reader) -> list[Contestant]:
    """Return who takes part, in the order in which they were named."""
    rows = reader.rows("SELECT c.model, r.id FROM contestant c JOIN run r ON r.seq = c.run ORDER BY r.seq")
    return [Contestant(*row) for row in rows]


def take_part(database: Database, model: str, digest: str, record: RunRecord) -> Contestant:
    """Let a model take part, as the run that it has here already, or else as this one.

    Raises WorkspaceError where another build of the model, of another digest, has answered here.
    """
    found = next((one for one in contestants(database) if one.model == model), None)
    with database.transaction() as connection:
        if found is not None:
            _refuse_other_build(database, found, digest)
            connection.execute("UPDATE contestant SET digest = ? WHERE model = ?", (digest, model))
            connection.execute("UPDATE run SET status = 'running', ended_at = NULL WHERE id = ?", (found.run_id,))
            return found
        insert_run(connection, record)
        number = run_number(database, record.id)
        connection.execute("INSERT INTO contestant (run, model, digest) VALUES (?, ?, ?)", (number, model, digest))
    return Contestant(model, record.id)


def _refuse_other_build(database: Database, found: Contestant, digest: str) -> None:
    ((before,),) = database.rows("SELECT digest FROM contestant WHERE model = ?", (found.model,))
    if before and digest and before != digest and marks(database, found.run_id):
        raise WorkspaceError(
            f"another build of {found.model} has answered here: its digest was {before[:19]}, now it is {digest[:19]}. "
            "Begin anew with --new, or give the build a name of its own in the model server."
        )


def announce_cases(database: Database, run_id: str, prompts: Iterable[tuple[TraceId, Prompt]]) -> set[int]:
    """Record the cases that a contestant is about to answer; returns the places of those that it has answered.

    A prompt's round is its case's place. What is marked as errored is no answer.
    """
    with database.transaction() as connection:
        run = run_number(database, run_id)
        done: set[int] = set()
        for trace_id, prompt in prompts:
            connection.execute(
                "INSERT INTO round (run, number, categories) VALUES (?, ?, ?) ON CONFLICT DO NOTHING",
                (run, prompt.round, encode([prompt.category])),
            )
            connection.execute(
                "INSERT INTO prompt (trace_id, run, round, slot, category, mode, text) VALUES (?, ?, ?, ?, ?, ?, ?)"
                " ON CONFLICT DO NOTHING",
                (trace_id, run, prompt.round, prompt.slot, prompt.category, prompt.mode, storable(prompt.text)),
            )
            marked = "SELECT 1 FROM bakeoff_mark WHERE trace_id = ? AND mark <> 'errored'"
            if connection.execute(marked, (trace_id,)).fetchone() is not None:
                done.add(prompt.round)
        return done


def save_marked(database: Database, run_id: str, trace: Trace, mark: MarkRecord, ended_at: float) -> None:
    """Commit what came of a case: its trace and its mark, both or neither."""
    with database.transaction() as connection:
        keep_trace(database, connection, run_id, trace, ended_at)
        connection.execute(
            "INSERT INTO bakeoff_mark (trace_id, mark, why, detail) VALUES (?, ?, ?, ?)"
            " ON CONFLICT (trace_id) DO UPDATE SET mark = excluded.mark, why = excluded.why, detail = excluded.detail",
            (trace.id, mark.mark, mark.why, storable(mark.detail)),
        )


def marks(reader: Reader, run_id: str) -> list[MarkRecord]:
    """Return what a contestant's cases gave so far, by place."""
    rows = reader.rows(
        "SELECT p.round, m.mark, m.why, m.detail FROM bakeoff_mark m JOIN prompt p ON p.trace_id = m.trace_id"
        " WHERE p.run = ? ORDER BY p.round",
        (run_number(reader, run_id),),
    )
    return [MarkRecord(*row) for row in rows]


def taken(reader: Reader, run_id: str) -> list[Taken]:
    """Return the marked cases of a contestant with their traces, by place."""
    rows = reader.rows(
        "SELECT t.n, p.round, m.mark, m.why, m.detail, t.payload FROM bakeoff_mark m"
        " JOIN prompt p ON p.trace_id = m.trace_id JOIN trace t ON t.id = m.trace_id WHERE p.run = ? ORDER BY p.round",
        (run_number(reader, run_id),),
    )
    return [
        Taken(number, MarkRecord(place, mark, why, detail), decode(payload, Trace, f"trace #{number}"))
        for number, place, mark, why, detail, payload in rows
    ]


def entered(reader: Reader, trace_id: TraceId) -> Entered | None:
    """Return what a trace counts as in the bake-off of its folder, None where it is of none."""
    row = reader.row(f"{_ENTRIES} WHERE m.trace_id = ?", (trace_id,))
    if row is None:
        return None
    model, _, *mark = row
    own = MarkRecord(*mark)
    others = reader.rows(f"{_ENTRIES} WHERE p.round = ? AND m.trace_id <> ? ORDER BY c.run", (own.place, trace_id))
    rivals = []
    for other, number, *its_mark in others:
        (payload,) = reader.row("SELECT payload FROM trace WHERE n = ?", (number,)) or ("",)
        rivals.append(Rival(other, number, MarkRecord(*its_mark), decode(payload, Trace, f"trace #{number}")))
    return Entered(model, own, tuple(rivals))


def save_contrast(database: Database, numbers: Sequence[int]) -> None:
    """Note which traces are of cases that models ended differently, instead of those noted before."""
    with database.transaction() as connection:
        connection.execute("DELETE FROM contrast")
        connection.executemany("INSERT INTO contrast (n) VALUES (?)", [(number,) for number in numbers])
