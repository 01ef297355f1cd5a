"""A server's own language file: its very words, for judging servers newer than the catalogue, or modded.

What a message means comes from the catalogue where that knows the key, else from the key's name, and a name that
promises success is believed only of a text that does not sound like a failure.
"""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Final

from selfplay_core.errors import SettingsError
from selfplay_core.models import FailedBecause, VerdictOutcome
from selfplay_core.text import clip, one_line
from selfplay_core.verify.catalogue import ANY_COMMAND, SHORTEST_HEAD, Catalogue, Message, TellingHead, catalogue
from selfplay_core.verify.catalogue_patterns import parse
from selfplay_core.verify.reading import plain, read_line

__all__ = ["Language", "load_language", "outcome_of_key"]

# The game's own file has half a megabyte, 750 texts that answer commands, 112 characters and 7 placeholders in
# the longest of them. The bounds leave room for any mod and keep the matching of hostile text cheap.
_MOST_BYTES: Final = 16_000_000
_MOST_MESSAGES: Final = 8_000
_LONGEST_TEMPLATE: Final = 1_000
_MOST_PLACEHOLDERS: Final = 16

_IN_EVERY_FILE: Final = (
    "argument.entity.notfound.player",
    "command.unknown.argument",
    "command.unknown.command",
    "commands.give.success.single",
    "commands.kill.success.single",
    "parsing.int.expected",
)

_ANSWERS_A_COMMAND: Final = re.compile(
    r"commands?\.|arguments?\.|parsing\.|snbt\.|particle\.|slot\.(?:unknown|only)|permissions\.|clear\.failed|"
    r"predicate\.unknown|item_modifier\.unknown|recipe\.notFound|team\.notFound|"
    r"advancement\.advancementNotFound"
)
_NO_REPLY: Final = re.compile(
    r"argument\.entity\.(?:options\.\w+\.description|selector\.(?:all|nearest|random|self))|command\.context\.|"
    r"commands\.(?:banlist\.entry\.unknown|list\.nameAndId|message\.display\.incoming|test\.(?:coordinates|relative)|"
    r"(?:fetchprofile|profile_fetch)\.(?:copy|give|summon))"
)
_CARRIED_OUT: Final = re.compile(
    r"clear\.failed|advancement\.|permissions\.|predicate\.|item_modifier\.|recipe\.|team\.|"
    r"command\.(?:failed|forkLimit)|"
    r"argument\.(?:dimension\.invalid|entity\.notfound|player\.unknown|scoreHolder|waypoint|resource_selector|"
    r"pos\.(?:unloaded|outof))|"
    r"arguments\.(?:function|item\.overstacked|nbtpath\.(?:nothing|too)|objective|operation\.div0)"
)
_REFUSAL: Final = re.compile(
    r"\.(?:failed|failure|fail|fail_count|unchanged|invalid\w*|error|toobig|overlap|duplicate|unknown|not_found|"
    r"already\w+|invulnerable|nochange|no_\w+|noRecursion|noReturnRun|traceFailed|notRunning|reportFailed|"
    r"cannot_spectate|not_spectator|self|macro|same_tick|not_riding|does_not_exist|null|expected_\w+|"
    r"advancementNotFound|criterionNotFound|instantiationFailure|optional_failed|failed_to_serialize|not_a_container|"
    r"io_failure|metadata_encode_failure)(?:\.|$)"
)
_REFUSALS_BY_NAME: Final = frozenset({"commands.forceload.added.none", "commands.data.get.multiple"})
_NO_REFUSAL: Final = re.compile(
    r"\.success\b|\.(?:cleared|reset|show|clear|times|test|list|scheduled|set|removed|added)\.(?:\w+\.)?multiple$|"
    r"gamemode\.success\.self|\.reset\.(?:all|specific)\."
)

