"""Laws of exports: whole or not at all, the same again, and everything that is left out is told."""

from __future__ import annotations

import hashlib
import resource
from collections.abc import Iterator
from dataclasses import replace
from io import BytesIO
from pathlib import Path
from typing import Any

import orjson
import pytest

from selfplay_core.dataset.conversation import Kind
from selfplay_core.errors import SettingsError, StoreError, UsageError
from selfplay_core.exchange.export import export
from selfplay_core.exchange.formats import FORMATS
from selfplay_core.exchange.manifest import Manifest
from selfplay_core.exchange.places import Wish, manifest_path
from selfplay_core.exchange.rows import render
from selfplay_core.exchange.sieve import Duplicates
from selfplay_core.exchange.split import Share, parse_split
from selfplay_core.models import Answer, Attempt, Decision, DecisionKind, Outcome, Trace, VerdictOutcome
from selfplay_core.store.database import Database, Reader
from selfplay_core.store.decisions import decide
from selfplay_core.store.filters import Filter
from selfplay_core.store.likeness import Comparison
from selfplay_core.store.projection import Projection
from tests.golden_cases import CASES, corrected
from tests.samples import ACCEPT, PAPER, make_attempt, make_result, make_trace
from tests.store_samples import begun, saved
from tui.data_options import FORMAT_NAMES


@pytest.fixture
def workspace(tmp_path: Path) -> Iterator[Database]:
    """All golden cases, as a workspace holds them."""
    database = begun(tmp_path / "ws")
    traces = saved(database, [case.trace for case in CASES])
    for trace, case in zip(traces, CASES, strict=True):
        for decision in case.history:
            accept(database, trace, decision)
    yield database
    database.close()


def accept(database: Database, trace: Trace, decision: Decision = ACCEPT) -> None:
    row = render(trace, decision) if decision.kind in (DecisionKind.ACCEPT, DecisionKind.EDIT) else None
    decide(database, trace.id, decision, row)


def a_wish(name: str, output: Path | None, **more: Any) -> Wish:
    return Wish(name, output, more.pop("wanted", Filter()), "", "1.2.3", **more)


def exported(database: Reader, name: str, output: Path, **more: Any) -> Manifest:
    return export(database, a_wish(name, output, **more))


def rows(path: Path) -> list[dict[str, Any]]:
    return [orjson.loads(line) for line in path.read_bytes().splitlines()]


def test_the_command_line_knows_every_format() -> None:
    """The help page needs their names without loading them."""
    assert tuple(FORMATS) == FORMAT_NAMES


@pytest.mark.parametrize("name", FORMATS)
def test_what_is_told_is_what_is_there(workspace: Database, tmp_path: Path, name: str) -> None:
    """Lines, bytes and hash of the manifest are those of the file, and every trace is in it or left out."""
    output = tmp_path / "out.jsonl"
    told = exported(workspace, name, output)
    content = output.read_bytes()
    (file,) = told.files
    assert (file.lines, file.bytes) == (len(content.splitlines()), len(content))
    assert file.sha256 == hashlib.sha256(content).hexdigest()
    assert orjson.loads(manifest_path(output).read_bytes()) == told.as_json()
    assert told.traces == len(CASES)
    assert told.lines + sum(told.dropped.values()) >= told.traces - sum(told.left_out.values())
    if name.partition("-")[0] in ("trl", "axolotl", "llamafactory"):
        ids = [f"{line['id']}-" for line in rows(output)]
        silent = [n for n in range(len(CASES)) if not any(id_.startswith(f"run-1.1.{n}-") for id_ in ids)]
        assert len(silent) == sum(told.left_out.values())


@pytest.mark.parametrize("name", FORMATS)
def test_the_same_export_is_the_same_bytes(workspace: Database, tmp_path: Path, name: str) -> None:
    """And on stdout, too."""
    first, second, stream = tmp_path / "a" / "x.jsonl", tmp_path / "b" / "x.jsonl", BytesIO()
    for output in (first, second):
        output.parent.mkdir()
        exported(workspace, name, output)
    export(workspace, a_wish(name, None), stream)
    assert first.read_bytes() == second.read_bytes() == stream.getvalue()
    assert manifest_path(first).read_bytes() == manifest_path(second).read_bytes()


