"""Commands that act on players: what they carry, know and see, in the server's words."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Final

from selfplay_core.sandbox.facts.names import display_name
from selfplay_core.sandbox.facts.registries import known, registry, stack_size
from selfplay_core.sandbox.parser.items import ItemTest
from selfplay_core.sandbox.parser.problem import Failed
from selfplay_core.sandbox.world.call import Call, named, told
from selfplay_core.sandbox.world.state import Being, apart

__all__ = ["HANDLERS"]

_Handler = Callable[[Call], str]

_MOST_KINDS: Final = 36
_HEARD: Final = 16.0
_ADVANCEMENTS: Final = 125
_HAVE: Final = {True: "already have", False: "don't have"}
# Experience that a level takes, as the game reckons it.
_FIRST, _SECOND = 15, 30


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
    """The replies for one target and for several."""

    one: str
    many: str = ""

    def __call__(self, call: Call) -> str:
        beings = call.targets("targets")
        text = self.one if len(beings) == 1 or not self.many else self.many
        return told(text.format_map(_Words(call, beings)), len(beings))


def _give(call: Call) -> str:
    beings = call.targets("targets")
    count = call.value("count", 1)
    item = call.value("item")
    size = int(item.components.get("minecraft:max_stack_size", stack_size(item.path)))
    if count > size * 100:
        raise Failed(f"Can't give more than {size * 100} of {call.shown('item')}")
    for being in beings:
        if item.path in being.items or len(being.items) < _MOST_KINDS:
            being.items[item.path] = being.items.get(item.path, 0) + count
    return told(f"Gave {count} {call.shown('item')} to {named(beings, 'players')}", len(beings))


def _clear(call: Call) -> str:
    """Take items away; components that a test asks for are on none of what is carried here."""
    beings = call.players("targets")
    test: ItemTest = call.value("item", ItemTest("*", narrowed=False))
    most = call.value("maxCount", -1)
    who = f"player {beings[0].name}" if len(beings) == 1 else f"{len(beings)} players"
    total = 0
    for being in beings:
        for name in [name for name in being.items if _is_meant(test, name)]:
            held = being.items[name]
            taken = held if most < 0 else min(held, most - total if most else held)
            total += taken
            if most != 0:
                being.items[name] -= taken
        being.items = {name: count for name, count in being.items.items() if count > 0}
        being.held = being.held if being.held in being.items else None
    if not total:
        raise Failed(f"No items were found on {who}")
    if most == 0:
        return told(f"Found {total} matching item(s) on {who}", total)
    return told(f"Removed {total} item(s) from {who}", total)


def _is_meant(test: ItemTest, name: str) -> bool:
    if test.narrowed:
        return False
    return test.name in ("*", f"minecraft:{name}") or (test.name == "#minecraft:swords" and name.endswith("_sword"))


def _gamemode(call: Call) -> str:
    beings = call.players("target")
    mode = call.value("gamemode")
    changed = [being for being in beings if being.mode != mode]
    for being in changed:
        being.mode = mode
    shown = f"{mode.title()} Mode"
    lines = [
        f"Set own game mode to {shown}" if being is call.source.being else f"Set {being.name}'s game mode to {shown}"
        for being in changed
    ]
    return told("\n".join(lines), len(changed))


def _needed(level: int) -> int:
    if level >= _SECOND:
        return 112 + (level - _SECOND) * 9
    return 37 + (level - _FIRST) * 5 if level >= _FIRST else 7 + level * 2


def _experience(call: Call) -> str:
    verb = call.words[1]
    if verb == "query":
        being = call.targets("target")[0]
        unit = call.words[2]
        amount = being.levels if unit == "levels" else being.points
        return told(f"{being.name} has {amount} experience {unit}", amount)
    unit = call.words[2] if len(call.words) > 2 else "points"
    beings = call.targets("target" if call.has("target") else "targets")
    amount = call.value("amount")
    if verb == "set":
        if unit == "points" and all(amount >= _needed(being.levels) for being in beings):
            raise Failed("Cannot set experience points above the maximum points for the player's current level")
        for being in beings:
            being.levels, being.points = (amount, being.points) if unit == "levels" else (being.levels, amount)
        return told(f"Set {amount} experience {unit} on {named(beings, 'players')}", len(beings))
    for being in beings:
        _add_experience(being, amount, unit)
    return told(f"Gave {amount} experience {unit} to {named(beings, 'players')}", len(beings))


def _add_experience(being: Being, amount: int, unit: str) -> None:
    if unit == "levels":
        being.levels = max(0, min(being.levels + amount, 2**31 - 1))
        return
    being.points += amount
    # A level is gone through at a time; nobody climbs further than this here.
    for _ in range(1000):
        if being.points >= _needed(being.levels):
            being.points -= _needed(being.levels)
            being.levels += 1
        elif being.points < 0 and being.levels > 0:
            being.levels -= 1
            being.points += _needed(being.levels)
        else:
            break
    being.points = max(being.points, 0)


def _item_replace(call: Call) -> str:
    beings = call.targets("targets")
    item = call.value("item")
    slot = call.value("slot")
    count = call.value("count", 1)
    for being in beings:
        if not being.is_player and slot.startswith(("hotbar", "inventory", "enderchest", "player")):
            alone = len(beings) == 1
            none = f"No targets accepted item {call.shown('item')} into slot {slot}"
            raise Failed(f"The target does not have slot {slot}" if alone else none)
        if slot in ("weapon", "weapon.mainhand"):
            being.held = None if item.path == "air" else item.path
        if item.path != "air" and (item.path in being.items or len(being.items) < _MOST_KINDS):
            being.items[item.path] = being.items.get(item.path, 0) + count
    return told(f"Replaced a slot on {named(beings, 'entities')} with {call.shown('item')}", len(beings))


def _item_copied(call: Call) -> str:
    """Copy or change what is held; of slots the world knows the hand alone, every other one is empty."""
    source = call.targets("source" if call.has("source") else "targets")[0]
    slot = call.value("sourceSlot", call.value("slot"))
    held = source.held if slot in ("weapon", "weapon.mainhand") else None
    if held is None and call.words[1] == "modify":
        raise Failed(f"No targets accepted item into slot {slot}")
    beings = call.targets("targets")
    shown = f"[{display_name(held or 'air')}]"
    return told(f"Replaced a slot on {named(beings, 'entities')} with {shown}", len(beings))


def _advancement(call: Call) -> str:
    beings = call.targets("targets")
    granting = call.words[1] == "grant"
    done, towards = ("Granted", "to") if granting else ("Revoked", "from")
    who = named(beings, "players")
    if call.words[2] == "everything":
        changed = _learn(beings, {f"advancement {name}" for name in registry("advancement")}, new=granting)
        if not changed:
            raise Failed(
                f"Couldn't {call.words[1]} {_ADVANCEMENTS} advancements {towards} {who} as they {_HAVE[granting]} them"
            )
        return told(f"{done} {_ADVANCEMENTS} advancements {towards} {who}", changed)
    name = call.value("advancement")
    if not known("advancement", name):
        raise Failed(f"Unknown advancement: {name}")
    title = f"[{name.rpartition('/')[2].replace('_', ' ').title()}]"
    if call.has("criterion"):
        return f"{done} criterion '{call.value('criterion')}' of advancement {title} {towards} {who}"
    changed = _learn(beings, {f"advancement {name.removeprefix('minecraft:')}"}, new=granting)
    if not changed:
        raise Failed(f"Couldn't {call.words[1]} advancement {title} {towards} {who} as they {_HAVE[granting]} it")
    return told(f"{done} the advancement {title} {towards} {who}", changed)


def _learn(beings: tuple[Being, ...], what: set[str], *, new: bool) -> int:
    """Let beings know something, or forget it; return how many things that changed."""
    changed = 0
    for being in beings:
        before = len(being.known)
        being.known = being.known | what if new else being.known - what
        changed += abs(len(being.known) - before)
    return changed


def _recipe(call: Call) -> str:
    beings = call.targets("targets")
    name = call.value("recipe")
    if name is not None and not known("recipe", name):
        raise Failed(f"Unknown recipe: {name}")
    giving = call.words[1] == "give"
    names = registry("recipe") if name is None else {name.removeprefix("minecraft:")}
    if not _learn(beings, {f"recipe {one}" for one in names}, new=giving):
        raise Failed("No new recipes were learned" if giving else "No recipes could be forgotten")
    verb = f"Unlocked {len(names)} recipe(s) for" if giving else f"Took {len(names)} recipe(s) from"
    return told(f"{verb} {named(beings, 'players')}", len(names))


def _silent(call: Call) -> str:
    return told("", len(call.targets("targets")))


def _stop_sound(call: Call) -> str:
    call.targets("targets")
    source = call.words[1] if len(call.words) > 1 and call.words[1] != "*" else ""
    sound = call.value("sound")
    if sound:
        return f"Stopped sound '{sound}' on source '{source}'" if source else f"Stopped sound '{sound}'"
    return f"Stopped all '{source}' sounds" if source else "Stopped all sounds"


def _play_sound(call: Call) -> str:
    beings = call.players("targets")
    sound = call.value("sound")
    # It carries sixteen blocks, and as many times farther as it is louder; the least volume is heard everywhere.
    reach, here = _HEARD * max(1.0, call.value("volume", 1.0)), call.position("pos")
    heard = beings if call.value("minVolume", 0.0) else tuple(b for b in beings if apart(b.position, here) <= reach)
    if not heard:
        raise Failed("The sound is too far away to be heard")
    return told(f"Played sound {sound} to {named(heard, 'players')}", len(heard))


def _list(call: Call) -> str:
    players = call.state.players
    names = [
        f"{being.name} ({being.written_uuid})" if call.words[1:] == ("uuids",) else being.name for being in players
    ]
    return told(f"There are {len(names)} of a max of 20 players online: {', '.join(names)}", len(names))


HANDLERS: dict[str, _Handler] = {
    **{
        f"title {kind}": _Template(f"Showing new {shown} for {{who}}", f"Showing new {shown} for {{n}} players")
        for kind, shown in (("title", "title"), ("subtitle", "subtitle"), ("actionbar", "actionbar title"))
    },
    "title clear": _Template("Cleared titles for {who}", "Cleared titles for {n} players"),
    "title reset": _Template("Reset title options for {who}", "Reset title options for {n} players"),
    "title times": _Template("Changed title display times for {who}", "Changed title display times for {n} players"),
    "advancement": _advancement,
    "clear": _clear,
    "dialog clear": _Template("Cleared dialog for {who}", "Cleared dialog for {n} players"),
    "dialog show": _Template("Displayed dialog to {who}", "Displayed dialog to {n} players"),
    "experience": _experience,
    "gamemode": _gamemode,
    "give": _give,
    "item modify entity": _item_copied,
    "item replace entity from entity": _item_copied,
    "item replace entity with": _item_replace,
    "list": _list,
    "msg": _silent,
    "playsound": _play_sound,
    "recipe": _recipe,
    "stopsound": _stop_sound,
    "tell": _silent,
    "tellraw": _silent,
    "w": _silent,
    "xp": _experience,
}
