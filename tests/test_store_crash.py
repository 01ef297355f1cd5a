"""Law 4 under fire: processes killed at random and at every step, and a disk that is full."""

from __future__ import annotations

import random
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from selfplay_core.errors import OutputEditedError
from selfplay_core.store import marks as marks_module
from selfplay_core.store import projection as projection_module
from selfplay_core.store.database import Database, Reader
from selfplay_core.store.decisions import undo
from tests.store_samples import REJECT, accepted, assert_sound, begun, decided, expected_prompts, projection, prompts_in

APPEND_STEPS = ("append-begins", "append-half", "append-written", "append-done")
REWRITE_STEPS = ("beside-half", "beside-done", "replace-begins", "replace-done")
CUT_STEPS = ("cut-begins", "cut-done")


def worker(role: str, workspace: Path, output: Path, argument: str) -> subprocess.Popen[str]:
    command = [sys.executable, "-m", "tests.store_worker", role, str(workspace), str(output), argument]
    return subprocess.Popen(command, stdout=subprocess.PIPE, text=True)


def killed_at(step: str, workspace: Path, output: Path) -> None:
    with worker("die", workspace, output, step) as process:
        assert process.wait() == -signal.SIGKILL, f"never came to {step}"


def test_killed_at_random_nothing_is_lost_or_doubled(tmp_path: Path) -> None:
    """Kill -9 of a generator and a reviewer together: what was acknowledged is there, every row once, no torn line."""
    chance = random.Random(4)
    workspace, output = tmp_path / "workspace", tmp_path / "out.jsonl"
    acknowledged: list[list[str]] = []
    for attempt in range(13):
        with (
            worker("generate", workspace, output, str(attempt)) as generator,
            worker("review", workspace, output, str(attempt)) as reviewer,
        ):
            assert generator.stdout is not None
            assert reviewer.stdout is not None
            acknowledged += [generator.stdout.readline().split() for _ in range(chance.randrange(1, 60))]
            acknowledged += [reviewer.stdout.readline().split() for _ in range(chance.randrange(1, 30))]
            for process in chance.sample([generator, reviewer], 2):
                process.kill()
            acknowledged += [line.split() for line in (*generator.stdout, *reviewer.stdout)]
        assert generator.returncode == reviewer.returncode == -signal.SIGKILL
        reader = Reader.open(workspace)
        assert_sound(reader)
        reader.close()

    database = Database.open(workspace)
    assert_sound(database)
    traces = {row[0] for row in database.rows("SELECT id FROM trace")}
    decisions = set(database.rows("SELECT seq, trace_id FROM decision"))
    assert {words[1] for words in acknowledged if words[0] == "trace"} <= traces
    assert {(int(words[1]), words[2]) for words in acknowledged if words[0] == "decision"} <= decisions
    assert len(decisions) > 13
    target = projection(database, output)
    target.check()
    target.catch_up()
    prompts = prompts_in(output)
    assert prompts == expected_prompts(database)
    assert len(set(prompts)) == len(prompts) > 13
    assert [path.name for path in tmp_path.iterdir() if path.name.startswith(".")] == []
    database.close()


@pytest.mark.parametrize("step", APPEND_STEPS)
@pytest.mark.parametrize("base", ["", "base without end"])
def test_killed_in_an_append(tmp_path: Path, step: str, base: str) -> None:
    """Whichever step of an append is the last, the next process writes what is missing and nothing twice."""
    output = tmp_path / "out.jsonl"
    output.write_text(base)
    database = begun(tmp_path)
    accepted(database, ["a", "b"])
    killed_at(step, tmp_path, output)
    accepted(database, ["c"], 2)
    target = projection(database, output)
    target.check()
    target.catch_up()
    content = output.read_text()
    assert content.startswith(base)
    ours = content[len(base) :].lstrip("\n")
    assert [line[:13] for line in ours.splitlines()] == [f'{{"prompt": "{name}' for name in "abc"]
    database.close()


