"""The reports of a server's data generator, read and checked: `commands.json`, `registries.json`, `blocks.json`.

They do not say of which version they are. The newest item and command that they know tells it: between 1.21.5 and
1.21.11 each version brought some, but for 1.21.7 and 1.21.9, whose ids are those of 1.21.8 and 1.21.10.
"""

from __future__ import annotations

import os
import re
import stat
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, Final, Literal, TypeVar

import msgspec

from selfplay_core.errors import SettingsError
from selfplay_core.sandbox.facts.registries import built_in
from selfplay_core.sandbox.facts.rules import Rules
from selfplay_core.text import clip, one_line

__all__ = ["read_reports"]

_COMMANDS: Final = "commands.json"
_REGISTRIES: Final = "registries.json"
_BLOCKS: Final = "blocks.json"
_SUBFOLDERS: Final = ("", "reports", "generated/reports")

# The game's own files have some 2, 2 and 20 MB; mods may bring several times as much.
_MOST_BYTES: Final = 128_000_000
_MOST_NODES: Final = 200_000
_DEEPEST: Final = 100
_SHOWN: Final = 80

_HOW: Final = (
    "Let the server's own data generator write them (java -DbundlerMainClass=net.minecraft.data.Main -jar server.jar "
    "--reports) and name its folder generated/reports."
)
_FROM, _TO = "1.21.5", "1.21.11"

# The newest first: version, an item that it brought, and the newest command that it has.
_VERSIONS: Final = (
    ("1.21.11", "diamond_spear", "stopwatch"),
    ("1.21.10", "copper_torch", "fetchprofile"),
    ("1.21.8", "music_disc_lava_chicken", "dialog"),
    ("1.21.6", "dried_ghast", "dialog"),
    ("1.21.5", "leaf_litter", "test"),
    ("1.21.4", "resin_brick", ""),
    ("1.21.3", "creaking_heart", ""),
    ("1.21.1", "mace", ""),
    ("1.20.6", "armadillo_scute", ""),
    ("1.20.4", "crafter", ""),
)
_TOLD_BY: Final = ("stopwatch", "fetchprofile", "dialog", "test")
_TOO_OLD: Final = frozenset({"1.21.4", "1.21.3", "1.21.1", "1.20.6", "1.20.4", ""})

_IN_EVERY_TREE: Final = ("execute", "give", "setblock", "summon")
_IN_EVERY_LIST: Final = ("block", "entity_type", "item", "mob_effect", "particle_type")
_WORD: Final = re.compile(r"[!-~]{1,256}")
_ID: Final = re.compile(r"[a-z0-9_.-]{1,128}:[a-z0-9_./-]{1,256}")

_Shape = TypeVar("_Shape")


class _Node(msgspec.Struct):
    type: Literal["root", "literal", "argument"]
    parser: str | msgspec.UnsetType = msgspec.UNSET
    properties: dict[str, Any] | msgspec.UnsetType = msgspec.UNSET
    executable: bool | msgspec.UnsetType = msgspec.UNSET
    redirect: tuple[str, ...] | msgspec.UnsetType = msgspec.UNSET
    children: dict[str, _Node] | msgspec.UnsetType = msgspec.UNSET

    def below(self) -> dict[str, _Node]:
        return {} if self.children is msgspec.UNSET else self.children


class _Registry(msgspec.Struct):
    entries: dict[str, Any]


class _Block(msgspec.Struct):
    properties: dict[str, tuple[str, ...]] = {}  # msgspec copies a default


def read_reports(folder: Path) -> Rules:
    """Return what the reports in a folder say; raises SettingsError for what is missing, damaged or does not fit."""
    place = _place(folder)
    tree = _decoded(place / _COMMANDS, _Node)
    lists = _decoded(place / _REGISTRIES, dict[str, _Registry])
    _check_tree(tree, place / _COMMANDS)
    registries = _ids(lists, place / _REGISTRIES)
    version = _version(registries["item"], place)
    _check_same_version(tree, version, place)
    states = _states(place / _BLOCKS, registries["block"]) if (place / _BLOCKS).exists() else None
    return Rules(version, msgspec.to_builtins(tree), registries, states)


def _place(folder: Path) -> Path:
    """Return where the reports stand: in the folder, or where the data generator put them below it."""
    if not folder.is_dir():
        raise SettingsError(f"no reports: {_shown(folder)} is no folder. {_HOW}")
    found = {
        place: [name for name in (_COMMANDS, _REGISTRIES) if (place / name).exists()]
        for place in (folder / below for below in _SUBFOLDERS)
    }
    best = max(found, key=lambda place: len(found[place]))
    missing = [name for name in (_COMMANDS, _REGISTRIES) if name not in found[best]]
    if len(missing) == 2:
        raise SettingsError(f"no reports: {_shown(folder)} holds neither {_COMMANDS} nor {_REGISTRIES}. {_HOW}")
    if missing:
        raise SettingsError(f"half of the reports is missing: {_shown(best)} holds no {missing[0]}. {_HOW}")
    return best


def _decoded(path: Path, shape: type[_Shape]) -> _Shape:
    try:
        return msgspec.json.decode(_content(path), type=shape)
    except OSError as error:
        raise SettingsError(
            f"{_shown(path)} cannot be read: {error.strerror}. Mend that, then import again."
        ) from error
    except RecursionError as error:
        raise _damaged(path, "it is nested too deeply") from error
    except msgspec.DecodeError as error:
        raise _damaged(path, one_line(str(error))) from error


