"""The NBT of the world's entities: what every one has, what was given to it, and what changing it does."""

from __future__ import annotations

from typing import Final

from selfplay_core.sandbox.parser.problem import Failed
from selfplay_core.sandbox.parser.tags import Array, Byte, Double, Float, Int, Short, Tag
from selfplay_core.sandbox.parser.texts import plain_text, text_error
from selfplay_core.sandbox.world.state import Being
from selfplay_core.sandbox.world.things import THINGS

__all__ = ["changed", "data_of", "taken_in"]

_HEALTH: Final = {
    "armor_stand": 20.0, "cow": 10.0, "sheep": 8.0, "pig": 10.0, "chicken": 4.0, "iron_golem": 100.0, "wither": 300.0,
    "ender_dragon": 200.0, "creeper": 20.0, "spider": 16.0, "enderman": 40.0, "wolf": 8.0, "cat": 10.0, "bat": 6.0,
    "warden": 500.0, "villager": 20.0, "horse": 15.0,
}  # fmt: skip
_OWN: Final = ("Pos", "Tags", "UUID", "id", "Passengers", "Rotation")


def data_of(being: Being) -> dict[str, Tag]:
    """Return all NBT of an entity, made anew: changing it changes nothing."""
    data: dict[str, Tag] = {
        "Air": Short(300),
        "Fire": Short(0),
        "Invulnerable": Byte(0),
        "Motion": [Double(0.0), Double(-0.0784000015258789), Double(0.0)],
        "OnGround": Byte(1),
        "PortalCooldown": Int(0),
        "Rotation": [Float(0.0), Float(0.0)],
        "fall_distance": Double(0.0),
    }
    if being.kind not in THINGS:
        data["Health"] = Float(_HEALTH.get(being.kind, 20.0))
    if being.is_player:
        data |= _of_a_player(being)
    data |= being.data
    data["Pos"] = [Double(value) for value in being.position]
    data["UUID"] = Array("I", list(being.uuid))
    if being.tags:
        data["Tags"] = sorted(being.tags)
    if being.effects:
        data["active_effects"] = [
            {"id": f"minecraft:{name}", "duration": Int(ticks), "amplifier": Byte(level)}
            for name, (ticks, level) in being.effects.items()
        ]
    return data


def _of_a_player(being: Being) -> dict[str, Tag]:
    held = being.held
    in_hand = {"SelectedItem": {"id": f"minecraft:{held}", "count": Int(being.items.get(held, 1))}} if held else {}
    return {
        **in_hand,
        "Dimension": "minecraft:overworld",
        "Inventory": [
            {"Slot": Byte(slot), "id": f"minecraft:{name}", "count": Int(count)}
            for slot, (name, count) in enumerate(being.items.items())
        ],
        "SelectedItemSlot": Int(0),
        "XpLevel": Int(being.levels),
        "XpTotal": Int(being.points),
        "foodLevel": Int(20),
        "playerGameType": Int(("survival", "creative", "adventure", "spectator").index(being.mode)),
    }


def changed(being: Being, data: dict[str, Tag]) -> bool:
    """Make this the NBT of an entity; tell whether that changes any of it. Raises `Failed` for a player."""
    if being.is_player:
        raise Failed("Unable to modify player data")
    if data == data_of(being):
        return False
    taken_in(being, data)
    return True


def taken_in(being: Being, data: dict[str, Tag]) -> None:
    """Take NBT that was given, as a server does: what it cannot use falls silently to the usual."""
    place = data.get("Pos")
    if isinstance(place, list) and len(place) == 3 and all(isinstance(value, Double) for value in place):
        being.position = (float(place[0]), float(place[1]), float(place[2]))
    tags = data.get("Tags")
    if isinstance(tags, list):
        being.tags = {tag for tag in tags if isinstance(tag, str)}
    being.data = {key: value for key, value in data.items() if key not in _OWN}
    name = data.get("CustomName")
    if name is not None and text_error(name) is None and plain_text(name):
        being.name = plain_text(name)
