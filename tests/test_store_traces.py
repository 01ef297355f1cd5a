"""Laws of runs, rounds, traces and held attempts."""

from __future__ import annotations

import itertools
import sqlite3
import subprocess
import sys
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from selfplay_core.errors import StoreError, WorkspaceError
from selfplay_core.models import Attempt, DecisionKind, Outcome, WorldKind
from selfplay_core.store.codec import encode
from selfplay_core.store.database import Database, Reader
from selfplay_core.store.decisions import decide, standing
from selfplay_core.store.held import HeldAttempt, expired_held, held, hold, rule_held
from selfplay_core.store.history import redo_last, undo_last
from selfplay_core.store.rounds import PlannedPrompt, WhyOpen, add_round, last_round, open_prompts
from selfplay_core.store.runs import (
    RunStatus,
    check_kind,
    end_run,
    kind_of,
    last_run,
    resume_run,
    runs,
    start_run,
)
from selfplay_core.store.traces import (
    save_trace,
    search,
    tally,
    trace,
    traces,
    traces_of_run,
    undecided,
)
from tests.store_samples import (
    REJECT,
    RUN,
    a_prompt,
    a_run,
    a_trace,
    accepted,
    assert_sound,
    begun,
    by,
    decided,
    ended,
)


@pytest.fixture
def database(tmp_path: Path) -> Iterator[Database]:
    opened = begun(tmp_path)
    yield opened
    opened.close()


def test_a_trace_comes_back_as_it_went_in(database: Database) -> None:
    """A stored trace decodes to an equal one."""
    (stored,) = ended(database, ["give me a stone"])
    assert trace(database, stored.id) == stored
    assert trace(database, "another") is None


def test_text_that_utf8_cannot_hold_is_mended(database: Database) -> None:
    """A lone surrogate from a model does not keep its trace out of the store."""
    prompt = a_prompt("broken \ud800 and \0 text")
    add_round(database, RUN, 1, ["edge_items"], [PlannedPrompt("t", prompt)])
    attempt = Attempt(1, "raw \udfff", None, error="no answer")
    save_trace(database, RUN, replace(a_trace("t", prompt), attempts=(attempt,)), 1.0)
    stored = trace(database, "t")
    assert stored is not None
    assert stored.prompt.text == "broken \ufffd and \0 text"
    assert stored.attempts[0].raw == "raw \ufffd"


def test_a_damaged_trace_is_an_error_that_names_it(database: Database) -> None:
    """A payload of the wrong shape is refused with its path, never half decoded."""
    (stored,) = ended(database, ["x"])
    with database.transaction() as connection:
        connection.execute("UPDATE trace SET payload = replace(payload, '\"sudo\"', '7')")
    with pytest.raises(StoreError, match=rf"trace {stored.id} .*\$\.prompt\.mode"):
        trace(database, stored.id)


def test_only_an_errored_trace_is_replaced(database: Database) -> None:
    """An errored trace gives way to a later one; any other stays, and the same again changes nothing."""
    (errored,) = ended(database, ["x"], outcome=Outcome.ERRORED)
    solved = replace(errored, outcome=Outcome.SOLVED)
    save_trace(database, RUN, solved, 2.0)
    save_trace(database, RUN, solved, 3.0)
    with pytest.raises(StoreError, match="Only an errored trace may be replaced"):
        save_trace(database, RUN, replace(solved, outcome=Outcome.FAILED), 4.0)
    assert trace(database, errored.id) == solved
    assert [(count.outcome, count.count) for count in tally(database)] == [(Outcome.SOLVED, 1)]
    assert_sound(database)


def test_a_replaced_trace_waits_for_a_decision_of_its_own(database: Database) -> None:
    """What was decided on an errored trace is about other evidence: it neither counts nor comes back."""
    (errored,) = ended(database, ["x"], outcome=Outcome.ERRORED)
    decided(database, errored, REJECT)
    save_trace(database, RUN, replace(errored, outcome=Outcome.SOLVED), 2.0)
    now = standing(database, errored.id)
    assert (now.decision, now.can_undo, now.can_redo) == (None, False, False)
    assert undo_last(database, by="tester", at=3.0) is None
    assert redo_last(database, by="tester", at=3.0) is None
    assert [line.decision for line in traces(database)] == [None]
    assert [line.id for line in undecided(database, RUN)] == [errored.id]


