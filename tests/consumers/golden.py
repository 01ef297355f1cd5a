"""The golden lines, and what they say of themselves."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from selfplay_core.dataset.cases import Case
from selfplay_core.dataset.evidence import standing_answer
from selfplay_core.models import CommandResult
from tests.golden_cases import CASES, GOLDEN

__all__ = ["commands_of", "earlier_results", "failing_commands", "golden", "golden_path", "standing_commands", "told"]


def golden_path(name: str) -> Path:
    """Where the lines of a format stand."""
    return GOLDEN / f"{name}.jsonl"


def golden(name: str) -> list[dict[str, Any]]:
    """The lines of a format."""
    return [json.loads(line) for line in golden_path(name).read_text("utf-8").split("\n") if line]


def commands_of(message: dict[str, Any]) -> tuple[str, ...]:
    """The commands that a message calls the tool with; none of an answer in plain text."""
    calls = [call["function"]["arguments"] for call in message.get("tool_calls") or ()]
    return tuple((json.loads(call) if isinstance(call, str) else call)["command"] for call in calls)


def told(words: str, commands: tuple[str, ...]) -> tuple[str, ...]:
    """The commands of an answer, be they called or told in its JSON."""
    return commands or tuple(json.loads(words)["commands"])


def standing_commands(row: dict[str, Any]) -> tuple[str, ...]:
    """The commands of the answer that stands in the trace which a line was made of."""
    case = _case_of(row)
    answer = standing_answer(case.trace, case.decision)
    assert answer is not None
    return answer.commands


def earlier_results(row: dict[str, Any]) -> list[CommandResult]:
    """What the commands of that trace's earlier attempts came to; none where the first attempt stands."""
    return [result for attempt in _case_of(row).trace.attempts[:-1] for result in attempt.results]


def failing_commands(row: dict[str, Any]) -> set[str]:
    """The commands of that trace's earlier attempts which the standing answer does not hold."""
    return {result.command for result in earlier_results(row)} - set(standing_commands(row))


def _case_of(row: dict[str, Any]) -> Case:
    return next(case for case in CASES if case.trace.id == row["id"])
