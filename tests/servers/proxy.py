"""What the fault proxies share: a listener that can go away and come back, and who is struck when."""

from __future__ import annotations

import asyncio
import contextlib
import hashlib
import itertools
import socket
from abc import ABC, abstractmethod
from collections import Counter
from collections.abc import Awaitable, Callable, Iterable
from dataclasses import dataclass
from types import TracebackType
from typing import NoReturn, Self, TypeVar

__all__ = ["Cut", "FaultProxy", "Line", "Strikes", "any_of", "drip", "send"]

_Exchange = TypeVar("_Exchange")

_ABORTS = (ConnectionError, asyncio.IncompleteReadError, OSError)


class Cut(Exception):
    """Raised by a fault to end its connection."""


@dataclass(frozen=True, slots=True)
class Line:
    """A client's connection, and that to the server for it."""

    client: asyncio.StreamReader
    to_client: asyncio.StreamWriter
    server: asyncio.StreamReader
    to_server: asyncio.StreamWriter

    async def until_the_client_leaves(self) -> NoReturn:
        """Wait for it, and end the connection then."""
        while await self.client.read(8192):
            pass
        raise Cut


class Strikes:
    """Says whether the fault strikes, by what is asked and how often it was asked before: in any order the same.

    Of all that is asked a share of `chance` is struck at the first time, of these a share of `again` at the second
    as well, and so on up to `most` times.
    """

    def __init__(self, seed: int, *, chance: float, again: float, most: int) -> None:
        self._seed = seed
        self._chance = chance
        self._again = again
        self._most = most
        self._seen: Counter[bytes] = Counter()

    def hit(self, asked: bytes) -> bool:
        """Tell whether the fault strikes now."""
        self._seen[asked] += 1
        return self._seen[asked] <= self.wanted(asked)

    def wanted(self, asked: bytes) -> int:
        """Return how often in a row the fault strikes this."""
        digest = hashlib.blake2b(asked, key=str(self._seed).encode()).digest()
        drawn = [int.from_bytes(digest[at : at + 4], "big") / 2**32 for at in range(0, 4 * self._most, 4)]
        times = 0
        while times < self._most and drawn[times] < (self._again if times else self._chance):
            times += 1
        return times


class FaultProxy(ABC):
    """Passes requests on from 127.0.0.1 to a server's port, and strikes some of them once it is armed.

    `struck` counts the strikes. `come_back` ends what a fault has begun that lasts: a listener that is closed, a
    lock that has been changed. What fails in the proxy itself is raised on leaving.
    """

    def __init__(self, upstream: int, strikes: Strikes | None) -> None:
        self.port = 0
        self.struck = 0
        self.connections = 0
        self.armed = False
        self.astray = False
        self._upstream = upstream
        self._strikes = strikes
        self._accepting: asyncio.Task[None] | None = None
        self._refused: list[asyncio.Task[None]] = []
        self._served: dict[asyncio.Task[None], asyncio.StreamWriter] = {}
        self._errands: set[asyncio.Task[None]] = set()
        self._failures: list[BaseException] = []

    async def __aenter__(self) -> Self:
        await self._listen()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.refuse()
        while pending := [*self._served, *self._errands, *self._refused]:
            for task in pending:
                task.cancel()
            await asyncio.wait(pending)
            self._refused.clear()
            self.refuse()
        if self._failures:
            raise self._failures[0]

    def refuse(self) -> None:
        """Let nobody in until `come_back`."""
        if self._accepting is not None:
            self._accepting.cancel()
            self._refused.append(self._accepting)
            self._accepting = None

    def cut_all(self) -> None:
        """Cut every connection, in the middle of whatever it carries."""
        for writer in self._served.values():
            writer.transport.abort()

    def come_back(self) -> None:
        """Be a server in good order again."""
        self.astray = False
        if self._accepting is None:
            task = asyncio.create_task(self._listen())
            self._errands.add(task)
            task.add_done_callback(self._errands.discard)

    def hit(self, asked: bytes) -> bool:
        """Tell whether what is asked now is struck."""
        if not self.armed or self._strikes is None or not self._strikes.hit(asked):
            return False
        self.struck += 1
        return True

    @abstractmethod
    async def carry(self, line: Line) -> None:
        """Carry requests and replies until one side ends; may raise `Cut`."""

    async def _listen(self) -> None:
        # The listener is closed by the task that accepted, and the port is free only then.
        while self._refused:
            await asyncio.wait([self._refused.pop()])
        if self._accepting is None:
            listener = socket.create_server(("127.0.0.1", self.port), backlog=128)
            listener.setblocking(False)
            self.port = listener.getsockname()[1]
            self._accepting = asyncio.create_task(self._accept_all(listener))

    async def _accept_all(self, listener: socket.socket) -> None:
        # asyncio's own server loses connections that it has accepted when it is closed in that moment.
        with listener:
            while True:
                accepted, _ = await asyncio.get_running_loop().sock_accept(listener)
                try:
                    reader, writer = await asyncio.open_connection(sock=accepted, limit=2**20)
                except BaseException:
                    accepted.close()
                    raise
                self._accept(reader, writer)

    def _accept(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        # No coroutine of its own: a task that is cancelled before its first step could not close the connection.
        self.connections += 1
        task = asyncio.create_task(self._serve(reader, writer))
        self._served[task] = writer
        task.add_done_callback(self._served_out)

    def _served_out(self, task: asyncio.Task[None]) -> None:
        # What has been written goes out; what waits to be is lost.
        self._served.pop(task).close()
        if not task.cancelled() and (failure := task.exception()) is not None:
            self._failures.append(failure)

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with contextlib.suppress(Cut, *_ABORTS):
            server, to_server = await asyncio.open_connection("127.0.0.1", self._upstream, limit=2**20)
            try:
                await self.carry(Line(reader, writer, server, to_server))
            finally:
                to_server.transport.abort()


def any_of(faults: Iterable[Callable[[_Exchange], Awaitable[None]]]) -> Callable[[_Exchange], Awaitable[None]]:
    """Return a fault that is one of these in turn."""
    turn = itertools.cycle(faults)

    async def play(exchange: _Exchange) -> None:
        await next(turn)(exchange)

    return play


async def send(writer: asyncio.StreamWriter, data: bytes) -> None:
    """Write and let it go out."""
    writer.write(data)
    await writer.drain()


async def drip(writer: asyncio.StreamWriter, data: bytes, pieces: int = 40) -> None:
    """Write in pieces, each a packet of its own: the first ones are of a single byte."""
    for at in range(min(pieces, len(data))):
        await send(writer, data[at : at + 1])
        await asyncio.sleep(0)
    await send(writer, data[pieces:])
