"""What the sandbox's world holds and forgets: entities, scores, teams, boss bars, blocks, storages, rules.

A `World` is at its beginning when it is made, and again after `sandbox reset`. Everything in it is a pure function of
the commands given since, in their order: nothing is random, nothing passes with time, so that a run that begins each
attempt with a reset gets the same replies at any concurrency. What can grow without end has a limit here.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from selfplay_core.sandbox.facts.names import display_name
from selfplay_core.sandbox.parser.problem import Failed
from selfplay_core.sandbox.parser.tags import Tag

__all__ = [
    "BOTTOM",
    "SPAWN",
    "TOP",
    "Bar",
    "Being",
    "BlockHere",
    "Border",
    "Objective",
    "Place",
    "Position",
    "State",
    "Team",
    "apart",
    "room_for",
]

Position = tuple[float, float, float]
Place = tuple[int, int, int]

SPAWN: Final[Position] = (0.5, 64.0, 0.5)

_ANIMALS: Final[tuple[tuple[str, Position], ...]] = (
    ("cow", (4.5, 64.0, 2.5)),
    ("sheep", (-3.5, 64.0, 5.5)),
    ("pig", (6.5, 64.0, -4.5)),
    ("zombie", (12.5, 64.0, 9.5)),
    ("zombie", (-14.5, 64.0, 8.5)),
    ("armor_stand", (2.5, 64.0, -2.5)),
    ("villager", (-6.5, 64.0, -7.5)),
)
# What every player carries, so that `clear` finds something and not everything.
_INVENTORY: Final = {"bread": 3, "torch": 16, "wooden_sword": 1}
_LIMITS: Final = {"beings": 128, "blocks": 65536, "names": 256}
_AT_ONCE: Final = {"blocks": 40_000, "looks at entities": 60_000, "characters of NBT": 200_000}
_GROUND: Final = 63
BOTTOM, TOP = -64, 319


@dataclass(slots=True, eq=False)
class Being:
    """A player or another entity; `kind` is its entity type without the namespace, `data` what was given to it.

    `known` are the advancements and recipes that a player has, `advancement …` and `recipe …`.
    """

    name: str
    kind: str
    position: Position
    number: int
    tags: set[str] = field(default_factory=set)
    data: dict[str, Tag] = field(default_factory=dict)
    effects: dict[str, tuple[int, int]] = field(default_factory=dict)
    attributes: dict[str, float] = field(default_factory=dict)
    modifiers: dict[tuple[str, str], float] = field(default_factory=dict)
    items: dict[str, int] = field(default_factory=dict)
    held: str | None = None
    known: set[str] = field(default_factory=set)
    mode: str = "survival"
    levels: int = 5
    points: int = 0
    vehicle: Being | None = None

    @property
    def is_player(self) -> bool:
        return self.kind == "player"

    @property
    def uuid(self) -> tuple[int, int, int, int]:
        """The four numbers of its UUID, made from its place in the order of entities."""
        return (0, 0, 0, self.number + 1)

    @property
    def written_uuid(self) -> str:
        """Its UUID in the usual spelling."""
        return f"00000000-0000-0000-0000-{self.number + 1:012x}"

    @property
    def holder(self) -> str:
        """The name under which scores and teams know it."""
        return self.name if self.is_player else self.written_uuid


@dataclass(frozen=True, slots=True)
class BlockHere:
    """A block that stands somewhere, without the game's namespace; `data` is that of a block entity."""

    name: str
    states: Mapping[str, str] = field(default_factory=dict)
    data: Mapping[str, Tag] | None = None


@dataclass(slots=True)
class Objective:
    """What is counted; `title` is what replies call it, `drawn` how its numbers are shown."""

    criterion: str
    title: str
    drawn: str = "integer"
    updates: bool = False


@dataclass(slots=True)
class Team:
    """A team with its members by holder name; `options` holds what was set."""

    title: str
    members: dict[str, None] = field(default_factory=dict)
    options: dict[str, str] = field(default_factory=dict)


@dataclass(slots=True)
class Bar:
    """A boss bar."""

    title: str
    value: int = 0
    most: int = 100
    options: dict[str, str] = field(default_factory=lambda: {"color": "white", "style": "progress", "visible": "true"})
    players: tuple[str, ...] = ()


