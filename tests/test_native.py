"""Laws of `selfplay/1`: nothing is lost on the way, and nothing that was changed on it is taken in."""

from __future__ import annotations

import gzip
from dataclasses import replace
from pathlib import Path

import orjson
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from selfplay_core.dataset.cases import Case, canonical
from selfplay_core.dataset.native import NotNative, native_lines, read_native
from selfplay_core.models import (
    Answer,
    Attempt,
    CommandResult,
    Decision,
    DecisionKind,
    FailedBecause,
    Level,
    Outcome,
    Verdict,
    VerdictOutcome,
)
from tests.golden_cases import CASES, a_case
from tests.samples import make_trace

TEXT = st.text(st.characters(exclude_categories=["Cs"]), max_size=40)
RESULTS = st.builds(
    CommandResult,
    command=TEXT,
    reply=TEXT,
    verdict=st.builds(
        Verdict,
        outcome=st.sampled_from(VerdictOutcome),
        because=st.none() | st.sampled_from(FailedBecause),
        key=st.none() | TEXT,
        message=TEXT,
        cursor=st.none() | st.integers(0, 1 << 31),
    ),
    level=st.sampled_from(Level),
    probed=st.booleans(),
    context=TEXT,
    risk=st.integers(0, 5),
)
ANSWERS = st.builds(Answer, commands=st.lists(TEXT, max_size=3).map(tuple), reasoning=TEXT, message=st.none() | TEXT)
ATTEMPTS = st.builds(
    Attempt,
    number=st.integers(1, 9),
    raw=TEXT,
    answer=st.none() | ANSWERS,
    error=st.none() | TEXT,
    thinking=TEXT,
    results=st.lists(RESULTS, max_size=3).map(tuple),
    seconds=st.floats(0, 1e6),
    output_tokens=st.integers(0, 1 << 31),
    hint=st.none() | TEXT,
)
DECISIONS = st.builds(
    Decision,
    kind=st.sampled_from(DecisionKind),
    by=TEXT,
    at=st.floats(0, 4e9),
    reason=TEXT,
    edited=st.none() | ANSWERS,
    edited_prompt=st.none() | TEXT,
    results=st.lists(RESULTS, max_size=2).map(tuple),
    batch=TEXT,
)


def line_of(case: Case) -> bytes:
    lines = native_lines(case)
    assert isinstance(lines, list)
    return lines[0].data


@settings(max_examples=150, deadline=None)
@given(st.lists(ATTEMPTS, max_size=3), st.lists(DECISIONS, max_size=3), st.sampled_from(Outcome), TEXT)
def test_a_row_holds_everything(
    attempts: list[Attempt], decisions: list[Decision], outcome: Outcome, reason: str
) -> None:
    """What is read back is what was written, but for the number, which is each workspace's own."""
    trace = replace(make_trace(outcome=outcome), attempts=tuple(attempts), reason=reason)
    case = a_case(7, trace, *decisions)
    assert read_native(line_of(case)) == replace(case, number=0)


@pytest.mark.parametrize("case", CASES)
def test_other_spaces_and_orders_are_no_change(case: Case) -> None:
    """A backup that went through jq is still the backup."""
    body = orjson.loads(line_of(case))
    shuffled = {key: body[key] for key in reversed(body)}
    assert read_native(orjson.dumps(shuffled, option=orjson.OPT_INDENT_2)) == replace(case, number=0)


@pytest.mark.parametrize(
    ("path", "value"),
    [
        (("trace", "outcome"), "failed"),
        (("trace", "attempts", 0, "results", 0, "level"), "none"),
        (("decisions", 0, "by"), "eve"),
        (("flagged",), True),
        (("run", "seed"), "2"),
    ],
)
def test_a_changed_record_is_refused(path: tuple[str | int, ...], value: object) -> None:
    """Evidence that somebody typed is none."""
    body = orjson.loads(line_of(CASES[0]))
    at = body["record"]
    for step in path[:-1]:
        at = at[step]
    assert at[path[-1]] != value
    at[path[-1]] = value
    with pytest.raises(NotNative, match="changed after it was written"):
        read_native(canonical(body))


@pytest.mark.parametrize(
    ("line", "match"),
    [
        (b"", "no selfplay/1 row"),
        (b"{}", "no selfplay/1 row"),
        (b'{"schema":"selfplay/2","id":"x","record":{}}', "selfplay/2"),
        (b'{"schema":"selfplay/1","id":"x","record":{}}', "changed"),
        (b'{"schema":"selfplay/1","id":"x","record":' + b"[" * 3000 + b"]" * 3000 + b"}", "no selfplay/1 row"),
        (b"\xff\xfe", "no selfplay/1 row"),
        (b'{"schema":"selfplay/1","id":"\x80","record":{}}', "no selfplay/1 row"),
    ],
    ids=["nothing", "an empty object", "another version", "an empty record", "a deep record", "no text", "torn text"],
)
def test_what_is_no_row_is_told(line: bytes, match: str) -> None:
    """With its reason, whatever it is."""
    with pytest.raises(NotNative, match=match):
        read_native(line)


def test_what_trainers_want_stands_beside_the_record() -> None:
    """Messages, tools, other answers and the evidence, of each case that has some."""
    body = orjson.loads(line_of(CASES[2]))
    assert body["kind"] == "correction"
    assert [turn["train"] for turn in body["messages"]][-1] is True
    assert body["verification"]["rcon_verified"] is True
    assert body["alternatives"][0]["verdicts"] == ["rejected", "passed"]
    assert body["tools"][0]["function"]["name"] == "rcon_execute"


def test_a_row_compresses_well(tmp_path: Path) -> None:
    """Texts that stand twice in it cost little in a compressed backup."""
    line = line_of(a_case(1, replace(make_trace(), system="You are the console. " * 100)))
    assert len(gzip.compress(line)) < len(line) / 3
