"""A proxy between an RCON client and its server that does to their packets what bad networks and programs do."""

from __future__ import annotations

import asyncio
import contextlib
import random
import struct
from collections import Counter
from collections.abc import Mapping
from enum import Enum, auto
from types import MappingProxyType, TracebackType
from typing import Self

__all__ = ["HARMLESS", "FaultyProxy", "Trick"]

_HEADER = 12
_FULL = 4096
_ABORTS = (ConnectionError, asyncio.IncompleteReadError, OSError)


class Trick(Enum):
    """What happens to a packet; the first four still bring it over whole."""

    DELAY = auto()
    DRIP = auto()
    SPLIT = auto()
    JOIN = auto()
    CUT = auto()
    CUT_AND_REFUSE = auto()
    STALL = auto()
    GARBAGE = auto()
    SWAP_ID = auto()
    REPEAT = auto()
    SPLIT_REQUEST = auto()


HARMLESS = frozenset((Trick.DELAY, Trick.DRIP, Trick.SPLIT, Trick.JOIN))

_ON_REPLIES: Mapping[Trick, float] = MappingProxyType(
    {
        Trick.DELAY: 0.02,
        Trick.DRIP: 0.01,
        Trick.SPLIT: 0.03,
        Trick.JOIN: 0.05,
        Trick.CUT: 0.02,
        Trick.CUT_AND_REFUSE: 0.01,
        Trick.STALL: 0.007,
        Trick.GARBAGE: 0.015,
        Trick.SWAP_ID: 0.03,
        Trick.REPEAT: 0.02,
    }
)
_ON_REQUESTS = 0.01


class _Cut(Exception):
    """Raised to end a connection."""


class FaultyProxy:
    """Passes packets on from 127.0.0.1 to a server's port, most of them unharmed; the same seed draws the same tricks.

    No packet is repeated or lost within a reply of several: no client could tell. `tricks` counts what was done.
    """

    def __init__(self, upstream: int, *, seed: int, replies: Mapping[Trick, float] = _ON_REPLIES) -> None:
        self.port = 0
        self.tricks: Counter[Trick] = Counter()
        self.connections = 0
        self._upstream = upstream
        self._random = random.Random(seed)
        self._replies = replies
        self._server: asyncio.Server | None = None
        self._tasks: set[asyncio.Task[None]] = set()

    async def __aenter__(self) -> Self:
        await self._listen()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        for task in self._tasks:
            task.cancel()
        while self._tasks:
            await asyncio.wait(self._tasks)
        if self._server is not None:
            self._server.close()
            await self._server.wait_closed()

    async def _listen(self) -> None:
        self._server = await asyncio.start_server(self._serve, "127.0.0.1", self.port)
        self.port = self._server.sockets[0].getsockname()[1]

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.connections += 1
        task = asyncio.current_task()
        assert task is not None
        self._tasks.add(task)
        try:
            with contextlib.suppress(asyncio.CancelledError):
                await self._connect(reader, writer)
        finally:
            writer.transport.abort()
            self._tasks.discard(task)

    async def _connect(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Carry packets both ways until one side ends, or a trick ends both."""
        with contextlib.suppress(*_ABORTS):
            theirs, to_them = await asyncio.open_connection("127.0.0.1", self._upstream)
            try:
                ways = [
                    asyncio.create_task(self._carry_requests(reader, to_them)),
                    asyncio.create_task(self._carry_replies(theirs, writer, reader)),
                ]
                try:
                    await asyncio.wait(ways, return_when=asyncio.FIRST_COMPLETED)
                finally:
                    for way in ways:
                        way.cancel()
                    await asyncio.gather(*ways, return_exceptions=True)
            finally:
                to_them.transport.abort()

    async def _carry_requests(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while data := await reader.read(8192):
            if self._random.random() < _ON_REQUESTS:
                # The server takes one read for one packet, and closes when it gets less.
                self.tricks[Trick.SPLIT_REQUEST] += 1
                await _send(writer, data[:7])
                await asyncio.sleep(0.005)
                data = data[7:]
            await _send(writer, data)

    async def _carry_replies(
        self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, client: asyncio.StreamReader
    ) -> None:
        kept = b""
        fragment_of: int | None = None
        while True:
            packet = await _packet(reader)
            request = struct.unpack_from("<i", packet, 4)[0]
            whole = request != fragment_of and len(packet) - _HEADER - 2 < _FULL
            if len(packet) - _HEADER - 2 >= _FULL:
                fragment_of = request
            trick = self._draw(whole)
            if trick is Trick.JOIN:
                kept += packet
                continue
            await self._play(trick, kept, packet, writer)
            kept = b""

    def _draw(self, whole: bool) -> Trick | None:
        drawn = self._random.random()
        for trick, chance in self._replies.items():
            drawn -= chance
            if drawn < 0:
                # A packet can only be kept back for the next one where there is sure to be one.
                unfit = trick is Trick.JOIN if whole else trick is Trick.REPEAT
                if unfit:
                    return None
                self.tricks[trick] += 1
                return trick
        return None

    async def _play(self, trick: Trick | None, kept: bytes, packet: bytes, writer: asyncio.StreamWriter) -> None:
        data = kept + packet
        match trick:
            case Trick.DELAY:
                await asyncio.sleep(self._random.uniform(0.0, 0.03))
            case Trick.DRIP:
                for at in range(min(len(data), 20)):
                    await _send(writer, data[at : at + 1])
                    await asyncio.sleep(0.001)
                data = data[20:]
            case Trick.SPLIT:
                cut = self._random.randrange(1, len(data))
                await _send(writer, data[:cut])
                await asyncio.sleep(0.002)
                data = data[cut:]
            case Trick.CUT | Trick.CUT_AND_REFUSE:
                await _send(writer, data[: self._random.randrange(len(data))])
                await self._end(writer, refuse=trick is Trick.CUT_AND_REFUSE)
            case Trick.STALL:
                await _send(writer, data[: self._random.randrange(len(data))])
                await asyncio.Event().wait()  # the client's end ends this too
            case Trick.GARBAGE:
                data = kept + self._random.randbytes(self._random.randrange(1, 200)) + packet
            case Trick.SWAP_ID:
                (request,) = struct.unpack_from("<i", packet, 4)
                other = request + self._random.choice((-2, 1, 2, 1000))
                data = kept + packet[:4] + struct.pack("<i", other) + packet[8:]
            case Trick.REPEAT:
                data += packet
            case _:
                pass
        await _send(writer, data)

    async def _end(self, writer: asyncio.StreamWriter, *, refuse: bool) -> None:
        writer.close()
        if refuse and self._server is not None:
            self._server.close()
            reopening = asyncio.create_task(self._reopen())
            self._tasks.add(reopening)
            reopening.add_done_callback(self._tasks.discard)
        raise _Cut

    async def _reopen(self) -> None:
        await asyncio.sleep(0.03)
        await self._listen()


async def _packet(reader: asyncio.StreamReader) -> bytes:
    size = await reader.readexactly(4)
    return size + await reader.readexactly(struct.unpack("<i", size)[0])


async def _send(writer: asyncio.StreamWriter, data: bytes) -> None:
    writer.write(data)
    await writer.drain()