# What a success of an unknown key must not say; "no bans" is sooner unclear than a new failure believed.
_SOUNDS_LIKE_FAILURE: Final = re.compile(
    r"\b(?:not?|none|nobody|nothing|never|cannot|\w+n't|unable|unknown|invalid|incorrect|illegal|malformed|missing|"
    r"(?:un)?expected|must|only|too|already|fail\w*|errors?|denied|refused|wrong|unsupported|needs?|requires?d?)\b",
    re.I,
)

# The game takes every number format for text, but what mods put there are numbers.
_PLACEHOLDER: Final = re.compile(r"(?P<percent>%%)|%(?:\d{1,3}\$)?(?:(?P<text>s)|[\d.]{0,9}(?P<number>[df]))")
_SPECIAL: Final = re.compile(r"[\\#%…≈]")

# Letters of fixed text: with fewer, a new wording tells nothing; with fewer than enough, it needs its command.
_FEWEST_LETTERS: Final = 3
_FEWEST_LETTERS_AFTER_DATA: Final = 6
_ENOUGH_LETTERS: Final = 10

# A shorter beginning of a failure is not enough in the middle of a text.
_TELLING_HEAD: Final = 9


@dataclass(frozen=True, slots=True)
class Language:
    """What a server can answer: `catalogue` for matching, `keys` messages, `digest` of the file's bytes."""

    catalogue: Catalogue
    keys: int
    digest: str


@dataclass(frozen=True, slots=True)
class _Layered(Catalogue):
    """The messages of a language file before those of the built-in catalogue."""

    own: Catalogue

    def matching(self, line: str, group: str | None) -> list[Message]:
        return self.own.matching(line, group) or catalogue().matching(line, group)


@dataclass(frozen=True, slots=True)
class _Template:
    """One line of a text: `fixed[0] kinds[0] fixed[1] …`, the kinds as in the catalogue's patterns."""

    fixed: tuple[str, ...]
    kinds: tuple[str, ...]

    @property
    def letters(self) -> int:
        return sum(character.isalpha() for text in self.fixed for character in text)

    def filled(self, values: tuple[str, ...]) -> str:
        return self.fixed[0] + "".join(value + text for value, text in zip(values, self.fixed[1:], strict=True))

    def as_pattern(self) -> str:
        fixed = [_SPECIAL.sub(r"\\\g<0>", text) for text in self.fixed]
        kinds = list(self.kinds)
        if kinds and not fixed[-1] and fixed[-2].endswith(": "):
            # A list may be empty, and the blank before it is lost then.
            fixed[-2], kinds[-1] = fixed[-2][:-1], "…"
        return fixed[0] + "".join(kind + text for kind, text in zip(kinds, fixed[1:], strict=True))


def load_language(path: Path) -> Language:
    """Read an `en_us.json`; takes a good part of a second.

    Raises SettingsError, naming the file, if it cannot be read or is no language file of the game.
    """
    raw = _bytes_of(path)
    texts = _texts(raw, path)
    missing = [key for key in _IN_EVERY_FILE if key not in texts]
    if missing:
        raise _unusable(path, f"lacks {missing[0]!r}, which the game's own has")
    known = _by_key(catalogue())
    answers = {key: text for key, text in texts.items() if key in known or outcome_of_key(key) is not None}
    if len(answers) > _MOST_MESSAGES:
        raise _unusable(path, f"holds {len(answers):,} messages for commands, more than {_MOST_MESSAGES:,}")
    messages = tuple(message for key, text in answers.items() for message in _messages(key, text, known.get(key)))
    keys = len({message.key for message in messages})
    return Language(_layered(messages), keys, hashlib.sha256(raw).hexdigest()[:12])


def outcome_of_key(key: str) -> VerdictOutcome | None:
    """Tell by its name what a message means: passed, rejected or failed; None if it answers no command."""
    if not _ANSWERS_A_COMMAND.match(key) or _NO_REPLY.match(key):
        return None
    if _CARRIED_OUT.match(key):
        return VerdictOutcome.FAILED
    if not key.startswith("commands."):
        return VerdictOutcome.REJECTED
    if not _NO_REFUSAL.search(key) and (_REFUSAL.search(key) or key in _REFUSALS_BY_NAME):
        return VerdictOutcome.FAILED
    return VerdictOutcome.PASSED


