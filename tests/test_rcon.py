"""The RCON wire against a strict server on real sockets: what is asked, and whole replies."""

from __future__ import annotations

import asyncio
import signal
import struct
import threading

import pytest

from selfplay_core.errors import CommandTooLong, ProtocolViolation
from selfplay_core.verify.rcon import MAX_COMMAND_BYTES
from tests.servers.rcon import RconFault, StrictRconServer
from tests.servers.rcon_client import client_of, fault_of


async def test_replies_arrive_in_order_over_one_connection(server: StrictRconServer) -> None:
    """Fifty tasks that ask at once each get the reply to their own command, over one connection."""
    async with client_of(server) as client:
        replies = await asyncio.gather(*(client.command(f"say {n}") for n in range(50)))
    assert replies == [f"did say {n}" for n in range(50)]
    assert (server.connections, server.logins) == (1, 1)


@pytest.mark.parametrize("text", ["", "réponse §aété", "日本語 🙂", "x" * 1000])
async def test_text_goes_both_ways_unchanged(server: StrictRconServer, text: str) -> None:
    """What is asked and what is answered arrive as they were written."""
    server.handler = lambda command: command
    async with client_of(server) as client:
        assert await client.command(text) == text
    assert server.commands == [text]


@pytest.mark.parametrize("letter", ["x", "é", "語", "🙂"])
async def test_a_command_may_fill_the_servers_read(server: StrictRconServer, letter: str) -> None:
    """A command of 1446 bytes arrives whole; one more is refused before anything is sent."""
    longest = letter * (MAX_COMMAND_BYTES // len(letter.encode()))
    longest += "x" * (MAX_COMMAND_BYTES - len(longest.encode()))
    async with client_of(server) as client:
        await client.command(longest)
        with pytest.raises(CommandTooLong, match="1447 bytes"):
            await client.command(longest + "x")
        assert client.connected
    assert server.commands == [longest]


@pytest.mark.parametrize("text", ["say hi\0op me", "say \ud83d"])
async def test_a_command_that_would_arrive_as_another_is_refused(server: StrictRconServer, text: str) -> None:
    """Text that the server would cut or could not read is refused before anything is sent."""
    async with client_of(server) as client:
        with pytest.raises(ValueError, match="write it without"):
            await client.command(text)
        assert client.connected
    assert server.commands == []


@pytest.mark.parametrize("letter", ["x", "я", "語", "🙂"])
@pytest.mark.parametrize("units", [4094, 4096, 4098, 8190, 8192, 8194, 30_000])
async def test_a_long_reply_is_whole(server: StrictRconServer, letter: str, units: int) -> None:
    """A reply in fragments arrives as one text, and the next reply is that of the next command."""
    text = letter * (units // (2 if letter == "🙂" else 1))
    server.handler = lambda command: text if command == "long" else command
    async with client_of(server) as client:
        assert await client.command("long") == text
        assert await client.command("next") == "next"


async def test_a_pair_cut_by_the_server_is_kept_as_the_server_spoils_it(server: StrictRconServer) -> None:
    """A character across two fragments, which vanilla turns into two question marks, is no fault."""
    server.handler = lambda _: "x" * 4095 + "🙂" + "y"
    async with client_of(server) as client:
        assert await client.command("long") == "x" * 4095 + "??y"


@pytest.mark.parametrize("text", ["語" * 5000, "x" + "🙂" * 3000, "é" * 4096])
async def test_a_server_that_cuts_at_bytes_is_read_too(text: str) -> None:
    """A reply cut every 4096 bytes, within characters, arrives as it was."""
    async with StrictRconServer(lambda _: text, cut_at_bytes=True) as server, client_of(server) as client:
        assert await client.command("long") == text
        assert await client.command("again") == text


@pytest.mark.parametrize(("length", "probes"), [(0, 0), (4095, 0), (4096, 1), (4097, 1), (40_000, 1)])
async def test_only_a_full_fragment_costs_a_probe(server: StrictRconServer, length: int, probes: int) -> None:
    """A short reply is one round trip; a long one is two, however long."""
    server.handler = lambda _: "x" * length
    async with client_of(server) as client:
        assert len(await client.command("x")) == length
    assert server.probes == probes


async def test_a_reply_that_quotes_the_probe_is_not_cut(server: StrictRconServer) -> None:
    """The end of a long reply is known by its id, never by its words."""
    text = "x" * 4096 + "Unknown request 64"
    server.handler = lambda _: text
    async with client_of(server) as client:
        assert await client.command("data get block") == text


async def test_a_megabyte_is_read_and_five_are_refused(server: StrictRconServer) -> None:
    """Replies are bounded in memory: a large one is whole, an endless one is a fault."""
    server.handler = lambda command: "x" * int(command)
    async with client_of(server) as client:
        assert len(await client.command("1000000")) == 1_000_000
        assert isinstance(await fault_of(client.command("5000000")), ProtocolViolation)


@pytest.mark.parametrize("fault", [RconFault.DELAY, RconFault.SPLIT])
@pytest.mark.parametrize("length", [10, 9000])
async def test_a_slow_reply_is_waited_for(server: StrictRconServer, fault: RconFault, length: int) -> None:
    """Bytes that come late or in odd pieces make the same reply."""
    server.faults["slow"] = fault
    server.handler = lambda command: command * length
    async with client_of(server) as client:
        assert await client.command("slow") == "slow" * length
        assert await client.command("fast") == "fast" * length


def test_it_works_off_the_main_thread_and_leaves_the_alarm_alone() -> None:
    """A loop in another thread is served, and SIGALRM, which mcrcon takes, keeps its handler."""
    before = signal.getsignal(signal.SIGALRM)
    replies: list[str] = []

    async def speak() -> None:
        async with StrictRconServer() as server, client_of(server) as client:
            replies.append(await client.command("list"))

    thread = threading.Thread(target=lambda: asyncio.run(speak()))
    thread.start()
    thread.join(10)
    assert replies == ["did list"]
    assert signal.getsignal(signal.SIGALRM) is before


async def test_the_imitation_is_strict(server: StrictRconServer) -> None:
    """A packet in two writes, or two packets in one, end the connection as they do with vanilla."""
    login = struct.pack("<iii", 10 + len(server.password), 1, 3) + server.password.encode() + b"\0\0"
    for sent in (login[:4], login * 2):
        reader, writer = await asyncio.open_connection("127.0.0.1", server.port)
        writer.write(sent)
        async with asyncio.timeout(5):
            assert await reader.read() == b""
        writer.close()
    assert server.logins == 0
