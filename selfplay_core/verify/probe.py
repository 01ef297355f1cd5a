"""Parsing a command on the server without running it."""

from __future__ import annotations

from typing import Final

from selfplay_core.models import Level, Verdict, VerdictOutcome
from selfplay_core.verify.language import Language
from selfplay_core.verify.rules import VANILLA
from selfplay_core.verify.standpoint import is_the_games
from selfplay_core.verify.unwrap import Reading, readings
from selfplay_core.verify.verdict import judge

__all__ = ["is_parsed_by_the_game", "judge_probe", "probed"]

# Brigadier parses the whole chain before anything runs, and the console's @s matches nobody: nothing runs.
_PREFIX: Final = "execute if entity @s[tag=__never__] run "


def probed(command: str) -> str:
    """Return the command that makes the server parse `command` and run nothing."""
    return _PREFIX + command.removeprefix("/")


def judge_probe(reply: str, command: str, *, language: Language | None = None) -> tuple[Verdict, Level]:
    """Judge the reply to a probe: silence means that it parsed, and no more.

    Of a command that is not the game's own silence means nothing: a plugin's takes any arguments.
    """
    if not reply.strip():
        if is_parsed_by_the_game(command):
            return Verdict(VerdictOutcome.PASSED), Level.PARSED
        return Verdict(VerdictOutcome.UNCLEAR, message="a plugin's command takes any arguments"), Level.NONE
    verdict = judge(reply, probed(command), language=language)
    if verdict.outcome is VerdictOutcome.REJECTED:
        return verdict, Level.NONE
    # The condition can also answer "Test failed": parsed all the same, but nothing we know to rely on.
    return Verdict(VerdictOutcome.UNCLEAR, message=verdict.message), Level.NONE


def is_parsed_by_the_game(command: str) -> bool:
    """Whether the game's own parser reads the command to its end: a plugin's takes any arguments."""
    reading = readings(command)[0]
    innermost = command[reading.run_at :].removeprefix("run ")
    return reading.certain and is_the_games(command) and is_the_games(innermost) and _ends_in_the_games(reading)


def _ends_in_the_games(reading: Reading) -> bool:
    return all(call.name in VANILLA and not call.doubled for call in reading.calls)
