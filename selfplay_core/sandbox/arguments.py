"""One reader a kind of argument: where it ends, or the error that the server gives for it.

Each reader gets the whole command and the place where its argument starts, one blank after what came
before. They are stricter than mecha (ids, blanks, ranges) and word their errors as the server does.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from typing import Any

from selfplay_core.sandbox import scan
from selfplay_core.sandbox.items import read_item, read_item_predicate
from selfplay_core.sandbox.problem import TRAILING, Rejected
from selfplay_core.sandbox.registries import COLOUR, GAMEMODE, known
from selfplay_core.sandbox.selectors import read_range, read_selector

__all__ = ["READERS", "check"]

_Reader = Callable[[str, int, Mapping[str, Any]], int]

_NAME_LIMIT = 16
_MOST_TICKS = 2**31 - 1
_CRITERION = re.compile(
    r"dummy|trigger|deathCount|playerKillCount|totalKillCount|health|food|air|armor|xp|level|"
    rf"(?:teamkill|killedByTeam)\.(?:{COLOUR.pattern})|\S+:\S+"
)
_SLOT = re.compile(
    r"armor\.(head|chest|legs|feet|body)|weapon(\.(mainhand|offhand))?|(hotbar|inventory|container|enderchest|"
    r"villager)\.\d+|horse\.(chest|\d+)|player\.(cursor|crafting\.[0-3])|saddle|contents"
)
_OPTIONS_NEEDED = re.compile(
    "block|block_marker|falling_dust|dust_pillar|block_crumble|dust|dust_color_transition|entity_effect|item|"
    "sculk_charge|vibration|shriek|trail|tinted_leaves"
)


def check(kind: str, properties: Mapping[str, Any], text: str, start: int) -> None:
    """Raise `Rejected` if the server would not read this argument here."""
    reader = READERS.get(kind)
    if reader is None:
        return
    end = reader(text, start, properties)
    if text[end : end + 1] not in ("", " "):
        raise Rejected(TRAILING, end)


def _integer(text: str, at: int, properties: Mapping[str, Any]) -> int:
    value, end = scan.read_integer(text, at)
    _bounded("Integer", value, at, properties)
    return end


def _decimal(name: str) -> _Reader:
    def read(text: str, at: int, properties: Mapping[str, Any]) -> int:
        value, end = scan.read_decimal(text, at, name)
        _bounded(name.title(), value, at, properties)
        return end

    return read


def _bounded(name: str, value: float, at: int, properties: Mapping[str, Any]) -> None:
    low, high = properties.get("min"), properties.get("max")
    if low is not None and value < low:
        raise Rejected(f"{name} must not be less than {low}: found {value}", at)
    if high is not None and value > high:
        raise Rejected(f"{name} must not be more than {high}: found {value}", at)


def _bool(text: str, at: int, _: Mapping[str, Any]) -> int:
    word, end = scan.read_string(text, at)
    if not word:
        raise Rejected("Expected boolean", at)
    if word not in ("true", "false"):
        raise Rejected(f"Invalid boolean: expected 'true' or 'false' but found '{word}'", at)
    return end


def _string(text: str, at: int, properties: Mapping[str, Any]) -> int:
    if properties.get("type") == "greedy":
        return len(text)
    if properties.get("type") == "phrase":
        return scan.read_string(text, at)[1]
    return at + len(scan.read_word(text, at))


def _entity(text: str, at: int, properties: Mapping[str, Any]) -> int:
    players = properties.get("type") == "players"
    if text[at : at + 1] != "@":
        name, end = scan.read_string(text, at)
        # A UUID is longer than a name and stands for any entity.
        if not name or (len(name) > _NAME_LIMIT and not _is_uuid(name)):
            raise Rejected("Invalid name or UUID", at)
        return end
    selector = read_selector(text, at)
    if properties.get("amount") == "single" and (selector.limit is None or selector.limit > 1):
        noun = "player" if players else "entity"
        raise Rejected(f"Only one {noun} is allowed, but the provided selector allows more than one", 0)
    if players and not selector.players_only and selector.variable != "s":
        raise Rejected("Only players may be affected by this command, but the provided selector includes entities", 0)
    return selector.end


def _is_uuid(word: str) -> bool:
    return re.fullmatch(r"[0-9a-fA-F]{1,8}(-[0-9a-fA-F]{1,12}){4}", word) is not None


def _game_profile(text: str, at: int, _: Mapping[str, Any]) -> int:
    if text[at : at + 1] == "@":
        return _entity(text, at, {"type": "players"})
    return _until_blank(text, at)


def _score_holder(text: str, at: int, properties: Mapping[str, Any]) -> int:
    if text[at : at + 1] == "@":
        return _entity(text, at, {"amount": properties.get("amount")})
    return _until_blank(text, at)


def _until_blank(text: str, at: int) -> int:
    end = text.find(" ", at)
    return len(text) if end < 0 else end


def _position(count: int, whole: bool) -> _Reader:
    def read(text: str, at: int, _: Mapping[str, Any]) -> int:
        local = count == 3 and text[at : at + 1] == "^"
        end = at
        for index in range(count):
            if index:
                if text[end : end + 1] != " ":
                    raise Rejected(f"Incomplete (expected {count} coordinates)", at)
                end += 1
            end = _local(text, end, at) if local else _world(text, end, whole)
        return end

    return read


def _local(text: str, at: int, start: int) -> int:
    if at >= len(text):
        raise Rejected("Expected a coordinate", at)
    if text[at] != "^":
        raise Rejected("Cannot mix world & local coordinates (everything must either use ^ or not)", start)
    return _offset(text, at + 1)


def _world(text: str, at: int, whole: bool) -> int:
    if at >= len(text):
        raise Rejected("Expected a block position" if whole else "Expected a coordinate", at)
    if text[at] == "^":
        raise Rejected("Cannot mix world & local coordinates (everything must either use ^ or not)", at)
    if text[at] == "~":
        return _offset(text, at + 1)
    return scan.read_integer(text, at)[1] if whole else scan.read_decimal(text, at)[1]


def _offset(text: str, at: int) -> int:
    return at if text[at : at + 1] in ("", " ") else scan.read_decimal(text, at)[1]


def _item(text: str, at: int, _: Mapping[str, Any]) -> int:
    return read_item(text, at)


def _item_predicate(text: str, at: int, _: Mapping[str, Any]) -> int:
    return read_item_predicate(text, at)


def _block(tags: bool) -> _Reader:
    def read(text: str, at: int, _: Mapping[str, Any]) -> int:
        if text[at : at + 1] == "#":
            if not tags:
                raise Rejected("Tags aren't allowed here; only actual blocks are", at)
            end = scan.read_id(text, at + 1)[1]
        else:
            identifier, end = scan.read_id(text, at)
            if not known("block", identifier):
                raise Rejected(f"Unknown block type '{identifier}'", at)
        for opening in "[{":
            if text[end : end + 1] == opening:
                end = scan.read_balanced(text, end)
        return end

    return read


def _resource(text: str, at: int, properties: Mapping[str, Any]) -> int:
    registry = str(properties.get("registry", ""))
    identifier, end = scan.read_id(text, at)
    if not known(registry.removeprefix("minecraft:"), identifier):
        raise Rejected(f"Can't find element '{identifier}' of type '{registry}'", end)
    return end


def _resource_or_tag(text: str, at: int, properties: Mapping[str, Any]) -> int:
    if text[at : at + 1] == "#":
        return scan.read_id(text, at + 1)[1]
    return _resource(text, at, properties)


def _identifier(text: str, at: int, _: Mapping[str, Any]) -> int:
    return scan.read_id(text, at + 1 if text[at : at + 1] == "#" else at)[1]


def _slot(text: str, at: int, _: Mapping[str, Any]) -> int:
    word = text[at : _until_blank(text, at)]
    if not _SLOT.fullmatch(word):
        raise Rejected(f"Unknown slot '{word}'", at)
    return at + len(word)


def _compound(text: str, at: int, _: Mapping[str, Any]) -> int:
    if text[at : at + 1] != "{":
        raise Rejected("Expected '{'", at)
    return scan.read_balanced(text, at)


def _nbt(text: str, at: int, _: Mapping[str, Any]) -> int:
    if text[at : at + 1] in ("{", "["):
        return scan.read_balanced(text, at)
    if text[at : at + 1] in ('"', "'"):
        return scan.read_string(text, at)[1]
    return _until_blank(text, at)


def _particle(text: str, at: int, _: Mapping[str, Any]) -> int:
    identifier, end = scan.read_id(text, at)
    if not known("particle_type", identifier):
        raise Rejected(f"Unknown particle: {identifier}", end)
    if text[end : end + 1] == "{":
        return scan.read_balanced(text, end)
    if _OPTIONS_NEEDED.fullmatch(identifier.removeprefix("minecraft:")):
        raise Rejected("Can't parse particle options: No options given for " + identifier, end)
    return end


def _time(text: str, at: int, properties: Mapping[str, Any]) -> int:
    value, end = scan.read_decimal(text, at, "float")
    unit = scan.read_word(text, end)
    if unit not in ("", "t", "s", "d"):
        raise Rejected("Invalid unit", end + len(unit))
    ticks = round(min(value * {"": 1, "t": 1, "s": 20, "d": 24000}[unit], _MOST_TICKS))
    low = properties.get("min") or 0
    if ticks < low:
        raise Rejected(f"The tick count must not be less than {low}: found {ticks}", end + len(unit))
    return end + len(unit)


def _one_of(words: re.Pattern[str], message: str) -> _Reader:
    def read(text: str, at: int, _: Mapping[str, Any]) -> int:
        word = scan.read_word(text, at)
        if not words.fullmatch(word):
            raise Rejected(message.format(word), at)
        return at + len(word)

    return read


def _criterion(text: str, at: int, _: Mapping[str, Any]) -> int:
    end = _until_blank(text, at)
    word = text[at:end]
    if _CRITERION.fullmatch(word):
        return end
    raise Rejected(f"Unknown criterion '{word}'", at)


def _range(whole: bool) -> _Reader:
    return lambda text, at, _: read_range(text, at, whole)[1]


READERS: dict[str, _Reader] = {
    "brigadier:integer": _integer,
    "brigadier:long": _integer,
    "brigadier:float": _decimal("float"),
    "brigadier:double": _decimal("double"),
    "brigadier:bool": _bool,
    "brigadier:string": _string,
    "minecraft:entity": _entity,
    "minecraft:game_profile": _game_profile,
    "minecraft:score_holder": _score_holder,
    "minecraft:vec3": _position(3, whole=False),
    "minecraft:vec2": _position(2, whole=False),
    "minecraft:block_pos": _position(3, whole=True),
    "minecraft:column_pos": _position(2, whole=True),
    "minecraft:rotation": _position(2, whole=False),
    "minecraft:item_stack": _item,
    "minecraft:item_predicate": _item_predicate,
    "minecraft:block_state": _block(tags=False),
    "minecraft:block_predicate": _block(tags=True),
    "minecraft:resource": _resource,
    "minecraft:resource_or_tag": _resource_or_tag,
    "minecraft:resource_location": _identifier,
    "minecraft:resource_key": _identifier,
    "minecraft:resource_or_tag_key": _identifier,
    "minecraft:dimension": _identifier,
    "minecraft:function": _identifier,
    "minecraft:nbt_compound_tag": _compound,
    "minecraft:nbt_tag": _nbt,
    "minecraft:component": _nbt,
    "minecraft:item_slot": _slot,
    "minecraft:particle": _particle,
    "minecraft:time": _time,
    "minecraft:gamemode": _one_of(GAMEMODE, "Unknown game mode: {}"),
    "minecraft:color": _one_of(re.compile(f"reset|{COLOUR.pattern}"), "Unknown color '{}'"),
    "minecraft:entity_anchor": _one_of(re.compile("feet|eyes"), "Invalid entity anchor position {}"),
    "minecraft:objective_criteria": _criterion,
    "minecraft:int_range": _range(whole=True),
    "minecraft:float_range": _range(whole=False),
}
