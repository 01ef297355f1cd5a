"""The OpenAI-shaped API over real sockets: what each kind of server sends, and every fault."""

from __future__ import annotations

import asyncio
import itertools
from collections.abc import Callable
from typing import Any

import pytest

from selfplay_core.errors import (
    Blank,
    ModelBusy,
    ModelDenied,
    ModelFault,
    ModelNotFound,
    ModelRefusedRequest,
    ModelServerError,
    ModelStalled,
    ModelUnreachable,
    SettingsError,
    Truncated,
    Unfinished,
)
from selfplay_core.llm.base import ChatModel, ChatReply, ChatRequest, Message
from selfplay_core.llm.openai import OpenAIChat
from selfplay_core.llm.replies import answer_schema
from selfplay_core.models import Mode, ModelIdentity
from tests.servers.ollama import CUT, HOLD, FakeOllama, Reply, Step, Wait, event, fail, say_events

CONTENT = '{"commands": ["list"], "reasoning": "a\u2028b"}'
SCHEMA = answer_schema(Mode.SUDO)
REQUEST = ChatRequest((Message("user", "sudo list"),), SCHEMA, temperature=0.3, seed=42, max_tokens=300)
STRICT_FORMAT = {"type": "json_schema", "json_schema": {"name": "reply", "strict": True, "schema": SCHEMA}}
LOOSE_FORMAT = {"type": "json_object", "schema": SCHEMA}


def delta(text: str, finish: str | None = None, index: int = 0) -> bytes:
    return event({"choices": [{"index": index, "delta": {"content": text}, "finish_reason": finish}]})


def openai(url: str, *, api_key: str | None = None, stall: float = 10, total: float = 20) -> OpenAIChat:
    return OpenAIChat(
        f"{url}/v1",
        "mc",
        api_key=api_key,
        connect_seconds=1,
        first_byte_seconds=10,
        stall_seconds=stall,
        total_seconds=total,
    )


async def reply_to(reply: Reply) -> ChatReply:
    with FakeOllama(lambda _: reply) as server:
        model = openai(server.url)
        try:
            return await model.chat(REQUEST)
        finally:
            await model.aclose()


async def fault_of(reply: Reply, *, stall: float = 10, total: float = 20) -> ModelFault:
    with FakeOllama(lambda _: reply) as server:
        model = openai(server.url, stall=stall, total=total)
        with pytest.raises(ModelFault) as caught:
            await model.chat(REQUEST)
        await model.aclose()
    return caught.value


@pytest.mark.parametrize("key", ["reasoning", "reasoning_content", "thinking"])
async def test_a_reply_in_events_comes_back_whole(key: str) -> None:
    """Content, thinking under any of its names, and the usage are put together from the events."""
    reply = await reply_to(say_events(CONTENT, thinking="hm", key=key))
    assert (reply.content, reply.thinking) == (CONTENT, "hm")
    assert (reply.prompt_tokens, reply.output_tokens) == (11, 7)


async def test_thinking_in_the_content_is_separated() -> None:
    """Servers without a reasoning parser leave the tags in the content."""
    reply = await reply_to(say_events(f"hm</think>{CONTENT}"))
    assert (reply.content, reply.thinking) == (CONTENT, "hm")


@pytest.mark.parametrize(
    "steps",
    [
        (delta(CONTENT), delta("", "stop"), event("[DONE]")),
        (delta(CONTENT, "stop"),),
        (
            b": ping\n\n",
            b"event: message\r\n",
            delta(CONTENT, "stop").replace(b"\n", b"\r\n"),
            b"data:[DONE]\n\n",
        ),
        (delta("no", index=1), delta(CONTENT), event({"choices": [], "usage": None}), delta("", "stop")),
        (event({"choices": [{"message": {"content": CONTENT}, "finish_reason": "stop"}]})[6:],),
        (delta(CONTENT, "stop"), event("[DONE]"), b"data: {garbage\n\n", CUT),
        tuple(bytes([byte]) for byte in delta(CONTENT, "stop") + event("[DONE]")),
    ],
)
async def test_every_way_to_send_a_reply_is_read(steps: tuple[Step, ...]) -> None:
    """Without usage or [DONE], with comments, CRLF, other choices, unstreamed, or one byte a time."""
    assert (await reply_to(Reply(steps, content_type="text/event-stream"))).content == CONTENT


async def test_what_is_sent_is_what_these_servers_take() -> None:
    """Streamed with usage, the schema as response format, thinking asked off, the key as bearer."""
    with FakeOllama(lambda _: say_events(CONTENT)) as server:
        model = openai(server.url, api_key="sk-1")
        await model.chat(REQUEST)
        await model.aclose()
    assert server.requests[0].headers["authorization"] == "Bearer sk-1"
    assert server.chats == [
        {
            "model": "mc",
            "messages": [{"role": "user", "content": "sudo list"}],
            "stream": True,
            "stream_options": {"include_usage": True},
            "temperature": 0.3,
            "seed": 42,
            "max_tokens": 300,
            "response_format": STRICT_FORMAT,
            "chat_template_kwargs": {"enable_thinking": False},
        }
    ]


