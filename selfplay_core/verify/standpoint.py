"""From where a command is run: as a player at the player's place, or from the console."""

from __future__ import annotations

from typing import Final

from selfplay_core.verify.rules import VANILLA
from selfplay_core.verify.spelling import bare_name
from selfplay_core.verify.unwrap import readings

__all__ = ["context_of", "is_the_games", "presence_check", "target_check", "wrapped"]

# A condition that holds anywhere: it fails only where nobody is left to ask.
_ALWAYS: Final = "unless entity @e[tag=__never__]"


def context_of(player: str) -> str:
    """Return the words before a command that make `player` the one who acts, there where the player stands."""
    return f"execute as {player} at @s run"


def wrapped(command: str, player: str) -> str | None:
    """Return `command` run as `player`, or None where that cannot be: a plugin's command keeps its sender.

    An unknown one stays bare too, so that the server can say that it does not know it.
    """
    if not is_the_games(command):
        return None
    return f"{context_of(player)} {command.removeprefix('/')}"


def is_the_games(command: str) -> bool:
    """Whether the command's own name is one of the game's, and not given to a plugin by a namespace."""
    word = (command.split(maxsplit=1) or [""])[0].removeprefix("/")
    name, doubled = bare_name(word)
    return name in VANILLA and not doubled and word.rpartition(":")[0].lower() in ("", "minecraft")


def presence_check(player: str) -> str:
    """Return the command that passes if `player` is online."""
    return f"execute if entity {player}"


def target_check(command: str) -> str | None:
    """Return the command that passes if the `execute` around `command` finds somebody to run it for.

    None where there is no `execute`, where asking would change something, or where a predicate could roll dice
    and answer otherwise than before.
    """
    reading = readings(command)[0]
    if not reading.run_at or not reading.certain or reading.stores or reading.summoned or reading.functions:
        return None
    before = command[: reading.run_at]
    return None if "predicate" in before.lower() else f"{before}{_ALWAYS}"
