"""TRL: prompt and completion for SFT, so that the completion alone is trained; pairs for DPO; labels for KTO."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

import orjson

from selfplay_core.dataset.cases import Case, LeftOut, Line
from selfplay_core.dataset.conversation import TOOLS, Conversation, Kind
from selfplay_core.dataset.messages import (
    Opening,
    conversation_lines,
    label_lines,
    message,
    opening_messages,
    pair_lines,
)
from selfplay_core.dataset.preferences import Label, Pair

__all__ = ["TOOLS_AS_TEXT", "dpo_lines", "kto_lines", "sft_lines"]

TOOLS_AS_TEXT: Final = orjson.dumps(TOOLS).decode()
"""As one text: `datasets` would give each tool the fields of all others."""


def sft_lines(case: Case) -> list[Line] | LeftOut:
    """Return one line: everything up to the last answer is the prompt, and no failing answer is trained."""
    return conversation_lines(case, _split)


def dpo_lines(case: Case) -> list[Line] | LeftOut:
    """Return a line for each pair; chosen and rejected are one turn each, as DPO masks nothing within them."""
    return pair_lines(case, _pair)


def kto_lines(case: Case) -> list[Line] | LeftOut:
    """Return a line for each answer that is wanted, or not."""
    return label_lines(case, _labelled)


def _split(found: Conversation) -> Mapping[str, Any]:
    *before, last = found.turns
    return {
        "prompt": [message(turn) for turn in before],
        "completion": [message(last)],
        "tools": TOOLS_AS_TEXT if found.kind is Kind.CORRECTION else None,
    }


def _pair(opening: Opening, pair: Pair) -> Mapping[str, Any]:
    return {
        "prompt": opening_messages(opening),
        "chosen": _said(pair.chosen),
        "rejected": _said(pair.rejected),
        "origin": pair.origin.value,
        "edit_distance": pair.distance,
        "edit_share": pair.share,
        "near": pair.is_near,
    }


def _labelled(opening: Opening, label: Label) -> Mapping[str, Any]:
    return {
        "prompt": opening_messages(opening),
        "completion": _said(label.text),
        "label": label.wanted,
        "why": label.why,
    }


def _said(text: str) -> list[dict[str, Any]]:
    return [{"role": "assistant", "content": text}]
