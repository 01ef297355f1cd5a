"""Commands that set, fill and copy blocks, in the server's words."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from typing import Final

from selfplay_core.sandbox.facts.registries import block_states
from selfplay_core.sandbox.parser.blocks import Block
from selfplay_core.sandbox.parser.nbt_path import matches
from selfplay_core.sandbox.parser.problem import Failed
from selfplay_core.sandbox.world.call import Call, check_place, told
from selfplay_core.sandbox.world.state import BlockHere, Place

__all__ = ["HANDLERS", "fits", "volume_of"]

_Handler = Callable[[Call], str]

_VOLUME_LIMIT: Final = 32768
_HAS_DATA = re.compile(
    r"(?:\w+_)?(?:chest|barrel|furnace|smoker|hopper|dropper|dispenser|sign|banner|bed|shulker_box|head|skull|"
    r"command_block|spawner|brewing_stand|beacon|jukebox|lectern|campfire|enchanting_table|crafter|conduit|bell|"
    r"structure_block|jigsaw|decorated_pot|chiseled_bookshelf|vault|comparator|beehive|bee_nest|sculk_sensor|"
    r"daylight_detector|end_gateway|end_portal|shelf|copper_golem_statue|trapped_chest|test_block)"
)
_CONTAINER = re.compile(r"\w*(?:chest|barrel|furnace|smoker|hopper|dropper|dispenser|shulker_box)")
# Of the tags of blocks those that the ground of this world is in; other tags match what is set by name alone.
_TAGS: Final = {
    "minecraft:dirt": ("dirt", "grass_block", "podzol", "coarse_dirt", "mycelium", "rooted_dirt", "mud", "moss_block"),
    "minecraft:air": ("air", "cave_air", "void_air"),
    "minecraft:base_stone_overworld": ("stone", "granite", "diorite", "andesite", "tuff", "deepslate"),
    "minecraft:replaceable": ("air", "water", "lava", "short_grass", "fern", "dead_bush", "snow", "vine", "fire"),
    "minecraft:mineable/pickaxe": ("stone", "cobblestone", "deepslate", "iron_block", "diamond_block", "gold_block"),
    "minecraft:mineable/shovel": ("dirt", "grass_block", "sand", "gravel"),
}


def _made(block: Block) -> BlockHere:
    """Return the block that setting it brings; properties not named keep the first of their values."""
    usual = {name: _usual(values) for name, values in (block_states(block.name) or {}).items()}
    data = block.data if block.data is not None else {}
    return BlockHere(block.path, {**usual, **block.states}, data if _HAS_DATA.fullmatch(block.path) else None)


def _usual(values: tuple[str, ...]) -> str:
    return "false" if "false" in values else values[0]


def fits(block: Block, here: BlockHere) -> bool:
    """Tell whether a block passes a test."""
    if block.is_tag:
        stem = block.path.rstrip("s")
        named = here.name in _TAGS.get(block.name, ()) or (block.name not in _TAGS and here.name.endswith(stem))
    else:
        named = here.name == block.path
    if not named or any(here.states.get(name) != value for name, value in block.states.items()):
        return False
    return block.data is None or (here.data is not None and matches(block.data, here.data))


def _setblock(call: Call) -> str:
    place = call.block("pos")
    here = call.state.block_at(place)
    new = _made(call.value("block"))
    if call.words[1:] == ("keep",) and here.name != "air":
        raise Failed("Could not set the block")
    same = (new.name, new.states) == (here.name, here.states) and not call.value("block").data
    if same and call.words[1:] != ("destroy",):
        raise Failed("Could not set the block")
    call.state.put(place, new)
    return "Changed the block at {}, {}, {}".format(*place)


def _corners(call: Call, first: str, second: str) -> tuple[Place, Place]:
    a, b = call.block(first), call.block(second)
    low = (min(a[0], b[0]), min(a[1], b[1]), min(a[2], b[2]))
    high = (max(a[0], b[0]), max(a[1], b[1]), max(a[2], b[2]))
    return low, high


def volume_of(call: Call, low: Place, high: Place) -> int:
    """Return how many blocks a box holds; raises `Failed` above what one command may touch."""
    count = (high[0] - low[0] + 1) * (high[1] - low[1] + 1) * (high[2] - low[2] + 1)
    if count > _VOLUME_LIMIT:
        raise Failed(f"Too many blocks in the specified area (maximum {_VOLUME_LIMIT}, but specified {count})")
    call.state.spend("blocks", count)
    return count


def _places(low: Place, high: Place) -> Iterator[Place]:
    for y in range(low[1], high[1] + 1):
        for x in range(low[0], high[0] + 1):
            for z in range(low[2], high[2] + 1):
                yield x, y, z


def _on_shell(place: Place, low: Place, high: Place) -> bool:
    return any(place[axis] in (low[axis], high[axis]) for axis in range(3))


def _fill(call: Call) -> str:
    low, high = _corners(call, "from", "to")
    volume_of(call, low, high)
    new = _made(call.value("block"))
    only: Block | None = call.value("filter")
    mode = call.words[-1]
    changed = 0
    for place in _places(low, high):
        here = call.state.block_at(place)
        if (mode == "keep" and here.name != "air") or (only is not None and not fits(only, here)):
            continue
        put = new
        if mode in ("hollow", "outline") and not _on_shell(place, low, high):
            if mode == "outline":
                continue
            put = BlockHere("air")
        if put.name != here.name or put.states != here.states or put.data:
            call.state.put(place, put)
            changed += 1
    if not changed:
        raise Failed("No blocks were filled")
    return told(f"Successfully filled {changed} block(s)", changed)


def _clone(call: Call) -> str:
    low, high = _corners(call, "begin", "end")
    volume_of(call, low, high)
    target = call.block("destination")
    end = tuple(target[axis] + high[axis] - low[axis] for axis in range(3))
    forced = call.words[-1] in ("force", "move")
    if not forced and all(low[axis] <= end[axis] and target[axis] <= high[axis] for axis in range(3)):
        raise Failed("The source and destination areas cannot overlap")
    check_place((end[0], end[1], end[2]), call.source)
    only: Block | None = call.value("filter")
    masked = "masked" in call.words
    copied = []
    for place in _places(low, high):
        here = call.state.block_at(place)
        if not (masked and here.name == "air") and (only is None or fits(only, here)):
            copied.append((place, here))
    if call.words[-1] == "move":
        for place, _ in copied:
            call.state.put(place, BlockHere("air"))
    for (x, y, z), here in copied:
        call.state.put((x - low[0] + target[0], y - low[1] + target[1], z - low[2] + target[2]), here)
    if not copied:
        raise Failed("No blocks were cloned")
    return told(f"Successfully cloned {len(copied)} block(s)", len(copied))


def _fillbiome(call: Call) -> str:
    low, high = _corners(call, "from", "to")
    count = (high[0] - low[0] + 1) * (high[1] - low[1] + 1) * (high[2] - low[2] + 1)
    if count > _VOLUME_LIMIT:
        raise Failed(f"Too many blocks in the specified volume (maximum {_VOLUME_LIMIT}, but specified {count})")
    entries = ((high[0] >> 2) - (low[0] >> 2) + 1) * ((high[1] >> 2) - (low[1] >> 2) + 1)
    entries *= (high[2] >> 2) - (low[2] >> 2) + 1
    corners = f"{', '.join(map(str, low))} and {', '.join(map(str, high))}"
    return told(f"{entries} biome entry/entries set between {corners}", entries)


def _item_in_block(call: Call) -> str:
    place = call.block("pos")
    here = call.state.block_at(place)
    if not _CONTAINER.fullmatch(here.name):
        raise Failed("Target position {}, {}, {} is not a container".format(*place))
    if not call.value("slot").startswith("container."):
        raise Failed(f"The target does not have slot {call.value('slot')}")
    return "Replaced a slot at {}, {}, {} with {}".format(*place, call.shown("item"))


HANDLERS: dict[str, _Handler] = {
    "clone": _clone,
    "fill": _fill,
    "fillbiome": _fillbiome,
    "item replace block with": _item_in_block,
    "setblock": _setblock,
}
