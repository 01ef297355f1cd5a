"""Faults on the wire: each has its exception, ends the connection, and leaves nothing behind."""

from __future__ import annotations

import asyncio
import gc
import os
import random

import pytest

from selfplay_core.errors import ConnectionLost, NothingSent, ProtocolViolation, ServerFault, ServerUnreachable
from tests.servers.rcon import RconFault, StrictRconServer
from tests.servers.rcon_client import cancelled, client_of, fault_of, rcon_threads

COMMAND_FAULTS = {
    RconFault.CLOSE: ConnectionLost,
    RconFault.CLOSE_MID_PACKET: ConnectionLost,
    RconFault.STALL: ConnectionLost,
    RconFault.DRIP: ConnectionLost,
    RconFault.WRONG_ID: ProtocolViolation,
    RconFault.WRONG_TYPE: ProtocolViolation,
    RconFault.GARBAGE: ProtocolViolation,
    RconFault.BAD_PADDING: ProtocolViolation,
    RconFault.OVERSIZE: ProtocolViolation,
    RconFault.UNDERSIZE: ProtocolViolation,
    RconFault.NEGATIVE_SIZE: ProtocolViolation,
    RconFault.BAD_UTF8: ProtocolViolation,
    RconFault.FLIP_AUTH: ProtocolViolation,
}


pytestmark = pytest.mark.usefixtures("no_rcon_thread_is_left")


@pytest.mark.parametrize(("fault", "kind"), COMMAND_FAULTS.items())
async def test_a_fault_ends_the_connection_and_open_mends_it(
    server: StrictRconServer, fault: RconFault, kind: type[ServerFault]
) -> None:
    """Each fault has its exception, which names the server; nothing passes until a new connection."""
    server.faults[2] = fault
    async with client_of(server, command_seconds=0.3) as client:
        assert await client.command("one") == "did one"
        error = await fault_of(client.command("two"))
        assert type(error) is kind
        assert f"127.0.0.1:{server.port}" in str(error)
        assert not client.connected
        assert type(await fault_of(client.command("unsent"))) is NothingSent
        await client.open()
        assert await client.command("three") == "did three"
    assert server.commands == ["one", "two", "three"]


@pytest.mark.parametrize("fault", [RconFault.CLOSE_MID_PACKET, RconFault.STALL, RconFault.WRONG_ID])
async def test_a_long_reply_that_breaks_is_a_fault(server: StrictRconServer, fault: RconFault) -> None:
    """Fragments that had come before a fault are never handed out as a reply."""
    server.handler = lambda _: "x" * 10_000
    server.faults["long"] = fault
    async with client_of(server, command_seconds=0.3) as client:
        assert isinstance(await fault_of(client.command("long")), ServerFault)


async def test_a_reply_that_comes_twice_is_not_taken_for_the_next(server: StrictRconServer) -> None:
    """A stray packet of the last request is a fault, known before or after this one is sent, and no answer to it."""
    server.faults["twice"] = RconFault.REPLY_TWICE
    async with client_of(server) as client:
        assert await client.command("twice") == "did twice"
        assert isinstance(await fault_of(client.command("next")), ProtocolViolation | NothingSent)


async def test_a_cancelled_wait_closes_the_socket(server: StrictRconServer) -> None:
    """The server sees the connection end, the thread ends, and a new connection works."""
    server.faults["hang"] = RconFault.STALL
    client = client_of(server, command_seconds=60)
    await client.open()
    waiting = asyncio.create_task(client.command("hang"))
    await server.until(lambda: server.commands == ["hang"])
    assert await cancelled(waiting)
    assert not client.connected
    async with asyncio.timeout(5):
        await server.idle()
    await client.open()
    assert await client.command("list") == "did list"
    await client.aclose()


@pytest.mark.parametrize("fault", [RconFault.STALL, RconFault.DRIP])
async def test_a_cancelled_login_closes_the_socket(server: StrictRconServer, fault: RconFault) -> None:
    """Opening can be given up like any other wait."""
    server.login_fault = fault
    client = client_of(server, connect_seconds=60)
    waiting = asyncio.create_task(client.open())
    await server.until(lambda: server.logins == 1)
    assert await cancelled(waiting)
    async with asyncio.timeout(5):
        await server.idle()
    await client.aclose()


