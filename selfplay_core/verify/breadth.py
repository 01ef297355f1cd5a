"""How much a command touches: how many a selector may match, how many blocks a box holds."""

from __future__ import annotations

import math
import re

__all__ = ["box_volume", "forks", "is_broad", "is_broad_over_entities", "largest_number"]

_MOST_MATCHES = 20
_FARTHEST = 128.0
_LONGEST_NUMBER = 32

_MARK = re.compile(r"""[,\[\]{}"']""")
_QUOTED = re.compile(r'"(?:[^"\\]|\\.)*+"?|' r"'(?:[^'\\]|\\.)*+'?", re.DOTALL)
_NUMBER = re.compile(r"[-+]?(?:\d+(?:\.\d*)?|\.\d+)")
_COORDINATE = re.compile(r"([~^]?)([-+]?(?:\d+(?:\.\d*)?|\.\d+))?")
_EMPTY = re.compile(r"""[\s{}"']*""")
_PLAYERS = frozenset(("player", "minecraft:player"))

# Which part of the space a coordinate is measured in: the world, the source, or where the source looks.
_Coordinate = tuple[str, float]


def is_broad(selector: str) -> bool:
    """Tell whether `selector` may match more than a handful: all players, or all entities of any kind."""
    kind, options = _split(selector)
    if kind in ("*", "**"):
        return True
    if kind in ("@s", "@n", "@p", "@r"):
        return any(key == "limit" and not _few(value) for key, value in options)
    if not kind.startswith(("@a", "@e")):
        return False
    return not any(_narrows(key, value) for key, value in options)


def is_broad_over_entities(selector: str) -> bool:
    """Tell whether `selector` is broad and not confined to players, of whom there are few."""
    kind, options = _split(selector)
    players = kind == "@a" or any(key == "type" and value in _PLAYERS for key, value in options)
    return is_broad(selector) and not players


def forks(selector: str) -> bool:
    """Tell whether `execute as` this selector may run the rest more than once."""
    kind, options = _split(selector)
    if any(key == "limit" for key, _ in options):
        return not any(key == "limit" and value.strip("+0") in ("", "1") for key, value in options)
    return kind.startswith(("@a", "@e"))


def box_volume(corners: list[str]) -> float | None:
    """Return the blocks between two corners, given as six words.

    None if they are no coordinates, which the server refuses; infinity if they are, but tell no size.
    """
    parsed = [_coordinate(word) for word in corners]
    if len(parsed) != 6 or None in parsed:
        return None
    numbers = [coordinate for coordinate in parsed if coordinate is not None]
    spans = []
    for (space, begin), (other, end) in zip(numbers[:3], numbers[3:], strict=True):
        if space != other or math.isinf(begin) or math.isinf(end):
            return math.inf
        spans.append(abs(math.floor(begin) - math.floor(end)))
    if any(space == "^" for space, _ in numbers):
        # Where the source looks is unknown; of all turns of the diagonal, the even one spans the largest box.
        side = math.hypot(*spans) / math.sqrt(3) + 1
        return side**3
    return math.prod(span + 1.0 for span in spans)


def largest_number(words: list[str]) -> float:
    """Return the largest absolute number among `words`, each a number or several with commas."""
    largest = 0.0
    for word in words:
        for part in word.split(",") if len(word) <= 4 * _LONGEST_NUMBER else ():
            if len(part) > _LONGEST_NUMBER and part.isdigit():
                return math.inf
            if _NUMBER.fullmatch(part):
                largest = max(largest, abs(float(part)))
    return largest


def _split(selector: str) -> tuple[str, list[tuple[str, str]]]:
    kind, bracket, rest = selector.strip().lower().partition("[")
    if not bracket:
        return kind, []
    pairs = []
    for option in _options(rest):
        key, _, value = option.partition("=")
        pairs.append((key.strip().strip("\"'"), value.strip()))
    return kind.strip(), pairs


def _options(text: str) -> list[str]:
    """Split what follows the opening bracket at its commas; those inside brackets and quotes do not count."""
    found: list[str] = []
    begin = at = depth = 0
    while mark := _MARK.search(text, at):
        character = mark.group()
        at = mark.end()
        if character in "\"'":
            quoted = _QUOTED.match(text, mark.start())
            at = quoted.end() if quoted else at
        elif character in "[{":
            depth += 1
        elif character == "," and depth == 0:
            found.append(text[begin : mark.start()])
            begin = at
        elif character in "]}":
            if depth == 0:
                return [*found, text[begin : mark.start()]]
            depth -= 1
    return [*found, text[begin:]]


def _narrows(key: str, value: str) -> bool:
    if key == "limit":
        return _few(value)
    if key == "distance":
        return _near(value.rpartition("..")[2])
    if key in ("dx", "dy", "dz"):
        return _near(value)
    if value.startswith("!") or _EMPTY.fullmatch(value):
        return False
    if key == "type":
        return value.strip("\"'") not in _PLAYERS
    return key in ("name", "tag", "team", "scores", "nbt", "predicate")


def _few(value: str) -> bool:
    return len(value) <= _LONGEST_NUMBER and value.isdecimal() and int(value) <= _MOST_MATCHES


def _near(value: str) -> bool:
    number = _NUMBER.fullmatch(value) if len(value) <= _LONGEST_NUMBER else None
    return number is not None and abs(float(value)) <= _FARTHEST


def _coordinate(word: str) -> _Coordinate | None:
    match = _COORDINATE.fullmatch(word)
    if match is None or not word:
        return None
    if len(word) > _LONGEST_NUMBER:
        return match[1], math.inf
    return match[1], float(match[2] or 0)
