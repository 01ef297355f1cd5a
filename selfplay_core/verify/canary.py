"""Commands whose verdicts are known: a server that answers them otherwise cannot be trusted with the others."""

from __future__ import annotations

import re
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Final

from selfplay_core.errors import CanaryFailed
from selfplay_core.models import VerdictOutcome
from selfplay_core.text import clean, clip, one_line, without_colours
from selfplay_core.verify.language import Language
from selfplay_core.verify.verdict import judge

__all__ = ["Inspection", "foreign_players", "inspect", "read_players", "read_plugins"]

# The first also tells who is online; the second is there for plugins that answer the first in their own words.
_KNOWN_GOOD: Final = ("list", "time query daytime")
_KNOWN_BAD: Final = "selfplay_no_such_command"
_PLUGINS: Final = "plugins"
# `list` shows a team's prefix, which the model may have set, or a plugin's nickname; with UUIDs come true names.
_TRUE_NAMES: Final = ("list uuids", "minecraft:list uuids")

_NAME = re.compile(r"^[A-Za-z0-9_.*+-]{1,32}$")
_TAGS = re.compile(r"^(?:(?:\[[^\]]*\]|\([^)]*\)|<[^>]*>)\s*)+")
_UUID = re.compile(r"\s*\([0-9a-f-]{36}\)$")
_COUNT = re.compile(r"\b(\d+)\b")
_LONGEST = 20_000


@dataclass(frozen=True, slots=True)
class Inspection:
    """What a server says of itself besides its version; `players` is None where its list cannot be read."""

    players: tuple[str, ...] | None
    plugins: tuple[str, ...]


async def inspect(ask: Callable[[str], Awaitable[str]], *, language: Language | None = None) -> Inspection:
    """Ask the server what must have a known answer, and who and what is on it; raises CanaryFailed."""
    good: dict[str, str] = {}
    for command in _KNOWN_GOOD:
        good[command] = await ask(command)
        if judge(good[command], command, language=language).outcome is VerdictOutcome.PASSED:
            break
    else:
        raise _failed(good, "should have worked")
    bad = await ask(_KNOWN_BAD)
    if judge(bad, _KNOWN_BAD, language=language).outcome is not VerdictOutcome.REJECTED:
        raise _failed({_KNOWN_BAD: bad}, "should have been rejected")
    players = await _true_names(ask, language)
    if players is None:
        players = read_players(good[_KNOWN_GOOD[0]])
    return Inspection(players, read_plugins(await ask(_PLUGINS), language=language))


async def _true_names(ask: Callable[[str], Awaitable[str]], language: Language | None) -> tuple[str, ...] | None:
    for command in _TRUE_NAMES:
        reply = await ask(command)
        if judge(reply, command, language=language).outcome is VerdictOutcome.PASSED:
            return read_players(reply)
    return None


def foreign_players(players: tuple[str, ...] | None, ours: tuple[str, ...]) -> tuple[str, ...]:
    """Return who is online and not one of `ours`; names are the same in any case."""
    known = {name.lower() for name in ours}
    return tuple(name for name in players or () if name.lower() not in known)


def read_players(reply: str) -> tuple[str, ...] | None:
    """Read the names from the reply to `list`; None if it does not read like a list of players."""
    text = clean(without_colours(reply[:_LONGEST]))
    head, _, after = text.partition(":")
    if not after.strip():
        counted = _COUNT.search(head)
        return () if counted is not None and counted[1] == "0" else None
    words = [part for line in after.split("\n") for part in line.rpartition(":")[2].split(",")]
    names = tuple(_UUID.sub("", _TAGS.sub("", word.strip())).strip() for word in words if word.strip())
    counted = _COUNT.search(head)
    if counted is not None and len(counted[1]) < 6 and int(counted[1]) > len(names):
        return None  # somebody is online who is not named
    return names if all(_NAME.match(name) for name in names) else None


def read_plugins(reply: str, *, language: Language | None = None) -> tuple[str, ...]:
    """Read the names from the reply to `plugins`; a server without plugins does not know the command."""
    if judge(reply, _PLUGINS, language=language).outcome is VerdictOutcome.REJECTED:
        return ()
    _, _, after = clean(without_colours(reply[:_LONGEST])).partition(":")
    lines = (line.rpartition(":")[2].strip().removeprefix("-") for line in after.split("\n"))
    names = (part.strip().strip("*") for line in lines for part in line.split(","))
    return tuple(sorted(name for name in names if _NAME.match(name)))


def _failed(replies: dict[str, str], why: str) -> CanaryFailed:
    said = "; ".join(
        f"{command!r} was answered {clip(one_line(without_colours(reply)), 120)!r}"
        for command, reply in replies.items()
    )
    return CanaryFailed(
        f"The server's answers cannot be trusted: a command that {why} was not: {said}. "
        "See that this is a Minecraft server's console with English replies and no plugin that changes them."
    )
