"""A proxy before a model's HTTP server, and what it does to the chat that it strikes: each fault a function."""

from __future__ import annotations

import asyncio
import json
import re
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from types import MappingProxyType

import orjson

from tests.servers.proxy import Cut, FaultProxy, Line, Strikes, drip, send

__all__ = ["HTTP_FAULTS", "HttpExchange", "HttpFault", "HttpProxy"]

_REASONS = {200: "OK", 401: "Unauthorized", 404: "Not Found", 500: "Internal Server Error", 503: "Service Unavailable"}
_MEGABYTE = 2**20


class HttpExchange:
    """A chat on its way to the server."""

    def __init__(self, proxy: HttpProxy, line: Line, request: bytes) -> None:
        self.proxy = proxy
        self.line = line
        self.request = request

    async def reply(self) -> bytes:
        """Have the server answer, and return the lines of its answer, which must be in chunks."""
        await send(self.line.to_server, self.request)
        await self.line.server.readuntil(b"\r\n\r\n")
        body = bytearray()
        async for chunk in _chunks(self.line.server):
            body += chunk
        return bytes(body)

    async def begin(self, status: int = 200) -> None:
        """Send the head of an answer in chunks."""
        head = f"HTTP/1.1 {status} {_REASONS[status]}\r\nContent-Type: application/x-ndjson\r\n"
        await self.write(f"{head}Transfer-Encoding: chunked\r\n\r\n".encode())

    async def chunk(self, data: bytes) -> None:
        """Send one chunk of the answer."""
        await self.write(b"%x\r\n%b\r\n" % (len(data), data))

    async def end(self) -> None:
        """End the answer in good order."""
        await self.write(b"0\r\n\r\n")

    async def whole(self, data: bytes, status: int = 200) -> None:
        """Send a whole answer."""
        await self.begin(status)
        await self.chunk(data)
        await self.end()

    async def write(self, data: bytes) -> None:
        """Send bytes to the client."""
        await send(self.line.to_client, data)


HttpFault = Callable[[HttpExchange], Awaitable[None]]
"""Does something else than passing request and answer on; may raise `Cut`."""


class HttpProxy(FaultProxy):
    """Passes requests on, one after another on a connection; strikes are drawn by what a chat says.

    While it is astray every chat is answered by `astray_answer`, a status and a body.
    """

    def __init__(self, upstream: int, fault: HttpFault | None = None, strikes: Strikes | None = None) -> None:
        super().__init__(upstream, strikes)
        self.astray_answer = (500, b"")
        self._fault = fault

    @property
    def url(self) -> str:
        """The address of the model's server, as a client is told it."""
        return f"http://127.0.0.1:{self.port}"

    async def carry(self, line: Line) -> None:
        """Carry one request after the other."""
        while True:
            head = await line.client.readuntil(b"\r\n\r\n")
            body = await line.client.readexactly(_length(head))
            is_chat = head.startswith(b"POST /api/chat ")
            exchange = HttpExchange(self, line, head + body)
            if is_chat and self.astray:
                status, said = self.astray_answer
                await exchange.whole(said, status)
            elif is_chat and self._fault is not None and self.hit(_conversation(body)):
                await self._fault(exchange)
            elif is_chat:
                await exchange.whole(await exchange.reply())
            else:
                await send(line.to_server, exchange.request)
                await _pass_answer_on(line)


async def delay(exchange: HttpExchange) -> None:
    """Answer late."""
    await asyncio.sleep(0.005)
    await exchange.whole(await exchange.reply())


async def slow_drip(exchange: HttpExchange) -> None:
    """Answer byte by byte."""
    body = await exchange.reply()
    await exchange.begin()
    await drip(exchange.line.to_client, b"%x\r\n%b\r\n0\r\n\r\n" % (len(body), body))


async def stall(exchange: HttpExchange) -> None:
    """Never answer."""
    await exchange.line.until_the_client_leaves()


