"""LLaMA-Factory: the sharegpt shape, in which two sides alternate strictly, and its entry in dataset_info.json.

Corrections want `mask_history: true` in the training settings: of each conversation the last turn alone is trained.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, Final

import orjson

from selfplay_core.dataset.cases import Case, LeftOut, Line
from selfplay_core.dataset.conversation import TOOL_NAME, Conversation, Kind, Turn
from selfplay_core.dataset.messages import Opening, conversation_lines, label_lines, pair_lines
from selfplay_core.dataset.preferences import Label, Pair
from selfplay_core.dataset.trl import TOOLS_AS_TEXT

__all__ = ["dataset_info", "dpo_lines", "kto_lines", "sft_lines"]

# How LLaMA-Factory's own converter joins the results of calls that were made at once.
_NEXT_RESULT: Final = "\n</tool_response>\n<tool_response>\n"
_NEXT_TEXT: Final = "\n\n"
# It looks for <tool_call> and <think> in the text of calls before it reads that as JSON, also within a command.
_NO_TAG: Final = "\\u003c"

_COLUMNS: Final = {"messages": "conversations", "system": "system"}


def sft_lines(case: Case) -> list[Line] | LeftOut:
    """Return one line, whose last turn is what is to be learned."""
    return conversation_lines(case, _sharegpt)


def dpo_lines(case: Case) -> list[Line] | LeftOut:
    """Return a line for each pair."""
    return pair_lines(case, _pair)


def kto_lines(case: Case) -> list[Line] | LeftOut:
    """Return a line for each answer that is wanted, or not."""
    return label_lines(case, _labelled)


def dataset_info(name: str, file_name: str) -> dict[str, Any]:
    """Return what dataset_info.json says of a file of the format `name`."""
    entry: dict[str, Any] = {"file_name": file_name, "formatting": "sharegpt"}
    match name:
        case "llamafactory-dpo":
            columns = {**_COLUMNS, "chosen": "chosen", "rejected": "rejected"}
            return {**entry, "ranking": True, "columns": columns}
        case "llamafactory-kto":
            return {**entry, "columns": {**_COLUMNS, "kto_tag": "kto_tag"}}
        case _:
            return {**entry, "columns": {**_COLUMNS, "tools": "tools"}}


def _sharegpt(found: Conversation) -> Mapping[str, Any]:
    system, *turns = found.turns
    return {
        "conversations": _alternating(turns),
        "system": system.content,
        "tools": TOOLS_AS_TEXT if found.kind is Kind.CORRECTION else "",
    }


def _alternating(turns: Iterable[Turn]) -> list[dict[str, str]]:
    """Join what one side says in a row: results of calls, and a person's hint after them."""
    found: list[dict[str, str]] = []
    before: Turn | None = None
    for turn in turns:
        if turn.role == "assistant":
            found.append(_assistant(turn))
        elif before is not None and before.role != "assistant":
            between = _NEXT_RESULT if turn.role == before.role == "tool" else _NEXT_TEXT
            found[-1]["value"] += between + turn.content
        else:
            found.append({"from": "observation" if turn.role == "tool" else "human", "value": turn.content})
        before = turn
    return found


def _assistant(turn: Turn) -> dict[str, str]:
    if not turn.calls:
        return {"from": "gpt", "value": turn.content}
    calls = [{"name": TOOL_NAME, "arguments": {"command": call.command}} for call in turn.calls]
    return {"from": "function_call", "value": orjson.dumps(calls).decode().replace("<", _NO_TAG)}


def _pair(opening: Opening, pair: Pair) -> Mapping[str, Any]:
    return {
        **_asked(opening),
        "chosen": {"from": "gpt", "value": pair.chosen},
        "rejected": {"from": "gpt", "value": pair.rejected},
        "edit_distance": pair.distance,
        "near": pair.is_near,
    }


def _labelled(opening: Opening, label: Label) -> Mapping[str, Any]:
    asked = _asked(opening)
    said = {"from": "gpt", "value": label.text}
    return {**asked, "conversations": [*asked["conversations"], said], "kto_tag": label.wanted}


def _asked(opening: Opening) -> dict[str, Any]:
    system, user = opening
    return {"conversations": [{"from": "human", "value": user.content}], "system": system.content}
