"""Axolotl: `type: chat_template` with `message_field_training: train`; pairs as `chat_template.default` reads them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from selfplay_core.dataset.cases import Case, LeftOut, Line
from selfplay_core.dataset.conversation import Conversation, Kind, Turn
from selfplay_core.dataset.messages import Opening, conversation_lines, message, opening_messages, pair_lines
from selfplay_core.dataset.preferences import Pair
from selfplay_core.dataset.trl import TOOLS_AS_TEXT

__all__ = ["dpo_lines", "sft_lines"]


def sft_lines(case: Case) -> list[Line] | LeftOut:
    """Return one line, in which each message says whether it is trained."""
    return conversation_lines(case, _whole)


def dpo_lines(case: Case) -> list[Line] | LeftOut:
    """Return a line for each pair, as text: of a message Axolotl copies nothing here but role and content."""
    return pair_lines(case, _pair)


def _whole(found: Conversation) -> Mapping[str, Any]:
    return {
        "messages": [_message(turn) for turn in found.turns],
        "tools": TOOLS_AS_TEXT if found.kind is Kind.CORRECTION else None,
    }


def _message(turn: Turn) -> dict[str, Any]:
    return {**message(turn), "train": turn.train}


def _pair(opening: Opening, pair: Pair) -> Mapping[str, Any]:
    return {
        "messages": opening_messages(opening),
        "chosen": {"role": "assistant", "content": pair.chosen},
        "rejected": {"role": "assistant", "content": pair.rejected},
        "edit_distance": pair.distance,
        "near": pair.is_near,
    }
