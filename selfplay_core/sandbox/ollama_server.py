"""An Ollama-shaped server in front of the scripted model: a bare ASGI application.

Shapes of requests and replies are those of Ollama's API as of 0.32: NDJSON while streaming, `done` and its
counts in the last line, thinking in `message.thinking`, errors as `{"error": text}`.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Iterator, MutableMapping
from datetime import UTC, datetime
from time import perf_counter_ns
from typing import Any, TypeVar

import msgspec
import orjson

from selfplay_core.sandbox.script.model import MODEL, MODELS, ModelReply, ModelRequest, ScriptedModel, Turn
from selfplay_core.sandbox.script.scenarios import digest

__all__ = ["OllamaApp"]

_Scope = MutableMapping[str, Any]
_Receive = Callable[[], Awaitable[MutableMapping[str, Any]]]
_Send = Callable[[MutableMapping[str, Any]], Awaitable[None]]

_Decoded = TypeVar("_Decoded")

_VERSION = "0.32.0"
_BODY_LIMIT = 8 * 2**20
_CHUNK = 24
_CONTEXT = 32768
_DETAILS = {
    "parent_model": "",
    "format": "script",
    "family": "sandbox",
    "families": ["sandbox"],
    "parameter_size": "0B",
    "quantization_level": "none",
}
_CAPABILITIES = ["completion", "thinking"]


class _Message(msgspec.Struct):
    role: str
    content: str = ""


class _Options(msgspec.Struct):
    seed: int = 0
    temperature: float = 0.8
    num_predict: int = -1


class _Chat(msgspec.Struct):
    model: str
    messages: tuple[_Message, ...] = ()
    stream: bool = True
    format: msgspec.Raw = msgspec.field(default_factory=msgspec.Raw)
    think: bool | str | None = None
    options: _Options = msgspec.field(default_factory=_Options)


class _Show(msgspec.Struct):
    model: str = ""
    name: str = ""


class _Error(Exception):
    """Raised to answer with an HTTP status and Ollama's error object."""

    def __init__(self, status: int, text: str) -> None:
        super().__init__(text)
        self.status = status


class OllamaApp:
    """The ASGI application; `latency` seconds pass before the first byte of every chat."""

    def __init__(self, players: tuple[str, ...], *, latency: float = 0.0) -> None:
        self._model = ScriptedModel(players)
        self._latency = latency

    async def __call__(self, scope: _Scope, receive: _Receive, send: _Send) -> None:
        """Serve one HTTP request."""
        if scope["type"] != "http":
            return
        try:
            await self._route(scope, receive, send)
        except _Error as error:
            await _send_json(send, {"error": str(error)}, error.status)

    async def _route(self, scope: _Scope, receive: _Receive, send: _Send) -> None:
        match scope["method"], scope["path"]:
            case "GET" | "HEAD", "/":
                await _send_bytes(send, b"Ollama is running", 200, b"text/plain; charset=utf-8")
            case "GET", "/api/version":
                await _send_json(send, {"version": _VERSION})
            case "GET", "/api/tags":
                await _send_json(send, {"models": [_listed(name) for name in MODELS]})
            case "GET", "/api/ps":
                await _send_json(send, {"models": [{**_listed(MODEL), "size_vram": 0, "context_length": _CONTEXT}]})
            case "POST", "/api/show":
                show = _decoded(await _body(receive), _Show)
                _known_model(show.model or show.name)
                await _send_json(send, _shown())
            case "POST", "/api/chat":
                await self._chat(_decoded(await _body(receive), _Chat), send)
            case _:
                await _send_bytes(send, b"404 page not found", 404, b"text/plain")

    async def _chat(self, chat: _Chat, send: _Send) -> None:
        model = _known_model(chat.model)
        properties = _properties(chat.format)
        started = perf_counter_ns()
        if self._latency > 0:
            await asyncio.sleep(self._latency)
        if not chat.messages:
            await _send_json(send, _line(model, {"role": "assistant", "content": ""}, done_reason="load"))
            return
        reply = self._model.reply(
            ModelRequest(
                turns=tuple(Turn(message.role, message.content) for message in chat.messages),
                properties=properties,
                seed=chat.options.seed,
                temperature=chat.options.temperature,
                think=chat.think not in (None, False),
                max_tokens=chat.options.num_predict,
                model=model,
            )
        )
        ending = _ending(reply, perf_counter_ns() - started)
        if chat.stream:
            await _stream(send, model, reply, ending)
            return
        message = {"role": "assistant", "content": reply.content}
        if reply.thinking:
            message["thinking"] = reply.thinking
        await _send_json(send, {**_line(model, message), **ending})


