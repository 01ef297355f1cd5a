"""What may run, but not without a person: broad, large, repeated, or about the whole world."""

from __future__ import annotations

import math

from selfplay_core.verify import rules
from selfplay_core.verify.breadth import box_volume, forks, is_broad, is_broad_over_entities, largest_number
from selfplay_core.verify.speech import speaks
from selfplay_core.verify.unwrap import Call, Reading, words

__all__ = ["ordinary_risk", "risk_of"]

_NAMES_WHEN_BROAD = frozenset(pattern[0] for pattern, _ in rules.ASKS_WHEN_BROAD)
_MAKES = frozenset(("summon", "setblock", "fill", "clone", "place", "loot", "fillbiome"))


def risk_of(call: Call, reading: Reading, args: list[str]) -> str | None:
    """Return what a person should know before `call` runs (completing "it …"), or None if it is ordinary."""
    return (
        _asks_by_arguments(call, args)
        or _asks_when_broad(call, reading, args)
        or _asks_when_large(call, args)
        or _asks_when_repeated(call, reading)
    )


def ordinary_risk(call: Call, reading: Reading) -> int:
    """Return the risk of a command that is allowed: 1 speaks or asks, 2 ordinary, 3 changes the world or many."""
    if speaks(reading):
        return 1
    changes = call.name in rules.CHANGES_WORLD or bool(reading.summoned)
    many = any(is_broad(word) for word in words(call.rest) if word.startswith("@"))
    return 3 if changes or many or any(is_broad(selector) for selector in reading.forks) else 2


def _asks_by_arguments(call: Call, args: list[str]) -> str | None:
    pattern, why = rules.ASKS_WITH.get(call.name, (None, ""))
    if pattern is None or (call.name == "eval" and call.doubled):
        return None
    return why if pattern.match(" ".join(args)) else None


def _asks_when_broad(call: Call, reading: Reading, args: list[str]) -> str | None:
    if call.name == "effect":
        return _harmful_effect(reading, args)
    if call.name not in _NAMES_WHEN_BROAD:
        return None
    begins = [call.name, *args]
    for pattern, place in rules.ASKS_WHEN_BROAD:
        if not _fits(pattern, begins):
            continue
        if call.name == "clear" and len(args) == 3 and args[2] == "0":
            return None  # a limit of nothing only counts
        if any(is_broad(selector) for selector in reading.forks):
            return "reaches everybody that the `execute` around it finds"
        if place < len(begins) and is_broad(begins[place]):
            return "reaches all players or all entities"
        return None
    return None


def _harmful_effect(reading: Reading, args: list[str]) -> str | None:
    if args[:1] != ["give"] or len(args) < 3 or args[2].rpartition(":")[2] not in rules.HARMFUL_EFFECTS:
        return None
    if is_broad(args[1]) or any(is_broad(selector) for selector in reading.forks):
        return "may kill all players or all entities"
    return None


def _asks_when_large(call: Call, args: list[str]) -> str | None:
    volume = _volume(call.name, args)
    if volume is not None and volume > rules.LARGEST_VOLUME:
        size = "an unknown number of" if math.isinf(volume) else f"about {volume:,.0f}"
        return f"changes {size} blocks (more than {rules.LARGEST_VOLUME:,})"
    # `fill` is the game's own command, which takes no radius, unless it has two slashes.
    takes_radius = call.name in rules.RADIUS and (call.name != "fill" or call.doubled)
    if takes_radius and volume is None and largest_number(args) > rules.LARGEST_RADIUS:
        return f"reaches farther than {rules.LARGEST_RADIUS} blocks"
    return None


def _volume(name: str, args: list[str]) -> float | None:
    if name not in ("fill", "clone", "fillbiome"):
        return None
    skipped = 2 if name == "clone" and args[:1] == ["from"] else 0
    return box_volume(args[skipped : skipped + 6])


def _asks_when_repeated(call: Call, reading: Reading) -> str | None:
    if call.name not in _MAKES and not reading.summoned:
        return None
    if any(is_broad_over_entities(selector) for selector in reading.forks):
        return "repeats itself for every entity of the world"
    if sum(1 for selector in reading.forks if forks(selector)) > 1:
        return "repeats itself for every pair of the entities that are found"
    return None


def _fits(pattern: tuple[str | None, ...], begins: list[str]) -> bool:
    return len(begins) >= len(pattern) and all(
        wanted is None or wanted == word for wanted, word in zip(pattern, begins, strict=False)
    )
