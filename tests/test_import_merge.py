"""Laws of merging: what was made here is never touched, what was decided is never lost, and no line harms another."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import orjson
import pytest

from selfplay_core.dataset.cases import Case, Origin
from selfplay_core.dataset.native import NotNative, native_lines, read_native
from selfplay_core.engine.seeds import trace_id
from selfplay_core.errors import StoreError
from selfplay_core.exchange.importing import Imported, import_files
from selfplay_core.exchange.rows import render
from selfplay_core.models import Decision, DecisionKind, Outcome, Trace
from selfplay_core.store.database import Database
from selfplay_core.store.decisions import decide, standing, undo
from selfplay_core.store.filters import Filter
from selfplay_core.store.history import last_decision, redo_last, undo_automatic, undo_last
from selfplay_core.store.imports import Fate
from selfplay_core.store.listing import example, listing
from selfplay_core.store.rounds import PlannedPrompt, add_round, last_round, open_prompts
from selfplay_core.store.runs import RunStatus, end_run, resume_run
from selfplay_core.store.traces import save_trace, traces_of_run
from tests.golden_cases import CASES, a_case, corrected
from tests.samples import ACCEPT, make_attempt, make_result, make_trace
from tests.store_samples import RUN, asked_again, assert_sound, begun, saved
from tests.test_import import backed_up, filled, imported, write
from tests.test_native import line_of

REJECT = Decision(DecisionKind.REJECT, by="ben", at=9.0, reason="wrong")
TEXTS = ("sudo one", "sudo two", "sudo three")


def a_round(database: Database, number: int, texts: Sequence[str] = TEXTS) -> list[Trace]:
    """A round of the run with the ids that the engine gives."""
    placed = [
        replace(made, id=trace_id(RUN, number, slot), prompt=replace(made.prompt, round=number, slot=slot))
        for slot, made in enumerate(make_trace(text=text) for text in texts)
    ]
    add_round(database, RUN, number, ["edge_items"], [PlannedPrompt(trace.id, trace.prompt) for trace in placed])
    for made in placed:
        save_trace(database, RUN, made, 1500.0)
    return placed


def accept(database: Database, trace: Trace, decision: Decision = ACCEPT) -> None:
    decide(database, trace.id, decision, render(trace, decision))


@pytest.mark.parametrize("status", [RunStatus.INTERRUPTED, RunStatus.GAVE_UP, RunStatus.DONE])
def test_a_run_of_ours_is_no_further_than_it_came(tmp_path: Path, status: RunStatus) -> None:
    """A copy that went on elsewhere stands beside it; ours goes on where it was, with its own ids."""
    ours, theirs = begun(tmp_path / "ours"), begun(tmp_path / "theirs")
    own = a_round(ours, 1)
    a_round(theirs, 1)
    more = a_round(theirs, 2, ("sudo theirs",))
    accept(theirs, more[0])
    end_run(ours, RUN, status, 1600.0)
    path = backed_up(theirs, tmp_path / "theirs.jsonl")
    assert imported(ours, path).fates == {Fate.KNOWN: 3, Fate.NEW: 1}
    assert last_round(ours, RUN) == 1
    assert traces_of_run(ours, RUN) == [trace.id for trace in own]
    assert imported(ours, path).fates == {Fate.KNOWN: 4}
    if status is not RunStatus.DONE:
        resume_run(ours, RUN)
        a_round(ours, 2, ("sudo ours", "sudo ours too"))
        assert imported(ours, path).fates == {Fate.KNOWN: 4}
    assert_sound(ours)
    lines = [orjson.loads(line) for line in backed_up(ours, tmp_path / "all.jsonl").read_bytes().splitlines()]
    assert {line["record"]["run"]["run"] for line in lines} == {RUN}
    # Whoever had the original knows it again, under whatever name it comes back.
    new = {} if status is RunStatus.DONE else {Fate.KNOWN: 5, Fate.NEW: 1}
    assert imported(theirs, tmp_path / "all.jsonl").fates == (new or {Fate.KNOWN: 4})
    assert list(listing(theirs, Filter(text="theirs")).numbers) == [4]


def test_a_generating_run_is_not_disturbed(tmp_path: Path) -> None:
    """It goes on under the import, and nothing of it is accepted by its rule."""
    ours, theirs = begun(tmp_path / "ours"), begun(tmp_path / "theirs")
    a_round(theirs, 1)
    imported(ours, backed_up(theirs, tmp_path / "theirs.jsonl"))
    assert last_round(ours, RUN) is None
    a_round(ours, 1)
    assert open_prompts(ours) == []
    assert len(traces_of_run(ours, RUN)) == 3
    assert_sound(ours)


def test_names_of_runs_never_collide(tmp_path: Path) -> None:
    """Not even where a file's run is called as the import would call another."""
    database = begun(tmp_path / "ws")
    lines = []
    for slot, run in enumerate((RUN, f"{RUN}~import1", RUN)):
        lines.append(line_of(replace(a_case(slot, make_trace()), origin=Origin(run, "7"))))
    assert imported(database, write(tmp_path / "x.jsonl", *lines)).fates == {Fate.NEW: 3}
    back = backed_up(database, tmp_path / "b.jsonl").read_bytes().splitlines()
    assert [read_native(line).origin.run for line in back] == [RUN, f"{RUN}~import1", RUN]


