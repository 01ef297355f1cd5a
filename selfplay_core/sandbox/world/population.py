"""Who runs a command, and whom target selectors find in the world."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, Final

from selfplay_core.sandbox.facts.registries import known_tag
from selfplay_core.sandbox.parser.nbt_path import matches
from selfplay_core.sandbox.parser.problem import Failed
from selfplay_core.sandbox.parser.scan import Range
from selfplay_core.sandbox.parser.selectors import Option, Selector
from selfplay_core.sandbox.world.entity_data import data_of
from selfplay_core.sandbox.world.state import SPAWN, Being, Position, State, apart

__all__ = ["OVERWORLD", "Source", "found", "matching"]

OVERWORLD: Final = "minecraft:overworld"
# How many looks at an entity a look at its data is worth.
_DATA_COST: Final = 10
# The corner of the block at the world spawn, where players stand in its middle.
_CONSOLE: Final[Position] = (0.0, SPAWN[1], 0.0)

# Of the tags of entity types those that this world's first inhabitants are in; other tags match nobody.
_TAGS: Final = {
    "minecraft:undead": ("zombie", "husk", "drowned", "skeleton", "stray", "wither", "zombified_piglin", "phantom"),
    "minecraft:zombies": ("zombie", "husk", "drowned", "zombie_villager", "zombified_piglin", "zoglin", "zombie_horse"),
    "minecraft:skeletons": ("skeleton", "stray", "wither_skeleton", "skeleton_horse", "bogged", "parched"),
    "minecraft:illager": ("evoker", "illusioner", "pillager", "vindicator"),
    "minecraft:raiders": ("evoker", "illusioner", "pillager", "vindicator", "ravager", "witch"),
    "minecraft:arrows": ("arrow", "spectral_arrow"),
}


@dataclass(frozen=True, slots=True)
class Source:
    """Who runs a command and where; the console is nobody at the world spawn, and all beings are in the overworld.

    `forked`: an `execute` clause multiplied the source, so that the server swallows failures. `rotation` is yaw and
    pitch in degrees. `stores` are the `store` clauses that wait for the result.
    """

    being: Being | None = None
    position: Position = _CONSOLE
    dimension: str = OVERWORLD
    rotation: tuple[float, float] = (0.0, 0.0)
    forked: bool = False
    stores: tuple[Any, ...] = field(default=(), hash=False)


def found(target: Selector, source: Source, state: State, *, players: bool) -> tuple[Being, ...]:
    """Return whom a name or selector means, in the server's order; raises `Failed` if nobody."""
    beings = matching(target, source, state)
    if players:
        beings = tuple(being for being in beings if being.is_player)
    if not beings:
        raise Failed("No player was found" if players else "No entity was found")
    return beings


def matching(target: Selector, source: Source, state: State) -> tuple[Being, ...]:
    """Return whom a name or selector means, perhaps nobody."""
    if target.name is not None:
        name = target.name.lower()
        return tuple(being for being in state.beings if name in (being.holder.lower(), being.written_uuid))
    origin = _origin(target, source)
    candidates = _candidates(target, source, state)
    state.spend("looks at entities", len(candidates) * len(target.options))
    chosen = [being for being in candidates if all(_fits(option, being, origin, state) for option in target.options)]
    return tuple(_sorted(target, chosen, origin)[: target.limit])


def _candidates(target: Selector, source: Source, state: State) -> tuple[Being, ...]:
    if target.is_self:
        return (source.being,) if source.being in state.beings and source.being is not None else ()
    return state.players if target.variable in "apr" else tuple(state.beings)


def _origin(target: Selector, source: Source) -> Position:
    x, y, z = (
        float(option.value) if (option := target.option(axis)) else here
        for axis, here in zip("xyz", source.position, strict=True)
    )
    return x, y, z


def _distance(being: Being, origin: Position) -> float:
    return apart(being.position, origin)


def _sorted(target: Selector, beings: list[Being], origin: Position) -> list[Being]:
    order = target.option("sort")
    nearest_first = target.variable in "pn" if order is None else order.value == "nearest"
    if nearest_first or (order is not None and order.value == "furthest"):
        return sorted(beings, key=lambda being: _distance(being, origin), reverse=not nearest_first)
    return beings


def _fits(option: Option, being: Being, origin: Position, state: State) -> bool:
    """Tell whether one option lets a being through."""
    check = _CHECKS.get(option.key)
    if check is not None:
        return check(option.value, being, state) != option.inverted
    if option.key == "distance":
        bounds: Range = option.value
        return bounds.holds(_distance(being, origin))
    if option.key in ("dx", "dy", "dz"):
        axis = "xyz".index(option.key[1])
        offset = being.position[axis] - origin[axis]
        size = float(option.value)
        return min(size, 0.0) <= offset <= max(size, 0.0) + 1
    return True


def _is_kind(value: str, being: Being, _: State) -> bool:
    if value.startswith("#"):
        return known_tag("entity_type", value[1:]) and being.kind in _TAGS.get(value[1:], ())
    return value == f"minecraft:{being.kind}"


def _has_tag(value: str, being: Being, _: State) -> bool:
    return value in being.tags if value else not being.tags


def _in_team(value: str, being: Being, state: State) -> bool:
    team = state.team_of(being.holder)
    return team is (state.teams.get(value) if value else None)


def _has_scores(wanted: dict[str, Range], being: Being, state: State) -> bool:
    scores = state.scores.get(being.holder, {})
    return all(name in scores and bounds.holds(scores[name]) for name, bounds in wanted.items())


def _has_data(wanted: Any, being: Being, state: State) -> bool:
    state.spend("looks at entities", _DATA_COST + len(being.tags))
    return matches(wanted, data_of(being))


def _has_advancements(wanted: dict[str, bool], being: Being, _: State) -> bool:
    return being.is_player and all(
        (f"advancement {name.removeprefix('minecraft:')}" in being.known) == done for name, done in wanted.items()
    )


_CHECKS: Final[dict[str, Callable[[Any, Being, State], bool]]] = {
    "type": _is_kind,
    "name": lambda value, being, _: being.name == value,
    "gamemode": lambda value, being, _: being.is_player and being.mode == value,
    "tag": _has_tag,
    "team": _in_team,
    "scores": _has_scores,
    "advancements": _has_advancements,
    "nbt": _has_data,
    # A predicate is a file of a data pack, of which there is none.
    "predicate": lambda value, being, _: False,
    "level": lambda value, being, _: being.is_player and value.holds(being.levels),
    "x_rotation": lambda value, being, _: value.holds(0.0),
    "y_rotation": lambda value, being, _: value.holds(0.0),
}
