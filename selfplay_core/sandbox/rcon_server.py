"""An RCON server with vanilla's framing and habits, in front of a `World`.

Facts of the wire (vanilla 1.21): a packet is a little-endian size, id, type, the body and two zero bytes. A
request is read in one piece of at most 1460 bytes; a piece that is not one whole packet closes the connection,
so a client must wait for the reply before it writes again (MC-87863). Type 3 logs in and is answered by type 2
with the same id, or with id -1 for a wrong password. Type 2 is a command, answered by type 0 in fragments of
4096 UTF-16 units. Any other type is answered `Unknown request <hex>`.
"""

from __future__ import annotations

import asyncio
import hmac
import struct
from collections.abc import Iterator
from dataclasses import dataclass

from selfplay_core.sandbox.world.world import World

__all__ = ["RconServer"]

_REQUEST_LIMIT = 1460
_SMALLEST = 10
_FRAGMENT = 4096
_LOGIN, _COMMAND, _REPLY = 3, 2, 0
_REFUSED = -1


@dataclass(frozen=True, slots=True)
class _Packet:
    id: int
    type: int
    body: str


class RconServer:
    """Serves a world to any number of connections; use as an async context manager."""

    def __init__(self, world: World, password: str, *, host: str = "127.0.0.1", port: int = 0) -> None:
        self._world = world
        self._password = password.encode()
        self._host = host
        self._port = port
        self._server: asyncio.Server | None = None
        self._clients: set[asyncio.Task[None]] = set()

    @property
    def port(self) -> int:
        """The port that is listened on; raises LookupError before the start."""
        if self._server is None:
            raise LookupError("the RCON server has not been started")
        return int(self._server.sockets[0].getsockname()[1])

    async def __aenter__(self) -> RconServer:
        """Start to listen; raises OSError if the port is taken."""
        self._server = await asyncio.start_server(self._accept, self._host, self._port)
        return self

    async def __aexit__(self, *_: object) -> None:
        """Stop listening and close every connection."""
        if self._server is not None:
            self._server.close()
        for client in self._clients:
            client.cancel()
        await asyncio.gather(*self._clients, return_exceptions=True)

    async def _accept(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        if task is None:
            return
        self._clients.add(task)
        try:
            await self._serve(reader, writer)
        except ConnectionError:
            pass  # the client has gone, which is no fault of a server
        except asyncio.CancelledError:
            pass  # closing down; asyncio's own callback of a connection would log a cancelled task
        finally:
            self._clients.discard(task)
            writer.close()

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        logged_in = False
        while (packet := await _read(reader)) is not None:
            if packet.type == _LOGIN:
                logged_in = hmac.compare_digest(packet.body.encode(), self._password)
                writer.write(_packed(packet.id if logged_in else _REFUSED, _COMMAND, b""))
            elif not logged_in:
                writer.write(_packed(_REFUSED, _COMMAND, b""))
            elif packet.type == _COMMAND:
                reply = self._world.reply(packet.body)
                for fragment in _fragments(reply):
                    writer.write(_packed(packet.id, _REPLY, fragment))
            else:
                writer.write(_packed(packet.id, _REPLY, f"Unknown request {packet.type:x}".encode()))
            await writer.drain()


async def _read(reader: asyncio.StreamReader) -> _Packet | None:
    """Read one request; None at the end, and if what came in one piece is not one whole packet."""
    data = await reader.read(_REQUEST_LIMIT)
    if len(data) < _SMALLEST + 4 or struct.unpack_from("<i", data)[0] != len(data) - 4:
        return None
    identifier, kind = struct.unpack_from("<ii", data, 4)
    body = data[12:].split(b"\0", 1)[0]
    return _Packet(identifier, kind, body.decode("utf-8", "replace"))


def _fragments(reply: str) -> Iterator[bytes]:
    """Cut a reply as vanilla does; a half of a surrogate pair becomes a question mark, as in Java."""
    units = reply.encode("utf-16-le", "surrogatepass")
    for start in range(0, max(len(units), 1), 2 * _FRAGMENT):
        piece = units[start : start + 2 * _FRAGMENT].decode("utf-16-le", "surrogatepass")
        yield piece.encode("utf-8", "replace")


def _packed(identifier: int, kind: int, body: bytes) -> bytes:
    return struct.pack("<iii", len(body) + 10, identifier, kind) + body + b"\0\0"