async def test_the_base_path_is_added_where_none_is_given() -> None:
    """A bare host means /v1 below it; a path is taken as it is."""
    with FakeOllama(lambda _: say_events(CONTENT)) as server:
        for url in (server.url, f"{server.url}/v1/", f"{server.url}/openai"):
            model = OpenAIChat(url, "mc", reasoning_effort="none", think=True, extra={"top_p": 1.0})
            await model.chat(REQUEST)
            await model.aclose()
    paths = [request.path for request in server.requests]
    assert paths == ["/v1/chat/completions", "/v1/chat/completions", "/openai/chat/completions"]
    assert server.chats[0]["reasoning_effort"] == "none"
    assert server.chats[0]["top_p"] == 1.0
    assert "chat_template_kwargs" not in server.chats[0]


def picky(refusal: Reply) -> Callable[[dict[str, Any]], Reply]:
    def script(body: dict[str, Any]) -> Reply:
        return refusal if body["response_format"]["type"] == "json_schema" else say_events(CONTENT)

    return script


@pytest.mark.parametrize(
    "refusal",
    [
        fail(500, {"error": {"message": "[{'loc': ('body', 'response_format', 'type'), 'msg': …}]"}}),
        fail(400, {"error": "'response_format.type' must be 'text'"}),
        fail(422, {"detail": [{"loc": ["body", "response_format", "type"], "msg": "Input should be text"}]}),
        fail(500, {"error": {"message": "x" * 1_000 + " response_format"}}),
    ],
)
async def test_another_way_to_send_the_schema_is_tried_once_and_remembered(refusal: Reply) -> None:
    """A server that refuses json_schema gets json_object with the schema, from then on at once."""
    with FakeOllama(picky(refusal)) as server:
        model = openai(server.url)
        for _ in range(2):
            assert (await model.chat(REQUEST)).content == CONTENT
        await model.aclose()
    assert [chat["response_format"] for chat in server.chats] == [STRICT_FORMAT, LOOSE_FORMAT, LOOSE_FORMAT]


async def test_a_server_that_refuses_both_ways_is_told() -> None:
    """There is no third way: the refusal is the fault, and the first way stays the first."""
    refusal = fail(400, {"error": "response_format is not supported"})
    with FakeOllama(lambda _: refusal) as server:
        model = openai(server.url)
        for _ in range(2):
            with pytest.raises(ModelRefusedRequest, match="response_format is not supported"):
                await model.chat(REQUEST)
        await model.aclose()
    assert [chat["response_format"]["type"] for chat in server.chats] == ["json_schema", "json_object"] * 2


async def test_the_way_that_worked_is_remembered_through_a_fault() -> None:
    """The second way counts as right once the server has taken it, even if that reply was cut short."""

    def script(body: dict[str, Any]) -> Reply:
        if body["response_format"]["type"] == "json_schema":
            return fail(400, {"error": "response_format"})
        return say_events(CONTENT, finish_reason="length")

    with FakeOllama(script) as server:
        model = openai(server.url)
        for _ in range(2):
            with pytest.raises(Truncated):
                await model.chat(REQUEST)
        await model.aclose()
    assert [c["response_format"]["type"] for c in server.chats] == [
        "json_schema",
        "json_object",
        "json_object",
    ]


@pytest.mark.parametrize(
    ("reply", "kind", "words"),
    [
        (say_events(CONTENT, finish_reason="length"), Truncated, "300 tokens"),
        (say_events("", finish_reason="length"), Truncated, "300 tokens"),
        (say_events("", thinking=CONTENT), Blank, "thinking"),
        (say_events(f"<think>{CONTENT}"), Blank, "thinking"),
        (say_events(CONTENT, finish_reason="content_filter"), Unfinished, "content_filter"),
        (Reply((delta(CONTENT),)), Unfinished, "done"),
        (Reply((delta(CONTENT), event("[DONE]"))), Unfinished, "--interrupt_requests false"),
        (Reply(()), Unfinished, "without a word"),
        (Reply(itertools.repeat(delta(" " * 50_000))), Unfinished, "1,048,576"),
        (Reply(itertools.repeat(b"data: " + b"x" * 60_000)), Unfinished, "line break"),
        (Reply((delta("x"), event({"error": {"message": "boom", "code": 500}}))), ModelServerError, '"boom"'),
        (Reply((delta("x"), event({"object": "error", "message": "boom"}))), ModelServerError, '"boom"'),
        (Reply((b'error: {"code": 500, "message": "boom"}\n\n',)), ModelServerError, '"boom"'),
        (Reply((b'{"error": "boom"}\n',)), ModelServerError, '"boom"'),
        (Reply((delta("x"), b"data: {no json\n\n")), ModelServerError, "no JSON"),
        (Reply((delta("x"), event({"choices": [{"delta": {"content": 7}}]}))), ModelServerError, "no string"),
        (Reply((CUT,)), ModelServerError, "broke"),
        (Reply((delta("x"), b"data: {", CUT)), ModelServerError, "broke"),
        (fail(404, {"error": {"message": "The model `mc` does not exist."}}), ModelNotFound, "/v1/models"),
        (fail(404, {"error": {"message": "model 'mc' not found"}}), ModelNotFound, "/v1/models"),
        (fail(404, {"detail": "Not Found"}), ModelDenied, "/v1/chat/completions"),
        (fail(401, {"error": {"message": "no key"}}), ModelDenied, "Check the key"),
        (fail(400, {"error": {"message": "too long"}}), ModelRefusedRequest, '"too long"'),
        (fail(503, {"error": {"message": "Loading model"}}), ModelBusy, "Loading model"),
        (fail(429, {}), ModelBusy, "HTTP 429"),
        (fail(500, {"error": {"message": "\x1b[2Jboom"}}), ModelServerError, "boom"),
    ],
)
async def test_every_fault_has_its_name(reply: Reply, kind: type[ModelFault], words: str) -> None:
    """The same faults as with Ollama, from what these servers send."""
    fault = await fault_of(reply)
    assert type(fault) is kind
    assert words in str(fault)
    assert "\x1b" not in str(fault)
    assert len(str(fault)) < 420


