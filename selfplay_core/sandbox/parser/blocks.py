"""Blocks in commands: an id or a tag, states in square brackets, data in braces."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from selfplay_core.sandbox.facts.registries import block_states, known, known_tag
from selfplay_core.sandbox.parser import scan
from selfplay_core.sandbox.parser.problem import Rejected
from selfplay_core.sandbox.parser.snbt import read_compound
from selfplay_core.sandbox.parser.tags import Tag

__all__ = ["Block", "read_block", "read_block_predicate"]

_INTEGER = re.compile(r"[+-]?[0-9]{1,9}")
_UNCLOSED = "Expected closing ] for block state properties"


@dataclass(frozen=True, slots=True)
class Block:
    """A block as it was asked for; `name` has its namespace, `is_tag` says that it names many."""

    name: str
    is_tag: bool
    states: Mapping[str, str]
    data: Mapping[str, Tag] | None

    @property
    def path(self) -> str:
        """The name without the game's own namespace."""
        return self.name.removeprefix("minecraft:")


def read_block(text: str, at: int, _: Mapping[str, Any]) -> tuple[Block, int]:
    """Read a block that can be set."""
    if text[at : at + 1] == "#":
        raise Rejected("Tags aren't allowed here; only actual blocks are", at)
    return _read_plain(text, at)


def read_block_predicate(text: str, at: int, properties: Mapping[str, Any]) -> tuple[Block, int]:
    """Read what blocks are tested against; a tag may stand for any of its blocks."""
    if text[at : at + 1] != "#":
        return _read_plain(text, at)
    name, end = scan.read_id(text, at + 1)
    if not known_tag("block", name):
        raise Rejected(f"Unknown block tag '{name}'", at)
    states: dict[str, str] = {}
    if text[end : end + 1] == "[":
        states, end = _read_states(text, end + 1, name, any_property=True)
    return _with_data(text, end, name, states, is_tag=True)


def _read_plain(text: str, at: int) -> tuple[Block, int]:
    name, end = scan.read_id(text, at)
    if not known("block", name):
        raise Rejected(f"Unknown block type '{name}'", at)
    states: dict[str, str] = {}
    if text[end : end + 1] == "[":
        states, end = _read_states(text, end + 1, name, any_property=False)
    return _with_data(text, end, name, states, is_tag=False)


def _with_data(text: str, at: int, name: str, states: dict[str, str], *, is_tag: bool) -> tuple[Block, int]:
    data = None
    if text[at : at + 1] == "{":
        data, at = read_compound(text, at)
    return Block(name, is_tag, states, data), at


def _read_states(text: str, at: int, name: str, *, any_property: bool) -> tuple[dict[str, str], int]:
    allowed = block_states(name) or {}
    states: dict[str, str] = {}
    at = scan.skip_blanks(text, at)
    while at < len(text) and text[at] != "]":
        start = scan.skip_blanks(text, at)
        key, at = scan.read_string(text, start)
        if not any_property and key not in allowed:
            raise Rejected(f"Block {name} does not have property '{key}'", start)
        if key in states:
            raise Rejected(f"Property '{key}' can only be set once for block {name}", start)
        at = scan.skip_blanks(text, at)
        if text[at : at + 1] != "=":
            raise Rejected(f"Expected value for property '{key}' on block {name}", start if any_property else at)
        value_at = scan.skip_blanks(text, at + 1)
        value, at = scan.read_string(text, value_at)
        if not any_property and _INTEGER.fullmatch(value) and allowed[key][0].isdigit():
            value = str(int(value))  # a number by any of its spellings
        if not any_property and value not in allowed[key]:
            raise Rejected(f"Block {name} does not accept '{value}' for {key} property", value_at)
        states[key] = value
        at = scan.skip_blanks(text, at)
        if text[at : at + 1] == ",":
            at += 1
        elif at < len(text) and text[at] != "]":
            raise Rejected(_UNCLOSED, at)
    if at >= len(text):
        raise Rejected(_UNCLOSED, at)
    return states, at + 1
