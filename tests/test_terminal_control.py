"""The terminal of the end-to-end tests: what it shows, what it sends, and what it calls foreign."""

from __future__ import annotations

import os
import sys
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from selfplay_core.text import one_line
from tests.terminal import Terminal, controls_in

APP = """
import sys
from textual import events
from textual.app import App
from textual.content import Content
from textual.widgets import Static

class Echo(App):
    def compose(self):
        yield Static(Content(sys.argv[1].encode().decode("unicode_escape")))
        yield Static("", id="key", markup=False)
        yield Static("", id="size")
    def on_key(self, event: events.Key):
        self.query_one("#key").update(f"key <{event.key}>")
    def on_click(self, event: events.Click):
        self.query_one("#key").update(f"click <{event.screen_x} {event.screen_y}>")
    def on_resize(self, event: events.Resize):
        self.query_one("#size").update(f"size <{event.size.width} {event.size.height}>")

Echo().run()
print("bye")
"""
HOSTILE = "\x1b]0;evil\x07\x1b[2J\x9b31m\u202e\x00\x7f\n\t end"


def app(folder: Path, text: str = "shown") -> Terminal:
    escaped = text.encode("unicode_escape").decode()
    return Terminal(folder, "-c", APP, escaped, columns=60, rows=16, command=sys.executable)


@pytest.fixture
def echo(tmp_path: Path) -> Iterator[Terminal]:
    """A small app that shows what it was sent."""
    with app(tmp_path) as terminal:
        terminal.wait_for("shown")
        yield terminal


def test_the_screen_is_read_as_a_person_reads_it(echo: Terminal) -> None:
    """By lines of the size that was asked for, each at its place."""
    lines = echo.wait_for("size <60 16>")
    assert len(lines) == 16
    assert lines[0] == "shown"


@pytest.mark.parametrize(
    "key", ["j", "G", "space", "enter", "tab", "shift+tab", "escape", "backspace", "up", "pagedown", "ctrl+c", "ctrl+u"]
)
def test_keys_arrive_under_their_names(echo: Terminal, key: str) -> None:
    """As the table of keys has them."""
    echo.press("x")
    echo.wait_for("key <x>")
    echo.press(key)
    assert echo.wait_for(f"key <{key}>")


def test_a_key_behind_escape_stays_a_key(echo: Terminal) -> None:
    """Though the two arrive together."""
    echo.press("escape", "j")
    echo.wait_for("key <j>")


def test_a_key_that_is_none_is_refused(echo: Terminal) -> None:
    """Rather than typed letter by letter."""
    with pytest.raises(ValueError, match="pgdn"):
        echo.press("pgdn")


def test_the_mouse_arrives(echo: Terminal) -> None:
    """At the cell that was clicked."""
    echo.click(7, 3)
    echo.wait_for("click <7 3>")


def test_another_size_arrives(echo: Terminal) -> None:
    """And the screen has it."""
    echo.resize(70, 20)
    assert len(echo.wait_for("size <70 20>")) == 20


def test_the_end_is_told(echo: Terminal) -> None:
    """With the exit code, and with what was printed last."""
    echo.press("ctrl+q")
    assert echo.wait_for_end() == 0
    echo.wait_for("bye")


def test_what_does_not_come_is_told_with_the_screen(echo: Terminal) -> None:
    """At once where the command has ended."""
    with pytest.raises(AssertionError, match=r"(?s)'nothing'.*within 0.1 s.*\|shown +\|"):
        echo.wait_for("nothing", timeout=0.1)
    echo.press("ctrl+q")
    echo.wait_for_end()
    with pytest.raises(AssertionError, match="has ended"):
        echo.wait_for("nothing", timeout=3600)


def test_closing_leaves_nothing_running(tmp_path: Path) -> None:
    """Neither the command nor the thread that reads it."""
    with app(tmp_path) as terminal:
        terminal.wait_for("shown")
    with pytest.raises(ProcessLookupError):
        os.kill(terminal.pid, 0)
    assert not [thread for thread in threading.enumerate() if thread.name == "terminal"]


def test_an_app_sends_nothing_foreign_by_itself(echo: Terminal) -> None:
    """From its start to its end, with keys, mouse and another size."""
    echo.press("j")
    echo.wait_for("key <j>")
    echo.click(3, 3)
    echo.wait_for("click <3 3>")
    echo.resize(80, 24)
    echo.wait_for("size <80 24>")
    echo.press("ctrl+q")
    echo.wait_for_end()
    assert controls_in(echo.raw) == []


def test_text_that_was_not_cleaned_is_found_out(tmp_path: Path) -> None:
    """Textual passes control characters on; whoever forgets to clean is caught by the bytes."""
    with app(tmp_path, HOSTILE.replace("\n", "")) as terminal:
        terminal.wait_for(lambda lines: b"end" in terminal.raw)
        found = controls_in(terminal.raw)
    # Rich drops BEL alone; the title would then be all that follows.
    assert {"\x1b]0;evil", "\x1b[2J", "\x9b", "\u202e", "\x00", "\x7f"} <= set(found)


def test_text_that_was_cleaned_is_shown_and_nothing_foreign(tmp_path: Path) -> None:
    """What is hostile stands on the screen as signs that a person can read."""
    with app(tmp_path, one_line(HOSTILE)) as terminal:
        terminal.wait_for("\u241b]0;evil\u2407\u241b[2J<U+009B>31m<U+202E>")
        assert controls_in(terminal.raw) == []


@given(st.text())
def test_cleaned_text_is_never_foreign(text: str) -> None:
    """Whatever it was."""
    assert controls_in(one_line(text).encode()) == []


@pytest.mark.parametrize("control", [chr(code) for code in (*range(0x20), *range(0x7F, 0xA0)) if chr(code) not in "\n"])
def test_every_control_character_is_foreign(control: str) -> None:
    """Alone, in the midst of a paint."""
    found = controls_in(f"\x1b[?1049h\x1b[1;1Hab{control}c\r\n\x1b[2;1H".encode())
    assert found
    assert found[0].startswith(control)


@pytest.mark.parametrize(
    "sequence",
    [
        "\x1b[2J",
        "\x1b[K",
        "\x1b[6n",
        "\x1b[?9h",
        "\x1b]52;c;eA==\x07",
        "\x1b]0;x\x1b\\",
        "\x1b]22;x\x07",
        "\x1bc",
        "\x1b7",
        "\x1bP$q\x1b\\",
        "\x1b[5 q",
        "\u200b",
        "\u2028",
        "\u061c",
    ],
)
def test_every_sequence_that_an_app_does_not_send_is_foreign(sequence: str) -> None:
    """Told whole."""
    assert controls_in(f"\x1b[1mab{sequence}cd\x1b[0m".encode()) == [sequence]


def test_a_new_line_within_a_paint_is_foreign() -> None:
    """Between paints and outside of the full screen it is not."""
    assert controls_in(b"a\r\nb\x1b[?1049h\x1b[1;1Hab\r\n\x1b[2;1Hc\x1b[?1049lbye\r\n") == []
    assert controls_in(b"\x1b[?1049h\x1b[1;1Hab\r\nc") == ["\r\n"]


def test_bytes_that_are_no_text_are_foreign() -> None:
    """As a bare C1 byte, which some terminals obey."""
    assert controls_in(b"a\x9b31mb") == ["\udc9b"]


@pytest.mark.parametrize("tail", [b"\x1b", b"\x1b[", b"\x1b[38;2", b"\xe2\x94"])
def test_what_the_end_cut_off_is_left_out(tail: bytes) -> None:
    """The record may end anywhere."""
    assert controls_in(b"ab" + tail) == []
