"""A strict imitation of a vanilla server's RCON, with faults on demand."""

from __future__ import annotations

import asyncio
import contextlib
import ssl
import struct
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from enum import Enum, auto
from types import TracebackType
from typing import Self

__all__ = ["RconFault", "StrictRconServer"]

_READ = 1460
_HEADER = 12
_FRAGMENT = 4096
_REPLY, _COMMAND, _LOGIN = 0, 2, 3


class RconFault(Enum):
    """What to do instead of answering; those that only wait or split still answer truly."""

    CLOSE = auto()
    CLOSE_MID_PACKET = auto()
    STALL = auto()
    DRIP = auto()
    DELAY = auto()
    SPLIT = auto()
    WRONG_ID = auto()
    WRONG_TYPE = auto()
    GARBAGE = auto()
    BAD_PADDING = auto()
    OVERSIZE = auto()
    UNDERSIZE = auto()
    NEGATIVE_SIZE = auto()
    BAD_UTF8 = auto()
    REFUSE_LOGIN = auto()
    FLIP_AUTH = auto()
    EMPTY_REPLY_FIRST = auto()
    REPLY_TWICE = auto()


@dataclass(slots=True)
class _Session:
    reader: asyncio.StreamReader
    writer: asyncio.StreamWriter
    logged_in: bool = False


class StrictRconServer:
    """Answers one read of at most 1460 bytes as one packet and closes on anything else, as vanilla does.

    `faults` says what happens to a command, by its text (every time) or by its number counted from 1 over
    the server's life; `login_fault` what happens to every login. DELAY, DRIP and SPLIT pause for `pace`
    seconds. FLIP_AUTH treats a logged-in connection as a stranger's.
    """

    def __init__(
        self,
        handler: Callable[[str], str] = lambda command: f"did {command}",
        *,
        password: str = "hunter2",
        host: str = "127.0.0.1",
        port: int = 0,
        tls: ssl.SSLContext | None = None,
        cut_at_bytes: bool = False,
    ) -> None:
        self.handler = handler
        self.password = password
        self.host = host
        self.port = port
        self.faults: dict[str | int, RconFault] = {}
        self.login_fault: RconFault | None = None
        self.pace = 0.05
        self.commands: list[str] = []
        self.connections = 0
        self.logins = 0
        self.probes = 0
        self._tls = tls
        self._fragments = _byte_fragments if cut_at_bytes else _unit_fragments
        self._server: asyncio.Server | None = None
        self._sessions: dict[asyncio.Task[None], _Session] = {}
        self._stopping = asyncio.Event()
        self._news = asyncio.Condition()

    async def __aenter__(self) -> Self:
        await self.start()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.stop()

    async def start(self) -> None:
        """Listen; after `stop` on the same port as before."""
        self._stopping.clear()
        self._server = await asyncio.start_server(self._serve, self.host, self.port, ssl=self._tls)
        self.port = self._server.sockets[0].getsockname()[1]

    async def stop(self) -> None:
        """Stop listening and cut every connection."""
        self._stopping.set()
        if self._server is not None:
            self._server.close()
        for session in self._sessions.values():
            session.writer.transport.abort()
        await self.idle()
        if self._server is not None:
            await self._server.wait_closed()

    async def idle(self) -> None:
        """Wait until no client is connected and every socket is closed."""
        while self._sessions:
            await asyncio.wait(self._sessions)

    async def until(self, condition: Callable[[], bool]) -> None:
        """Wait until `condition` holds; it is looked at after each login and command that arrives."""
        async with self._news:
            await self._news.wait_for(condition)

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.connections += 1
        task = asyncio.current_task()
        assert task is not None
        session = self._sessions[task] = _Session(reader, writer)
        try:
            with contextlib.suppress(ConnectionError, ssl.SSLError):
                while await self._take(session, await reader.read(8192)):
                    await writer.drain()
        finally:
            writer.close()
            with contextlib.suppress(ConnectionError, ssl.SSLError):
                await writer.wait_closed()
            del self._sessions[task]

    async def _take(self, session: _Session, read: bytes) -> bool:
        """Handle what one read brought; False ends the connection."""
        packet = read[:_READ]  # what else the read held is lost, as with vanilla's fresh buffer
        if len(packet) < 10 or struct.unpack_from("<i", packet)[0] != len(packet) - 4:
            return False
        request, kind = struct.unpack_from("<ii", packet, 4)
        body = packet[_HEADER:].split(b"\0")[0].decode("utf-8", "replace")
        if kind == _LOGIN:
            return await self._log_in(session, request, body)
        if kind == _COMMAND:
            return await self._run(session, request, body)
        self.probes += 1
        return await self._send(session, _packet(request, _REPLY, f"Unknown request {kind:x}".encode()))

    async def _log_in(self, session: _Session, request: int, password: str) -> bool:
        refused = self.login_fault is RconFault.REFUSE_LOGIN
        session.logged_in = password == self.password and not refused
        self.logins += session.logged_in
        await self._tell()
        answer = _packet(request if session.logged_in else -1, _COMMAND, b"")
        return await self._answer(session, request, [answer], self.login_fault)

    async def _run(self, session: _Session, request: int, command: str) -> bool:
        stranger = _packet(-1, _COMMAND, b"")
        if not session.logged_in:
            return await self._send(session, stranger)
        self.commands.append(command)
        await self._tell()
        fault = self.faults.get(len(self.commands), self.faults.get(command))
        if fault is RconFault.FLIP_AUTH:
            return await self._send(session, stranger)
        fragments = self._fragments(self.handler(command))
        return await self._answer(session, request, [_packet(request, _REPLY, f) for f in fragments], fault)

    async def _answer(self, session: _Session, request: int, packets: list[bytes], fault: RconFault | None) -> bool:
        whole = b"".join(packets)
        match fault:
            case None | RconFault.REFUSE_LOGIN:
                for packet in packets:
                    await self._send(session, packet)
                return True
            case RconFault.CLOSE:
                return False
            case RconFault.CLOSE_MID_PACKET:
                await self._send(session, whole[:-3])
                return False
            case RconFault.STALL:
                await session.reader.read()
                return False
            case RconFault.DELAY:
                await self._pause()
                return await self._send(session, whole)
            case RconFault.DRIP | RconFault.SPLIT:
                step = 1 if fault is RconFault.DRIP else len(whole) // 3 + 1
                for start in range(0, len(whole), step):
                    await self._send(session, whole[start : start + step])
                    await self._pause()
                return True
            case _:
                return await self._send(session, _spoilt(fault, request, whole))

    async def _send(self, session: _Session, data: bytes) -> bool:
        session.writer.write(data)
        await session.writer.drain()
        return True

    async def _tell(self) -> None:
        async with self._news:
            self._news.notify_all()

    async def _pause(self) -> None:
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(self._stopping.wait(), self.pace)


