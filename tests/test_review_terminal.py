"""The installed command in a real pseudo-terminal: a session of review from the first key to the file it leaves."""

from __future__ import annotations

import os
import signal
import subprocess
import time
from pathlib import Path
from typing import Any

from tests.commands import COMMAND, clean_environment
from tests.terminal import Terminal, controls_in
from tests.worlds import rows_in
from tui.state.review import SIGHT_SECONDS

PROMPTS = str(Path(__file__).with_name("session_prompts.jsonl"))
RUN = ("--rounds", "1", "--seed", "3", "--workspace", "w", "--prompts", PROMPTS)
EDITED = "effect give slingshooter08 minecraft:jump_boost infinite 2 true"


def rows_by_prompt(folder: Path) -> dict[str, dict[str, Any]]:
    """The rows of the output by what was asked."""
    return {row["input"]["user_message"]: row for row in rows_in(folder / "w" / "self_play.jsonl") if "input" in row}


def shown(terminal: Terminal, number: int) -> None:
    """Wait until an example is on screen, and for as long as makes a decision on it count."""
    terminal.wait_for(f"{number} pending")
    time.sleep(2 * SIGHT_SECONDS)  # the operator looks at it


def test_a_session_of_review_leaves_what_was_decided(tmp_path: Path) -> None:
    """Edit, verify anew, accept, reject, undo, quit: the file holds what was accepted, as shown."""
    with Terminal(tmp_path, *RUN) as terminal:
        terminal.wait_for("run done")
        shown(terminal, 1)
        terminal.press("e")
        terminal.wait_for("COMMANDS")
        terminal.press("end")
        terminal.write(" true")
        terminal.wait_for("infinite 2 true")
        terminal.press("ctrl+r")
        terminal.wait_for("verdicts for exactly these commands")
        terminal.press("ctrl+s")
        shown(terminal, 2)
        terminal.press("1")
        shown(terminal, 3)
        terminal.press("r")
        shown(terminal, 4)
        terminal.press("u")
        terminal.wait_for("Undone: reject #3")
        shown(terminal, 3)
        terminal.press("space")
        shown(terminal, 4)
        terminal.press("r")
        shown(terminal, 5)
        terminal.press("a")
        shown(terminal, 6)
        terminal.press("a")
        shown(terminal, 7)
        terminal.press("u")
        terminal.wait_for("Undone: accept #6")
        terminal.press("q")
        assert terminal.wait_for_end() == 0
        assert controls_in(terminal.raw) == []
    rows = rows_by_prompt(tmp_path)
    assert set(rows) == {"sudo jump boost without an end", "pray hey, give me 99999 dirt in one go"}
    edited = rows["sudo jump boost without an end"]
    assert edited["output"]["commands"] == [EDITED]
    assert edited["metadata"]["edited"] is True
    assert [result["command"] for result in edited["metadata"]["results"]] == [EDITED]
    assert edited["metadata"]["verifier"] == "sandbox"
    assert edited["metadata"]["rcon_verified"] is False


def test_what_was_decided_can_be_undone_in_the_next_session(tmp_path: Path) -> None:
    """Undo and redo reach over a restart, and the file follows both ways."""
    with Terminal(tmp_path, *RUN) as terminal:
        terminal.wait_for("run done")
        shown(terminal, 1)
        terminal.press("a")
        shown(terminal, 2)
        terminal.press("q")
        assert terminal.wait_for_end() == 0
    assert len(rows_by_prompt(tmp_path)) == 1
    with Terminal(tmp_path, "review", "--workspace", "w") as terminal:
        terminal.wait_for("2 pending")
        terminal.press("u")
        terminal.wait_for("Undone: accept #1")
        terminal.press("q")
        assert terminal.wait_for_end() == 0
    assert rows_by_prompt(tmp_path) == {}
    with Terminal(tmp_path, "review", "--workspace", "w") as terminal:
        terminal.wait_for("pending")
        terminal.press("U")
        terminal.wait_for("Done again: accept #1")
        terminal.press("q")
        assert terminal.wait_for_end() == 0
    assert len(rows_by_prompt(tmp_path)) == 1


def test_without_a_terminal_the_screen_is_refused(tmp_path: Path) -> None:
    """A pipe gets one sentence and exit 2, and nothing is made."""
    environment = clean_environment(tmp_path)
    done = subprocess.run(
        [COMMAND], cwd=tmp_path, env=environment, capture_output=True, stdin=subprocess.DEVNULL, timeout=60
    )
    assert done.returncode == 2
    assert b"needs a terminal" in done.stderr
    assert b"--headless" in done.stderr
    assert not (tmp_path / "selfplay-sandbox").exists()


def test_what_was_followed_by_the_next_example_survives_kill_9(tmp_path: Path) -> None:
    """Killed the moment the next example is painted, the decision stands, and the next start writes its row."""
    with Terminal(tmp_path, *RUN) as terminal:
        terminal.wait_for("run done")
        shown(terminal, 1)
        terminal.press("a")
        terminal.wait_for("2 pending")
        os.kill(terminal.pid, signal.SIGKILL)
        terminal.wait_for_end()
    with Terminal(tmp_path, "review", "--workspace", "w") as terminal:
        terminal.wait_for("2 pending")
        terminal.press("q")
        assert terminal.wait_for_end() == 0
    assert list(rows_by_prompt(tmp_path)) == ["sudo jump boost without an end"]


def test_a_signal_ends_the_screen_as_quitting_does(tmp_path: Path) -> None:
    """SIGTERM finishes what has begun, gives the terminal back, and is told by the exit code."""
    with Terminal(tmp_path, "--rounds", "500", "--seed", "3", "--workspace", "w") as terminal:
        terminal.wait_for("1 pending")
        os.kill(terminal.pid, signal.SIGTERM)
        assert terminal.wait_for_end() == 128 + signal.SIGTERM
        assert terminal.raw.endswith(b"\n")
        assert b"\x1b[?1049l" in terminal.raw
        assert b"Traceback" not in terminal.raw
