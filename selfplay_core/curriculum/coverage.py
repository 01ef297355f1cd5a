"""What of the game's commands has been asked, what passed, and what nobody has seen yet.

The map's places are commands, their sub-commands (up to three fixed words behind the name), kinds of argument, item
components and selector options, of Minecraft 1.21.11 as mecha's tree has them (usages.txt, made by
`selfplay_core.sandbox.usages`).
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from functools import cache
from importlib.resources import files
from typing import Final

from selfplay_core.judging import Finding, find
from selfplay_core.likeness.skeleton import parts_of
from selfplay_core.models import CommandResult, Trace

__all__ = ["KINDS", "Coverage", "Seen", "items_of", "places"]

KINDS: Final = ("command", "sub-command", "argument", "component", "selector")

_ALIASES: Final = {"tp": "teleport", "xp": "experience", "tell": "msg", "w": "msg", "tm": "teammsg"}
_CHAINS: Final = frozenset({"execute", "return"})
_FIXED_WORDS: Final = 3
_WORDS_OF_KIND: Final = {"block_pos": 3, "vec3": 3, "vec2": 2, "column_pos": 2, "rotation": 2}
_COORDINATE: Final = re.compile(r"[~^]?[+-]?[0-9.]*")
_NUMERIC: Final = frozenset({*_WORDS_OF_KIND, "integer", "float", "double", "time", "int_range", "float_range"})
_OPTIONS: Final = (
    *("x", "y", "z", "dx", "dy", "dz", "distance", "x_rotation", "y_rotation", "level", "limit", "sort", "gamemode"),
    *("name", "type", "tag", "team", "scores", "advancements", "predicate", "nbt"),
)
_KEY: Final = re.compile(r"\s*+!?\s*+(?:minecraft:)?([a-z_]++)\s*+(?=[=~,|\]])")
_MARKS: Final = re.compile(r"""[\[\](){}"'\\,|]""")
_OPENING, _CLOSING, _QUOTES, _NEXT = "[({", "])}", "\"'", ",|"


@dataclass(slots=True)
class Seen:
    """How often something was in a command that was sent, and how often such a command passed or was refused."""

    asked: int = 0
    passed: int = 0
    failed: int = 0


@dataclass(slots=True)
class _Node:
    fixed: dict[str, _Node] = field(default_factory=dict)
    arguments: dict[str, _Node] = field(default_factory=dict)


class Coverage:
    """The map as far as it has been filled in."""

    def __init__(self, seen: Mapping[str, Seen] | None = None) -> None:
        self.seen: dict[str, Seen] = dict(seen or {})

    def add(self, trace: Trace) -> None:
        """Fill in what a trace's commands have in them."""
        for attempt in trace.attempts:
            for result in attempt.results:
                self._add(result)

    def of(self, place: str) -> Seen:
        """Return what is known of a place."""
        return self.seen.get(place) or Seen()

    def unseen(self, kind: str) -> list[str]:
        """Return the places of a kind that no command has had in it."""
        return [place for place in places(kind) if not self.of(f"{kind} {place}").asked]

    def thinnest(self, among: Iterable[str], count: int) -> list[str]:
        """Return the places that were asked least, of equals the first."""
        return sorted(among, key=lambda place: self.of(place).asked)[:count]

    def _add(self, result: CommandResult) -> None:
        finding = find([result])
        for place in items_of(result.command):
            seen = self.seen.setdefault(place, Seen())
            seen.asked += 1
            seen.passed += finding is Finding.PROVEN
            seen.failed += finding is Finding.MISTAKEN


def places(kind: str) -> tuple[str, ...]:
    """Return all places of a kind, without the kind before them."""
    return _places()[kind]


def items_of(command: str) -> frozenset[str]:
    """Return the places that a command touches, each with its kind before it; as much of it as the grammar knows."""
    found: set[str] = set()
    words = parts_of(command)
    at = 0
    while at < len(words):
        name = words[at].lower().removeprefix("minecraft:")
        root = _ALIASES.get(name, name)
        end = _end_of_clause(root, words, at)
        found.update(_clause(root, words[at + 1 : end]))
        at = end + 1
    return frozenset(found)


def _end_of_clause(root: str, words: list[str], at: int) -> int:
    """Return where the word stands behind which a chain's command begins, the end for all others."""
    try:
        return words.index("run", at) if root in _CHAINS else len(words)
    except ValueError:
        return len(words)


