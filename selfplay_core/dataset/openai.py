"""The OpenAI API's fine-tuning files, which Together and Fireworks read too: chats with tools, and preferences.

Their lines hold what the API knows and nothing else: services refuse lines with keys of others.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import orjson

from selfplay_core.dataset.cases import Case, LeftOut, Line
from selfplay_core.dataset.conversation import TOOLS, Conversation, Kind, Turn
from selfplay_core.dataset.messages import Opening, conversation_lines, message, opening_messages, pair_lines
from selfplay_core.dataset.preferences import Pair

__all__ = ["dpo_lines", "sft_lines"]


def sft_lines(case: Case) -> list[Line] | LeftOut:
    """Return one line, in which an assistant's turn that is not to be learned weighs 0."""
    return conversation_lines(case, _chat, named=False)


def dpo_lines(case: Case) -> list[Line] | LeftOut:
    """Return a line for each pair."""
    return pair_lines(case, _preference, named=False)


def _chat(found: Conversation) -> Mapping[str, Any]:
    body: dict[str, Any] = {"messages": [_message(turn) for turn in found.turns]}
    if found.kind is Kind.CORRECTION:
        body.update(tools=list(TOOLS), parallel_tool_calls=True)
    return body


def _message(turn: Turn) -> dict[str, Any]:
    found = message(turn, arguments=_as_text)
    found.pop("name", None)
    if turn.role == "assistant":
        found["weight"] = int(turn.train)
    return found


def _as_text(command: str) -> str:
    return orjson.dumps({"command": command}).decode()


def _preference(opening: Opening, pair: Pair) -> Mapping[str, Any]:
    return {
        "input": {"messages": opening_messages(opening)},
        "preferred_output": [{"role": "assistant", "content": pair.chosen}],
        "non_preferred_output": [{"role": "assistant", "content": pair.rejected}],
    }
