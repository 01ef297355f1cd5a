"""What holds in a workspace whose processes have been killed, read from a copy so that reading mends nothing."""

from __future__ import annotations

import shutil
import sqlite3
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass, field
from functools import lru_cache
from pathlib import Path
from typing import Any, Final

import msgspec
import orjson

from selfplay_core.exchange.rows import render
from selfplay_core.models import Decision, Row, Trace
from selfplay_core.store.database import Database
from selfplay_core.store.projection import Projection
from tests.scratch import scratch
from tests.tallies import FOUND

__all__ = ["OPERATOR", "OUTPUT", "Told", "assert_laws", "copied", "rows_of", "run_is_done", "traces_of"]

OUTPUT: Final = "self_play.jsonl"
OPERATOR: Final = "reviewer"

# What is kept beside the traces and the log, and what it must be equal to.
_DERIVED: Final = (
    (
        "SELECT run, category, outcome, decision, count FROM tally WHERE count <> 0",
        "SELECT run, category, outcome, decision, count(*) FROM trace GROUP BY 1, 2, 3, 4",
    ),
    ("SELECT * FROM review", "SELECT * FROM review_of"),
    ("SELECT id FROM trace_text_docsize", "SELECT n FROM trace"),
    (
        "SELECT trace_id FROM prompt WHERE open = 0",
        "SELECT t.id FROM trace t JOIN run r ON r.seq = t.run WHERE t.outcome <> 'errored' OR r.imported = 1",
    ),
)


@dataclass(slots=True)
class Told:
    """What was acknowledged in a workspace so far, by processes that were killed afterwards."""

    traces: set[str] = field(default_factory=set)
    automatic: set[str] = field(default_factory=set)
    decided: set[tuple[str, str, float]] = field(default_factory=set)
    moved: Counter[tuple[str, str]] = field(default_factory=Counter)
    bulk: Counter[tuple[int, str]] = field(default_factory=Counter)
    held: set[str] = field(default_factory=set)
    ruled: dict[str, str] = field(default_factory=dict)

    def take(self, lines: Iterable[str]) -> None:
        """Take in the lines of a generator or a reviewer."""
        for line in lines:
            if line.startswith("{"):
                self._hear(orjson.loads(line))
                continue
            match line.split():
                case ["decided", trace_id, kind, at]:
                    self.decided.add((trace_id, kind, float(at)))
                case ["moved", trace_id, kind]:
                    self.moved[trace_id, kind] += 1
                case ["ruled", trace_id, ruling]:
                    assert self.ruled.setdefault(trace_id, ruling) == ruling, "ruled on twice"
                case ["bulk", number, kind]:
                    self.bulk[int(number), kind] += 1

    def _hear(self, event: dict[str, Any]) -> None:
        if event.get("event") == "trace_ended":
            self.traces.add(event["trace_id"])
        elif event.get("event") == "trace_held":
            self.held.add(event["trace_id"])
        elif event.get("event") == "decided":
            self.automatic.add(event["trace_id"])


@contextmanager
def copied(workspace: Path) -> Iterator[Path]:
    """Give a copy of a workspace that nobody uses."""
    with scratch() as folder:
        copy = folder / "workspace"
        shutil.copytree(workspace, copy)
        yield copy


def assert_laws(workspace: Path, told: Told, *, base: bytes = b"") -> int:
    """Hold a workspace of killed processes to law 4, and let the next start mend a copy of it.

    Returns how many rows its output has then. `base` is what stood in the output before our first row.
    """
    if not (workspace / "selfplay.db").exists():
        assert told == Told(), "the database is gone"
        return 0
    _count_unfinished(workspace)
    # The product opens it first: what a kill left of a beginning is no database yet.
    with copied(workspace) as copy, closing(Database.open(copy)) as database:
        _assert_sound(copy)
        _assert_told(database, told)
        _assert_held(database, told)
        _assert_no_torn_line(database, copy / OUTPUT, base)
        # As the next start does.
        projection = Projection(database, copy / OUTPUT, render)
        projection.check()
        projection.catch_up()
        rows = rows_of(database)
        content = (copy / OUTPUT).read_bytes() if (copy / OUTPUT).exists() else b""
        parting = b"\n" if rows and base and not base.endswith(b"\n") else b""
        assert content == base + parting + b"".join(row + b"\n" for row in rows)
        left = [path.name for path in copy.iterdir() if path.name.endswith(".selfplay-rewrite")]
        assert left == [], left
        return len(rows)


