"""Items in commands: what is given, and what items are tested against."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from selfplay_core.sandbox.facts.registries import known, known_tag, max_damage, stack_size
from selfplay_core.sandbox.parser import scan
from selfplay_core.sandbox.parser.problem import Rejected
from selfplay_core.sandbox.parser.schema import TRANSIENT, component_error, family_error, has_form
from selfplay_core.sandbox.parser.snbt import read_tag
from selfplay_core.sandbox.parser.tags import Tag

__all__ = ["Item", "ItemTest", "read_item", "read_item_test"]

_COUNT: Final = "minecraft:count"


@dataclass(frozen=True, slots=True)
class Item:
    """An item as it was asked for; `components` have names with a namespace, `removed` ones were taken away by `!`."""

    name: str
    components: Mapping[str, Tag]
    removed: frozenset[str]

    @property
    def path(self) -> str:
        """The name without the game's own namespace."""
        return self.name.removeprefix("minecraft:")


@dataclass(frozen=True, slots=True)
class ItemTest:
    """What an item is tested against: `*`, an id, or a tag with its `#`; `narrowed` tells that it asks for more."""

    name: str
    narrowed: bool


def read_item(text: str, at: int, _: Mapping[str, Any]) -> tuple[Item, int]:
    """Read an item with its components."""
    name, end = scan.read_id(text, at)
    if not known("item", name):
        raise Rejected(f"Unknown item '{name}'", at)
    components: dict[str, Tag] = {}
    removed: set[str] = set()
    if text[end : end + 1] == "[":
        end = _read_components(text, end + 1, components, removed)
    item = Item(name, components, frozenset(removed))
    wrong = _contradiction(item)
    if wrong:
        raise Rejected(f"Malformed item: '{wrong}'", end)
    return item, end


def _contradiction(item: Item) -> str | None:
    def figure(name: str, usual: int) -> int:
        key = f"minecraft:{name}"
        return 0 if key in item.removed else int(item.components.get(key, usual))

    stacks = figure("max_stack_size", stack_size(item.path)) > 1
    wears = figure("max_damage", max_damage(item.path)) > 0
    return "Item cannot be both damageable and stackable" if stacks and wears else None


def _read_components(text: str, at: int, components: dict[str, Tag], removed: set[str]) -> int:
    while at < len(text) and text[at] != "]":
        at = scan.skip_blanks(text, at)
        taken = text[at : at + 1] == "!"
        name, at = _component_name(text, at + taken)
        if name in components or name in removed:
            raise Rejected(f"Item component '{name}' was repeated, but only one value can be specified", at)
        if taken:
            removed.add(name)
        else:
            at = scan.skip_blanks(text, scan.expect(text, scan.skip_blanks(text, at), "="))
            components[name], at = _component_value(text, at, name)
        at = scan.skip_blanks(text, at)
        if text[at : at + 1] != ",":
            break
        at = scan.skip_blanks(text, at + 1)
        if at >= len(text):
            raise Rejected("Expected item component", at)
    return scan.expect(text, at, "]")


def _component_name(text: str, at: int) -> tuple[str, int]:
    if at >= len(text):
        raise Rejected("Expected item component", at)
    name, end = scan.read_id(text, at)
    if not _is_component(name):
        raise Rejected(f"Unknown item component '{name}'", at)
    return name, end


def _is_component(name: str) -> bool:
    return known("data_component_type", name) and name.removeprefix("minecraft:") not in TRANSIENT


def _component_value(text: str, at: int, name: str) -> tuple[Tag, int]:
    value, end = read_tag(text, at)
    wrong = component_error(name, value)
    if wrong:
        raise Rejected(f"Malformed '{name}' component: '{wrong}'", at)
    return value, end


def read_item_test(text: str, at: int, _: Mapping[str, Any]) -> tuple[ItemTest, int]:
    """Read what items are tested against; errors of names stand behind them here, unlike those of `read_item`."""
    at = scan.skip_blanks(text, at)
    if text[at : at + 1] == "*":
        name, end = "*", at + 1
    elif text[at : at + 1] == "#":
        tag, end = scan.read_id(text, at + 1)
        name = f"#{tag}"
        if not known_tag("item", tag):
            raise Rejected(f"Unknown item tag '{tag}'", end)
    else:
        name, end = scan.read_id(text, at)
        if end == at:
            raise Rejected("Invalid ID", at)
        if not known("item", name):
            raise Rejected(f"Unknown item '{name}'", end)
    opening = scan.skip_blanks(text, end)
    if text[opening : opening + 1] != "[":
        return ItemTest(name, narrowed=False), end
    return ItemTest(name, narrowed=True), _read_tests(text, opening + 1)


def _read_tests(text: str, at: int) -> int:
    """Read tests between brackets: `,` is and, `|` is or, `!` is not."""
    at = scan.skip_blanks(text, at)
    if text[at : at + 1] == "]":
        return at + 1
    while True:
        at = _read_test(text, at)
        at = scan.skip_blanks(text, at)
        sign = text[at : at + 1]
        if sign == "]":
            return at + 1
        if sign not in (",", "|") or not sign:
            raise Rejected("Expected literal ,", at)
        at = scan.skip_blanks(text, at + 1)


def _read_test(text: str, at: int) -> int:
    at = scan.skip_blanks(text, at)
    if text[at : at + 1] == "!":
        at = scan.skip_blanks(text, at + 1)
    name, end = scan.read_id(text, at)
    if end == at:
        raise Rejected("Invalid ID", at)
    after = scan.skip_blanks(text, end)
    match text[after : after + 1]:
        case "=":
            return _read_exact(text, name, end, scan.skip_blanks(text, after + 1))
        case "~":
            return _read_predicate(text, name, end, scan.skip_blanks(text, after + 1))
        case _:
            if not _is_component(name) and name != _COUNT:
                raise Rejected(f"Unknown item component '{name}'", end)
            return end


def _read_exact(text: str, name: str, end: int, value_at: int) -> int:
    if name != _COUNT and not _is_component(name):
        raise Rejected(f"Unknown item component '{name}'", end)
    value, value_end = read_tag(text, value_at)
    wrong = component_error(name, value) if name != _COUNT else _count_error(value)
    if wrong:
        raise Rejected(f"Malformed '{name}' component: '{wrong}'", value_end)
    return value_end


def _read_predicate(text: str, name: str, end: int, value_at: int) -> int:
    path = name.removeprefix("minecraft:")
    if name != _COUNT and not has_form("data_component_predicate", path) and not _is_component(name):
        raise Rejected(f"Unknown item predicate '{name}'", end)
    value, value_end = read_tag(text, value_at)
    if name == _COUNT:
        wrong = _count_error(value)
    elif has_form("data_component_predicate", path):
        wrong = family_error("data_component_predicate", path, value)
    else:
        # Since 1.21.11 any component can be asked for as a predicate, by an empty compound.
        wrong = None if isinstance(value, dict) else "Not a map"
    if wrong:
        raise Rejected(f"Malformed '{name}' predicate: '{wrong}'", value_end)
    return value_end


def _count_error(value: Tag) -> str | None:
    if isinstance(value, dict):
        return next((wrong for one in value.values() if (wrong := _count_error(one))), None)
    return None if isinstance(value, (int, float)) else "Not a number"
