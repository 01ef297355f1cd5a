"""Effects, enchantments and attributes, in the server's words."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

from selfplay_core.sandbox.facts.names import display_name
from selfplay_core.sandbox.facts.registries import highest_level
from selfplay_core.sandbox.parser.problem import Failed, shown_number
from selfplay_core.sandbox.parser.tags import whole
from selfplay_core.sandbox.world.call import Call, named, told
from selfplay_core.sandbox.world.population import matching
from selfplay_core.sandbox.world.state import Being
from selfplay_core.sandbox.world.things import THINGS

__all__ = ["HANDLERS"]

_Handler = Callable[[Call], str]

_ROMAN: Final = ("", "I", "II", "III", "IV", "V")
_USUAL_SECONDS: Final = 30
_INSTANT: Final = ("instant_health", "instant_damage", "saturation")
_FOREVER: Final = -1
_NOT_ENCHANTED: Final = (
    "Nothing changed. Targets either have no item in their hands or the enchantment could not be applied"
)
_ATTRIBUTES: Final = {
    "max_health": 20.0, "movement_speed": 0.1, "attack_damage": 1.0, "attack_speed": 4.0, "armor": 0.0, "luck": 0.0,
    "armor_toughness": 0.0, "knockback_resistance": 0.0, "scale": 1.0, "step_height": 0.6, "gravity": 0.08,
    "jump_strength": 0.42, "safe_fall_distance": 3.0, "fall_damage_multiplier": 1.0, "block_interaction_range": 4.5,
    "entity_interaction_range": 3.0, "block_break_speed": 1.0, "follow_range": 32.0, "max_absorption": 0.0,
    "attack_knockback": 0.0, "burning_time": 1.0, "explosion_knockback_resistance": 0.0, "mining_efficiency": 0.0,
    "movement_efficiency": 0.0, "oxygen_bonus": 0.0, "sneaking_speed": 0.3, "submerged_mining_speed": 0.2,
    "sweeping_damage_ratio": 0.0, "water_movement_efficiency": 0.0, "camera_distance": 4.0,
    "waypoint_transmit_range": 60000000.0, "waypoint_receive_range": 60000000.0,
}  # fmt: skip
_PLAYERS_ONLY: Final = frozenset(
    (
        *("attack_speed", "luck", "block_interaction_range", "entity_interaction_range", "block_break_speed"),
        *("mining_efficiency", "sneaking_speed", "submerged_mining_speed", "sweeping_damage_ratio"),
    )
)


def _effect_give(call: Call) -> str:
    beings = call.targets("targets")
    name = call.value("effect").removeprefix("minecraft:")
    level = call.value("amplifier", 0)
    if call.words[2:3] == ("infinite",):
        ticks = _FOREVER
    else:
        seconds = call.value("seconds", _USUAL_SECONDS)
        ticks = seconds if name in _INSTANT else seconds * 20
    changed = [being for being in beings if being.kind not in THINGS and _apply(being, name, ticks, level)]
    if not changed:
        raise Failed("Unable to apply this effect (target is either immune to effects, or has something stronger)")
    return told(f"Applied effect {call.shown('effect')} to {named(beings, 'targets')}", len(changed))


def _apply(being: Being, name: str, ticks: int, level: int) -> bool:
    """Give an effect; a stronger one stays, and so does an equally strong one that lasts longer."""
    before = being.effects.get(name)
    if before is not None and name not in _INSTANT:
        longer = ticks == _FOREVER or (before[0] != _FOREVER and ticks > before[0])
        if level < before[1] or (level == before[1] and not longer):
            return False
    being.effects[name] = (ticks, level)
    return True


def _effect_clear(call: Call) -> str:
    beings = call.targets("targets")
    if not call.has("effect"):
        had = [being for being in beings if being.effects]
        for being in had:
            being.effects.clear()
        if not had:
            raise Failed("Target has no effects to remove")
        return told(f"Removed every effect from {named(beings, 'targets')}", len(had))
    name = call.value("effect").removeprefix("minecraft:")
    had = [being for being in beings if being.effects.pop(name, None) is not None]
    if not had:
        raise Failed("Target doesn't have the requested effect")
    return told(f"Removed effect {call.shown('effect')} from {named(beings, 'targets')}", len(had))


def _enchant(call: Call) -> str:
    """Enchant what each target holds; whether the item can bear it is not looked into."""
    beings = call.targets("targets")
    enchantment = call.value("enchantment").removeprefix("minecraft:")
    level = call.value("level", 1)
    most = highest_level(enchantment)
    if level > most:
        raise Failed(f"{level} is higher than the maximum level of {most} supported by that enchantment")
    holding = [being for being in beings if being.held is not None]
    if len(beings) == 1:
        if not beings[0].is_player and beings[0].kind in THINGS:
            raise Failed(f"{beings[0].name} is not a valid entity for this command")
        if not holding:
            raise Failed(f"{beings[0].name} is not holding any item")
    if not holding:
        raise Failed(_NOT_ENCHANTED)
    name = display_name(enchantment) + (f" {_ROMAN[level]}" if most > 1 and level < len(_ROMAN) else "")
    who = f"{beings[0].name}'s item" if len(beings) == 1 else f"{len(beings)} entities"
    return told(f"Applied enchantment {name} to {who}", len(holding))


def _attribute(call: Call) -> str:
    beings = matching(call.value("target"), call.source, call.state)
    if not beings:
        raise Failed("No entity was found")
    being = beings[0]
    name = call.value("attribute").removeprefix("minecraft:")
    shown = call.shown("attribute")
    if being.kind in THINGS:
        raise Failed(f"{being.name} is not a valid entity for this command")
    usual = _ATTRIBUTES.get(name)
    if usual is None or (name in _PLAYERS_ONLY and not being.is_player):
        raise Failed(f"Entity {being.name} has no attribute {shown}")
    base = being.attributes.get(name, usual)
    where = f"attribute {shown} for entity {being.name}"
    match call.words[1:]:
        case ("get",):
            value = base + sum(amount for (owner, _), amount in being.modifiers.items() if owner == name)
            return told(f"The value of {where} is {shown_number(value)}", whole(value * call.value("scale", 1.0)))
        case ("base", "get"):
            return told(f"The base value of {where} is {shown_number(base)}", whole(base * call.value("scale", 1.0)))
        case ("base", "set"):
            being.attributes[name] = call.value("value")
            return f"The base value for {where} set to {shown_number(call.value('value'))}"
        case ("base", "reset"):
            being.attributes.pop(name, None)
            return f"The base value for {where} reset to default {shown_number(usual)}"
        case _:
            return _modifier(call, being, name, where)


def _modifier(call: Call, being: Being, name: str, where: str) -> str:
    key = (name, call.value("id"))
    present = key in being.modifiers
    _, of, entity = where.partition(" for entity ")
    owner = where.removesuffix(of + entity).removeprefix("attribute ")
    if call.words[2] == "add":
        if present:
            raise Failed(f"Modifier {key[1]} is already present on attribute {owner} for entity {entity}")
        being.modifiers[key] = call.value("value")
        return f"Added modifier {key[1]} to {where}"
    if not present:
        raise Failed(f"Attribute {owner} for entity {entity} has no modifier {key[1]}")
    if call.words[2] == "remove":
        del being.modifiers[key]
        return f"Removed modifier {key[1]} from {where}"
    return f"The value of modifier {key[1]} on {where} is {shown_number(being.modifiers[key])}"


HANDLERS: dict[str, _Handler] = {
    "attribute": _attribute,
    "effect clear": _effect_clear,
    "effect give": _effect_give,
    "enchant": _enchant,
}
