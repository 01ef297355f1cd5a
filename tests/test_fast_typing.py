"""Keys that come in one write, as password managers and fast hands send them, in a real pseudo-terminal."""

from __future__ import annotations

import time
from pathlib import Path

from tests.terminal import Terminal
from tests.test_review_terminal import RUN, rows_by_prompt, shown
from tui.state.review import SIGHT_SECONDS

COMMAND = "effect give slingshooter08 minecraft:jump_boost infinite 2"


def opened(terminal: Terminal) -> None:
    """Come to the edit screen of the first example, behind its command."""
    terminal.wait_for("run done")
    shown(terminal, 1)
    terminal.press("e")
    terminal.wait_for("COMMANDS")
    terminal.press("end")
    terminal.write(" abc")
    terminal.wait_for(f"{COMMAND} abc")


def test_what_is_saved_holds_the_letters_before_the_key(tmp_path: Path) -> None:
    """All of them."""
    with Terminal(tmp_path, *RUN) as terminal:
        opened(terminal)
        terminal.write("defgh\x13")
        terminal.wait_for("Accept without proof")
        time.sleep(2 * SIGHT_SECONDS)  # the operator reads it
        terminal.write("\x13")
        shown(terminal, 2)
        terminal.press("q")
        assert terminal.wait_for_end() == 0
    (row,) = rows_by_prompt(tmp_path).values()
    assert row["output"]["commands"] == [f"{COMMAND} abcdefgh"]


def test_what_is_run_holds_the_letters_before_the_key(tmp_path: Path) -> None:
    """The verdicts are for what stands there."""
    with Terminal(tmp_path, *RUN) as terminal:
        opened(terminal)
        terminal.write("\x7f" * 3 + "true\x12")
        terminal.wait_for(f"{COMMAND} true")
        terminal.wait_for("verdicts for exactly these commands")


def test_what_comes_behind_a_tab_goes_into_the_next_field_of_an_edit(tmp_path: Path) -> None:
    """And what comes before it into the first."""
    with Terminal(tmp_path, *RUN) as terminal:
        opened(terminal)
        terminal.write("def\tBecause \x1b[Zghi")
        lines = terminal.wait_for(f"{COMMAND} abcdefghi")
        terminal.wait_for("Because infinite stands")
        assert not any("abcdefBecause" in line for line in lines)


def test_a_password_behind_a_tab_is_shown_nowhere_and_saved_nowhere(tmp_path: Path) -> None:
    """The whole form filled in one write: each text in its own field, the password in none that shows it."""
    with Terminal(tmp_path) as terminal:
        terminal.wait_for("Welcome")
        terminal.write("\tqwen\t127.0.0.1:1\r127.0.0.1\x1b[B25599\ts3cret\t\t\r")
        terminal.wait_for(lambda _: (tmp_path / "selfplay" / "selfplay.toml").exists())
        terminal.press("q")
    saved = (tmp_path / "selfplay" / "selfplay.toml").read_text()
    assert [line for line in saved.split("\n") if " = " in line] == [
        'model = "qwen"',
        'url = "127.0.0.1:1"',
        'host = "127.0.0.1"',
        "port = 25599",
        'kind = "rcon"',
    ]
    assert b"s3cret" not in terminal.raw
