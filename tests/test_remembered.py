"""How a person left the screen comes back, and never stands in the way."""

from __future__ import annotations

import os
import stat
from pathlib import Path

import msgspec
import platformdirs
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tui.terminal.remembered import Remembered, recall, remember

LEFT = Remembered("status:any stone", ("queue", "stream"), "nord", 1843, tail=False, diff=False)


@pytest.fixture(autouse=True)
def file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The file in a state folder of this test alone."""
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "state"))
    return Path(platformdirs.user_state_path("selfplay-tui")) / "review.json"


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=50)
@given(
    st.builds(
        Remembered,
        filter_text=st.text(),
        hidden=st.lists(st.text(), max_size=4).map(tuple),
        theme=st.text(),
        number=st.none() | st.integers(0, 2**63 - 1),
        tail=st.booleans(),
        diff=st.booleans(),
    )
)
def test_what_is_remembered_is_recalled(tmp_path: Path, left: Remembered) -> None:
    """Whatever was typed."""
    remember(tmp_path, left)
    assert recall(tmp_path) == left


def test_each_workspace_has_its_own(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """By where it is, however it is named."""
    (tmp_path / "one").mkdir()
    (tmp_path / "same").symlink_to(tmp_path / "one")
    remember(tmp_path / "one", LEFT)
    assert recall(tmp_path / "two") == Remembered()
    assert recall(tmp_path / "same") == LEFT
    monkeypatch.chdir(tmp_path / "one")
    assert recall(Path()) == LEFT


def test_only_the_newest_are_kept(tmp_path: Path) -> None:
    """Fifty of them, by when they were left last."""
    for number in range(50):
        remember(tmp_path / str(number), Remembered(number=number))
    remember(tmp_path / "0", Remembered(number=1000))
    remember(tmp_path / "50", LEFT)
    assert recall(tmp_path / "0").number == 1000
    assert recall(tmp_path / "1") == Remembered()
    assert recall(tmp_path / "2").number == 2
    assert recall(tmp_path / "50") == LEFT


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"\xff\xfe",
        b"[1]",
        b"null",
        b'{"version": 1, "workspaces": {',
        b'{"version": 1, "workspaces": {"/x": {"number": "many"}}}',
        b'{"version": 1, "workspaces": []}',
        b'{"version": 99, "workspaces": {}}',
        b"[" * 100_000,
    ],
)
def test_a_damaged_file_is_nothing_remembered(file: Path, tmp_path: Path, content: bytes) -> None:
    """Neither reading nor writing fails by it, and the next note mends it."""
    file.parent.mkdir(parents=True)
    file.write_bytes(content)
    assert recall(tmp_path) == Remembered()
    remember(tmp_path, LEFT)
    assert recall(tmp_path) == LEFT


def test_a_file_of_another_version_is_nothing_remembered(file: Path, tmp_path: Path) -> None:
    """Its words may mean something else, even where they look alike."""
    remember(tmp_path, LEFT)
    file.write_bytes(file.read_bytes().replace(b'"version":1', b'"version":2'))
    assert recall(tmp_path) == Remembered()


def test_something_else_in_the_files_place_stops_nobody(file: Path, tmp_path: Path) -> None:
    """A folder cannot be written over, a pipe does not keep anybody waiting."""
    file.mkdir(parents=True)
    remember(tmp_path, LEFT)
    assert recall(tmp_path) == Remembered()
    file.rmdir()
    os.mkfifo(file)
    assert recall(tmp_path) == Remembered()
    assert [item.name for item in file.parent.iterdir()] == [file.name]


def test_a_folder_that_cannot_be_made_stops_nobody(tmp_path: Path) -> None:
    """As where the user's state folder is a file, or the disk is full."""
    (tmp_path / "state").write_text("in the way")
    remember(tmp_path, LEFT)
    assert recall(tmp_path) == Remembered()


def test_what_json_cannot_hold_stops_nobody(file: Path, tmp_path: Path) -> None:
    """The last good note stays, and nothing half-written lies about."""
    remember(tmp_path, LEFT)
    remember(tmp_path, Remembered(filter_text="\ud800"))
    assert recall(tmp_path) == LEFT
    assert [item.name for item in file.parent.iterdir()] == [file.name]


def test_the_file_is_replaced_as_a_whole(file: Path, tmp_path: Path) -> None:
    """Who reads meanwhile sees the old one or the new one, and nobody else on the machine sees either."""
    remember(tmp_path, Remembered())
    with file.open("rb") as before:
        remember(tmp_path, LEFT)
        old = msgspec.json.decode(before.read())
    assert old["version"] == 1
    assert old["workspaces"][str(tmp_path)]["filter_text"] == ""
    assert recall(tmp_path) == LEFT
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
