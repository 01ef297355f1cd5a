"""What one line of a reply says, by the catalogue or else by its own words."""

from __future__ import annotations

import re
from bisect import bisect_right
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

from selfplay_core.models import FailedBecause, VerdictOutcome
from selfplay_core.verify.catalogue import ANY_COMMAND, SHORTEST_HEAD, Catalogue, Message, catalogue
from selfplay_core.verify.spans import data_spans

__all__ = ["Reading", "plain", "read_line"]

# A plugin may part its messages by any of these.
_LINE_BREAKS: Final = re.compile("\r\n|[\r\x0b\x0c\x1c-\x1e\x85\u2028\u2029]")
_FORMATTING: Final = re.compile("\u00a7[^\n]?")

# A message of the game is far shorter, but for the data in it.
_LONGEST_MESSAGE: Final = 4096
_MOST_MESSAGES: Final = 20_000
# A text with more half-recognised failures is no success.
_MOST_DOUBTS: Final = 200

_PLUGIN_PREFIX: Final = re.compile(r"(?:\(FAWE\)|\[(?:FAWE|WorldEdit|WE)\])\s*(?=\S)")
_ERROR_PREFIX: Final = re.compile(
    r"(?:(?:\[error\]|(?:error|command failed|failed|failure|exception):)\s+)+(?=\S)", re.I
)

_WORDS_OF_REJECTION: Final = re.compile(
    r"(?:unknown(?! (?:internal )?error)|invalid|expected|unexpected|incorrect|malformed|unrecogni[sz]ed|illegal"
    r"|syntax|pars(?:e|ing) error|usage:|missing|too (?:many|few) arguments|not enough arguments|unclosed"
    r"|unterminated|(?:could not|couldn't|cannot|can't|failed to|unable to) parse"
    r"|bad (?:command|syntax|argument))(?!\w)",
    re.I,
)
_WORDS_OF_FAILURE: Final = re.compile(
    r"(?:error|fail(?:ed|ure)|cannot|can't|can not|could not|couldn't|unable|no such|no \w+ (?:was|were|is|are)\b"
    r"|no \w+ found|not |access denied|permission denied|you (?:do not|don't|cannot|can't|must|may not|are not)"
    r"|unknown (?:internal )?error|[\w.$]*exception|sorry|i'm sorry|nothing (?:changed|to|was|happened))(?!\w)",
    re.I,
)
_ENDS_IN_FAILURE: Final = re.compile(
    r"(?:not found|(?:does not|doesn't) exist|not (?:allowed|permitted|valid|online|loaded|recogni[sz]ed|supported)"
    r"|failed|denied|already exists|(?:is|are) (?:offline|invalid|unknown))[.!]?\Z",
    re.I,
)
_REASONS: Final = (
    (FailedBecause.NOTHING_CHANGED, re.compile(r"nothing (?:changed|to|was)\b|\balready\b|\bno change", re.I)),
    (FailedBecause.NOT_LOADED, re.compile(r"\b(?:not |un)loaded\b", re.I)),
    (
        FailedBecause.NEEDS_PLAYER,
        re.compile(
            r"\b(?:must be|requires?|need(?:s|ed)? to be) (?:an?|(?:run|used|executed)(?: by| as| with)? an?) "
            r"(?:in-game )?(?:player|entity)|\bonly (?:in-game )?players\b|\bin-game only\b",
            re.I,
        ),
    ),
    (
        FailedBecause.NOBODY,
        re.compile(
            r"\bno (?:\w+ )?(?:players?|entit(?:y|ies)|targets?|mobs?)\b"
            r"|\b(?:players?|entit(?:y|ies)|targets?)\b.{0,60}"
            r"\b(?:not found|not online|offline|(?:does not|doesn't) exist)",
            re.I,
        ),
    ),
)

# What stands before data: a message joined to another follows its last character.
_BEFORE_DATA: Final = frozenset("([{<:,=/\\")
_CAPITAL_AFTER_AN_END: Final = re.compile(r"(?<=[^\s(\[{<:,=/\\])[A-Z]")


@dataclass(frozen=True, slots=True)
class Reading:
    """What a line says; `message` is the part that says so."""

    outcome: VerdictOutcome
    message: str
    because: FailedBecause | None = None
    key: str | None = None
    group: str | None = None


def plain(text: str) -> str:
    """Return `text` without formatting codes and blanks around it, each line break as a newline."""
    return _LINE_BREAKS.sub("\n", _FORMATTING.sub("", text)).strip()


def read_line(line: str, group: str | None, *, known: Catalogue | None = None) -> Reading:
    """Read one non-empty line of the reply to a command of `group` (None: any command could have run).

    Vanilla joins messages with nothing between, so a line may hold several: a failure among them decides.
    `known` are the messages to know the line by, if not those of the built-in catalogue.
    """
    known = known or catalogue()
    line = _PLUGIN_PREFIX.sub("", line, count=1) if line[:1] in "([" else line
    matches = known.matching(line, group)
    failed = _best([match for match in matches if match.outcome is not VerdictOutcome.PASSED], group)
    passed = _best([match for match in matches if match.outcome is VerdictOutcome.PASSED], group)
    if failed and passed:
        preferred = _prefer(passed, failed, group)
        if preferred is None:
            return Reading(VerdictOutcome.UNCLEAR, line)
        failed, passed = (None, passed) if preferred is passed else (failed, None)
    if failed:
        return _as_reading(failed, line)
    return _joined(line, passed, known) or _by_its_words(line, group, known)


def _best(matches: list[Message], group: str | None) -> Message | None:
    return max(matches, key=lambda match: (match.group == group, match.pattern.weight), default=None)


