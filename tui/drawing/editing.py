"""What is said of an edit: what stands in its way, and what others did meanwhile."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from selfplay_core.categories import mode_of
from selfplay_core.judging import Finding, find
from selfplay_core.models import CommandResult, Decision, Mode
from selfplay_core.store.listing import Example
from selfplay_core.text import clip, one_line
from selfplay_core.verify.verifier import MAX_COMMAND_BYTES, too_long
from tui.drawing.words import decided_word, decider

__all__ = ["counted", "doubt", "meanwhile", "unfit", "unsendable"]

_BEGINNINGS: Final = {Mode.SUDO: "sudo", Mode.GOD: "pray"}


def unfit(prompt: str, own: str, mode: Mode) -> str:
    """Return why an edited prompt makes no row of a trace whose prompt was `own`, blank if it makes one."""
    if not prompt.strip():
        return "The prompt is blank. Write what a player would type."
    if prompt == own or mode_of(prompt) is mode:
        return ""
    return (
        f"Nothing was saved: the prompt {clip(one_line(prompt), 40)!r} addresses another persona than this example, "
        f"which is one of mode {mode.value}. Begin it with `{_BEGINNINGS[mode]}`."
    )


def meanwhile(before: Example, fresh: Example) -> str:
    """Return what somebody did to an example that is being edited."""
    decision, name = fresh.standing.decision, f"#{fresh.number}"
    if len(fresh.trace.attempts) != len(before.trace.attempts):
        return f"{name} has another answer of the model's meanwhile, and is {_standing(decision)}."
    if decision is None:
        return f"The decision on {name} was taken back meanwhile: it is undecided."
    return f"{name} was decided meanwhile: it is {_standing(decision)}."


def _standing(decision: Decision | None) -> str:
    return decided_word(decision) + (f" {one_line(decider(decision))}" if decision is not None else "")


def doubt(fresh: Sequence[CommandResult], save: str, run: str) -> tuple[str, str]:
    """Return what is said, and in which role, before commands are accepted that nothing proves; `save`, `run`: keys."""
    if fresh and find(fresh) is Finding.MISTAKEN:
        refused = "The server refused these commands: rcon_verified will be false, and no pair will prefer them."
        return f"{refused} {save} again accepts them all the same.", "bad"
    why = "not every verdict is good" if fresh else "no verdict stands for these commands"
    again = f"{save} again accepts it so, {run} runs the commands."
    return f"Accept without proof: rcon_verified will be false ({why}). {again}", "warn"


def counted(commands: tuple[str, ...]) -> str:
    """Return how many commands there are."""
    return "1 command" if len(commands) == 1 else f"{len(commands)} commands"


def unsendable(commands: tuple[str, ...]) -> str:
    """Return why commands cannot be run, blank if they can."""
    if not commands:
        return "There is no command to run. Write one a line."
    for number, command in enumerate(commands, start=1):
        if too_long(command):
            return (
                f"Command {number} is too long: a server reads {MAX_COMMAND_BYTES:,} bytes of it. Shorten it, or part "
                "it into two."
            )
    return ""
