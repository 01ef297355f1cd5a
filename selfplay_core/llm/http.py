"""HTTP to a model server: one client, every wait with a deadline, every fault of the wire named."""

from __future__ import annotations

import asyncio
import json
import ssl
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from functools import partial
from typing import Final

import httpx

from selfplay_core.errors import ModelServerError, ModelStalled, ModelUnreachable, SettingsError
from selfplay_core.llm.faults import Endpoint, Refusal, server_words
from selfplay_core.llm.stream import Deadlines, LineSplitter, stalled_at
from selfplay_core.text import clip, one_line

__all__ = ["Answered", "ModelHttp"]

_ERROR_BYTES: Final = 64 << 10
_ANSWER_BYTES: Final = 4 << 20
_AFTER_BYTES: Final = 64 << 10
_AFTER_SECONDS: Final = 0.2

# Below the keep-alive of usual servers (uvicorn's is 5 s), so that a connection is not taken up again in the
# moment in which the server closes it.
_IDLE_SECONDS: Final = 2.0


@dataclass(frozen=True, slots=True)
class Answered:
    """A whole HTTP answer, its body cut at 4 MiB."""

    status: int
    body: bytes


class ModelHttp:
    """One server, spoken to by any number of tasks at once.

    Environment variables are not read: a proxy in them would capture loopback, and .netrc would add secrets.
    Redirects are not followed. Dropping a request closes its connection, which stops the generation.
    """

    def __init__(
        self,
        endpoint: Endpoint,
        deadlines: Deadlines,
        *,
        headers: Mapping[str, str] | None = None,
        proxy: str | None = None,
        secret: str | None = None,
    ) -> None:
        self._endpoint = endpoint
        self._deadlines = deadlines
        self._secret = secret
        self._clients = _Clients(partial(_client, endpoint.url, deadlines, headers or {}, proxy))

    async def post_lines(self, path: str, body: Mapping[str, object], feed: Callable[[bytes], bool]) -> Refusal | None:
        """Post `body` as JSON and give every line of the reply to `feed`, until that returns True.

        Returns the refusal instead if the status is not 2xx. Raises ModelUnreachable, ModelStalled,
        ModelServerError, Unfinished for a line that never ends, and whatever `feed` raises.
        """
        with self._clients.one() as client:
            return await self._post_lines(client, path, json.dumps(body).encode(), feed)

    async def ask(
        self, method: str, path: str, body: Mapping[str, object] | None = None, *, root: str | None = None
    ) -> Answered:
        """Return a small answer of any status; raises ModelUnreachable if none comes in twice `connect`.

        `root` is an address of the same server for a path that is not below its base.
        """
        url = (self._endpoint.url if root is None else root) + path
        content = None if body is None else json.dumps(body).encode()
        answer = bytearray()
        seconds = 2 * self._deadlines.connect
        try:
            async with asyncio.timeout(seconds):
                with self._clients.one() as client:
                    async with client.stream(method, url, content=content) as response:
                        await _read_into(answer, response, _ANSWER_BYTES)
                        return Answered(response.status_code, bytes(answer))
        except (httpx.HTTPError, TimeoutError) as error:
            reason = _reason(error) or f"no answer to {path} within {seconds:g} s"
            raise ModelUnreachable(self._away(reason)) from error

    async def aclose(self) -> None:
        """Close every connection."""
        await self._clients.aclose()

    async def _post_lines(
        self, client: httpx.AsyncClient, path: str, body: bytes, feed: Callable[[bytes], bool]
    ) -> Refusal | None:
        started = asyncio.get_running_loop().time()
        first_due = started + self._deadlines.first_byte
        request = client.build_request("POST", self._endpoint.url + path, content=body)
        response: httpx.Response | None = None
        try:
            with self._wire_faults():
                async with stalled_at(started + self._deadlines.total, self._too_long()):
                    async with stalled_at(first_due, self._no_first_byte()):
                        response = await client.send(request, stream=True)
                    if not response.is_success:
                        return await self._refusal(response)
                    chunks = _Chunks(
                        response, first_due, self._deadlines.stall, self._no_first_byte(), self._went_silent()
                    )
                    ended = await _feed_lines(chunks, feed)
            if ended:
                await _drain(chunks)
            return None
        finally:
            if response is not None:
                await response.aclose()

    async def _refusal(self, response: httpx.Response) -> Refusal:
        body = bytearray()
        # The status has already said what matters: a body that stalls or breaks off only costs its words.
        with suppress(httpx.HTTPError, TimeoutError):
            async with asyncio.timeout(self._deadlines.connect):
                await _read_into(body, response, _ERROR_BYTES)
        words = server_words(bytes(body))
        return Refusal(
            url=str(response.request.url),
            status=response.status_code,
            words=words.replace(self._secret, "[secret]") if self._secret else words,
            location=response.headers.get("location", ""),
        )

    @contextmanager
    def _wire_faults(self) -> Iterator[None]:
        source = self._endpoint.source
        try:
            yield
        except (
            httpx.ConnectError,
            httpx.ConnectTimeout,
            httpx.ProxyError,
            httpx.UnsupportedProtocol,
        ) as error:
            raise ModelUnreachable(self._away(_reason(error))) from error
        except httpx.TimeoutException as error:
            raise ModelStalled(f"{source} stopped taking the request. Look into the server's log.") from error
        except httpx.HTTPError as error:
            raise ModelServerError(
                f"The connection to {source} broke within the reply ({_reason(error)}). "
                "Look into the server's log: it may have crashed or been restarted."
            ) from error

    def _away(self, reason: str) -> str:
        url = clip(self._endpoint.url, 60)
        return f"The model server at {url} cannot be reached ({reason or 'silence'}). {self._endpoint.start}"

    def _no_first_byte(self) -> str:
        return (
            f"{self._endpoint.source} sent nothing within {self._deadlines.first_byte:g} s of the request: "
            "it may be loading the model or serve others. Wait, or raise llm.first_byte_seconds."
        )

    def _went_silent(self) -> str:
        return (
            f"{self._endpoint.source} fell silent for {self._deadlines.stall:g} s within a reply. "
            "Look into the server's log, or raise llm.stall_seconds."
        )

    def _too_long(self) -> str:
        return (
            f"{self._endpoint.source} took longer than {self._deadlines.total:g} s for one reply. "
            "Lower the token limit, or raise llm.total_seconds."
        )


