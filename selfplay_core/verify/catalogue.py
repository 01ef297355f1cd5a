"""The messages that Minecraft 1.21.1 to 1.21.11, Paper, Spigot and WorldEdit answer commands with.

The patterns stand in `messages/*.toml`, in tables `[group.class]`: the group is the command (`any` for what
every command can say), the class one of `_CLASSES`. A line is the game's own key, without `commands.<group>.`
(whole after a `=`; `~` for no key), and one pattern or several; `catalogue_patterns` reads them. They are
fragments, as long as it takes to tell a message from all others. `passed_here` patterns are too vague to mean
anything unless that very command was sent.
"""

from __future__ import annotations

import functools
import tomllib
from bisect import bisect_left
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from importlib import resources
from typing import Final

from selfplay_core.models import FailedBecause, VerdictOutcome
from selfplay_core.verify.catalogue_patterns import Pattern, expand, parse

__all__ = ["ANY_COMMAND", "PLUGINS", "SHORTEST_HEAD", "Catalogue", "Message", "TellingHead", "catalogue", "group_of"]

ANY_COMMAND: Final = "any"
PLUGINS: Final = frozenset({"bukkit", "worldedit"})

_CLASSES: Final = {
    "passed": (VerdictOutcome.PASSED, None),
    "passed_here": (VerdictOutcome.PASSED, None),
    "rejected": (VerdictOutcome.REJECTED, None),
    "nobody": (VerdictOutcome.FAILED, FailedBecause.NOBODY),
    "nothing_changed": (VerdictOutcome.FAILED, FailedBecause.NOTHING_CHANGED),
    "not_loaded": (VerdictOutcome.FAILED, FailedBecause.NOT_LOADED),
    "needs_player": (VerdictOutcome.FAILED, FailedBecause.NEEDS_PLAYER),
    "failed": (VerdictOutcome.FAILED, FailedBecause.OTHER),
}

# Commands whose messages stand under another name.
_GROUPS: Final = {
    "ban-ip": "banip",
    "?": "help",
    "loot": "drop",
    "me": "message",
    "msg": "message",
    "pardon-ip": "pardonip",
    "save-all": "save",
    "save-off": "save",
    "save-on": "save",
    "say": "message",
    "teammsg": "message",
    "tell": "message",
    "tellraw": "message",
    "tm": "message",
    "tp": "teleport",
    "ver": "version",
    "w": "message",
    "xp": "experience",
}

# A shorter beginning could stand in the middle of anything, so the rest of the message must follow it.
_TELLING_HEAD: Final = 9
SHORTEST_HEAD: Final = 4

# Less fixed text, and too much else would fit.
_TELLING_WEIGHT: Final = 8


@dataclass(frozen=True, slots=True)
class Message:
    """A message of the catalogue: how to know it again and what it means.

    `loose` is the pattern with any text where the game puts numbers, for servers that only imitate it.
    """

    outcome: VerdictOutcome
    because: FailedBecause | None
    key: str | None
    group: str
    here_only: bool
    pattern: Pattern
    loose: Pattern | None


@dataclass(frozen=True, slots=True)
class TellingHead:
    """How a failure begins inside a longer text; `alone` says that no more than this is needed to know it."""

    text: str
    message: Message
    alone: bool


@dataclass(frozen=True, slots=True)
class Catalogue:
    """All messages, by how they begin: with fixed text (by its first character), a number, or anything.

    `telling` holds the beginnings of failures by their first characters, `SHORTEST_HEAD` of them.
    """

    by_first: dict[str, tuple[Message, ...]]
    counting: tuple[Message, ...]
    floating: tuple[Message, ...]
    telling: dict[str, tuple[TellingHead, ...]]

    def that_may_begin(self, text: str, start: int = 0) -> tuple[Message, ...]:
        """The messages with a fixed beginning that starts with the character at `start`."""
        return self.by_first.get(text[start : start + 1], ())

    def matching(self, line: str, group: str | None) -> list[Message]:
        """Every message that `line` is as a whole, when sent by a command of `group` (None: unknown)."""
        candidates = self.that_may_begin(line) + self.floating
        counting = self.counting if line[:1] in "-+0123456789" else ()
        exact = [message for message in candidates + counting if message.pattern.matches(line)]
        exact = [message for message in exact if _says(message, group)]
        if exact:
            return exact
        loose = [message for message in candidates + self.counting if message.loose and message.loose.matches(line)]
        return [message for message in loose if _says(message, group)]


def group_of(root: str) -> str:
    """Return the group of messages of a command, given its bare lower-case name."""
    if root.startswith(("/", "worldedit:")):
        return "worldedit"
    return _GROUPS.get(root, root)


@functools.cache
def catalogue() -> Catalogue:
    """Read the catalogue, once."""
    messages = tuple(_read())
    heads: dict[str, list[Message]] = {}
    for message in messages:
        if message.pattern.head:
            heads.setdefault(message.pattern.head[0], []).append(message)
    telling: dict[str, list[TellingHead]] = {}
    for head in _telling(messages):
        telling.setdefault(head.text[:SHORTEST_HEAD], []).append(head)
    rest = [message for message in messages if not message.pattern.head]
    return Catalogue(
        by_first={first: tuple(those) for first, those in heads.items()},
        counting=tuple(message for message in rest if message.pattern.counts_first),
        floating=tuple(message for message in rest if not message.pattern.counts_first),
        telling={start: tuple(those) for start, those in telling.items()},
    )


def _says(message: Message, group: str | None) -> bool:
    return not message.here_only or message.group == group


def _telling(messages: tuple[Message, ...]) -> Iterator[TellingHead]:
    seen: set[str] = set()
    passed = sorted(message.pattern.head for message in messages if message.outcome is VerdictOutcome.PASSED)
    for message in messages:
        head = message.pattern.head
        if message.outcome is VerdictOutcome.PASSED or len(head) < SHORTEST_HEAD or not head[0].isupper():
            continue
        alone = len(head) >= _TELLING_HEAD and not _begins_one(head, passed)
        if not alone or head not in seen:
            seen.add(head)
            yield TellingHead(head, message, alone)


def _begins_one(head: str, ordered: Sequence[str]) -> bool:
    place = bisect_left(ordered, head)
    return place < len(ordered) and ordered[place].startswith(head)


def _read() -> Iterator[Message]:
    folder = resources.files("selfplay_core.verify") / "messages"
    for file in sorted(folder.iterdir(), key=lambda entry: entry.name):
        if not file.name.endswith(".toml"):
            continue
        for group, classes in tomllib.loads(file.read_text(encoding="utf-8")).items():
            for name, entries in classes.items():
                yield from _messages(group, name, entries)


def _messages(group: str, name: str, entries: dict[str, str | list[str]]) -> Iterator[Message]:
    outcome, because = _CLASSES[name]
    for short_key, patterns in entries.items():
        for written in [patterns] if isinstance(patterns, str) else patterns:
            for key, text in expand(short_key, written):
                yield Message(
                    outcome=outcome,
                    because=because,
                    key=_whole_key(group, key),
                    group=group,
                    here_only=name == "passed_here",
                    pattern=parse(text),
                    loose=_loose(group, text),
                )


def _loose(group: str, text: str) -> Pattern | None:
    if group in PLUGINS or "#" not in text:
        return None
    pattern = parse(text.replace("#", "%"))
    return pattern if pattern.weight >= _TELLING_WEIGHT else None


def _whole_key(group: str, key: str) -> str | None:
    if key == "~":
        return None
    if key.startswith("="):
        return key[1:]
    return key if group == ANY_COMMAND else f"commands.{group}.{key}"
