"""A parsed command about to be carried out: its source, its targets, its places and how they are named."""

from __future__ import annotations

import math
from dataclasses import dataclass

from selfplay_core.sandbox.grammar import Argument, Command
from selfplay_core.sandbox.population import Being, Population, Source
from selfplay_core.sandbox.problem import Failed
from selfplay_core.sandbox.registries import display_name
from selfplay_core.sandbox.values import evaluated, plain_text

__all__ = ["BlockPlace", "Call", "block_at", "check_place"]

BlockPlace = tuple[int, int, int]

_FAR = 1e9
_LOADED = 160
_BOTTOM, _TOP = -64, 319
_GROUND = 63

_NAMED = ("minecraft:mob_effect", "minecraft:enchantment", "minecraft:attribute", "minecraft:entity_type")


@dataclass(frozen=True, slots=True)
class Call:
    """One command with its source, within a population."""

    command: Command
    source: Source
    population: Population

    def argument(self, name: str) -> Argument:
        """Return an argument that the command's shape guarantees."""
        argument = self.command.get(name)
        if argument is None:
            raise LookupError(f"{self.command.literals!r} has no argument {name!r}")
        return argument

    def text(self, name: str, default: str = "") -> str:
        """Return an argument as it was written."""
        argument = self.command.get(name)
        return default if argument is None else argument.text

    def number(self, name: str, default: int) -> int:
        """Return a whole-number argument."""
        text = self.text(name)
        return int(text) if text else default

    def targets(self, name: str) -> tuple[Being, ...]:
        """Return whom an argument means, or who runs the command if it was left out; raises `Failed` if nobody."""
        argument = self.command.get(name)
        if argument is None:
            return (self.executor(player=False),)
        players = argument.properties.get("type") == "players" or argument.kind == "minecraft:game_profile"
        return self.population.find(argument.text, self.source, players=players)

    def executor(self, *, player: bool) -> Being:
        """Return who runs the command; raises `Failed` for the console."""
        being = self.source.being
        if being is None or (player and not being.is_player):
            noun = "A player" if player else "An entity"
            raise Failed(f"{noun} is required to run this command here")
        return being

    def holders(self, name: str) -> tuple[str, ...]:
        """Return the names behind a score holder argument; any plain name is one."""
        text = self.text(name)
        if text.startswith("@"):
            return tuple(being.name for being in self.population.find(text, self.source, players=False))
        if text == "*":
            return tuple(being.name for being in self.population.players)
        return (text,)

    def position(self, name: str) -> tuple[float, float, float]:
        """Return the exact place that an argument means; a bare whole number is the middle of its block."""
        words = self.text(name).split()
        x, y, z = (
            _coordinate(word, here, centre=axis != 1)
            for axis, (word, here) in enumerate(zip(words, self.source.position, strict=True))
        )
        return x, y, z

    def block(self, name: str) -> BlockPlace:
        """Return a block's place; raises `Failed` if it is not loaded or out of the world."""
        words = self.text(name).split()
        x, y, z = (
            math.floor(_coordinate(word, here, centre=False))
            for word, here in zip(words, self.source.position, strict=True)
        )
        check_place((x, y, z))
        return x, y, z

    def shown(self, name: str) -> str:
        """Return an argument as the server's replies name it."""
        argument = self.argument(name)
        if argument.kind == "minecraft:item_stack":
            return f"[{_item_name(argument)}]"
        if argument.kind == "minecraft:component":
            return plain_text(evaluated(argument.node))
        if argument.properties.get("registry") in _NAMED:
            return display_name(argument.text)
        return argument.text


def _item_name(argument: Argument) -> str:
    for component in argument.node.arguments:
        if component.key.path in ("custom_name", "item_name") and hasattr(component, "value"):
            return plain_text(evaluated(component.value))
    return display_name(argument.node.identifier.path)


def _coordinate(word: str, here: float, *, centre: bool) -> float:
    if word[0] in "~^":
        value = here + float(word[1:] or 0)
    else:
        value = float(word) + (0.5 if centre and "." not in word else 0.0)
    # Digits without end make an infinite float, which has no block.
    return max(-_FAR, min(value, _FAR))


def check_place(place: BlockPlace) -> None:
    """Raise `Failed` unless a block may be changed at this place."""
    x, y, z = place
    if not _BOTTOM <= y <= _TOP:
        raise Failed("That position is out of this world!")
    if max(abs(x), abs(z)) > _LOADED:
        raise Failed("That position is not loaded")


def block_at(place: BlockPlace) -> str:
    """Return the block of the fixed world: air above grass above dirt above stone above bedrock."""
    y = place[1]
    if y > _GROUND:
        return "air"
    if y == _GROUND:
        return "grass_block"
    if y > _GROUND - 4:
        return "dirt"
    return "bedrock" if y == _BOTTOM else "stone"