def pair_of(tmp_path: Path) -> tuple[Database, Database, Trace]:
    """The same undecided trace in two workspaces."""
    ours, theirs = begun(tmp_path / "ours"), begun(tmp_path / "theirs")
    (trace,) = saved(ours, [make_trace()])
    saved(theirs, [make_trace()])
    return ours, theirs, trace


def test_a_known_trace_gets_the_decisions_that_it_lacks(tmp_path: Path) -> None:
    """All of them, in their order, and its row is out."""
    ours, theirs, trace = pair_of(tmp_path)
    accept(theirs, trace, REJECT)
    accept(theirs, trace)
    path = backed_up(theirs, tmp_path / "theirs.jsonl")
    assert imported(ours, path).fates == {Fate.DECIDED: 1}
    assert standing(ours, trace.id).decision == ACCEPT
    assert imported(ours, path).fates == {Fate.KNOWN: 1}
    assert backed_up(ours, tmp_path / "ours.jsonl").read_bytes() == path.read_bytes()


def test_where_both_decided_ours_stays_and_it_is_told(tmp_path: Path) -> None:
    """Also where a person took back here what comes again: that is told as known."""
    ours, theirs, trace = pair_of(tmp_path)
    accept(ours, trace, REJECT)
    accept(theirs, trace)
    path = backed_up(theirs, tmp_path / "theirs.jsonl")
    assert imported(ours, path).fates == {Fate.OTHER_DECISIONS: 1}
    assert standing(ours, trace.id).decision == REJECT
    back = backed_up(theirs, tmp_path / "back.jsonl")
    undo(theirs, trace.id, by="ada", at=10.0)
    assert imported(theirs, back).fates == {Fate.KNOWN: 1}
    assert standing(theirs, trace.id).decision is None


def test_decisions_on_other_attempts_are_told(tmp_path: Path) -> None:
    """They are about something else than what is here."""
    ours, theirs = begun(tmp_path / "ours"), begun(tmp_path / "theirs")
    saved(ours, [make_trace()])
    (trace,) = saved(theirs, [asked_again(make_trace())])
    accept(theirs, trace)
    assert imported(ours, backed_up(theirs, tmp_path / "t.jsonl")).fates == {Fate.OTHER_ATTEMPTS: 1}
    assert standing(ours, trace.id).decision is None


def test_the_order_of_acceptance_comes_back(tmp_path: Path) -> None:
    """The output file of the copy is that of the workspace, and its backup the backup."""
    source = begun(tmp_path / "ws")
    traces = saved(source, [make_trace(text=text) for text in TEXTS])
    for trace in (traces[2], traces[0], traces[1]):
        accept(source, trace)
    first = backed_up(source, tmp_path / "a.jsonl")
    copy = Database.open(tmp_path / "copy")
    imported(copy, first)
    assert accepted_ids(copy) == accepted_ids(source) == [traces[2].id, traces[0].id, traces[1].id]
    assert backed_up(copy, tmp_path / "b.jsonl").read_bytes() == first.read_bytes()


def accepted_ids(database: Database) -> list[str]:
    return [trace_id for (trace_id,) in database.rows("SELECT trace_id FROM accepted ORDER BY seq")]


def test_rows_without_a_place_still_read() -> None:
    """As they were written before there was one: their ids are the same."""
    line = line_of(CASES[0])
    assert b'"accepted":' not in line
    assert read_native(line).accepted is None
    assert read_native(line_of(replace(CASES[0], accepted=7))).accepted == 7