def run_is_done(workspace: Path) -> bool:
    """Whether the run of a workspace has come to its end; there is never a second one."""
    if not (workspace / "selfplay.db").exists():
        return False
    with copied(workspace) as copy, closing(Database.open(copy)) as database:
        found = [status for (status,) in database.rows("SELECT status FROM run WHERE imported = 0")]
    assert len(found) <= 1
    return found == ["done"]


def rows_of(database: Database) -> list[bytes]:
    """Return what an output must hold, from the log of decisions alone and the order of acceptance."""
    standing = _standing(database)
    accepted = [trace_id for (trace_id,) in database.rows("SELECT trace_id FROM accepted ORDER BY seq")]
    assert sorted(accepted) == sorted(
        trace_id for trace_id, decision in standing.items() if decision.kind in ("accept", "edit")
    )
    lines: dict[str, bytes] = {}
    for trace_id in accepted:
        row = _row(_payload(database, trace_id), standing[trace_id])
        if row is not None:
            lines.setdefault(row.id, row.line)
    return list(lines.values())


def traces_of(database: Database) -> set[tuple[object, ...]]:
    """Return what the runs of a workspace brought forth, without what differs from one run of a seed to the next."""
    found: set[tuple[object, ...]] = set()
    for seed, payload in database.rows(
        "SELECT r.seed, t.payload FROM trace t JOIN run r ON r.seq = t.run WHERE r.imported = 0"
    ):
        trace = msgspec.json.decode(payload, type=Trace)
        attempts = tuple((attempt.raw, attempt.results) for attempt in trace.attempts)
        found.add((seed, trace.prompt, attempts, trace.outcome, trace.level, trace.reason))
    return found


def _count_unfinished(workspace: Path) -> None:
    with copied(workspace) as copy, closing(sqlite3.connect(copy / "selfplay.db")) as raw:
        FOUND["workspaces"] += 1
        FOUND["with a WAL to be played"] += (workspace / "selfplay.db-wal").exists()
        FOUND["with a rewrite begun"] += (workspace / f".{OUTPUT}.selfplay-rewrite").exists()
        try:
            pending = raw.execute("SELECT pending_kind FROM output WHERE pending_kind IS NOT NULL").fetchall()
        except sqlite3.OperationalError:
            FOUND["without tables yet"] += 1
        else:
            FOUND.update(f"in the middle of {kind}" for (kind,) in pending)


def _assert_sound(workspace: Path) -> None:
    with closing(sqlite3.connect(workspace / "selfplay.db")) as raw:
        assert raw.execute("PRAGMA integrity_check").fetchall() == [("ok",)]
        assert raw.execute("PRAGMA foreign_key_check").fetchall() == []
        raw.execute("INSERT INTO trace_text (trace_text, rank) VALUES ('integrity-check', 1)")
        raw.rollback()
        for kept, counted in _DERIVED:
            assert set(raw.execute(kept)) == set(raw.execute(counted)), kept


