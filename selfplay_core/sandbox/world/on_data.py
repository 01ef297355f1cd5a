"""`data`: NBT of entities, blocks and storages, in the server's words."""

from __future__ import annotations

import copy
import math
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any, Final

from selfplay_core.sandbox.parser.nbt_path import NbtPath, found, removed, stored
from selfplay_core.sandbox.parser.problem import Failed, shown_number
from selfplay_core.sandbox.parser.tags import Array, Byte, Double, Float, Int, Long, Short, Tag, whole, written
from selfplay_core.sandbox.world.call import Call, told
from selfplay_core.sandbox.world.entity_data import changed, data_of
from selfplay_core.sandbox.world.state import room_for

__all__ = ["HANDLERS", "holder_of", "numbered", "store_number"]

_Handler = Callable[[Call], str]

_SIZE_LIMIT: Final = 20_000
_WHOLE: Final[dict[str, type[int]]] = {"byte": Byte, "short": Short, "int": Int, "long": Long}
_DECIMALS: Final[dict[str, type[float]]] = {"float": Float, "double": Double}
_MERGE_FAILED: Final = "Nothing changed. The specified properties already have these values"


@dataclass(frozen=True, slots=True)
class _Holder:
    """Something that has NBT: how to read and write it, and the beginnings of what replies say of it."""

    read: Callable[[], dict[str, Tag]]
    write: Callable[[dict[str, Tag]], None]
    query: str
    modified: str
    scaled: str

    def change(self, data: dict[str, Tag]) -> None:
        """Write new data; raises `Failed` for more than the sandbox holds."""
        if len(written(data)) > _SIZE_LIMIT:
            raise Failed("Resulting NBT too large")
        self.write(data)


def holder_of(call: Call, kind: str, prefix: str) -> _Holder:
    """Return what an argument such as `target` or `sourcePos` names; raises `Failed` if it is not there."""
    match kind:
        case "entity":
            holder = _entity(call, prefix)
        case "block":
            holder = _block(call, f"{prefix}Pos")
        case _:
            holder = _storage(call, prefix)

    def read() -> dict[str, Tag]:
        call.state.spend("characters of NBT", 1)
        data = holder.read()
        call.state.spend("characters of NBT", len(written(data)))
        return data

    return replace(holder, read=read)


def _entity(call: Call, name: str) -> _Holder:
    being = call.targets(name)[0]
    return _Holder(
        lambda: data_of(being),
        lambda data: _write_entity(being, data),
        f"{being.name} has the following entity data: ",
        f"Modified entity data of {being.name}",
        f"on {being.name}",
    )


def _write_entity(being: Any, data: dict[str, Tag]) -> None:
    changed(being, data)


def _block(call: Call, name: str) -> _Holder:
    place = call.block(name)
    block = call.state.block_at(place)
    if block.data is None:
        raise Failed("The target block is not a block entity")
    shown = ", ".join(map(str, place))
    own = {"id": f"minecraft:{block.name}", "x": Int(place[0]), "y": Int(place[1]), "z": Int(place[2])}
    return _Holder(
        lambda: {**copy.deepcopy(dict(block.data or {})), **own},
        lambda data: call.state.put(place, replace(block, data=data)),
        f"{shown} has the following block data: ",
        f"Modified block data of {shown}",
        f"on block {shown}",
    )


def _storage(call: Call, name: str) -> _Holder:
    key = call.value(name)

    def write(data: dict[str, Tag]) -> None:
        if key not in call.state.storages:
            room_for("names", call.state.storages)
        call.state.storages[key] = data

    return _Holder(
        lambda: copy.deepcopy(call.state.storages.get(key, {})),
        write,
        f"Storage {key} has the following contents: ",
        f"Modified storage {key}",
        f"in storage {key}",
    )


def _get(call: Call) -> str:
    holder = holder_of(call, call.words[2], "target")
    data = holder.read()
    if not call.has("path"):
        return told(holder.query + written(data), 1)
    tag = _single(call.value("path"), data, call.text("path"))
    if call.has("scale"):
        if not isinstance(tag, (int, float)):
            raise Failed(f"Can't get {call.text('path')}; only numeric tags are allowed")
        value = _floor(tag * call.value("scale"))
        scale = call.value("scale")
        factor = f"after scale factor of {f'{scale:.2f}' if math.isfinite(scale) else shown_number(scale)}"
        return told(f"{call.text('path')} {holder.scaled} {factor} is {value}", value)
    return told(holder.query + written(tag), _size(tag))


def _single(path: NbtPath, data: Tag, text: str) -> Tag:
    tags = _all(path, data, text)
    if len(tags) > 1:
        raise Failed("This argument accepts a single NBT value")
    return tags[0]


def _all(path: NbtPath, data: Tag, text: str) -> list[Tag]:
    tags = found(path, data)
    if not tags:
        raise Failed(f"Found no elements matching {text}")
    return tags


def _size(tag: Tag) -> int:
    """Return the number that `data get` yields for a tag: its value, or how long it is."""
    return _floor(tag) if isinstance(tag, (int, float)) else len(tag)