def test_an_import_that_was_ended_is_finished_by_the_next(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Between traces and decisions, too; what went in until then is counted."""
    source = filled(tmp_path / "ws")
    path = backed_up(source, tmp_path / "a.jsonl")
    copy, so_far = Database.open(tmp_path / "copy"), Imported()

    def full(*_: object) -> None:
        raise StoreError("the disk is full.")

    with monkeypatch.context() as patch:
        patch.setattr("selfplay_core.exchange.importing.take_decisions", full)
        with pytest.raises(StoreError):
            import_files(copy, [path], at=1.0, so_far=so_far)
    decided = len([case for case in CASES if case.history])
    assert (so_far.fates[Fate.NEW], so_far.waiting) == (len(CASES), decided)
    assert imported(copy, path).fates == {Fate.KNOWN: len(CASES) - decided, Fate.DECIDED: decided}
    assert backed_up(copy, tmp_path / "b.jsonl").read_bytes() == path.read_bytes()


def test_an_accepted_fault_ends_nothing(tmp_path: Path) -> None:
    """The trace comes in, the decision is told as left out, and so it is the next time; the others stand."""
    errored = a_case(1, replace(make_trace(outcome=Outcome.ERRORED), attempts=()), ACCEPT)
    path = write(tmp_path / "x.jsonl", line_of(errored), line_of(a_case(2, make_trace(), ACCEPT)))
    database = Database.open(tmp_path / "ws")
    for _ in range(2):
        found = imported(database, path)
        assert [(problem.line, "gives no row" in problem.why) for problem in found.problems] == [(1, True)]
        assert standing(database, CASES[1].trace.id).decision == ACCEPT
    assert_sound(database)


def forged(case: Case) -> bytes:
    """A line with the hash that fits, as anybody can make it."""
    lines = native_lines(case)
    assert isinstance(lines, list)
    return lines[0].data


@pytest.mark.parametrize(
    "case",
    [
        replace(CASES[0], ended_at=-1.0),
        replace(CASES[0], ended_at=1e15),
        replace(CASES[0], accepted=0),
        replace(CASES[0], history=(replace(ACCEPT, at=-0.5),)),
        replace(CASES[0], history=(replace(ACCEPT, at=253_402_300_800.0),)),
        a_case(1, replace(make_trace(), parameters={"top_k": (1 << 64) - 1})),
        a_case(1, make_trace(replace(make_attempt(1, make_result("list")), output_tokens=1 << 63))),
        a_case(1, make_trace(make_attempt(1, replace(make_result("list"), risk=1 << 63)))),
        replace(CASES[0], origin=Origin("run", "9" * 5_000)),
        replace(CASES[0], origin=Origin("run", "\u0663")),
    ],
)
def test_numbers_out_of_all_bounds_are_refused(case: Case) -> None:
    """They would end an export, or a screen, long after they came in."""
    with pytest.raises(NotNative, match="out of all bounds"):
        read_native(forged(case))


def test_numbers_wider_than_any_integer_are_refused(tmp_path: Path) -> None:
    """JSON's readers make floats of them, whose hash fits; the line is told and the next one taken."""
    wide = forged(a_case(1, replace(make_trace(), parameters={"top_k": float(1 << 70)})))
    wide = wide.replace(orjson.dumps(float(1 << 70)), str(1 << 70).encode())
    assert str(1 << 70).encode() in wide
    database = Database.open(tmp_path / "ws")
    found = imported(database, write(tmp_path / "x.jsonl", wide, forged(CASES[1])))
    assert found.fates == {Fate.NEW: 1}
    assert "out of all bounds" in found.problems[0].why
    assert backed_up(database, tmp_path / "b.jsonl").read_bytes()


def test_undo_is_about_what_was_decided_here(tmp_path: Path) -> None:
    """No foreign batch goes back by one key; on its own trace such a decision is taken back or overruled."""
    source = begun(tmp_path / "ws")
    batch = replace(REJECT, batch="one keystroke")
    traces = saved(source, [make_trace(text=text) for text in TEXTS])
    for trace in traces:
        accept(source, trace, batch)
    database = Database.open(tmp_path / "copy")
    imported(database, backed_up(source, tmp_path / "a.jsonl"))
    assert last_decision(database) is None
    assert undo_last(database, by="ben", at=1.0) is None
    shown = example(database, 2)
    assert shown is not None
    assert shown.standing.imported
    accept(database, traces[0], replace(batch, by="ben"))
    assert not standing(database, traces[0].id).imported
    undone = undo_last(database, by="ben", at=2.0)
    assert undone is not None
    assert [number for _, number in undone.traces] == [1]
    # What comes in between by an import ends no redo.
    imported(database, write(tmp_path / "x.jsonl", line_of(a_case(1, make_trace(text="sudo more"), ACCEPT))))
    assert redo_last(database, by="ben", at=3.0) is not None
    taken = undo_automatic(database, traces[1].id, by="ben", at=4.0)
    assert taken is not None
    assert standing(database, traces[1].id).decision is None
    assert redo_last(database, by="ben", at=5.0) is not None
    assert standing(database, traces[1].id).imported


def test_a_row_that_was_undone_is_known(tmp_path: Path) -> None:
    """It came from here, whatever became of it since."""
    database = begun(tmp_path / "ws")
    (trace,) = saved(database, [corrected()])
    row = render(trace, ACCEPT)
    assert row is not None
    accept(database, trace)
    undo(database, trace.id, by="ada", at=3.0)
    assert imported(database, write(tmp_path / "rows.jsonl", row.line)).fates == {Fate.KNOWN: 1}


def test_a_backup_behind_an_output_file_brings_no_prompt_twice(tmp_path: Path) -> None:
    """What came in as a row is known when its trace comes; the others come in."""
    source = begun(tmp_path / "ws")
    traces = saved(source, [corrected(), make_trace()])
    accept(source, traces[0])
    row = render(traces[0], ACCEPT)
    assert row is not None
    database = Database.open(tmp_path / "copy")
    assert imported(database, write(tmp_path / "rows.jsonl", row.line)).fates == {Fate.NEW: 1}
    path = backed_up(source, tmp_path / "a.jsonl")
    assert imported(database, path).fates == {Fate.AS_ROW: 1, Fate.NEW: 1}
    assert imported(database, path).fates == {Fate.AS_ROW: 1, Fate.KNOWN: 1}
