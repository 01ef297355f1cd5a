"""A proxy before an RCON server, and what it does to the exchange that it strikes: each fault a function."""

from __future__ import annotations

import asyncio
import struct
from collections.abc import Awaitable, Callable, Mapping
from types import MappingProxyType

from tests.servers.proxy import Cut, FaultProxy, Line, Strikes, drip, send

__all__ = ["RCON_FAULTS", "RconExchange", "RconFault", "RconProxy"]

_HEADER = 12
_FULL = 4096
_REPLY, _COMMAND, _LOGIN = 0, 2, 3
_STRANGER = struct.pack("<iii", 10, -1, _COMMAND) + b"\0\0"


class RconExchange:
    """A command on its way to the server; `before` is the reply to the one before it."""

    def __init__(self, proxy: RconProxy, line: Line, request: bytes, before: bytes) -> None:
        self.proxy = proxy
        self.line = line
        self.request = request
        self.before = before
        self.passed = b""

    async def reply(self) -> bytes:
        """Have the server run the command, and return its whole reply, of one packet or several."""
        await send(self.line.to_server, self.request)
        packets = [await _packet(self.line.server)]
        while _kind(self.request) == _COMMAND and len(packets[-1]) - _HEADER - 2 >= _FULL:
            packets.append(await _packet(self.line.server))
        self.passed = b"".join(packets)
        return self.passed

    async def answer(self, data: bytes) -> None:
        """Send bytes to the client."""
        await send(self.line.to_client, data)


RconFault = Callable[[RconExchange], Awaitable[None]]
"""Does something else than passing command and reply on; may raise `Cut`."""


class RconProxy(FaultProxy):
    """Passes packets on, a command with its whole reply at a time; strikes are drawn by the command's text.

    Replies must not end in a fragment that is exactly full: nobody could tell that it was the last.
    """

    def __init__(self, upstream: int, fault: RconFault | None = None, strikes: Strikes | None = None) -> None:
        super().__init__(upstream, strikes)
        self._fault = fault
        self._introductions = 0

    async def carry(self, line: Line) -> None:
        """Carry one request after the other."""
        before = b""
        while True:
            request = await _packet(line.client)
            if self.astray and _kind(request) in (_LOGIN, _COMMAND):
                await send(line.to_client, _STRANGER)
                continue
            exchange = RconExchange(self, line, request, before)
            if self._fault is not None and _kind(request) == _COMMAND and self._hit(request):
                await self._fault(exchange)
            else:
                await exchange.answer(await exchange.reply())
            before = exchange.passed

    def _hit(self, request: bytes) -> bool:
        asked = request[_HEADER:-2]
        if asked == b"version":
            # The first command of every connection: it is another one each time.
            self._introductions += 1
            asked += str(self._introductions).encode()
        return self.hit(asked)


async def delay(exchange: RconExchange) -> None:
    """Answer late."""
    whole = await exchange.reply()
    await asyncio.sleep(0.005)
    await exchange.answer(whole)


async def slow_drip(exchange: RconExchange) -> None:
    """Answer byte by byte."""
    await drip(exchange.line.to_client, await exchange.reply())


async def stall(exchange: RconExchange) -> None:
    """Run the command, and never answer."""
    await exchange.reply()
    await exchange.line.until_the_client_leaves()


async def stall_mid_packet(exchange: RconExchange) -> None:
    """Begin to answer, and never go on."""
    await exchange.answer((await exchange.reply())[:-3])
    await exchange.line.until_the_client_leaves()


async def cut_before(exchange: RconExchange) -> None:
    """Close before the server has heard of the command."""
    raise Cut


async def cut_after(exchange: RconExchange) -> None:
    """Run the command, and close instead of answering."""
    await exchange.reply()
    raise Cut


async def cut_mid_packet(exchange: RconExchange) -> None:
    """Close in the middle of the answer."""
    await exchange.answer((await exchange.reply())[:-3])
    raise Cut


