"""Whatever text comes over the wire, the sandbox's world answers, and soon."""

from __future__ import annotations

import random
import time

import pytest

from selfplay_core.models import SANDBOX_RESET
from selfplay_core.sandbox.world.world import World

PLAYERS = ("slingshooter08", "SwiftWolf", "DarkWolf", "BraveWolf")


@pytest.fixture
def world() -> World:
    return World(PLAYERS)


_HOSTILE = [
    "x" * 100_000,
    "say " + "x" * 100_000,
    "execute " + "as @a " * 500 + "run say hi",
    "execute " + "run execute " * 110 + "run say hi",
    "execute as @a " + "as @e " * 36 + "run give @a dirt",
    "return run " * 125 + "say hi",
    "data merge entity @p " + "{a:" * 450,
    "tellraw @a " + "[" * 700 + "]" * 700,
    "tellraw @a " + '{text:"a",extra:[' * 60,
    "give @p stone[" + "a=b," * 340,
    "give @p diamond " + "9" * 1400,
    "tp @p " + "9" * 500 + " 64 0",
    "time set " + "9" * 1000,
    "worldborder set " + "9" * 1000,
    "setblock " + "9" * 400 + " 64 0 stone",
    "kill @e[" + "tag=a," * 220 + "]",
    "kill @e[" + " " * 1400,
    'tellraw @a "' + "\\" * 1400,
    "say \ud800\udfff\ud800",
    "give @p \ud800",
    "\u202e\x00\x1b[31m",
    "\n",
    "//sphere stone 1e999",
    "//stack 999999999999999999",
    "//sphere stone nan",
]


@pytest.mark.parametrize("command", _HOSTILE, ids=range(len(_HOSTILE)))
def test_hostile_text_is_answered(world: World, command: str) -> None:
    """Too long, too deep or too strange a command gets a reply, never an exception."""
    assert isinstance(world.reply(command), str)


def test_random_text_is_answered(world: World) -> None:
    """Any text, pieces of commands included, gets a reply."""
    source = random.Random(20)
    words = [
        "execute",
        "as",
        "@a",
        "run",
        "give",
        "@p[",
        "{",
        "}",
        '"',
        "'",
        "[",
        "]",
        "~",
        "^1",
        "stone",
        "=",
        ",",
        "\\",
    ]
    for _ in range(400):
        pieces = (source.choice(words) if source.random() < 0.8 else chr(source.randrange(0x250)) for _ in range(12))
        assert isinstance(world.reply(source.choice(("", " ")).join(pieces)), str)


def test_no_text_takes_as_long_as_a_thousand_usual_commands(world: World) -> None:
    """Measured side by side: whatever is sent, the world is soon back."""
    usual = ["give @p diamond_sword 1", "effect give @a speed 10 1", "kill @a[r=5]", "summon zombie ~ ~ ~ {NoAI:1b}"]
    world.reply(usual[0])
    thousand = seconds(world, usual * 250)
    for command in _HOSTILE:
        assert min(seconds(world, [command]) for _ in range(3)) < thousand, command[:40]


def seconds(world: World, commands: list[str]) -> float:
    """How much of a core the replies to commands take."""
    world.reply(SANDBOX_RESET)
    began = time.process_time()
    for command in commands:
        world.reply(command)
    return time.process_time() - began
