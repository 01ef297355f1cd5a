"""A random model behind a real server: whatever it says is an answer or an error of its own, and the same again."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from typing import Any

import pytest

from selfplay_core.errors import IllTyped, NoAnswer, Truncated, Unfinished
from selfplay_core.events import PromptsFailed, PromptsWritten
from selfplay_core.llm.base import ChatReply, ChatRequest, Message
from selfplay_core.llm.openai import OpenAIChat
from selfplay_core.llm.replies import answer_schema, decode_answer, decode_prompts, prompts_schema
from selfplay_core.models import Mode, Outcome, Trace
from tests.realllm.server import LlamaServer, relay
from tests.realllm.tiny_model import write_model
from tests.worlds import Ran, play, playground

PROMPTS = ["sudo a torch", "pray for light", "sudo fix it", "pray that I am rich", "sudo nobody", "sudo twice"]
NAME = "tiny"


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LlamaServer]:
    """The server, with a model made for this run."""
    path = tmp_path_factory.mktemp("model") / "tiny.gguf"
    write_model(path, seed=1)
    with LlamaServer(path) as running:
        yield running


@pytest.fixture
async def model(server: LlamaServer) -> AsyncIterator[OpenAIChat]:
    """A client of it, with a deadline that ends the test rather than the day."""
    client = OpenAIChat(server.url, NAME, total_seconds=120)
    yield client
    await client.aclose()


def request(seed: int, schema: dict[str, Any], *, max_tokens: int = 1000) -> ChatRequest:
    return ChatRequest((Message("user", "sudo list"),), schema, temperature=0.3, seed=seed, max_tokens=max_tokens)


async def run(folder: Path, url: str, *, concurrency: int = 1, **more: Any) -> Ran:
    """One run against the real model and a scripted server."""
    async with playground(folder) as ground:
        return await play(
            ground.job(
                llm__kind="openai",
                llm__url=url,
                llm__model=NAME,
                run__concurrency=concurrency,
                run__max_retries=1,
                **more,
            )
        )


def said(trace: Trace) -> list[tuple[str, str | None]]:
    return [(attempt.raw, attempt.error) for attempt in trace.attempts]


def test_the_model_is_the_same_for_the_same_seed(tmp_path: Path) -> None:
    """Byte for byte; and another for another."""
    for name, seed in (("a", 1), ("b", 1), ("c", 2)):
        write_model(tmp_path / name, seed)
    first, again, other = (tmp_path.joinpath(name).read_bytes() for name in "abc")
    assert first == again != other
    assert len(first) < 1_000_000


async def test_a_round_ends_with_a_trace_for_each_prompt(server: LlamaServer, tmp_path: Path) -> None:
    """Each attempt is the decoding of what came, or holds what the model was told; every request is streamed."""
    async with relay(server.port) as between:
        ran = await run(tmp_path, between.url, given=PROMPTS)
    assert ran.ended.status == "done"
    assert sorted(trace.prompt.text for trace in ran.traces) == sorted(PROMPTS)
    attempts = [(attempt, trace.prompt.mode) for trace in ran.traces for attempt in trace.attempts]
    for attempt, mode in attempts:
        if attempt.answer is not None:
            assert decode_answer(attempt.raw, mode) == attempt.answer
        else:
            assert attempt.error
            with pytest.raises(IllTyped):
                decode_answer(attempt.raw, mode)
    assert any(attempt.answer is not None for attempt, _ in attempts)
    errored = [trace for trace in ran.traces if trace.outcome is Outcome.ERRORED]
    assert all(NAME in trace.reason for trace in errored)
    assert len(errored) < len(ran.traces)
    assert len(between.asked) >= len(PROMPTS)
    assert all(body["stream"] is True for body in between.asked)
    styles = [body["response_format"]["type"] for body in between.asked]
    assert styles == ["json_schema"] + ["json_object"] * (len(styles) - 1)
    assert set(between.types) == {"application/json", "text/event-stream"}


async def test_the_same_seed_gives_the_same_run(server: LlamaServer, tmp_path: Path) -> None:
    """Every word of every attempt, at one slot and at four."""
    runs = [
        await run(tmp_path / name, server.url, concurrency=slots, given=PROMPTS)
        for name, slots in (("one", 1), ("again", 1), ("four", 4))
    ]
    one, again, four = ({trace.prompt.text: said(trace) for trace in ran.traces} for ran in runs)
    assert one == again
    assert one == four
    assert len({str(words) for words in one.values()}) > 1


async def test_prompts_are_written_or_told(server: LlamaServer, tmp_path: Path) -> None:
    """A random model writes no prompt that begins as it must: each is dropped with its reason, and the run ends."""
    ran = await run(tmp_path, server.url, run__rounds=1)
    assert ran.ended.status == "done"
    told = [event for event in ran.events if isinstance(event, PromptsWritten | PromptsFailed)]
    assert len(told) == 3
    assert ran.traces == []


@pytest.mark.parametrize("kind", [*Mode, None])
async def test_every_reply_is_decoded_or_its_own_error(model: OpenAIChat, kind: Mode | None) -> None:
    """Thirty seeds of each schema, each of which gives the same text twice."""
    schema = prompts_schema() if kind is None else answer_schema(kind)
    decoded = 0
    texts: dict[int, str] = {}
    for seed in [*range(30), *range(0, 30, 7)]:
        try:
            content = (await model.chat(request(seed, schema))).content
        except NoAnswer as fault:
            content = fault.partial
        assert texts.setdefault(seed, content) == content
        try:
            decode_prompts(content) if kind is None else decode_answer(content, kind)
            decoded += 1
        except IllTyped:
            pass  # the server lets raw control characters into strings
    assert decoded > 15
    assert len(set(texts.values())) > 10


async def test_the_limit_of_tokens_is_a_truncation(model: OpenAIChat) -> None:
    """The finish reason says so, and what had come is kept."""
    with pytest.raises(Truncated) as caught:
        await model.chat(request(1, answer_schema(Mode.SUDO), max_tokens=8))
    assert caught.value.partial.lstrip().startswith("{")


async def test_a_prompt_that_is_too_long_is_told(model: OpenAIChat) -> None:
    """This server says 200 and then nothing at all to a stream; what that may mean is in the message."""
    await model.chat(request(1, answer_schema(Mode.SUDO)))
    long = ChatRequest((Message("user", "x" * 9000),), answer_schema(Mode.SUDO), 0.3, seed=1, max_tokens=8)
    with pytest.raises(Unfinished, match=r"without a word.*longer than its context"):
        await model.chat(long)


async def test_a_dropped_request_frees_the_model(server: LlamaServer, model: OpenAIChat) -> None:
    """The server stops at once: it says so, and the next reply comes although the first was never ended."""
    await model.chat(request(1, answer_schema(Mode.SUDO)))
    begun = asyncio.Event()
    feed = model._http.post_lines

    async def heard(path: str, body: dict[str, object], take: Any) -> Any:
        def listen(line: bytes) -> bool:
            begun.set()
            return bool(take(line))

        return await feed(path, body, listen)

    model._http.post_lines = heard  # type: ignore[method-assign, assignment]
    before = len(server.log)
    endless = {"type": "object", "properties": {"x": {"type": "string", "minLength": 3500}}, "required": ["x"]}
    task = asyncio.create_task(model.chat(request(1, endless, max_tokens=3900)))
    await asyncio.wait_for(begun.wait(), 60)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    await asyncio.to_thread(server.wait_for, "Disconnected from client", 30, after=before)
    async with asyncio.timeout(60):
        assert (await model.chat(request(1, answer_schema(Mode.SUDO)))).content


async def test_a_server_that_breaks_replies_off_is_explained(tmp_path: Path) -> None:
    """With its defaults this server ends a reply when another request comes; the message names the option."""
    write_model(tmp_path / "tiny.gguf", seed=1)
    with LlamaServer(tmp_path / "tiny.gguf", interrupts=True) as running:
        client = OpenAIChat(running.url, NAME)
        await client.chat(request(0, answer_schema(Mode.GOD)))
        asked = [client.chat(request(seed, answer_schema(Mode.GOD))) for seed in range(16)]
        ended = await asyncio.gather(*asked, return_exceptions=True)
        await client.aclose()
    broken = [end for end in ended if isinstance(end, Unfinished)]
    assert broken
    assert all("--interrupt_requests false" in str(end) for end in broken)
    assert all(isinstance(end, ChatReply) for end in ended if end not in broken)
