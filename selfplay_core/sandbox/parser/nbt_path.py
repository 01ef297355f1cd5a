"""Paths into NBT: how they are read, and what they lead to in a value."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from itertools import pairwise
from typing import Any, Final

from selfplay_core.sandbox.parser import scan
from selfplay_core.sandbox.parser.problem import Failed, Rejected
from selfplay_core.sandbox.parser.snbt import read_compound
from selfplay_core.sandbox.parser.tags import Array, Tag

__all__ = ["NbtPath", "Step", "found", "matches", "read_nbt_path", "removed", "stored"]

_INVALID: Final = "Invalid NBT path element"
_NAME = re.compile(r"[^ \"'\[\].{}]*")


@dataclass(frozen=True, slots=True)
class Step:
    """One element: a `key` (with a `pattern`: only if the compound there fits), an `index`, or all elements.

    A step with neither key nor index takes all elements of a list, those that fit the `pattern` if there is one.
    `root` marks a pattern at the very beginning, which the whole has to fit.
    """

    key: str | None = None
    index: int | None = None
    pattern: Mapping[str, Tag] | None = None
    root: bool = False


NbtPath = tuple[Step, ...]


def read_nbt_path(text: str, at: int, _: Mapping[str, Any]) -> tuple[NbtPath, int]:
    """Read a path."""
    steps: list[Step] = []
    while at < len(text) and text[at] != " ":
        step, at = _step(text, at, first=not steps)
        steps.append(step)
        if text[at : at + 1] not in ("", " ", "[", "{"):
            at = scan.expect(text, at, ".")
    return tuple(steps), at


def _step(text: str, at: int, *, first: bool) -> tuple[Step, int]:
    character = text[at]
    if character == "[":
        return _element(text, at + 1)
    if character == "{":
        if not first:
            raise Rejected(_INVALID, at)
        pattern, end = read_compound(text, at)
        return Step(pattern=pattern, root=True), end
    if character in "\"'":
        name, end = scan.read_string(text, at)
    else:
        match = _NAME.match(text, at)
        name = match.group() if match else ""
        end = at + len(name)
    if not name:
        raise Rejected(_INVALID, end)
    if text[end : end + 1] == "{":
        pattern, end = read_compound(text, end)
        return Step(key=name, pattern=pattern), end
    return Step(key=name), end


def _element(text: str, at: int) -> tuple[Step, int]:
    character = text[at : at + 1]
    if not character:
        raise Rejected(f"Could not parse command: Index {at} out of bounds for length {len(text)}", at)
    if character == "]":
        return Step(), at + 1
    if character == "{":
        pattern, end = read_compound(text, at)
        return Step(pattern=pattern), scan.expect(text, end, "]")
    index, end = scan.read_integer(text, at)
    return Step(index=index), scan.expect(text, end, "]")


def matches(pattern: Tag, value: Tag) -> bool:
    """Tell whether a value holds all that the pattern asks for; types have to be equal, lists may hold more."""
    if isinstance(pattern, dict):
        return isinstance(value, dict) and all(
            key in value and matches(part, value[key]) for key, part in pattern.items()
        )
    if isinstance(pattern, list) and not isinstance(pattern, Array):
        if not isinstance(value, list) or isinstance(value, Array):
            return False
        return (not value) if not pattern else all(any(matches(part, one) for one in value) for part in pattern)
    return type(pattern) is type(value) and bool(pattern == value)


def found(path: NbtPath, value: Tag) -> list[Tag]:
    """Return everything that the path leads to."""
    values = [value]
    for step in path:
        values = [inner for one in values for inner in _inner(step, one)]
    return values


def _inner(step: Step, value: Tag) -> list[Tag]:
    if step.root:
        return [value] if matches(step.pattern, value) else []
    if step.key is not None:
        if not isinstance(value, dict) or step.key not in value:
            return []
        inner = value[step.key]
        return [inner] if step.pattern is None or matches(step.pattern, inner) else []
    return [value[index] for index in _indices(step, value)]


def _indices(step: Step, value: Tag) -> list[int]:
    if not isinstance(value, list):
        return []
    if step.index is not None:
        index = step.index + len(value) if step.index < 0 else step.index
        return [index] if 0 <= index < len(value) else []
    return [at for at, one in enumerate(value) if step.pattern is None or matches(step.pattern, one)]


def _parents(path: NbtPath, value: Tag, *, make: bool) -> list[Tag]:
    values = [value]
    for step, following in pairwise(path):
        if make and step.key is not None:
            for one in values:
                if isinstance(one, dict) and step.key not in one:
                    one[step.key] = {} if following.key is not None else []
        values = [inner for one in values for inner in _inner(step, one)]
    return values


def _last(path: NbtPath) -> Step:
    """Return where a path ends. Two blanks where a path belongs are read as an empty one, which the game trips over."""
    if not path:
        raise Failed("An unexpected error occurred trying to execute that command")
    return path[-1]


def stored(path: NbtPath, value: Tag, new: Tag) -> int:
    """Put `new` where the path leads, making compounds on the way; return how many places changed."""
    changed = 0
    last = _last(path)
    for parent in _parents(path, value, make=True):
        if last.key is not None and isinstance(parent, dict):
            changed += parent.get(last.key) != new or type(parent.get(last.key)) is not type(new)
            parent[last.key] = new
        elif last.key is None and isinstance(parent, list):
            for index in _indices(last, parent):
                changed += parent[index] != new
                parent[index] = new
    return changed


def removed(path: NbtPath, value: Tag) -> int:
    """Take away what the path leads to; return how many values went."""
    count = 0
    last = _last(path)
    for parent in _parents(path, value, make=False):
        if last.key is not None:
            if _inner(last, parent):
                del parent[last.key]
                count += 1
        else:
            for index in reversed(_indices(last, parent)):
                del parent[index]
                count += 1
    return count
