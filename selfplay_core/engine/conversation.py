"""What the model is told: the persona, the request, and the whole history of its attempts."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from string import Template

import orjson

from selfplay_core.categories import Texts
from selfplay_core.llm.base import Message
from selfplay_core.models import Attempt, CommandResult, Mode, Prompt, VerdictOutcome
from selfplay_core.text import clip

__all__ = ["Speaker", "answer_messages", "retry_text", "system_prompt", "writer_messages"]

_REPLY_LIMIT = 600
_RAW_LIMIT = 4_000


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
    for attempt in attempts:
        messages.append(Message("assistant", clip(attempt.raw, _RAW_LIMIT)))
        messages.append(Message("user", retry_text(texts, attempt)))
    return tuple(messages)


def writer_messages(texts: Texts, speaker: Speaker, category: str, count: int) -> tuple[Message, ...]:
    """Return the request for `count` prompts of a category."""
    entry = texts.categories[category]
    request = speaker.fill(
        texts,
        "writer_request.txt",
        category=category,
        theme=entry.theme,
        count=str(count),
        prefixes=", ".join(entry.prefixes),
        what=entry.what.strip(),
        examples="\n".join(f"- {example}" for example in entry.examples),
    )
    return (Message("system", speaker.fill(texts, "writer.txt")), Message("user", request))


def retry_text(texts: Texts, attempt: Attempt) -> str:
    """Return what the model is told of an attempt that did not stand."""
    report = attempt.error or "\n".join(_report_lines(attempt.results))
    return texts.fill("retry.txt", report=report)


def _report_lines(results: Sequence[CommandResult]) -> list[str]:
    lines = ["The server did not accept everything. Its replies, command by command:"]
    lines.extend(
        f"{number}. {_quoted(result.command)} -> {_heading(result)}: {_quoted(clip(result.reply, _REPLY_LIMIT))}"
        for number, result in enumerate(results, start=1)
    )
    return lines


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