def _packet(request: int, kind: int, body: bytes) -> bytes:
    return struct.pack("<iii", len(body) + 10, request, kind) + body + b"\0\0"


def _spoilt(fault: RconFault, request: int, whole: bytes) -> bytes:
    match fault:
        case RconFault.WRONG_ID:
            return whole[:4] + struct.pack("<i", request + 1000) + whole[8:]
        case RconFault.WRONG_TYPE:
            return whole[:8] + struct.pack("<i", 7) + whole[12:]
        case RconFault.GARBAGE:
            return bytes(range(255, 127, -1)) * 8
        case RconFault.BAD_PADDING:
            return whole[:-2] + b"xx"
        case RconFault.OVERSIZE:
            return struct.pack("<i", 0x7FFFFFFF) + whole[4:]
        case RconFault.UNDERSIZE:
            return struct.pack("<i", 9) + whole[4:]
        case RconFault.NEGATIVE_SIZE:
            return struct.pack("<i", -14) + whole[4:]
        case RconFault.BAD_UTF8:
            return _packet(request, _REPLY, b"caf\xe9")
        case RconFault.EMPTY_REPLY_FIRST:
            return _packet(request, _REPLY, b"") + whole
        case RconFault.REPLY_TWICE:
            return whole * 2
        case _:
            raise ValueError(f"{fault} does not apply here")


def _unit_fragments(text: str) -> Iterator[bytes]:
    """Cut every 4096 UTF-16 units and encode each piece by itself: a pair cut in two becomes two `?`."""
    units = text.encode("utf-16-le", "surrogatepass")
    for start in range(0, max(len(units), 1), 2 * _FRAGMENT):
        piece = units[start : start + 2 * _FRAGMENT].decode("utf-16-le", "surrogatepass")
        yield piece.encode("utf-8", "replace")


def _byte_fragments(text: str) -> Iterator[bytes]:
    data = text.encode("utf-8")
    for start in range(0, max(len(data), 1), _FRAGMENT):
        yield data[start : start + _FRAGMENT]
