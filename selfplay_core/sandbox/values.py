"""Values inside arguments that the grammar lets through and the server does not: components, chat text."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

from selfplay_core.sandbox.grammar import Argument
from selfplay_core.sandbox.problem import Rejected
from selfplay_core.sandbox.registries import COLOUR, known
from selfplay_core.sandbox.scan import full_id

__all__ = ["check_values", "evaluated", "plain_text"]

_CONTENTS = frozenset(
    ["text", "translate", "keybind", "score", "selector", "nbt", "object", "sprite", "player", "type"]
)
_HEX = re.compile("#[0-9a-fA-F]{1,6}")
_STYLES = ("bold", "italic", "underlined", "strikethrough", "obfuscated")
_RARITIES = ("common", "uncommon", "rare", "epic")
_LEVELS = range(1, 256)

_Check = Callable[[Any], str | None]


def check_values(argument: Argument) -> None:
    """Raise `Rejected` for a component or a chat text that the server's decoder refuses."""
    if argument.kind == "minecraft:component":
        wrong = _text(evaluated(argument.node))
        if wrong:
            raise Rejected(f"Invalid chat component: {wrong}", argument.end)
    elif argument.kind == "minecraft:item_stack":
        for component in argument.node.arguments:
            _component(component)


def plain_text(value: Any) -> str:
    """Return the letters of a chat text, without its styles."""
    if isinstance(value, dict):
        own = next((str(value[key]) for key in ("text", "translate", "selector", "keybind") if key in value), "")
        return own + plain_text(value.get("extra", []))
    if isinstance(value, list):
        return "".join(map(plain_text, value))
    return str(value)


def _component(component: Any) -> None:
    value = getattr(component, "value", None)
    key = full_id(component.key.get_value())
    checker = _COMPONENTS.get(key.removeprefix("minecraft:"))
    if value is None or checker is None:
        return
    wrong = checker(evaluated(value))
    if wrong:
        raise Rejected(f"Malformed '{key}' component: '{wrong}'", value.location.pos)


def _text(value: Any) -> str | None:
    if isinstance(value, str):
        return None
    if isinstance(value, list):
        parts = list(value)
        return next(filter(None, map(_text, parts)), None) if parts else "List must have contents"
    if not isinstance(value, dict):
        return f"Not a text component: {value}"
    if not _CONTENTS & value.keys():
        return "No matching fields for a text component"
    colour = value.get("color")
    if colour is not None and not _is_colour(colour):
        return f"Not a valid color: {colour}"
    for style in _STYLES:
        if style in value and not _is_bool(value[style]):
            return f"Not a boolean: {value[style]}"
    extra = value.get("extra")
    return _text(extra) if extra is not None else None


def evaluated(node: Any) -> Any:
    """Return what an SNBT node of mecha's holds, as dict, list, str, bool, int or float.

    Lists may mix types, as the game's have been allowed to since 1.21.5; mecha's own evaluation refuses those.
    """
    if hasattr(node, "entries"):
        return {str(entry.key.value): evaluated(entry.value) for entry in node.entries}
    if hasattr(node, "elements"):
        return [evaluated(element) for element in node.elements]
    value = node.value
    for plain in (str, bool, int, float):
        if isinstance(value, plain):
            return plain(value)
    return str(value)


def _is_colour(value: Any) -> bool:
    if not isinstance(value, str):
        return False
    return bool(COLOUR.fullmatch(value) or _HEX.fullmatch(value))


def _is_bool(value: Any) -> bool:
    return isinstance(value, int) and int(value) in (0, 1)


def _lore(value: Any) -> str | None:
    if not isinstance(value, list):
        return f"Not a list: {value}"
    return next(filter(None, map(_text, value)), None)


def _enchantments(value: Any) -> str | None:
    if not isinstance(value, dict):
        return f"Not a map: {value}"
    for name, level in value.items():
        if not known("enchantment", full_id(name)):
            return f"Failed to get element {full_id(name)}"
        if not isinstance(level, int) or int(level) not in _LEVELS:
            return f"Value must be within range [1;255]: {level}"
    return None


def _whole(low: int, high: int = 2**31 - 1) -> _Check:
    def check(value: Any) -> str | None:
        if not isinstance(value, (int, float)) or isinstance(value, bool):
            return f"Not a number: {value}"
        if not low <= value <= high:
            return f"Value must be within range [{low};{high}]: {value}"
        return None

    return check


def _compound(value: Any) -> str | None:
    return None if isinstance(value, dict) else f"Not a map: {value}"


def _sequence(value: Any) -> str | None:
    return None if isinstance(value, list) else f"Not a list: {value}"


def _boolean(value: Any) -> str | None:
    return None if _is_bool(value) else f"Not a boolean: {value}"


def _rarity(value: Any) -> str | None:
    return None if value in _RARITIES else f"Unknown element name: {value}"


def _potion(value: Any) -> str | None:
    return None if isinstance(value, (dict, str)) else f"Not a potion: {value}"


def _trim(value: Any) -> str | None:
    if not isinstance(value, dict):
        return f"Not a map: {value}"
    missing = [key for key in ("material", "pattern") if key not in value]
    return f"No key {missing[0]} in the trim" if missing else None


def _dye(value: Any) -> str | None:
    rgb = isinstance(value, list) and len(value) == 3
    return None if rgb or isinstance(value, int) else f"Not a colour: {value}"


_COMPONENTS: dict[str, _Check] = {
    **dict.fromkeys(("custom_name", "item_name"), _text),
    **dict.fromkeys(("enchantments", "stored_enchantments"), _enchantments),
    **dict.fromkeys(
        ("unbreakable", "glider", "food", "consumable", "tool", "custom_model_data", "tooltip_display"),
        _compound,
    ),
    **dict.fromkeys(("attribute_modifiers", "container", "bundle_contents", "charged_projectiles"), _sequence),
    "lore": _lore,
    "damage": _whole(0),
    "max_damage": _whole(1),
    "max_stack_size": _whole(1, 99),
    "repair_cost": _whole(0),
    "enchantment_glint_override": _boolean,
    "rarity": _rarity,
    "potion_contents": _potion,
    "trim": _trim,
    "dyed_color": _dye,
}
