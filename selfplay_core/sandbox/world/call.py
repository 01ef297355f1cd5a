"""A parsed command about to be carried out: its source, its targets, its places and how they are named."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

from selfplay_core.sandbox.facts.names import display_name
from selfplay_core.sandbox.parser.coordinates import Coordinate
from selfplay_core.sandbox.parser.grammar import Argument, Command
from selfplay_core.sandbox.parser.items import Item
from selfplay_core.sandbox.parser.problem import Failed
from selfplay_core.sandbox.parser.selectors import Selector
from selfplay_core.sandbox.parser.texts import plain_text
from selfplay_core.sandbox.world.population import OVERWORLD, Source, found
from selfplay_core.sandbox.world.state import BOTTOM, TOP, Being, Place, Position, State

__all__ = ["Call", "Told", "check_place", "named", "told"]

_FAR: Final = 1e9
_LOADED: Final = 160

_TRANSLATED: Final = (
    "minecraft:mob_effect",
    "minecraft:enchantment",
    "minecraft:attribute",
    "minecraft:entity_type",
)


class Told(str):
    """A reply with the number that `execute store result` keeps."""

    __slots__ = ("result",)
    result: int


def told(text: str, result: int) -> Told:
    """Return a reply whose result is not 1."""
    reply = Told(text)
    reply.result = result
    return reply


@dataclass(frozen=True, slots=True)
class Call:
    """One command with its source, within a world."""

    command: Command
    source: Source
    state: State

    @property
    def words(self) -> tuple[str, ...]:
        """The fixed words of the command."""
        return tuple(self.command.literals.split())

    def has(self, name: str) -> bool:
        """Tell whether an argument was given."""
        return self.command.get(name) is not None

    def argument(self, name: str) -> Argument:
        """Return an argument that the command's shape guarantees."""
        argument = self.command.get(name)
        if argument is None:
            raise LookupError(f"{self.command.literals!r} has no argument {name!r}")
        return argument

    def value(self, name: str, default: Any = None) -> Any:
        """Return what an argument means."""
        argument = self.command.get(name)
        return default if argument is None else argument.value

    def text(self, name: str, default: str = "") -> str:
        """Return an argument as it was written."""
        argument = self.command.get(name)
        return default if argument is None else argument.text

    def targets(self, name: str) -> tuple[Being, ...]:
        """Return whom an argument means, or who runs the command if it was left out; raises `Failed` if nobody."""
        argument = self.command.get(name)
        if argument is None:
            return (self.executor(player=False),)
        players = argument.properties.get("type") == "players" or argument.kind == "minecraft:game_profile"
        return found(argument.value, self.source, self.state, players=players)

    def players(self, name: str) -> tuple[Being, ...]:
        """Return which players an argument means, or the player who runs the command."""
        return self.targets(name) if self.has(name) else (self.executor(player=True),)

    def executor(self, *, player: bool) -> Being:
        """Return who runs the command; raises `Failed` for the console."""
        being = self.source.being
        if being is None or (player and not being.is_player):
            noun = "A player" if player else "An entity"
            raise Failed(f"{noun} is required to run this command here")
        return being

    def holders(self, name: str) -> tuple[tuple[str, str], ...]:
        """Return the score holders that an argument means, each with the name that replies show."""
        value = self.value(name)
        if isinstance(value, Selector):
            beings = found(value, self.source, self.state, players=False)
            return tuple((being.holder, being.name) for being in beings)
        if value == "*":
            holders = tuple((holder, self.shown_holder(holder)) for holder in self.state.scores)
            if not holders:
                raise Failed("No relevant score holders could be found")
            return holders
        player = next((being for being in self.state.players if being.name.lower() == str(value).lower()), None)
        return ((player.name, player.name),) if player else ((str(value), str(value)),)

    def shown_holder(self, holder: str) -> str:
        """Return the name that replies show for a score holder."""
        return next((being.name for being in self.state.beings if being.holder == holder), holder)

    def position(self, name: str) -> Position:
        """Return the exact place that an argument means; a bare whole number is the middle of its block."""
        if not self.has(name):
            return self.source.position
        x, y, z = self._resolved(self.value(name), centred=True)
        return x, y, z

    def column(self, name: str) -> tuple[float, float]:
        """Return the two coordinates of a place on the map."""
        first, second = self.value(name)
        x, _, z = self.source.position
        return _world(first, x, centred=False), _world(second, z, centred=False)

    def block(self, name: str) -> Place:
        """Return a block's place; raises `Failed` if it is not loaded or out of the world."""
        place = self.block_unchecked(name)
        check_place(place, self.source)
        return place

    def block_unchecked(self, name: str) -> Place:
        """Return a block's place wherever it is."""
        x, y, z = self._resolved(self.value(name), centred=False) if self.has(name) else self.source.position
        return math.floor(x), math.floor(y), math.floor(z)

    def _resolved(self, coordinates: Sequence[Coordinate], *, centred: bool) -> tuple[float, ...]:
        if coordinates[0].sign == "^":
            return _local([one.value for one in coordinates], self.source)
        return tuple(
            _world(one, here, centred=centred and axis != 1)
            for axis, (one, here) in enumerate(zip(coordinates, self.source.position, strict=True))
        )

    def shown(self, name: str) -> str:
        """Return an argument as the server's replies name it."""
        argument = self.argument(name)
        if argument.kind == "minecraft:item_stack":
            return f"[{_item_name(argument.value)}]"
        if argument.kind == "minecraft:component":
            return plain_text(argument.value)
        if argument.properties.get("registry") in _TRANSLATED:
            return display_name(argument.text)
        return argument.text


def named(beings: Sequence[Being], many: str) -> str:
    """Return the name of one being, or how many they are."""
    return beings[0].name if len(beings) == 1 else f"{len(beings)} {many}"


def _item_name(item: Item) -> str:
    for name in ("custom_name", "item_name"):
        if f"minecraft:{name}" in item.components:
            return plain_text(item.components[f"minecraft:{name}"])
    return display_name(item.path)


def _world(coordinate: Coordinate, here: float, *, centred: bool) -> float:
    if coordinate.sign:
        value = here + coordinate.value
    else:
        value = coordinate.value + (0.5 if centred and not coordinate.exact else 0.0)
    # Digits without end make an infinite float, which has no block.
    return max(-_FAR, min(value, _FAR))


def _local(steps: Sequence[float], source: Source) -> tuple[float, ...]:
    """Return the place that lies so far to the left, up and ahead."""
    yaw, pitch = (math.radians(angle) for angle in source.rotation)
    ahead = (-math.sin(yaw) * math.cos(pitch), -math.sin(pitch), math.cos(yaw) * math.cos(pitch))
    up = (-math.sin(yaw) * math.sin(pitch), math.cos(pitch), math.cos(yaw) * math.sin(pitch))
    left = (math.cos(yaw), 0.0, math.sin(yaw))
    return tuple(
        max(-_FAR, min(here + steps[0] * left[axis] + steps[1] * up[axis] + steps[2] * ahead[axis], _FAR))
        for axis, here in enumerate(source.position)
    )


def check_place(place: Place, source: Source) -> None:
    """Raise `Failed` unless a block may be changed at this place; other dimensions have nobody to load them."""
    x, y, z = place
    if max(abs(x), abs(z)) > _LOADED or source.dimension != OVERWORLD:
        raise Failed("That position is not loaded")
    if not BOTTOM <= y <= TOP:
        raise Failed("That position is out of this world!")