def test_the_seed_format_is_the_output_file(workspace: Database, tmp_path: Path) -> None:
    """In its order, byte for byte; the export is how a file that went lost is written anew."""
    output = tmp_path / "rows.jsonl"
    Projection(workspace, output, render).catch_up()
    exported(workspace, "seed", tmp_path / "again.jsonl")
    assert (tmp_path / "again.jsonl").read_bytes() == output.read_bytes() != b""


def test_a_correction_leads_where_fields_are_taken_from_the_beginning(tmp_path: Path) -> None:
    """`datasets` reads what the beginning of a file has: a call in vain and its reply too; the rest keeps its order."""
    database = begun(tmp_path / "ws")
    plain = [make_trace(make_attempt(1, make_result(f"time set {n}")), text=f"sudo {n} o'clock") for n in range(5)]
    nothing = Attempt(1, "Sure!", None, error="there is no JSON")
    plain[2] = make_trace(nothing, make_attempt(2, make_result("time set 2")), outcome=Outcome.CORRECTED)
    traces = saved(database, [*plain, corrected(), replace(corrected(), system="Other.")])
    for trace in traces:
        accept(database, trace)
    exported(database, "trl-sft", tmp_path / "out.jsonl")
    ids = [line["id"] for line in rows(tmp_path / "out.jsonl")]
    assert ids[0] == traces[5].id
    assert ids[1:] == [trace.id for trace in traces[:5]]


def test_splits_share_out_everything_once(tmp_path: Path) -> None:
    """Whatever is nearly the same stays together, and each file begins with a correction if it has one."""
    database = begun(tmp_path / "ws")
    texts = [f"sudo wish number {n} alpha{n} beta{n} gamma{n} delta{n}" for n in range(60)]
    texts += [f"{text} please" for text in texts]
    made = [make_trace(make_attempt(1, make_result("time set 1")), text=text) for text in texts]
    prompt = corrected().prompt
    made += [replace(corrected(), prompt=replace(prompt, text=f"sudo fast {n} {n}x {n}y")) for n in range(40)]
    for trace in saved(database, made):
        accept(database, trace)
    comparison = Comparison()
    while comparison.step(database):
        pass
    told = exported(database, "trl-sft", tmp_path / "x.jsonl", shares=parse_split("train=0.7,eval=0.3"))
    assert [file.name for file in told.files] == ["x.train.jsonl", "x.eval.jsonl"]
    parts = {name: rows(tmp_path / f"x.{name}.jsonl") for name in ("train", "eval")}
    asked = {name: {line["prompt"][1]["content"] for line in lines} for name, lines in parts.items()}
    assert len(asked["train"]) + len(asked["eval"]) == 160
    assert not asked["train"] & asked["eval"]
    assert 20 < len(asked["eval"]) < 80
    for text in texts[:60]:
        assert any({text, f"{text} please"} <= part for part in asked.values())
    for lines in parts.values():
        assert "tool_calls" in lines[0]["completion"][0]


def test_a_case_stays_in_its_part_when_others_are_added(tmp_path: Path) -> None:
    """Yesterday's evaluation is never today's training."""
    database = begun(tmp_path / "ws")
    shares = parse_split("train=0.5,eval=0.5")

    def add(number: int, count: int) -> None:
        texts = [f"sudo word{number}x{n} thing{n * 7} other{n * 13}" for n in range(count)]
        for trace in saved(database, [make_trace(text=text) for text in texts], number):
            accept(database, trace)

    add(1, 30)
    exported(database, "openai", tmp_path / "x.jsonl", shares=shares)
    before = (tmp_path / "x.eval.jsonl").read_bytes().splitlines()
    add(2, 30)
    exported(database, "openai", tmp_path / "x.jsonl", shares=shares, force=True)
    after = (tmp_path / "x.eval.jsonl").read_bytes().splitlines()
    assert set(before) <= set(after)
    assert len(after) > len(before)


