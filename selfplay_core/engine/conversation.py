"""What the model is told: the persona, the request, and the whole history of its attempts."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import zip_longest
from string import Template

import orjson

from selfplay_core.categories import Texts
from selfplay_core.engine.choosing import Choice
from selfplay_core.llm.base import Message
from selfplay_core.models import Attempt, CommandResult, Mode, Prompt, Trace, VerdictOutcome
from selfplay_core.text import clip, one_line

__all__ = ["Speaker", "answer_messages", "messages_again", "system_prompt", "writer_messages"]

_REPLY_LIMIT = 600
_KNOWN_LIMIT = 200
_RAW_LIMIT = 4_000
_REFUSALS = (VerdictOutcome.REJECTED, VerdictOutcome.FAILED)


@dataclass(frozen=True, slots=True)
class Speaker:
    """Who is online, and on which game version; the first player is the one who speaks."""

    players: tuple[str, ...]
    version: str

    def fill(self, texts: Texts, template: str, **values: str) -> str:
        """Fill a template, and the player names within the values first."""
        names = {"player": self.players[0], "players": ", ".join(self.players), "version": self.version}
        filled = {key: Template(value).safe_substitute(names) for key, value in values.items()}
        return texts.fill(template, **names, **filled)


def system_prompt(texts: Texts, speaker: Speaker, prompt: Prompt) -> str:
    """Return the persona that answers a prompt; it stays the same through every retry."""
    template = "answer_god.txt" if prompt.mode is Mode.GOD else "answer_sudo.txt"
    return speaker.fill(texts, template, syntax=texts.categories[prompt.category].syntax.strip())


def answer_messages(texts: Texts, system: str, prompt: Prompt, attempts: Sequence[Attempt]) -> tuple[Message, ...]:
    """Return the conversation so far; each earlier attempt is followed by what the server made of it."""
    messages = [Message("system", system), Message("user", prompt.text)]
    for attempt, following in zip_longest(attempts, attempts[1:]):
        messages.append(Message("assistant", clip(attempt.raw, _RAW_LIMIT)))
        hint = None if following is None else following.hint
        messages.append(
            Message("user", _retry_text(texts, attempt) if hint is None else again_text(texts, attempt, hint))
        )
    return tuple(messages)


def messages_again(texts: Texts, trace: Trace, hint: str) -> tuple[Message, ...]:
    """Return the conversation of a trace that ended, with a person's word at its end; `hint` may be blank."""
    *before, last = answer_messages(texts, trace.system, trace.prompt, trace.attempts)
    if trace.last is None:
        return (*before, last)
    return (*before, Message("user", again_text(texts, trace.last, hint)))


def writer_messages(texts: Texts, speaker: Speaker, choice: Choice) -> tuple[Message, ...]:
    """Return the request for the prompts of a category, one for each wish."""
    category = choice.category
    entry = texts.categories[category]
    request = speaker.fill(
        texts,
        "writer_request.txt",
        category=category,
        theme=entry.theme,
        count=str(len(choice.wishes)),
        prefixes=", ".join(entry.prefixes),
        what=entry.what.strip(),
        wishes="\n".join(f"{number}. {wish}" for number, wish in enumerate(choice.wishes, start=1)),
        examples="\n".join(f"- {example}" for example in choice.examples),
        avoid="\n".join(f"- {clip(one_line(prompt), _KNOWN_LIMIT)}" for prompt in choice.avoid) or "- nothing yet",
    )
    return (Message("system", speaker.fill(texts, "writer.txt")), Message("user", request))


def _retry_text(texts: Texts, attempt: Attempt) -> str:
    """Return what the model is told of an attempt that did not stand."""
    report = attempt.error or "\n".join(_report_lines(attempt.results))
    return texts.fill("retry.txt", report=report)


def again_text(texts: Texts, attempt: Attempt, hint: str) -> str:
    """Return what the model is told when a person asks it anew: what came of the attempt, and the person's hint."""
    report = attempt.error or "\n".join(_neutral_lines(attempt.results))
    if hint.strip():
        return texts.fill("again_hint.txt", report=report, hint=hint.strip())
    return texts.fill("again.txt", report=report)


def _neutral_lines(results: Sequence[CommandResult]) -> list[str]:
    if not results:
        return ["Nothing of your answer was run."]
    if any(result.verdict.outcome in _REFUSALS for result in results):
        return _report_lines(results)
    return ["The server's replies to your commands, one by one:", *_numbered(results)]


def _report_lines(results: Sequence[CommandResult]) -> list[str]:
    return ["The server did not accept everything. Its replies, command by command:", *_numbered(results)]


def _numbered(results: Sequence[CommandResult]) -> list[str]:
    return [
        f"{number}. {_quoted(result.command)} -> {_heading(result)}: {_quoted(clip(result.reply, _REPLY_LIMIT))}"
        for number, result in enumerate(results, start=1)
    ]


def _heading(result: CommandResult) -> str:
    match result.verdict.outcome:
        case VerdictOutcome.PASSED:
            return "ok"
        case VerdictOutcome.REJECTED:
            return "ERROR, the command is not valid"
        case VerdictOutcome.FAILED:
            return "FAILED"
        case VerdictOutcome.UNCLEAR:
            return "no clear reply"


def _quoted(text: str) -> str:
    """Quote as JSON, so that text from the server cannot pose as an instruction on a line of its own."""
    return orjson.dumps(text).decode()
