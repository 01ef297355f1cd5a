"""What holds of every reply, whatever it says."""

from __future__ import annotations

import random
import string
import time

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from selfplay_core.models import VerdictOutcome
from selfplay_core.verify.verdict import judge
from tests.test_verdict import PASSED, REJECTED, UNCLEAR


@given(st.text(max_size=60), st.text(max_size=60), st.text(max_size=60))
def test_the_mark_of_a_parse_error_always_rejects(before: str, after: str, command: str) -> None:
    """Whatever stands around `<--[HERE]`, and whatever was sent, the reply is rejected."""
    before, after = before.replace("§", ""), after.replace("§", "")
    assert judge(f"{before}<--[HERE]{after}", command).outcome is VerdictOutcome.REJECTED


@settings(max_examples=300)
@given(st.text(alphabet=string.printable + "§\ud800\u2028é", max_size=80), st.text(max_size=40), st.booleans())
def test_no_text_raises(reply: str, command: str, shown: bool) -> None:
    """Whatever a server says to whatever it was told."""
    verdict = judge(reply, command, target_shown=shown)
    assert (verdict.because is not None) == (verdict.outcome is VerdictOutcome.FAILED)


@given(
    # Without capitals, for hypothesis takes words from the code, and every message begins with one.
    st.text(
        alphabet=string.ascii_lowercase + string.digits + string.punctuation + " \n§\u2028é", min_size=1, max_size=80
    ),
    st.sampled_from(["", "give Dee stone", "tp Dee Bob", "execute as @a run give @s stone", "//set stone", "nonsense"]),
)
def test_gibberish_never_passes(reply: str, command: str) -> None:
    """A text that is in no catalogue is no success."""
    assert judge(reply, command).outcome is not VerdictOutcome.PASSED


REPEATED = [
    "x", "1", "U", "[", "{'", "Test passed", "a\n", "Gave 1 [Stone] to Dee\n", " for ", "...", "xBlock ", "error: ",
    "§", "[]xNo player was found", "<--[HERE]",
]  # fmt: skip


@pytest.mark.parametrize("unit", REPEATED)
def test_a_megabyte_is_judged_in_linear_time(unit: str) -> None:
    """Four times the text takes no more than about four times as long, whatever it repeats."""
    head = "Dee has the following entity data: "
    short, long = (head + unit * (size // len(unit)) for size in (250_000, 1_000_000))
    commands = ("give @p stone", "x" * 4000)
    assert _seconds(long, commands) < 12 * _seconds(short, commands) + 0.2


def _seconds(reply: str, commands: tuple[str, ...]) -> float:
    began = time.process_time()
    for command in commands:
        judge(reply, command)
    return time.process_time() - began


def test_judging_is_pure() -> None:
    """The same reply to the same command gets the same verdict in any order."""
    cases = [(reply, command) for command, reply in PASSED + REJECTED + UNCLEAR]
    before = [judge(*case) for case in cases]
    shuffled = list(enumerate(cases))
    random.Random(1).shuffle(shuffled)
    assert all(judge(*case) == before[index] for index, case in shuffled)
