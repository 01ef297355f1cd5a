"""Bytes as lines, and what is loaded by whom."""

from __future__ import annotations

import subprocess
import sys

import pytest
from hypothesis import given
from hypothesis import strategies as st

from selfplay_core.errors import Unfinished
from selfplay_core.llm.stream import LineSplitter


@given(st.lists(st.binary(max_size=6) | st.sampled_from([b"\n", b"a\nb", b"\xe2\x80", b"\xa8\n", b"\r"])))
def test_lines_do_not_depend_on_the_chunks(chunks: list[bytes]) -> None:
    """However the bytes are packed, the lines are those between the newlines, and none is lost."""
    splitter = LineSplitter()
    cut = [line for chunk in chunks for line in splitter.feed(chunk)]
    assert [*cut, splitter.rest()] == b"".join(chunks).split(b"\n")


@pytest.mark.parametrize("chunks", [[b"x" * 11], [b"x" * 6, b"x" * 5], [b"\n" + b"x" * 11 + b"\n"]])
def test_a_line_past_its_bound_is_given_up(chunks: list[bytes]) -> None:
    """The bound is on one line, in one chunk or in several."""
    splitter = LineSplitter(limit=10)
    for chunk in chunks[:-1]:
        splitter.feed(chunk)
    with pytest.raises(Unfinished, match="more than 10 bytes"):
        splitter.feed(chunks[-1])


def test_the_bound_is_on_a_line_not_on_the_stream() -> None:
    """A long stream of short lines is right."""
    splitter = LineSplitter(limit=10)
    assert sum(len(splitter.feed(b"x" * 10 + b"\n")) for _ in range(100)) == 100


@pytest.mark.parametrize("module", ["base", "replies", "thinking", "address", "faults"])
def test_the_client_is_loaded_by_its_users_alone(module: str) -> None:
    """Settings, help and decoding do not pay for httpx."""
    code = f"import sys, selfplay_core.llm.{module}; sys.exit('httpx' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