def _content(path: Path) -> bytes:
    # A pipe in the file's place must not keep us waiting for somebody who writes into it.
    descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC | os.O_NONBLOCK)
    with open(descriptor, "rb") as file:
        found = os.fstat(descriptor)
        if not stat.S_ISREG(found.st_mode):
            raise _damaged(path, "it is no plain file")
        if found.st_size > _MOST_BYTES:
            raise _damaged(path, f"it has {found.st_size:,} bytes, and {_MOST_BYTES:,} are the most that are read")
        return file.read(_MOST_BYTES)


def _check_tree(tree: _Node, path: Path) -> None:
    """Raise SettingsError unless this is a whole tree of commands whose words and redirects can be used."""
    missing = [name for name in _IN_EVERY_TREE if name not in tree.below()]
    if tree.type != "root" or missing:
        raise _damaged(
            path, f"it is no tree of a server's commands; {missing[0] if missing else 'its root'} is missing"
        )
    for count, (depth, name, node) in enumerate(_walk(tree)):
        if count > _MOST_NODES or depth > _DEEPEST:
            raise _damaged(path, f"it has more than {_MOST_NODES:,} words, or commands of more than {_DEEPEST}")
        if not _WORD.fullmatch(name):
            raise _damaged(path, f"{_quoted(name)} cannot be a word of a command")
        if node.type == "argument" and node.parser is msgspec.UNSET:
            raise _damaged(path, f"the argument {_quoted(name)} has no parser")
        if not _usable(node.properties):
            raise _damaged(path, f"the argument {_quoted(name)} has bounds that are no numbers")
        if node.redirect is not msgspec.UNSET and not _leads_somewhere(tree, node.redirect):
            raise _damaged(path, f"{_quoted(name)} leads to {_quoted(' '.join(node.redirect))}, which is not there")


def _usable(properties: Any) -> bool:
    """Tell whether an argument's bounds are numbers, where it has any."""
    bounds = [] if properties is msgspec.UNSET else [properties[end] for end in ("min", "max") if end in properties]
    return all(isinstance(bound, (int, float)) for bound in bounds)


def _walk(tree: _Node) -> Iterator[tuple[int, str, _Node]]:
    pending = [(1, name, node) for name, node in tree.below().items()]
    while pending:
        depth, name, node = pending.pop()
        yield depth, name, node
        pending.extend((depth + 1, word, child) for word, child in node.below().items())


def _leads_somewhere(tree: _Node, path: tuple[str, ...]) -> bool:
    node: _Node | None = tree
    for word in path:
        node = None if node is None else node.below().get(word)
    return node is not None


def _ids(lists: Mapping[str, _Registry], path: Path) -> dict[str, frozenset[str]]:
    found = {_without_namespace(name): _checked(listed.entries, path) for name, listed in lists.items()}
    missing = [name for name in _IN_EVERY_LIST if not found.get(name)]
    if missing:
        raise _damaged(path, f"it lists no {missing[0]}")
    return found


def _checked(ids: Mapping[str, Any], path: Path) -> frozenset[str]:
    bad = next((one for one in ids if not _ID.fullmatch(one)), None)
    if bad is not None:
        raise _damaged(path, f"{_quoted(bad)} is no id")
    return frozenset(map(_without_namespace, ids))


def _version(items: frozenset[str], place: Path) -> str:
    version, newest = next(((version, item) for version, item, _ in _VERSIONS if item in items), ("", ""))
    if version in _TOO_OLD:
        told = f"Minecraft {version}" if version else "an old Minecraft"
        raise _unfit(place, f"{told}: its newest item is {newest}" if newest else told)
    newer = sorted(item for item in items - built_in("item") if ":" not in item)
    if version == _TO and newer:
        raise _unfit(place, f"a newer Minecraft: {newer[0]} is no item of {_TO}")
    return version


def _check_same_version(tree: _Node, version: str, place: Path) -> None:
    wanted = next(command for known, _, command in _VERSIONS if known == version)
    newest = next((command for command in _TOLD_BY if command in tree.below()), "")
    if newest != wanted:
        raise SettingsError(
            f"the reports are of two versions: {_shown(place)}: {_REGISTRIES} is of {version}, whose newest command is "
            f"{wanted}, and in {_COMMANDS} that is {newest or 'none that is known'}. {_HOW}"
        )


def _states(path: Path, blocks: frozenset[str]) -> dict[str, dict[str, tuple[str, ...]]]:
    found = {_without_namespace(name): block.properties for name, block in _decoded(path, dict[str, _Block]).items()}
    empty = next((name for name, states in found.items() if not all(states.values())), None)
    if empty is not None:
        raise _damaged(path, f"a property of the block {_quoted(empty)} has no values")
    strange = sorted(found.keys() ^ blocks)
    if strange:
        raise SettingsError(
            f"the reports are of two versions: {_shown(path)} and {_REGISTRIES} do not list the same blocks, as "
            f"{_quoted(strange[0])}. {_HOW}"
        )
    return found


def _without_namespace(name: str) -> str:
    return name.removeprefix("minecraft:")


def _unfit(place: Path, told: str) -> SettingsError:
    return SettingsError(
        f"the reports are of another version: {_shown(place)}: {told}. The sandbox reads components and chat texts as "
        f"{_FROM} to {_TO} do; give it reports of these, or let the server itself judge (--rcon-host)."
    )


def _damaged(path: Path, reason: str) -> SettingsError:
    return SettingsError(f"the report is damaged: {_shown(path)}: {reason}. {_HOW}")


def _shown(path: Path) -> str:
    return clip(one_line(str(path)), _SHOWN * 2)


def _quoted(text: str) -> str:
    return f"'{clip(one_line(text), _SHOWN)}'"
