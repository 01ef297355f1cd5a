"""Every format writes the lines that `make test-consumers` has shown to the trainers' own code."""

from __future__ import annotations

import orjson
import pytest

from selfplay_core.exchange.formats import FORMATS
from tests.golden_cases import GOLDEN, lines_of

every_format = pytest.mark.parametrize("name", FORMATS)


@every_format
def test_lines_are_those_that_trainers_have_taken(name: str) -> None:
    """The golden file is what the format writes today, byte for byte."""
    assert lines_of(name) == GOLDEN.joinpath(f"{name}.jsonl").read_bytes()


@every_format
def test_lines_are_canonical(name: str) -> None:
    """Each line is one JSON object with sorted keys and no blanks, and ends with one newline."""
    *lines, rest = GOLDEN.joinpath(f"{name}.jsonl").read_bytes().split(b"\n")
    assert lines
    assert rest == b""
    for line in lines:
        assert orjson.dumps(orjson.loads(line), option=orjson.OPT_SORT_KEYS) == line


def test_no_golden_file_is_left_of_a_format_that_is_gone() -> None:
    """There is one file for each format."""
    assert {path.stem for path in GOLDEN.iterdir()} == set(FORMATS)
