"""A reply made into an attempt, and an attempt's results into words."""

from __future__ import annotations

from collections.abc import Sequence

from selfplay_core.errors import IllTyped, NoAnswer
from selfplay_core.llm.base import ChatReply
from selfplay_core.llm.replies import decode_answer
from selfplay_core.models import Answer, Attempt, CommandResult, Mode, VerdictOutcome
from selfplay_core.text import clip
from selfplay_core.verify.verifier import MAX_COMMAND_BYTES, too_long

__all__ = ["NO_COMMAND", "attempt_of", "no_answer", "unsendable", "what_is_open", "what_went_wrong"]

NO_COMMAND = "The answer holds no command."


def attempt_of(number: int, reply: ChatReply, mode: Mode, *, hint: str | None = None) -> Attempt:
    """Make an attempt of a reply; one that is no answer, or cannot be sent, carries the error for the model."""
    answer: Answer | None = None
    error: str | None = None
    try:
        answer = decode_answer(reply.content, mode)
    except IllTyped as fault:
        error = str(fault)
    else:
        error = unsendable(answer.commands)
    return Attempt(
        number=number,
        raw=reply.content,
        answer=answer,
        error=error,
        thinking=reply.thinking,
        seconds=reply.seconds,
        output_tokens=reply.output_tokens,
        hint=hint,
    )


def no_answer(number: int, fault: NoAnswer) -> Attempt:
    """Keep what had come of a reply that never became an answer; it is evidence, and no mistake."""
    return Attempt(number=number, raw=fault.partial, answer=None, error=str(fault), thinking=fault.thinking)


def unsendable(commands: Sequence[str]) -> str | None:
    """Return why these commands cannot be sent, in words for the model; None if they can."""
    for index, command in enumerate(commands):
        if too_long(command):
            size = len(command.encode("utf-8", "surrogatepass"))
            return (
                f"commands[{index}] is {size} bytes long; the server reads at most {MAX_COMMAND_BYTES}. "
                "Write a shorter command, or several. Nothing was run."
            )
    return None


def what_went_wrong(attempt: Attempt) -> str:
    """Return why an attempt did not stand: its own form, or what the server said."""
    return attempt.error or what_is_open(attempt.results)


def what_is_open(results: tuple[CommandResult, ...]) -> str:
    """Return the gravest verdict on a command that is no proof, with the server's words."""
    grave = (VerdictOutcome.PASSED, VerdictOutcome.UNCLEAR, VerdictOutcome.FAILED, VerdictOutcome.REJECTED)
    worst = max(results, key=lambda result: grave.index(result.verdict.outcome))
    if worst.verdict.outcome is VerdictOutcome.PASSED:
        return "The commands were parsed, and not run."
    said = worst.reply or worst.verdict.message or "nothing"
    return f"{worst.verdict.outcome.value}: {clip(worst.command, 200)!r} was answered {clip(said, 400)!r}"