def _bytes_of(path: Path) -> bytes:
    try:
        if path.exists() and not path.is_file():
            raise _unusable(path, "is no regular file")
        with path.open("rb") as file:
            raw = file.read(_MOST_BYTES + 1)
    except (OSError, ValueError) as error:
        reason = error.strerror if isinstance(error, OSError) else str(error)
        raise _unusable(path, f"cannot be read ({reason})") from error
    if len(raw) > _MOST_BYTES:
        raise _unusable(path, f"is larger than {_MOST_BYTES:,} bytes")
    return raw


def _texts(raw: bytes, path: Path) -> dict[str, str]:
    try:
        document = json.loads(raw.decode("utf-8-sig"))
    except UnicodeDecodeError as error:
        raise _unusable(path, f"is not UTF-8 at byte {error.start}") from error
    except (ValueError, RecursionError) as error:
        raise _unusable(path, f"is no JSON ({clip(str(error), 100)})") from error
    if not isinstance(document, dict):
        raise _unusable(path, "is no JSON object of keys and texts")
    for key, text in document.items():
        if not isinstance(text, str):
            raise _unusable(path, f"holds something other than text under {clip(one_line(key), 80)!r}")
    return document


def _unusable(path: Path, why: str) -> SettingsError:
    return SettingsError(
        f"The language file {clip(one_line(str(path)), 300)} {why}. Set verify.language to the file "
        "assets/minecraft/lang/en_us.json from the server's jar (the one inside its META-INF/versions) or the client's."
    )


def _by_key(known: Catalogue) -> dict[str, list[Message]]:
    by_key: dict[str, list[Message]] = {}
    for message in _all_of(known):
        if message.key is not None:
            by_key.setdefault(message.key, []).append(message)
    return by_key


def _messages(key: str, text: str, known: list[Message] | None) -> Iterator[Message]:
    """Make a message of every line of a text, for replies are read line by line."""
    if len(text) > _LONGEST_TEMPLATE:
        return
    for line in plain(text).split("\n"):
        template = _template(line.strip())
        if len(template.kinds) > _MOST_PLACEHOLDERS:
            continue
        message = _new(template, key) if known is None else _known(template, known)
        if message is not None:
            yield message


def _template(line: str) -> _Template:
    fixed = [""]
    kinds: list[str] = []
    at = 0
    for match in _PLACEHOLDER.finditer(line):
        fixed[-1] += line[at : match.start()] + ("%" if match["percent"] else "")
        at = match.end()
        if not match["percent"]:
            kinds.append("#" if match["number"] else "%")
            fixed.append("")
    fixed[-1] += line[at:]
    return _Template(tuple(fixed), tuple(kinds))


def _known(template: _Template, known: list[Message]) -> Message | None:
    """Make a message of a key that the catalogue knows, with its numbers where the wording is the same too."""
    ones = ("1",) * len(template.kinds)
    same = [message for message in known if message.pattern.matches(template.filled(ones))]
    if not same:
        return _worded_anew(template, known[0])
    kinds = list(template.kinds)
    for index in range(len(kinds)):
        with_text = template.filled((*ones[:index], "x", *ones[index + 1 :]))
        if not any(message.pattern.matches(with_text) for message in same):
            kinds[index] = "#"
    return _with_pattern(replace(template, kinds=tuple(kinds)), same[0])


