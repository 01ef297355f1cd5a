"""Commands that act on the world, its scores and its rules, in the server's words.

The world keeps nothing. What a command needs is taken to be there (objectives, teams, boss bars), what it
makes is made anew each time, and blocks are those of the fixed ground.
"""

from __future__ import annotations

from collections.abc import Callable

from selfplay_core.sandbox.call import BlockPlace, Call, block_at
from selfplay_core.sandbox.problem import Failed
from selfplay_core.sandbox.registries import display_name
from selfplay_core.sandbox.values import evaluated

__all__ = ["HANDLERS"]

_Handler = Callable[[Call], str]

_VOLUME_LIMIT = 32768
_TIMES = {"day": 1000, "noon": 6000, "night": 13000, "midnight": 18000}
_MOST_TICKS = 2**31 - 1
_UNITS = {"t": 1, "s": 20, "d": 24000}
_WEATHER = {"clear": "clear", "rain": "rain", "thunder": "rain & thunder"}
_DIFFICULTY = "normal"
_RULES_OFF = frozenset({"keep_inventory", "limited_crafting", "immediate_respawn", "reduced_debug_info"})


def _fixed(text: str) -> _Handler:
    return lambda call: text


def _ticks(word: str) -> int:
    unit = _UNITS.get(word[-1:])
    ticks = float(word[:-1]) * unit if unit else float(word)
    return round(min(ticks, _MOST_TICKS))


def _time(call: Call) -> str:
    words = call.command.literals.split()
    if words[1] == "query":
        return f"The time is {1000 if words[2] == 'daytime' else 24000 if words[2] == 'gametime' else 1}"
    ticks = _TIMES[words[2]] if len(words) > 2 else _ticks(call.text("time"))
    return f"Set the time to {(1000 + ticks) % 24000 if words[1] == 'add' else ticks}"


def _weather(call: Call) -> str:
    return f"Set the weather to {_WEATHER[call.command.literals.split()[1]]}"


def _difficulty(call: Call) -> str:
    words = call.command.literals.split()
    if len(words) == 1:
        return f"The difficulty is {_DIFFICULTY.title()}"
    if words[1] == _DIFFICULTY:
        raise Failed(f"The difficulty did not change; it is already set to {_DIFFICULTY}")
    return f"The difficulty has been set to {words[1].title()}"


def _gamerule(call: Call) -> str:
    rule = call.command.literals.split()[1]
    value = call.command.get("value")
    if value is None:
        return f"Gamerule {rule} is currently set to: {'false' if rule in _RULES_OFF else 'true'}"
    return f"Gamerule {rule} is now set to: {value.text}"


def _summon(call: Call) -> str:
    if call.command.get("pos"):
        _, y, _ = call.position("pos")
        if not -2000 < y < 20_000_000:
            raise Failed("Invalid position for summon")
    kind = call.text("entity").removeprefix("minecraft:")
    if kind in ("player", "fishing_bobber"):
        raise Failed("Unable to summon entity")
    return f"Summoned new {_summoned_name(call, kind)}"


def _summoned_name(call: Call, kind: str) -> str:
    nbt = call.command.get("nbt")
    if nbt is not None:
        name = evaluated(nbt.node).get("CustomName")
        if isinstance(name, str):
            return name
        if isinstance(name, dict) and isinstance(name.get("text"), str):
            return str(name["text"])
    return "Primed TNT" if kind == "tnt" else display_name(kind)


def _setblock(call: Call) -> str:
    x, y, z = place = call.block("pos")
    block = call.argument("block").node
    if block.identifier.path == block_at(place) and not block.block_states and not block.data_tags:
        raise Failed("Could not set the block")
    return f"Changed the block at {x}, {y}, {z}"


def _fill(call: Call) -> str:
    low, high = _box(call, "from", "to")
    count = _volume(low, high)
    if count > _VOLUME_LIMIT:
        raise Failed(f"Too many blocks in the specified area (maximum {_VOLUME_LIMIT}, but specified {count})")
    changed = _changed(call, low, high)
    if not changed:
        raise Failed("No blocks were filled")
    return f"Successfully filled {changed} block(s)"


def _box(call: Call, first: str, second: str) -> tuple[BlockPlace, BlockPlace]:
    a, b = call.block(first), call.block(second)
    low = (min(a[0], b[0]), min(a[1], b[1]), min(a[2], b[2]))
    high = (max(a[0], b[0]), max(a[1], b[1]), max(a[2], b[2]))
    return low, high