def test_a_trace_needs_its_round(database: Database) -> None:
    """A trace that no round of its run announced is refused and leaves nothing behind, not even the kind."""
    with pytest.raises(StoreError, match="belongs to no round"):
        save_trace(database, RUN, a_trace("t", a_prompt("x")), 1.0)
    assert kind_of(database) is None


def test_a_round_is_recorded_whole_or_not_at_all(database: Database) -> None:
    """A prompt that cannot be stored takes its round with it."""
    twice = [PlannedPrompt("a", a_prompt("x", 0)), PlannedPrompt("a", a_prompt("y", 1))]
    with pytest.raises(sqlite3.IntegrityError):
        add_round(database, RUN, 1, ["edge_items"], twice)
    assert last_round(database, RUN) is None


def test_open_prompts_are_those_without_an_end(database: Database) -> None:
    """Unfinished and errored prompts are open by run, round and slot; held and ended ones are not."""
    prompts = [PlannedPrompt(f"t{slot}", a_prompt(str(slot), slot)) for slot in range(4)]
    add_round(database, RUN, 1, ["edge_items"], prompts)
    save_trace(database, RUN, a_trace("t0", prompts[0].prompt), 1.0)
    save_trace(database, RUN, a_trace("t2", prompts[2].prompt, Outcome.ERRORED), 1.0)
    hold(database, HeldAttempt("t3", RUN, prompts[3].prompt, b"x", 1.0))
    end_run(database, RUN, RunStatus.INTERRUPTED, 2.0)
    start_run(database, a_run("earlier by name"))
    add_round(database, "earlier by name", 1, ["edge_items"], [PlannedPrompt("u", a_prompt("u"))])
    found = [(item.trace_id, item.run_id, item.why) for item in open_prompts(database)]
    assert found == [
        ("t1", RUN, WhyOpen.UNFINISHED),
        ("t2", RUN, WhyOpen.ERRORED),
        ("u", "earlier by name", WhyOpen.UNFINISHED),
    ]
    assert [item.prompt for item in open_prompts(database, RUN)] == [prompts[1].prompt, prompts[2].prompt]


def test_held_attempts_are_ruled_on_once(database: Database) -> None:
    """The first ruling on a held attempt stands; its trace's end takes it out."""
    prompts = [PlannedPrompt(f"t{slot}", a_prompt(str(slot), slot)) for slot in range(2)]
    add_round(database, RUN, 1, ["edge_items"], prompts)
    first, second = (HeldAttempt(p.trace_id, RUN, p.prompt, b"\0payload", 5.0) for p in prompts)
    hold(database, first)
    hold(database, second)
    assert held(database) == [first, second]
    assert rule_held(database, "t0", since=5.0, allow=False, by="tester")
    assert not rule_held(database, "t0", since=5.0, allow=True, by="another")
    assert held(database)[0] == replace(first, allowed=False, ruled_by="tester")
    assert [item.trace_id for item in expired_held(database, 105.0, 100.0)] == ["t1"]
    assert expired_held(database, 104.9, 100.0) == []
    for planned in prompts:
        save_trace(database, RUN, a_trace(planned.trace_id, planned.prompt, Outcome.BLOCKED), 6.0)
    assert held(database) == []


def test_a_held_attempt_needs_its_round(database: Database) -> None:
    """An attempt of a prompt that nobody announced cannot be parked."""
    with pytest.raises(StoreError, match="belongs to no round"):
        hold(database, HeldAttempt("nobody", RUN, a_prompt("x"), b"", 1.0))


def test_the_other_kind_of_world_is_refused(database: Database) -> None:
    """The first trace makes the workspace sandbox or real; the other kind is told what to do."""
    check_kind(database, WorldKind.REAL)
    assert kind_of(database) is None
    ended(database, ["x"])
    assert kind_of(database) is WorldKind.SANDBOX
    check_kind(database, WorldKind.SANDBOX)
    add_round(database, RUN, 2, ["edge_items"], [PlannedPrompt("real", a_prompt("y", 0, 2))])
    with pytest.raises(WorkspaceError, match=r"come from the sandbox.*Use another --workspace"):
        save_trace(database, RUN, a_trace("real", a_prompt("y", 0, 2), kind=WorldKind.REAL), 1.0)
    with pytest.raises(WorkspaceError, match="a real server"):
        check_kind(database, WorldKind.REAL)
    assert trace(database, "real") is None