@dataclass(slots=True)
class Border:
    """The world border; sizes in blocks, `time` in ticks."""

    size: float = 59999968.0
    centre: tuple[float, float] = (0.0, 0.0)
    options: dict[str, float] = field(
        default_factory=lambda: {"buffer": 5.0, "amount": 0.2, "distance": 5.0, "time": 300.0}
    )


class State:
    """Everything that commands can change."""

    def __init__(self, players: Iterable[str]) -> None:
        self._made = 0
        self._left = dict(_AT_ONCE)
        self.beings: list[Being] = []
        for index, name in enumerate(players):
            player = self.add(name, "player", (0.5 + 2 * index, 64.0, 1.5))
            player.items = dict(_INVENTORY)
            player.held = "wooden_sword"
        for kind, position in _ANIMALS:
            self.add(display_name(kind), kind, position)
        self.objectives: dict[str, Objective] = {}
        self.scores: dict[str, dict[str, int]] = {}
        self.displays: dict[str, str] = {}
        self.enabled: set[tuple[str, str]] = set()
        self.teams: dict[str, Team] = {}
        self.bars: dict[str, Bar] = {}
        self.blocks: dict[Place, BlockHere] = {}
        self.storages: dict[str, dict[str, Any]] = {}
        self.rules: dict[str, str] = {}
        self.stopwatches: set[str] = set()
        self.forced: dict[tuple[int, int], None] = {}
        self.border = Border()
        self.time = 1000
        self.weather = "clear"
        self.difficulty = "easy"

    def begin_command(self) -> None:
        """Give a command its allowance; however often `execute` runs its last part, all of it shares one."""
        self._left = dict(_AT_ONCE)

    def spend(self, kind: str, count: int) -> None:
        """Count what a command takes of the server's time; raises `Failed` once it is too much for one command."""
        if count > self._left[kind]:
            # Nothing more for the sources to come either: each would work in vain before it is refused.
            self._left[kind] = 0
            raise Failed(f"The sandbox understands this command but takes no more than {_AT_ONCE[kind]} {kind} for one")
        self._left[kind] -= count

    @property
    def players(self) -> tuple[Being, ...]:
        return tuple(being for being in self.beings if being.is_player)

    def add(self, name: str, kind: str, position: Position) -> Being:
        """Bring an entity into the world; raises `Failed` if it holds no more."""
        room_for("beings", self.beings)
        being = Being(name, kind, position, self._made)
        self._made += 1
        self.beings.append(being)
        return being

    def remove(self, being: Being) -> None:
        """Take an entity out of the world with the scores and team it had; players come back at once."""
        if being.is_player:
            being.vehicle = None
            being.effects.clear()
            being.position = SPAWN
            return
        self.beings.remove(being)
        for other in self.beings:
            other.vehicle = None if other.vehicle is being else other.vehicle
        self.scores.pop(being.holder, None)
        self.leave(being.holder)

    def leave(self, holder: str) -> bool:
        """Take a holder out of its team; tell whether it was in one."""
        team = self.team_of(holder)
        if team is not None:
            del team.members[holder]
        return team is not None

    def team_of(self, holder: str) -> Team | None:
        return next((team for team in self.teams.values() if holder in team.members), None)

    def block_at(self, place: Place) -> BlockHere:
        """Return what stands at a place: what was set, or air above grass above dirt above stone above bedrock."""
        changed = self.blocks.get(place)
        if changed is not None:
            return changed
        y = place[1]
        if y > _GROUND:
            return _AIR
        if y == _GROUND:
            return _GRASS
        if y > _GROUND - 4:
            return _DIRT
        return _BEDROCK if y == BOTTOM else _STONE

    def put(self, place: Place, block: BlockHere) -> None:
        """Set a block; raises `Failed` if the world remembers no more of them."""
        if place not in self.blocks:
            room_for("blocks", self.blocks)
        self.blocks[place] = block


_AIR: Final = BlockHere("air")
_GRASS: Final = BlockHere("grass_block", {"snowy": "false"})
_DIRT: Final = BlockHere("dirt")
_STONE: Final = BlockHere("stone")
_BEDROCK: Final = BlockHere("bedrock")


def apart(one: Position, other: Position) -> float:
    """Return how far two places are from each other."""
    return math.dist(one, other)


def room_for(kind: str, things: Any) -> None:
    """Raise `Failed` if there are as many things of a kind as the sandbox holds."""
    if len(things) >= _LIMITS[kind]:
        raise Failed(f"The sandbox understands this command but holds no more than {_LIMITS[kind]} {kind}")
