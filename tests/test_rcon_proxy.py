"""The verifier behind a bad network: a fault is an exception, and no verdict is ever a wrong one."""

from __future__ import annotations

import asyncio
import random
import time
from collections import Counter

import pytest

from selfplay_core.errors import ConnectionLost, LoginRefused, ProtocolViolation, ServerUnreachable
from selfplay_core.models import CommandResult, VerdictOutcome
from selfplay_core.verify.rcon import RconAddress, RconClient
from selfplay_core.verify.verifier import FaultCount, Verifier
from tests.servers.proxy import Strikes, any_of
from tests.servers.rcon import StrictRconServer
from tests.servers.rcon_client import rcon_threads
from tests.servers.rcon_faults import RCON_FAULTS, RconProxy

COMMANDS = 1_000
_SHAPES = {
    "give Alex minecraft:torch {}": VerdictOutcome.PASSED,
    "givee Alex {}": VerdictOutcome.REJECTED,
    "say {}": VerdictOutcome.PASSED,
    "data get entity Alex tag{}": VerdictOutcome.PASSED,
    "team join t{} Alex": VerdictOutcome.FAILED,
}


def server_says(command: str) -> str:
    """Reply truly, and with the command's own number where there is a reply."""
    name, _, rest = command.partition(" ")
    number = "".join(character for character in rest if character.isdigit())
    if name == "give":
        return f"Gave {number} [Torch] to Alex\n"
    if name == "say":
        return ""
    if name == "data":
        return f"Alex has the following entity data: [{number * (9_000 // len(number))}]\n"
    if name == "team":
        return f"Unknown team 't{number}'\n"
    return f"Unknown or incomplete command. See below for error\n...{command[-10:]}<--[HERE]\n"


def attempts(seed: int) -> list[list[tuple[str, VerdictOutcome]]]:
    """Draw a thousand commands, each with its true verdict, in attempts of one to five."""
    choice = random.Random(seed)
    drawn = [(shape.format(number), truth) for number, (shape, truth) in _drawn(choice)]
    found = []
    while drawn:
        size = choice.randint(1, 5)
        found.append(drawn[:size])
        drawn = drawn[size:]
    return found


def _drawn(choice: random.Random) -> list[tuple[int, tuple[str, VerdictOutcome]]]:
    return [(1_000_000 + number, choice.choice(list(_SHAPES.items()))) for number in range(COMMANDS)]


def verifier_behind(proxy: RconProxy, password: str) -> Verifier:
    """A verifier with little patience, so that what hangs does not hang the test."""
    address = RconAddress("127.0.0.1", proxy.port)
    return Verifier(RconClient(address, password, connect_seconds=0.5, command_seconds=0.25))


async def patiently(
    verifier: Verifier, commands: list[str], proxy: RconProxy, tally: Counter[str]
) -> tuple[CommandResult, ...] | None:
    """Verify an attempt as the engine does: try again once the server is back, and end it with its second fault."""
    faults = FaultCount()
    while True:
        try:
            return await verifier.verify(commands, faults=faults)
        except (ServerUnreachable, LoginRefused) as away:
            tally[type(away).__name__] += 1
            proxy.come_back()
        except (ConnectionLost, ProtocolViolation) as fault:
            tally[type(fault).__name__] += 1
            return None


@pytest.mark.parametrize("seed", [1, 2])
async def test_a_thousand_commands_get_no_wrong_verdict(seed: int, capsys: pytest.CaptureFixture[str]) -> None:
    """Each ends in its true verdict with its own whole reply, or in a fault, within bounded time."""
    tally: Counter[str] = Counter()
    started = time.monotonic()
    fault, strikes = any_of(RCON_FAULTS.values()), Strikes(seed, chance=0.2, again=0.3, most=3)
    async with StrictRconServer(server_says) as server, RconProxy(server.port, fault, strikes) as proxy:
        proxy.armed = True
        verifier = verifier_behind(proxy, server.password)
        for attempt in attempts(seed):
            async with asyncio.timeout(15):
                results = await patiently(verifier, [command for command, _ in attempt], proxy, tally)
            if results is None:
                tally["commands without a verdict"] += len(attempt)
                continue
            assert [result.command for result in results] == [command for command, _ in attempt]
            for result, (command, truth) in zip(results, attempt, strict=True):
                assert result.reply == server_says(command)
                assert result.verdict.outcome is truth, command
                tally["true verdicts"] += 1
        await verifier.aclose()
    assert tally["true verdicts"] + tally["commands without a verdict"] == COMMANDS
    assert tally["true verdicts"] > 0.5 * COMMANDS
    assert proxy.struck > 5 * len(RCON_FAULTS)
    assert not rcon_threads()
    with capsys.disabled():
        told = f"{proxy.struck} strikes over {proxy.connections} connections"
        print(f"\n{dict(tally)} through {told} in {time.monotonic() - started:.1f} s")