def _volume(low: BlockPlace, high: BlockPlace) -> int:
    return (high[0] - low[0] + 1) * (high[1] - low[1] + 1) * (high[2] - low[2] + 1)


def _changed(call: Call, low: BlockPlace, high: BlockPlace) -> int:
    """Return how many blocks of the fixed ground a fill changes, layer by layer."""
    block = call.argument("block").node.identifier.path
    only = call.text("filter").removeprefix("minecraft:").partition("[")[0]
    keep = call.command.literals.endswith("keep")
    layer = (high[0] - low[0] + 1) * (high[2] - low[2] + 1)
    changed = 0
    for y in range(low[1], high[1] + 1):
        here = block_at((low[0], y, low[2]))
        wanted = here == "air" if keep else only in ("", here) or only.startswith("#")
        changed += layer if wanted and here != block else 0
    return changed


def _clone(call: Call) -> str:
    low, high = _box(call, "begin", "end")
    count = _volume(low, high)
    if count > _VOLUME_LIMIT:
        raise Failed(f"Too many blocks in the specified area (maximum {_VOLUME_LIMIT}, but specified {count})")
    target = call.block("destination")
    sizes = tuple(b - a for a, b in zip(low, high, strict=True))
    if all(low[axis] <= target[axis] + sizes[axis] and target[axis] <= high[axis] for axis in range(3)):
        raise Failed("The source and destination areas cannot overlap")
    return f"Successfully cloned {count} block(s)"


def _fillbiome(call: Call) -> str:
    low, high = _box(call, "from", "to")
    return f"Biomes set between {_comma(low)} and {_comma(high)}"


def _comma(place: BlockPlace) -> str:
    return ", ".join(map(str, place))


def _no_block_entity(call: Call) -> str:
    call.block("targetPos")
    raise Failed("The target block is not a block entity")


def _no_container(call: Call) -> str:
    raise Failed(f"Target position {_comma(call.block('pos'))} is not a container")


def _forceload(call: Call) -> str:
    words = call.command.literals.split()
    where = "minecraft:overworld"
    if words[1] == "query":
        raise Failed(f"No force loaded chunks were found in {where}")
    if len(words) > 2:
        return f"Unmarked all force loaded chunks in {where}"
    x, z = (int(float(word.lstrip("~") or 0)) >> 4 for word in call.text("from").split())
    verb = "Marked" if words[1] == "add" else "Unmarked"
    ending = "to be force loaded" if words[1] == "add" else "for force loading"
    return f"{verb} chunk [{x}, {z}] in {where} {ending}"


def _locate(call: Call) -> str:
    kind = call.command.literals.split()[1]
    name = call.text(kind)
    shown = name if ":" in name else f"minecraft:{name}"
    if kind == "structure":
        return f"The nearest {shown} is at [112, ~, -208] (236 blocks away)"
    return f"The nearest {shown} is at [48, 64, 96] (107 blocks away)"


def _particle(call: Call) -> str:
    name = call.text("name").partition("{")[0]
    return f"Displaying particle {name if ':' in name else f'minecraft:{name}'}"


def _place(call: Call) -> str:
    kind = call.command.literals.split()[1]
    x, y, z = call.block("pos") if call.command.get("pos") else (0, 64, 0)
    if kind == "structure":
        return f'Generated structure "{call.text("structure")}" at {x}, {y}, {z}'
    if kind == "feature":
        return f'Placed "{call.text("feature")}" at {x}, {y}, {z}'
    if kind == "jigsaw":
        return f"Generated jigsaw at {x}, {y}, {z}"
    return f'Loaded template "{call.text("template")}" at {x}, {y}, {z}'


def _worldborder(call: Call) -> str:
    words = call.command.literals.split()
    match words[1]:
        case "get":
            return "The world border is currently 59999968 block(s) wide"
        case "center":
            x, z = (float(word.lstrip("~") or 0) for word in call.text("pos").split())
            return f"Set the center of the world border to {x:.2f}, {z:.2f}"
        case "damage":
            if words[2] == "amount":
                amount = float(call.text("damagePerBlock"))
                return f"Set the world border damage to {amount:.2f} per block each second"
            return f"Set the world border damage buffer to {float(call.text('distance')):.2f} block(s)"
        case "warning":
            if words[2] == "distance":
                return f"Set the world border warning distance to {call.text('distance')} block(s)"
            return f"Set the world border warning time to {_ticks(call.text('time')) // 20} second(s)"
        case _:
            return _border_size(float(call.text("distance")), call.text("time", "0"))


