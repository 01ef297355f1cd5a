"""What a right answer to a case must hold, where the case says so."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Final

import msgspec
import regex

from selfplay_core.errors import SettingsError
from selfplay_core.models import Attempt
from selfplay_core.text import clip, one_line

__all__ = ["Expectation", "read_expectation", "unmet"]

_BLANKS: Final = re.compile(r"\s+")
_NAMESPACE: Final = "minecraft:"
_LONGEST_SEARCHED: Final = 20_000
_PATIENCE: Final = 1.0


class Expectation(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """All that is given must hold.

    `commands` are exactly the answer's, in their order, apart from a leading slash, a leading `minecraft:` and the
    number of blanks. Each of `patterns` is a regular expression that is found in a command or in a reply of the
    server's, `command_patterns` and `reply_patterns` in one of these. `refuse`: the answer must hold no command.
    """

    commands: tuple[str, ...] = ()
    patterns: tuple[str, ...] = ()
    command_patterns: tuple[str, ...] = ()
    reply_patterns: tuple[str, ...] = ()
    refuse: bool = False

    @property
    def every_pattern(self) -> tuple[str, ...]:
        return (*self.patterns, *self.command_patterns, *self.reply_patterns)


def read_expectation(body: Mapping[str, Any], where: str) -> Expectation | None:
    """Return what a line of cases expects under `expect` and `refuse`; None where it expects nothing.

    `expect` is a command, a list of commands, or an object with the fields of `Expectation`. Raises SettingsError.
    """
    given = body.get("expect")
    if isinstance(given, str):
        given = {"commands": [given]}
    elif isinstance(given, list):
        given = {"commands": given}
    try:
        found = Expectation() if given is None else msgspec.convert(given, Expectation)
        if msgspec.convert(body.get("refuse", False), bool):
            found = msgspec.structs.replace(found, refuse=True)
    except msgspec.ValidationError as error:
        raise SettingsError(
            f"{where} expects what cannot be read: {error}. `expect` is a list of commands, or an object with "
            f"{', '.join(Expectation.__struct_fields__)}."
        ) from error
    if found == Expectation():
        if given is None:
            return None
        raise SettingsError(
            f"{where} expects nothing under `expect`. Leave it out, or write `refuse: true` where no command is right."
        )
    if found.refuse and (found.commands or found.every_pattern):
        raise SettingsError(f"{where} expects a refusal and commands at once. Leave one of them out.")
    for pattern in found.every_pattern:
        try:
            regex.compile(pattern)
        except (regex.error, RecursionError, OverflowError) as error:
            shown = clip(one_line(pattern), 80)
            raise SettingsError(f"{where}: {shown!r} is no regular expression: {error}. Mend the pattern.") from error
    return found


def unmet(expects: Expectation, attempt: Attempt) -> str | None:
    """Return what an answer lacks of what is expected of it; None if it lacks nothing.

    Raises TimeoutError where a pattern has not come to an end after a second.
    """
    answer = attempt.answer
    given = answer.commands if answer is not None else ()
    if expects.refuse:
        return "it gives commands where it should refuse" if given else None
    if expects.commands and _plain(given) != _plain(expects.commands):
        return f"not the commands {_listed(expects.commands)}"
    replies = [result.reply for result in attempt.results]
    for patterns, texts, where in (
        (expects.command_patterns, given, "command"),
        (expects.reply_patterns, replies, "reply"),
        (expects.patterns, [*given, *replies], "command or reply"),
    ):
        for pattern in patterns:
            if not _is_found(pattern, texts):
                return f"no {where} matches {clip(one_line(pattern), 80)}"
    return None


def _is_found(pattern: str, texts: Iterable[str]) -> bool:
    return any(regex.search(pattern, text[:_LONGEST_SEARCHED], timeout=_PATIENCE) for text in texts)


def _plain(commands: Sequence[str]) -> list[str]:
    return [_BLANKS.sub(" ", command.strip()).removeprefix("/").removeprefix(_NAMESPACE) for command in commands]


def _listed(commands: Sequence[str]) -> str:
    return "; ".join(clip(one_line(command), 80) for command in commands)
