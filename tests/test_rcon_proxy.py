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
from tests.servers.rcon import StrictRconServer
from tests.servers.rcon_client import rcon_threads
from tests.servers.rcon_proxy import HARMLESS, FaultyProxy, Trick

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


def verifier_behind(proxy: FaultyProxy, password: str) -> Verifier:
    """A verifier with little patience, so that what hangs does not hang the test."""
    address = RconAddress("127.0.0.1", proxy.port)
    return Verifier(RconClient(address, password, connect_seconds=0.2, command_seconds=0.15))


async def patiently(verifier: Verifier, commands: list[str], tally: Counter[str]) -> tuple[CommandResult, ...] | None:
    """Verify an attempt as the engine does: wait while the server is away, and end it with its second fault."""
    faults = FaultCount()
    while True:
        try:
            return await verifier.verify(commands, faults=faults)
        except (ServerUnreachable, LoginRefused) as away:
            tally[type(away).__name__] += 1
            await asyncio.sleep(0.01)
        except (ConnectionLost, ProtocolViolation) as fault:
            tally[type(fault).__name__] += 1
            return None


@pytest.mark.parametrize("seed", [1, 2])
async def test_a_thousand_commands_get_no_wrong_verdict(seed: int, capsys: pytest.CaptureFixture[str]) -> None:
    """Each ends in its true verdict with its own whole reply, or in a fault, within bounded time."""
    tally: Counter[str] = Counter()
    started = time.monotonic()
    async with StrictRconServer(server_says) as server, FaultyProxy(server.port, seed=seed) as proxy:
        verifier = verifier_behind(proxy, server.password)
        for attempt in attempts(seed):
            async with asyncio.timeout(15):
                results = await patiently(verifier, [command for command, _ in attempt], tally)
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
    assert tally["true verdicts"] > 0.75 * COMMANDS
    assert set(proxy.tricks) == set(Trick)
    assert sum(count for trick, count in proxy.tricks.items() if trick not in HARMLESS) > 50
    assert not rcon_threads()
    with capsys.disabled():
        played = ", ".join(f"{trick.name.lower()} {count}" for trick, count in sorted(proxy.tricks.items(), key=str))
        print(f"\n{dict(tally)} over {proxy.connections} connections in {time.monotonic() - started:.1f} s: {played}")


@pytest.mark.parametrize("trick", [trick for trick in Trick if trick is not Trick.SPLIT_REQUEST])
async def test_each_trick_alone_is_borne_or_a_fault(trick: Trick) -> None:
    """What only delays or cuts elsewhere changes nothing; the rest is never taken for an answer."""
    tally: Counter[str] = Counter()
    async with StrictRconServer(server_says) as server, FaultyProxy(server.port, seed=3, replies={trick: 0.3}) as proxy:
        verifier = verifier_behind(proxy, server.password)
        for number in range(4):
            for shape, truth in _SHAPES.items():
                command = shape.format(number + 10)
                async with asyncio.timeout(15):
                    results = await patiently(verifier, [command], tally)
                for result in results or ():
                    assert (result.reply, result.verdict.outcome) == (server_says(command), truth)
                    tally["true verdicts"] += 1
        await verifier.aclose()
    assert proxy.tricks[trick] > 0
    assert tally["true verdicts"] > 3
