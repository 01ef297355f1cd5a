"""Commands of every kind that the game takes, and commands that it refuses, by the laws of its parser and decoders.

Beside the table of verdicts, which measures: these hold, one by one. `tests/judged/` has one command a line.
"""

from __future__ import annotations

from pathlib import Path

import pytest

from selfplay_core.sandbox.judge import judge
from selfplay_core.sandbox.problem import Problem

FOLDER = Path(__file__).parent / "judged"


def lines(name: str) -> list[str]:
    return FOLDER.joinpath(name).read_text(encoding="utf-8").splitlines()


@pytest.mark.parametrize("command", lines("right.txt"))
def test_a_right_command_is_taken(command: str) -> None:
    """Odd, and right: a server of 1.21.11 parses it."""
    assert not isinstance(judge(command), Problem)


@pytest.mark.parametrize("command", lines("wrong.txt"))
def test_a_wrong_command_is_refused(command: str) -> None:
    """One mistake: a server of 1.21.11 refuses it, with a place in the command where it gives one."""
    judged = judge(command)
    assert isinstance(judged, Problem)
    assert judged.message
    assert judged.cursor is None or 0 <= judged.cursor <= len(command)
