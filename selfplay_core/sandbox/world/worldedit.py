"""A dozen WorldEdit commands with the plugin's own replies.

A region of 10 by 5 by 10 blocks counts as selected and copied at any time, also after //desel: no selection is
kept, so that the same command gets the same reply in any order.
"""

from __future__ import annotations

import re
from collections.abc import Callable

from selfplay_core.sandbox.facts.registries import known

__all__ = ["is_worldedit", "worldedit"]

_SIDES = (10, 5, 10)
_VOLUME = _SIDES[0] * _SIDES[1] * _SIDES[2]
_RADIUS_LIMIT = 100
_DIRECTION = re.compile("n|north|s|south|e|east|w|west|u|up|d|down|me|f|forward|b|back|l|left|r|right")
_INTEGER = re.compile(r"-?\d{1,9}\Z")
_CORNER = re.compile(r"-?\d{1,9},-?\d{1,9},-?\d{1,9}\Z")
_PATTERN_PART = re.compile(r"(?:\d+(?:\.\d+)?%)?(?:minecraft:)?([a-z0-9_]+)(?:\[[^\]]*\])?\Z")

_Handler = Callable[[list[str]], str]


def is_worldedit(command: str) -> bool:
    """Tell whether the first word of a command (its one leading slash taken off) is WorldEdit's."""
    return _label(command) in _HANDLERS


def worldedit(command: str) -> str:
    """Return the plugin's reply."""
    words = command.split()
    return _HANDLERS[_label(command)](words[1:])


def _label(command: str) -> str:
    words = command.split(maxsplit=1)
    return words[0].lower().removeprefix("worldedit:") if words else ""


def _too_few(usage: str) -> str:
    return f"Not enough arguments.\nUsage: {usage}"


def _pattern_error(pattern: str) -> str | None:
    for part in pattern.split(","):
        match = _PATTERN_PART.match(part)
        if match is None:
            return _invalid("<pattern>", f"No match for '{part}'.", "pattern")
        if not known("block", match[1]):
            return _invalid("<pattern>", f"Does not match a valid block type: '{match[1]}'", "pattern")
    return None


def _invalid(argument: str, reason: str, allowed: str) -> str:
    return f"Invalid value for {argument} ({reason}), acceptable values are any {allowed}"


def _with_pattern(usage: str, reply: str, most: int = 1) -> _Handler:
    def handle(words: list[str]) -> str:
        if not words:
            return _too_few(usage)
        if len(words) > most:
            return f"Too many arguments.\nUsage: {usage}"
        errors = [error for word in words if (error := _pattern_error(word))]
        return errors[0] if errors else reply

    return handle


def _corner(ordinal: str) -> _Handler:
    def handle(words: list[str]) -> str:
        if not words:
            return "You must provide coordinates as console."
        if not _CORNER.match(words[0]):
            return _invalid("[coordinates]", f"Not a block vector: '{words[0]}'", "block vector")
        x, y, z = words[0].split(",")
        return f"{ordinal} position set to ({x}, {y}, {z}) ({_VOLUME})."

    return handle


def _size(_: list[str]) -> str:
    x, y, z = _SIDES
    return (
        "Type: cuboid\nPosition 1: (0, 64, 0)\n"
        f"Position 2: ({x - 1}, {63 + y}, {z - 1})\nSize: ({x}, {y}, {z})\n"
        f"Cuboid distance: 14.35\n# of blocks: {_VOLUME}"
    )


def _shifted(number: str, changed: Callable[[int], str]) -> _Handler:
    """Move or stack: a number, then a direction; both may be left out."""

    def handle(words: list[str]) -> str:
        if words and not _INTEGER.match(words[0]):
            return _invalid(number, f"Not a number: '{words[0]}'", "integer")
        if len(words) > 1 and not _DIRECTION.fullmatch(words[1].lower()):
            return f"Unknown direction: {words[1]}"
        return changed(int(words[0]) if words else 1)

    return handle


def _round_form(usage: str) -> _Handler:
    def handle(words: list[str]) -> str:
        if len(words) < 2:
            return _too_few(usage)
        error = _pattern_error(words[0])
        if error:
            return error
        try:
            radius = float(words[1].split(",")[0])
        except ValueError:
            return _invalid("<radii>", f"Not a number: '{words[1]}'", "number")
        if not 0 <= radius <= _RADIUS_LIMIT:
            return f"Maximum radius (in configuration): {_RADIUS_LIMIT}"
        return f"{int(4 * radius**3) + 1} blocks have been created."

    return handle


def _fixed(text: str) -> _Handler:
    return lambda words: text


_HANDLERS: dict[str, _Handler] = {
    "/pos1": _corner("First"),
    "/pos2": _corner("Second"),
    "/set": _with_pattern("//set <pattern>", f"Operation completed ({_VOLUME} blocks affected)."),
    "/replace": _with_pattern("//replace [from] <to>", f"{_VOLUME // 2} blocks have been replaced.", most=2),
    "/walls": _with_pattern("//walls <pattern>", "190 blocks have been changed."),
    "/faces": _with_pattern("//faces <pattern>", "324 blocks have been changed."),
    "/copy": _fixed(f"{_VOLUME} blocks affected"),
    "/cut": _fixed(f"{_VOLUME} blocks affected"),
    "/paste": _fixed("The clipboard has been pasted at (0, 64, 0)"),
    "/undo": _fixed("Undid 1 available edits."),
    "/redo": _fixed("Redid 1 available edits."),
    "/size": _size,
    "/sphere": _round_form("//sphere [-h] <pattern> <radii>"),
    "/cyl": _round_form("//cyl [-h] <pattern> <radii> [height]"),
    "/stack": _shifted("[count]", lambda count: f"{_VOLUME * max(count, 0)} blocks changed. Undo with //undo"),
    "/move": _shifted("[multiplier]", lambda _: f"{_VOLUME} blocks moved."),
    "/desel": _fixed("Selection cleared."),
}
