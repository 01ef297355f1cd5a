"""Laws of figures, denials and the count of held attempts."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from selfplay_core.errors import StoreError
from selfplay_core.models import AUTO, DecisionKind, Outcome, VerdictOutcome
from selfplay_core.store.coverage import RootCount, command_roots
from selfplay_core.store.database import Database
from selfplay_core.store.decisions import decide, undo
from selfplay_core.store.denials import denials, deny_beginning
from selfplay_core.store.held import HeldAttempt, held, held_count, hold, rule_held
from selfplay_core.store.rounds import PlannedPrompt, add_round
from selfplay_core.store.runs import start_run
from selfplay_core.store.statistics import (
    FrequentError,
    decision_pace,
    decisions_by_kind,
    frequent_errors,
    reject_reasons,
    retries_histogram,
    trace_pace,
)
from selfplay_core.store.traces import save_trace
from selfplay_core.verify.roots import GAME_ROOTS, root_of
from tests.store_samples import (
    ACCEPT,
    REJECT,
    RUN,
    a_prompt,
    a_result,
    a_run,
    a_trace,
    an_attempt,
    begun,
    by,
    decided,
    ended,
    saved,
)


@pytest.fixture
def database(tmp_path: Path) -> Iterator[Database]:
    opened = begun(tmp_path)
    yield opened
    opened.close()


def test_decisions_are_counted_by_who_made_them(database: Database) -> None:
    """People's decisions since a time count by kind and by minute; the machine's and undos do not."""
    traces = ended(database, list("abcde"))
    for made, at in zip(traces, (0.0, 61.0, 119.0, 179.9, 180.0), strict=True):
        decided(database, made, replace(REJECT, at=at))
    decided(database, traces[0], replace(ACCEPT, by=AUTO, at=100.0))
    undo(database, traces[4].id, by="tester", at=170.0)
    assert decisions_by_kind(database, 61.0) == {kind: 4 * (kind is DecisionKind.REJECT) for kind in DecisionKind}
    assert decision_pace(database, 180.0, 3) == [1, 2, 1]
    assert decision_pace(database, 180.0, 1) == [1]


def test_traces_are_counted_by_minute(database: Database) -> None:
    """Each of the last minutes has its count, the oldest first."""
    for number, at in enumerate((0.0, 59.9, 60.0, 130.0), start=1):
        saved(database, [a_trace("", a_prompt("x"))], number, at)
    assert trace_pace(database, 180.0, 3) == [2, 1, 1]
    assert trace_pace(database, 131.0, 1) == [1]
    assert trace_pace(database, 1e9, 2) == [0, 0]


def test_only_standing_rejections_have_reasons(database: Database) -> None:
    """What was undone or overruled is no reason any more; the most frequent comes first."""
    traces = ended(database, list("abcde"))
    for made, reason in zip(traces, ("unsafe", "style", "style", "wrong", ""), strict=True):
        decided(database, made, replace(REJECT, reason=reason))
    decided(database, traces[3])
    assert reject_reasons(database) == {"style": 2, "": 1, "unsafe": 1}
    assert next(iter(reject_reasons(database))) == "style"
    undo(database, traces[0].id, by="tester", at=1.0)
    undo(database, traces[3].id, by="tester", at=1.0)
    assert reject_reasons(database) == {"style": 2, "": 1, "wrong": 1}
    decided(database, traces[1], replace(by(DecisionKind.SKIP), reason="later"))
    assert reject_reasons(database) == {"": 1, "style": 1, "wrong": 1}


def test_errors_are_counted_by_message(database: Database) -> None:
    """Refusals of a known message count as one under its newest wording; what passed is no error."""
    rejected, failed, unclear = VerdictOutcome.REJECTED, VerdictOutcome.FAILED, VerdictOutcome.UNCLEAR
    older = an_attempt(
        1,
        a_result("a", rejected, key="item.unknown", message="Unknown item 'x'"),
        a_result("b", failed, message="No chicken"),
        a_result("c", unclear, message="Who knows"),
    )
    newer = an_attempt(2, a_result("a", rejected, key="item.unknown", message="Unknown item 'y'"), a_result("b"))
    trace = a_trace("", a_prompt("x"))
    saved(database, [replace(trace, attempts=(older,)), replace(trace, attempts=(an_attempt(1), newer))])
    unknown = FrequentError("Unknown item 'y'", 2, "item.unknown")
    assert frequent_errors(database) == [unknown, FrequentError("No chicken", 1, None)]
    assert frequent_errors(database, limit=1) == [unknown]
    assert frequent_errors(database, newest=1) == [replace(unknown, count=1)]


def test_commands_are_counted_by_what_would_run_in_the_last_attempts(database: Database) -> None:
    """Of the newest traces; what was asked for and not run is neither passed nor failed."""
    rejected, unclear = VerdictOutcome.REJECTED, VerdictOutcome.UNCLEAR
    trace = a_trace("", a_prompt("x"))
    tried = an_attempt(1, a_result("op Alex"), a_result("give a b", rejected))
    last = an_attempt(
        2, a_result("execute as @a run give a b"), a_result("kill x", unclear), a_result("/give c", rejected)
    )
    stopped = replace(last, results=())
    unread = replace(an_attempt(1), answer=None)
    saved(database, [replace(trace, attempts=one) for one in ((tried, last), (stopped,), (unread,), ())])
    assert command_roots(database, root_of) == [RootCount("give", 4, 1, 1), RootCount("kill", 2, 0, 0)]
    assert command_roots(database, root_of, newest=3) == [RootCount("give", 2, 0, 0), RootCount("kill", 1, 0, 0)]
    assert command_roots(database, root_of, newest=2) == []


@pytest.mark.parametrize(
    ("command", "root"),
    [
        ("give @s stone", "give"),
        ("/minecraft:GIVE @s stone", "give"),
        ("execute as @a at @s if entity @s run return run teleport @s ~ ~1 ~", "tp"),
        ("xp add @s 1", "experience"),
        ("//set stone", "//set"),
        ("notacommand", "notacommand"),
        ("", ""),
    ],
)
def test_a_command_is_counted_under_what_the_server_would_run(command: str, root: str) -> None:
    """However it is spelled and wrapped, and by one of its names alone."""
    assert root_of(command) == root
    assert "tp" in GAME_ROOTS
    assert "teleport" not in GAME_ROOTS


def test_a_damaged_trace_is_told_by_its_number(database: Database) -> None:
    """Figures do not hide what cannot be read."""
    ended(database, ["x"])
    with database.transaction() as connection:
        connection.execute("UPDATE trace SET payload = '{}'")
    with pytest.raises(StoreError, match="trace #1 cannot be read"):
        frequent_errors(database)
    with pytest.raises(StoreError, match="trace #1 cannot be read"):
        command_roots(database, root_of)


def test_retries_are_counted_in_the_newest(database: Database) -> None:
    """One count for each number of retries; a trace without an attempt has none to count."""
    trace = a_trace("", a_prompt("x"))
    attempts = [an_attempt(n, a_result("a")) for n in (1, 2, 3)]
    saved(database, [replace(trace, attempts=tuple(attempts[:n])) for n in (3, 1, 1, 0, 2)])
    assert retries_histogram(database) == {0: 2, 1: 1, 2: 1}
    assert retries_histogram(database, newest=3) == {0: 1, 1: 1}


def test_figures_are_led_by_indexes(database: Database) -> None:
    """None of what is asked every other second sorts or scans the traces."""
    asked: list[str] = []
    database._connection.set_trace_callback(asked.append)
    decisions_by_kind(database, 0.0)
    decision_pace(database, 180.0, 3)
    trace_pace(database, 180.0, 3)
    reject_reasons(database)
    held_count(database)
    database._connection.set_trace_callback(None)
    assert len(asked) == 5
    for sql in asked:
        plan = [row[3] for row in database.rows(f"EXPLAIN QUERY PLAN {sql}")]
        assert "COVERING INDEX" in plan[0], (sql, plan)


def test_denials_belong_to_their_run(database: Database) -> None:
    """What a person denied holds for one run, once however often it is said; nothing is no beginning."""
    start_run(database, a_run("run-2"))
    for beginning in ("summon", "fill 0", "summon"):
        deny_beginning(database, RUN, beginning, by="ann", at=1.0)
    assert denials(database, RUN) == ("fill 0", "summon")
    assert denials(database, "run-2") == ()
    for run_id, beginning in ((RUN, " \t"), ("nobody", "summon")):
        with pytest.raises(StoreError, match=run_id):
            deny_beginning(database, run_id, beginning, by="ann", at=1.0)


def test_held_attempts_are_counted_until_ruled_on(database: Database) -> None:
    """The count is of those who wait for a person, in the list they come by their age."""
    prompts = [a_prompt("x", slot) for slot in range(3)]
    planned = [PlannedPrompt(f"t{prompt.slot}", prompt) for prompt in prompts]
    add_round(database, RUN, 1, ["edge_items"], planned)
    for item, since in zip(planned, (3.0, 1.0, 2.0), strict=True):
        hold(database, HeldAttempt(item.trace_id, RUN, item.prompt, b"{}", since))
    assert [attempt.trace_id for attempt in held(database)] == ["t1", "t2", "t0"]
    assert held_count(database) == 3
    rule_held(database, "t1", since=1.0, allow=False, by="ann")
    save_trace(database, RUN, a_trace("t0", prompts[0], Outcome.BLOCKED), 4.0)
    assert held_count(database) == 1


def test_a_decision_that_is_damaged_is_told(database: Database) -> None:
    """A decision that is no JSON is no batch, and whoever reads it is told which it is."""
    (made,) = ended(database, ["x"])
    decide(database, made.id, replace(REJECT, batch="b"))
    with database.transaction() as connection:
        connection.execute("UPDATE decision SET payload = '{'")
    with pytest.raises(StoreError, match="decision 1 cannot be read"):
        undo(database, made.id, by="ann", at=1.0)