def _prefer(passed: Message, failed: Message, group: str | None) -> Message | None:
    """Choose between a success and a failure whose placeholders take in each other's words."""
    if group is not None:
        success_fits = passed.group == group
        failure_fits = failed.group in (group, ANY_COMMAND)
        if success_fits != failure_fits:
            return passed if success_fits else failed
        if failure_fits and not failed.pattern.head:
            return failed
    if passed.pattern.head and not failed.pattern.head:
        return None
    if passed.pattern.counts_first and failed.pattern.head:
        # A number that the failure spells out: none at all.
        return failed
    return passed if passed.pattern.weight > failed.pattern.weight else failed


def _joined(line: str, whole: Message | None, known: Catalogue) -> Reading | None:
    """Read several messages without anything between them; `whole` is the success that takes in all."""
    first = _failure_at_start(line, known, whole)
    if first is not None:
        return _as_reading(first, line)
    found = list(_telling_failures(line, known))
    if found:
        spans = data_spans(line)
        outside = [(at, message) for at, message in found if spans is None or not _within(spans, at)]
        if outside:
            at, failure = outside[0]
            if failure is None or spans is None:
                return Reading(VerdictOutcome.UNCLEAR, line)
            return _as_reading(failure, line[at:])
    if whole is not None:
        return _as_reading(whole, line)
    return _all_passed(line, known)


def _failure_at_start(line: str, known: Catalogue, whole: Message | None) -> Message | None:
    """Find the failure that the line begins with.

    A success that takes in the whole line gives way only if it begins with anything at all, and if a name could
    begin where the failure ends.
    """
    if whole is not None and whole.pattern.head:
        return None
    for message in known.that_may_begin(line):
        if message.outcome is VerdictOutcome.PASSED or message.here_only:
            continue
        end = message.pattern.end_of_prefix(line, 0, _LONGEST_MESSAGE)
        # A blank would go on with the same sentence.
        if end is None or line[end : end + 1].isspace():
            continue
        if whole is None or line[end : end + 1].isupper():
            return message
    return None


def _telling_failures(line: str, known: Catalogue) -> Iterator[tuple[int, Message | None]]:
    """Find beginnings of failures that follow another message's end; None where there are too many to tell."""
    telling = known.telling
    doubts = 0
    for start in _CAPITAL_AFTER_AN_END.finditer(line):
        at = start.start()
        heads = telling.get(line[at : at + SHORTEST_HEAD])
        if heads is None or not _ends_a_message(line, at - 1):
            continue
        for head in heads:
            if not line.startswith(head.text, at):
                continue
            doubts += not head.alone
            if doubts > _MOST_DOUBTS:
                yield at, None
                return
            if head.alone or head.message.pattern.matches(line[at : at + _LONGEST_MESSAGE]):
                yield at, head.message
                break


def _ends_a_message(line: str, at: int) -> bool:
    character = line[at]
    if character in "\"'":
        return at > 0 and not line[at - 1].isspace() and line[at - 1] not in _BEFORE_DATA
    return not character.isspace() and character not in _BEFORE_DATA


def _within(spans: list[tuple[int, int]], at: int) -> bool:
    index = bisect_right(spans, (at, at)) - 1
    return index >= 0 and spans[index][0] < at < spans[index][1]


def _all_passed(line: str, known: Catalogue) -> Reading | None:
    """Read a line of nothing but successes, the last of which may take in the rest."""
    at = 0
    first: Message | None = None
    for _ in range(_MOST_MESSAGES):
        step = _success_at(line, at, known)
        if step is None:
            return None
        message, at = step
        first = first or message
        if at == len(line):
            return _as_reading(first, line)
    return None


def _success_at(line: str, at: int, known: Catalogue) -> tuple[Message, int] | None:
    best: tuple[Message, int] | None = None
    for message in known.that_may_begin(line, at):
        if message.outcome is not VerdictOutcome.PASSED or message.here_only:
            continue
        if message.pattern.open_ended and line.startswith(message.pattern.head, at):
            rest = line[at : at + _LONGEST_MESSAGE]
            end: int | None = len(line) if message.pattern.matches(rest) else None
        else:
            end = message.pattern.end_of_prefix(line, at, at + _LONGEST_MESSAGE)
        if end is not None and (best is None or message.pattern.weight > best[0].pattern.weight):
            best = (message, end)
    return best


def _by_its_words(line: str, group: str | None, known: Catalogue) -> Reading:
    """Read a line that is in no catalogue: its words can tell a failure, never a success."""
    prefixed = _ERROR_PREFIX.match(line)
    if prefixed:
        inner = read_line(line[prefixed.end() :][:_LONGEST_MESSAGE], group, known=known)
        if inner.outcome in (VerdictOutcome.REJECTED, VerdictOutcome.FAILED):
            return inner
        return Reading(VerdictOutcome.FAILED, line, FailedBecause.OTHER)
    if re.match(r"unknown request [0-9a-f]+\Z", line, re.I):
        # The end mark of a long reply on the wire; it says nothing about a command.
        return Reading(VerdictOutcome.UNCLEAR, line)
    beginning = line[:300]
    if _WORDS_OF_FAILURE.match(line) or _ENDS_IN_FAILURE.search(line[-80:]):
        because = next((reason for reason, said in _REASONS if said.search(beginning)), FailedBecause.OTHER)
        return Reading(VerdictOutcome.FAILED, line, because)
    if _WORDS_OF_REJECTION.match(line):
        return Reading(VerdictOutcome.REJECTED, line)
    return Reading(VerdictOutcome.UNCLEAR, line)


def _as_reading(message: Message, text: str) -> Reading:
    return Reading(message.outcome, text, message.because, message.key, message.group)