def _floor(value: float) -> int:
    return whole(math.floor(value) if math.isfinite(value) else value)


def _merge(call: Call) -> str:
    holder = holder_of(call, call.words[2], "target")
    before = holder.read()
    after = _merged(before, call.value("nbt"))
    if after == before:
        raise Failed(_MERGE_FAILED)
    holder.change(after)
    return holder.modified


def _merged(into: Tag, given: Tag) -> Tag:
    if not isinstance(into, dict) or not isinstance(given, dict):
        return given
    return {**into, **{key: _merged(into.get(key), value) for key, value in given.items()}}


def _remove(call: Call) -> str:
    holder = holder_of(call, call.words[2], "target")
    data = holder.read()
    count = removed(call.value("path"), data)
    if not count:
        raise Failed(_MERGE_FAILED)
    holder.change(data)
    return told(holder.modified, count)


def _modify(call: Call) -> str:
    words = call.words
    holder = holder_of(call, words[2], "target")
    values = _sources(call, words[4:])
    data = holder.read()
    path = call.value("targetPath")
    count = _MODIFIERS[words[3]](path, data, values, call)
    if not count:
        raise Failed(_MERGE_FAILED)
    holder.change(data)
    return told(holder.modified, count)


def _sources(call: Call, words: tuple[str, ...]) -> list[Tag]:
    """Return what is to be put there: a value, what a path leads to, or its text."""
    if words[0] == "value":
        return [call.value("value")]
    holder = holder_of(call, words[1], "source")
    data = holder.read()
    tags = _all(call.value("sourcePath"), data, call.text("sourcePath")) if call.has("sourcePath") else [data]
    if words[0] != "string":
        return tags
    start, end = call.value("start", 0), call.value("end")
    return [_text_of(tag)[start : None if end is None else end] for tag in tags]


def _text_of(tag: Tag) -> str:
    if isinstance(tag, (dict, list)):
        raise Failed(f"Expected value; got: {written(tag)[:200]}")
    return tag if isinstance(tag, str) else written(tag)


def _set(path: NbtPath, data: Tag, values: list[Tag], _: Call) -> int:
    return stored(path, data, copy.deepcopy(values[-1]))


def _merge_at(path: NbtPath, data: Tag, values: list[Tag], _: Call) -> int:
    targets = found(path, data) or ([{}] if stored(path, data, {}) else [])
    count = 0
    for target in found(path, data) or targets:
        if not isinstance(target, dict):
            raise Failed(f"Expected object; got: {written(target)[:200]}")
        for value in values:
            if not isinstance(value, dict):
                raise Failed(f"Expected object; got: {written(value)[:200]}")
            after = _merged(target, copy.deepcopy(value))
            count += after != target
            target.update(after)
    return count


def _insert(where: Callable[[Call, int], int]) -> Callable[[NbtPath, Tag, list[Tag], Call], int]:
    def insert(path: NbtPath, data: Tag, values: list[Tag], call: Call) -> int:
        if not found(path, data):
            stored(path, data, [])
        targets = found(path, data)
        if not targets:
            raise Failed(f"Found no elements matching {call.text('targetPath')}")
        for target in targets:
            if not isinstance(target, list):
                raise Failed(f"Expected list; got: {written(target)[:200]}")
            index = where(call, len(target))
            if not 0 <= index <= len(target):
                raise Failed(f"Invalid list index: {call.value('index')}")
            if isinstance(target, Array) and not all(isinstance(value, int) for value in values):
                raise Failed(f"Expected list; got: {written(target)[:200]}")
            target[index:index] = copy.deepcopy(values)
        return len(targets) * len(values)

    return insert


def _index(call: Call, length: int) -> int:
    index = int(call.value("index"))
    return index if index >= 0 else length + index + 1


_MODIFIERS: Final[dict[str, Callable[[NbtPath, Tag, list[Tag], Call], int]]] = {
    "append": _insert(lambda call, length: length),
    "insert": _insert(_index),
    "merge": _merge_at,
    "prepend": _insert(lambda call, length: 0),
    "set": _set,
}


def numbered(kind: str, value: float) -> Tag:
    """Return a number of one of the six sizes."""
    if kind in _DECIMALS:
        return _DECIMALS[kind](value)
    bits = {"byte": 8, "short": 16, "int": 32, "long": 64}[kind]
    kept = whole(value, max(bits, 32))
    return _WHOLE[kind]((kept + 2 ** (bits - 1)) % 2**bits - 2 ** (bits - 1))


def store_number(call: Call, kind: str, value: Tag) -> None:
    """Put a number where a `store` clause says; what cannot be changed stays, without a word."""
    holder = holder_of(call, kind, "target")
    data = holder.read()
    if stored(call.value("path"), data, value):
        holder.change(data)


HANDLERS: dict[str, _Handler] = {
    **{f"data get {kind}": _get for kind in ("block", "entity", "storage")},
    **{f"data merge {kind}": _merge for kind in ("block", "entity", "storage")},
    **{f"data modify {kind}": _modify for kind in ("block", "entity", "storage")},
    **{f"data remove {kind}": _remove for kind in ("block", "entity", "storage")},
}
