"""The ids that the game knows and what is known of them: one text file a registry or table under `ids/`.

They are made by `make_ids.py` from published facts, named with their version at the head of each file, and read when
they are first asked for.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from functools import cache
from importlib.resources import files

from selfplay_core.sandbox.facts.names import display_name

__all__ = [
    "COLOUR",
    "GAMEMODE",
    "block_states",
    "built_in",
    "display_name",
    "highest_level",
    "known",
    "known_tag",
    "max_damage",
    "registry",
    "stack_size",
    "use_lists",
]

GAMEMODE = re.compile("survival|creative|adventure|spectator")
COLOUR = re.compile(
    "black|dark_blue|dark_green|dark_aqua|dark_red|dark_purple|gold|gray|dark_gray|blue|green|aqua|red|"
    "light_purple|yellow|white"
)

_WHOLE_STACK = 64

States = Mapping[str, tuple[str, ...]]


class _Own:
    """What a server of one's own has instead of what stands in the files: ids and block states."""

    def __init__(self) -> None:
        self.lists: Mapping[str, frozenset[str]] = {}
        self.states: Mapping[str, States] | None = None


_own = _Own()


def use_lists(lists: Mapping[str, frozenset[str]], states: Mapping[str, States] | None) -> None:
    """Take these ids and block states from here on in this process; registries that are not among them stay.

    Ids and blocks stand without the game's own namespace, and with any other.
    """
    _own.lists = lists
    _own.states = states


def registry(name: str) -> frozenset[str]:
    """Return the ids of a registry without their namespace, or an empty set if there is no list of it.

    Tags are registries of their own: `tag/block`, `tag/worldgen/biome`.
    """
    own = _own.lists.get(name)
    return built_in(name) if own is None else own


@cache
def built_in(name: str) -> frozenset[str]:
    """Return what the files list of a registry, whatever a server of one's own has."""
    return frozenset(word for line in _lines(name) for word in line.split())


def known(registry_name: str, identifier: str) -> bool:
    """Tell whether an id exists; where no list is kept, every id is taken to exist."""
    ids = registry(registry_name)
    return not ids or identifier.removeprefix("minecraft:").removeprefix(":") in ids


def known_tag(registry_name: str, identifier: str) -> bool:
    """Tell whether a tag of a registry exists; its `#` stays outside. Where no list is kept, every tag is."""
    return known(f"tag/{registry_name}", identifier)


def block_states(block: str) -> States | None:
    """Return the properties of a block with their values, none for a block without; None for an unknown block."""
    path = block.removeprefix("minecraft:")
    if _own.states is not None:
        return _own.states.get(path)
    found = _states().get(path)
    return {} if found is None and path in built_in("block") else found


def stack_size(item: str) -> int:
    """Return how many of an item one slot holds."""
    return _figure("item_stack_size", item, _WHOLE_STACK)


def max_damage(item: str) -> int:
    """Return how much damage an item takes before it breaks, 0 for what never does."""
    return _figure("item_max_damage", item, 0)


def highest_level(enchantment: str) -> int:
    """Return the highest level that `enchant` gives."""
    return _figure("enchantment_level", enchantment, 1)


def _figure(table: str, identifier: str, default: int) -> int:
    return int(_table(table).get(identifier.removeprefix("minecraft:"), default))


@cache
def _states() -> dict[str, States]:
    parsed: dict[str, States] = {}
    for block, properties in _table("block_states").items():
        pairs = (one.partition("=") for one in properties.split(";"))
        # Blocks of one shape share one mapping.
        parsed[block] = parsed.get(properties) or {name: tuple(values.split(",")) for name, _, values in pairs}
        parsed[properties] = parsed[block]
    return parsed


@cache
def _table(name: str) -> dict[str, str]:
    """Return what holds for each id of a table: a line is `what: id id`, and goes on on lines that are set in."""
    found = {}
    what = ""
    for line in _lines(name):
        if not line.startswith(" "):
            what, _, line = line.partition(":")
        found.update(dict.fromkeys(line.split(), what))
    return found


def _lines(name: str) -> list[str]:
    """Return the lines of a file below its head, none where there is no such file."""
    resource = files(__package__).joinpath("ids", name.replace("/", "_") + ".txt")
    if not resource.is_file():
        return []
    return [line for line in resource.read_text(encoding="utf-8").splitlines() if not line.startswith("#")]
