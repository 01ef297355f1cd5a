"""The OpenAI files against the published shape of chats with tools and of preferences; no package knows it."""

from __future__ import annotations

import json
from typing import Any

import pytest

from tests.consumers.golden import commands_of, failing_commands, golden, standing_commands, told

_KEYS = {
    "system": {"role", "content"},
    "user": {"role", "content"},
    "assistant": {"role", "content", "weight"},
    "tool": {"role", "content", "tool_call_id"},
}

chats = pytest.mark.parametrize("row", golden("openai"), ids=lambda row: row["messages"][1]["content"])
preferences = pytest.mark.parametrize("row", golden("openai-dpo"))


def calls_in(message: dict[str, Any]) -> list[dict[str, Any]]:
    calls: list[dict[str, Any]] = message.get("tool_calls", [])
    return calls


@chats
def test_no_key_is_foreign(row: dict[str, Any]) -> None:
    """A line and its messages have the keys of the API and no others; tools bring `parallel_tool_calls` with them."""
    assert set(row) in ({"messages"}, {"messages", "tools", "parallel_tool_calls"})
    for message in row["messages"]:
        assert set(message) - {"tool_calls"} == _KEYS[message["role"]]
        assert "tool_calls" not in message or (message["role"] == "assistant" and message["tool_calls"])
        assert isinstance(message["content"], str)


@chats
def test_calls_are_of_a_tool_that_the_line_names(row: dict[str, Any]) -> None:
    """Arguments are a text, which parses to an object of the tool's parameters."""
    tools = {tool["function"]["name"]: tool["function"]["parameters"] for tool in row.get("tools", [])}
    for call in (call for message in row["messages"] for call in calls_in(message)):
        assert set(call) == {"id", "type", "function"}
        assert call["type"] == "function"
        assert set(call["function"]) == {"name", "arguments"}
        assert isinstance(call["function"]["arguments"], str)
        arguments = json.loads(call["function"]["arguments"])
        schema = tools[call["function"]["name"]]
        assert set(schema["required"]) <= set(arguments) <= set(schema["properties"])
        assert all(isinstance(value, str) and value for value in arguments.values())


@chats
def test_every_call_but_the_last_turns_is_answered_once_and_at_once(row: dict[str, Any]) -> None:
    """After a turn with calls come exactly their answers, in their order, and no id stands twice."""
    messages = row["messages"]
    seen: list[str] = []
    for place, message in enumerate(messages[:-1]):
        ids = [call["id"] for call in calls_in(message)]
        answers = messages[place + 1 : place + 1 + len(ids)]
        assert [answer.get("tool_call_id") for answer in answers] == ids
        seen.extend(ids)
    assert [message["tool_call_id"] for message in messages if message["role"] == "tool"] == seen
    seen.extend(call["id"] for call in calls_in(messages[-1]))
    assert len(set(seen)) == len(seen)


@chats
def test_the_last_answer_alone_weighs(row: dict[str, Any]) -> None:
    """Weights are 0 or 1 and stand on the assistant's turns; the last message is one, and the only one of weight 1."""
    weights = [message["weight"] for message in row["messages"] if message["role"] == "assistant"]
    assert row["messages"][-1]["role"] == "assistant"
    assert weights == [0] * (len(weights) - 1) + [1]
    assert all(type(weight) is int for weight in weights)


@pytest.mark.parametrize(("row", "named"), zip(golden("openai"), golden("trl-sft"), strict=True))
def test_what_weighs_is_the_answer_that_stands(row: dict[str, Any], named: dict[str, Any]) -> None:
    """The last message holds the commands of the trace's standing answer, none that failed, and nothing is missing."""
    last = row["messages"][-1]
    assert told(last["content"], commands_of(last)) == standing_commands(named)
    assert not failing_commands(named) & set(commands_of(last))


@preferences
def test_a_preference_is_one_answer_against_another(row: dict[str, Any]) -> None:
    """Both sides hold one plain answer, they differ, and the input ends with the question."""
    assert set(row) == {"input", "preferred_output", "non_preferred_output"}
    assert set(row["input"]) == {"messages"}
    assert [message["role"] for message in row["input"]["messages"]] == ["system", "user"]
    sides = [row["preferred_output"], row["non_preferred_output"]]
    assert all(len(side) == 1 and set(side[0]) == {"role", "content"} for side in sides)
    assert all(side[0]["role"] == "assistant" and side[0]["content"] for side in sides)
    assert sides[0] != sides[1]


def test_there_is_a_correction_with_several_calls_and_one_without_any_answer() -> None:
    """The golden lines hold the hard cases, so that the laws above are about something."""
    rows = golden("openai")
    assert any(len(calls_in(message)) > 1 for row in rows for message in row["messages"])
    assert any(
        message["weight"] == 0 and not calls_in(message)
        for row in rows
        for message in row["messages"]
        if message["role"] == "assistant"
    )
