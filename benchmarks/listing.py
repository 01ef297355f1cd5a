"""How long the queue of the review screen takes to come up: `python -m benchmarks.listing`.

`build_workspace` makes a workspace of any number of traces within seconds: the tables are filled without their
triggers, and what those keep is computed at once at the end.
"""

from __future__ import annotations

import argparse
import functools
import random
import resource
import sqlite3
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TypeVar

from benchmarks.figures import Figure, Times, tell
from selfplay_core.models import (
    CATEGORY_NAMES,
    Answer,
    Attempt,
    CommandResult,
    Decision,
    DecisionKind,
    FailedBecause,
    Level,
    Mode,
    ModelIdentity,
    Outcome,
    Prompt,
    Trace,
    Verdict,
    VerdictOutcome,
    WorldIdentity,
    WorldKind,
)
from selfplay_core.store.codec import encode
from selfplay_core.store.database import DATABASE_NAME, Database, Reader
from selfplay_core.store.decisions import decide, undo
from selfplay_core.store.filters import Filter
from selfplay_core.store.listing import changes, example, lines, listing
from selfplay_core.store.runs import RunRecord, RunStatus, end_run, start_run
from selfplay_core.store.statistics import frequent_errors, retries_histogram, trace_pace
from selfplay_core.store.traces import traces

__all__ = ["build_workspace"]

T = TypeVar("T")

_RUN = "benchmark"
_PROMPTS_A_ROUND = 15
_BEGAN = 1_700_000_000.0
_DEFAULT_VIEW = Filter(status=("undecided", "skip"))

_SHARES = {
    Outcome.SOLVED: 70,
    Outcome.CORRECTED: 12,
    Outcome.UNPROVEN: 8,
    Outcome.FAILED: 6,
    Outcome.BLOCKED: 2,
    Outcome.ERRORED: 2,
}
_WORDS = tuple(
    "give me a torch sword bow helmet of stone diamond fire with sharpness ten around every player near the spawn "  # noqa: SIM905
    "while it rains make glowing pigs dance and teleport sheep to my house then fill lava under zombies quickly".split()
)


