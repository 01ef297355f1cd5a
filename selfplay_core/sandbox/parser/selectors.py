"""Target selectors: read as the server's `EntitySelectorParser` reads them, with its errors and cursors."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, Final

from selfplay_core.sandbox.facts.registries import GAMEMODE, known
from selfplay_core.sandbox.parser import scan
from selfplay_core.sandbox.parser.problem import Rejected
from selfplay_core.sandbox.parser.scan import Range
from selfplay_core.sandbox.parser.snbt import read_compound

__all__ = ["Option", "Selector", "read_target"]

_NAME_LIMIT: Final = 16
_SORTS: Final = ("nearest", "furthest", "random", "arbitrary")
_NUMBERS: Final = ("x", "y", "z", "dx", "dy", "dz")
_RANGES: Final = ("distance", "level", "x_rotation", "y_rotation")
_MAPS: Final = ("scores", "advancements")
_UNENDED: Final = "Expected end of options"
_PLAYER: Final = "minecraft:player"


@dataclass(frozen=True, slots=True)
class Option:
    """One option; `value` is its text without quotes, or what the text holds: a number, a range, a map, a compound."""

    key: str
    value: Any
    inverted: bool = False


@dataclass(frozen=True, slots=True)
class Selector:
    """Whom a command means. `variable` is one of a, e, n, p, r, s; with a `name` it is empty.

    `limit` is None without one. `players_only` tells that nothing but players can match, as far as the parser sees.
    """

    variable: str
    options: tuple[Option, ...] = ()
    limit: int | None = None
    players_only: bool = False
    name: str | None = None

    @property
    def is_self(self) -> bool:
        """Whether it is `@s`."""
        return self.variable == "s"

    def option(self, key: str) -> Option | None:
        """Return the first option of that name."""
        return next((option for option in self.options if option.key == key), None)


def read_target(text: str, at: int) -> tuple[Selector, int]:
    """Read a selector, a player's name or a UUID."""
    if text[at : at + 1] == "@":
        return _read_selector(text, at + 1)
    name, end = scan.read_string(text, at)
    if scan.is_uuid(name):
        return Selector("", limit=1, name=name), end
    if not name or len(name) > _NAME_LIMIT:
        raise Rejected("Invalid name or UUID", at)
    return Selector("", limit=1, players_only=True, name=name), end


@dataclass(slots=True)
class _State:
    """What the options so far have settled."""

    variable: str
    limit: int | None
    players_only: bool
    type_settled: bool
    options: list[Option] = field(default_factory=list)

    def has(self, key: str, *, inverted: bool | None = None) -> bool:
        return any(option.key == key and (inverted is None or option.inverted == inverted) for option in self.options)


def _read_selector(text: str, at: int) -> tuple[Selector, int]:
    if at >= len(text):
        raise Rejected("Missing selector type", at)
    variable = text[at]
    if variable not in "aenprs":
        raise Rejected(f"Unknown selector type '@{variable}'", at)
    only = variable in "apr"
    state = _State(variable, 1 if variable in "nprs" else None, only, only)
    at += 1
    if text[at : at + 1] == "[":
        at = _read_options(text, at + 1, state)
    return Selector(variable, tuple(state.options), state.limit, state.players_only), at


def _read_options(text: str, at: int, state: _State) -> int:
    at = scan.skip_blanks(text, at)
    while at < len(text) and text[at] != "]":
        at = _read_option(text, scan.skip_blanks(text, at), state)
        at = scan.skip_blanks(text, at)
        if text[at : at + 1] == ",":
            at += 1
        elif at < len(text) and text[at] != "]":
            raise Rejected(_UNENDED, at)
    if at >= len(text):
        raise Rejected(_UNENDED, at)
    return at + 1


def _read_option(text: str, start: int, state: _State) -> int:
    key, at = scan.read_string(text, start)
    reader = _READERS.get(key)
    if reader is None:
        raise Rejected(f"Unknown option '{key}'", start)
    if not _applicable(key, state):
        raise _inapplicable(key, at)
    at = scan.skip_blanks(text, at)
    if text[at : at + 1] != "=":
        raise Rejected(f"Expected value for option '{key}'", start)
    return reader(key, text, scan.skip_blanks(text, at + 1), state)


def _inapplicable(key: str, at: int) -> Rejected:
    return Rejected(f"Option '{key}' isn't applicable here", at)


def _applicable(key: str, state: _State) -> bool:
    if key == "type":
        return not state.type_settled
    if key in ("limit", "sort"):
        return state.variable != "s" and not state.has(key)
    if key in ("name", "gamemode", "team"):
        return not state.has(key, inverted=False)
    if key in _NUMBERS or key in _RANGES or key in _MAPS:
        return not state.has(key)
    return True


def _inversion(text: str, at: int) -> tuple[bool, int]:
    at = scan.skip_blanks(text, at)
    if text[at : at + 1] != "!":
        return False, at
    return True, scan.skip_blanks(text, at + 1)


_Reader = Callable[[str, str, int, _State], int]


def _number(key: str, text: str, at: int, state: _State) -> int:
    value, end = scan.read_decimal(text, at)
    state.options.append(Option(key, value))
    return end


