"""Tells commands that do something from those that only speak or ask."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence

from selfplay_core.verify.rules import ONLY_WITH, PLAIN_SPEECH
from selfplay_core.verify.unwrap import Call, Reading, readings, words

__all__ = ["only_speaks", "shows_no_deed", "speaks"]

_SPEECH_IS_THE_DEED = "cosmetic_effects"

_ALWAYS = PLAIN_SPEECH | frozenset(
    word
    for line in (
        "tellraw help ehelp ? list elist online who seed version ver about icanhasbukkit plugins pl tps mspt",
        "locate banlist fetchprofile size count distr calc calculate eval evaluate solve = nbtinfo biomeinfo",
        "biomelist biomels searchitem chunkinfo listchunks",
    )
    for word in line.split()
)

# Matched against the whole of the arguments, with words parted by one space.
_WITH: Mapping[str, re.Pattern[str]] = {
    name: re.compile(pattern)
    for name, pattern in {
        "data": r"get .+",
        "time": r"query .+",
        "weather": r"query.*",
        "difficulty": r"",
        "gamerule": r"\S*",
        "worldborder": r"get",
        "forceload": r"query.*",
        "bossbar": r"get .+|list",
        "scoreboard": r"players (?:get|list).*|objectives list",
        "team": r"list.*",
        "experience": r"query .+",
        "xp": r"query .+",
        "datapack": r"list.*",
        "whitelist": r"list",
        "tick": r"query",
        "random": r"(?:value|roll) .+",
        "stopwatch": r"query .+",
        "waypoint": r"list",
        "schematic": r"list.*",
        "schem": r"list.*",
        "worldedit": r"(?:help|version|ver).*|",
        "we": r"(?:help|version|ver).*|",
        "return": r"-?\d+|fail",
    }.items()
}
# Matched behind the first word, which is a target.
_BEHIND_TARGET: Mapping[str, re.Pattern[str]] = {
    "tag": re.compile(r"list"),
    "attribute": re.compile(r"\S+ (?:get|base get|modifier value get)\b.*"),
    "clear": re.compile(r"\S+ 0"),
}


def only_speaks(commands: Sequence[str]) -> bool:
    """Tell whether every command only speaks or asks, so that its success proves nothing done.

    An empty answer, and a command that cannot be read to its end, are not that.
    """
    return bool(commands) and all(_reads_as_speech(command) for command in commands)


def shows_no_deed(category: str, commands: Sequence[str]) -> bool:
    """Tell whether an answer only speaks or asks in a category that is about more than that."""
    return category != _SPEECH_IS_THE_DEED and only_speaks(commands)


def speaks(reading: Reading) -> bool:
    """Tell whether one reading of a command only speaks or asks, as `execute if …` with nothing to run does."""
    if not reading.certain or reading.stores or reading.summoned or reading.functions:
        return False
    return all(_call_speaks(call) or (reading.tests and call.name == "execute") for call in reading.calls)


def _reads_as_speech(command: str) -> bool:
    return all(speaks(reading) for reading in readings(command))


def _call_speaks(call: Call) -> bool:
    if call.name in _ALWAYS:
        return True
    if call.name in ONLY_WITH:
        return (words(call.rest.lower()) or [""])[0] in ONLY_WITH[call.name]
    if call.name in _WITH:
        return _WITH[call.name].fullmatch(" ".join(words(call.rest)).lower()) is not None
    if call.name in _BEHIND_TARGET:
        behind = " ".join(words(call.rest)[1:]).lower()
        return _BEHIND_TARGET[call.name].fullmatch(behind) is not None
    return False
