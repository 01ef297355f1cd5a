"""Ollama's API over real sockets: every fault under its own name."""

from __future__ import annotations

import itertools

import pytest

from selfplay_core.errors import (
    Blank,
    ModelBusy,
    ModelDenied,
    ModelFault,
    ModelNotFound,
    ModelRefusedRequest,
    ModelServerError,
    ModelUnreachable,
    Truncated,
    Unfinished,
)
from tests.llm_chats import CONTENT, DONE, REQUEST, fault_of, line, ollama, piece, talking_to
from tests.servers.ollama import CUT, HOLD, FakeOllama, Reply, Step, fail, lines, say


@pytest.mark.parametrize("content", [f"<think>and so on {CONTENT}", f"<think>{CONTENT}</think>  \n"])
async def test_thinking_alone_is_blank(content: str) -> None:
    """An answer within unclosed thinking, or nothing after it, is no answer; the thinking is kept."""
    fault = await fault_of(say(content))
    assert type(fault) is Blank
    assert CONTENT in fault.thinking
    assert not fault.partial.strip()


@pytest.mark.parametrize("reply", [say(""), say(" \n\t "), say("", thinking=CONTENT), lines(DONE | {"message": None})])
async def test_no_content_is_blank(reply: Reply) -> None:
    """A reply that is done but says nothing is blank, even if its thinking would parse as an answer."""
    assert type(await fault_of(reply)) is Blank


@pytest.mark.parametrize("content", ["", '{"commands": ["giv', CONTENT])
async def test_length_is_truncated(content: str) -> None:
    """The server's reason alone says that a reply was cut, whether it is empty, half or looks whole."""
    fault = await fault_of(say(content, thinking="hm", done_reason="length"))
    assert type(fault) is Truncated
    assert (fault.partial, fault.thinking) == (content, "hm")
    assert "300 tokens" in str(fault)


async def test_broken_json_with_a_good_end_is_not_truncated() -> None:
    """A reply that stops in the middle of its JSON is passed on, if the server says that it was all."""
    async with talking_to(say('{"commands": ["giv')) as (model, _):
        assert (await model.chat(REQUEST)).content == '{"commands": ["giv'


@pytest.mark.parametrize("done", [False, None, "true", 1])
async def test_without_done_a_reply_is_unfinished(done: object) -> None:
    """Only `done: true` is an end; a stream that just ends holds no answer, and keeps what had come."""
    fault = await fault_of(lines(piece(CONTENT), {"done": done, "done_reason": "stop"}))
    assert type(fault) is Unfinished
    assert fault.partial == CONTENT


async def test_an_empty_stream_is_unfinished() -> None:
    """No line at all is no answer either."""
    assert type(await fault_of(Reply(()))) is Unfinished


async def test_endless_whitespace_is_unfinished() -> None:
    """A model that says blanks for ever is given up at the bound."""
    fault = await fault_of(Reply(line(piece(" " * 50_000)) for _ in itertools.count()))
    assert type(fault) is Unfinished
    assert "1,048,576 characters" in str(fault)


async def test_endless_thinking_is_unfinished() -> None:
    """Thinking counts towards the bound."""
    chunk = line({"message": {"content": "", "thinking": "hm " * 20_000}, "done": False})
    assert type(await fault_of(Reply(itertools.repeat(chunk)))) is Unfinished


async def test_a_huge_line_is_unfinished() -> None:
    """Bytes without a line break are given up at their bound, not gathered for ever."""
    fault = await fault_of(Reply(itertools.repeat(b"x" * 65_536)))
    assert type(fault) is Unfinished
    assert "line break" in str(fault)


@pytest.mark.parametrize(
    ("error", "kind", "words"),
    [
        ("llama runner process has terminated", ModelServerError, "llama runner process has terminated"),
        ('{"error": {"message": "inner words", "code": 500}}', ModelServerError, ': "inner words")'),
        ({"message": "as an object"}, ModelServerError, ': "as an object")'),
        ("model 'mc:7b' not found", ModelNotFound, "ollama pull mc:7b"),
        ("server busy, please try again.  maximum pending requests exceeded", ModelBusy, "busy"),
        ("\x1b[2J\u202eevil" + "x" * 5_000, ModelServerError, "\u241b[2J<U+202E>evil"),
    ],
)
async def test_an_error_line_is_told_apart(error: object, kind: type[ModelFault], words: str) -> None:
    """An error after HTTP 200 is a fault with the server's innermost words, cleaned and clipped."""
    fault = await fault_of(lines(piece("begun"), {"error": error}, DONE))
    assert type(fault) is kind
    assert words in str(fault)
    assert fault.partial == "begun"