def test_undecided_traces_by_place(database: Database) -> None:
    """What waits for a decision comes by round and slot, a page at a time, without the errored."""
    later = ended(database, ["a", "b"], number=2)
    ended(database, ["c", "d"], number=1)
    ended(database, ["e"], number=3, outcome=Outcome.ERRORED)
    decided(database, later[0])
    assert [line.prompt for line in undecided(database, RUN)] == ["c", "d", "b"]
    assert [line.prompt for line in undecided(database, RUN, after=(1, 0), limit=1)] == ["d"]


def test_pages_and_filters(database: Database) -> None:
    """Pages by number lose nothing and repeat nothing, in both directions and under every filter."""
    made = accepted(database, [f"p{n}" for n in range(5)]) + ended(database, ["q0", "q1"], 2)
    decide(database, made[0].id, by(DecisionKind.REJECT))
    seen, after = [], None
    while page := traces(database, after=after, limit=3):
        seen += [line.id for line in page]
        after = page[-1].number
    assert seen == [item.id for item in made]
    backwards = traces(database, newest_first=True, limit=100)
    assert [line.id for line in reversed(backwards)] == seen
    assert len(traces(database, decision=DecisionKind.ACCEPT)) == 4
    assert len(traces(database, decision="undecided", outcome=Outcome.SOLVED, category="edge_items")) == 2
    assert traces(database, category="worldedit") == []
    assert [line.decision for line in traces(database, limit=2)] == [DecisionKind.REJECT, DecisionKind.ACCEPT]


def test_counts_follow_decisions(database: Database) -> None:
    """The counters equal a count of the traces, after saves, replacements and decisions."""
    made = accepted(database, ["a", "b", "c"]) + ended(database, ["d"], 2, outcome=Outcome.ERRORED)
    decide(database, made[1].id, by(DecisionKind.SKIP))
    save_trace(database, RUN, replace(made[3], outcome=Outcome.CORRECTED), 9.0)
    kept = [(c.category, str(c.outcome), str(c.decision or "undecided"), c.count) for c in tally(database, RUN)]
    counted = database.rows(
        "SELECT category, outcome, decision, count(*) FROM trace GROUP BY category, outcome, decision"
        " ORDER BY category, outcome, decision"
    )
    assert kept == counted
    assert tally(database) == tally(database, RUN)


def test_search_finds_words_and_never_fails(database: Database) -> None:
    """Every word must be there, the last one may be a beginning, and no text of a person is syntax."""
    made = ended(database, ["enchanted bow please", "a stone sword", 'say [hello] "you"'])
    assert [line.id for line in search(database, "stone swo")] == [made[1].id]
    assert len(search(database, "minecraft:sto")) == 3
    assert [line.id for line in search(database, "minecraft:sto", after=1, limit=1)] == [made[1].id]
    assert [line.id for line in search(database, '[hello] "you"')] == [made[2].id]
    for text in (
        "",
        '"',
        "*",
        "AND OR NOT",
        "prompt:",
        "(",
        "NEAR(",
        "a" * 10_000,
        "\0",
        "\ud800x",
        "^a - +",
    ):
        search(database, text)
    assert search(database, "nowhere") == []


def test_a_replaced_trace_is_searched_by_its_new_text(database: Database) -> None:
    """The index forgets what an errored trace said."""
    (errored,) = ended(database, ["x"], outcome=Outcome.ERRORED)
    save_trace(database, RUN, a_trace(errored.id, errored.prompt, command="summon pig"), 2.0)
    assert search(database, "stone") == []
    assert len(search(database, "pig")) == 1
    with database.transaction() as connection:
        connection.execute("INSERT INTO trace_text (trace_text, rank) VALUES ('integrity-check', 1)")