def _limit(key: str, text: str, at: int, state: _State) -> int:
    value, end = scan.read_integer(text, at)
    if value < 1:
        raise Rejected("Limit must be at least 1", at)
    state.limit = value
    state.options.append(Option(key, value))
    return end


def _range(key: str, text: str, at: int, state: _State) -> int:
    bounds, end = scan.read_range(text, at, whole=key == "level", ordered=key in ("distance", "level"))
    negative = any(bound is not None and bound < 0 for bound in (bounds.low, bounds.high))
    if negative and key == "distance":
        raise Rejected("Distance cannot be negative", at)
    if negative and key == "level":
        raise Rejected("Level shouldn't be negative", at)
    state.players_only |= key == "level"
    state.options.append(Option(key, bounds))
    return end


def _name(key: str, text: str, at: int, state: _State) -> int:
    inverted, value_at = _inversion(text, at)
    value, end = scan.read_string(text, value_at)
    if state.has(key, inverted=True) and not inverted:
        raise _inapplicable(key, at)
    state.options.append(Option(key, value, inverted))
    return end


def _word(key: str, text: str, at: int, state: _State) -> int:
    inverted, at = _inversion(text, at)
    value, end = scan.read_word(text, at)
    state.options.append(Option(key, value, inverted))
    return end


def _type(key: str, text: str, at: int, state: _State) -> int:
    inverted, value_at = _inversion(text, at)
    if state.has(key, inverted=True) and not inverted:
        raise _inapplicable(key, at)
    tag = text[value_at : value_at + 1] == "#"
    identifier, end = scan.read_id(text, scan.skip_blanks(text, value_at + tag))
    if tag:
        state.options.append(Option(key, f"#{identifier}", inverted))
        return end
    if not known("entity_type", identifier):
        raise Rejected(f"Invalid or unknown entity type '{identifier}'", at)
    state.players_only |= identifier == _PLAYER and not inverted
    state.type_settled |= not inverted
    state.options.append(Option(key, identifier, inverted))
    return end


def _gamemode(key: str, text: str, at: int, state: _State) -> int:
    inverted, value_at = _inversion(text, at)
    if state.has(key, inverted=True) and not inverted:
        raise _inapplicable(key, value_at)
    word, end = scan.read_word(text, value_at)
    if not GAMEMODE.fullmatch(word):
        raise Rejected(f"Invalid or unknown game mode '{word}'", value_at)
    state.players_only = True
    state.options.append(Option(key, word, inverted))
    return end


def _sort(key: str, text: str, at: int, state: _State) -> int:
    word, end = scan.read_word(text, at)
    if word not in _SORTS:
        raise Rejected(f"Invalid or unknown sort type '{word}'", at)
    state.options.append(Option(key, word))
    return end


def _nbt(key: str, text: str, at: int, state: _State) -> int:
    inverted, at = _inversion(text, at)
    value, end = read_compound(text, at)
    state.options.append(Option(key, value, inverted))
    return end


def _predicate(key: str, text: str, at: int, state: _State) -> int:
    inverted, at = _inversion(text, at)
    identifier, end = scan.read_id(text, at)
    state.options.append(Option(key, identifier, inverted))
    return end


def _scores(key: str, text: str, at: int, state: _State) -> int:
    scores: dict[str, Range] = {}

    def entry(text: str, at: int) -> int:
        name, at = scan.read_word(text, at)
        bounds, at = scan.read_range(text, _after_equals(text, at), whole=True)
        scores[name] = bounds
        return at

    at = _read_map(text, at, entry)
    state.options.append(Option(key, scores))
    return at


def _advancements(key: str, text: str, at: int, state: _State) -> int:
    wanted: dict[str, Any] = {}

    def criterion(text: str, at: int) -> int:
        _, at = scan.read_word(text, at)
        return scan.read_bool(text, _after_equals(text, at))[1]

    def entry(text: str, at: int) -> int:
        name, at = scan.read_id(text, at)
        at = _after_equals(text, at)
        if text[at : at + 1] == "{":
            return _read_map(text, at, criterion)
        wanted[name], at = scan.read_bool(text, at)
        return at

    at = _read_map(text, at, entry)
    state.players_only = True
    state.options.append(Option(key, wanted))
    return at


def _after_equals(text: str, at: int) -> int:
    return scan.skip_blanks(text, scan.expect(text, scan.skip_blanks(text, at), "="))


def _read_map(text: str, at: int, entry: Callable[[str, int], int]) -> int:
    at = scan.skip_blanks(text, scan.expect(text, at, "{"))
    while at < len(text) and text[at] != "}":
        at = scan.skip_blanks(text, entry(text, scan.skip_blanks(text, at)))
        if text[at : at + 1] == ",":
            at = scan.skip_blanks(text, at + 1)
    return scan.expect(text, at, "}")


_READERS: Final[dict[str, _Reader]] = {
    **dict.fromkeys(_NUMBERS, _number),
    **dict.fromkeys(_RANGES, _range),
    **dict.fromkeys(("tag", "team"), _word),
    "name": _name,
    "limit": _limit,
    "sort": _sort,
    "type": _type,
    "gamemode": _gamemode,
    "nbt": _nbt,
    "predicate": _predicate,
    "scores": _scores,
    "advancements": _advancements,
}
