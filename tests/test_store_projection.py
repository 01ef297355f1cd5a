"""Laws of the output file: a projection of the accepted rows, and nobody else's to change."""

from __future__ import annotations

import os
import random
from collections.abc import Iterator
from pathlib import Path

import pytest

from selfplay_core.errors import OutputEditedError, UsageError
from selfplay_core.models import DecisionKind
from selfplay_core.store import marks as marks_module
from selfplay_core.store import projection as projection_module
from selfplay_core.store.database import Database
from selfplay_core.store.decisions import redo, undo
from selfplay_core.store.runs import RunStatus, end_run
from tests.store_samples import (
    NO_ROW,
    REJECT,
    RUN,
    accepted,
    begun,
    by,
    decided,
    ended,
    expected_prompts,
    projection,
    prompts_in,
)


@pytest.fixture
def database(tmp_path: Path) -> Iterator[Database]:
    opened = begun(tmp_path / "workspace")
    yield opened
    opened.close()


@pytest.fixture
def output(tmp_path: Path) -> Path:
    return tmp_path / "out.jsonl"


def test_rows_stand_in_the_order_of_acceptance(database: Database, output: Path) -> None:
    """Every catch-up writes what is outstanding, once, behind what is there."""
    target = projection(database, output)
    assert target.catch_up() == 0
    assert not output.exists()
    accepted(database, ["a", "b"])
    assert target.catch_up() == 2
    accepted(database, ["c"], 2)
    assert target.catch_up() == 1
    assert target.catch_up() == 0
    target.check()
    assert prompts_in(output) == ["a", "b", "c"]


