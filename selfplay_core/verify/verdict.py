"""What one reply of a server means for the command that was sent."""

from __future__ import annotations

import re
from typing import Final

from selfplay_core.models import FailedBecause, Verdict, VerdictOutcome
from selfplay_core.verify.catalogue import Catalogue, catalogue, group_of
from selfplay_core.verify.context import HERE, QUOTED_BEFORE_CURSOR, cut_context
from selfplay_core.verify.language import Language
from selfplay_core.verify.reading import Reading, plain, read_line
from selfplay_core.verify.silent import is_silent
from selfplay_core.verify.unwrap import Reading as CommandReading
from selfplay_core.verify.unwrap import readings

__all__ = ["judge"]

# A longer reply that holds no failure so far is not read to its end.
_MOST_LINES: Final = 4000

_LONGEST_PARSE_ERROR: Final = 8192

_UNKNOWN_COMMAND: Final = "command.unknown.command"
_QUOTED: Final = re.compile(r"'([^']+)'")

# Commands that run others: whatever follows `run` or stands in the file may answer.
_RUN_OTHERS: Final = frozenset({"function", "return", "schedule"})

# Lists with lines of their own form.
_LISTINGS: Final = frozenset({"bukkit", "help", "version"})

_MISSED_TEST: Final = "commands.execute.conditional.fail"


def judge(reply: str, command: str = "", *, target_shown: bool = False, language: Language | None = None) -> Verdict:
    """Judge the reply to `command`; pure, for any text, in time linear in its length.

    A reply that is not understood is `unclear`. An empty one is `passed` only if the command is known to say
    nothing, and under `execute` only if `target_shown`: the caller has seen that somebody was there.
    `<--[HERE]` means `rejected`, wherever it stands: sooner lose a success whose data quote it than believe a
    failure. The messages of `language`, the server's own file, count before those of the catalogue.
    """
    text = plain(reply)
    known = language.catalogue if language else catalogue()
    sent = readings(command)[0]
    if not text:
        silent = is_silent(sent, target_shown=target_shown)
        return Verdict(VerdictOutcome.PASSED if silent else VerdictOutcome.UNCLEAR)
    if HERE in text:
        return _rejected(text, command, known)
    return _combined(text, _group(sent), sent.condition, known)


def _rejected(text: str, command: str, known: Catalogue) -> Verdict:
    message, cursor, found = cut_context(text, command)
    if found:
        key = _parse_key(message, known)
    else:
        message, key = _message_before_context(message, known)
    if found and cursor is None:
        cursor = _cursor_from_message(message, key, command)
    return Verdict(VerdictOutcome.REJECTED, key=key, message=message, cursor=cursor)


def _cursor_from_message(message: str, key: str | None, command: str) -> int | None:
    """Find the cursor when the server quoted the whole command, as it does up to the tenth column."""
    start = len(command) - len(command.lstrip("/ "))
    if key == _UNKNOWN_COMMAND:
        return start if len(command) - start > QUOTED_BEFORE_CURSOR else None
    named = _QUOTED.search(message)
    if named is None:
        return None
    for name in (named[1], named[1].removeprefix("minecraft:")):
        at = command.find(name, start)
        if at != -1:
            ends_too_late = at + len(name) - start > QUOTED_BEFORE_CURSOR
            return at if ends_too_late and at - start <= QUOTED_BEFORE_CURSOR else None
    return None


def _parse_key(message: str, known: Catalogue) -> str | None:
    reading = read_line(message, None, known=known) if 0 < len(message) <= _LONGEST_PARSE_ERROR else None
    return None if reading is None or reading.outcome is VerdictOutcome.PASSED else reading.key


def _message_before_context(body: str, known: Catalogue) -> tuple[str, str | None]:
    """Cut the context of an unknown command from the message, where the message's end is plain to see."""
    before, dots, _ = body.rpartition("...")
    if dots and (key := _parse_key(before, known)) is not None:
        return before, key
    for message in sorted(known.that_may_begin(body), key=lambda message: -message.pattern.weight):
        end = message.pattern.end_of_prefix(body, 0, _LONGEST_PARSE_ERROR)
        if message.outcome is VerdictOutcome.REJECTED and end is not None:
            return body[:end], message.key
    return body, _parse_key(body, known)


def _group(sent: CommandReading) -> str | None:
    """Return the group of messages to expect; None where any command could have run."""
    call = sent.calls[0]
    if not sent.certain or not call.name or call.name in _RUN_OTHERS:
        return None
    return group_of(call.shown)


def _combined(text: str, group: str | None, condition: str, known: Catalogue) -> Verdict:
    """Judge every line: the first failure decides, then whatever is not understood."""
    lines = [line for line in text.split("\n") if line.strip()]
    unclear = len(lines) > _MOST_LINES
    first: Reading | None = None
    listing = False
    for line in lines[:_MOST_LINES]:
        reading = read_line(line.strip(), group, known=known)
        if reading.outcome in (VerdictOutcome.REJECTED, VerdictOutcome.FAILED):
            return Verdict(reading.outcome, _because(reading, condition), reading.key, reading.message)
        if first is None:
            first = reading
            listing = reading.outcome is VerdictOutcome.PASSED and (
                reading.group in _LISTINGS or line.rstrip().endswith(":")
            )
        unclear = unclear or (reading.outcome is VerdictOutcome.UNCLEAR and not listing)
    if first is None or unclear:
        return Verdict(VerdictOutcome.UNCLEAR, message=text)
    return Verdict(VerdictOutcome.PASSED, key=first.key, message=text)


def _because(reading: Reading, condition: str) -> FailedBecause | None:
    if reading.key is not None and reading.key.startswith(_MISSED_TEST) and condition == "entity":
        return FailedBecause.NOBODY
    return reading.because