def _clause(root: str, words: list[str]) -> Iterator[str]:
    tree = _tree().fixed.get(root)
    if tree is None:
        return
    yield f"command {root}"
    at = 0
    while at < len(words):
        path, kinds, at_end = _match(tree, words, at)
        for length in range(1, min(len(path), _FIXED_WORDS) + 1):
            yield f"sub-command {' '.join((root, *path[:length]))}"
        for kind, word in kinds:
            yield f"argument {kind}"
            yield from _within(kind, word)
        # A chain goes on with its next link; whatever else cannot be read on is left alone.
        if root != "execute" or at_end == at:
            return
        at = at_end


def _match(node: _Node, words: list[str], at: int) -> tuple[tuple[str, ...], list[tuple[str, str]], int]:
    """Walk the grammar as far as the words go: the fixed words, the arguments with their first word, and the end."""
    path: list[str] = []
    kinds: list[tuple[str, str]] = []
    while at < len(words):
        word = words[at]
        if word in node.fixed:
            path.append(word)
            node, at = node.fixed[word], at + 1
            continue
        kind = _fitting(node.arguments, word)
        if kind is None:
            break
        kinds.append((kind, word))
        node = node.arguments[kind]
        at = len(words) if kind == "message" else at + _WORDS_OF_KIND.get(kind, 1)
    return tuple(path), kinds, min(at, len(words))


def _fitting(arguments: Mapping[str, _Node], word: str) -> str | None:
    """Return the kind that a word is of, where several could stand."""
    is_number = bool(word) and _COORDINATE.fullmatch(word) is not None
    fitting = [kind for kind in arguments if (kind in _NUMERIC) == is_number]
    return next(iter(fitting or arguments), None)


def _within(kind: str, word: str) -> Iterator[str]:
    if kind in ("item_stack", "item_predicate"):
        known, name = _places()["component"], "component"
    elif word.startswith("@"):
        known, name = _places()["selector"], "selector"
    else:
        return
    yield from (f"{name} {key}" for key in _keys(word) if key in known)


def _keys(word: str) -> Iterator[str]:
    """Yield the keys of a bracket that follows a name, `a`, `c` and `d` of `stone[a={b=1},!c|d="e,f=2"]`."""
    start = word.partition("{")[0].find("[")
    if start < 0:
        return
    depth, quote, skipped = 0, "", -1
    for match in _MARKS.finditer(word, start):
        at, sign = match.start(), match[0]
        if at == skipped:
            continue
        if sign == "\\":
            skipped = at + 1
        elif quote:
            quote = "" if sign == quote else quote
        elif sign in _QUOTES:
            quote = sign
        elif sign in _OPENING or sign in _CLOSING:
            depth += 1 if sign in _OPENING else -1
        if depth == 0:
            return
        if depth == 1 and not quote and (at == start or sign in _NEXT) and (key := _KEY.match(word, at + 1)):
            yield key[1]


@cache
def _tree() -> _Node:
    root = _Node()
    for usage in _lines("usages.txt"):
        node = root
        for word in usage.split():
            if _is_argument(word):
                node = node.arguments.setdefault(word[1:-1], _Node())
            else:
                node = node.fixed.setdefault(word, _Node())
    return root


@cache
def _places() -> Mapping[str, tuple[str, ...]]:
    commands: dict[str, None] = {}
    subs: dict[str, None] = {}
    kinds: dict[str, None] = {}
    for usage in _lines("usages.txt"):
        root, *words = usage.split()
        commands[root] = None
        fixed = [word for word in words if not _is_argument(word)]
        subs.update({" ".join((root, *fixed[:length])): None for length in range(1, min(len(fixed), _FIXED_WORDS) + 1)})
        kinds.update({word[1:-1]: None for word in words if _is_argument(word)})
    return {
        "command": tuple(commands),
        "sub-command": tuple(subs),
        "argument": tuple(sorted(kinds)),
        "component": tuple(_lines("components.txt")),
        "selector": _OPTIONS,
    }


def _is_argument(word: str) -> bool:
    """Whether a usage's word stands for an argument; `<` and `<=` are words of the game."""
    return word.startswith("<") and word.endswith(">")


def _lines(name: str) -> list[str]:
    return files("selfplay_core.curriculum").joinpath(name).read_text(encoding="utf-8").split("\n")[:-1]