async def _stream(send: _Send, model: str, reply: ModelReply, ending: dict[str, Any]) -> None:
    await _start(send, 200, b"application/x-ndjson")
    for key, piece in _pieces(reply):
        message = {"role": "assistant", "content": "", key: piece}
        line = orjson.dumps(_line(model, message)) + b"\n"
        await send({"type": "http.response.body", "body": line, "more_body": True})
    last = orjson.dumps({**_line(model, {"role": "assistant", "content": ""}), **ending}) + b"\n"
    await send({"type": "http.response.body", "body": last, "more_body": False})


def _pieces(reply: ModelReply) -> Iterator[tuple[str, str]]:
    for key, text in (("thinking", reply.thinking), ("content", reply.content)):
        for start in range(0, len(text), _CHUNK):
            yield key, text[start : start + _CHUNK]


def _line(model: str, message: dict[str, str], done_reason: str | None = None) -> dict[str, Any]:
    line: dict[str, Any] = {"model": model, "created_at": _now(), "message": message, "done": False}
    return line if done_reason is None else {**line, "done": True, "done_reason": done_reason}


def _ending(reply: ModelReply, nanoseconds: int) -> dict[str, Any]:
    return {
        "done": True,
        "done_reason": "length" if reply.truncated else "stop",
        "total_duration": nanoseconds,
        "load_duration": 0,
        "prompt_eval_count": reply.prompt_tokens,
        "prompt_eval_duration": nanoseconds // 2,
        "eval_count": reply.output_tokens,
        "eval_duration": max(1, nanoseconds // 2),
    }


def _properties(schema: msgspec.Raw) -> frozenset[str]:
    """Return the property names of a JSON schema; `"json"` and no format at all have none."""
    value = orjson.loads(bytes(schema) or b"null")
    if value in (None, "", "json"):
        return frozenset()
    if not isinstance(value, dict):
        raise _Error(500, f'invalid format: {value!r:.60}; expected "json" or a valid JSON Schema object')
    target = value.get("$ref")
    if isinstance(target, str) and isinstance(value.get("$defs"), dict):
        value = value["$defs"].get(target.rpartition("/")[2], {})
    properties = value.get("properties") if isinstance(value, dict) else None
    return frozenset(properties) if isinstance(properties, dict) else frozenset()


def _known_model(name: str) -> str:
    bare = name.removesuffix(":latest")
    if bare not in MODELS:
        raise _Error(404, f"model '{name}' not found")
    return bare


def _listed(name: str) -> dict[str, Any]:
    return {
        "name": f"{name}:latest",
        "model": f"{name}:latest",
        "modified_at": "2026-01-01T00:00:00Z",
        "size": 0,
        "digest": digest(name),
        "details": _DETAILS,
        "capabilities": _CAPABILITIES,
    }


def _shown() -> dict[str, Any]:
    return {
        "details": _DETAILS,
        "model_info": {"general.architecture": "sandbox", "sandbox.context_length": _CONTEXT},
        "capabilities": _CAPABILITIES,
        "parameters": "",
        "template": "{{ .Prompt }}",
    }


def _now() -> str:
    return datetime.now(UTC).isoformat().replace("+00:00", "Z")


def _decoded(body: bytes, type_: type[_Decoded]) -> _Decoded:
    try:
        return msgspec.json.decode(body, type=type_)
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise _Error(400, str(error)) from error


async def _body(receive: _Receive) -> bytes:
    body = bytearray()
    while True:
        message = await receive()
        if message["type"] == "http.disconnect":
            raise _Error(499, "the client went away")
        body += message.get("body", b"")
        if len(body) > _BODY_LIMIT:
            raise _Error(413, "http: request body too large")
        if not message.get("more_body"):
            return bytes(body)


async def _send_json(send: _Send, value: Any, status: int = 200) -> None:
    await _send_bytes(send, orjson.dumps(value), status, b"application/json; charset=utf-8")


async def _send_bytes(send: _Send, body: bytes, status: int, content_type: bytes) -> None:
    await _start(send, status, content_type)
    await send({"type": "http.response.body", "body": body})


async def _start(send: _Send, status: int, content_type: bytes) -> None:
    await send({"type": "http.response.start", "status": status, "headers": [(b"content-type", content_type)]})
