"""A server that answers badly, seen through the verifier: bounded in time and memory, and faults are no verdicts."""

from __future__ import annotations

import asyncio
import time
import tracemalloc
from collections.abc import AsyncIterator, Callable

import pytest

from selfplay_core.errors import CanaryFailed, ConnectionLost, ProtocolViolation, ServerFault, ServerUnreachable
from selfplay_core.models import Level, VerdictOutcome
from selfplay_core.verify.verifier import Conduct, FaultCount, Verifier
from tests.servers.rcon import RconFault, StrictRconServer
from tests.servers.rcon_client import client_of, rcon_threads

GIVE = "give Alex minecraft:torch 1"
GAVE = "Gave 1 [Torch] to Alex"
MEGABYTE = 1_000_000


@pytest.fixture
async def server() -> AsyncIterator[StrictRconServer]:
    async with StrictRconServer(lambda command: GAVE) as server:
        yield server
    for thread in rcon_threads():
        thread.join(5)
    assert not rcon_threads()


@pytest.fixture
async def verifier(server: StrictRconServer) -> AsyncIterator[Verifier]:
    verifier = Verifier(client_of(server, command_seconds=0.5))
    yield verifier
    await verifier.aclose()


LARGE: dict[str, tuple[Callable[[], str], VerdictOutcome]] = {
    "data": (lambda: f"Alex has the following entity data: [{'1' * MEGABYTE}]", VerdictOutcome.PASSED),
    "noise": (lambda: "x" * MEGABYTE, VerdictOutcome.UNCLEAR),
    "lines": (lambda: "x\n" * (MEGABYTE // 2), VerdictOutcome.UNCLEAR),
    "nothing": (lambda: " \n" * (MEGABYTE // 2), VerdictOutcome.UNCLEAR),
    "wide": (lambda: "\u65e5" * MEGABYTE, VerdictOutcome.UNCLEAR),
    "controls": (lambda: "\x1b[31m\u00a7c" * (MEGABYTE // 7), VerdictOutcome.UNCLEAR),
    "refusals": (lambda: f"{'x' * MEGABYTE}<--[HERE]", VerdictOutcome.REJECTED),
    "many gifts": (lambda: f"{GAVE}\n" * (MEGABYTE // 24), VerdictOutcome.UNCLEAR),
    "many failures": (lambda: "No player was found\n" * (MEGABYTE // 20), VerdictOutcome.FAILED),
}


@pytest.mark.parametrize(("reply", "outcome"), LARGE.values(), ids=LARGE)
async def test_a_reply_of_a_megabyte_is_judged_like_another(
    server: StrictRconServer, verifier: Verifier, reply: Callable[[], str], outcome: VerdictOutcome
) -> None:
    """It is whole, and costs neither the time of a person nor the memory of a machine."""
    large = reply()
    server.handler = lambda command: large if command == GIVE else GAVE
    await verifier.connect()
    patient = Verifier(client_of(server, command_seconds=20))
    tracemalloc.start()
    started = time.monotonic()
    try:
        results = await patient.verify([GIVE, "give Alex minecraft:stone 1"], faults=FaultCount())
        took, (_, most) = time.monotonic() - started, tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
        await patient.aclose()
    assert results[0].reply == large
    assert [result.verdict.outcome for result in results] == [outcome, VerdictOutcome.PASSED]
    # Tracing slows everything down several times over.
    assert took < 10
    assert most < 40 * MEGABYTE


async def test_a_reply_without_end_is_a_fault(server: StrictRconServer, verifier: Verifier) -> None:
    """Four megabytes are no reply any more; the attempt ends with its second one."""
    server.handler = lambda command: "x" * 5 * MEGABYTE if command == GIVE else ""
    with pytest.raises((ProtocolViolation, ConnectionLost)):
        await verifier.verify([GIVE], faults=FaultCount())
    assert server.commands.count(GIVE) == 2


FAULTS = {
    RconFault.GARBAGE: ProtocolViolation,
    RconFault.WRONG_ID: ProtocolViolation,
    RconFault.BAD_UTF8: ProtocolViolation,
    RconFault.CLOSE: ConnectionLost,
    RconFault.STALL: ConnectionLost,
}


@pytest.mark.parametrize("once", [True, False])
@pytest.mark.parametrize(("fault", "kind"), FAULTS.items())
async def test_one_fault_is_mended_and_the_second_is_raised(
    server: StrictRconServer, verifier: Verifier, fault: RconFault, kind: type[ServerFault], once: bool
) -> None:
    """The whole attempt is verified anew on a new connection, once; there is no verdict either way."""
    commands = ["give Alex minecraft:stone 1", GIVE]
    # After `version` and the first command; the second connection begins with `version` again.
    server.faults = {3: fault} if once else {GIVE: fault}
    async with asyncio.timeout(10):
        if once:
            results = await verifier.verify(commands, faults=FaultCount())
            assert [result.verdict.outcome for result in results] == [VerdictOutcome.PASSED] * 2
        else:
            with pytest.raises(kind):
                await verifier.verify(commands, faults=FaultCount())
    assert server.commands == ["version", *commands] * 2


async def test_a_server_that_closes_after_every_command_is_away(server: StrictRconServer, verifier: Verifier) -> None:
    """It never gets to an attempt: nobody's mistake, and to be waited for."""
    server.faults = dict.fromkeys(range(1, 100), RconFault.CLOSE)
    for _ in range(3):
        with pytest.raises(ServerUnreachable):
            await verifier.verify([GIVE], faults=FaultCount())
    assert server.commands == ["version"] * 3


async def test_a_server_that_answers_once_and_closes_is_a_fault(server: StrictRconServer, verifier: Verifier) -> None:
    """Were it waited for, an attempt of two commands would be begun for ever."""
    says = server.handler
    server.faults = dict.fromkeys(range(2, 100, 2), RconFault.CLOSE)
    server.handler = says
    with pytest.raises(ConnectionLost):
        await verifier.verify([GIVE], faults=FaultCount())
    assert server.commands == ["version", GIVE] * 2


async def test_a_server_that_never_answers_holds_nobody_for_long(server: StrictRconServer, verifier: Verifier) -> None:
    """Every wait ends with its deadline, for each of those who wait in turn."""
    server.faults = dict.fromkeys(range(1, 100), RconFault.STALL)
    async with asyncio.timeout(10):
        ended = await asyncio.gather(
            *(verifier.verify([GIVE], faults=FaultCount()) for _ in range(4)), return_exceptions=True
        )
    assert [type(error) for error in ended] == [ServerUnreachable] * 4


@pytest.mark.parametrize("fault", FAULTS)
async def test_a_fault_of_the_canary_is_not_a_failed_canary(
    server: StrictRconServer, verifier: Verifier, fault: RconFault
) -> None:
    """What never arrived is no answer: the server is not called untrustworthy for it."""
    server.faults = {2: fault}
    with pytest.raises(ServerFault):
        await verifier.inspect()
    with pytest.raises(CanaryFailed):
        await verifier.inspect()  # `list` and all else answered with a torch: that is one


@pytest.mark.parametrize("fault", FAULTS)
async def test_a_fault_of_a_check_is_a_fault_of_its_command(server: StrictRconServer, fault: RconFault) -> None:
    """Whether somebody was there is not known then, and silence is not a verdict by default."""
    server.handler = lambda command: "Test passed" if command.startswith("execute if") else ""
    verifier = Verifier(client_of(server, command_seconds=0.5), Conduct(as_player="Alex"))
    server.faults = {3: fault}
    async with asyncio.timeout(10):
        (result,) = await verifier.verify(["say hi"], faults=FaultCount())
    assert (result.verdict.outcome, result.level) == (VerdictOutcome.PASSED, Level.EXECUTED)
    server.faults = {"execute if entity Alex": fault}
    async with asyncio.timeout(10):
        with pytest.raises(ServerFault):
            await verifier.verify(["say hi"], faults=FaultCount())
    await verifier.aclose()