def _new(template: _Template, key: str) -> Message | None:
    """Make a message of a key that the catalogue does not know; None for a doubtful success."""
    outcome = outcome_of_key(key)
    if outcome is None:
        return None
    reading = read_line(template.filled(("x",) * len(template.kinds)) or "x", None)
    because = None
    if outcome is VerdictOutcome.PASSED:
        doubtful = reading.outcome is VerdictOutcome.UNCLEAR and _SOUNDS_LIKE_FAILURE.search(" ".join(template.fixed))
        if doubtful or reading.outcome in (VerdictOutcome.REJECTED, VerdictOutcome.FAILED):
            return None
    elif outcome is VerdictOutcome.FAILED:
        because = reading.because or FailedBecause.OTHER
    scope, _, rest = key.partition(".")
    group = rest.partition(".")[0] if scope == "commands" else ANY_COMMAND
    meaning = Message(outcome, because, key, group, here_only=False, pattern=parse(""), loose=None)
    return _worded_anew(template, meaning)


def _worded_anew(template: _Template, meaning: Message) -> Message | None:
    """Make a message of words that nobody has tried: short ones only count for their own command, or not at all."""
    begins_fixed = bool(template.fixed[0])
    if template.letters < (_FEWEST_LETTERS if begins_fixed else _FEWEST_LETTERS_AFTER_DATA):
        return None
    passed = meaning.outcome is VerdictOutcome.PASSED
    vague = template.letters < _ENOUGH_LETTERS or (passed and not begins_fixed)
    return _with_pattern(template, replace(meaning, here_only=vague and meaning.group != ANY_COMMAND))


def _with_pattern(template: _Template, meaning: Message) -> Message:
    pattern = parse(template.as_pattern())
    ends_open = bool(template.kinds) and not template.fixed[-1] and template.kinds[-1] != "#"
    return replace(meaning, pattern=replace(pattern, open_ended=ends_open), loose=None)


def _layered(messages: tuple[Message, ...]) -> Catalogue:
    built_in = catalogue()
    by_first: dict[str, list[Message]] = {}
    for message in messages:
        if message.pattern.head:
            by_first.setdefault(message.pattern.head[0], []).append(message)
    rest = [message for message in messages if not message.pattern.head]
    own = Catalogue(
        by_first={first: tuple(those) for first, those in by_first.items()},
        counting=tuple(message for message in rest if message.pattern.counts_first),
        floating=tuple(message for message in rest if not message.pattern.counts_first),
        telling={},
    )
    firsts = own.by_first.keys() | built_in.by_first.keys()
    return _Layered(
        by_first={first: own.that_may_begin(first) + built_in.that_may_begin(first) for first in firsts},
        counting=own.counting + built_in.counting,
        floating=own.floating + built_in.floating,
        telling=_telling(messages, built_in),
        own=own,
    )


def _telling(messages: tuple[Message, ...], built_in: Catalogue) -> dict[str, tuple[TellingHead, ...]]:
    """Return the beginnings of failures of both, each alone only if no success of either begins so."""
    passed = [
        message.pattern.head
        for message in (*messages, *_all_of(built_in))
        if message.outcome is VerdictOutcome.PASSED and message.pattern.head
    ]
    heads = [
        TellingHead(message.pattern.head, message, alone=len(message.pattern.head) >= _TELLING_HEAD)
        for message in messages
        if message.outcome is not VerdictOutcome.PASSED
        and len(message.pattern.head) >= SHORTEST_HEAD
        and message.pattern.head[0].isupper()
    ]
    own = {(head.message.key, head.text) for head in heads}
    heads += [head for heads in built_in.telling.values() for head in heads if (head.message.key, head.text) not in own]
    telling: dict[str, list[TellingHead]] = {}
    for head in heads:
        alone = head.alone and not any(other.startswith(head.text) for other in passed)
        telling.setdefault(head.text[:SHORTEST_HEAD], []).append(replace(head, alone=alone))
    return {start: tuple(those) for start, those in telling.items()}


def _all_of(known: Catalogue) -> Iterator[Message]:
    for messages in known.by_first.values():
        yield from messages
    yield from known.counting
    yield from known.floating
