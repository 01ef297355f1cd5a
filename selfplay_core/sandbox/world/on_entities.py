"""Commands that make entities, move them, hurt them and take them away, in the server's words."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

from selfplay_core.sandbox.facts.names import display_name
from selfplay_core.sandbox.facts.registries import known
from selfplay_core.sandbox.parser.problem import Failed, shown_number
from selfplay_core.sandbox.parser.scan import full_id
from selfplay_core.sandbox.parser.tags import Float, Tag, single
from selfplay_core.sandbox.world.call import Call, named, told
from selfplay_core.sandbox.world.entity_data import data_of, taken_in
from selfplay_core.sandbox.world.population import matching
from selfplay_core.sandbox.world.state import SPAWN, Being, Position

__all__ = ["HANDLERS", "summoned"]

_Handler = Callable[[Call], str]

_NOT_SUMMONED: Final = ("player", "fishing_bobber")
_WIDEST: Final = 30_000_000
_HIGHEST: Final = 20_000_000
_MONSTERS: Final = frozenset(
    (
        *(
            "zombie",
            "skeleton",
            "creeper",
            "spider",
            "cave_spider",
            "enderman",
            "witch",
            "blaze",
            "ghast",
            "slime",
            "husk",
        ),
        *(
            "magma_cube",
            "drowned",
            "stray",
            "phantom",
            "vindicator",
            "evoker",
            "pillager",
            "ravager",
            "wither",
            "warden",
        ),
        *("guardian", "elder_guardian", "hoglin", "piglin_brute", "zoglin", "silverfish", "endermite", "vex", "bogged"),
        *("breeze", "creaking", "illusioner", "giant", "wither_skeleton", "zombie_villager", "shulker", "parched"),
    )
)
_MOST_RIDERS: Final = 32


def summoned(call: Call, kind: str, position: Position, data: dict[str, Tag]) -> Being:
    """Bring an entity into the world with its riders; raises `Failed` as the server does."""
    if not (-_WIDEST <= position[0] < _WIDEST and -_WIDEST <= position[2] < _WIDEST):
        raise Failed("Invalid position for summon")
    if not -_HIGHEST <= position[1] < _HIGHEST:
        raise Failed("Invalid position for summon")
    if call.state.difficulty == "peaceful" and kind in _MONSTERS:
        raise Failed("Monsters cannot be summoned in Peaceful difficulty")
    if kind in _NOT_SUMMONED:
        raise Failed("Unable to summon entity")
    being = call.state.add(display_name(kind), kind, position)
    taken_in(being, data)
    _seat_riders(call, being, data)
    return being


def _seat_riders(call: Call, vehicle: Being, data: dict[str, Tag]) -> None:
    """Summon what rides it; riders of kinds that do not exist are left out without a word, as a server does."""
    riders = data.get("Passengers")
    for rider in riders[:_MOST_RIDERS] if isinstance(riders, list) else ():
        kind = rider.get("id") if isinstance(rider, dict) else None
        if not isinstance(kind, str) or not known("entity_type", full_id(kind)):
            continue
        path = full_id(kind).removeprefix("minecraft:")
        if path not in _NOT_SUMMONED:
            being = call.state.add(display_name(path), path, vehicle.position)
            taken_in(being, {key: value for key, value in rider.items() if key != "Pos"})
            being.vehicle = vehicle
            _seat_riders(call, being, rider)


def _summon(call: Call) -> str:
    kind = call.value("entity").removeprefix("minecraft:")
    data = {key: value for key, value in call.value("nbt", {}).items() if key != "Pos"}
    being = summoned(call, kind, call.position("pos"), data)
    return f"Summoned new {being.name}"


def _kill(call: Call) -> str:
    beings = call.targets("targets")
    for being in beings:
        call.state.remove(being)
    return told(f"Killed {named(beings, 'entities')}", len(beings))


def _teleport(call: Call) -> str:
    beings = call.targets("targets")
    who = named(beings, "entities")
    if call.has("destination"):
        goal = call.targets("destination")[0]
        for being in beings:
            being.position = goal.position
        return told(f"Teleported {who} to {goal.name}", len(beings))
    x, y, z = position = call.position("location")
    if not (-_WIDEST <= x < _WIDEST and -_WIDEST <= z < _WIDEST and -_HIGHEST <= y < _HIGHEST):
        raise Failed("Invalid position for teleport")
    for being in beings:
        being.position = position
    return told(f"Teleported {who} to {x:.6f}, {y:.6f}, {z:.6f}", len(beings))


def _rotate(call: Call) -> str:
    being = call.targets("target")[0]
    if call.has("rotation") and not being.is_player:
        being.data["Rotation"] = [Float(one.value) for one in call.value("rotation")]
    return f"Rotated {being.name}"


def _ride(call: Call) -> str:
    rider = call.targets("target")[0]
    if call.words[1] == "dismount":
        if rider.vehicle is None:
            raise Failed(f"{rider.name} is not riding any vehicle")
        vehicle, rider.vehicle = rider.vehicle, None
        return f"{rider.name} stopped riding {vehicle.name}"
    vehicle = call.targets("vehicle")[0]
    if rider.vehicle is not None:
        raise Failed(f"{rider.name} is already riding {rider.vehicle.name}")
    if vehicle.is_player:
        raise Failed("Players can't be ridden")
    below: Being | None = vehicle
    while below is not None:
        if below is rider:
            raise Failed("Can't mount entity on itself or any of its passengers")
        below = below.vehicle
    rider.vehicle = vehicle
    rider.position = vehicle.position
    return f"{rider.name} started riding {vehicle.name}"


def _damage(call: Call) -> str:
    being = call.targets("target")[0]
    amount = call.value("amount")
    kind = call.value("damageType", "minecraft:generic").removeprefix("minecraft:")
    health = data_of(being).get("Health")
    unhurt = being.mode in ("creative", "spectator") and kind not in ("out_of_world", "generic_kill")
    # A player takes no notice of a blow of nothing; other entities do.
    unhurt = unhurt or (being.is_player and not amount)
    if health is None or unhurt or being.data.get("Invulnerable") == 1:
        raise Failed("Target is invulnerable to the given damage type")
    if amount >= health:
        call.state.remove(being)
    elif not being.is_player:
        being.data["Health"] = Float(health - amount)
    return f"Applied {shown_number(single(amount))} damage to {being.name}"


def _spread(call: Call) -> str:
    beings = call.targets("targets")
    x, z = call.column("center")
    distance, most = call.value("spreadDistance"), call.value("maxRange")
    if most < distance + 1:
        raise Failed(f"Invalid maxRange {most}; expected higher than {distance + 1}")
    if call.has("maxHeight") and call.value("maxHeight") < -64:
        raise Failed(f"Invalid maxHeight {call.value('maxHeight')}; expected higher than world minimum -64")
    side = max(1, int(len(beings) ** 0.5 + 0.999))
    for index, being in enumerate(beings):
        being.position = (x + distance * (index % side), 64.0, z + distance * (index // side))
    noun = "team(s)" if call.value("respectTeams", False) else "entity/entities"
    ending = f"with an average distance of {max(distance, 0):.2f} block(s) apart"
    return told(f"Spread {len(beings)} {noun} around {x:.1f}, {z:.1f} {ending}", len(beings))


def _spawn_point(call: Call) -> str:
    x, y, z = call.block_unchecked("pos")
    beings = call.players("targets")
    angles = [f"{one.value:.1f}" for one in call.value("rotation", ())] or ["0.0", "0.0"]
    where = f"{x}, {y}, {z} [{', '.join(angles)}] in minecraft:overworld"
    return told(f"Set spawn point to {where} for {named(beings, 'players')}", len(beings))


def _world_spawn(call: Call) -> str:
    x, y, z = call.block_unchecked("pos") if call.has("pos") else tuple(int(value // 1) for value in SPAWN)
    angles = [f"{one.value:.1f}" for one in call.value("rotation", ())] or ["0.0", "0.0"]
    return f"Set the world spawn point to {x}, {y}, {z} [{', '.join(angles)}] in minecraft:overworld"


def _spectate(call: Call) -> str:
    player = call.players("player")[0]
    if not call.has("target"):
        raise Failed(f"{player.name} is not in spectator mode")
    target = matching(call.value("target"), call.source, call.state)
    if not target:
        raise Failed("No entity was found")
    if target[0] is player:
        raise Failed("Cannot spectate yourself")
    if player.mode != "spectator":
        raise Failed(f"{player.name} is not in spectator mode")
    return f"Now spectating {target[0].name}"


HANDLERS: dict[str, _Handler] = {
    "damage": _damage,
    "kill": _kill,
    "ride": _ride,
    "rotate": _rotate,
    "setworldspawn": _world_spawn,
    "spawnpoint": _spawn_point,
    "spectate": _spectate,
    "spreadplayers": _spread,
    "summon": _summon,
    "teleport": _teleport,
    "tp": _teleport,
}
