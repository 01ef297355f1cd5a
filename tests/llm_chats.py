"""One request and its right reply, and what a scripted Ollama makes of it."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager

import pytest

from selfplay_core.errors import ModelFault
from selfplay_core.llm.base import ChatRequest, Message
from selfplay_core.llm.ollama import OllamaChat
from selfplay_core.llm.replies import answer_schema
from selfplay_core.models import Mode
from tests.servers.ollama import FakeOllama, Reply

__all__ = ["CONTENT", "DONE", "REQUEST", "fault_of", "line", "ollama", "piece", "talking_to"]

CONTENT = '{"commands": ["list"], "reasoning": "x"}'
REQUEST = ChatRequest(
    messages=(Message("system", "Answer."), Message("user", "sudo list \U0001f600")),
    schema=answer_schema(Mode.SUDO),
    temperature=0.3,
    seed=42,
    max_tokens=300,
)
DONE = {"message": {"role": "assistant", "content": ""}, "done": True, "done_reason": "stop"}


def piece(content: str, **more: object) -> dict[str, object]:
    """Return one chunk of Ollama's stream."""
    return {"message": {"role": "assistant", "content": content}, "done": False} | more


def line(chunk: dict[str, object]) -> bytes:
    """Return `chunk` as a line of the stream, all but ASCII escaped."""
    return json.dumps(chunk).encode() + b"\n"


def ollama(
    url: str,
    model: str = "mc:7b",
    *,
    think: bool | str = False,
    num_ctx: int | None = 8192,
    first_byte: float = 10,
    stall: float = 10,
    total: float = 20,
) -> OllamaChat:
    """Return a client with deadlines that a test can wait for, in seconds."""
    return OllamaChat(
        url,
        model,
        think=think,
        num_ctx=num_ctx,
        connect_seconds=1,
        first_byte_seconds=first_byte,
        stall_seconds=stall,
        total_seconds=total,
    )


@asynccontextmanager
async def talking_to(reply: Reply | Callable[[], Reply]) -> AsyncIterator[tuple[OllamaChat, FakeOllama]]:
    """Serve `reply` to every chat, and give a client of it."""
    with FakeOllama(lambda _: reply if isinstance(reply, Reply) else reply()) as server:
        model = ollama(server.url)
        try:
            yield model, server
        finally:
            await model.aclose()


async def fault_of(reply: Reply, *, first_byte: float = 10, stall: float = 10, total: float = 20) -> ModelFault:
    """Return what a chat raises that is answered by `reply`."""
    with FakeOllama(lambda _: reply) as server:
        model = ollama(server.url, first_byte=first_byte, stall=stall, total=total)
        try:
            with pytest.raises(ModelFault) as caught:
                await model.chat(REQUEST)
        finally:
            await model.aclose()
    assert len(str(caught.value)) < 420
    return caught.value
