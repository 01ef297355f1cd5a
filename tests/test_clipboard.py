"""Copying: what is sent to the terminal, what a program gets, and what is said about it."""

from __future__ import annotations

import base64
from pathlib import Path

import pytest
from textual.app import App
from textual.drivers.headless_driver import HeadlessDriver

from tui.terminal.clipboard import LIMIT_BYTES, copy, local_command


@pytest.fixture
def written(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """What reaches the terminal."""
    found: list[str] = []
    monkeypatch.setattr(HeadlessDriver, "write", lambda _, data: found.append(data))
    return found


def a_program(folder: Path, name: str, script: str) -> dict[str, str]:
    """An environment with a display, where one program stands in the path."""
    program = folder / name
    program.write_text(f"#!/bin/sh\n{script}\n")
    program.chmod(0o755)
    return {"PATH": str(folder), "WAYLAND_DISPLAY": "wayland-0", "DISPLAY": ":0"}


@pytest.mark.parametrize("text", ["give @s torch", "\x1b]52;c;AAAA\x07 \x00 \u202e", "\ud800 alone", ""])
async def test_a_text_reaches_the_terminal_as_one_harmless_sequence(text: str, written: list[str]) -> None:
    """Whatever it holds: no byte of its own stands bare between the sequence's ends."""
    async with App[None]().run_test() as pilot:
        written.clear()
        said = await copy(pilot.app, text, {})
        (sent,) = [data for data in written if "]52;" in data]
    inside = sent.removeprefix("\x1b]52;c;").removesuffix("\a")
    assert base64.b64decode(inside, validate=True) == text.encode("utf-8", "replace")
    assert said == "sent to the terminal's clipboard"


async def test_too_long_a_text_is_not_sent_and_the_limit_is_told(written: list[str]) -> None:
    """A terminal would drop it without a word."""
    async with App[None]().run_test() as pilot:
        written.clear()
        said = await copy(pilot.app, "x" * (LIMIT_BYTES + 1), {})
        assert not any("]52;" in data for data in written)
    assert "100 KB" in said
    assert "too long" in said


@pytest.mark.skipif(not Path("/bin/cat").exists(), reason="the stand-in is a shell script")
async def test_a_local_program_gets_the_text_verbatim(tmp_path: Path) -> None:
    """On its input, with no shell that could read it."""
    environment = a_program(tmp_path, "wl-copy", f"/bin/cat > {tmp_path}/got")
    async with App[None]().run_test() as pilot:
        with pytest.MonkeyPatch.context() as patch:
            patch.setenv("PATH", str(tmp_path))
            said = await copy(pilot.app, "$(reboot) `x` \n'\"", environment)
    assert (tmp_path / "got").read_text() == "$(reboot) `x` \n'\""
    assert said == "sent to the terminal's clipboard; copied by wl-copy"


async def test_a_program_that_fails_is_not_said_to_have_copied(tmp_path: Path) -> None:
    """Its exit says so."""
    environment = a_program(tmp_path, "wl-copy", "exit 3")
    async with App[None]().run_test() as pilot:
        with pytest.MonkeyPatch.context() as patch:
            patch.setenv("PATH", str(tmp_path))
            said = await copy(pilot.app, "text", environment)
    assert said == "sent to the terminal's clipboard; wl-copy failed (exit 3)"


async def test_a_program_that_hangs_is_ended(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Nobody waits longer than the deadline."""
    monkeypatch.setattr("tui.terminal.clipboard._PATIENCE", 0.2)
    environment = a_program(tmp_path, "xclip", "exec /bin/sleep 60") | {"WAYLAND_DISPLAY": ""}
    async with App[None]().run_test() as pilot:
        with pytest.MonkeyPatch.context() as patch:
            patch.setenv("PATH", str(tmp_path))
            said = await copy(pilot.app, "text", environment)
    assert "xclip took longer" in said


def test_a_program_is_only_asked_where_its_display_is(tmp_path: Path) -> None:
    """Without one it would fail, or copy to a screen that nobody sees."""
    environment = a_program(tmp_path, "xclip", "exit 0")
    a_program(tmp_path, "wl-copy", "exit 0")
    assert local_command(environment, "linux")[0] == "wl-copy"
    assert local_command({**environment, "WAYLAND_DISPLAY": ""}, "linux")[0] == "xclip"
    assert local_command({"PATH": str(tmp_path)}, "linux") == ()
    assert local_command({"PATH": "/nowhere", "DISPLAY": ":0"}, "linux") == ()