@pytest.mark.parametrize(
    "raw",
    [
        b"<html>\n", b'{"message": \n', b"[]\n", b"7\n", b"\xff\xfe\n", b"[" * 100_000 + b"\n",
        line({"message": "text"}), line({"message": {"content": 7}}), line({"message": {"content": ["a"]}}),
    ],
)  # fmt: skip
async def test_a_line_of_another_kind_is_a_server_error(raw: bytes) -> None:
    """What is no JSON object, or holds no text where text belongs, is the server's fault."""
    assert type(await fault_of(Reply([line(piece("begun")), raw, line(DONE)]))) is ModelServerError


@pytest.mark.parametrize(
    "steps",
    [
        (CUT,),
        (line(piece(CONTENT)), CUT),
        (line(piece(CONTENT)), b'{"message": {"con', CUT),
        (line(piece(CONTENT)), b'{"message": {"con'),
    ],
)
async def test_a_cut_connection_is_a_server_error(steps: tuple[Step, ...]) -> None:
    """Cut before the reply, between lines or within one: never taken for an end."""
    fault = await fault_of(Reply(steps))
    assert type(fault) is ModelServerError
    assert fault.partial == (CONTENT if len(steps) > 1 else "")


@pytest.mark.parametrize(
    ("reply", "kind", "words"),
    [
        (fail(404, {"error": "model 'mc:7b' not found"}), ModelNotFound, "`ollama pull mc:7b`"),
        (fail(404, {"error": 'model "mc:7b" not found, try pulling it first'}), ModelNotFound, "ollama pull"),
        (fail(404, b"404 page not found"), ModelDenied, "/api/chat"),
        (fail(404, {"detail": "Not Found"}), ModelDenied, "/api/chat"),
        (fail(400, {"error": '"mc:7b" does not support thinking'}), ModelRefusedRequest, "support thinking"),
        (fail(400, {"error": '{"error": {"message": "inner"}}'}), ModelRefusedRequest, ': "inner")'),
        (fail(403, b""), ModelDenied, "allowed hosts"),
        (fail(429, {"error": "slow down"}), ModelBusy, "slow down"),
        (fail(503, {"error": "server busy, please try again."}), ModelBusy, "server busy"),
        (fail(500, {"error": "server busy, please try again."}), ModelBusy, "server busy"),
        (fail(500, {"error": '{"error": {"code": 500, "message": "deep"}}'}), ModelServerError, ': "deep")'),
        (fail(500, {"error": "unable to load model: blob not found"}), ModelServerError, "blob"),
        (fail(502, b"<html>" + b"x" * 1_000_000), ModelServerError, "HTTP 502"),
        (fail(500, b'{"error": "\x1b[2Jboom"}'), ModelServerError, "boom"),
        (fail(301, b"", headers=(("location", "http://x/y"),)), ModelDenied, "http://x/y"),
        (Reply([b'{"error": "half', HOLD], status=500), ModelServerError, "half"),
        (Reply([b'{"error": "half', CUT], status=404), ModelDenied, "HTTP 404"),
        (Reply(itertools.repeat(b"x" * 60_000), status=500), ModelServerError, "xxx"),
    ],
)
async def test_a_status_is_told_apart(reply: Reply, kind: type[ModelFault], words: str) -> None:
    """Each status has its fault, with the server's words unwrapped, cleaned and clipped, and what to do."""
    fault = await fault_of(reply)
    assert type(fault) is kind
    assert words in str(fault)
    assert "\x1b" not in str(fault)


async def test_a_redirect_is_not_followed() -> None:
    """The model's texts go to the address that the person gave, and nowhere else."""
    with FakeOllama(lambda _: say(CONTENT)) as other:
        elsewhere = (("location", f"{other.url}/api/chat"),)
        assert type(await fault_of(fail(307, b"", headers=elsewhere))) is ModelDenied
        assert other.requests == []


async def test_after_a_fault_the_next_request_is_whole() -> None:
    """A broken connection is not taken up again."""
    replies = iter([Reply([line(piece("begun")), CUT]), Reply([b"no json\n", HOLD]), say(CONTENT)])
    async with talking_to(lambda: next(replies)) as (model, _):
        for _ in range(2):
            with pytest.raises(ModelServerError):
                await model.chat(REQUEST)
        assert (await model.chat(REQUEST)).content == CONTENT


async def test_nobody_listening_is_unreachable(unused_tcp_port: int) -> None:
    """A refused connection says where it was tried and how to start the server."""
    model = ollama(f"127.0.0.1:{unused_tcp_port}")
    for call in (model.chat(REQUEST), model.identify()):
        with pytest.raises(ModelUnreachable, match=f"127.0.0.1:{unused_tcp_port}.*ollama serve"):
            await call
    await model.aclose()
