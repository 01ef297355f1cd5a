"""The lines that most trainers have in common: conversations, pairs of answers, and answers with a label."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from selfplay_core.dataset.cases import (
    VERIFIED,
    Case,
    LeftOut,
    Line,
    canonical,
    tags_of,
    taught,
    verifier_in,
    why_not_accepted,
)
from selfplay_core.dataset.conversation import TOOL_NAME, Conversation, Turn, openings, tool_call
from selfplay_core.dataset.evidence import standing_answer
from selfplay_core.dataset.preferences import Label, Pair, labels, pairs
from selfplay_core.likeness.normal import normal_commands

__all__ = ["Opening", "conversation_lines", "label_lines", "message", "opening_messages", "pair_lines"]

Opening = tuple[Turn, Turn]
"""The system prompt and what the player asked."""


def conversation_lines(
    case: Case, body_of: Callable[[Conversation], Mapping[str, Any]], *, named: bool = True
) -> list[Line] | LeftOut:
    """Return the one line of an accepted trace; `named` lines say which one it is, and who judged it."""
    found = taught(case)
    if isinstance(found, LeftOut):
        return found
    answer = standing_answer(case.trace, case.decision)
    told = normal_commands(answer.commands) if answer is not None and answer.commands else found.turns[-1].content
    name = case.trace.id if named else None
    return [_line(case, body_of(found), (found.kind.value, told), (found.kind.value,), name)]


def pair_lines(
    case: Case, body_of: Callable[[Opening, Pair], Mapping[str, Any]], *, named: bool = True
) -> list[Line] | LeftOut:
    """Return a line for each two answers of an accepted trace of which one is better."""
    why = why_not_accepted(case.decision)
    if why is not None:
        return why
    opening = openings(case.trace, case.decision)
    return [
        _line(
            case,
            body_of(opening, pair),
            (pair.chosen, pair.rejected),
            (pair.origin.value, "near") if pair.is_near else (pair.origin.value,),
            f"{case.trace.id}-{pair.origin}-{pair.attempt}" if named else None,
        )
        for pair in pairs(case.trace, case.decision)
    ] or LeftOut.NO_PAIR


def label_lines(case: Case, body_of: Callable[[Opening, Label], Mapping[str, Any]]) -> list[Line] | LeftOut:
    """Return a line for each answer that is known to be good or bad."""
    opening = openings(case.trace, case.decision)
    return [
        _line(
            case,
            body_of(opening, label),
            (label.text, str(label.wanted)),
            ("wanted" if label.wanted else "unwanted", label.why),
            f"{case.trace.id}-{label.attempt}",
            is_standing=label.wanted,
        )
        for label in labels(case.trace, case.decision)
    ] or LeftOut.NO_LABEL


def opening_messages(opening: Opening) -> list[dict[str, Any]]:
    """Return what stands before an answer, as messages."""
    return [message(turn) for turn in opening]


def message(turn: Turn, *, arguments: Callable[[str], Any] = lambda command: {"command": command}) -> dict[str, Any]:
    """Return a turn as a message of a chat template; `arguments` makes those of a call from its command."""
    found: dict[str, Any] = {"role": turn.role, "content": turn.content}
    if turn.calls:
        found["tool_calls"] = [tool_call(call, arguments=arguments(call.command)) for call in turn.calls]
    if turn.role == "tool":
        found.update(name=TOOL_NAME, tool_call_id=turn.call_id)
    return found


def _line(
    case: Case,
    body: Mapping[str, Any],
    said: tuple[str, ...],
    kinds: tuple[str, ...],
    name: str | None,
    *,
    is_standing: bool = True,
) -> Line:
    """Make a line; what a server showed of the answer that stands is no evidence for another one."""
    tags = tags_of(case, *kinds)
    if not is_standing:
        tags = tuple(tag for tag in tags if tag != VERIFIED)
    origin = {} if name is None else {"id": name, "verifier": verifier_in(tags), VERIFIED: VERIFIED in tags}
    answer = standing_answer(case.trace, case.decision)
    edited = case.decision.edited_prompt if case.decision is not None else None
    commands = answer.commands if answer is not None else ()
    return Line(canonical({**origin, **body}), edited or case.trace.prompt.text, said, commands, tags)