def _border_size(width: float, time: str) -> str:
    if width < 1:
        raise Failed("World border cannot be smaller than 1 block wide")
    if width > 59999968:
        raise Failed("World border cannot be bigger than 59999968.0 blocks wide")
    seconds = _ticks(time) // 20
    if seconds:
        return f"Shrinking the world border to {width:.1f} block(s) wide over {seconds} second(s)"
    return f"Set the world border to {width:.1f} block(s) wide"


def _spawn(call: Call) -> str:
    x, y, z = call.block("pos") if call.command.get("pos") else (0, 64, 0)
    if call.command.literals == "setworldspawn":
        return f"Set the world spawn point to {x}, {y}, {z} [0.0, 0.0] in minecraft:overworld"
    beings = call.targets("targets") if call.command.get("targets") else (call.executor(player=True),)
    who = beings[0].name if len(beings) == 1 else f"{len(beings)} players"
    return f"Set spawn point to {x}, {y}, {z} [0.0, 0.0] in minecraft:overworld for {who}"


def _spread(call: Call) -> str:
    beings = call.targets("targets")
    x, z = (float(word.lstrip("~") or 0) for word in call.text("center").split())
    distance = float(call.text("spreadDistance"))
    noun = "entity/entities"
    return (
        f"Spread {len(beings)} {noun} around {x:.1f}, {z:.1f} with an average distance of {distance:.1f} block(s) apart"
    )


def _stopsound(call: Call) -> str:
    call.targets("targets")
    sound = call.text("sound")
    if sound:
        return f"Stopped sound '{sound}'"
    words = call.command.literals.split()
    return f"Stopped all '{words[1]}' sounds" if len(words) > 1 and words[1] != "*" else "Stopped all sounds"


def _random(call: Call) -> str:
    if call.command.literals.startswith("random reset"):
        sequence = call.text("sequence")
        return f"Reset random sequence {sequence}" if sequence else "Reset 0 random sequence(s)"
    low, _, high = call.text("range").partition("..")
    if not low or not high or int(low) >= int(high):
        raise Failed("The range of the random value must be at least 2")
    middle = (int(low) + int(high)) // 2
    if call.command.literals.startswith("random roll"):
        return f"Server rolled {middle} (from {low} to {high})"
    return f"Randomized value: {middle}"


def _unknown_function(call: Call) -> str:
    name = call.text("name") or call.text("function")
    if "schedule" in call.command.literals:
        raise Failed(f"Can't find any functions for name {name}")
    raise Failed(f"Unknown function {name}")


def _list(call: Call) -> str:
    names = [being.name for being in call.population.players]
    return f"There are {len(names)} of a max of 20 players online: {', '.join(names)}"


def _named(text: str, name: str) -> _Handler:
    return lambda call: text.format(call.text(name))


HANDLERS: dict[str, _Handler] = {
    "clone": _clone,
    "data get block": _no_block_entity,
    "data get storage": _named("Storage {} has the following contents: {{}}", "target"),
    "data merge block": _no_block_entity,
    "data merge storage": _named("Modified storage {}", "target"),
    "data modify block": _no_block_entity,
    "data modify storage": _named("Modified storage {}", "target"),
    "data remove block": _no_block_entity,
    "data remove storage": _named("Modified storage {}", "target"),
    "defaultgamemode": lambda call: f"The default game mode is now {call.text('gamemode').title()} Mode",
    "difficulty": _difficulty,
    "fill": _fill,
    "fillbiome": _fillbiome,
    "forceload": _forceload,
    "function": _unknown_function,
    "gamerule": _gamerule,
    "item replace block": _no_container,
    "list": _list,
    "locate": _locate,
    "loot give": _fixed("Dropped 4 items"),
    "loot spawn": _fixed("Dropped 4 items"),
    "me": _fixed(""),
    "particle": _particle,
    "place": _place,
    "random": _random,
    "return": _fixed(""),
    "say": _fixed(""),
    "schedule clear": _named("No schedules with id {}", "function"),
    "schedule function": _unknown_function,
    "seed": _fixed("Seed: [4815162342]"),
    "setblock": _setblock,
    "setworldspawn": _spawn,
    "spawnpoint": _spawn,
    "spreadplayers": _spread,
    "stopsound": _stopsound,
    "summon": _summon,
    "time": _time,
    "weather": _weather,
    "worldborder": _worldborder,
}
