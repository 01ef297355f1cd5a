"""Laws of imports: what was broken is recovered exactly, nothing comes in twice, nothing unshown is believed."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import orjson
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from selfplay_core.dataset.cases import Origin
from selfplay_core.dataset.native import native_lines
from selfplay_core.errors import UsageError
from selfplay_core.exchange.export import export
from selfplay_core.exchange.importing import Imported, import_files
from selfplay_core.exchange.original import IMPORTED, NotARow, read_row
from selfplay_core.exchange.places import Wish
from selfplay_core.exchange.rows import render
from selfplay_core.models import Decision, DecisionKind, Level, Mode, Outcome, VerdictOutcome, WorldKind
from selfplay_core.store.database import Database
from selfplay_core.store.decisions import decide, standing, undo
from selfplay_core.store.filters import Filter
from selfplay_core.store.flags import set_flag
from selfplay_core.store.imports import Fate
from selfplay_core.store.listing import example, listing
from selfplay_core.store.rounds import open_prompts
from selfplay_core.store.runs import last_run, runs
from tests.golden_cases import CASES, corrected
from tests.samples import ACCEPT, make_trace
from tests.store_samples import assert_sound, begun, saved


def old_call(command: str) -> str:
    """A call as the original wrote it: the command goes in as it is."""
    return '<tool_call>\n{"name": "rcon.execute", "arguments": {"command": "' + command + '"}}\n</tool_call>'


def old_correction(
    first: Sequence[tuple[str, str]], last: Sequence[tuple[str, str]], *, asked: str = "sudo do it", **final: Any
) -> bytes:
    """A correction as the original wrote it; replies that hold ERROR were failures to it."""
    messages: list[dict[str, str]] = [{"role": "system", "content": "Old."}, {"role": "user", "content": asked}]
    for command, reply in (*first, *last):
        messages.append({"role": "assistant", "content": old_call(command)})
        messages.append({"role": "tool", "content": json.dumps({"success": "Unknown" not in reply, "result": reply})})
    answer = {"commands": [command for command, _ in last], "reasoning": "Self-corrected: because", **final}
    messages.append({"role": "assistant", "content": json.dumps(answer)})
    row = {
        "id": "selfplay-correction-1700000000-123",
        "source": "self_play",
        "type": "error_correction",
        "messages": messages,
        "metadata": {"self_play": True, "rcon_verified": True, "attempts": 3},
    }
    return json.dumps(row).encode()


def old_standard(**output: Any) -> bytes:
    row = {
        "id": "selfplay-1700000000-123",
        "source": "self_play",
        "category": "command_gen",
        "input": {"user_message": "sudo a torch", "server_context": {"server_type": "paper", "version": "1.21.x"}},
        "output": {"reasoning": "why", "commands": ["give @p torch"], "safety_flags": [], **output},
        "metadata": {
            "difficulty": "medium",
            "validated": True,
            "risk_level": 3,
            "rcon_verified": True,
            "self_play": True,
        },
    }
    return json.dumps(row).encode()


UNKNOWN = "Unknown item 'minecraft:torhc'\n...ve @p torhc<--[HERE]"
GAVE = "Gave 1 [Torch] to Steve"


@settings(max_examples=300, deadline=None)
@given(st.lists(st.text(st.characters(exclude_categories=["Cs"])), min_size=1, max_size=3), st.text(max_size=20))
def test_broken_calls_are_recovered_exactly(commands: list[str], wrong: str) -> None:
    """Whatever a command holds: quotes, backslashes, line breaks, the end of a call."""
    row = old_correction([(wrong, UNKNOWN)], [(command, GAVE) for command in commands])
    trace, _ = read_row(row, 1)
    first, last = trace.attempts
    assert first.answer is not None
    assert first.answer.commands == (wrong,)
    assert last.answer is not None
    assert last.answer.commands == tuple(commands)
    assert tuple(result.command for result in last.results) == tuple(commands)


def test_a_correction_is_judged_anew() -> None:
    """The first attempt was refused, the last one passed; the level is what was shown here: nothing."""
    trace, row_id = read_row(old_correction([("give @p torhc", UNKNOWN)], [("give @p torch", GAVE)]), 5)
    assert (trace.outcome, trace.level, row_id) == (Outcome.CORRECTED, Level.NONE, "")
    assert trace.prompt.category == IMPORTED
    assert trace.prompt.slot == 5
    assert trace.system == "Old."
    assert trace.attempts[1].answer is not None
    assert trace.attempts[1].answer.reasoning == "because"
    assert trace.attempts[0].results[0].verdict.outcome is VerdictOutcome.REJECTED
    row = render(trace, ACCEPT)
    assert row is not None
    assert orjson.loads(row.line)["metadata"]["rcon_verified"] is False


@pytest.mark.parametrize("reply", ["No player was found", "Could not set the block", "That position is not loaded"])
def test_what_the_original_let_pass_is_no_success(reply: str) -> None:
    """Its test knew six words; these failures were "verified"."""
    trace, _ = read_row(old_correction([("give @p torhc", UNKNOWN)], [("give @p torch", reply)]), 1)
    assert trace.outcome in (Outcome.FAILED, Outcome.UNPROVEN)


@pytest.mark.parametrize("fault", ["RCON error: timed out", "", "Connection refused"])
def test_a_fault_that_was_corrected_is_no_correction(fault: str) -> None:
    """The model "corrected" a right command because the server was away: that teaches nothing."""
    trace, _ = read_row(old_correction([("give @p torch", fault)], [("give @p torch", GAVE)]), 1)
    assert trace.outcome is Outcome.SOLVED


def test_a_standard_row_waits_for_evidence() -> None:
    """It says that it is verified, and keeps no reply."""
    trace, _ = read_row(old_standard(), 1)
    assert (trace.outcome, trace.level) == (Outcome.UNPROVEN, Level.NONE)
    assert trace.world.kind is WorldKind.REAL
    assert trace.prompt.mode is Mode.SUDO


def test_a_prayer_keeps_its_message() -> None:
    """And what the model said that was no text is kept as text."""
    row = orjson.loads(old_standard(message="Hark.", reasoning=["a", 1]))
    row["input"]["user_message"] = "Pray for light"
    trace, _ = read_row(orjson.dumps(row), 1)
    assert trace.prompt.mode is Mode.GOD
    assert trace.attempts[0].answer is not None
    assert (trace.attempts[0].answer.message, trace.attempts[0].answer.reasoning) == ("Hark.", '["a",1]')


@pytest.mark.parametrize(
    ("line", "match"),
    [
        (b"{", "no JSON"),
        (old_standard()[:-1] + b', "more": ' + b"[" * 600 + b"]" * 600 + b"}", "no JSON that can be read"),
        (b"[]", "no row"),
        (b"{}", "no row"),
        (b"null", "no row"),
        (old_standard(commands="stop"), "commands"),
        (old_standard(commands=[{"cmd": "stop"}]), "commands"),
        (old_standard()[:-40], "no JSON"),
        (old_correction([], [("a", GAVE)], commands=["b"]), "belong together"),
        (old_correction([("a", GAVE)], [], commands=["b", "c"]), "belong together"),
        (b'{"id":"x","source":"self_play","messages":[]}', "begin with a system"),
        (b'{"id":"x","source":"self_play"}', "neither input"),
        (b'{"conversations":[]}', "only `seed` and `native`"),
    ],
)
def test_what_is_no_row_is_told(line: bytes, match: str) -> None:
    """With the reason, and never with a guess."""
    with pytest.raises(NotARow, match=match):
        read_row(line, 1)


@settings(max_examples=200, deadline=None)
@given(
    st.binary(max_size=200)
    | st.recursive(st.none() | st.integers() | st.text(), st.lists).map(json.dumps).map(str.encode)
)
def test_any_bytes_are_read_or_refused(line: bytes) -> None:
    """Nothing else happens."""
    with pytest.raises(NotARow):
        read_row(line, 1)


@pytest.mark.parametrize(
    "case", [case for case in CASES if case.decision is not None and render(case.trace, case.decision)]
)
def test_our_own_rows_keep_what_they_claim(case: Any) -> None:
    """A row of the output file is as good as its id: evidence, outcome, level and texts come back."""
    row = render(case.trace, case.decision)
    assert row is not None
    trace, row_id = read_row(row.line, 1)
    assert row_id == row.id
    before, after = orjson.loads(row.line), render(trace, replace(ACCEPT, by=case.decision.by))
    assert after is not None
    again = orjson.loads(after.line)
    assert again["metadata"]["results"] == before["metadata"]["results"]
    assert again["metadata"]["rcon_verified"] == before["metadata"]["rcon_verified"]
    assert again["metadata"]["generation_category"] == before["metadata"]["generation_category"]
    assert again.get("messages") == before.get("messages")
    assert again.get("output") == before.get("output")


def test_a_row_of_ours_that_was_changed_claims_nothing() -> None:
    """Its id is no more the hash of its content."""
    row = render(make_trace(), ACCEPT)
    assert row is not None
    body = orjson.loads(row.line)
    body["metadata"]["results"][0]["reply"] = "Gave 64 [Torch]"
    trace, row_id = read_row(orjson.dumps(body), 1)
    assert row_id == ""
    assert trace.level is Level.NONE


def write(path: Path, *lines: bytes) -> Path:
    path.write_bytes(b"".join(line + b"\n" for line in lines))
    return path


def imported(database: Database, *paths: Path) -> Imported:
    return import_files(database, paths, at=1234.0)


def test_old_rows_wait_for_a_decision(tmp_path: Path) -> None:
    """They are pending, searchable, and no run ever takes them up."""
    database = Database.open(tmp_path / "ws")
    found = imported(database, write(tmp_path / "old.jsonl", old_standard(), old_correction([], [("say a", "")])))
    assert found.fates == {Fate.NEW: 2}
    assert list(listing(database, Filter(status=("undecided",))).numbers) == [1, 2]
    assert list(listing(database, Filter(text="torch")).numbers) == [1]
    assert open_prompts(database) == []
    assert runs(database) == []
    assert last_run(database) is None
    assert_sound(database)


def test_nothing_comes_in_twice(tmp_path: Path) -> None:
    """Neither from the same file again, nor from a longer one, nor twice from one."""
    database = Database.open(tmp_path / "ws")
    path = write(tmp_path / "old.jsonl", old_standard(), old_standard())
    assert imported(database, path).fates == {Fate.NEW: 1, Fate.KNOWN: 1}
    assert imported(database, path).fates == {Fate.KNOWN: 2}
    write(path, old_standard(), old_standard(), old_standard(reasoning="another"))
    assert imported(database, path).fates == {Fate.KNOWN: 2, Fate.NEW: 1}


def test_a_workspace_knows_its_own_output_file(tmp_path: Path) -> None:
    """Rows that stand in it are not taken in as traces of somebody else."""
    database = begun(tmp_path / "ws")
    (trace,) = saved(database, [make_trace()])

    row = render(trace, ACCEPT)
    assert row is not None
    decide(database, trace.id, ACCEPT, row)
    assert imported(database, write(tmp_path / "rows.jsonl", row.line)).fates == {Fate.KNOWN: 1}


def test_bad_lines_are_told_and_the_others_taken(tmp_path: Path) -> None:
    """With file and line; a torn end is a bad line like others."""
    database = Database.open(tmp_path / "ws")
    path = write(
        tmp_path / "old.jsonl", b"\xef\xbb\xbf" + old_standard(), b"", b"{", old_correction([], [("say a", "")])
    )
    path.write_bytes(path.read_bytes() + old_standard()[:50])
    found = imported(database, path)
    assert found.fates == {Fate.NEW: 2}
    assert [(problem.line, problem.path) for problem in found.problems] == [(3, path), (5, path)]
    assert found.unread == 2


def test_sandbox_and_real_do_not_mix(tmp_path: Path) -> None:
    """Rows of the other kind are left out and told."""
    database = Database.open(tmp_path / "ws")
    sandbox = make_trace(world=replace(make_trace().world, kind=WorldKind.SANDBOX))
    row = render(sandbox, ACCEPT)
    assert row is not None
    found = imported(database, write(tmp_path / "mixed.jsonl", old_standard(), row.line))
    assert found.fates[Fate.NEW] == 1
    assert "do not mix" in found.problems[0].why


def test_a_missing_file_is_told_before_anything_is_taken(tmp_path: Path) -> None:
    """All files are looked at first."""
    database = Database.open(tmp_path / "ws")
    with pytest.raises(UsageError, match="no such file"):
        imported(database, write(tmp_path / "old.jsonl", old_standard()), tmp_path / "none.jsonl")
    assert listing(database, Filter()).numbers.tolist() == []


def backed_up(database: Database, path: Path) -> Path:
    export(database, Wish("native", path, Filter(), "", "1", force=True))
    return path


def filled(path: Path) -> Database:
    database = begun(path)
    traces = saved(database, [case.trace for case in CASES])

    for trace, case in zip(traces, CASES, strict=True):
        for decision in case.history:
            decide(database, trace.id, decision, render(trace, decision))
    set_flag(database, traces[1].id, True, by="ada", at=1.0)
    return database


def test_a_backup_is_the_workspace_again(tmp_path: Path) -> None:
    """Traces, decisions, flags and numbers: the backup of the copy is the backup, byte for byte."""
    first = backed_up(filled(tmp_path / "ws"), tmp_path / "a.jsonl")
    database = Database.open(tmp_path / "copy")
    assert imported(database, first).fates == {Fate.NEW: len(CASES)}
    assert backed_up(database, tmp_path / "b.jsonl").read_bytes() == first.read_bytes()
    assert_sound(database)
    shown = example(database, 2)
    assert shown is not None
    assert shown.flagged
    assert open_prompts(database) == []


def test_two_workspaces_merge(tmp_path: Path) -> None:
    """Each keeps its own decisions, and gets what it did not have."""
    ours, theirs = filled(tmp_path / "ours"), filled(tmp_path / "theirs")
    more = saved(theirs, [make_trace(text="sudo only theirs"), corrected()], 2)
    found = imported(ours, backed_up(theirs, tmp_path / "theirs.jsonl"))
    assert found.fates == {Fate.KNOWN: len(CASES), Fate.NEW: 2}
    assert standing(ours, more[0].id).decision is None
    assert_sound(ours)


def test_undo_works_on_imported_decisions(tmp_path: Path) -> None:
    """What stood before the last decision stands again."""

    source = begun(tmp_path / "ws")
    (trace,) = saved(source, [make_trace()])
    skip = Decision(DecisionKind.SKIP, by="ada", at=1.0)
    decide(source, trace.id, skip)
    decide(source, trace.id, ACCEPT, render(trace, ACCEPT))
    database = Database.open(tmp_path / "copy")
    imported(database, backed_up(source, tmp_path / "a.jsonl"))
    assert standing(database, trace.id).decision == ACCEPT
    assert undo(database, trace.id, by="ben", at=2.0).decision == skip


def test_what_was_undone_here_leaves_room_for_what_others_decided(tmp_path: Path) -> None:
    """But what is in one's own backup does not come back by it."""
    ours, theirs = begun(tmp_path / "ours"), begun(tmp_path / "theirs")
    (trace,) = saved(ours, [make_trace()])
    saved(theirs, [make_trace()])
    decide(ours, trace.id, ACCEPT, render(trace, ACCEPT))
    own = backed_up(ours, tmp_path / "own.jsonl")
    undo(ours, trace.id, by="ada", at=2.0)
    assert imported(ours, own).fates == {Fate.KNOWN: 1}
    assert standing(ours, trace.id).decision is None
    rejected = Decision(DecisionKind.REJECT, by="ben", at=3.0, reason="wrong")
    decide(theirs, trace.id, rejected)
    assert imported(ours, backed_up(theirs, tmp_path / "theirs.jsonl")).fates == {Fate.DECIDED: 1}
    assert standing(ours, trace.id).decision == rejected


@pytest.mark.parametrize("seed", ["-1", "x", ""])
def test_a_record_that_no_run_could_have_is_refused(tmp_path: Path, seed: str) -> None:
    """Even if somebody has given it the right hash."""

    made = native_lines(replace(CASES[0], origin=Origin("run", seed)))
    assert isinstance(made, list)
    database = Database.open(tmp_path / "ws")
    found = imported(database, write(tmp_path / "x.jsonl", made[0].data))
    assert found.unread == 1
