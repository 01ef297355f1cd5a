"""What the game's decoders accept: item components, particle options, predicates, by the facts of `schemas.json`.

The forms that stand there are explained at the head of make_schemas.py. As the decoders do, a record ignores keys that
it does not know, takes a number of any size where it wants a number, and refuses what has the wrong type, lies out of
range, or names nothing that exists. The complaints are close to the game's, not always its very words.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from functools import cache
from importlib.resources import files
from typing import Any, Final

from selfplay_core.sandbox.facts.registries import known, known_tag
from selfplay_core.sandbox.parser import scan
from selfplay_core.sandbox.parser.problem import Rejected
from selfplay_core.sandbox.parser.snbt import read_compound
from selfplay_core.sandbox.parser.tags import Array, Int, Tag, written
from selfplay_core.sandbox.parser.texts import text_error

__all__ = ["TRANSIENT", "component_error", "family_error", "has_form", "item_error", "profile_error"]

# These live while the game runs and have no form that could be written.
TRANSIENT: Final = frozenset({"additional_trade_cost", "creative_slot_lock", "map_post_processing"})
# Registries whose names a decoder looks up. Other names have to be well formed, no more.
_LOOKED_UP: Final = frozenset(
    (
        *("attribute", "banner_pattern", "block", "cat_variant", "cow_variant", "damage_type", "data_component_type"),
        *(
            "enchantment",
            "entity_type",
            "frog_variant",
            "item",
            "map_decoration_type",
            "mob_effect",
            "painting_variant",
        ),
        *(
            "pig_variant",
            "potion",
            "sound_event",
            "trim_material",
            "trim_pattern",
            "villager_type",
            "wolf_sound_variant",
        ),
        *("wolf_variant", "instrument", "jukebox_song", "chicken_variant", "zombie_nautilus_variant", "dialog"),
    )
)
_SHOWN: Final = 60
_INT: Final = 2**31

_Form = Any
_Check = Callable[[list[Any], Tag, str], str | None]


@cache
def _facts() -> Mapping[str, Any]:
    facts: Mapping[str, Any] = json.loads(
        files("selfplay_core.sandbox.facts").joinpath("schemas.json").read_text(encoding="utf-8")
    )
    return facts


def has_form(family: str, name: str) -> bool:
    """Tell whether a family knows a form for this name (without the game's namespace)."""
    return name in _facts()["families"][family]


def family_error(family: str, name: str, value: Tag) -> str | None:
    """Return why the decoder of one member refuses a value, or None; a member without a form takes anything."""
    form = _facts()["families"][family].get(name.removeprefix("minecraft:"))
    return None if form is None else _error(form, value)


def component_error(name: str, value: Tag) -> str | None:
    """Return why the decoder of an item component refuses a value, or None."""
    return family_error("data_component", name, value)


def item_error(value: Tag) -> str | None:
    """Return why the decoder of an item refuses a value, or None."""
    return _error(["ref", "ItemStackTemplate"], value)


def profile_error(value: Tag) -> str | None:
    """Return why the decoder of a player's profile refuses a value, or None."""
    return _profile(value)


def _error(form: _Form, value: Tag, key: str = "") -> str | None:
    if isinstance(form, str):
        return _PLAIN[form](value)
    return _COMPOSED[form[0]](form, value, key)


def _shown(value: Tag) -> str:
    text = written(value)
    return text if len(text) <= _SHOWN else text[:_SHOWN] + "..."


def _is_number(value: Tag) -> bool:
    return isinstance(value, (int, float))


def _bool(value: Tag) -> str | None:
    return None if _is_number(value) else f"Not a boolean: {_shown(value)}"


def _string(value: Tag) -> str | None:
    return None if isinstance(value, str) else f"Not a string: {_shown(value)}"


def _compound(value: Tag) -> str | None:
    return None if isinstance(value, dict) else f"Not a map: {_shown(value)}"


def _snbt(value: Tag) -> str | None:
    """A compound, or its text."""
    if not isinstance(value, str):
        return _compound(value)
    try:
        _, end = read_compound(value, 0)
    except Rejected as rejected:
        return f"Not a valid tag: {rejected.problem.message}"
    return "Unexpected trailing data" if scan.skip_blanks(value, end) < len(value) else None


def _identified(registry_name: str) -> Callable[[Tag], str | None]:
    """Return the check of data that say by `id` what they belong to."""

    def check(value: Tag) -> str | None:
        if isinstance(value, str):
            wrong = _snbt(value)
            value = {} if wrong else read_compound(value, 0)[0]
        else:
            wrong = _compound(value)
        if wrong:
            return wrong
        return _id(["id", registry_name], value["id"], "") if "id" in value else "Missing id"

    return check


def _profile(value: Tag) -> str | None:
    if isinstance(value, str):
        return _player_name(value)
    wrong = _compound(value)
    if wrong:
        return wrong
    if "name" in value and (wrong := _string(value["name"]) or _player_name(value["name"])):
        return wrong
    if "id" in value and not (isinstance(value["id"], list) and len(value["id"]) == 4):
        return f"Input is not a list of 4 ints: {_shown(value['id'])}"
    if "model" in value and value["model"] not in ("wide", "slim"):
        return f"Unknown element name:{_shown(value['model'])}"
    return None


def _player_name(name: str) -> str | None:
    fine = len(name) <= 16 and all("!" <= character <= "~" for character in name)
    return None if fine else f"Invalid player name: {name[:_SHOWN]}"


def _components(value: Tag) -> str | None:
    """A patch of components: names with values, and names with `!` before them that take one away."""
    wrong = _compound(value)
    if wrong:
        return wrong
    for key, inner in value.items():
        name = scan.full_id(key.removeprefix("!"))
        path = name.removeprefix("minecraft:")
        if not known("data_component_type", name) or path in TRANSIENT:
            return f"Unknown registry key in ResourceKey[minecraft:root / minecraft:data_component_type]: {name}"
        if not key.startswith("!") and (wrong := component_error(name, inner)):
            return wrong
    return None


_PLAIN: Final[dict[str, Callable[[Tag], str | None]]] = {
    "any": lambda value: None,
    "bool": _bool,
    "string": _string,
    "compound": _compound,
    "snbt": _snbt,
    "custom_data": _snbt,
    "entity_data": _identified("entity_type"),
    "block_entity_data": _identified("block_entity_type"),
    "profile": _profile,
    "components": _components,
    "text": text_error,
    "int": lambda value: _int(["int"], value, ""),
    "float": lambda value: _float(["float"], value, ""),
}


def _int(form: list[Any], value: Tag, _: str) -> str | None:
    if not _is_number(value):
        return f"Not a number: {_shown(value)}"
    number = max(-_INT, min(int(value), _INT - 1)) if isinstance(value, float) else int(value)
    return _ranged(form, number)


def _float(form: list[Any], value: Tag, _: str) -> str | None:
    if not _is_number(value):
        return f"Not a number: {_shown(value)}"
    if len(form) > 3 and form[3] and value <= form[1]:
        return f"Value must be positive: {value}"
    return _ranged(form, value)


def _ranged(form: list[Any], value: float) -> str | None:
    low, high = ([*form, None, None])[1:3]
    if (low is None or value >= low) and (high is None or value <= high):
        return None
    if high is None:
        return f"Value must be {'non-negative' if low == 0 else 'positive'}: {value}"
    return f"Value {value} outside of range [{low}:{high}]"


def _limited_string(form: list[Any], value: Tag, _: str) -> str | None:
    wrong = _string(value)
    if wrong:
        return wrong
    low, high = ([*form, None, None])[1:3]
    if low is not None and len(value) < low:
        return f'String "{value}" is too short: {len(value)}, expected range [{low}-{high}]'
    if high is not None and len(value) > high:
        return f'String "{value[:_SHOWN]}" is too long: {len(value)}, expected range [{low or 0}-{high}]'
    return None


def _id(form: list[Any], value: Tag, _: str) -> str | None:
    wrong = _string(value)
    if wrong:
        return wrong
    name, tags = form[1], form[2] if len(form) > 2 else None
    word = value.removeprefix("#")
    if tags == "required" and word == value:
        return "Not a tag id"
    if word != value and tags is None:
        return f"Not a valid resource location: {value} Non [a-z0-9/._-] character in path of location"
    try:
        full, end = scan.read_id(word, 0)
    except Rejected:
        end = -1
    if end != len(word):
        return f"Not a valid resource location: {value[:_SHOWN]} Non [a-z0-9/._-] character in path of location"
    if word != value:
        missing = tags == "allowed" and not known_tag(name, full)
        return f"Missing tag: '{full}' in 'minecraft:{name}'" if missing else None
    if name in _LOOKED_UP and not known(name, full):
        return f"Failed to get element ResourceKey[minecraft:{name} / {full}]"
    if name == "item" and full == "minecraft:air":
        return "Item must not be minecraft:air"
    return None


def _enum(form: list[Any], value: Tag, _: str) -> str | None:
    wrong = _string(value)
    if wrong:
        return wrong
    return None if value in form[1] else f"Unknown element name:{value[:_SHOWN]}"


def _list(form: list[Any], value: Tag, _: str) -> str | None:
    if not isinstance(value, list):
        return f"Not a list: {_shown(value)}"
    low, high = ([*form, None, None])[2:4]
    if low is not None and len(value) < low:
        return f"List is too short: {len(value)}, expected range [{low}-{'' if high is None else high}]"
    if high is not None and len(value) > high:
        return f"List is too long: {len(value)}, expected range [{low or 0}-{high}]"
    if isinstance(value, Array):
        return next((wrong for one in value if (wrong := _error(form[1], Int(one)))), None)
    return next((wrong for one in value if (wrong := _error(form[1], one))), None)


def _map(form: list[Any], value: Tag, _: str) -> str | None:
    wrong = _compound(value)
    if wrong:
        return wrong
    for key, inner in value.items():
        if wrong := _error(form[1], key) or _error(form[2], inner, key):
            return wrong
    return None


def _of(form: list[Any], value: Tag, key: str) -> str | None:
    return family_error(form[1], scan.full_id(key), value)


def _struct(form: list[Any], value: Tag, _: str) -> str | None:
    wrong = _compound(value)
    if wrong:
        return wrong
    fields = form[1]
    missing = next((name for name in form[2] if name not in value), None) if len(form) > 2 else None
    if missing is not None:
        return f"No key {missing} in MapLike[{_shown(value)}]"
    for name, inner in fields.items():
        if name in value and (wrong := _error(inner, value[name])):
            return wrong
    for name, family in form[3] if len(form) > 3 else ():
        if name in value and (wrong := _spread(family, value[name], value)):
            return wrong
    return None


def _spread(family: str, name: Tag, value: Tag) -> str | None:
    path = scan.full_id(str(name)).removeprefix("minecraft:")
    if not has_form(family, path):
        return f"Unknown registry key in ResourceKey[minecraft:root / minecraft:{family}_type]: minecraft:{path}"
    return family_error(family, path, value)


def _either(form: list[Any], value: Tag, key: str) -> str | None:
    errors = []
    for member in form[1]:
        wrong = _error(member, value, key)
        if wrong is None:
            return None
        errors.append(wrong)
    return f"Failed to parse either. First: {errors[0]}; Second: {errors[-1]}" if errors else "Nothing is accepted"


def _ref(form: list[Any], value: Tag, key: str) -> str | None:
    return _error(_facts()["types"][form[1]], value, key)


_COMPOSED: Final[dict[str, _Check]] = {
    "int": _int,
    "float": _float,
    "string": _limited_string,
    "id": _id,
    "enum": _enum,
    "list": _list,
    "map": _map,
    "of": _of,
    "struct": _struct,
    "either": _either,
    "ref": _ref,
}