async def stall_mid_line(exchange: HttpExchange) -> None:
    """Begin to answer, and never go on."""
    body = await exchange.reply()
    await exchange.begin()
    await exchange.chunk(body[: len(body) // 2])
    await exchange.line.until_the_client_leaves()


async def cut_before(exchange: HttpExchange) -> None:
    """Close before a byte of the answer."""
    raise Cut


async def cut_mid_line(exchange: HttpExchange) -> None:
    """Close in the middle of a line."""
    body = await exchange.reply()
    await exchange.begin()
    await exchange.chunk(body[: len(body) // 2])
    raise Cut


async def cut_before_done(exchange: HttpExchange) -> None:
    """Close when all has been said, but for the line that says so."""
    await exchange.begin()
    await exchange.chunk(_without_end(await exchange.reply()))
    raise Cut


async def garbage(exchange: HttpExchange) -> None:
    """Answer with bytes that are not HTTP."""
    await exchange.write(bytes(range(255, 127, -1)) * 8)
    raise Cut


async def garbage_line(exchange: HttpExchange) -> None:
    """Put a line that is not JSON into the answer."""
    first, _, rest = (await exchange.reply()).partition(b"\n")
    await exchange.whole(first + b"\n\xff\xfe<html>\n" + rest)


async def reordered(exchange: HttpExchange) -> None:
    """Let the last line come first."""
    lines = (await exchange.reply()).splitlines(keepends=True)
    await exchange.whole(b"".join([lines[-1], *lines[:-1]]))


async def error_line(exchange: HttpExchange) -> None:
    """Break off with an error, after HTTP has said 200."""
    first, _, _ = (await exchange.reply()).partition(b"\n")
    await exchange.whole(first + b'\n{"error":"llama runner process has terminated"}\n')


async def no_done(exchange: HttpExchange) -> None:
    """End in good order, but without the line that says so."""
    await exchange.whole(_without_end(await exchange.reply()))


async def endless_whitespace(exchange: HttpExchange) -> None:
    """Say blanks for ever, as a model does that was told to write JSON."""
    said = json.dumps({"message": {"role": "assistant", "content": " \n" * 20_000}, "done": False}).encode() + b"\n"
    await exchange.begin()
    while True:
        await exchange.chunk(said)


async def endless_newlines(exchange: HttpExchange) -> None:
    """Send line breaks for ever, faster than any deadline between two bytes."""
    await exchange.begin()
    while True:
        await exchange.chunk(b"\n" * 512)
        await asyncio.sleep(0.01)


async def huge_line(exchange: HttpExchange) -> None:
    """Answer with ten megabytes in one line."""
    await exchange.whole(json.dumps({"message": {"content": "x" * 10 * _MEGABYTE}, "done": False}).encode())


async def huge_reply(exchange: HttpExchange) -> None:
    """Answer with ten megabytes in small lines, and in good order."""
    lines = (await exchange.reply()).splitlines(keepends=True)
    said = json.dumps({"message": {"content": "x" * 1_000}, "done": False}).encode() + b"\n"
    await exchange.whole(b"".join([said * (10 * _MEGABYTE // 1_000), *lines]))


async def huge_error(exchange: HttpExchange) -> None:
    """Fail with ten megabytes of reasons."""
    await exchange.whole(b"x" * 10 * _MEGABYTE, 500)


async def server_error(exchange: HttpExchange) -> None:
    """Fail with HTTP 500."""
    await exchange.whole(b'{"error":"unexpected EOF"}', 500)


async def busy(exchange: HttpExchange) -> None:
    """Turn the request away with HTTP 503."""
    await exchange.whole(b'{"error":"server busy, please try again.  maximum pending requests exceeded"}', 503)


async def model_gone(exchange: HttpExchange) -> None:
    """Do not know the model any more, for a while."""
    await _astray(exchange, 404, b'{"error":"model \'theirs\' not found"}')


async def path_gone(exchange: HttpExchange) -> None:
    """Do not know the path any more, for a while, as another program at the same address."""
    await _astray(exchange, 404, b"404 page not found")


async def key_refused(exchange: HttpExchange) -> None:
    """Let nobody in with HTTP 401, for a while."""
    await _astray(exchange, 401, b'{"error":"unauthorized"}')


async def restart(exchange: HttpExchange) -> None:
    """Cut every connection in the middle of its answer, and let nobody in for a while."""
    exchange.proxy.refuse()
    exchange.proxy.cut_all()
    raise Cut


async def refused(exchange: HttpExchange) -> None:
    """Answer, then close every connection; let nobody in for a while."""
    exchange.proxy.refuse()
    await exchange.whole(await exchange.reply())
    exchange.proxy.cut_all()
    raise Cut


HTTP_FAULTS: Mapping[str, HttpFault] = MappingProxyType(
    {
        fault.__name__: fault
        for fault in (
            delay,
            slow_drip,
            stall,
            stall_mid_line,
            cut_before,
            cut_mid_line,
            cut_before_done,
            garbage,
            garbage_line,
            reordered,
            error_line,
            no_done,
            endless_whitespace,
            endless_newlines,
            huge_line,
            huge_reply,
            huge_error,
            server_error,
            busy,
            model_gone,
            path_gone,
            key_refused,
            restart,
            refused,
        )
    }
)
"""Every fault by its name."""


async def _astray(exchange: HttpExchange, status: int, body: bytes) -> None:
    exchange.proxy.astray = True
    exchange.proxy.astray_answer = (status, body)
    await exchange.whole(body, status)


async def _pass_answer_on(line: Line) -> None:
    head = await line.server.readuntil(b"\r\n\r\n")
    await send(line.to_client, head)
    if b"transfer-encoding: chunked" not in head.lower():
        await send(line.to_client, await line.server.readexactly(_length(head)))
        return
    async for chunk in _chunks(line.server):
        await send(line.to_client, b"%x\r\n%b\r\n" % (len(chunk), chunk))
    await send(line.to_client, b"0\r\n\r\n")


async def _chunks(reader: asyncio.StreamReader) -> AsyncIterator[bytes]:
    while size := int(await reader.readuntil(b"\r\n"), 16):
        yield await reader.readexactly(size)
        await reader.readexactly(2)
    await reader.readuntil(b"\r\n")


def _conversation(body: bytes) -> bytes:
    return orjson.dumps(orjson.loads(body)["messages"])


def _length(head: bytes) -> int:
    found = re.search(rb"\r\ncontent-length: *(\d+)", head, re.IGNORECASE)
    return int(found[1]) if found else 0


def _without_end(body: bytes) -> bytes:
    return b"".join(body.splitlines(keepends=True)[:-1])
