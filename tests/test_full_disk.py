"""No room and no rights, for everybody who writes: told in three parts, nothing lost, and gone on with afterwards."""

from __future__ import annotations

import os
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import closing, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import pytest

from selfplay_core.store.database import Database
from tests.nursery import Child, Nursery
from tests.storm_laws import OUTPUT, Told, assert_laws, copied, rows_of
from tests.storms import generator_words

SEED: Final = 5
RUN: Final = generator_words("--focus", "edge_items", seed=SEED, rounds=12)
_IMPORTED: Final = "SELECT id, outcome, level, attempts, prompt, commands, decision FROM trace ORDER BY n"
_ANYWHERE: Final = ["--headless", "--json", "--rounds", "1"]


@dataclass(frozen=True, slots=True)
class Disk:
    """A file system of its own; `fill` leaves so many bytes on it, `empty` takes that back."""

    folder: Path

    @property
    def workspace(self) -> Path:
        return self.folder / "workspace"

    def fill(self, left: int) -> None:
        free = os.statvfs(self.folder)
        with (self.folder / "ballast").open("wb", buffering=0) as file, suppress(OSError):
            remaining = free.f_bavail * free.f_frsize - left
            while remaining > 0:
                remaining -= file.write(bytes(min(4096, remaining)))

    def empty(self) -> None:
        (self.folder / "ballast").unlink()


