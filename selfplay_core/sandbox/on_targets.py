"""Commands that act on entities: who is hit, and the server's words for one and for many."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass

from selfplay_core.sandbox.call import Call
from selfplay_core.sandbox.population import Being
from selfplay_core.sandbox.problem import Failed
from selfplay_core.sandbox.registries import display_name, highest_level, stack_size

__all__ = ["HANDLERS"]

_Handler = Callable[[Call], str]

_ROMAN = ("", "I", "II", "III", "IV", "V")
# What every player carries, so that `clear` finds something and not everything.
_INVENTORY = {"bread": 3, "torch": 16, "wooden_sword": 1}


class _Words(Mapping[str, str]):
    """The words of a reply, looked up in the call when the template asks for them."""

    def __init__(self, call: Call, beings: tuple[Being, ...]) -> None:
        self._call = call
        self._own = {"who": beings[0].name, "n": str(len(beings))}

    def __getitem__(self, key: str) -> str:
        return self._own[key] if key in self._own else self._call.shown(key)

    def __iter__(self) -> Iterator[str]:
        return iter(self._own)

    def __len__(self) -> int:
        return len(self._own)


@dataclass(frozen=True, slots=True)
class _Template:
    """The replies for one target and for several; `target` names the argument that says whom."""

    one: str
    many: str = ""
    target: str = "targets"

    def __call__(self, call: Call) -> str:
        beings = call.targets(self.target)
        text = self.one if len(beings) == 1 or not self.many else self.many
        return text.format_map(_Words(call, beings))


def _give(call: Call) -> str:
    beings = call.targets("targets")
    count = call.number("count", 1)
    item = call.argument("item").node.identifier.path
    most = stack_size(item) * 100
    if count > most:
        raise Failed(f"Can't give more than {most} of {call.shown('item')}")
    who = beings[0].name if len(beings) == 1 else f"{len(beings)} players"
    return f"Gave {count} {call.shown('item')} to {who}"


def _clear(call: Call) -> str:
    beings = call.targets("targets") if call.command.get("targets") else (call.executor(player=True),)
    wanted = call.text("item", "*").removeprefix("minecraft:").partition("[")[0]
    held = sum(_INVENTORY.values()) if wanted == "*" else _INVENTORY.get(wanted, 0)
    limit = call.number("maxCount", -1)
    who = f"player {beings[0].name}" if len(beings) == 1 else f"{len(beings)} players"
    if not held:
        raise Failed(f"No items were found on {who}")
    if limit == 0:
        return f"Found {held * len(beings)} matching item(s) on {who}"
    taken = held if limit < 0 else min(held, limit)
    return f"Removed {taken * len(beings)} item(s) from {who}"


def _effect_clear(call: Call) -> str:
    beings = call.targets("targets")
    what = f"effect {call.shown('effect')}" if call.command.get("effect") else "every effect"
    return f"Removed {what} from {beings[0].name if len(beings) == 1 else f'{len(beings)} targets'}"


def _enchant(call: Call) -> str:
    beings = call.targets("targets")
    enchantment = call.text("enchantment").rpartition(":")[2]
    level = call.number("level", 1)
    most = highest_level(enchantment)
    if level > most:
        raise Failed(f"{level} is higher than the maximum level of {most} supported by that enchantment")
    name = display_name(enchantment) + (f" {_ROMAN[level]}" if most > 1 else "")
    if len(beings) > 1:
        return f"Applied enchantment {name} to {len(beings)} entities"
    return f"Applied enchantment {name} to {beings[0].name}'s item"


def _gamemode(call: Call) -> str:
    beings = call.targets("target") if call.command.get("target") else (call.executor(player=True),)
    mode = f"{call.text('gamemode').title()} Mode"
    return "\n".join(f"Set {being.name}'s game mode to {mode}" for being in beings)


def _kill(call: Call) -> str:
    beings = call.targets("targets")
    return f"Killed {beings[0].name}" if len(beings) == 1 else f"Killed {len(beings)} entities"


def _experience(call: Call) -> str:
    unit = "levels" if call.command.literals.endswith("levels") else "points"
    verb = call.command.literals.split()[1]
    beings = call.targets("target" if call.command.get("target") else "targets")
    who = beings[0].name if len(beings) == 1 else f"{len(beings)} players"
    if verb == "query":
        return f"{who} has {5 if unit == 'levels' else 0} experience {unit}"
    if verb == "set":
        return f"Set {call.text('amount')} experience {unit} on {who}"
    return f"Gave {call.text('amount')} experience {unit} to {who}"


def _teleport(call: Call) -> str:
    beings = call.targets("targets")
    who = beings[0].name if len(beings) == 1 else f"{len(beings)} entities"
    if call.command.get("destination"):
        return f"Teleported {who} to {call.targets('destination')[0].name}"
    x, y, z = call.position("location")
    if max(abs(x), abs(z)) >= 30_000_000 or abs(y) >= 20_000_000:
        raise Failed("Invalid position for teleport")
    return f"Teleported {who} to {x:.6f}, {y:.6f}, {z:.6f}"


def _ride(call: Call) -> str:
    rider = call.targets("target")[0]
    if call.command.literals == "ride dismount":
        raise Failed(f"{rider.name} is not riding any vehicle")
    vehicle = call.targets("vehicle")[0]
    if vehicle.is_player:
        raise Failed("Players can't be ridden")
    if rider == vehicle:
        raise Failed("Can't mount entity on itself or any of its passengers")
    return f"{rider.name} started riding {vehicle.name}"


def _item_replace(call: Call) -> str:
    beings = call.targets("targets")
    item = call.shown("item")
    who = beings[0].name if len(beings) == 1 else f"{len(beings)} entities"
    return f"Replaced a slot on {who} with {item}"


def _silent(target: str) -> _Handler:
    def reply(call: Call) -> str:
        call.targets(target)
        return ""

    return reply


def _tag_list(call: Call) -> str:
    beings = call.targets("targets")
    if len(beings) > 1:
        return f"There are no tags on the {len(beings)} entities"
    return f"{beings[0].name} has no tags"


def _data_entity(call: Call) -> str:
    being = call.targets("target")[0]
    path = call.text("path")
    x, y, z = being.position
    values = {
        "Pos": f"[{x}d, {y}d, {z}d]",
        "Health": "20.0f",
        "OnGround": "1b",
        "Motion": "[0.0d, -0.0784d, 0.0d]",
        "Rotation": "[0.0f, 0.0f]",
        "Air": "300s",
    }
    if not path:
        whole = ", ".join(f"{key}: {value}" for key, value in values.items())
        return f"{being.name} has the following entity data: {{{whole}}}"
    if path in ("Pos[0]", "Pos[1]", "Pos[2]"):
        value = f"{being.position[int(path[4])]}d"
    elif path in values:
        value = values[path]
    else:
        raise Failed(f"Found no elements matching {path}")
    if call.command.get("scale"):
        return f"{path} on {being.name} after scale factor of {float(call.text('scale')):.2f} is {value}"
    return f"{being.name} has the following entity data: {value}"


def _data_change(call: Call) -> str:
    being = call.targets("target")[0]
    if being.is_player:
        raise Failed("Unable to modify player data")
    return f"Modified entity data of {being.name}"


_TITLES = {
    f"title {kind}": _Template(f"Showing new {shown} for {{who}}", f"Showing new {shown} for {{n}} players")
    for kind, shown in (("title", "title"), ("subtitle", "subtitle"), ("actionbar", "actionbar title"))
}

# Keys are the literals of a command; where a longer key begins a command's literals, the longest counts.
HANDLERS: dict[str, _Handler] = {
    **_TITLES,
    "title clear": _Template("Cleared titles for {who}", "Cleared titles for {n} players"),
    "title reset": _Template("Reset title options for {who}", "Reset title options for {n} players"),
    "title times": _Template("Changed title display times for {who}", "Changed title display times for {n} players"),
    "advancement grant everything": _Template(
        "Granted 125 advancements to {who}", "Granted 125 advancements to {n} players"
    ),
    "advancement revoke everything": _Template(
        "Revoked 125 advancements from {who}", "Revoked 125 advancements from {n} players"
    ),
    "advancement grant": _Template(
        "Granted the advancement {advancement} to {who}",
        "Granted the advancement {advancement} to {n} players",
    ),
    "advancement revoke": _Template(
        "Revoked the advancement {advancement} from {who}",
        "Revoked the advancement {advancement} from {n} players",
    ),
    "attribute get": _Template("The value of attribute {attribute} for entity {who} is 20.0", target="target"),
    "attribute base get": _Template(
        "The base value of attribute {attribute} for entity {who} is 20.0", target="target"
    ),
    "attribute base set": _Template(
        "The base value for attribute {attribute} for entity {who} set to {value}", target="target"
    ),
    "attribute base reset": _Template(
        "The base value for attribute {attribute} for entity {who} reset to default 20.0", target="target"
    ),
    "attribute modifier add": _Template(
        "Added modifier {id} to attribute {attribute} for entity {who}", target="target"
    ),
    "attribute modifier remove": _Template(
        "Removed modifier {id} from attribute {attribute} for entity {who}", target="target"
    ),
    "clear": _clear,
    "damage": _Template("Applied {amount} damage to {who}", target="target"),
    "data get entity": _data_entity,
    "data merge entity": _data_change,
    "data modify entity": _data_change,
    "data remove entity": _data_change,
    "effect give": _Template("Applied effect {effect} to {who}", "Applied effect {effect} to {n} targets"),
    "effect clear": _effect_clear,
    "enchant": _enchant,
    "experience": _experience,
    "xp": _experience,
    "gamemode": _gamemode,
    "give": _give,
    "item replace entity with": _item_replace,
    "kill": _kill,
    "msg": _silent("targets"),
    "tell": _silent("targets"),
    "w": _silent("targets"),
    "tellraw": _silent("targets"),
    "playsound": _Template("Played sound {sound} to {who}", "Played sound {sound} to {n} players"),
    "recipe give": _Template("Unlocked 1 recipe(s) for {who}", "Unlocked 1 recipe(s) for {n} players"),
    "recipe take": _Template("Took 1 recipe(s) from {who}", "Took 1 recipe(s) from {n} players"),
    "ride": _ride,
    "rotate": _Template("Rotated {who}", target="target"),
    "tag add": _Template("Added tag '{name}' to {who}", "Added tag '{name}' to {n} entities"),
    "tag remove": _Template("Removed tag '{name}' from {who}", "Removed tag '{name}' from {n} entities"),
    "tag list": _tag_list,
    "teleport": _teleport,
    "tp": _teleport,
    "team join": _Template("Added {who} to team [{team}]", "Added {n} members to team [{team}]", "members"),
    "team leave": _Template("Removed {who} from any team", "Removed {n} members from any team", "members"),
}
