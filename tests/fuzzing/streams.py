"""Targets: the stream of a model's reply through the real reader, and the decoding of what it says."""

from __future__ import annotations

import asyncio
import json
import random
import zlib
from collections.abc import AsyncIterator, Callable, Iterator, Sequence

import httpx

from selfplay_core.errors import IllTyped, ModelFault
from selfplay_core.llm.base import ChatReply, ChatRequest, Message
from selfplay_core.llm.http import _Clients
from selfplay_core.llm.ollama import OllamaChat
from selfplay_core.llm.openai import OpenAIChat
from selfplay_core.llm.replies import answer_schema, decode_answer, decode_prompts
from selfplay_core.llm.stream import LineSplitter
from selfplay_core.models import Mode
from tests.fuzzing.laws import assert_shown

__all__ = ["answer", "ollama_stream", "openai_stream"]

_REQUEST = ChatRequest((Message("user", "sudo list"),), answer_schema(Mode.SUDO), 0.3, seed=1, max_tokens=300)
_LONGEST_FAULT = 420

_Outcome = tuple[type[object], str, str, int, int]


def ollama_stream(data: bytes) -> None:
    """Whatever Ollama sends is one reply or one fault, however it is cut, and no reply was never ended."""
    outcome = _same_however_cut(lambda: OllamaChat("box", "mc"), data)
    if outcome[0] is ChatReply:
        _assert_ollama_said(data, outcome[1])


def openai_stream(data: bytes) -> None:
    """As `ollama_stream`, for server-sent events."""
    outcome = _same_however_cut(lambda: OpenAIChat("box", "mc"), data)
    if outcome[0] is ChatReply:
        _assert_openai_said(data)


def answer(data: bytes) -> None:
    """Any text of a reply is an answer or ill-typed; a command of an answer is one line that a packet can carry."""
    content = data.decode("utf-8", "surrogatepass" if b"\xed" in data else "replace") if _decodes(data) else repr(data)
    for mode in Mode:
        try:
            found = decode_answer(content, mode)
        except IllTyped as error:
            assert_shown(str(error), 2000)
            continue
        for command in found.commands:
            command.encode()
            assert command.strip()
            assert len(command.splitlines()) == 1
            assert not command.lstrip().startswith("/") or command.lstrip().startswith("//")
        keys = {"commands": found.commands, "reasoning": found.reasoning, "message": found.message or ""}
        again = decode_answer(json.dumps(keys), mode)
        assert (again.commands, again.reasoning) == (found.commands, found.reasoning)
    try:
        prompts = decode_prompts(content).prompts
    except IllTyped as error:
        assert_shown(str(error), 2000)
        return
    for prompt in prompts:
        prompt.encode()
        assert prompt == prompt.strip()
        assert len(prompt.splitlines()) == 1


def _assert_openai_said(data: bytes) -> None:
    """Read the events once more: none tells of an error, and one gives the reason of the end."""
    reasons: list[object] = []
    for line in LineSplitter().feed(data + b"\n"):
        name, _, rest = line.strip().partition(b":")
        text = line.strip() if name.startswith(b"{") else rest.strip()
        if text == b"[DONE]" and name == b"data":
            break
        if not text or not (name.startswith(b"{") or name in (b"data", b"error")):
            continue
        assert name != b"error"
        chunk = json.loads(text.decode("utf-8", "surrogatepass"))
        assert not chunk.get("error")
        choices = chunk.get("choices")
        reasons += [c.get("finish_reason") for c in choices if isinstance(c, dict)] if isinstance(choices, list) else []
    assert any(isinstance(reason, str) for reason in reasons)


def _decodes(data: bytes) -> bool:
    try:
        data.decode("utf-8", "surrogatepass")
    except UnicodeDecodeError:
        return False
    return True


class _Pieces(httpx.AsyncByteStream):
    """A body in pieces, as sockets give them."""

    def __init__(self, pieces: Sequence[bytes]) -> None:
        self._pieces = pieces

    async def __aiter__(self) -> AsyncIterator[bytes]:
        for piece in self._pieces:
            yield piece


class _Canned(httpx.AsyncBaseTransport):
    """Answers every request with the same body."""

    def __init__(self, pieces: Sequence[bytes]) -> None:
        self._pieces = pieces

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        return httpx.Response(200, stream=_Pieces(self._pieces))


def _same_however_cut(make: Callable[[], OllamaChat | OpenAIChat], data: bytes) -> _Outcome:
    whole, *others = (asyncio.run(_outcome(make(), pieces)) for pieces in _cuts(data))
    assert others == [whole] * len(others)
    return whole


def _cuts(data: bytes) -> Iterator[list[bytes]]:
    yield [data]
    dice = random.Random(zlib.crc32(data))
    places = sorted(dice.randrange(len(data) + 1) for _ in range(min(len(data), 12)))
    yield [data[start:end] for start, end in zip([0, *places], [*places, len(data)], strict=True)]
    if len(data) <= 600:
        yield [data[at : at + 1] for at in range(len(data))]


async def _outcome(model: OllamaChat | OpenAIChat, pieces: Sequence[bytes]) -> _Outcome:
    # Only the socket is replaced: all that reads it is the product's.
    await model._http.aclose()
    model._http._clients = _Clients(lambda: httpx.AsyncClient(transport=_Canned(pieces)))
    try:
        reply = await model.chat(_REQUEST)
    except ModelFault as fault:
        assert_shown(str(fault), _LONGEST_FAULT)
        for text in (fault.partial, fault.thinking):
            text.encode()
        return type(fault), fault.partial, fault.thinking, 0, 0
    finally:
        await model.aclose()
    assert reply.content.strip()
    assert min(reply.prompt_tokens, reply.output_tokens) >= 0
    reply.thinking.encode()
    answer(reply.content.encode())
    return ChatReply, reply.content, reply.thinking, reply.prompt_tokens, reply.output_tokens


def _assert_ollama_said(data: bytes, content: str) -> None:
    """Read the lines once more, by the protocol's words alone."""
    said = ""
    for line in LineSplitter().feed(data + b"\n"):
        if not line.strip():
            continue
        chunk = json.loads(line.decode("utf-8", "surrogatepass"))
        assert not chunk.get("error")
        said += (chunk.get("message") or {}).get("content") or ""
        if chunk.get("done") is True:
            break
    else:
        raise AssertionError("a reply whose end the server never told")
    if "</think>" not in said and said.isascii():
        assert content.strip() == said.strip()
