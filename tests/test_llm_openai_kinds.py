"""The one adapter on five servers: schema taken, thinking off where it can be, a whole round, doctor."""

from __future__ import annotations

import logging
from pathlib import Path

import orjson
import pytest

from selfplay_core.engine.session import Job
from selfplay_core.errors import Blank, ModelNotFound, ModelRefusedRequest, ModelServerError, Truncated
from selfplay_core.events import TraceEnded
from selfplay_core.llm.base import ChatRequest, Message
from selfplay_core.llm.openai import OpenAIChat
from selfplay_core.llm.replies import answer_schema
from selfplay_core.models import Mode
from tests.bakeoffs import Skill, bake, bakery, skilled, write_cases
from tests.commands import run_command
from tests.servers.ollama import FakeOllama, Reply, fail, say_events
from tests.servers.openai_kinds import KINDS, THOUGHT, serve
from tests.worlds import Playground, model_says, play, playground

CONTENT = '{"commands": ["list"], "reasoning": "x"}'
REQUEST = ChatRequest(
    (Message("user", "sudo list"),), answer_schema(Mode.SUDO), temperature=0.3, seed=1, max_tokens=300
)
LOOSE = frozenset(("llama-cpp-python",))


def client(server: FakeOllama, *, think: bool = False, effort: str | None = None, model: str = "theirs") -> OpenAIChat:
    return OpenAIChat(server.url, model, think=think, reasoning_effort=effort, connect_seconds=1)


@pytest.mark.parametrize("name", KINDS)
async def test_every_server_answers_by_the_schema_and_without_thinking(name: str) -> None:
    """The second request goes out in the form that the server takes; what it thinks all the same is kept apart."""
    with serve(KINDS[name], lambda body: CONTENT) as server:
        model = client(server)
        identity = await model.identify()
        replies = [await model.chat(REQUEST) for _ in range(2)]
        await model.aclose()
    assert [reply.content for reply in replies] == [CONTENT] * 2
    assert {reply.thinking for reply in replies} == {THOUGHT if KINDS[name].always_thinks_aloud else ""}
    assert {reply.output_tokens for reply in replies} == {7 if KINDS[name].tells_usage else 0}
    forms = [chat["response_format"]["type"] for chat in server.chats]
    assert forms == (["json_schema", *["json_object"] * 2] if name in LOOSE else ["json_schema"] * 2)
    assert identity.server_version == ("Ollama 0.32.1" if name == "Ollama" else "")


@pytest.mark.parametrize("name", ["llama-server", "vLLM", "Ollama"])
async def test_a_server_that_is_let_think_does(name: str) -> None:
    """So it is the request that switches thinking off, and not the imitation that never thinks."""
    with serve(KINDS[name], lambda body: CONTENT) as server:
        model = client(server, think=True)
        await model.identify()
        with pytest.raises(Truncated, match="while it was still thinking") as caught:
            await model.chat(REQUEST)
        await model.aclose()
    assert caught.value.thinking == THOUGHT


@pytest.mark.parametrize("name", KINDS)
async def test_a_model_that_is_not_there_is_told(name: str) -> None:
    """Whether the error is a string or an object; llama-cpp-python serves what it has loaded under any name."""
    with serve(KINDS[name], lambda body: CONTENT) as server:
        model = client(server, model="another")
        if name in LOOSE:
            assert (await model.chat(REQUEST)).content == CONTENT
        else:
            with pytest.raises(ModelNotFound, match="model 'another' not found"):
                await model.chat(REQUEST)
        await model.aclose()


async def test_the_level_of_thinking_is_passed_on() -> None:
    """As the effort, which is how all five name it; nothing switches thinking off beside it."""
    with serve(KINDS["llama-server"], lambda body: CONTENT) as server:
        model = client(server, think=True, effort="low")
        with pytest.raises(Truncated):
            await model.chat(REQUEST)
        await model.aclose()
    assert server.chats[0]["reasoning_effort"] == "low"
    assert "chat_template_kwargs" not in server.chats[0]


@pytest.mark.parametrize("name", KINDS)
async def test_a_run_goes_through_on_every_server(tmp_path: Path, name: str) -> None:
    """Prompts written, answered, corrected and kept, over the adapter that a person would name."""
    async with playground(tmp_path) as ground:
        with serve(KINDS[name], model_says) as server:
            ran = await play(_job(ground, server))
    assert ran.ended.status == "done"
    outcomes = {event.trace.outcome.value for event in ran.events if isinstance(event, TraceEnded)}
    assert len(ran.traces) >= 5
    assert "errored" not in outcomes
    assert {trace.model.kind for trace in ran.traces} == {"openai"}


def _job(ground: Playground, server: FakeOllama) -> Job:
    return ground.job(llm__kind="openai", llm__url=server.url, run__rounds=1)


