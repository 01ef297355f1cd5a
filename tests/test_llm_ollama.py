"""Ollama's API over real sockets: what is sent, what comes back, and who answered."""

from __future__ import annotations

import asyncio
import json

import pytest

from selfplay_core.errors import (
    ModelNotFound,
    SettingsError,
)
from selfplay_core.llm.base import ChatModel
from selfplay_core.llm.ollama import OllamaChat
from selfplay_core.llm.replies import answer_schema
from selfplay_core.models import Mode, ModelIdentity
from tests.llm_chats import CONTENT, DONE, REQUEST, line, ollama, piece, talking_to
from tests.servers.ollama import CUT, HOLD, FakeOllama, Reply, Step, fail, lines, say


async def test_a_reply_in_pieces_comes_back_whole() -> None:
    """Content, thinking and counts are those of the server, put together from its chunks."""
    async with talking_to(say(CONTENT, thinking="hm")) as (model, _):
        reply = await model.chat(REQUEST)
    assert (reply.content, reply.thinking) == (CONTENT, "hm")
    assert (reply.prompt_tokens, reply.output_tokens) == (11, 7)
    assert reply.seconds > 0


async def test_what_is_sent_is_what_ollama_takes() -> None:
    """Streamed, with the schema as format, think always there, and one set of options a call."""
    with FakeOllama(lambda _: say(CONTENT)) as server:
        model = ollama(server.url, "hf.co/Some/Model-GGUF:Q4_K_M")
        await model.chat(REQUEST)
        await model.aclose()
    assert server.chats == [
        {
            "model": "hf.co/Some/Model-GGUF:Q4_K_M",
            "messages": [
                {"role": "system", "content": "Answer."},
                {"role": "user", "content": "sudo list \U0001f600"},
            ],
            "stream": True,
            "format": answer_schema(Mode.SUDO),
            "think": False,
            "keep_alive": "10m",
            "options": {"num_ctx": 8192, "temperature": 0.3, "seed": 42, "num_predict": 300},
        }
    ]


async def test_think_and_num_ctx_can_be_chosen() -> None:
    """A level of thinking is passed on, and no num_ctx leaves the server its own."""
    with FakeOllama(lambda _: say(CONTENT)) as server:
        model = ollama(server.url, think="high", num_ctx=None)
        await model.chat(REQUEST)
        await model.aclose()
    assert server.chats[0]["think"] == "high"
    assert "num_ctx" not in server.chats[0]["options"]


async def test_only_a_newline_ends_a_line() -> None:
    """U+2028, U+0085 and their kin within a string are data, also unescaped and between chunks."""
    content = '{"commands": [], "reasoning": "a\u2028b\u2029c\u0085d\u000be"}'
    async with talking_to(lines(piece(content[:30]), piece(content[30:]), DONE)) as (model, _):
        assert (await model.chat(REQUEST)).content == content


async def test_chunks_may_cut_anywhere() -> None:
    """Lines are whole however the bytes are packed: every byte alone, within characters, or all at once."""
    content = CONTENT + "\u00e9\U0001f600"
    raw = json.dumps(piece(content), ensure_ascii=False).encode() + b"\r\n\n" + line(DONE)
    for steps in ([raw], [bytes([byte]) for byte in raw]):
        async with talking_to(Reply(steps)) as (model, _):
            assert (await model.chat(REQUEST)).content == content


async def test_half_surrogates_are_joined_and_lone_ones_replaced() -> None:
    """An emoji cut in two by a server that counts in UTF-16 is whole again, and no half one gets out."""
    async with talking_to(Reply([line(piece("\ud83d")), line(piece("\ude00 \ud83d")), line(DONE)])) as (
        model,
        _,
    ):
        assert (await model.chat(REQUEST)).content == "\U0001f600 \ufffd"


async def test_the_last_line_needs_no_newline() -> None:
    """A stream whose done line is not terminated is whole."""
    async with talking_to(Reply([line(piece(CONTENT)), line(DONE).rstrip()])) as (model, _):
        assert (await model.chat(REQUEST)).content == CONTENT


@pytest.mark.parametrize("after", [(b"\x00garbage", b'\n{"error": "late"}\n'), (HOLD,), (CUT,), (b"x" * 200_000,)])
async def test_what_follows_done_is_ignored(after: tuple[Step, ...]) -> None:
    """Nothing after the done line can spoil a whole reply: garbage, silence, a cut or a flood."""
    async with talking_to(Reply((*say(CONTENT).steps, *after))) as (model, _):
        assert (await model.chat(REQUEST)).content == CONTENT


async def test_a_connection_is_used_again() -> None:
    """Replies are read to their end, so that the next request needs no new connection."""
    async with talking_to(say(CONTENT)) as (model, server):
        for _ in range(3):
            await model.chat(REQUEST)
        assert len(server.connections) == 1


