"""Who is in the sandbox's world: the configured players and a few animals and monsters, always the same."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from selfplay_core.sandbox.problem import Failed
from selfplay_core.sandbox.selectors import Option, Selector, read_selector

__all__ = ["SPAWN", "Being", "Population", "Source"]

SPAWN = (0.5, 64.0, 0.5)

_ANIMALS = (
    ("cow", (4.5, 64.0, 2.5)),
    ("sheep", (-3.5, 64.0, 5.5)),
    ("pig", (6.5, 64.0, -4.5)),
    ("zombie", (12.5, 64.0, 9.5)),
    ("zombie", (-14.5, 64.0, 8.5)),
    ("armor_stand", (2.5, 64.0, -2.5)),
    ("villager", (-6.5, 64.0, -7.5)),
)
_MONSTERS = frozenset({"zombie"})


@dataclass(frozen=True, slots=True)
class Being:
    """A player or another entity; `kind` is its entity type without the namespace."""

    name: str
    kind: str
    position: tuple[float, float, float]

    @property
    def is_player(self) -> bool:
        return self.kind == "player"


@dataclass(frozen=True, slots=True)
class Source:
    """Who runs a command and where; the console is nobody at the world spawn.

    `forked`: an `execute` clause multiplied the source, so that the server swallows failures.
    """

    being: Being | None = None
    position: tuple[float, float, float] = SPAWN
    forked: bool = False


class Population:
    """The entities of the world and what target selectors find among them."""

    def __init__(self, players: Iterable[str]) -> None:
        crowd = [Being(name, "player", (0.5 + 2 * index, 64.0, 1.5)) for index, name in enumerate(players)]
        crowd += [Being(kind.replace("_", " ").title(), kind, position) for kind, position in _ANIMALS]
        self.everyone = tuple(crowd)

    @property
    def players(self) -> tuple[Being, ...]:
        return tuple(being for being in self.everyone if being.is_player)

    def find(self, target: str, source: Source, *, players: bool) -> tuple[Being, ...]:
        """Return whom a name or selector means, in the server's order; raises `Failed` if nobody."""
        found = self.matching(target, source)
        if players:
            found = tuple(being for being in found if being.is_player)
        if not found:
            raise Failed("No player was found" if players else "No entity was found")
        return found

    def matching(self, target: str, source: Source) -> tuple[Being, ...]:
        """Return whom a name or selector means, perhaps nobody."""
        if not target.startswith("@"):
            name = target.strip("\"'").lower()
            return tuple(being for being in self.players if being.name.lower() == name)
        selector = read_selector(target, 0)
        origin = _origin(selector, source)
        chosen = [
            being
            for being in self._candidates(selector, source)
            if all(_fits(option, being, origin) for option in selector.options)
        ]
        return tuple(_sorted(selector, chosen, origin)[: selector.limit])

    def _candidates(self, selector: Selector, source: Source) -> tuple[Being, ...]:
        if selector.variable == "s":
            return (source.being,) if source.being else ()
        return self.players if selector.variable in "apr" else self.everyone


def _origin(selector: Selector, source: Source) -> tuple[float, float, float]:
    x, y, z = (
        float(option.value) if (option := selector.option(axis)) else here
        for axis, here in zip("xyz", source.position, strict=True)
    )
    return x, y, z


def _distance(being: Being, origin: tuple[float, float, float]) -> float:
    squares = ((a - b) ** 2 for a, b in zip(being.position, origin, strict=True))
    return float(sum(squares) ** 0.5)


def _sorted(selector: Selector, beings: list[Being], origin: tuple[float, float, float]) -> list[Being]:
    order = selector.option("sort")
    nearest_first = selector.variable in "pn" if order is None else order.value == "nearest"
    if nearest_first or (order is not None and order.value == "furthest"):
        return sorted(beings, key=lambda being: _distance(being, origin), reverse=not nearest_first)
    return beings


def _fits(option: Option, being: Being, origin: tuple[float, float, float]) -> bool:
    """Tell whether one option lets a being through.

    Nobody carries tags, teams or scores; players are in survival mode at level 5; every rotation is 0.
    """
    if option.key == "distance":
        return option.range is None or option.range.holds(_distance(being, origin))
    if option.key in ("x_rotation", "y_rotation"):
        return option.range is None or option.range.holds(0.0)
    if option.key == "level":
        return being.is_player and option.range is not None and option.range.holds(5)
    if option.key in ("dx", "dy", "dz"):
        axis = "xyz".index(option.key[1])
        offset = being.position[axis] - origin[axis]
        size = float(option.value)
        return min(size, 0.0) <= offset <= max(size, 0.0) + 1
    matches = _matches(option, being)
    return matches is None or matches != option.inverted


def _matches(option: Option, being: Being) -> bool | None:
    """Return whether the being is what the option names, or None for options that select nobody out."""
    match option.key:
        case "type":
            return _is_kind(option.value, being)
        case "name":
            return being.name == option.value
        case "gamemode":
            return being.is_player and option.value == "survival"
        case "tag" | "team":
            return option.value == ""
        case "scores" | "advancements":
            return option.value == "{}"
        case "nbt":
            return option.value.replace(" ", "") == "{}"
        case "predicate":
            return False
        case _:
            return None


def _is_kind(value: str, being: Being) -> bool:
    if value in ("#minecraft:undead", "#minecraft:zombies"):
        return being.kind in _MONSTERS
    return value == f"minecraft:{being.kind}"
