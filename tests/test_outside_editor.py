"""An example in an editor of its own: the text that is handed over, the file, and the terminal that is lent."""

from __future__ import annotations

import stat
import sys
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from textual.app import App
from textual.drivers.headless_driver import HeadlessDriver

from selfplay_core.errors import SettingsError
from tui.state.draft import FIELD_NAMES, Fields
from tui.terminal.outside_editor import as_document, edit_outside, editor_in, from_document

NASTY_LINES = [
    "# prompt",
    "# commands",
    "\\# prompt",
    "\\\\# message ",
    "# commands\r",
    "#prompt",
    "",
    "\\",
    " # prompt",
]
TEXTS = st.lists(st.one_of(st.text(), st.sampled_from(NASTY_LINES)), max_size=6).map("\n".join)


@given(TEXTS, TEXTS, TEXTS, st.none() | TEXTS)
def test_every_field_survives_the_round_trip(prompt: str, commands: str, reasoning: str, message: str | None) -> None:
    """Also lines that look like headings, and blank lines at an end."""
    fields = Fields(prompt, commands, reasoning, message)
    assert from_document(as_document(fields)) == fields


def test_the_document_reads_like_one() -> None:
    """A heading a field, the text below it."""
    document = as_document(Fields("sudo a torch", "give @s torch\ntime set 1", "They want it."))
    assert document.endswith(
        "# prompt\nsudo a torch\n\n# commands\ngive @s torch\ntime set 1\n\n# reasoning\nThey want it.\n"
    )


def test_an_editor_that_trims_the_end_changes_no_field() -> None:
    """Blank lines between fields, and the last newline, belong to nobody."""
    document = as_document(Fields("sudo a torch", "give @s torch", "They want it."))
    assert from_document(document.replace("\n\n# ", "\n# ").rstrip("\n")) == from_document(document)


@pytest.mark.parametrize("name", FIELD_NAMES[:3])
def test_a_document_without_a_heading_is_refused(name: str) -> None:
    """Guessing would lose a field."""
    document = as_document(Fields("a", "b", "c"))
    with pytest.raises(SettingsError, match=f"`# {name}` is missing"):
        from_document(document.replace(f"# {name}\n", ""))
    with pytest.raises(SettingsError, match=f"`# {name}` stands there twice"):
        from_document(f"{document}# {name}\n")


@pytest.mark.parametrize(
    ("configured", "environment", "expected"),
    [
        ("ed -s", {"VISUAL": "v", "EDITOR": "e"}, "ed -s"),
        (" ", {"VISUAL": "v", "EDITOR": "e"}, "v"),
        ("", {"EDITOR": "e"}, "e"),
        ("", {"VISUAL": "", "EDITOR": ""}, "vi"),
    ],
)
def test_the_setting_goes_before_what_the_shell_names(
    configured: str, environment: dict[str, str], expected: str
) -> None:
    """And vi is everywhere."""
    assert editor_in(configured, environment) == expected


