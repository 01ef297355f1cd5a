"""Commands of every kind that the game takes, and commands that it refuses, by the laws of its parser and decoders.

Beside the table of verdicts, which measures: these hold, one by one. `tests/judged/` has one command a line.
"""

from __future__ import annotations

from pathlib import Path

import pytest

from selfplay_core.sandbox.parser.judge import judge
from selfplay_core.sandbox.parser.problem import Problem, shown_number

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


@pytest.mark.parametrize(
    ("value", "shown"),
    [(3, "3"), (1.5, "1.5"), (9999999.0, "9999999.0"), (6e7, "6.0E7"), (59999968.0, "5.9999968E7"), (-5e-4, "-5.0E-4")],
)
def test_numbers_are_shown_as_java_shows_them(value: float, shown: str) -> None:
    """Java's Double.toString: an exponent from 10,000,000 on and below 0.001."""
    assert shown_number(value) == shown


def test_a_block_predicate_takes_states_of_every_type_and_ranges() -> None:
    for state in ('lit:"true"', "lit:true", "age:3", 'age:{min:"1",max:"3"}'):
        assert not isinstance(judge(f'give @a torch[can_place_on={{blocks:"furnace",state:{{{state}}}}}]'), Problem)
    for state in ("lit:[1]", "[]"):
        assert isinstance(judge(f'give @a torch[can_place_on={{blocks:"furnace",state:{{{state}}}}}]'), Problem)