def test_a_run_whose_process_died_is_interrupted(tmp_path: Path) -> None:
    """A killed run is seen as interrupted at once, a living one as running, and nobody else may generate."""
    command = [sys.executable, "-m", "tests.store_worker", "start", str(tmp_path), "-", "living"]
    with subprocess.Popen(command, stdout=subprocess.PIPE) as worker:
        assert worker.stdout is not None
        assert worker.stdout.readline() == b"started\n"
        database = Database.open(tmp_path)
        record = last_run(database)
        assert record is not None
        assert record.status is RunStatus.RUNNING
        with pytest.raises(WorkspaceError, match="another process generates"):
            start_run(database, a_run("second"))
        worker.kill()
    record = last_run(database)
    assert record is not None
    assert (record.id, record.status) == ("living", RunStatus.INTERRUPTED)
    start_run(database, a_run("second"))
    assert [run.status for run in runs(database)] == [RunStatus.RUNNING, RunStatus.INTERRUPTED]
    database.close()


def test_a_run_keeps_what_it_was_started_with(tmp_path: Path) -> None:
    """A record comes back whole, a seed of any width too, and an ended run may be taken up again."""
    database = Database.open(tmp_path)
    assert last_run(database) is None
    record = replace(a_run(), seed=-(2**200))
    start_run(database, record)
    assert last_run(database) == record
    end_run(database, RUN, RunStatus.GAVE_UP, 3000.0)
    assert last_run(database) == replace(record, status=RunStatus.GAVE_UP, ended_at=3000.0)
    resume_run(database, RUN)
    assert last_run(database) == record
    with pytest.raises(StoreError, match="no such run"):
        resume_run(database, "nobody")
    database.close()


def plan_of(database: Database, ask: Callable[[], object]) -> str:
    """The steps by which SQLite answers the last query of `ask`."""
    asked: list[str] = []
    database._connection.set_trace_callback(asked.append)
    ask()
    database._connection.set_trace_callback(None)
    # FTS5 asks queries of its own, shown as comments.
    query = [sql for sql in asked if sql.startswith("SELECT")][-1]
    return "\n".join(str(row[3]) for row in database.rows(f"EXPLAIN QUERY PLAN {query}"))


@pytest.mark.parametrize("newest_first", [False, True])
def test_a_page_reads_only_itself(database: Database, newest_first: bool) -> None:
    """At a million traces every set of filters is led by an index of all its columns, and nothing is sorted."""
    columns = {"category": "edge_items", "outcome": Outcome.SOLVED, "decision": DecisionKind.ACCEPT}
    for width in range(len(columns) + 1):
        for chosen in itertools.combinations(columns, width):
            filters: dict[str, Any] = {column: columns[column] for column in chosen}
            plan = plan_of(database, lambda: traces(database, after=5, newest_first=newest_first, **filters))  # noqa: B023
            terms = " AND ".join([*(f"{column}=?" for column in chosen), "rowid<?" if newest_first else "rowid>?"])
            assert f"({terms})" in plan
            assert "TEMP B-TREE" not in plan


def test_other_lists_are_led_by_an_index(database: Database) -> None:
    """What the engine and the screens ask for again and again reads what it returns, and sorts nothing."""
    accepted(database, ["a"])
    plans = {
        "INDEX trace_undecided": plan_of(database, lambda: undecided(database, RUN, after=(1, 1), limit=5)),
        "INDEX trace_place": plan_of(database, lambda: traces_of_run(database, RUN)),
        "INDEX prompt_open": plan_of(database, lambda: open_prompts(database)),
        "INDEX prompt_open (run=?)": plan_of(database, lambda: open_prompts(database, RUN)),
        "INDEX sqlite_autoindex_trace_1 (id=?)": plan_of(database, lambda: trace(database, "x")),
        "VIRTUAL TABLE INDEX": plan_of(database, lambda: search(database, "stone")),
    }
    for index, plan in plans.items():
        assert index in plan
        assert "TEMP B-TREE" not in plan
        assert "SCAN t" not in plan


def test_a_reader_sees_commits_and_cannot_write(tmp_path: Path, database: Database) -> None:
    """A read-only connection follows the writer and is told of changes."""
    reader = Reader.open(tmp_path)
    before = reader.data_version()
    (stored,) = ended(database, ["x"])
    assert trace(reader, stored.id) == stored
    assert reader.data_version() != before
    with pytest.raises(sqlite3.OperationalError, match="readonly"):
        reader._connection.execute("DELETE FROM trace")
    reader.close()


def test_payloads_are_plain_json(database: Database) -> None:
    """What is stored can be read by any other program."""
    (stored,) = ended(database, ["x"])
    assert database.row("SELECT payload ->> '$.prompt.text' FROM trace") == ("x",)
    assert encode(stored).startswith("{")
