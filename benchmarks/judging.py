"""How many verdicts and rulings a second there are: `python -m benchmarks.judging`.

The commands are such as models write, right and wrong; the replies are the sandbox's to them. Beside the rate of the
sandbox's judge stands how many times as many that is as mecha's parser alone makes of the same commands, which knows
no ids and words no errors; the target is 800 a second.
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Callable
from typing import Final, TypeVar

from mecha import AstCommand, DiagnosticError, Mecha

from benchmarks.figures import Figure, at_least, tell
from selfplay_core.sandbox.parser.judge import judge
from selfplay_core.sandbox.world.world import World
from selfplay_core.verify.policy import Policy
from selfplay_core.verify.unwrap import remembered
from selfplay_core.verify.verdict import judge as verdict_of
from tests.judged_commands import RIGHT, USUAL, WRONG

__all__ = ["main"]

T = TypeVar("T")

_TARGET: Final = 800
_LONG: Final = {
    "a list of 16,000 characters": "data merge storage a:b {a:[" + "1," * 7_980 + "1]}",
    "a text of 16,000 characters": "tellraw @a [" + '{text:"a"},' * 1_440 + '"b"]',
    "100,000 characters": "data merge storage a:b {a:[" + "1," * 50_000 + "1]}",
    "500 nested lists": "tellraw @a " + "[" * 500 + '"a"' + "]" * 500,
}


def main() -> None:
    """Tell the rates, and what the longest and deepest commands take."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=40, help="how often each command is judged; default 40")
    rounds = parser.parse_args().rounds
    _tell_first("first verdict of the sandbox's judge in a process", lambda: judge("list"))
    world = World(("slingshooter08", "SwiftWolf", "DarkWolf", "BraveWolf"))
    replies = tuple((world.reply(command), command) for command in USUAL)
    _tell_first("first verdict on a reply of a process", lambda: verdict_of(*replies[0]))
    _tell_rate("verdicts on a server's replies", lambda said: verdict_of(*said), replies, rounds)
    _tell_rate("rulings of the policy", Policy().review, USUAL, rounds)
    mecha = Mecha(version="1.21")
    alone = _rate(lambda command: _parse(mecha, command), USUAL, rounds)
    tell(Figure("mecha alone, which judges less", alone, "a second"))
    for name, work, commands in (
        ("the sandbox's judge", judge, USUAL),
        ("the sandbox's judge, right commands", judge, RIGHT),
        ("the sandbox's judge, wrong commands", judge, WRONG),
        ("replies of the sandbox's world", world.reply, USUAL),
    ):
        rate = _rate(work, commands, rounds)
        tell(Figure(name, rate, "a second", at_least(_TARGET), f"{rate / alone:.1f} times mecha"))
    for name, command in _LONG.items():
        tell(Figure(f"the sandbox's judge: {name}", 1000 / _rate(judge, (command,), 3), "ms"))


def _tell_first(name: str, work: Callable[[], object]) -> None:
    began = time.process_time()
    work()
    tell(Figure(name, 1000 * (time.process_time() - began), "ms"))


def _tell_rate(name: str, work: Callable[[T], object], items: tuple[T, ...], rounds: int) -> None:
    """Tell how many a second of one core are worked on; what is remembered of a command is forgotten each round."""

    def forgetting(item: T) -> object:
        remembered.cache_clear()
        return work(item)

    tell(Figure(name, _rate(forgetting, items, rounds), "a second"))


def _parse(mecha: Mecha, command: str) -> None:
    try:
        mecha.parse(command, type=AstCommand)
    except DiagnosticError:
        return


def _rate(work: Callable[[T], object], commands: tuple[T, ...], rounds: int) -> float:
    """Return how many commands a second of one core are worked on, everything loaded."""
    for command in commands:
        work(command)
    began = time.process_time()
    for _ in range(rounds):
        for command in commands:
            work(command)
    return rounds * len(commands) / (time.process_time() - began)


if __name__ == "__main__":
    main()