async def test_requests_run_side_by_side() -> None:
    """The pool has no bound of its own: as many requests are under way as the caller starts."""
    async with talking_to(say(CONTENT, seconds=0.5)) as (model, server):
        await asyncio.gather(*(model.chat(REQUEST) for _ in range(20)))
        assert server.most_at_once == 20


@pytest.mark.parametrize(
    ("content", "field", "thinking"),
    [
        (f"<think>why</think>\n{CONTENT}", "", "why"),
        (f"why</think>{CONTENT}", "", "why"),
        (f"<think>b</think>{CONTENT}", "a", "a\nb"),
    ],
)
async def test_thinking_in_the_content_is_separated(content: str, field: str, thinking: str) -> None:
    """Tags that a template left in the content end up with the thinking."""
    async with talking_to(say(content, thinking=field)) as (model, _):
        reply = await model.chat(REQUEST)
    assert (reply.content, reply.thinking) == (CONTENT, thinking)


async def test_proxies_of_the_environment_are_not_used(monkeypatch: pytest.MonkeyPatch, unused_tcp_port: int) -> None:
    """HTTP_PROXY would capture even loopback: only the setting names a proxy."""
    for name in ("HTTP_PROXY", "http_proxy", "ALL_PROXY", "all_proxy"):
        monkeypatch.setenv(name, f"http://127.0.0.1:{unused_tcp_port}")
    async with talking_to(say(CONTENT)) as (model, _):
        assert (await model.chat(REQUEST)).content == CONTENT


async def test_a_proxy_of_the_settings_is_used() -> None:
    """A request for a host that only the proxy knows arrives at the proxy."""
    with FakeOllama(lambda _: say(CONTENT)) as proxy:
        model = OllamaChat("http://gpu.invalid:11434", "mc", proxy=proxy.url)
        assert (await model.chat(REQUEST)).content == CONTENT
        assert proxy.requests[0].headers["host"] == "gpu.invalid:11434"
        await model.aclose()


@pytest.mark.parametrize("proxy", ["nonsense", "socks5://me:hunter2@box:1", "http://[zz]"])
def test_a_proxy_that_cannot_be_used_is_a_wrong_setting(proxy: str) -> None:
    """The setting is named, and its value, which may hold a password, is not."""
    with pytest.raises(SettingsError, match=r"llm\.proxy") as caught:
        OllamaChat("box", "mc", proxy=proxy)
    assert "hunter2" not in str(caught.value)


@pytest.mark.parametrize("listed", ["mc", "mc:latest"])
async def test_identity_holds_digest_and_version(listed: str) -> None:
    """Who answered is recorded from the server's own words, the tag `latest` being understood."""
    tags = {"models": [{"name": "other", "digest": "no"}, {"name": listed, "model": listed, "digest": "abc"}]}
    with FakeOllama(lambda _: say(CONTENT), routes={"/api/tags": fail(200, tags)}) as server:
        model = ollama(server.url, "mc")
        identity = await model.identify()
        await model.aclose()
    assert identity == ModelIdentity("ollama", "mc", digest="abc", server_version="0.0.0-fake")
    assert [r.body for r in server.requests if r.path == "/api/show"] == [{"model": "mc"}]


async def test_a_missing_model_is_told_before_the_first_prompt() -> None:
    """Asking for the identity of a model that is not there says how to fetch it."""
    missing = fail(404, {"error": "model 'mc:7b' not found"})
    with FakeOllama(lambda _: say(CONTENT), routes={"/api/show": missing}) as server:
        model = ollama(server.url)
        with pytest.raises(ModelNotFound, match="ollama pull mc:7b"):
            await model.identify()
        await model.aclose()


@pytest.mark.parametrize(
    "other",
    [
        fail(404, b"404 page not found"),
        fail(500, {"error": "no"}),
        fail(500, {"error": "model 'mc:7b' not found"}),
        fail(200, b"not json"),
        fail(200, [1]),
        fail(200, {"version": 7, "models": [None, {"name": "mc:7b", "digest": 3}]}),
        fail(200, {"version": "", "models": {"name": "mc:7b"}}),
    ],
)
async def test_a_server_that_only_chats_has_an_identity(other: Reply) -> None:
    """Any HTTP answer means that the server is there; what it does not say stays unknown."""
    routes = dict.fromkeys(("/api/version", "/api/show", "/api/tags"), other)
    with FakeOllama(lambda _: say(CONTENT), routes=routes) as server:
        model = ollama(server.url)
        assert await model.identify() == ModelIdentity("ollama", "mc:7b")
        await model.aclose()


async def test_a_path_within_the_address_is_kept() -> None:
    """A server behind a prefix is asked below its prefix."""
    with FakeOllama(lambda _: say(CONTENT)) as server:
        model = ollama(f"{server.url}/gpu/")
        await model.chat(REQUEST)
        await model.aclose()
    assert server.requests[0].path == "/gpu/api/chat"


def test_the_client_is_a_chat_model() -> None:
    """The adapter is what the engine's protocol asks for."""
    model: ChatModel = ollama("box")
    assert model is not None