class _Clients:
    """As many clients as requests are under way at most, each with the one connection that it then needs.

    httpx looks through all connections of a client several times a request, and asks the system about those that
    are idle: with one client for all, a request would be the dearer the more slots there are.
    """

    def __init__(self, make: Callable[[], httpx.AsyncClient]) -> None:
        self._make = make
        self._idle = [make()]
        self._all = list(self._idle)

    @contextmanager
    def one(self) -> Iterator[httpx.AsyncClient]:
        """Have a client for the length of one request; the one that was used last, whose connection still stands."""
        client = self._idle.pop() if self._idle else self._one_more()
        try:
            yield client
        finally:
            self._idle.append(client)

    def _one_more(self) -> httpx.AsyncClient:
        client = self._make()
        self._all.append(client)
        return client

    async def aclose(self) -> None:
        """Close every connection."""
        for client in self._all:
            await client.aclose()


class _Chunks:
    """The body of a reply, chunk by chunk: the first is due at a time, each other so long after the last."""

    def __init__(self, response: httpx.Response, due: float, stall: float, none_came: str, went_silent: str) -> None:
        self._source = response.aiter_bytes()
        self._stall = stall
        self._due, self._text = due, none_came
        self._went_silent = went_silent

    async def next(self) -> bytes | None:
        """Return the next chunk, or None at the end; raises ModelStalled."""
        async with stalled_at(self._due, self._text):
            chunk = await anext(self._source, None)
        self._due, self._text = asyncio.get_running_loop().time() + self._stall, self._went_silent
        return chunk


def _client(url: str, deadlines: Deadlines, headers: Mapping[str, str], proxy: str | None) -> httpx.AsyncClient:
    try:
        return httpx.AsyncClient(
            headers={"Content-Type": "application/json", "Accept-Encoding": "identity", **headers},
            proxy=proxy,
            verify=_trust(url),
            trust_env=False,
            follow_redirects=False,
            # Reading has deadlines of its own: httpx counts from packet to packet, and no total.
            timeout=httpx.Timeout(None, connect=deadlines.connect),
            limits=httpx.Limits(max_connections=None, max_keepalive_connections=None, keepalive_expiry=_IDLE_SECONDS),
        )
    except (ValueError, ImportError, httpx.InvalidURL) as error:
        # The value itself stays out: a proxy's address often holds its password.
        raise SettingsError(
            "The setting llm.proxy is no proxy that can be used: write it as http://host:port."
        ) from error


def _trust(url: str) -> ssl.SSLContext | bool:
    # Loading the authorities takes tens of milliseconds, for nothing where no TLS is spoken.
    if not url.startswith("https:"):
        return False
    context = httpx.create_ssl_context(trust_env=False)
    context.load_default_certs()
    return context


async def _feed_lines(chunks: _Chunks, feed: Callable[[bytes], bool]) -> bool:
    splitter = LineSplitter()
    while (chunk := await chunks.next()) is not None:
        for line in splitter.feed(chunk):
            if line and feed(line):
                return True
    last = splitter.rest()
    return bool(last) and feed(last)


async def _drain(chunks: _Chunks) -> None:
    """Read the little that follows the end, so that the connection can serve the next request."""
    # The reply is whole by now: nothing that goes wrong here may cost it.
    with suppress(httpx.HTTPError, TimeoutError, ModelStalled):
        async with asyncio.timeout(_AFTER_SECONDS):
            length = 0
            while length < _AFTER_BYTES and (chunk := await chunks.next()) is not None:
                length += len(chunk)


async def _read_into(body: bytearray, response: httpx.Response, limit: int) -> None:
    async for chunk in response.aiter_bytes():
        body += chunk[: limit - len(body)]
        if len(body) >= limit:
            return


def _reason(error: Exception) -> str:
    return clip(one_line(str(error)), 80)
