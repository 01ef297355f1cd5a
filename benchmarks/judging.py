"""How many verdicts a second the sandbox's judge gives: `python -m benchmarks.judging`.

The commands are such as models write, right and wrong. Beside the rate stands how many times as many that is as
mecha's parser alone makes of the same commands, which knows no ids and words no errors; the target is 800 a second.
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Callable
from typing import Final

from mecha import AstCommand, DiagnosticError, Mecha

from selfplay_core.sandbox.parser.judge import judge
from selfplay_core.sandbox.world.world import World
from tests.judged_commands import RIGHT, USUAL, WRONG

__all__ = ["main"]

_TARGET: Final = 800
_LONG: Final = {
    "a list of 16,000 characters": "data merge storage a:b {a:[" + "1," * 7_980 + "1]}",
    "a text of 16,000 characters": "tellraw @a [" + '{text:"a"},' * 1_440 + '"b"]',
    "100,000 characters": "data merge storage a:b {a:[" + "1," * 50_000 + "1]}",
    "500 nested lists": "tellraw @a " + "[" * 500 + '"a"' + "]" * 500,
}


def main() -> None:
    """Print the rates, and what the longest and deepest commands take."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=40, help="how often each command is judged; default 40")
    rounds = parser.parse_args().rounds
    began = time.process_time()
    judge("list")
    print(f"first verdict of a process: {(time.process_time() - began) * 1000:.0f} ms")
    mecha = Mecha(version="1.21")
    world = World(("slingshooter08", "SwiftWolf", "DarkWolf", "BraveWolf"))
    alone = _rate(lambda command: _parse(mecha, command), USUAL, rounds)
    print(f"mecha alone, which judges less: {alone:,.0f} a second")
    for name, work, commands in (
        ("verdicts", judge, USUAL),
        ("verdicts on right commands", judge, RIGHT),
        ("verdicts on wrong commands", judge, WRONG),
        ("replies of the world", world.reply, USUAL),
    ):
        rate = _rate(work, commands, rounds)
        print(f"{name}: {rate:,.0f} a second, {rate / alone:.1f} times mecha, {rate / _TARGET:.1f} times the target")
    for name, command in _LONG.items():
        print(f"{name}: {1000 / _rate(judge, (command,), 3):.1f} ms")


def _parse(mecha: Mecha, command: str) -> None:
    try:
        mecha.parse(command, type=AstCommand)
    except DiagnosticError:
        return


def _rate(work: Callable[[str], object], commands: tuple[str, ...], rounds: int) -> float:
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