@pytest.fixture
def lent(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """What becomes of the terminal of an app under test, which can be lent here."""
    said: list[str] = []
    monkeypatch.setattr(HeadlessDriver, "can_suspend", True)
    monkeypatch.setattr(HeadlessDriver, "suspend_application_mode", lambda _: said.append("lent"))
    monkeypatch.setattr(HeadlessDriver, "resume_application_mode", lambda _: said.append("back"))
    return said


def an_editor(folder: Path, body: str) -> str:
    """An editor that does one thing to the file that it is given."""
    script = folder / "editor.py"
    script.write_text(f"import os, pathlib, stat, sys\nfile = pathlib.Path(sys.argv[-1])\n{body}\n")
    return f"'{sys.executable}' '{script}' --wait"


async def test_what_the_editor_wrote_comes_back(tmp_path: Path, lent: list[str]) -> None:
    """The terminal is the editor's for as long, and ours afterwards."""
    editor = an_editor(tmp_path, "file.write_bytes(file.read_bytes() + b'more\\r\\n')")
    async with App[None]().run_test() as pilot:
        assert await edit_outside(pilot.app, "text \ud800\r\n", editor) == "text \ud800\r\nmore\r\n"
    assert lent == ["lent", "back"]


def is_gone(path: str) -> bool:
    """Neither the file nor its folder is there."""
    return not Path(path).parent.exists()


async def test_the_file_is_private_and_gone_afterwards(tmp_path: Path, lent: list[str]) -> None:
    """Prompts may be private, and so is the folder that they are in."""
    note = tmp_path / "note"
    editor = an_editor(
        tmp_path,
        "modes = [oct(stat.S_IMODE(os.stat(path).st_mode)) for path in (file, file.parent)]\n"
        f"pathlib.Path({str(note)!r}).write_text(' '.join([*modes, str(file)]))",
    )
    async with App[None]().run_test() as pilot:
        assert await edit_outside(pilot.app, "text", editor, ".txt") is None
    file_mode, folder_mode, path = note.read_text().split(" ", 2)
    assert (file_mode, folder_mode) == ("0o600", "0o700")
    assert path.endswith(".txt")
    assert is_gone(path)


async def test_an_editor_that_fails_changes_nothing(tmp_path: Path, lent: list[str]) -> None:
    """Even if it has written."""
    editor = an_editor(tmp_path, "file.write_text('half')\nsys.exit(1)")
    async with App[None]().run_test() as pilot:
        assert await edit_outside(pilot.app, "text", editor) is None
    assert lent == ["lent", "back"]


@pytest.mark.parametrize(
    ("editor", "message"),
    [
        ("/no/such/editor --wait", r"'/no/such/editor --wait.*' cannot be used: No such file.*\$EDITOR"),
        ("vi 'unclosed", r"cannot be used: No closing quotation.*\$EDITOR"),
    ],
)
async def test_an_editor_that_cannot_start_is_told_and_the_terminal_comes_back(
    editor: str, message: str, lent: list[str]
) -> None:
    """What, why, and what to do."""
    async with App[None]().run_test() as pilot:
        with pytest.raises(SettingsError, match=message):
            await edit_outside(pilot.app, "text", editor)
    assert lent in (["lent", "back"], [])


async def test_what_is_no_utf_8_is_told(tmp_path: Path, lent: list[str]) -> None:
    """A guess at the encoding would go into the training data."""
    editor = an_editor(tmp_path, "file.write_bytes(b'ab\\xff')")
    async with App[None]().run_test() as pilot:
        with pytest.raises(SettingsError, match=r"not UTF-8 \(byte 2\)"):
            await edit_outside(pilot.app, "text", editor)
    assert lent == ["lent", "back"]


async def test_a_terminal_that_cannot_be_lent_is_told(tmp_path: Path) -> None:
    """In a browser, say."""
    editor = an_editor(tmp_path, f"pathlib.Path({str(tmp_path / 'ran')!r}).touch()")
    async with App[None]().run_test() as pilot:
        with pytest.raises(SettingsError, match="cannot be lent"):
            await edit_outside(pilot.app, "text", editor)
    assert not (tmp_path / "ran").exists()


async def test_the_app_goes_on_while_the_editor_is_open(tmp_path: Path, lent: list[str]) -> None:
    """A run must not lose its servers because somebody thinks."""
    go, beats = tmp_path / "go", []
    editor = an_editor(tmp_path, f"import time\nwhile not os.path.exists({str(go)!r}): time.sleep(0.01)")

    class Beating(App[None]):
        def on_mount(self) -> None:
            self.set_interval(0.01, self.beat)

        def beat(self) -> None:
            if lent == ["lent"]:
                self.refresh()
                beats.append(1)
            if len(beats) > 40:
                go.touch()

    async with Beating().run_test() as pilot:
        assert await edit_outside(pilot.app, "text", editor) is None
    assert stat.S_ISREG(go.stat().st_mode)