def build_workspace(path: Path, count: int, *, seed: int = 1) -> None:
    """Make a workspace of `count` undecided traces with payloads of some 2.5 KB; the same seed gives the same."""
    database = Database.open(path)
    start_run(database, RunRecord(_RUN, seed, "benchmark", count // _PROMPTS_A_ROUND + 1, RunStatus.RUNNING, 0.0, "{}"))
    end_run(database, _RUN, RunStatus.DONE, _BEGAN + count)
    database.close()
    connection = sqlite3.connect(path / DATABASE_NAME, isolation_level=None)
    connection.execute("PRAGMA synchronous = OFF")
    connection.execute("BEGIN IMMEDIATE")
    laid_aside = _lay_aside(connection)
    _fill(connection, count, random.Random(seed))
    for statement in laid_aside:
        connection.execute(statement)
    connection.execute("COMMIT")
    connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    connection.close()


def main() -> None:
    """Tell the time of each question."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--traces", type=int, nargs="+", default=[100_000])
    parser.add_argument("--keep", type=Path, help="build the workspaces in this folder and leave them there")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        for count in options.traces:
            path = (options.keep or Path(folder)) / f"traces-{count}"
            if not path.exists():
                _timed(f"build {count}", count, functools.partial(build_workspace, path, count))
            _measure(path, count)


def _measure(path: Path, count: int) -> None:
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    reader = _timed(f"open {count:,} traces", None, lambda: Reader.open(path))
    _timed("the first page of 50", None, lambda: traces(reader))
    numbers = _timed("list the default view", count, lambda: listing(reader, _DEFAULT_VIEW)).numbers
    grown = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before
    tell(Figure("more memory at the peak of listing it", grown / 1024, "MB"))
    some = random.Random(1).sample(numbers, 50)
    scans: dict[str, Callable[[], object]] = {
        "list clean ones": lambda: listing(reader, Filter(clean=True)),
        "list what was rejected by the server": lambda: listing(reader, Filter(verdicts=(VerdictOutcome.REJECTED,))),
        "list by a common word": lambda: listing(reader, Filter(text="torch")),
        "list by a beginning": lambda: listing(reader, Filter(text="t")),
    }
    looks: dict[str, Callable[[], object]] = {
        "list what came since": lambda: listing(reader, _DEFAULT_VIEW, after=numbers[-10]),
        "50 lines": lambda: lines(reader, some),
        "one example": lambda: example(reader, some[0]),
        "changes": lambda: changes(reader, 0),
        "frequent errors of 2000": lambda: frequent_errors(reader),
        "retries of 10000": lambda: retries_histogram(reader),
        "pace of an hour": lambda: trace_pace(reader, _BEGAN + count, 60),
    }
    for name, ask in scans.items():
        _timed(name, count, ask)
    for name, ask in looks.items():
        _timed(name, None, ask)
    reader.close()
    _decide(path, some)


def _decide(path: Path, numbers: list[int]) -> None:
    """Skip some traces and take it back, so that the workspace stays as it was but for its log."""
    database = Database.open(path)
    took = Times()
    for trace_id in [found.trace.id for number in numbers if (found := example(database, number))]:
        began = time.perf_counter()
        decide(database, trace_id, Decision(DecisionKind.SKIP, by="benchmark", at=_BEGAN))
        took.seconds.append(time.perf_counter() - began)
        undo(database, trace_id, by="benchmark", at=_BEGAN)
    database.close()
    tell(Figure("a decision until committed, p95", took.at(0.95), "ms", note=str(took)))


def _timed(name: str, count: int | None, ask: Callable[[], T]) -> T:
    """Run `ask` and tell its time, with the rate where it looks at `count` traces."""
    began = time.perf_counter()
    found = ask()
    seconds = time.perf_counter() - began
    tell(
        Figure(name, 1000 * seconds, "ms", note=f"{count / seconds:,.0f} traces a second" if count is not None else "")
    )
    return found


def _lay_aside(connection: sqlite3.Connection) -> list[str]:
    """Drop the triggers and indexes of the tables to be filled; returns how they are made again."""
    kept = connection.execute(
        "SELECT type, name, sql FROM sqlite_schema WHERE type IN ('trigger', 'index') AND sql IS NOT NULL"
        " AND tbl_name IN ('trace', 'prompt')"
    ).fetchall()
    for kind, name, _ in kept:
        connection.execute(f"DROP {kind} {name}")
    return [sql for _, _, sql in kept]


def _fill(connection: sqlite3.Connection, count: int, chance: random.Random) -> None:
    (run,) = connection.execute("SELECT seq FROM run").fetchone()
    connection.execute("INSERT INTO workspace VALUES (1, 'sandbox')")
    connection.executemany(
        "INSERT INTO round (run, number, categories) VALUES (?, ?, '[]')",
        ((run, n) for n in range(1, count // _PROMPTS_A_ROUND + 2)),
    )
    connection.executemany(
        "INSERT INTO trace (run, id, round, slot, category, mode, outcome, level, attempts, ended_at, prompt, commands,"
        f" payload) VALUES ({run}, ?, ?, ?, ?, 'sudo', ?, ?, ?, ?, ?, ?, ?)",
        _rows(count, chance),
    )
    connection.execute(
        "INSERT INTO prompt SELECT id, run, round, slot, category, mode, prompt, outcome = 'errored' FROM trace"
    )
    connection.execute("INSERT INTO word (word) SELECT category FROM trace UNION SELECT outcome FROM trace")
    connection.execute("INSERT INTO word (word) SELECT DISTINCT level FROM trace")
    connection.execute("INSERT INTO review SELECT * FROM review_of ORDER BY n")
    connection.execute(
        "INSERT INTO tally SELECT run, category, outcome, decision, count(*) FROM trace GROUP BY 1, 2, 3, 4"
    )
    connection.execute("INSERT INTO trace_text (trace_text) VALUES ('rebuild')")


def _rows(count: int, chance: random.Random) -> Iterator[tuple[object, ...]]:
    kinds = [(category, outcome) for category in CATEGORY_NAMES for outcome in _SHARES]
    templates = {kind: _template(*kind) for kind in kinds}
    picked = chance.choices(kinds, weights=[_SHARES[outcome] for _, outcome in kinds], k=count)
    for number, kind in enumerate(picked):
        trace, payload = templates[kind]
        round_, slot = divmod(number, _PROMPTS_A_ROUND)
        trace_id = f"{number:024x}"
        text = f"sudo {' '.join(chance.choices(_WORDS, k=12))} {number}"
        payload = payload.replace("TRACE-ID", trace_id).replace("PROMPT-TEXT", text).replace("987654", str(round_ + 1))
        yield (
            trace_id,
            round_ + 1,
            slot,
            trace.prompt.category,
            trace.outcome,
            trace.level,
            len(trace.attempts),
            _BEGAN + number,
            text,
            "\n".join(trace.last.answer.commands) if trace.last and trace.last.answer else "",
            payload,
        )


def _template(category: str, outcome: Outcome) -> tuple[Trace, str]:
    attempts = {
        Outcome.CORRECTED: (_attempt(1, VerdictOutcome.REJECTED), _attempt(2, VerdictOutcome.PASSED)),
        Outcome.FAILED: tuple(_attempt(number, VerdictOutcome.REJECTED) for number in (1, 2, 3)),
        Outcome.UNPROVEN: (_attempt(1, VerdictOutcome.FAILED),),
        Outcome.BLOCKED: (_attempt(1, None),),
        Outcome.ERRORED: (),
    }.get(outcome, (_attempt(1, VerdictOutcome.PASSED),))
    level = Level.EXECUTED if outcome in (Outcome.SOLVED, Outcome.CORRECTED) else Level.NONE
    trace = Trace(
        "TRACE-ID",
        Prompt("PROMPT-TEXT", category, Mode.SUDO, 987654, 7),
        attempts,
        outcome,
        level,
        "",
        "You translate what a player says into commands of the game. " * 10,
        ModelIdentity("sandbox", "selfplay-sandbox"),
        WorldIdentity(WorldKind.SANDBOX, "selfplay-sandbox", "1.21", ("slingshooter08",)),
        {"temperature": 0.3, "top_p": 0.9, "num_ctx": 8192},
    )
    return trace, encode(trace)


def _attempt(number: int, outcome: VerdictOutcome | None) -> Attempt:
    form = "{{Enchantments:[{n}]}}" if outcome is VerdictOutcome.REJECTED else "[enchantments={{sharpness:{n}}}]"
    commands = tuple(f"give slingshooter08 minecraft:diamond_sword{form.format(n=n)} 1" for n in (1, 5))
    results = tuple(_result(command, outcome) for command in commands) if outcome is not None else ()
    answer = Answer(commands, "The player wants a sword that is as sharp as it gets, in the form of this version.")
    return Attempt(number, encode(answer), answer, None, "They ask for a sword. " * 8, results, 1.25, 180)


def _result(command: str, outcome: VerdictOutcome) -> CommandResult:
    because = FailedBecause.NOBODY if outcome is VerdictOutcome.FAILED else None
    level = Level.EXECUTED if outcome is VerdictOutcome.PASSED else Level.NONE
    reply = "Gave 1 [Diamond Sword] to slingshooter08"
    verdict = Verdict(outcome, because, "commands.give.success.single", reply)
    return CommandResult(command, reply, verdict, level, risk=2)


if __name__ == "__main__":
    main()