def test_many_rows_in_small_batches(database: Database, output: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Where one append ends and the next begins is not seen in the file."""
    monkeypatch.setattr(projection_module, "_BATCH_ROWS", 3)
    monkeypatch.setattr(projection_module, "_BATCH_BYTES", 150)
    texts = [f"{n}" * (n * 17 % 90 + 1) for n in range(20)]
    first, *_ = accepted(database, texts)
    target = projection(database, output)
    assert target.catch_up() == 20
    assert prompts_in(output) == texts
    decided(database, first, REJECT)
    assert target.catch_up() == 19
    target.check()
    assert prompts_in(output) == texts[1:]


def test_the_same_row_is_written_once(database: Database, output: Path) -> None:
    """A row id that is out is not written again, in whatever batch it comes, and a trace may give no row."""
    accepted(database, ["a", "b", "a", NO_ROW])
    target = projection(database, output)
    assert target.catch_up() == 2
    accepted(database, ["b", "c", "a"], 2)
    assert target.catch_up() == 1
    assert prompts_in(output) == ["a", "b", "c"]


def test_an_undone_row_leaves_the_file(database: Database, output: Path) -> None:
    """An undo after the projection rewrites the file; a redo appends; an edit takes the old row's place at the end."""
    first, second, _ = accepted(database, ["a", "b", "c"])
    target = projection(database, output)
    target.catch_up()
    undo(database, first.id, by="tester", at=1.0)
    assert prompts_in(output) == ["a", "b", "c"]
    assert target.catch_up() == 2
    assert prompts_in(output) == ["b", "c"]
    redo(database, first.id, by="tester", at=1.0)
    decided(database, second, by(edited_prompt="better"))
    target.catch_up()
    assert prompts_in(output) == ["c", "a", "better"]
    target.check()


def test_undoing_what_is_not_out_appends(database: Database, output: Path) -> None:
    """A row that was withdrawn before its projection costs no rewrite."""
    target = projection(database, output)
    accepted(database, ["a"])
    target.catch_up()
    inode = output.stat().st_ino
    gone, _ = accepted(database, ["b", "c"], 2)
    undo(database, gone.id, by="tester", at=1.0)
    target.catch_up()
    assert prompts_in(output) == ["a", "c"]
    assert output.stat().st_ino == inode


def test_the_second_giver_of_a_row_takes_over(database: Database, output: Path) -> None:
    """With the first of two equal rows undone the second's stands; with the second undone nothing changes."""
    first, _, second = accepted(database, ["a", "b", "a"])
    target = projection(database, output)
    target.catch_up()
    undo(database, second.id, by="tester", at=1.0)
    assert target.catch_up() == 0
    redo(database, second.id, by="tester", at=2.0)
    undo(database, first.id, by="tester", at=3.0)
    target.catch_up()
    assert prompts_in(output) == ["b", "a"]


@pytest.mark.parametrize("spacing", [1, 400, 1_000_000])
def test_any_history_gives_the_same_file(
    database: Database, output: Path, monkeypatch: pytest.MonkeyPatch, spacing: int
) -> None:
    """After any decisions and undoes the file is what the accepted order alone would give, and passes its check."""
    monkeypatch.setattr(marks_module, "_SPACING", spacing)
    monkeypatch.setattr(projection_module, "_BATCH_ROWS", 5)
    chance = random.Random(spacing)
    output.touch()
    made = ended(database, [f"p{n % 30}" if n % 7 else f"{NO_ROW}{n}" for n in range(40)])
    target = projection(database, output)
    for _ in range(30):
        for subject in chance.choices(made, k=chance.randrange(1, 12)):
            match chance.randrange(6):
                case 0:
                    undo(database, subject.id, by="tester", at=1.0)
                case 1:
                    redo(database, subject.id, by="tester", at=1.0)
                case 2:
                    decided(database, subject, REJECT)
                case 3:
                    decided(database, subject, by(DecisionKind.EDIT, f"better {chance.randrange(9)}"))
                case _:
                    decided(database, subject)
        target.catch_up()
        assert prompts_in(output) == expected_prompts(database)
    target.check()


def test_an_undo_renders_only_what_follows(database: Database, output: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A late row's undo in a long file costs a copy of the file, not a rendering of every row."""
    monkeypatch.setattr(marks_module, "_SPACING", 500)
    monkeypatch.setattr(projection_module, "_BATCH_ROWS", 4)
    made = accepted(database, [f"p{n}" for n in range(100)])
    target = projection(database, output)
    target.catch_up()
    undo(database, made[-3].id, by="tester", at=1.0)
    assert target.catch_up() < 20
    assert prompts_in(output) == expected_prompts(database)
    undo(database, made[0].id, by="tester", at=1.0)
    assert target.catch_up() == 98
    target.check()


@pytest.mark.parametrize("base", [b"", b"old\n", b"old without end", b"\x00\xff\n\n\nlines\n"])
def test_what_stood_there_is_kept(database: Database, output: Path, base: bytes) -> None:
    """The bytes before our first row stay, through appends and rewrites, and our rows begin on a line."""
    output.write_bytes(base)
    output.chmod(0o640)
    target = projection(database, output)
    target.check()
    parted = base if base.endswith(b"\n") or not base else base + b"\n"
    first, second = accepted(database, ["a", "b"])
    target.catch_up()
    undo(database, first.id, by="tester", at=1.0)
    target.catch_up()
    content = output.read_bytes()
    assert content.startswith(parted + b'{"prompt": "b"')
    assert content.count(b"\n") == parted.count(b"\n") + 1
    undo(database, second.id, by="tester", at=1.0)
    target.catch_up()
    assert output.read_bytes() == base
    assert output.stat().st_mode & 0o777 == 0o640
    redo(database, second.id, by="tester", at=1.0)
    target.catch_up()
    assert output.read_bytes() == content
    target.check()


def test_before_our_first_row_the_file_is_its_owners(database: Database, output: Path) -> None:
    """As long as nothing of ours stands in it, the file may be edited, and what stands then is kept."""
    target = projection(database, output)
    output.write_bytes(b"one\n")
    target.check()
    output.write_bytes(b"another\n")
    accepted(database, ["a"])
    target.catch_up()
    assert output.read_bytes().startswith(b'another\n{"prompt": "a"')


def edit(path: Path) -> None:
    content = bytearray(path.read_bytes())
    content[-10] ^= 1
    path.write_bytes(content)


def shorten(path: Path) -> None:
    os.truncate(path, path.stat().st_size - 1)


def empty(path: Path) -> None:
    os.truncate(path, 0)


def grow(path: Path) -> None:
    path.write_bytes(path.read_bytes() + b'{"mine": 1}\n')


def become_folder(path: Path) -> None:
    path.unlink()
    path.mkdir()


def become_pipe(path: Path) -> None:
    path.unlink()
    os.mkfifo(path)


def become_link(path: Path) -> None:
    path.rename(path.with_name("elsewhere"))
    path.symlink_to("elsewhere")


@pytest.mark.parametrize(
    ("change", "found"),
    [
        (edit, "was changed"),
        (shorten, "shortened"),
        (empty, "shortened"),
        (grow, "added behind"),
        (Path.unlink, "moved or deleted"),
        (become_folder, "a folder"),
        (become_pipe, "a pipe"),
        (become_link, "a symbolic link"),
    ],
)
def test_a_changed_file_is_refused(
    tmp_path: Path, database: Database, output: Path, change: object, found: str
) -> None:
    """A file that somebody changed is refused in a running process and at a start, and another output works."""
    output.write_bytes(b"base\n")
    target = projection(database, output)
    accepted(database, ["a", "b"])
    target.catch_up()
    assert callable(change)
    change(output)
    accepted(database, ["c"], 2)
    before = output.read_bytes() if output.is_file() else None
    for step in (target.catch_up, target.check, target.catch_up):
        with pytest.raises(OutputEditedError, match=rf"{found}.*Put it back") as caught:
            step()
        assert str(output) in str(caught.value)
    assert (output.read_bytes() if output.is_file() else None) == before
    other = tmp_path / "other.jsonl"
    assert projection(database, other).catch_up() == 3
    assert prompts_in(other) == ["a", "b", "c"]


def test_a_file_put_back_is_continued(database: Database, output: Path) -> None:
    """What was moved away and came back with the same content is ours again, whatever its inode."""
    target = projection(database, output)
    accepted(database, ["a"])
    target.catch_up()
    content = output.read_bytes()
    output.unlink()
    accepted(database, ["b"], 2)
    with pytest.raises(OutputEditedError):
        target.catch_up()
    output.write_bytes(content)
    assert target.catch_up() == 1
    assert prompts_in(output) == ["a", "b"]


def test_a_change_under_an_old_time_is_found_by_check(database: Database, output: Path) -> None:
    """The check at a start reads the content and trusts no time stamp."""
    target = projection(database, output)
    accepted(database, ["a"])
    target.catch_up()
    was = output.stat()
    edit(output)
    os.utime(output, ns=(was.st_atime_ns, was.st_mtime_ns))
    with pytest.raises(OutputEditedError, match="was changed"):
        target.check()


@pytest.mark.parametrize("make", [Path.mkdir, os.mkfifo])
def test_what_is_no_file_cannot_be_an_output(database: Database, output: Path, make: object) -> None:
    """A folder or a pipe is refused before anything is written."""
    assert callable(make)
    make(output)
    with pytest.raises(UsageError, match=r"cannot be an output.*Name a plain file"):
        projection(database, output).check()


def test_an_output_needs_its_folder(database: Database, output: Path) -> None:
    """A missing folder is named, not made."""
    with pytest.raises(UsageError, match="folder does not exist"):
        projection(database, output / "deep.jsonl").check()


def test_a_link_is_followed_once(tmp_path: Path, database: Database, output: Path) -> None:
    """A symbolic link names the file behind it: one output, and the link survives a rewrite."""
    link = tmp_path / "link.jsonl"
    link.symlink_to(output)
    first, _ = accepted(database, ["a", "b"])
    assert projection(database, link).catch_up() == 2
    assert projection(database, output).catch_up() == 0
    undo(database, first.id, by="tester", at=1.0)
    projection(database, link).catch_up()
    assert link.is_symlink()
    assert prompts_in(output) == ["b"]


def test_two_writers_see_each_other(tmp_path: Path, database: Database, output: Path) -> None:
    """Two connections that project to one file write every row once, in order, over undo too."""
    other = Database.open(tmp_path / "workspace")
    mine, theirs = projection(database, output), projection(other, output)
    made = accepted(database, ["a", "b"])
    assert (theirs.catch_up(), mine.catch_up()) == (2, 0)
    undo(other, made[0].id, by="tester", at=1.0)
    assert (mine.catch_up(), theirs.catch_up()) == (1, 0)
    accepted(database, ["c"], 2)
    assert theirs.catch_up() == 1
    mine.check()
    assert prompts_in(output) == ["b", "c"]
    other.close()


def test_every_output_has_all_rows(tmp_path: Path, database: Database, output: Path) -> None:
    """A second output begins with the first row, and an undo reaches both."""
    first, _ = accepted(database, ["a", "b"])
    second = tmp_path / "second.jsonl"
    projection(database, output).catch_up()
    projection(database, second).catch_up()
    undo(database, first.id, by="tester", at=1.0)
    projection(database, output).catch_up()
    projection(database, second).catch_up()
    assert prompts_in(output) == prompts_in(second) == ["b"]


def test_a_moved_output_is_known_by_its_content(tmp_path: Path, database: Database, output: Path) -> None:
    """An output that was moved and is named by its new place is continued, its rows not written again."""
    output.write_bytes(b"base\n")
    accepted(database, ["a", "b"])
    projection(database, output).catch_up()
    moved = output.rename(tmp_path / "moved.jsonl")
    accepted(database, ["c"], 2)
    assert projection(database, moved).catch_up() == 1
    assert moved.read_bytes().count(b'"prompt"') == 3


def test_a_moved_workspace_continues_its_output(tmp_path: Path, database: Database) -> None:
    """A workspace may be moved with the output in it."""
    accepted(database, ["a"])
    projection(database, tmp_path / "workspace" / "self_play.jsonl").catch_up()
    end_run(database, RUN, RunStatus.DONE, 1.0)
    database.close()
    moved = (tmp_path / "workspace").rename(tmp_path / "moved")
    again = Database.open(moved)
    accepted(again, ["b"], 2)
    assert projection(again, moved / "self_play.jsonl").catch_up() == 1
    assert prompts_in(moved / "self_play.jsonl") == ["a", "b"]
    again.close()
