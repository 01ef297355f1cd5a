"""The original script's two row types, key for key; what is new stands in `metadata`, and as `train` on a message."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from typing import Any, Final

from selfplay_core.dataset.cases import Case, LeftOut, Line, canonical, content_id, tags_of, why_not_accepted
from selfplay_core.dataset.conversation import NOTHING_RAN, spaced_json
from selfplay_core.dataset.evidence import (
    Evidence,
    evidence_of,
    gives_row,
    is_edited,
    outcome_of,
    own_commands,
    standing_answer,
    verifier_name,
)
from selfplay_core.models import (
    AUTO,
    UNKNOWN_VERSION,
    Answer,
    Attempt,
    CommandResult,
    Decision,
    Mode,
    Outcome,
    Row,
    Trace,
    VerdictOutcome,
)

__all__ = ["CORRECTION_ID", "SELF_CORRECTED", "STANDARD_ID", "seed_lines", "seed_row"]

STANDARD_ID: Final = "selfplay-"
CORRECTION_ID: Final = "selfplay-correction-"
SELF_CORRECTED: Final = "Self-corrected: "
_SOURCE: Final = "self_play"
_TOOL: Final = "rcon.execute"
_DIFFICULTIES: Final = ("easy", "medium", "hard")


def seed_row(trace: Trace, decision: Decision, *, risk_of: Callable[[str], int]) -> Row | None:
    """Return the row of an accepted trace, or None where the decision accepts nothing or no answer came.

    A pure function of its arguments: neither times nor run ids enter the row. `risk_of` rates a command as the
    policy does, from 1 to 5, where no ruling on it is kept.
    """
    answer = standing_answer(trace, decision)
    if not gives_row(decision) or answer is None:
        return None
    evidence = evidence_of(trace, decision, answer)
    outcome = outcome_of(trace, answer, evidence)
    metadata = {"risk_level": _risk(evidence, answer, risk_of), **_metadata(trace, decision, evidence, outcome)}
    if trace.outcome is Outcome.CORRECTED and answer.commands == own_commands(trace):
        return _with_id(CORRECTION_ID, _correction(trace, decision, answer, metadata))
    return _with_id(STANDARD_ID, _standard(trace, decision, answer, metadata))


def seed_lines(case: Case, *, risk_of: Callable[[str], int]) -> list[Line] | LeftOut:
    """Return the row of an accepted trace as a line, or why there is none."""
    trace, decision = case.trace, case.decision
    why = why_not_accepted(decision)
    if decision is None or why is not None:
        return why or LeftOut.UNDECIDED
    row, answer = seed_row(trace, decision, risk_of=risk_of), standing_answer(trace, decision)
    if row is None or answer is None:
        return LeftOut.NO_ANSWER
    # The row's id is the hash of all that it says.
    kind = "correction" if row.id.startswith(CORRECTION_ID) else "standard"
    asked = decision.edited_prompt or trace.prompt.text
    return [Line(row.line, asked, (row.id,), answer.commands, tags_of(case, kind))]


def _standard(trace: Trace, decision: Decision, answer: Answer, metadata: dict[str, Any]) -> dict[str, Any]:
    output: dict[str, Any] = {
        "reasoning": answer.reasoning,
        "commands": list(answer.commands),
        "safety_flags": [],
    }
    if trace.prompt.mode is Mode.GOD:
        output["message"] = answer.message or ""
    return {
        "source": _SOURCE,
        "category": "command_gen",
        "input": {
            "user_message": decision.edited_prompt or trace.prompt.text,
            "server_context": {"server_type": "paper", "version": trace.world.version or UNKNOWN_VERSION},
        },
        "output": output,
        "metadata": {**metadata, "system_prompt": trace.system},
    }


def _correction(trace: Trace, decision: Decision, answer: Answer, metadata: dict[str, Any]) -> dict[str, Any]:
    messages: list[dict[str, Any]] = [
        {"role": "system", "content": trace.system},
        {"role": "user", "content": decision.edited_prompt or trace.prompt.text},
    ]
    for attempt in trace.attempts:
        if attempt.hint:
            _add_hint(messages, attempt.hint)
        messages.extend(_turns(attempt, train=attempt is trace.last))
    messages.append({"role": "assistant", "content": _final_answer(trace, answer), "train": True})
    return {
        "source": _SOURCE,
        "type": "error_correction",
        "messages": messages,
        "metadata": {**metadata, "rendered_from": "json_answer"},
    }


def _add_hint(messages: list[dict[str, Any]], hint: str) -> None:
    """Add what a person told the model; chat templates know no two user turns in a row."""
    if messages[-1]["role"] == "user":
        messages[-1] = {"role": "user", "content": f"{messages[-1]['content']}\n\n{hint}"}
    else:
        messages.append({"role": "user", "content": hint})


def _turns(attempt: Attempt, *, train: bool) -> list[dict[str, Any]]:
    """Render one attempt: its calls in one assistant turn, then one tool turn per call.

    An attempt that was no answer stays what it was: the model's text, and what it was told of it.
    """
    if attempt.answer is None or attempt.error is not None:
        return [
            {"role": "assistant", "content": attempt.raw, "train": False},
            {"role": "user", "content": attempt.error or ""},
        ]
    calls = "\n".join(_tool_call(command) for command in attempt.answer.commands)
    turns: list[dict[str, Any]] = [{"role": "assistant", "content": calls, "train": train}]
    turns.extend({"role": "tool", "content": _tool_result(result)} for result in attempt.results)
    if attempt.answer.commands and not attempt.results:
        turns.append({"role": "user", "content": NOTHING_RAN})
    return turns


def _tool_call(command: str) -> str:
    call = {"name": _TOOL, "arguments": {"command": command}}
    return f"<tool_call>\n{_text(call)}\n</tool_call>"


def _tool_result(result: CommandResult) -> str:
    passed = result.verdict.outcome is VerdictOutcome.PASSED
    return _text({"success": passed, "result": result.reply})


def _final_answer(trace: Trace, answer: Answer) -> str:
    final: dict[str, Any] = {
        "commands": list(answer.commands),
        "reasoning": f"{SELF_CORRECTED}{answer.reasoning}",
    }
    if trace.prompt.mode is Mode.GOD:
        final["message"] = answer.message or ""
    return _text(final)


def _risk(evidence: Evidence, answer: Answer, risk_of: Callable[[str], int]) -> int:
    if len(evidence.results) == len(answer.commands):
        return max((result.risk or risk_of(result.command) for result in evidence.results), default=1)
    return max(map(risk_of, answer.commands), default=1)


def _metadata(trace: Trace, decision: Decision, evidence: Evidence, outcome: Outcome) -> dict[str, Any]:
    return {
        "self_play": True,
        "difficulty": _difficulty(trace),
        "validated": decision.by != AUTO,
        "rcon_verified": evidence.is_verified,
        "verifier": verifier_name(evidence.world),
        "attempts": len(trace.attempts),
        "generation_category": trace.prompt.category,
        "mode": trace.prompt.mode.value,
        "outcome": outcome.value,
        "level": evidence.level.value,
        "edited": is_edited(decision),
        "context": next((result.context for result in evidence.results if result.context), ""),
        "results": [_evidence_line(result) for result in evidence.results],
        "model": {"name": trace.model.name, "digest": trace.model.digest, "server": trace.model.kind},
        "server": {"brand": evidence.world.brand, "version": evidence.world.version},
        "parameters": trace.parameters,
    }


def _evidence_line(result: CommandResult) -> dict[str, str]:
    return {
        "command": result.command,
        "verdict": result.verdict.outcome.value,
        "level": result.level.value,
        "reply": result.reply,
    }


def _difficulty(trace: Trace) -> str:
    # An attempt that stood, and was asked for again by a person all the same, made the prompt no harder.
    again = [attempt.hint is not None for attempt in trace.attempts[1:]]
    stood = sum(_passed(attempt) for attempt, asked in zip(trace.attempts, again, strict=False) if asked)
    return _DIFFICULTIES[min(len(trace.attempts) - stood, len(_DIFFICULTIES)) - 1]


def _passed(attempt: Attempt) -> bool:
    outcomes = [result.verdict.outcome for result in attempt.results]
    return bool(outcomes) and all(outcome is VerdictOutcome.PASSED for outcome in outcomes)


def _with_id(prefix: str, body: dict[str, Any]) -> Row:
    row_id = content_id(prefix, hashlib.sha256(canonical(body)).hexdigest())
    return Row(row_id, canonical({"id": row_id, **body}))


def _text(body: dict[str, Any]) -> str:
    """Render JSON within a message with the original's spaces, which are tokens to a model that is trained on it."""
    return spaced_json(body)
