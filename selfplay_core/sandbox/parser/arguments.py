"""One reader a kind of argument: what it makes of the text and where it ends, or the error that the server gives.

Each reader gets the whole command, the place where its argument starts, and the properties that the tree of commands
gives this argument.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from typing import Any, Final

from selfplay_core.sandbox.facts.registries import COLOUR, GAMEMODE, known, known_tag
from selfplay_core.sandbox.parser import scan
from selfplay_core.sandbox.parser.blocks import read_block, read_block_predicate
from selfplay_core.sandbox.parser.coordinates import read_angle, read_swizzle, reader_of_places
from selfplay_core.sandbox.parser.criteria import is_criterion
from selfplay_core.sandbox.parser.items import read_item, read_item_test
from selfplay_core.sandbox.parser.nbt_path import read_nbt_path
from selfplay_core.sandbox.parser.particles import read_particle
from selfplay_core.sandbox.parser.problem import Rejected, shown_number
from selfplay_core.sandbox.parser.schema import family_error
from selfplay_core.sandbox.parser.selectors import Selector, read_target
from selfplay_core.sandbox.parser.snbt import read_compound, read_tag
from selfplay_core.sandbox.parser.tags import Tag
from selfplay_core.sandbox.parser.texts import style_error, text_error

__all__ = ["READERS", "Reader"]

Reader = Callable[[str, int, Mapping[str, Any]], tuple[Any, int]]

_MESSAGE_LIMIT: Final = 256
_MOST_TICKS: Final = 2**31 - 1
_UNITS: Final = {"": 1, "t": 1, "s": 20, "d": 24000}
_OPERATIONS: Final = ("=", "+=", "-=", "*=", "/=", "%=", "<", ">", "><")
_OF_DATA_PACKS: Final = ("item_modifier", "predicate")
_UUID_CHARACTERS = re.compile("[-A-Fa-f0-9]*")
_SLOT = re.compile(
    r"armor\.(?:head|chest|legs|feet|body)|weapon(?:\.(?:mainhand|offhand))?|hotbar\.[0-8]|"
    r"(?:inventory|enderchest)\.(?:\d|1\d|2[0-6])|container\.(?:\d|[1-4]\d|5[0-3])|(?:villager|mob\.inventory)\.[0-7]|"
    r"horse\.(?:chest|\d|1[0-4])|player\.(?:cursor|crafting\.[0-3])|saddle|contents"
)
_SLOTS = re.compile(
    r"(?:armor|weapon|hotbar|inventory|enderchest|container|villager|mob\.inventory|horse|player\.crafting)\.\*"
)
_DISPLAY = re.compile(rf"list|sidebar|below_name|sidebar\.team\.(?:{COLOUR.pattern})")
_PATTERN = re.compile(r"[0-9a-z_\-./:*?]*")


def _integer(name: str) -> Reader:
    def read(text: str, at: int, properties: Mapping[str, Any]) -> tuple[int, int]:
        value, end = scan.read_integer(text, at, name)
        _bounded(name.title(), value, at, properties)
        return value, end

    return read


def _decimal(name: str) -> Reader:
    def read(text: str, at: int, properties: Mapping[str, Any]) -> tuple[float, int]:
        value, end = scan.read_decimal(text, at, name)
        _bounded(name.title(), value, at, properties)
        return value, end

    return read


def _bounded(name: str, value: float, at: int, properties: Mapping[str, Any]) -> None:
    low, high = properties.get("min"), properties.get("max")
    if low is not None and value < low:
        raise Rejected(f"{name} must not be less than {shown_number(low)}: found {shown_number(value)}", at)
    if high is not None and value > high:
        raise Rejected(f"{name} must not be more than {shown_number(high)}: found {shown_number(value)}", at)


def _string(text: str, at: int, properties: Mapping[str, Any]) -> tuple[str, int]:
    match properties.get("type"):
        case "greedy":
            return text[at:], len(text)
        case "phrase":
            return scan.read_string(text, at)
        case _:
            return scan.read_word(text, at)


def _message(text: str, at: int, _: Mapping[str, Any]) -> tuple[str, int]:
    """Read a chat message; what looks like a selector in it has to be one, a lone `@` or `@x` may stand."""
    if len(text) - at > _MESSAGE_LIMIT:
        raise Rejected(f"Chat message was too long ({len(text) - at} > maximum {_MESSAGE_LIMIT} characters)", None)
    sign = text.find("@", at)
    while sign >= 0:
        if text[sign + 1 : sign + 2] in tuple("aenprs"):
            sign = read_target(text, sign)[1] - 1
        sign = text.find("@", sign + 1)
    return text[at:], len(text)


def _entity(text: str, at: int, properties: Mapping[str, Any]) -> tuple[Selector, int]:
    players = properties.get("type") == "players"
    selector, end = read_target(text, at)
    if properties.get("amount") == "single" and (selector.limit is None or selector.limit > 1):
        noun = "player" if players else "entity"
        raise Rejected(f"Only one {noun} is allowed, but the provided selector allows more than one", 0)
    if players and not selector.players_only and not selector.is_self:
        raise Rejected("Only players may be affected by this command, but the provided selector includes entities", 0)
    return selector, end


def _game_profile(text: str, at: int, _: Mapping[str, Any]) -> tuple[Selector, int]:
    if text[at : at + 1] != "@":
        name, end = scan.read_until_blank(text, at)
        return Selector("", limit=1, players_only=True, name=name), end
    selector, end = read_target(text, at)
    if not selector.players_only:
        raise Rejected("Only players may be affected by this command, but the provided selector includes entities", end)
    return selector, end


def _score_holder(text: str, at: int, properties: Mapping[str, Any]) -> tuple[Selector | str, int]:
    if text[at : at + 1] != "@":
        return scan.read_until_blank(text, at)
    selector, end = read_target(text, at)
    if properties.get("amount") == "single" and (selector.limit is None or selector.limit > 1):
        raise Rejected("Only one entity is allowed, but the provided selector allows more than one", end)
    return selector, end


def _resource(text: str, at: int, properties: Mapping[str, Any]) -> tuple[str, int]:
    registry = str(properties.get("registry", ""))
    identifier, end = scan.read_id(text, at)
    if not known(registry.removeprefix("minecraft:"), identifier):
        raise Rejected(f"Can't find element '{identifier}' of type '{registry}'", end)
    return identifier, end


def _resource_or_tag(text: str, at: int, properties: Mapping[str, Any]) -> tuple[str, int]:
    if text[at : at + 1] != "#":
        return _resource(text, at, properties)
    registry = str(properties.get("registry", ""))
    identifier, end = scan.read_id(text, at + 1)
    if not known_tag(registry.removeprefix("minecraft:"), identifier):
        raise Rejected(f"Can't find tag '{identifier}' of type '{registry}'", end)
    return f"#{identifier}", end


def _identifier(text: str, at: int, _: Mapping[str, Any]) -> tuple[str, int]:
    return scan.read_id(text, at)


def _identifier_or_tag(text: str, at: int, _: Mapping[str, Any]) -> tuple[str, int]:
    if text[at : at + 1] != "#":
        return scan.read_id(text, at)
    identifier, end = scan.read_id(text, at + 1)
    return f"#{identifier}", end


def _named_or_written(registry: str) -> Reader:
    """Return the reader of a thing that is named by its id or written out in place."""

    def read(text: str, at: int, _: Mapping[str, Any]) -> tuple[Tag, int]:
        at = scan.skip_blanks(text, at)
        if text[at : at + 1] in ("{", "["):
            return _written_out(text, at, registry)
        identifier, end = scan.read_id(text, at)
        if end == at:
            raise Rejected("Invalid ID", at)
        # Without a data pack there are neither predicates nor item modifiers.
        if registry in _OF_DATA_PACKS or not known(registry, identifier):
            raise Rejected(f"Can't find element '{identifier}' in registry 'minecraft:{registry}'", end)
        return identifier, end

    return read


def _written_out(text: str, at: int, registry: str) -> tuple[Tag, int]:
    value, end = read_tag(text, at)
    wrong = family_error("resource", registry, value)
    if wrong:
        raise Rejected(f"Failed to parse structure: {wrong}", end)
    return value, end


def _pattern(text: str, at: int, properties: Mapping[str, Any]) -> tuple[str, int]:
    match = _PATTERN.match(text, at)
    return (match.group(), match.end()) if match else ("", at)


def _slot(text: str, at: int, _: Mapping[str, Any]) -> tuple[str, int]:
    word, end = scan.read_until_blank(text, at)
    if _SLOTS.fullmatch(word):
        raise Rejected(f"Only single slots allowed: got '{word}'", end)
    if not _SLOT.fullmatch(word):
        raise Rejected(f"Unknown slot '{word}'", end)
    return word, end


def _slots(text: str, at: int, _: Mapping[str, Any]) -> tuple[str, int]:
    word, end = scan.read_until_blank(text, at)
    if not _SLOT.fullmatch(word) and not _SLOTS.fullmatch(word):
        raise Rejected(f"Unknown slot '{word}'", end)
    return word, end


def _tag(text: str, at: int, _: Mapping[str, Any]) -> tuple[Tag, int]:
    return read_tag(text, at)


def _compound(text: str, at: int, _: Mapping[str, Any]) -> tuple[dict[str, Tag], int]:
    return read_compound(text, at)


def _component(text: str, at: int, _: Mapping[str, Any]) -> tuple[Tag, int]:
    value, end = read_tag(text, at)
    wrong = text_error(value)
    if wrong:
        raise Rejected(f"Invalid chat component: {wrong}", at)
    return value, end


def _style(text: str, at: int, _: Mapping[str, Any]) -> tuple[Tag, int]:
    value, end = read_tag(text, at)
    wrong = style_error(value) if isinstance(value, dict) else "Not a map"
    if wrong:
        raise Rejected(f"Invalid style: {wrong}", at)
    return value, end


def _time(text: str, at: int, properties: Mapping[str, Any]) -> tuple[int, int]:
    value, end = scan.read_decimal(text, at, "float")
    unit, end = scan.read_word(text, end)
    if unit not in _UNITS:
        raise Rejected("Invalid unit", end)
    ticks = int(max(-_MOST_TICKS, min(value * _UNITS[unit] + 0.5, _MOST_TICKS)) // 1)
    low = properties.get("min") or 0
    if ticks < low:
        raise Rejected(f"The tick count must not be less than {low}: found {ticks}", end)
    return ticks, end


def _word_of(words: re.Pattern[str], message: str, *, at_start: bool = False) -> Reader:
    def read(text: str, at: int, _: Mapping[str, Any]) -> tuple[str, int]:
        word, end = scan.read_word(text, at)
        if not words.fullmatch(word):
            raise Rejected(message.format(word), at if at_start else end)
        return word, end

    return read


def _colour(text: str, at: int, _: Mapping[str, Any]) -> tuple[str, int]:
    word, end = scan.read_word(text, at)
    plain = re.sub("[^a-z]", "", word.lower())
    if plain not in _COLOURS:
        raise Rejected(f"Unknown color '{word}'", end)
    return _COLOURS[plain], end


_COLOURS: Final = {name.replace("_", ""): name for name in (*COLOUR.pattern.split("|"), "reset")}


def _hex_colour(text: str, at: int, _: Mapping[str, Any]) -> tuple[str, int]:
    word, end = scan.read_word(text, at)
    if not re.fullmatch("[0-9a-fA-F]{3}|[0-9a-fA-F]{6}", word):
        raise Rejected(f"Invalid hex color code '{word}'", end)
    return word, end


def _criterion(text: str, at: int, _: Mapping[str, Any]) -> tuple[str, int]:
    word, end = scan.read_until_blank(text, at)
    if not is_criterion(word):
        raise Rejected(f"Unknown criterion '{word}'", at)
    return word, end


def _operation(text: str, at: int, _: Mapping[str, Any]) -> tuple[str, int]:
    word, end = scan.read_until_blank(text, at)
    if word not in _OPERATIONS:
        raise Rejected("Invalid operation", end if at >= len(text) else None)
    return word, end


def _uuid(text: str, at: int, _: Mapping[str, Any]) -> tuple[str, int]:
    match = _UUID_CHARACTERS.match(text, at)
    word = match.group() if match else ""
    if not scan.is_uuid(word):
        raise Rejected("Invalid UUID", at)
    return word, at + len(word)


def _range(whole: bool) -> Reader:
    return lambda text, at, _: scan.read_range(text, at, whole=whole)


READERS: Final[dict[str, Reader]] = {
    "brigadier:bool": lambda text, at, _: scan.read_bool(text, at),
    "brigadier:double": _decimal("double"),
    "brigadier:float": _decimal("float"),
    "brigadier:integer": _integer("integer"),
    "brigadier:long": _integer("long"),
    "brigadier:string": _string,
    "minecraft:angle": read_angle,
    "minecraft:block_pos": reader_of_places(3, whole=True, local=True),
    "minecraft:block_predicate": read_block_predicate,
    "minecraft:block_state": read_block,
    "minecraft:color": _colour,
    "minecraft:column_pos": reader_of_places(2, whole=True),
    "minecraft:component": _component,
    "minecraft:dialog": _named_or_written("dialog"),
    "minecraft:dimension": _identifier,
    "minecraft:entity": _entity,
    "minecraft:entity_anchor": _word_of(re.compile("feet|eyes"), "Invalid entity anchor position {}", at_start=True),
    "minecraft:float_range": _range(whole=False),
    "minecraft:function": _identifier_or_tag,
    "minecraft:game_profile": _game_profile,
    "minecraft:gamemode": _word_of(GAMEMODE, "Unknown game mode: {}"),
    "minecraft:heightmap": _word_of(
        re.compile("world_surface|ocean_floor|motion_blocking|motion_blocking_no_leaves"), 'Invalid value "{}"'
    ),
    "minecraft:hex_color": _hex_colour,
    "minecraft:int_range": _range(whole=True),
    "minecraft:item_predicate": read_item_test,
    "minecraft:item_slot": _slot,
    "minecraft:item_slots": _slots,
    "minecraft:item_stack": read_item,
    "minecraft:loot_modifier": _named_or_written("item_modifier"),
    "minecraft:loot_predicate": _named_or_written("predicate"),
    "minecraft:loot_table": _named_or_written("loot_table"),
    "minecraft:message": _message,
    "minecraft:nbt_compound_tag": _compound,
    "minecraft:nbt_path": read_nbt_path,
    "minecraft:nbt_tag": _tag,
    "minecraft:objective": lambda text, at, _: scan.read_word(text, at),
    "minecraft:objective_criteria": _criterion,
    "minecraft:operation": _operation,
    "minecraft:particle": read_particle,
    "minecraft:resource": _resource,
    "minecraft:resource_key": _identifier,
    "minecraft:resource_location": _identifier,
    "minecraft:resource_or_tag": _resource_or_tag,
    "minecraft:resource_or_tag_key": _identifier_or_tag,
    "minecraft:resource_selector": _pattern,
    "minecraft:rotation": reader_of_places(2),
    "minecraft:score_holder": _score_holder,
    "minecraft:scoreboard_slot": _word_of(_DISPLAY, "Unknown display slot '{}'"),
    "minecraft:style": _style,
    "minecraft:swizzle": read_swizzle,
    "minecraft:team": lambda text, at, _: scan.read_word(text, at),
    "minecraft:template_mirror": _word_of(re.compile("none|front_back|left_right"), 'Invalid value "{}"'),
    "minecraft:template_rotation": _word_of(
        re.compile("none|clockwise_90|counterclockwise_90|180"), 'Invalid value "{}"'
    ),
    "minecraft:time": _time,
    "minecraft:uuid": _uuid,
    "minecraft:vec2": reader_of_places(2),
    "minecraft:vec3": reader_of_places(3, local=True),
}
