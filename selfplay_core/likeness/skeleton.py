"""A command without its arguments: what is left is how it is built."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import suppress
from functools import cache
from importlib.resources import files
from typing import Final

from selfplay_core.likeness.normal import bare

__all__ = ["parts_of", "skeleton", "skeleton_of"]

_MASK: Final = "_"

# What a command of these says is one argument, however many words it has; before it stand so many others.
_TEXT_AFTER: Final = {"say": 0, "me": 0, "teammsg": 0, "tm": 0, "msg": 1, "tell": 1, "w": 1}
_CHAINS: Final = frozenset({"execute", "return"})

_MARKS: Final = re.compile(r"""[\[\](){}"' \\]""")
_GROUPING: Final = re.compile(r"""[\[\](){}"'\\]""")
_OPENING, _CLOSING, _QUOTES = "[({", "])}", "\"'"


def skeleton_of(commands: tuple[str, ...]) -> str:
    """Return the skeletons of an answer's commands, one a line."""
    return "\n".join(map(skeleton, commands))


def skeleton(command: str) -> str:
    """Return the command's name and its fixed words, each argument masked: `execute as _ run give _ _ _`.

    Fixed words are those of the game's own grammar (literals.txt); of a command that it does not have only the
    name is kept.
    """
    parts = parts_of(command)
    kept: list[str] = []
    start = 0
    while start < len(parts):
        root = parts[start].lower().removeprefix("minecraft:")
        kept.append(root)
        end = _end_of_clause(root, parts, start)
        kept.extend(_masked(root, parts[start + 1 : end]))
        start = end
    return " ".join(kept)


def parts_of(command: str) -> list[str]:
    """Return the words of a command, what stands within brackets and quotes as one; its name is bare."""
    first, *rest = list(_parts(bare(command.strip()))) or [""]
    return [first.lower().removeprefix("minecraft:"), *rest] if first else []


def _end_of_clause(root: str, parts: list[str], start: int) -> int:
    """Return where the command that a chain runs begins, the end for all others."""
    if root in _CHAINS:
        with suppress(ValueError):
            return parts.index("run", start) + 1
    return len(parts)


def _masked(root: str, arguments: list[str]) -> Iterator[str]:
    before = _TEXT_AFTER.get(root)
    if before is not None:
        yield from (_MASK for _ in arguments[: before + 1])
        return
    fixed = _literals().get(root, frozenset())
    for argument in arguments:
        yield argument if argument in fixed else _MASK


@cache
def _literals() -> dict[str, frozenset[str]]:
    text = files("selfplay_core.likeness").joinpath("literals.txt").read_text(encoding="utf-8")
    lines = [line.split() for line in text.splitlines()]
    return {root: frozenset(fixed) for root, *fixed in lines}


def _parts(command: str) -> Iterator[str]:
    """Split at blanks that stand outside of brackets and quotes; what never closes reaches to the end."""
    if _GROUPING.search(command) is None:
        yield from filter(None, command.split(" "))
        return
    start, depth, quote, skipped = 0, 0, "", -1
    for match in _MARKS.finditer(command):
        at, sign = match.start(), match[0]
        if at == skipped:
            continue
        if sign == "\\":
            skipped = at + 1
        elif quote:
            quote = "" if sign == quote else quote
        elif sign in _QUOTES:
            quote = sign
        elif sign in _OPENING:
            depth += 1
        elif sign in _CLOSING:
            depth = max(depth - 1, 0)
        elif depth == 0:
            if at > start:
                yield command[start:at]
            start = at + 1
    if start < len(command):
        yield command[start:]
