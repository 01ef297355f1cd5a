"""A decided trace as the turns that a model is trained on: the answer as JSON, or a correction by tool calls."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, Final, Literal

from selfplay_core.dataset.evidence import own_commands, standing_answer
from selfplay_core.models import Answer, Attempt, Decision, Mode, Outcome, Trace

__all__ = [
    "NOTHING_RAN",
    "TOOLS",
    "TOOL_NAME",
    "Call",
    "Conversation",
    "Kind",
    "Turn",
    "answer_text",
    "attempt_text",
    "conversation",
    "openings",
    "spaced_json",
    "tool_call",
]

TOOL_NAME: Final = "rcon_execute"
TOOLS: Final[tuple[dict[str, Any], ...]] = (
    {
        "type": "function",
        "function": {
            "name": TOOL_NAME,
            "description": "Run one command in the console of the Minecraft server and return the server's reply.",
            "parameters": {
                "type": "object",
                "properties": {"command": {"type": "string", "description": "One command, without a leading slash."}},
                "required": ["command"],
            },
        },
    },
)
"""The tools that a correction calls, as chat templates and the OpenAI API take them."""

NOTHING_RAN: Final = "Nothing of this answer was run."
"""What a turn is told that neither ran nor was refused."""


_ENCODER: Final = json.JSONEncoder(ensure_ascii=False)


class Kind(StrEnum):
    """What a conversation teaches."""

    SFT = "sft"
    CORRECTION = "correction"
    REFUSAL = "refusal"


@dataclass(frozen=True, slots=True)
class Call:
    """One call of the tool; `id` has nine letters and digits, the only form that every chat template takes."""

    id: str
    command: str


@dataclass(frozen=True, slots=True)
class Turn:
    """One message; `call_id` names the call that a tool's turn answers, `train` says whether a model is to learn it."""

    role: Literal["system", "user", "assistant", "tool"]
    content: str
    calls: tuple[Call, ...] = ()
    call_id: str = ""
    train: bool = False


@dataclass(frozen=True, slots=True)
class Conversation:
    """The turns of one example; the last one is the assistant's, and the only one that is trained."""

    kind: Kind
    turns: tuple[Turn, ...]


def conversation(trace: Trace, decision: Decision | None) -> Conversation | None:
    """Return what the standing answer teaches, None where no answer came.

    A correction is told with every attempt, as calls of a tool and the server's replies, and ends with the answer that
    stood. It stays one while an edit leaves the model's last commands as they are.
    """
    answer = standing_answer(trace, decision)
    if answer is None:
        return None
    opening = openings(trace, decision)
    is_correction = trace.outcome is Outcome.CORRECTED and len(trace.attempts) > 1
    if is_correction and answer.commands == own_commands(trace):
        return Conversation(Kind.CORRECTION, (*opening, *_correction(trace, answer)))
    kind = Kind.SFT if answer.commands else Kind.REFUSAL
    return Conversation(kind, (*opening, Turn("assistant", answer_text(answer, trace.prompt.mode), train=True)))


def openings(trace: Trace, decision: Decision | None) -> tuple[Turn, Turn]:
    """Return what every answer follows: the system prompt as it was, and what the player asked."""
    asked = decision.edited_prompt if decision is not None else None
    return Turn("system", trace.system), Turn("user", asked or trace.prompt.text)


def answer_text(answer: Answer, mode: Mode) -> str:
    """Return an answer as the JSON that the system prompt asks for: keys in its order, its blanks, no escapes."""
    said: dict[str, Any] = {"message": answer.message or ""} if mode is Mode.GOD else {}
    return spaced_json({**said, "commands": answer.commands, "reasoning": answer.reasoning})


def spaced_json(body: dict[str, Any]) -> str:
    """Return JSON as models write it: a blank after each comma and colon, and nothing escaped that need not be."""
    return _ENCODER.encode(body)


def attempt_text(attempt: Attempt, mode: Mode) -> str:
    """Return what the model said: its answer in the usual form, or, where it was no answer, the reply as it came."""
    return attempt.raw if attempt.answer is None else answer_text(attempt.answer, mode)


def tool_call(call: Call, *, arguments: Any) -> dict[str, Any]:
    """Return a call as a message holds it: chat templates want `arguments` as an object, the OpenAI API as text."""
    return {"id": call.id, "type": "function", "function": {"name": TOOL_NAME, "arguments": arguments}}


def _correction(trace: Trace, answer: Answer) -> Iterator[Turn]:
    for attempt, following in zip(trace.attempts, trace.attempts[1:], strict=False):
        yield from _attempt(attempt, trace.prompt.mode, following.hint or "")
    yield Turn("assistant", _words(answer), _calls(len(trace.attempts), answer.commands), train=True)


def _attempt(attempt: Attempt, mode: Mode, hint: str) -> Iterator[Turn]:
    """Yield an earlier attempt and what was told of it; one that ran nothing stays the text that it was.

    No two turns of the user follow each other: some chat templates refuse those.
    """
    if attempt.answer is None or not attempt.results:
        yield Turn("assistant", attempt_text(attempt, mode))
        yield Turn("user", "\n\n".join(filter(None, (attempt.error or NOTHING_RAN, hint))))
        return
    calls = _calls(attempt.number, tuple(result.command for result in attempt.results))
    yield Turn("assistant", _words(attempt.answer), calls)
    for call, result in zip(calls, attempt.results, strict=True):
        yield Turn("tool", result.reply, call_id=call.id)
    if hint:
        yield Turn("user", hint)


def _words(answer: Answer) -> str:
    """Return what is said beside the calls: the god's message, else why these commands."""
    return answer.reasoning if answer.message is None else answer.message


def _calls(attempt: int, commands: tuple[str, ...]) -> tuple[Call, ...]:
    return tuple(
        Call(f"c{attempt % 10_000:04d}{place % 10_000:04d}", command) for place, command in enumerate(commands)
    )