@pytest.mark.parametrize("step", REWRITE_STEPS)
@pytest.mark.parametrize("undone_since", [False, True])
def test_killed_in_a_rewrite(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, step: str, undone_since: bool) -> None:
    """Whichever step of a rewrite is the last, the file is the old or the new one; recovery forgets no undo."""
    # A mark behind every row: a recovery that forgets what the rewrite was for would begin too late.
    monkeypatch.setattr(marks_module, "_SPACING", 1)
    monkeypatch.setattr(projection_module, "_BATCH_ROWS", 1)
    output = tmp_path / "out.jsonl"
    output.write_text("base\n")
    database = begun(tmp_path)
    first, _, third = accepted(database, ["a", "b", "c"])
    target = projection(database, output)
    target.catch_up()
    old = output.read_bytes()
    undo(database, first.id, by="tester", at=1.0)
    killed_at(step, tmp_path, output)
    new = old.replace(old.splitlines(keepends=True)[1], b"")
    assert output.read_bytes() == (new if step == "replace-done" else old)
    if undone_since:
        decided(database, third, REJECT)
    target.check()
    target.catch_up()
    assert output.read_bytes() == b"".join(new.splitlines(keepends=True)[: 2 if undone_since else 3])
    assert [path.name for path in tmp_path.iterdir() if path.name.startswith(".")] == []
    database.close()


@pytest.mark.parametrize("step", CUT_STEPS)
def test_killed_in_a_recovery(tmp_path: Path, step: str) -> None:
    """A recovery that is itself killed is recovered from."""
    output = tmp_path / "out.jsonl"
    database = begun(tmp_path)
    accepted(database, ["a", "b"])
    projection(database, output).catch_up()
    accepted(database, ["c", "d"], 2)
    killed_at("append-half", tmp_path, output)
    killed_at(step, tmp_path, output)
    projection(database, output).catch_up()
    assert prompts_in(output) == ["a", "b", "c", "d"]
    database.close()


def test_an_undo_between_crash_and_recovery(tmp_path: Path) -> None:
    """A row that stands in the file by a killed append, and was undone since, leaves it."""
    output = tmp_path / "out.jsonl"
    database = begun(tmp_path)
    first, _ = accepted(database, ["a", "b"])
    killed_at("append-done", tmp_path, output)
    undo(database, first.id, by="tester", at=1.0)
    projection(database, output).catch_up()
    assert prompts_in(output) == ["b"]
    database.close()


def test_a_stranger_after_a_crash_is_refused(tmp_path: Path) -> None:
    """Bytes that are no beginning of the killed append are somebody's, and are not cut away."""
    output = tmp_path / "out.jsonl"
    database = begun(tmp_path)
    accepted(database, ["a"])
    projection(database, output).catch_up()
    accepted(database, ["b"], 2)
    killed_at("append-begins", tmp_path, output)
    with output.open("ab") as file:
        file.write(b'{"mine": 1}\n')
    before = output.read_bytes()
    with pytest.raises(OutputEditedError, match="added behind"):
        projection(database, output).check()
    assert output.read_bytes() == before
    database.close()


def said(role: str, workspace: Path, output: Path, argument: str) -> list[str]:
    with worker(role, workspace, output, argument) as process:
        lines = process.communicate()[0].splitlines()
    assert process.returncode == 0
    return lines


def test_a_full_disk_under_the_database(tmp_path: Path) -> None:
    """A write that finds no room is refused in three parts, nothing acknowledged is lost, and room brings it back."""
    output = tmp_path / "out.jsonl"
    *saved, refused = said("fill_database", tmp_path, output, "1500000")
    assert refused.startswith("refused StoreError")
    assert str(tmp_path / "selfplay.db") in refused
    assert "go on" in refused
    database = Database.open(tmp_path)
    assert_sound(database)
    prompts = prompts_in(output)
    assert prompts == expected_prompts(database)
    assert prompts[-1] == "after"
    assert 0 < 2 * len(saved) <= len(prompts) - 1
    database.close()


@pytest.mark.parametrize("undone", [False, True])
def test_a_full_disk_under_the_output(tmp_path: Path, undone: bool) -> None:
    """An append or a rewrite without room leaves the file as it was, and succeeds when there is room."""
    output = tmp_path / "out.jsonl"
    # Larger than the database's own files, which the limit must not stop.
    base = 8_000_000
    with output.open("wb") as file:
        file.truncate(base)
    database = begun(tmp_path)
    target = projection(database, output)
    made = accepted(database, ["a", "b" * 500])
    target.catch_up()
    if undone:
        undo(database, made[0].id, by="tester", at=1.0)
    expected = (["a"] if not undone else []) + ["b" * 500, "c" * 500]
    accepted(database, ["c" * 500], 2)
    refused, written = said("fill_output", tmp_path, output, "100" if not undone else "-100")
    assert refused.startswith("refused StoreError 0 ")
    assert str(output) in refused
    assert written == ("written 2" if undone else "written 1")
    content = output.read_bytes()[base:].lstrip(b"\n")
    assert [line.split(b'"')[3].decode() for line in content.splitlines()] == expected
    target.check()
    database.close()
