"""How fast traces become files: `python -m benchmarks.exporting`.

The bound is reading the stored traces and doing nothing with them; each format is told as a multiple of it.
"""

from __future__ import annotations

import argparse
import resource
import sqlite3
import tempfile
import time
from pathlib import Path

from benchmarks.figures import Figure, tell
from benchmarks.listing import build_workspace
from selfplay_core.exchange.export import export
from selfplay_core.exchange.formats import FORMATS
from selfplay_core.exchange.places import Wish
from selfplay_core.exchange.source import cases, numbers_of
from selfplay_core.models import Decision, DecisionKind
from selfplay_core.store.codec import encode
from selfplay_core.store.database import DATABASE_NAME, Reader
from selfplay_core.store.filters import Filter

__all__ = ["accept_all"]


def accept_all(path: Path) -> None:
    """Accept every solved and every corrected trace at once, as `decide` would one by one."""
    connection = sqlite3.connect(path / DATABASE_NAME, isolation_level=None)
    connection.execute("PRAGMA synchronous = OFF")
    connection.execute("BEGIN IMMEDIATE")
    connection.execute("DROP TRIGGER review_decision")
    decision = encode(Decision(DecisionKind.ACCEPT, by="benchmark", at=1.0))
    good = "outcome IN ('solved', 'corrected')"
    connection.execute(
        "INSERT INTO decision (trace_id, kind, payload, row_id, at, by)"
        f" SELECT id, 'accept', ?, id, 1.0, 'benchmark' FROM trace WHERE {good} ORDER BY n",
        (decision,),
    )
    connection.execute("INSERT INTO accepted (trace_id, decision, row_id) SELECT trace_id, seq, row_id FROM decision")
    connection.execute("INSERT INTO standing SELECT trace_id, seq, 1, NULL FROM decision")
    connection.execute(f"UPDATE trace SET decision = 'accept' WHERE {good}")
    connection.execute("UPDATE review SET mark = 1 WHERE n IN (SELECT n FROM trace WHERE decision = 'accept')")
    connection.execute("COMMIT")
    connection.close()


def main() -> None:
    """Tell of each format the seconds, as a multiple of reading, and at the end the peak of memory."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--traces", type=int, default=100_000)
    parser.add_argument("--keep", type=Path, help="build the workspace in this folder and leave it there")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        path = (options.keep or Path(folder)) / f"accepted-{options.traces}"
        if not path.exists():
            build_workspace(path, options.traces)
            accept_all(path)
        _measure(path, Path(folder))


def _measure(path: Path, folder: Path) -> None:
    reader = Reader.open(path)
    began = time.perf_counter()
    read = sum(1 for _ in cases(reader, numbers_of(reader, Filter(), by_acceptance=True)))
    bound = time.perf_counter() - began
    tell(Figure("reading the traces alone", bound, "s", note=f"{read:,} traces"))
    for name in FORMATS:
        began = time.perf_counter()
        made = export(reader, Wish(name, folder / f"{name}.jsonl", Filter(), "", "benchmark"))
        seconds = time.perf_counter() - began
        tell(Figure(f"{name}: times reading", seconds / bound, "x", note=f"{made.lines:,} lines, {seconds:.1f} s"))
        for file in folder.glob(f"{name}*"):
            file.unlink()
    reader.close()
    tell(Figure("peak of memory", _peak(), "MB"))


def _peak() -> int:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024


if __name__ == "__main__":
    main()