async def test_what_had_come_is_kept_in_a_fault() -> None:
    """Content and thinking before a fault stay with it."""
    thought = event({"choices": [{"index": 0, "delta": {"reasoning_content": "hm"}}]})
    fault = await fault_of(Reply((thought, delta("begun"), CUT)))
    assert (fault.thinking, fault.partial) == ("hm", "begun")


async def test_silence_and_drip_are_stalled() -> None:
    """The deadlines hold for events as they do for lines; a comment is a sign of life, not an end."""
    silence = await fault_of(Reply((delta("x"), HOLD)), stall=0.2)
    assert "llm.stall_seconds" in str(silence)
    drops: list[Step] = [b": ping\n\n", Wait(0.05)]
    drip = await fault_of(Reply(itertools.cycle(drops)), total=0.4)
    assert "llm.total_seconds" in str(drip)
    assert {type(silence), type(drip)} == {ModelStalled}


async def test_cancelling_is_seen_by_the_server() -> None:
    """A dropped request closes its connection, so that the server stops generating."""
    asked = asyncio.Event()
    loop = asyncio.get_running_loop()

    def script(_: dict[str, Any]) -> Reply:
        loop.call_soon_threadsafe(asked.set)
        return Reply((delta("begun"), HOLD))

    with FakeOllama(script) as server:
        model = openai(server.url)
        task = asyncio.create_task(model.chat(REQUEST))
        await asyncio.wait_for(asked.wait(), 5)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        assert await asyncio.to_thread(server.left.wait, 5)
        await model.aclose()


async def test_a_key_in_the_servers_words_is_struck_out() -> None:
    """A server that repeats the key does not get it into a message of ours."""
    with FakeOllama(lambda _: fail(401, {"error": {"message": "wrong key sk-hunter2"}})) as server:
        model = openai(server.url, api_key="sk-hunter2")
        with pytest.raises(ModelRefusedRequest, match=r"wrong key \[secret\]") as caught:
            await model.chat(REQUEST)
        await model.aclose()
    assert "hunter2" not in str(caught.value)


@pytest.mark.parametrize("key", ["", "sk-hunter2\n", "sk-hunter2\u00e9"])
def test_a_key_that_no_header_carries_is_a_wrong_setting(key: str) -> None:
    """A key with a line break is refused at the start, and not repeated."""
    with pytest.raises(SettingsError, match="key of the model server") as caught:
        OpenAIChat("box", "mc", api_key=key)
    assert "hunter2" not in str(caught.value)


@pytest.mark.parametrize("listed", [fail(200, {"data": [{"id": "other"}]}), fail(404, b""), fail(401, b"")])
async def test_any_answer_means_that_the_server_is_there(listed: Reply) -> None:
    """A list without the model is no fault: several servers answer for any name."""
    with FakeOllama(lambda _: say_events(CONTENT), routes={"/v1/models": listed, "/api/version": listed}) as server:
        model = openai(server.url)
        assert await model.identify() == ModelIdentity("openai", "mc")
        await model.aclose()


async def test_nobody_listening_is_unreachable(unused_tcp_port: int) -> None:
    """A refused connection says where it was tried."""
    model = openai(f"http://127.0.0.1:{unused_tcp_port}")
    for call in (model.chat(REQUEST), model.identify()):
        with pytest.raises(ModelUnreachable, match=str(unused_tcp_port)):
            await call
    await model.aclose()


def test_the_client_is_a_chat_model() -> None:
    """The adapter is what the engine's protocol asks for."""
    model: ChatModel = openai("http://box")
    assert model is not None