@pytest.fixture(scope="module")
def quiet(nursery: Nursery, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The workspace of a run that had room."""
    folder = tmp_path_factory.mktemp("quiet")
    assert nursery.run("command", *RUN, folder=folder).wait() == 0
    return folder / "workspace"


@pytest.fixture
def disk() -> Iterator[Disk]:
    with tempfile.TemporaryDirectory() as folder:
        command = ["mount", "-t", "tmpfs", "-o", "size=24m", "none", folder]
        if subprocess.run(command, capture_output=True, check=False).returncode != 0:
            pytest.skip("mounting a small file system needs root; test_a_limit_on_files holds the same laws elsewhere")
        try:
            yield Disk(Path(folder))
        finally:
            subprocess.run(["umount", "-l", folder], check=True)


def in_three_parts(said: str, *names: str) -> None:
    """What happened, to what, and what to do: one line for a person, and no traceback."""
    (line,) = said.splitlines()
    assert line.startswith("selfplay-tui: ")
    assert "Traceback" not in said
    assert any(word in line for word in ("is full", "no room", "No space left", "File too large", "refused to"))
    assert any(name in line for name in names), line
    assert any(word in line for word in ("Make room and go on", "then go on", "Free some space")), line


def with_run(disk: Disk, quiet: Path) -> Told:
    """Put a whole run onto the disk."""
    shutil.copytree(quiet, disk.workspace)
    return Told()


@pytest.mark.parametrize("left", [0, 100_000, 1_300_000, 1_500_000, 1_800_000, 2_100_000])
def test_a_generator_without_room(nursery: Nursery, quiet: Path, disk: Disk, left: int) -> None:
    """A run that finds the disk full, at its start or later, ends with exit 1 and is finished once there is room."""
    told = Told()
    disk.fill(left)
    child = nursery.run("command", *RUN, folder=disk.folder)
    told.take(child.lines)
    assert child.wait() == 1, child.said
    in_three_parts(child.said, "selfplay.db", OUTPUT, str(disk.workspace), "workspace")
    disk.empty()
    assert_laws(disk.workspace, told)
    child = nursery.run("command", *RUN, folder=disk.folder)
    assert child.wait() == 0, child.said
    told.take(child.lines)
    assert_laws(disk.workspace, told)
    assert (disk.workspace / OUTPUT).read_bytes() == (quiet / OUTPUT).read_bytes()


@pytest.mark.parametrize("left", [0, 8_192, 40_960])
def test_an_output_without_room(nursery: Nursery, quiet: Path, disk: Disk, tmp_path: Path, left: int) -> None:
    """A full disk under the output alone ends a run, too, and the decisions that were made give their rows later."""
    words, told = [*RUN, "--output", str(disk.folder / "out.jsonl")], Told()
    disk.fill(left)
    child = nursery.run("command", *words, folder=tmp_path)
    told.take(child.lines)
    assert child.wait() == 1, child.said
    in_three_parts(child.said, "out.jsonl")
    out = disk.folder / "out.jsonl"
    before = out.read_bytes() if out.exists() else b""
    assert (quiet / OUTPUT).read_bytes().startswith(before)
    assert not before or before.endswith(b"\n")
    disk.empty()
    child = nursery.run("command", *words, folder=tmp_path)
    assert child.wait() == 0, child.said
    assert out.read_bytes() == (quiet / OUTPUT).read_bytes()
    with copied(tmp_path / "workspace") as copy, closing(Database.open(copy)) as database:
        assert told.automatic <= {trace_id for (trace_id,) in database.rows("SELECT trace_id FROM decision")}
        assert rows_of(database) == out.read_bytes().splitlines()


@pytest.mark.parametrize("left", [0, 60_000, 200_000])
def test_a_reviewer_without_room(nursery: Nursery, quiet: Path, disk: Disk, left: int) -> None:
    """A decision that finds no room is refused and not shown as made; the same process saves it once there is room."""
    told = with_run(disk, quiet)
    disk.fill(left)
    child = nursery.start("review_stubbornly", "workspace", folder=disk.folder)
    number = 1
    while child.has_said(number) and not child.lines[-1].startswith("refused"):
        number = len(child.lines) + 1
    in_three_parts(f"selfplay-tui: {child.lines[-1]}", "selfplay.db")
    told.take(child.lines)
    # The copy that is looked at has room.
    assert_laws(disk.workspace, told)
    disk.empty()
    if left == 0:
        # There was not even room for what SQLite needs to open a database.
        assert child.wait() == 1
        child = nursery.start("review_stubbornly", "workspace", folder=disk.folder)
    assert child.wait() == 0, child.said
    told.take(child.lines)
    with copied(quiet) as copy, closing(Database.open(copy)) as database:
        traces = database.rows("SELECT id FROM trace")
    assert len(told.decided) == len(traces)
    assert child.lines[-1] == "trouble "
    assert_laws(disk.workspace, told)
    with copied(disk.workspace) as copy, closing(Database.open(copy)) as database:
        assert (copy / OUTPUT).read_bytes().splitlines() == rows_of(database)


@pytest.mark.parametrize("left", [0, 5_000, 100_000])
def test_an_exporter_without_room(nursery: Nursery, quiet: Path, disk: Disk, left: int) -> None:
    """An export that finds no room leaves the old one as it was and nothing else; with room it is made."""
    with_run(disk, quiet)
    words = ["export", "--workspace", "workspace", "--output", "out.jsonl", "--force"]
    assert nursery.run("command", *words, "--format", "seed", folder=disk.folder).wait() == 0
    before = {path.name: path.read_bytes() for path in disk.folder.iterdir() if path.is_file()}
    disk.fill(left)
    child = nursery.run("command", *words, "--format", "native", folder=disk.folder)
    assert child.wait() == 1, child.said
    in_three_parts(child.said, "out.jsonl")
    disk.empty()
    assert {path.name: path.read_bytes() for path in disk.folder.iterdir() if path.is_file()} == before
    child = nursery.run("command", *words, "--format", "native", folder=disk.folder)
    assert child.wait() == 0, child.said
    assert (disk.folder / "out.jsonl").read_bytes() != before["out.jsonl"]


@pytest.mark.parametrize("left", [0, 400_000, 1_200_000, 2_500_000])
def test_an_import_without_room(nursery: Nursery, quiet: Path, disk: Disk, tmp_path: Path, left: int) -> None:
    """An import that finds no room says so; repeated with room it takes in the rest, and nothing twice."""
    shutil.copytree(quiet, tmp_path / "workspace")
    export = ["export", "--workspace", "workspace", "--format", "native", "--output", "all.jsonl"]
    assert nursery.run("command", *export, folder=tmp_path).wait() == 0
    words = [str(tmp_path / "all.jsonl"), "--workspace", "workspace"]
    disk.fill(left)
    child = nursery.run("import_in_pieces", *words, folder=disk.folder)
    assert child.wait() == 1, child.said
    in_three_parts(child.said, "selfplay.db", "workspace")
    disk.empty()
    assert_laws(disk.workspace, Told())
    child = nursery.run("import_in_pieces", *words, folder=disk.folder)
    assert child.wait() == 0, child.said
    assert_laws(disk.workspace, Told())
    with copied(disk.workspace) as copy, closing(Database.open(copy)) as database:
        mine = database.rows(_IMPORTED)
    with copied(quiet) as copy, closing(Database.open(copy)) as database:
        assert mine == database.rows(_IMPORTED)


@pytest.mark.parametrize("room", [4_096, 200_000, 1_200_000, 1_500_000])
def test_a_limit_on_files(nursery: Nursery, quiet: Path, tmp_path: Path, room: int) -> None:
    """Where a file may grow no more, the same holds for a run, an export and an import."""
    told = Told()
    child = nursery.run("limited", str(room), *RUN, folder=tmp_path)
    told.take(child.lines)
    assert child.wait() == 1, child.said
    in_three_parts(child.said, "selfplay.db", OUTPUT, "workspace")
    assert_laws(tmp_path / "workspace", told)
    child = nursery.run("command", *RUN, folder=tmp_path)
    assert child.wait() == 0, child.said
    assert (tmp_path / "workspace" / OUTPUT).read_bytes() == (quiet / OUTPUT).read_bytes()
    words = ["export", "--workspace", "workspace", "--format", "native", "--output", "all.jsonl"]
    child = nursery.run("limited", "100000", *words, folder=tmp_path)
    assert child.wait() == 1, child.said
    in_three_parts(child.said, "all.jsonl")
    assert not (tmp_path / "all.jsonl").exists()
    assert nursery.run("command", *words, folder=tmp_path).wait() == 0
    words = ["import", "all.jsonl", "--workspace", "other"]
    child = nursery.run("limited", str(min(room, 1_000_000)), *words, folder=tmp_path)
    assert child.wait() == 1, child.said
    in_three_parts(child.said, "selfplay.db", "other")
    assert nursery.run("command", *words, folder=tmp_path).wait() == 0


@pytest.fixture
def theirs(quiet: Path) -> Iterator[Path]:
    """A folder of somebody else's that may be looked into: their workspace is in it, and a file of rows."""
    # Not below pytest's own folder, which no other user may enter.
    with tempfile.TemporaryDirectory() as place:
        os.chmod(place, 0o755)
        folder = Path(place) / "theirs"
        shutil.copytree(quiet, folder / "workspace")
        shutil.copy(quiet / OUTPUT, folder / "rows.jsonl")
        for path in (*folder.rglob("*"), folder):
            path.chmod(0o555 if path.is_dir() else 0o444)
        yield folder
        for path in (folder, folder / "workspace"):
            path.chmod(0o755)


@pytest.mark.parametrize("workspace", ["workspace", "new"])
@pytest.mark.parametrize(
    "words", [_ANYWHERE, ["import", "rows.jsonl"], ["export", "--format", "seed", "--output", "x"]]
)
def test_a_workspace_of_somebody_else(nursery: Nursery, theirs: Path, workspace: str, words: list[str]) -> None:
    """Who may not write there is told so before anything is asked of a model, whatever the command; nothing is made."""
    before = {path: path.stat().st_mtime_ns for path in theirs.rglob("*")}
    done = as_nobody(nursery, [*words, "--workspace", workspace], theirs)
    assert done.wait() == 2, done.said
    (line,) = done.said.splitlines()
    assert line.startswith("selfplay-tui: ")
    if words[0] == "export" and workspace == "new":
        assert "no workspace is here: new" in line
    else:
        assert "permission denied" in line or "it is read-only" in line or "cannot be opened" in line
        assert "Give this user the right to write there, or use another --workspace" in line
    assert {path: path.stat().st_mtime_ns for path in theirs.rglob("*")} == before


@pytest.mark.parametrize("words", [RUN, ["export", "--workspace", "workspace", "--format", "seed"]])
def test_an_output_where_one_may_not_write(nursery: Nursery, theirs: Path, words: list[str]) -> None:
    """An output that cannot be made is told before anything is asked or read; no part of it appears."""
    with tempfile.TemporaryDirectory() as place:
        os.chmod(place, 0o777)
        shutil.copytree(theirs / "workspace", Path(place) / "workspace")
        for path in (Path(place) / "workspace", *(Path(place) / "workspace").iterdir()):
            path.chmod(0o777)
        done = as_nobody(nursery, [*words, "--output", str(theirs / "out.jsonl")], Path(place))
        assert done.wait() == 2, done.said
        assert f"cannot be written: {theirs / 'out.jsonl'}" in done.said
        assert "another --output" in done.said
        assert not (theirs / "out.jsonl").exists()


def as_nobody(nursery: Nursery, words: list[str], folder: Path) -> Child:
    """Run the command as a user without rights."""
    with tempfile.TemporaryDirectory() as state:
        # Their own, so that nothing but the workspace is refused.
        os.chmod(state, 0o777)
        return nursery.run("unprivileged", *words, folder=folder, XDG_STATE_HOME=state)
