"""Any text is judged or refused, in bounded time, and never with an exception."""

from __future__ import annotations

import random
import time

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from selfplay_core.sandbox.parser.grammar import Command
from selfplay_core.sandbox.parser.judge import judge
from selfplay_core.sandbox.parser.problem import Problem, with_context
from selfplay_core.sandbox.world.world import World
from tests.judged_commands import RIGHT, USUAL, WRONG

WORLD = World(("slingshooter08", "SwiftWolf"))

LENGTHS = (1_400, 16_000, 100_000)

# So many times as long as a usual command may those take that RCON could bring, or that are refused unread; and those
# of the greatest length that is judged. A usual one takes about a thirtieth of a millisecond.
BOUND = 500
BOUND_OF_THE_LONGEST = 5_000


def filled(head: str, unit: str, tail: str, length: int) -> str:
    """A command of that length that repeats a piece."""
    return head + unit * ((length - len(head) - len(tail)) // len(unit)) + tail


def noise(alphabet: str, length: int) -> str:
    return "".join(random.Random(7).choices(alphabet, k=length))


ASCII = "".join(map(chr, range(32, 127)))
REPEATED = {
    "a word": ("", "x", ""),
    "a message": ("say ", "x", ""),
    "blanks": ("give ", " ", ""),
    "namespaces": ("", "minecraft:", ""),
    "digits": ("give @p stone ", "9", ""),
    "a decimal": ("tp @p ", "9", " 1 1"),
    "backslashes": ('tellraw @a "', "\\", ""),
    "escapes": ('tellraw @a "', "\\\\", '"'),
    "a list": ("data merge storage a:b {a:[", "1,", "1]}"),
    "a compound": ("data merge storage a:b {", "a:1,", "b:2}"),
    "a text": ("tellraw @a [", '{text:"a"},', '"b"]'),
    "open brackets": ("tellraw @a ", "[", ""),
    "components": ("give @p stone[", "custom_data={a:1},", "]"),
    "items": ("give @p chest[container=[", '{slot:0,item:{id:"stone"}},', "]]"),
    "predicates": ("clear @a *[", "damage=1|", "]"),
    "block states": ("setblock 0 0 0 oak_stairs[", "facing=north,", "]"),
    "selector options": ("kill @e[", "tag=a,", "]"),
    "selector blanks": ("kill @e[", " ", ""),
    "selector nbt": ("kill @e[", "nbt={a:1},", "]"),
    "a path": ("data get storage a:b ", "a.", "a"),
    "indices": ("data get storage a:b a", "[0]", ""),
    "clauses": ("execute ", "as @a ", "run say hi"),
    "chains": ("execute ", "run execute ", "run say hi"),
    "returns": ("", "return run ", "say hi"),
}
NESTED = {
    "compounds": "data merge storage a:b " + "{a:" * 500 + "1" + "}" * 500,
    "lists": "tellraw @a " + "[" * 500 + '"a"' + "]" * 500,
    "texts": "tellraw @a " + '{text:"a",extra:[' * 500 + '"b"' + "]}" * 500,
    "items": 'give @p chest[container=[{slot:0,item:{id:"chest",components:{' * 500,
    "open compounds": "data merge storage a:b " + "{a:" * 500,
}
NOISE = {
    "letters": ASCII,
    "brackets": "{}[]\"',:=",
    "control characters": "".join(map(chr, range(32))),
    "unicode": "".join(map(chr, range(0x80, 0x3000))),
    "surrogates": "\ud800\udfff a{",
}
HOSTILE = {
    **{f"{length} of {name}": filled(*parts, length) for name, parts in REPEATED.items() for length in LENGTHS},
    **{f"500 nested {name}": command for name, command in NESTED.items()},
    **{f"{length} random {name}": noise(signs, length) for name, signs in NOISE.items() for length in LENGTHS},
    **{f"an item of {name}": "give @p stone[" + noise(signs, 1_300) for name, signs in NOISE.items()},
}


def seconds(command: str, times: int) -> float:
    """The least time that one of several verdicts took: what else the machine does is left out."""
    least = float("inf")
    for _ in range(times):
        began = time.process_time()
        judge(command)
        least = min(least, time.process_time() - began)
    return least


@pytest.fixture(scope="module")
def usual() -> float:
    """The mean time of a usual command, everything loaded."""
    for command in USUAL:
        judge(command)
    return sum(seconds(command, 5) for command in USUAL) / len(USUAL)


@pytest.mark.parametrize("name", HOSTILE)
def test_hostile_commands_cost_no_more_than_many_usual_ones(name: str, usual: float) -> None:
    """Length, depth and noise are judged or refused within a fixed multiple of a usual command's time."""
    command = HOSTILE[name]
    bound = BOUND_OF_THE_LONGEST if 2_000 < len(command) <= 16_000 else BOUND
    assert seconds(command, 3) < bound * usual


@pytest.mark.parametrize("name", REPEATED)
def test_four_times_the_text_takes_about_four_times_as_long(name: str, usual: float) -> None:
    """Up to the longest that `check` judges; quadratic work would take sixteen times as long."""
    short, long = (filled(*REPEATED[name], length) for length in (4_000, 16_000))
    assert seconds(long, 3) < 12 * seconds(short, 3) + 20 * usual


@pytest.mark.parametrize("name", HOSTILE)
def test_hostile_commands_get_a_verdict_and_a_reply(name: str) -> None:
    """Whatever is sent, the judge says yes or no, the error can be shown, and the world answers."""
    command = HOSTILE[name]
    verdict = judge(command)
    if isinstance(verdict, Problem):
        assert verdict.message
        assert verdict.cursor is None or 0 <= verdict.cursor <= len(command)
        assert with_context(verdict, command).startswith(verdict.message)
    assert isinstance(WORLD.reply(command), str)


def has_a_verdict(command: str) -> None:
    verdict = judge(command)
    assert isinstance(verdict, (Command, Problem))
    if isinstance(verdict, Problem) and verdict.cursor is not None:
        assert 0 <= verdict.cursor <= len(command)
    assert isinstance(WORLD.reply(command), str)


@settings(max_examples=300, deadline=None)
@given(st.text(max_size=80))
def test_random_text_never_raises(text: str) -> None:
    """Any characters at all."""
    has_a_verdict(text)


SIGNS = "{}[]()\"'=,:;!~^#@$\\ .-é\u202e\n\0"
PIECES = [*SIGNS, "..", "~~", "0b", "1e9", "NaN", "true", "minecraft:", "@e[", "run "]


@settings(max_examples=600, deadline=None)
@given(st.data())
def test_mutated_commands_never_raise(data: st.DataObject) -> None:
    """Real commands with pieces cut out, doubled, swapped with another command's, or put in."""
    command = data.draw(st.sampled_from(USUAL))
    for _ in range(data.draw(st.integers(1, 4))):
        start = data.draw(st.integers(0, len(command)))
        end = data.draw(st.integers(start, min(len(command), start + 12)))
        other = data.draw(st.sampled_from(USUAL))
        others = [*PIECES, "", command[start:end] * 2, other[start:end]]
        put = data.draw(st.sampled_from(others))
        command = command[:start] + put + command[end:]
    has_a_verdict(command)


@settings(max_examples=200, deadline=None)
@given(st.sampled_from(RIGHT), st.integers(0, 200))
def test_no_beginning_of_a_command_raises(command: str, length: int) -> None:
    """What a person has typed so far."""
    has_a_verdict(command[:length])


def test_the_usual_commands_are_what_they_are_taken_for() -> None:
    """The right ones are accepted, the wrong ones are not: else the bounds above would compare nothing."""
    assert [command for command in RIGHT if isinstance(judge(command), Problem)] == []
    assert [command for command in WRONG if not isinstance(judge(command), Problem)] == []
