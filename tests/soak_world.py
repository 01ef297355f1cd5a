"""Any number of prompts whose end is known: what the model answers, what the server says, and what is true."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import Any

import orjson

from selfplay_core.models import FailedBecause, VerdictOutcome
from tests.servers.ollama import Reply, say

__all__ = [
    "ENDS",
    "SoakServer",
    "conversation_of",
    "model_says",
    "prompt_of",
    "prompts",
    "remembers",
    "true_reply",
    "truth_of",
]

Truth = tuple[VerdictOutcome, FailedBecause | None]

_GIVE = "give slingshooter08 minecraft:torch {}"
_GIVEE = "givee slingshooter08 minecraft:torch {}"
_JOIN = "team join t{} slingshooter08"
_DATA = "data get entity slingshooter08 tag{}"
_ADD = "scoreboard objectives add o{} dummy"

# By the second word of a prompt: what the model answers attempt by attempt, `{}` being the prompt's own number.
_ANSWERS: Mapping[str, tuple[tuple[str, ...], ...]] = MappingProxyType(
    {
        "torch": ((_GIVE,),),
        "fix": ((_GIVEE,), (_GIVE,)),
        "join": (("time set {}", _JOIN), (_GIVE,)),
        "stuck": (("givee a{}",), ("givee b{}",), ("givee c{}",)),
        "nobody": (("give Stranger minecraft:torch {}",),),
        "refuse": ((),),
        "op": (("op player{}",),),
        "speak": (("say {}",),),
        "data": ((_DATA, _GIVE),),
        "odd": (("oddity {}",),),
        "keep": ((_ADD, _GIVE),),
        "late": ((_GIVE, _ADD),),
        "many": ((_ADD, "say {}", _GIVE, "give Stranger minecraft:torch {}", _DATA),),
        "twice": ((_GIVE, "time set {}"),),
    }
)
ENDS: Mapping[str, str] = MappingProxyType(
    {
        "torch": "solved",
        "fix": "corrected",
        "join": "corrected",
        "stuck": "failed",
        "nobody": "unproven",
        "refuse": "refused",
        "op": "blocked",
        "speak": "solved",
        "data": "solved",
        "odd": "unproven",
        "keep": "solved",
        "late": "solved",
        "many": "unproven",
        "twice": "solved",
    }
)
"""How a prompt ends, by its second word, where nothing goes wrong on the way."""

# Not a multiple of a fragment's 4096 characters, so that the last fragment is always a short one.
_LONG = 9_000
_SAID: Mapping[str, tuple[Callable[[str, str], str], Truth]] = MappingProxyType(
    {
        "give slingshooter08": (
            lambda _, number: f"Gave {number} [Torch] to slingshooter08\n",
            (VerdictOutcome.PASSED, None),
        ),
        "give Stranger": (lambda *_: "No player was found\n", (VerdictOutcome.FAILED, FailedBecause.NOBODY)),
        "time set": (lambda _, number: f"Set the time to {number}\n", (VerdictOutcome.PASSED, None)),
        "say": (lambda *_: "", (VerdictOutcome.PASSED, None)),
        "scoreboard objectives add": (
            lambda _, number: f"Created new objective [o{number}]\n",
            (VerdictOutcome.PASSED, None),
        ),
        "team join": (lambda _, number: f"Unknown team 't{number}'\n", (VerdictOutcome.FAILED, FailedBecause.OTHER)),
        "data get": (
            lambda _, number: f"slingshooter08 has the following entity data: [{number * (_LONG // len(number))}]\n",
            (VerdictOutcome.PASSED, None),
        ),
        "oddity": (lambda _, number: f"Whatever you mean by {number}\n", (VerdictOutcome.UNCLEAR, None)),
        "givee": (
            lambda command, _: f"Unknown or incomplete command. See below for error\n...{command[-10:]}<--[HERE]\n",
            (VerdictOutcome.REJECTED, None),
        ),
    }
)


def prompts(count: int) -> list[str]:
    """Return that many prompts, each with a number of its own that goes into its commands and their replies."""
    words = list(_ANSWERS)
    return [f"sudo {words[index % len(words)]} {100_000 + index}" for index in range(count)]


def model_says(body: dict[str, Any]) -> Reply:
    """Answer as the prompt's word says, whatever the seed."""
    prompt = prompt_of(body)
    _, word, number = prompt.split()
    answers = _ANSWERS[word]
    attempt = sum(message["role"] == "assistant" for message in body["messages"])
    commands = [command.format(number) for command in answers[min(attempt, len(answers) - 1)]]
    return say(orjson.dumps({"commands": commands, "reasoning": f"For {prompt}."}).decode())


def prompt_of(body: dict[str, Any]) -> str:
    """Return the prompt that a request is about."""
    return str(body["messages"][1]["content"])


def conversation_of(body: dict[str, Any]) -> bytes:
    """Return what the model was shown: a request without what only says how to answer it."""
    return orjson.dumps(body["messages"])


def true_reply(command: str) -> str:
    """Return what the server says to a command that it has not run before."""
    said, _ = _entry(command)
    return said(command, _number(command))


def truth_of(command: str) -> Truth:
    """Return the verdict that a command truly has."""
    return _entry(command)[1]


class SoakServer:
    """Replies as a Paper server would, with the command's own number where there is a place for it, and remembers."""

    def __init__(self) -> None:
        self._objectives: set[str] = set()

    def forget(self) -> None:
        """Be a new world."""
        self._objectives.clear()

    def says(self, command: str) -> str:
        """Run a command."""
        if command == "version":
            return "This server is running Paper version 1.21.4-232-ver/1.21.4@12d8fe0 (MC: 1.21.4)\n"
        if command == "list":
            return "There are 1 of a max of 20 players online: slingshooter08"
        if remembers(command):
            if command in self._objectives:
                return "An objective already exists by that name\n"
            self._objectives.add(command)
        return true_reply(command)


def remembers(command: str) -> bool:
    """Whether the server answers the same command otherwise the second time."""
    return command.startswith("scoreboard objectives add ")


def _entry(command: str) -> tuple[Callable[[str, str], str], Truth]:
    for beginning, entry in _SAID.items():
        if command == beginning or command.startswith(beginning + " "):
            return entry
    return _SAID["givee"]


def _number(command: str) -> str:
    return "".join(re.findall(r"\d+", command)[-1:])