@pytest.mark.parametrize(
    "text", ["", "train", "train=0.9", "train=0.9,eval=0.2", "a=0.5,a=0.5", "../x=1", "a=1,b", "a=nan"]
)
def test_a_split_that_shares_out_nothing_is_refused(text: str) -> None:
    """Names once, shares that make one."""
    with pytest.raises(SettingsError, match=r"train=0\.9,eval=0\.1"):
        parse_split(text)


def test_shares_need_not_be_exact_in_binary() -> None:
    """Tenths are what people type."""
    assert parse_split("a=0.7, b=0.2,c=0.1") == (Share("a", 0.7), Share("b", 0.2), Share("c", 0.1))


def repeating(tmp_path: Path) -> Database:
    """Three times the same but for signs, one nearly the same, one other."""
    database = begun(tmp_path / "ws")
    texts = [
        "sudo give every player near the spawn a golden apple",
        "sudo give every player, near the spawn, a GOLDEN apple!",
        "sudo give every player near the spawn a golden apple.",
        "sudo give every player near the spawn a golden pear",
        "sudo weather clear",
    ]
    for trace in saved(database, [make_trace(text=text) for text in texts]):
        accept(database, trace)
    return database


@pytest.mark.parametrize(
    ("duplicates", "lines", "left_out"),
    [
        (Duplicates.KEEP, 5, {}),
        (Duplicates.EXACT, 3, {"the same as an earlier line": 2}),
        (Duplicates.NEAR, 2, {"nearly the same as an earlier line": 1, "the same as an earlier line": 2}),
    ],
)
def test_duplicates_are_left_out_and_told(
    tmp_path: Path, duplicates: Duplicates, lines: int, left_out: dict[str, int]
) -> None:
    """The first of the same stays, and the manifest counts the others whether they are kept or not."""
    told = exported(repeating(tmp_path), "trl-sft", tmp_path / "x.jsonl", duplicates=duplicates)
    assert told.lines == lines
    assert told.dropped == left_out
    assert told.repeated == 2


def test_no_skeleton_has_more_lines_than_wanted(tmp_path: Path) -> None:
    """Other arguments make no other skeleton."""
    database = begun(tmp_path / "ws")
    given = [make_attempt(1, make_result(f"give Steve stone {n}")) for n in range(12)]
    made = [make_trace(attempt, text=f"sudo {n} stones") for n, attempt in enumerate(given)]
    made.append(make_trace(make_attempt(1, make_result("weather clear")), text="sudo sun"))
    for trace in saved(database, made):
        accept(database, trace)
    told = exported(database, "openai", tmp_path / "x.jsonl", per_skeleton=3)
    assert told.lines == 4
    assert told.dropped == {"more than wanted of one skeleton": 9}
    assert (told.skeletons, told.crowded) == (2, 0)
    assert exported(database, "openai", tmp_path / "y.jsonl").crowded == 1


def test_the_backup_leaves_nothing_out(tmp_path: Path) -> None:
    """Whatever is asked of other formats."""
    database = repeating(tmp_path)
    told = exported(database, "native", tmp_path / "x.jsonl", duplicates=Duplicates.NEAR, per_skeleton=1)
    assert told.lines == 5
    assert told.left_out == told.dropped == {}


def test_pairs_that_differ_in_little_come_with_advice(tmp_path: Path) -> None:
    """Plain DPO may do harm there."""
    database = begun(tmp_path / "ws")
    long = " ".join(["minecraft:stone"] * 30)
    first = make_attempt(1, make_result(f"say {long} a", VerdictOutcome.REJECTED))
    second = make_attempt(2, make_result(f"say {long} b"))
    trace = make_trace(first, second, outcome=Outcome.CORRECTED)
    for made in saved(database, [trace]):
        accept(database, made)
    told = exported(database, "trl-dpo", tmp_path / "x.jsonl")
    assert any("plain DPO" in text for text in told.advice)
    (line,) = rows(tmp_path / "x.jsonl")
    assert line["near"] is True
    assert line["edit_distance"] == 1


