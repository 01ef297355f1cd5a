"""A model server on a real socket, Ollama-shaped and OpenAI-shaped, whose every reply is scripted."""

from __future__ import annotations

import asyncio
import json
import socket
import threading
from collections.abc import Awaitable, Callable, Iterable, MutableMapping
from dataclasses import dataclass
from types import TracebackType
from typing import Any

import uvicorn

__all__ = [
    "CUT",
    "HOLD",
    "FakeOllama",
    "Reply",
    "Request",
    "Script",
    "Step",
    "Wait",
    "event",
    "fail",
    "lines",
    "say",
    "say_events",
]

_Scope = MutableMapping[str, Any]
_Receive = Callable[[], Awaitable[MutableMapping[str, Any]]]
_Send = Callable[[MutableMapping[str, Any]], Awaitable[None]]


@dataclass(frozen=True, slots=True)
class Wait:
    """A pause within a reply: the latency that is being played."""

    seconds: float


class _Hold:
    """Say nothing more until the client leaves."""


class _Cut:
    """Close the connection here, without ending the reply."""


HOLD = _Hold()
CUT = _Cut()
Step = bytes | Wait | _Hold | _Cut


@dataclass(frozen=True, slots=True)
class Reply:
    """An HTTP reply: its status and headers go out with the first bytes, then step follows step."""

    steps: Iterable[Step]
    status: int = 200
    content_type: str = "application/x-ndjson"
    headers: tuple[tuple[str, str], ...] = ()


@dataclass(frozen=True, slots=True)
class Request:
    """What a client asked; `headers` have lower-case names."""

    method: str
    path: str
    body: dict[str, Any]
    headers: dict[str, str]


Script = Callable[[dict[str, Any]], Reply]
"""Decides on the reply to one chat request from its body; called in the server's thread."""


def lines(*chunks: dict[str, Any]) -> Reply:
    """Return a reply of one JSON object a line."""
    return Reply(tuple(json.dumps(chunk, ensure_ascii=False).encode() + b"\n" for chunk in chunks))


def say(content: str, *, thinking: str = "", done_reason: str = "stop", seconds: float = 0.0) -> Reply:
    """Return Ollama's reply with `content` in two chunks, after `seconds`."""
    half = len(content) // 2
    told = lines(
        {"message": {"role": "assistant", "content": "", "thinking": thinking}, "done": False},
        {"message": {"role": "assistant", "content": content[:half]}, "done": False},
        {"message": {"role": "assistant", "content": content[half:]}, "done": False},
        {
            "message": {"role": "assistant", "content": ""},
            "done": True,
            "done_reason": done_reason,
            "prompt_eval_count": 11,
            "eval_count": 7,
        },
    )
    return Reply((Wait(seconds), *told.steps))


def event(data: dict[str, Any] | str) -> bytes:
    """Return one server-sent event."""
    text = data if isinstance(data, str) else json.dumps(data, ensure_ascii=False)
    return f"data: {text}\n\n".encode()


def say_events(content: str, *, thinking: str = "", finish_reason: str = "stop", key: str = "reasoning") -> Reply:
    """Return the OpenAI-shaped reply with `content`, its thinking under `key`, and its usage at the end."""
    half = len(content) // 2
    deltas = ({key: thinking}, {"content": content[:half]}, {"content": content[half:]})
    return Reply(
        (
            *(event({"choices": [{"index": 0, "delta": d, "finish_reason": None}]}) for d in deltas),
            event({"choices": [{"index": 0, "delta": {}, "finish_reason": finish_reason}]}),
            event({"choices": [], "usage": {"prompt_tokens": 11, "completion_tokens": 7}}),
            event("[DONE]"),
        ),
        content_type="text/event-stream",
    )


def fail(status: int, body: object, *, headers: tuple[tuple[str, str], ...] = ()) -> Reply:
    """Return an HTTP error whose body is `body` as JSON, or verbatim if it is bytes."""
    raw = body if isinstance(body, bytes) else json.dumps(body).encode()
    return Reply((raw,), status=status, content_type="application/json", headers=headers)


_USUAL: dict[str, object] = {
    "/api/version": {"version": "0.0.0-fake"},
    "/api/show": {"capabilities": ["completion"]},
    "/api/tags": {"models": []},
    "/v1/models": {"object": "list", "data": []},
}


