"""The conditions that `execute if` and `execute unless` ask."""

from __future__ import annotations

from typing import Final

from selfplay_core.sandbox.parser.grammar import Command
from selfplay_core.sandbox.parser.nbt_path import found as found_at
from selfplay_core.sandbox.parser.problem import Failed
from selfplay_core.sandbox.world.call import Call
from selfplay_core.sandbox.world.on_blocks import fits, volume_of
from selfplay_core.sandbox.world.on_data import holder_of
from selfplay_core.sandbox.world.on_scores import objective_named, score_of
from selfplay_core.sandbox.world.population import OVERWORLD, matching

__all__ = ["count_of", "counted"]

_LOADED: Final = 160
_COUNTED: Final = ("entity", "blocks", "data", "items")


def counted(clause: Command) -> bool:
    """Tell whether the reply to a condition says how often it holds."""
    return clause.literals.split()[1] in _COUNTED


def count_of(call: Call) -> int:
    """Return how often a condition holds; raises `Failed` where it cannot be asked."""
    match call.words[1]:
        case "entity":
            return len(matching(call.value("entities"), call.source, call.state))
        case "block":
            return int(fits(call.value("block"), call.state.block_at(call.block("pos"))))
        case "blocks":
            return _blocks(call)
        case "score":
            return _score(call)
        case "data":
            holder = holder_of(call, call.words[2], "source")
            return len(found_at(call.value("path"), holder.read()))
        case "items":
            return _items(call)
        case "loaded":
            x, _, z = call.block_unchecked("pos")
            return int(max(abs(x), abs(z)) <= _LOADED and call.source.dimension == OVERWORLD)
        case "dimension":
            return int(call.value("dimension") == call.source.dimension)
        case "biome":
            call.block("pos")
            return int(call.value("biome") in ("minecraft:plains", "#minecraft:is_overworld"))
        case "predicate":
            return 0
        case "stopwatch":
            if call.value("id") not in call.state.stopwatches:
                raise Failed(f"Stopwatch '{call.value('id')}' does not exist")
            return int(call.value("range").holds(0.0))
        case _:
            raise Failed(f"Unknown function {call.value('name')}")


def _score(call: Call) -> int:
    objective_named(call, "targetObjective")
    [(holder, _)] = call.holders("target")[:1]
    left = score_of(call, holder, call.value("targetObjective"))
    if call.words[-1] == "matches":
        return int(left is not None and call.value("range").holds(left))
    objective_named(call, "sourceObjective")
    [(other, _)] = call.holders("source")[:1]
    right = score_of(call, other, call.value("sourceObjective"))
    if left is None or right is None:
        return 0
    order = {"<": left < right, "<=": left <= right, "=": left == right, ">=": left >= right, ">": left > right}
    return int(order[call.words[3]])


def _blocks(call: Call) -> int:
    start, end, to = call.block("start"), call.block("end"), call.block("destination")
    low = (min(start[0], end[0]), min(start[1], end[1]), min(start[2], end[2]))
    high = (max(start[0], end[0]), max(start[1], end[1]), max(start[2], end[2]))
    volume_of(call, low, high)
    count = 0
    for x in range(low[0], high[0] + 1):
        for y in range(low[1], high[1] + 1):
            for z in range(low[2], high[2] + 1):
                here = call.state.block_at((x, y, z))
                there = call.state.block_at((x - low[0] + to[0], y - low[1] + to[1], z - low[2] + to[2]))
                if call.words[-1] == "masked" and here.name == "air":
                    continue
                if (here.name, here.states) != (there.name, there.states):
                    return 0
                count += 1
    return count


def _items(call: Call) -> int:
    if call.words[2] == "block":
        call.block("pos")
        return 0
    beings = matching(call.value("entities"), call.source, call.state)
    test = call.value("item_predicate")
    slot = call.value("slots")
    total = 0
    for being in beings:
        if slot in ("weapon", "weapon.mainhand", "weapon.*"):
            carried = {being.held: being.items.get(being.held, 1)} if being.held else {}
        else:
            carried = being.items if slot.startswith(("container", "inventory", "hotbar")) else {}
        total += sum(
            count for name, count in carried.items() if not test.narrowed and test.name in ("*", f"minecraft:{name}")
        )
    return total