async def test_a_wait_for_ones_turn_can_be_cancelled(server: StrictRconServer) -> None:
    """Giving up before the command was sent leaves the connection to the others."""
    server.faults["slow"] = RconFault.DELAY
    async with client_of(server) as client:
        first = asyncio.create_task(client.command("slow"))
        second = asyncio.create_task(client.command("never"))
        await server.until(lambda: server.commands == ["slow"])
        second.cancel()
        assert await first == "did slow"
        assert await client.command("third") == "did third"
    assert server.commands == ["slow", "third"]


async def test_closing_ends_a_command_under_way(server: StrictRconServer) -> None:
    """Whoever waits for a reply hears of the close as a fault, and so does who waits for a turn."""
    server.faults["hang"] = RconFault.STALL
    client = client_of(server, command_seconds=60)
    await client.open()
    waiting = [asyncio.create_task(client.command(text)) for text in ("hang", "queued")]
    await server.until(lambda: server.commands == ["hang"])
    await client.aclose()
    async with asyncio.timeout(5):
        ended = await asyncio.gather(*waiting, return_exceptions=True)
    assert [type(error) for error in ended] == [ConnectionLost, NothingSent]
    await client.aclose()


async def test_faults_leak_neither_threads_nor_sockets(server: StrictRconServer) -> None:
    """After many faults of every kind as many descriptors are open as before."""
    kinds = [fault for fault in COMMAND_FAULTS if fault not in (RconFault.STALL, RconFault.DRIP)]
    client = client_of(server, command_seconds=5)
    gc.collect()
    before = len(os.listdir("/dev/fd"))
    for turn in range(5):
        for fault in kinds:
            server.faults[len(server.commands) + 1] = fault
            await client.open()
            assert isinstance(await fault_of(client.command(f"say {turn}")), ServerFault)
    await client.aclose()
    async with asyncio.timeout(5):
        await server.idle()
    assert len(os.listdir("/dev/fd")) <= before
    assert rcon_threads() == []


async def test_a_thousand_commands_through_random_faults_are_never_mixed_up(
    server: StrictRconServer,
) -> None:
    """Every reply that is handed out is the one to that very command."""
    choice = random.Random(7)
    quick = [fault for fault in COMMAND_FAULTS if fault not in (RconFault.STALL, RconFault.DRIP)]
    server.faults = {n: choice.choice([*quick, RconFault.REPLY_TWICE]) for n in range(1, 1001, 7)}
    server.handler = lambda command: command * (1 if len(command) % 2 else 900)
    faults = 0
    client = client_of(server)
    for n in range(1000):
        command = f"say {n}"
        await client.open()
        try:
            assert await client.command(command) == server.handler(command)
        except ServerFault:
            faults += 1
    await client.aclose()
    # A reply that came twice is seen by `open`, which begins anew.
    assert faults >= sum(fault is not RconFault.REPLY_TWICE for fault in server.faults.values()) - 1


async def test_a_connection_that_was_closed_meanwhile_is_opened_anew(server: StrictRconServer) -> None:
    """A server restarted between two attempts costs neither of them: `open` sees that the connection has ended."""
    async with client_of(server) as client:
        assert await client.command("one") == "did one"
        await server.stop()
        await server.start()
        assert not client.connected
        await client.open()
        assert await client.command("two") == "did two"
    assert (server.commands, server.logins) == (["one", "two"], 2)


async def test_a_server_that_restarts_on_its_port_is_found_again(server: StrictRconServer) -> None:
    """The loss is a fault, and nothing is sent into it; after open the same client goes on."""
    async with client_of(server) as client:
        assert await client.command("one") == "did one"
        await server.stop()
        assert isinstance(await fault_of(client.command("lost")), ConnectionLost)
        assert type(await fault_of(client.open())) is ServerUnreachable
        await server.start()
        await client.open()
        assert await client.command("two") == "did two"
