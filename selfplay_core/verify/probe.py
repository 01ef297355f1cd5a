"""Parsing a command on the server without running it."""

from __future__ import annotations

from typing import Final

from selfplay_core.models import Level, Verdict, VerdictOutcome
from selfplay_core.verify.verdict import judge

__all__ = ["judge_probe", "probed", "probing_proves"]

# Brigadier parses the whole chain before anything runs, and the console's @s matches nobody: nothing runs.
_PREFIX: Final = "execute if entity @s[tag=__never__] run "


def probed(command: str) -> str:
    """Return the command that makes the server parse `command` and run nothing."""
    return _PREFIX + command.removeprefix("/")


def probing_proves(command: str) -> bool:
    """Whether a probe says anything: a plugin's command takes any arguments, so it does not."""
    return not command.startswith("//") and ":" not in command.split(maxsplit=1)[0].removeprefix("minecraft:")


def judge_probe(reply: str, command: str) -> tuple[Verdict, Level]:
    """Judge the reply to a probe: silence means that it parsed, and no more."""
    if not reply.strip():
        return Verdict(VerdictOutcome.PASSED), Level.PARSED
    verdict = judge(reply, probed(command))
    if verdict.outcome is VerdictOutcome.REJECTED:
        return verdict, Level.NONE
    # The condition can also answer "Test failed": parsed all the same, but nothing we know to rely on.
    return Verdict(VerdictOutcome.UNCLEAR, message=verdict.message), Level.NONE
