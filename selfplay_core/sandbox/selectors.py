"""Target selectors: read as the server reads them, with its errors."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass

from selfplay_core.sandbox import scan
from selfplay_core.sandbox.problem import Rejected
from selfplay_core.sandbox.registries import GAMEMODE, known

__all__ = ["Option", "Range", "Selector", "read_range", "read_selector"]

_ONCE = re.compile("d?[xyz]|distance|[xy]_rotation|level|limit|sort|scores|advancements")
_INVERTIBLE = re.compile("type|name|gamemode|team|tag|nbt|predicate")
_SORTS = ("nearest", "furthest", "random", "arbitrary")


@dataclass(frozen=True, slots=True)
class Range:
    """A range with both ends included; None is an open end."""

    low: float | None
    high: float | None

    def holds(self, value: float) -> bool:
        """Tell whether the value lies within."""
        return (self.low is None or value >= self.low) and (self.high is None or value <= self.high)


@dataclass(frozen=True, slots=True)
class Option:
    """One option; `value` is its text without quotes, `range` is set where the option takes one."""

    key: str
    value: str
    inverted: bool = False
    range: Range | None = None


@dataclass(frozen=True, slots=True)
class Selector:
    """A selector; `variable` is one of a, e, n, p, r, s."""

    variable: str
    options: tuple[Option, ...]
    end: int

    def option(self, key: str) -> Option | None:
        """Return the first option of that name."""
        return next((option for option in self.options if option.key == key), None)

    @property
    def limit(self) -> int | None:
        """How many it may select at most, or None."""
        limit = self.option("limit")
        if limit is not None:
            return int(limit.value)
        return 1 if self.variable in "nprs" else None

    @property
    def players_only(self) -> bool:
        """Whether nothing but players can match, as far as the parser can tell."""
        kind = self.option("type")
        named = kind is not None and not kind.inverted and kind.value.removeprefix("minecraft:") == "player"
        return self.variable in "apr" or named


def read_selector(text: str, at: int) -> Selector:
    """Read the selector that starts with the `@` at this place."""
    at += 1
    if at >= len(text):
        raise Rejected("Missing selector type", at)
    variable = text[at]
    if variable not in "aenprs":
        raise Rejected(f"Unknown selector type '@{variable}'", at)
    if text[at + 1 : at + 2] != "[":
        return Selector(variable, (), at + 1)
    return _read_options(text, at + 2, variable)


def _read_options(text: str, at: int, variable: str) -> Selector:
    options: list[Option] = []
    at = scan.skip_blanks(text, at)
    while at < len(text) and text[at] != "]":
        option, at = _read_option(text, at, variable, options)
        options.append(option)
        at = scan.skip_blanks(text, at)
        if text[at : at + 1] == ",":
            at = scan.skip_blanks(text, at + 1)
        elif text[at : at + 1] != "]":
            raise Rejected("Expected end of options", at)
    if at >= len(text):
        raise Rejected("Expected end of options", at)
    return Selector(variable, tuple(options), at + 1)


def _read_option(text: str, start: int, variable: str, before: list[Option]) -> tuple[Option, int]:
    key, at = scan.read_string(text, start)
    reader = _READERS.get(key)
    if reader is None:
        raise Rejected(f"Unknown option '{key}'", start)
    if not _applicable(key, variable, before):
        raise Rejected(f"Option '{key}' isn't applicable here", start)
    at = scan.skip_blanks(text, at)
    if text[at : at + 1] != "=":
        raise Rejected(f"Expected value for option '{key}'", start)
    at = scan.skip_blanks(text, at + 1)
    inverted = bool(_INVERTIBLE.fullmatch(key)) and text[at : at + 1] == "!"
    value_at = scan.skip_blanks(text, at + 1) if inverted else at
    option, end = reader(key, text, value_at)
    return Option(option.key, option.value, inverted, option.range), end


def _applicable(key: str, variable: str, before: list[Option]) -> bool:
    same = [option for option in before if option.key == key]
    if key == "type" and variable in "apr":
        return False
    if key in ("limit", "sort") and variable == "s":
        return False
    if _ONCE.fullmatch(key):
        return not same
    if key in ("type", "name", "gamemode"):
        return all(option.inverted for option in same)
    return True


def read_range(text: str, at: int, whole: bool) -> tuple[Range, int]:
    """Read `a`, `a..`, `..b` or `a..b`."""
    start = at
    low, at = _read_bound(text, at, whole)
    if text[at : at + 2] == "..":
        high, at = _read_bound(text, at + 2, whole)
    else:
        high = low
    if low is None and high is None:
        raise Rejected("Expected value or range of values", start)
    if low is not None and high is not None and low > high:
        raise Rejected("Min cannot be bigger than max", start)
    return Range(low, high), at


def _read_bound(text: str, at: int, whole: bool) -> tuple[float | None, int]:
    end = at
    while end < len(text) and (text[end].isdigit() or text[end] in "-.") and text[end : end + 2] != "..":
        end += 1
    if end == at:
        return None, at
    if whole and "." in text[at:end]:
        raise Rejected("Only whole numbers are allowed; not decimals", at)
    value, _ = scan.read_integer(text[:end], at) if whole else scan.read_decimal(text[:end], at)
    return float(value), end


_Reader = Callable[[str, str, int], tuple[Option, int]]


def _number(key: str, text: str, at: int) -> tuple[Option, int]:
    value, end = scan.read_decimal(text, at)
    return Option(key, str(value)), end


def _limit(key: str, text: str, at: int) -> tuple[Option, int]:
    value, end = scan.read_integer(text, at)
    if value < 1:
        raise Rejected("Limit must be at least 1", at)
    return Option(key, str(value)), end


def _range(key: str, text: str, at: int) -> tuple[Option, int]:
    bounds, end = read_range(text, at, whole=key == "level")
    negative = any(bound is not None and bound < 0 for bound in (bounds.low, bounds.high))
    if negative and key == "level":
        raise Rejected("Level shouldn't be negative", at)
    if negative and key == "distance":
        raise Rejected("Distance cannot be negative", at)
    return Option(key, text[at:end], range=bounds), end


def _string(key: str, text: str, at: int) -> tuple[Option, int]:
    value, end = scan.read_string(text, at)
    return Option(key, value), end


def _type(key: str, text: str, at: int) -> tuple[Option, int]:
    if text[at : at + 1] == "#":
        identifier, end = scan.read_id(text, at + 1)
        return Option(key, f"#{identifier}"), end
    identifier, end = scan.read_id(text, at)
    if not known("entity_type", identifier):
        raise Rejected(f"Invalid or unknown entity type '{identifier}'", at)
    return Option(key, identifier), end


def _gamemode(key: str, text: str, at: int) -> tuple[Option, int]:
    word = scan.read_word(text, at)
    if not GAMEMODE.fullmatch(word):
        raise Rejected(f"Invalid or unknown game mode '{word}'", at)
    return Option(key, word), at + len(word)


def _sort(key: str, text: str, at: int) -> tuple[Option, int]:
    word = scan.read_word(text, at)
    if word not in _SORTS:
        raise Rejected(f"Invalid or unknown sort type '{word}'", at)
    return Option(key, word), at + len(word)


def _compound(key: str, text: str, at: int) -> tuple[Option, int]:
    if text[at : at + 1] != "{":
        raise Rejected("Expected '{'", at)
    end = scan.read_balanced(text, at)
    return Option(key, text[at:end]), end


def _identifier(key: str, text: str, at: int) -> tuple[Option, int]:
    identifier, end = scan.read_id(text, at)
    return Option(key, identifier), end


_READERS: dict[str, _Reader] = {
    **dict.fromkeys(("x", "y", "z", "dx", "dy", "dz"), _number),
    **dict.fromkeys(("distance", "level", "x_rotation", "y_rotation"), _range),
    **dict.fromkeys(("name", "tag", "team"), _string),
    **dict.fromkeys(("scores", "advancements", "nbt"), _compound),
    "limit": _limit,
    "sort": _sort,
    "type": _type,
    "gamemode": _gamemode,
    "predicate": _identifier,
}