async def split_request(exchange: RconExchange) -> None:
    """Bring the command to the server in two pieces; it closes, as vanilla does."""
    await send(exchange.line.to_server, exchange.request[:7])
    await asyncio.sleep(0.005)  # or both pieces may arrive as one
    await send(exchange.line.to_server, exchange.request[7:])
    await exchange.line.server.read(1)
    raise Cut


async def garbage(exchange: RconExchange) -> None:
    """Answer with bytes that are no packet."""
    await exchange.reply()
    await exchange.answer(bytes(range(255, 127, -1)) * 8)


async def garbage_before(exchange: RconExchange) -> None:
    """Put bytes that are no packet before the answer."""
    await exchange.answer(b"\x07\0\0" + await exchange.reply())


async def wrong_id(exchange: RconExchange) -> None:
    """Answer as if to another request."""
    whole = await exchange.reply()
    await exchange.answer(whole[:4] + struct.pack("<i", struct.unpack_from("<i", whole, 4)[0] + 1) + whole[8:])


async def wrong_type(exchange: RconExchange) -> None:
    """Answer with a packet that is no reply."""
    whole = await exchange.reply()
    await exchange.answer(whole[:8] + struct.pack("<i", 7) + whole[12:])


async def reordered(exchange: RconExchange) -> None:
    """Let the answer before this one come once more, and this one after it."""
    await exchange.answer(exchange.before + await exchange.reply())


async def repeated(exchange: RconExchange) -> None:
    """Answer twice, unless the answer is in pieces: then no client could tell."""
    whole = await exchange.reply()
    await exchange.answer(whole * 2 if len(whole) < _FULL else whole)


async def oversize(exchange: RconExchange) -> None:
    """Announce a packet of two gigabytes."""
    await exchange.answer(struct.pack("<i", 0x7FFFFFFF) + (await exchange.reply())[4:])


async def huge(exchange: RconExchange) -> None:
    """Answer with ten megabytes, in fragments as they should be."""
    (request,) = struct.unpack_from("<i", await exchange.reply(), 4)
    fragment = struct.pack("<iii", _FULL + 10, request, _REPLY) + b"x" * _FULL + b"\0\0"
    await exchange.answer(fragment * (10 * 2**20 // _FULL))


async def not_text(exchange: RconExchange) -> None:
    """Answer with a byte that is no character."""
    whole = await exchange.reply()
    (size,) = struct.unpack_from("<i", whole)
    await exchange.answer(struct.pack("<i", size + 1) + whole[4 : size + 2] + b"\xe9" + whole[size + 2 :])


async def restart(exchange: RconExchange) -> None:
    """Run the command, cut every connection, and let nobody in for a while."""
    await exchange.reply()
    exchange.proxy.refuse()
    exchange.proxy.cut_all()
    raise Cut


async def refused(exchange: RconExchange) -> None:
    """Answer, then close; let nobody in for a while."""
    exchange.proxy.refuse()
    await exchange.answer(await exchange.reply())
    raise Cut


async def password_changed(exchange: RconExchange) -> None:
    """Treat everybody as a stranger, whatever the password, for a while."""
    exchange.proxy.astray = True
    await exchange.answer(_STRANGER)


RCON_FAULTS: Mapping[str, RconFault] = MappingProxyType(
    {
        fault.__name__: fault
        for fault in (
            delay,
            slow_drip,
            stall,
            stall_mid_packet,
            cut_before,
            cut_after,
            cut_mid_packet,
            split_request,
            garbage,
            garbage_before,
            wrong_id,
            wrong_type,
            reordered,
            repeated,
            oversize,
            huge,
            not_text,
            restart,
            refused,
            password_changed,
        )
    }
)
"""Every fault by its name."""


def _kind(packet: bytes) -> int:
    return int(struct.unpack_from("<i", packet, 8)[0])


async def _packet(reader: asyncio.StreamReader) -> bytes:
    size = await reader.readexactly(4)
    return size + await reader.readexactly(struct.unpack("<i", size)[0])
