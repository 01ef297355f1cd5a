"""Commands that act on the world and its rules, in the server's words."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

from selfplay_core.sandbox.facts.registries import known, known_tag
from selfplay_core.sandbox.parser.problem import Failed
from selfplay_core.sandbox.world.call import Call, told
from selfplay_core.sandbox.world.state import apart, room_for

__all__ = ["HANDLERS"]

_Handler = Callable[[Call], str]

_TIMES: Final = {"day": 1000, "noon": 6000, "night": 13000, "midnight": 18000}
_DAY: Final = 24000
_WEATHER: Final = {"clear": "clear", "rain": "rain", "thunder": "rain & thunder"}
_WIDEST: Final = 59999968.0
_FARTHEST: Final = 29999984.0
_CHUNK_LIMIT: Final = 256
_PARTICLE_REACH, _FORCED_REACH = 32.0, 512.0
_TICKS: Final = 20
_RANDOM_LIMIT: Final = 2147483646
_WHERE: Final = "minecraft:overworld"
# What a rule is before it is set, where that is not `true`.
_RULES: Final = {
    **dict.fromkeys(
        (
            *("keep_inventory", "limited_crafting", "immediate_respawn", "reduced_debug_info", "universal_anger"),
            *("water_source_conversion_off", "lava_source_conversion", "raids_off", "tnt_explosion_drop_decay"),
        ),
        "false",
    ),
    "random_tick_speed": "3",
    "max_command_forks": "65536",
    "max_command_sequence_length": "65536",
    "max_block_modifications": "32768",
    "max_entity_cramming": "24",
    "max_snow_accumulation_height": "1",
    "max_minecart_speed": "8",
    "players_sleeping_percentage": "100",
    "respawn_radius": "10",
    "players_nether_portal_default_delay": "80",
    "players_nether_portal_creative_delay": "0",
    "fire_spread_radius_around_player": "128",
}


def _fixed(text: str, result: int = 1) -> _Handler:
    return lambda call: told(text, result)


def _time(call: Call) -> str:
    words = call.words
    state = call.state
    if words[1] == "query":
        value = {"daytime": state.time % _DAY, "gametime": state.time, "day": state.time // _DAY}[words[2]]
        return told(f"The time is {value}", value)
    ticks = _TIMES[words[2]] if len(words) > 2 else call.value("time")
    state.time = (state.time + ticks if words[1] == "add" else ticks) % 2**31
    return told(f"Set the time to {state.time % _DAY if words[1] == 'add' else ticks}", state.time % _DAY)


def _weather(call: Call) -> str:
    call.state.weather = call.words[1]
    return told(f"Set the weather to {_WEATHER[call.words[1]]}", call.value("duration", -1))


def _difficulty(call: Call) -> str:
    words = call.words
    if len(words) == 1:
        order = ("peaceful", "easy", "normal", "hard")
        return told(f"The difficulty is {call.state.difficulty.title()}", order.index(call.state.difficulty))
    if words[1] == call.state.difficulty:
        raise Failed(f"The difficulty did not change; it is already set to {words[1]}")
    call.state.difficulty = words[1]
    return told(f"The difficulty has been set to {words[1].title()}", 0)


def _rule_shown(call: Call, rule: str) -> str:
    """Return the value of a game rule, by its name without a namespace."""
    return call.state.rules.get(rule, _RULES.get(rule, "true"))


def _gamerule(call: Call) -> str:
    rule = call.words[1].removeprefix("minecraft:")
    if call.has("value"):
        value = call.value("value")
        call.state.rules[rule] = str(value).lower()
        return told(f"Gamerule {rule} is now set to: {call.state.rules[rule]}", int(value))
    shown = _rule_shown(call, rule)
    return told(f"Gamerule {rule} is currently set to: {shown}", int(shown) if shown.isdigit() else shown == "true")


def _default_mode(call: Call) -> str:
    return told(f"The default game mode is now {call.value('gamemode').title()} Mode", 0)


def _chunks(call: Call) -> list[tuple[int, int]]:
    x, z = (int(value // 1) for value in call.column("from"))
    to_x, to_z = (int(value // 1) for value in call.column("to")) if call.has("to") else (x, z)
    if max(abs(value) for value in (x, z, to_x, to_z)) >= 30_000_000:
        raise Failed("That position is out of this world!")
    low_x, high_x = sorted((x >> 4, to_x >> 4))
    low_z, high_z = sorted((z >> 4, to_z >> 4))
    count = (high_x - low_x + 1) * (high_z - low_z + 1)
    if count > _CHUNK_LIMIT:
        raise Failed(f"Too many chunks in the specified area (maximum {_CHUNK_LIMIT}, but specified {count})")
    return [(a, b) for a in range(low_x, high_x + 1) for b in range(low_z, high_z + 1)]


def _forceload(call: Call) -> str:
    verb = call.words[1]
    if verb == "query":
        return _forced(call)
    forced = call.state.forced
    if call.words[2:] == ("all",):
        forced.clear()
        return told(f"Unmarked all force loaded chunks in {_WHERE}", 0)
    chunks = _chunks(call)
    adding = verb == "add"
    changed = [chunk for chunk in chunks if (chunk in forced) != adding]
    for chunk in changed:
        if adding:
            room_for("blocks", forced)
            forced[chunk] = None
        else:
            del forced[chunk]
    if not changed:
        raise Failed(f"No chunks were {'marked for' if adding else 'removed from'} force loading")
    ending = "to be force loaded" if adding else "for force loading"
    done = "Marked" if adding else "Unmarked"
    if len(changed) == 1:
        return f"{done} chunk {_chunk(changed[0])} in {_WHERE} {ending}"
    ends = f"{_chunk(chunks[0])} to {_chunk(chunks[-1])}"
    return told(f"{done} {len(changed)} chunks in {_WHERE} from {ends} {ending}", len(changed))


def _chunk(chunk: tuple[int, int]) -> str:
    return f"[{chunk[0]}, {chunk[1]}]"


def _forced(call: Call) -> str:
    forced = call.state.forced
    if call.has("pos"):
        x, z = (int(value // 1) >> 4 for value in call.column("pos"))
        if (x, z) not in forced:
            raise Failed(f"Chunk at {_chunk((x, z))} in {_WHERE} is not marked for force loading")
        return f"Chunk at {_chunk((x, z))} in {_WHERE} is marked for force loading"
    if not forced:
        raise Failed(f"No force loaded chunks were found in {_WHERE}")
    # A server sorts them by a number whose upper half is z, and whose lower one is x without its sign.
    shown = ", ".join(map(_chunk, sorted(forced, key=lambda chunk: (chunk[1], chunk[0] % 2**32))))
    if len(forced) == 1:
        return f"A force loaded chunk was found in {_WHERE} at: {shown}"
    return told(f"{len(forced)} force loaded chunks were found in {_WHERE} at: {shown}", len(forced))


def _locate(call: Call) -> str:
    kind = call.words[1]
    name = call.value(kind)
    if kind == "structure":
        listed = known_tag("worldgen/structure", name[1:]) if name[0] == "#" else known("worldgen/structure", name)
        if not listed:
            raise Failed(f'There is no structure with type "{name}"')
        return told(f"The nearest {name} is at [112, ~, -208] (236 blocks away)", 236)
    return told(f"The nearest {name} is at [48, 64, 96] (107 blocks away)", 107)


def _particle(call: Call) -> str:
    """Show a particle to those near enough, which is farther off for one that is forced."""
    viewers = call.targets("viewers") if call.has("viewers") else call.state.players
    here, reach = call.position("pos"), _FORCED_REACH if "force" in call.words else _PARTICLE_REACH
    seen = sum(apart(being.position, here) < reach for being in viewers)
    if not seen:
        raise Failed("The particle was not visible for anybody")
    return told(f"Displaying particle {call.value('name')}", seen)


def _place(call: Call) -> str:
    kind = call.words[1]
    place = call.block("pos")
    where = ", ".join(map(str, place))
    registries = {"feature": "worldgen/configured_feature", "structure": "worldgen/structure"}
    name = call.value(kind, "")
    if kind in registries and not known(registries[kind], name):
        raise Failed(f'There is no {kind} with type "{name}"')
    match kind:
        case "structure":
            return f'Generated structure "{name}" at {where}'
        case "feature":
            return f'Placed "{name}" at {where}'
        case "jigsaw":
            if not known("worldgen/template_pool", call.value("pool")):
                raise Failed(f'There is no template pool with type "{call.value("pool")}"')
            return f"Generated jigsaw at {where}"
        case _:
            template = call.value("template")
            # Which templates the game has is not listed; it has them in its own namespace alone.
            if not template.startswith("minecraft:"):
                raise Failed(f'There is no template with id "{template}"')
            return f'Loaded template "{template}" at {where}'


def _worldborder(call: Call) -> str:
    border = call.state.border
    match call.words[1:]:
        case ("get",):
            return told(f"The world border is currently {border.size:.0f} block(s) wide", int(border.size))
        case ("center",):
            x, z = call.column("pos")
            if max(abs(x), abs(z)) > _FARTHEST:
                raise Failed("World border cannot be further out than 2.9999984E7 blocks")
            if (x, z) == border.centre:
                raise Failed("Nothing changed. The world border is already centered there")
            border.centre = (x, z)
            return told(f"Set the center of the world border to {x:.2f}, {z:.2f}", 0)
        case ("set",):
            return _border_size(call, call.value("distance"))
        case ("add",):
            return _border_size(call, border.size + call.value("distance"))
        case _:
            return _border_option(call)


def _border_size(call: Call, width: float) -> str:
    border = call.state.border
    if width == border.size:
        raise Failed("Nothing changed. The world border is already that size")
    if width < 1:
        raise Failed("World border cannot be smaller than 1 block wide")
    if width > _WIDEST:
        raise Failed("World border cannot be bigger than 5.9999968E7 blocks wide")
    before, border.size = border.size, width
    ticks = call.value("time", 0)
    if not ticks:
        text = f"Set the world border to {width:.1f} block(s) wide"
    elif width > before:
        text = f"Growing the world border to {width:.1f} blocks wide over {ticks / _TICKS:.2f} seconds"
    else:
        text = f"Shrinking the world border to {width:.1f} block(s) wide over {ticks / _TICKS:.2f} second(s)"
    return told(text, int(width - before))


def _border_option(call: Call) -> str:
    border = call.state.border
    option = call.words[2]
    if option == "amount":
        value, unchanged = call.value("damagePerBlock"), "damage is already that amount"
        text = f"Set the world border damage to {value:.2f} per block each second"
    elif option == "buffer":
        value, unchanged = call.value("distance"), "damage buffer is already that distance"
        text = f"Set the world border damage buffer to {value:.2f} block(s)"
    elif option == "distance":
        value, unchanged = float(call.value("distance")), "warning is already that distance"
        text = f"Set the world border warning distance to {value:.0f} block(s)"
    else:
        value, unchanged = float(call.value("time")), "warning is already that amount of time"
        text = f"Set the world border warning time to {value / _TICKS:.2f} second(s)"
    if border.options[option] == value:
        raise Failed(f"Nothing changed. The world border {unchanged}")
    border.options[option] = value
    return told(text, int(value))


def _random(call: Call) -> str:
    if call.words[1] == "reset":
        sequence = call.value("sequence")
        return f"Reset random sequence {sequence}" if sequence else told("Reset 0 random sequence(s)", 0)
    bounds = call.value("range")
    low = -(2**31) if bounds.low is None else int(bounds.low)
    high = 2**31 - 1 if bounds.high is None else int(bounds.high)
    if high - low < 1:
        raise Failed("The range of the random value must be at least 2")
    if high - low > _RANDOM_LIMIT:
        raise Failed(f"The range of the random value must be at most {_RANDOM_LIMIT}")
    # The middle: what is drawn by lot could not be repeated.
    middle = (low + high) // 2
    if call.words[1] == "roll":
        return told(f"Server rolled {middle} (from {low} to {high})", middle)
    return told(f"Randomized value: {middle}", middle)


def _no_function(call: Call) -> str:
    name = call.value("name") or call.value("function")
    raise Failed(f"Unknown function tag '{name[1:]}'" if name.startswith("#") else f"Unknown function {name}")


def _no_schedule(call: Call) -> str:
    raise Failed(f"No schedules with id {call.value('function')}")


def _stopwatch(call: Call) -> str:
    """Start and read stopwatches; none ever runs, for no time passes here."""
    name, verb = call.value("id"), call.words[1]
    watches = call.state.stopwatches
    if verb == "create":
        if name in watches:
            raise Failed(f"Stopwatch '{name}' already exists")
        room_for("names", watches)
        watches.add(name)
        return f"Created Stopwatch '{name}'"
    if name not in watches:
        raise Failed(f"Stopwatch '{name}' does not exist")
    if verb == "query":
        return told(f"Stopwatch '{name}' has run for 0.0s", 0)
    if verb == "remove":
        watches.remove(name)
        return f"Removed Stopwatch '{name}'"
    return f"Restarted Stopwatch '{name}'"


def _loot(call: Call) -> str:
    """Tell of four items, whatever the table holds: they are drawn by lot."""
    table = call.value("loot_table")
    return told(f"Dropped 4 items from loot table {table}" if isinstance(table, str) else "Dropped 4 items", 4)


def _waypoint(call: Call) -> str:
    if call.words[1] == "list":
        return told(f"No waypoints in {_WHERE}", 0)
    call.targets("waypoint")
    if call.words[2] == "color":
        if call.words[-1] == "reset":
            return "Reset waypoint color"
        return f"Waypoint color is now {call.text('color')}"
    return "Waypoint style changed"


HANDLERS: dict[str, _Handler] = {
    "defaultgamemode": _default_mode,
    "difficulty": _difficulty,
    "forceload": _forceload,
    "function": _no_function,
    "gamerule": _gamerule,
    "locate": _locate,
    **dict.fromkeys(("loot give", "loot insert", "loot replace", "loot spawn"), _loot),
    "me": _fixed(""),
    "particle": _particle,
    "place": _place,
    "random": _random,
    "return": _fixed(""),
    "say": _fixed(""),
    "schedule clear": _no_schedule,
    "schedule function": _no_function,
    "seed": _fixed("Seed: [4815162342]"),
    "stopwatch": _stopwatch,
    "time": _time,
    "waypoint": _waypoint,
    "weather": _weather,
    "worldborder": _worldborder,
}