@pytest.mark.parametrize("name", ["llama-cpp-python", "vLLM", "Ollama"])
async def test_models_are_compared_on_every_server(tmp_path: Path, name: str) -> None:
    """A bake-off asks each model of the server by its own client, and marks every case of both."""
    skills = {"good": Skill(90), "bad": Skill(20, mended=30)}
    async with bakery(tmp_path, **skills) as made:
        with serve(KINDS[name], lambda body: skilled(body, skills[body["model"]]), models=tuple(skills)) as server:
            book = write_cases(tmp_path, 12)
            baked = await bake(made.job(book, llm__kind="openai", llm__url=server.url))
    assert {model: len(baked.marks(model)) for model in skills} == {"good": 12, "bad": 12}
    assert all(event.mark.is_decided for event in baked.marked)
    assert {chat["model"] for chat in server.chats} == set(skills)


@pytest.mark.parametrize("name", ["llama-cpp-python", "LM Studio", "Ollama"])
async def test_doctor_is_content(tmp_path: Path, name: str) -> None:
    """With --llm openai every line is well, and says which server it is where that can be known."""
    async with playground(tmp_path) as ground:
        with serve(KINDS[name], model_says) as server:
            flags = ["--llm", "openai", "--llm-url", server.url, "--model", "theirs", "--rcon-port"]
            done = await run_command(
                tmp_path, "doctor", "--json", *flags, str(ground.server.port), "--concurrency", "2"
            )
    checks = {check["name"]: check for check in map(orjson.loads, done.out.splitlines())}
    assert done.code == 0, done
    assert all(check["well"] for check in checks.values())
    assert ("Ollama 0.32.1" in checks["model server"]["said"]) == (name == "Ollama")
    assert ("sent as json_object" in done.err) == (name in LOOSE)


async def test_a_failure_by_chance_changes_no_form() -> None:
    """A 500 without a reason is repeated in the other form, and counts for that once it came twice."""
    failures = iter([True])

    def script(body: dict[str, object]) -> Reply:
        return fail(500, {"error": "crashed"}) if next(failures, False) else say_events(CONTENT)

    with FakeOllama(script) as server:
        model = client(server)
        for _ in range(3):
            assert (await model.chat(REQUEST)).content == CONTENT
        await model.aclose()
    forms = [chat["response_format"]["type"] for chat in server.chats]
    assert forms == ["json_schema", "json_object", "json_schema", "json_schema"]


async def test_a_silent_refusal_is_learnt_from_the_second_time(caplog: pytest.LogCaptureFixture) -> None:
    """A server that fails by json_schema alone, and never says why; that it is sent otherwise is told once."""

    def script(body: dict[str, dict[str, object]]) -> Reply:
        is_loose = body["response_format"]["type"] == "json_object"
        return say_events(CONTENT) if is_loose else fail(500, {"error": "Internal Server Error"})

    with FakeOllama(script) as server, caplog.at_level(logging.WARNING):
        model = client(server)
        for _ in range(4):
            assert (await model.chat(REQUEST)).content == CONTENT
        await model.aclose()
    forms = [chat["response_format"]["type"] for chat in server.chats]
    assert forms == ["json_schema", "json_object"] * 2 + ["json_object"] * 2
    assert [record.getMessage().partition("HTTP")[2] for record in caplog.records] == [
        " 500); from now on it is sent as json_object."
    ]


@pytest.mark.parametrize("status", [400, 500])
async def test_once_a_form_was_taken_a_refusal_is_about_something_else(status: int) -> None:
    """Nothing is sent twice then."""
    replies = iter([say_events(CONTENT)])
    with FakeOllama(lambda _: next(replies, fail(status, {"error": "prompt too long"}))) as server:
        model = client(server)
        await model.chat(REQUEST)
        with pytest.raises((ModelRefusedRequest, ModelServerError), match="prompt too long"):
            await model.chat(REQUEST)
        await model.aclose()
    assert len(server.chats) == 2


async def test_the_refusal_that_is_told_is_the_one_that_matters() -> None:
    """LM Studio without a model refuses both forms: the second time for the form, which says nothing."""

    def script(body: dict[str, dict[str, object]]) -> Reply:
        if body["response_format"]["type"] == "json_object":
            return fail(400, {"error": "'response_format.type' must be 'json_schema' or 'text'"})
        return fail(400, {"error": "No models loaded"})

    with FakeOllama(script) as server:
        model = client(server)
        with pytest.raises(ModelRefusedRequest, match="No models loaded"):
            await model.chat(REQUEST)
        await model.aclose()


async def test_an_answer_that_came_as_thinking_stays_thinking_and_is_explained() -> None:
    """LM Studio does so with some models: what to switch off is told, and nothing is taken for an answer."""
    with FakeOllama(lambda _: say_events("", thinking=CONTENT, key="reasoning_content")) as server:
        model = client(server)
        with pytest.raises(Blank, match=r"takes the answer for thinking.*LM Studio"):
            await model.chat(REQUEST)
        await model.aclose()