class FakeOllama:
    """Serves on a free port of 127.0.0.1 from entering to leaving the context.

    Chat requests (/api/chat, …/chat/completions) are answered by `script`, other paths by `routes`, which
    replace or add to the usual ones. `left` is set once a client has gone away within a reply. What a script
    raises is raised on leaving.
    """

    def __init__(self, script: Script, *, routes: dict[str, Reply] | None = None) -> None:
        self.script = script
        self.routes = {path: fail(200, body) for path, body in _USUAL.items()} | (routes or {})
        self.requests: list[Request] = []
        self.left = threading.Event()
        self.connections: set[tuple[str, int]] = set()
        self.most_at_once = 0
        self._at_once = 0
        self._failed: Exception | None = None
        # asyncio switches Nagle's algorithm off only where the protocol is named; with it every reply is 40 ms late.
        self._socket = socket.socket(socket.AF_INET, socket.SOCK_STREAM, socket.IPPROTO_TCP)
        self._socket.bind(("127.0.0.1", 0))
        self._socket.listen(256)
        self.port: int = self._socket.getsockname()[1]
        self.url = f"http://127.0.0.1:{self.port}"
        self._server = _Server(self._serve)
        self._thread = threading.Thread(target=self._server.run, args=([self._socket],), name="fake-ollama")

    def __enter__(self) -> FakeOllama:
        self._thread.start()
        if not self._server.ready.wait(10):
            raise RuntimeError("the fake model server did not start")
        return self

    def __exit__(
        self, kind: type[BaseException] | None, value: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._server.leave()
        self._thread.join(10)
        if self._failed is not None:
            raise RuntimeError("the script of the fake model server failed") from self._failed

    @property
    def chats(self) -> list[dict[str, Any]]:
        """The bodies of the chat requests so far, in order."""
        return [request.body for request in self.requests if _is_chat(request.path)]

    async def _serve(self, scope: _Scope, receive: _Receive, send: _Send) -> None:
        request = await _read(scope, receive)
        if request is None:
            return
        self.requests.append(request)
        self.connections.add(tuple(scope["client"]))
        self._at_once += 1
        self.most_at_once = max(self.most_at_once, self._at_once)
        gone = asyncio.create_task(_gone(receive))
        try:
            await self._play(self._reply_to(request), scope, send, gone)
        except Exception as error:
            # uvicorn would only log it, and the client would blame the script's reply.
            self._failed = error
            raise
        finally:
            self._at_once -= 1
            gone.cancel()

    def _reply_to(self, request: Request) -> Reply:
        if _is_chat(request.path):
            return self.script(request.body)
        return self.routes.get(request.path) or fail(404, b"404 page not found")

    async def _play(self, reply: Reply, scope: _Scope, send: _Send, gone: asyncio.Task[None]) -> None:
        started = False
        for step in reply.steps:
            match step:
                case bytes():
                    if not started:
                        await send(_head(reply))
                        started = True
                    await send({"type": "http.response.body", "body": step, "more_body": True})
                    await asyncio.sleep(0)
                case Wait(seconds):
                    await asyncio.wait({gone}, timeout=seconds)
                case _Hold():
                    await gone
                case _Cut():
                    self._server.close_connection(scope["client"])
                    return
            if gone.done():
                self.left.set()
                return
        if not started:
            await send(_head(reply))
        await send({"type": "http.response.body", "body": b"", "more_body": False})


class _Server(uvicorn.Server):
    """uvicorn in a thread: installs no signal handlers there, says when it is ready, and leaves at once."""

    def __init__(self, app: Callable[[_Scope, _Receive, _Send], Awaitable[None]]) -> None:
        config = uvicorn.Config(
            app,
            interface="asgi3",
            lifespan="off",
            ws="none",
            http="h11",
            loop="asyncio",
            log_config=None,
            log_level="critical",
        )
        super().__init__(config)
        self.ready = threading.Event()
        self._loop: asyncio.AbstractEventLoop | None = None
        self._leaving = asyncio.Event()

    def leave(self) -> None:
        """Stop serving; callable from another thread."""
        if self._loop is not None:
            self._loop.call_soon_threadsafe(self._leaving.set)

    def close_connection(self, client: object) -> None:
        """Close the connection of `client` after what was written has gone out."""
        for connection in self.server_state.connections:
            if getattr(connection, "client", None) == client:
                connection.transport.close()

    async def main_loop(self) -> None:
        self._loop = asyncio.get_running_loop()
        self.ready.set()
        await self._leaving.wait()

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        for server in self.servers:
            server.close()
        for connection in list(self.server_state.connections):
            connection.transport.abort()
        if tasks := self.server_state.tasks:
            await asyncio.wait(tasks, timeout=5)


def _is_chat(path: str) -> bool:
    return path.endswith(("/api/chat", "/chat/completions"))


def _head(reply: Reply) -> dict[str, Any]:
    headers = [("content-type", reply.content_type), *reply.headers]
    return {
        "type": "http.response.start",
        "status": reply.status,
        "headers": [(name.encode(), value.encode()) for name, value in headers],
    }


async def _read(scope: _Scope, receive: _Receive) -> Request | None:
    """Return the request, or None from a client that left before it had said it all."""
    body = bytearray()
    while True:
        message = await receive()
        if message["type"] == "http.disconnect":
            return None
        body += message.get("body", b"")
        if not message.get("more_body"):
            break
    headers = {name.decode(): value.decode() for name, value in scope["headers"]}
    return Request(scope["method"], scope["path"], json.loads(body) if body else {}, headers)


async def _gone(receive: _Receive) -> None:
    while (await receive())["type"] != "http.disconnect":
        pass