def _assert_told(database: Database, told: Told) -> None:
    assert told.traces <= {trace_id for (trace_id,) in database.rows("SELECT id FROM trace")}
    entries = database.rows(
        "SELECT d.trace_id, d.kind, d.at, d.by, t.n FROM decision d JOIN trace t ON t.id = trace_id"
    )
    assert told.automatic <= {trace_id for trace_id, _, _, by, _ in entries if by == "auto"}
    assert told.decided <= {(trace_id, kind, at) for trace_id, kind, at, by, _ in entries if by == OPERATOR}
    mine = [(trace_id, kind, number) for trace_id, kind, _, by, number in entries if by == OPERATOR]
    assert told.moved <= Counter((trace_id, kind) for trace_id, kind, _ in mine)
    assert told.bulk <= Counter((number, kind) for _, kind, number in mine)


def _assert_held(database: Database, told: Told) -> None:
    """What was parked is there or has ended, and as was ruled; nothing is both."""
    parked = dict(database.rows("SELECT trace_id, allowed FROM held"))
    ended = dict(database.rows("SELECT id, outcome FROM trace WHERE outcome <> 'errored'"))
    assert not parked.keys() & ended.keys()
    assert told.held | told.ruled.keys() <= parked.keys() | ended.keys()
    for trace_id, ruling in told.ruled.items():
        if ruling == "allow":
            assert parked.get(trace_id, 1) == 1
            assert ended.get(trace_id) != "blocked"
        else:
            assert ended.get(trace_id, "blocked") == "blocked"
            assert parked.get(trace_id, 0) == 0


def _assert_no_torn_line(database: Database, output: Path, base: bytes) -> None:
    """Every line is one that some decision gave, and none stands twice; what is torn is the beginning of an append."""
    content = output.read_bytes() if output.exists() else b""
    assert content.startswith(base)
    ours = content[len(base) :]
    if base and not base.endswith(b"\n"):
        ours = ours.removeprefix(b"\n")
    *whole, tail = ours.split(b"\n")
    given = set()
    for trace_id, decision in _decisions(database):
        row = _row(_payload(database, trace_id), decision)
        if row is not None:
            given.add(row.line)
    assert set(whole) <= given
    assert len(set(whole)) == len(whole)
    if tail:
        (pending,) = database.rows("SELECT bytes, pending_tail FROM output")
        assert pending[1] is not None
        assert pending[1].startswith(content[pending[0] :])


def _standing(database: Database) -> dict[str, Decision]:
    """Play the log by the rules of undo and redo, and return the decision that counts for each trace."""
    done: dict[str, list[int]] = defaultdict(list)
    undone: dict[str, list[int]] = defaultdict(list)
    decisions: dict[int, Decision] = {}
    for seq, trace_id, kind, target, payload in database.rows(
        "SELECT seq, trace_id, kind, target, payload FROM decision ORDER BY seq"
    ):
        if kind == "undo":
            assert done[trace_id][-1] == target
            undone[trace_id].append(done[trace_id].pop())
        elif kind == "redo":
            assert undone[trace_id][-1] == target
            done[trace_id].append(undone[trace_id].pop())
        else:
            decisions[seq] = msgspec.json.decode(payload, type=Decision)
            done[trace_id].append(seq)
            undone[trace_id].clear()
    standing = {trace_id: decisions[stack[-1]] for trace_id, stack in done.items() if stack}
    marks = dict(database.rows("SELECT id, decision FROM trace WHERE decision <> 'undecided'"))
    assert marks == {trace_id: decision.kind.value for trace_id, decision in standing.items()}
    return standing


def _decisions(database: Database) -> Iterator[tuple[str, Decision]]:
    for trace_id, payload in database.rows("SELECT trace_id, payload FROM decision WHERE kind IN ('accept', 'edit')"):
        yield trace_id, msgspec.json.decode(payload, type=Decision)


def _payload(database: Database, trace_id: str) -> str:
    ((payload,),) = database.rows("SELECT payload FROM trace WHERE id = ?", (trace_id,))
    return str(payload)


@lru_cache(maxsize=20_000)  # a storm looks at the same decisions again and again
def _row(payload: str, decision: Decision) -> Row | None:
    return render(msgspec.json.decode(payload, type=Trace), decision)