def test_what_no_server_was_shown_to_carry_out_is_told_and_can_be_left_out(tmp_path: Path) -> None:
    """Accepted answers alone are counted: nobody stands for the others."""
    database = begun(tmp_path / "ws")
    first, second, _ = saved(database, [make_trace(text=f"sudo {name}") for name in ("a", "b", "c")])
    accept(database, first)
    refused = make_result("time set noon", VerdictOutcome.REJECTED)
    edited = Answer(("time set noon",), "Noon.")
    accept(database, second, Decision(DecisionKind.EDIT, "ada", 1.0, edited=edited, results=(refused,), world=PAPER))
    told = "1 line holds commands that no server was shown to carry out"
    assert any(told in text for text in exported(database, "trl-sft", tmp_path / "all.jsonl").advice)
    assert any(told in text for text in exported(database, "native", tmp_path / "backup.jsonl").advice)
    found = exported(database, "trl-sft", tmp_path / "proven.jsonl", proven=True)
    assert (found.lines, found.dropped, found.advice) == (1, {"not shown to work": 1}, ())
    assert b"noon" not in (tmp_path / "proven.jsonl").read_bytes()


def test_one_class_alone_is_told(tmp_path: Path) -> None:
    """KTO cannot learn from it."""
    database = begun(tmp_path / "ws")
    for trace in saved(database, [make_trace()]):
        accept(database, trace)
    assert "KTO" in " ".join(exported(database, "trl-kto", tmp_path / "x.jsonl").advice)


@pytest.mark.parametrize(
    ("wanted", "match"),
    [
        (Filter(categories=("worldedit",)), "holds no trace"),
        (Filter(status=("reject",)), "1 rejected"),
        (Filter(status=("undecided",)), "2 undecided"),
    ],
)
def test_an_empty_export_is_refused_and_leaves_nothing(
    workspace: Database, tmp_path: Path, wanted: Filter, match: str
) -> None:
    """It is told why there is nothing, and no file appears."""
    folder = tmp_path / "out"
    folder.mkdir()
    with pytest.raises(UsageError, match=match):
        exported(workspace, "trl-sft", folder / "x.jsonl", wanted=wanted)
    assert list(folder.iterdir()) == []


def test_memory_does_not_grow_with_the_traces(tmp_path: Path) -> None:
    """An export reads a few traces at a time."""
    from benchmarks.exporting import accept_all
    from benchmarks.listing import build_workspace

    build_workspace(tmp_path / "ws", 20_000)
    accept_all(tmp_path / "ws")
    reader = Reader.open(tmp_path / "ws")
    export(reader, a_wish("trl-sft", tmp_path / "warm.jsonl", wanted=Filter(categories=("worldedit",))))
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    told = exported(reader, "trl-sft", tmp_path / "x.jsonl")
    grown = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before
    assert told.files[0].bytes > 20_000_000
    assert grown < 12_000
    reader.close()


def test_a_correction_stays_one_only_with_what_it_corrects() -> None:
    """Every SFT row of a correction holds the failing attempt, and trains the last turn alone."""
    for name in ("axolotl", "openai"):
        for case in CASES:
            lines = FORMATS[name].lines(case)
            if isinstance(lines, list) and Kind.CORRECTION in lines[0].tags:
                body = orjson.loads(lines[0].data)
                trained = [turn.get("train", turn.get("weight")) for turn in body["messages"]]
                assert [bool(one) for one in trained] == [False] * (len(trained) - 1) + [True]
                assert sum(turn["role"] == "assistant" for turn in body["messages"]) > 1


def test_a_disk_fault_is_no_usage_error() -> None:
    """The exit code tells them apart."""
    assert not issubclass(StoreError, UsageError)
