"""Ollama's API over real sockets: nothing is waited for without end, and nothing dropped runs on."""

from __future__ import annotations

import asyncio
import itertools

import pytest

from selfplay_core.errors import (
    ModelServerError,
    ModelStalled,
    ModelUnreachable,
)
from selfplay_core.llm.ollama import OllamaChat
from tests.llm_chats import CONTENT, DONE, REQUEST, fault_of, line, ollama, piece, talking_to
from tests.servers.ollama import HOLD, FakeOllama, Reply, Step, Wait, say


@pytest.mark.parametrize("before", [(HOLD,), (b"", HOLD)])
async def test_no_first_byte_is_stalled(before: tuple[Step, ...]) -> None:
    """Silence from the start ends at its own deadline, with headers or without, and names the setting."""
    fault = await fault_of(Reply(before), first_byte=0.2)
    assert type(fault) is ModelStalled
    assert "llm.first_byte_seconds" in str(fault)


async def test_silence_within_a_reply_is_stalled() -> None:
    """Bytes that stop coming end at their own deadline, and what had come is kept."""
    fault = await fault_of(Reply([line(piece("begun")), HOLD]), stall=0.2)
    assert type(fault) is ModelStalled
    assert "llm.stall_seconds" in str(fault)
    assert fault.partial == "begun"


@pytest.mark.parametrize("drop", [b"\n", line(piece("x")), b" "])
async def test_a_drip_ends_at_the_total(drop: bytes) -> None:
    """Bytes that never stop coming, and never end, do not hold a slot for ever."""
    steps: list[Step] = [drop, Wait(0.05)]
    fault = await fault_of(Reply(itertools.cycle(steps)), total=0.4, stall=5)
    assert type(fault) is ModelStalled
    assert "llm.total_seconds" in str(fault)


async def test_a_slow_reply_within_its_deadlines_is_whole() -> None:
    """The stall counts from chunk to chunk: a reply may take longer than it altogether."""
    steps: list[Step] = []
    for letter in CONTENT[:8]:
        steps += [line(piece(letter)), Wait(0.1)]
    with FakeOllama(lambda _: Reply([*steps, line(DONE)])) as server:
        model = ollama(server.url, stall=0.6, first_byte=0.6)
        assert (await model.chat(REQUEST)).content == CONTENT[:8]
        await model.aclose()


@pytest.mark.parametrize("steps", [(HOLD,), (line(piece("begun")), HOLD)])
async def test_cancelling_is_seen_by_the_server(steps: tuple[Step, ...]) -> None:
    """A dropped request closes its connection, so that the server stops generating."""
    asked = asyncio.Event()
    loop = asyncio.get_running_loop()

    def reply() -> Reply:
        loop.call_soon_threadsafe(asked.set)
        return Reply(steps)

    async with talking_to(reply) as (model, server):
        task = asyncio.create_task(model.chat(REQUEST))
        await asyncio.wait_for(asked.wait(), 5)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        assert await asyncio.to_thread(server.left.wait, 5)


async def test_a_fault_is_seen_by_the_server_too() -> None:
    """A reply that is given up is not left to generate on."""
    with FakeOllama(lambda _: Reply([b"no json\n", HOLD])) as server:
        model = ollama(server.url)
        with pytest.raises(ModelServerError) as caught:
            await model.chat(REQUEST)
        # The exception holds the frames of the request, so that only closing can end it, not their collection.
        assert caught.tb is not None
        assert await asyncio.to_thread(server.left.wait, 5)
        await model.aclose()


async def test_a_silent_server_is_not_waited_for() -> None:
    """Who accepts a connection and says nothing is unreachable; a silent /api/show alone is not."""
    for path in ("/api/version", "/api/show"):
        with FakeOllama(lambda _: say(CONTENT), routes={path: Reply((HOLD,))}) as server:
            model = OllamaChat(server.url, "mc", connect_seconds=0.2)
            if path == "/api/show":
                assert (await model.identify()).name == "mc"
            else:
                with pytest.raises(ModelUnreachable, match="no answer to /api/version"):
                    await model.identify()
            await model.aclose()
