"""Item arguments: the id, then components in square brackets; old NBT in braces is not read any more."""

from __future__ import annotations

from selfplay_core.sandbox import scan
from selfplay_core.sandbox.problem import Rejected
from selfplay_core.sandbox.registries import known

__all__ = ["read_item", "read_item_predicate"]


def read_item(text: str, at: int) -> int:
    """Read an item as `give` takes it; return where it ends."""
    if text[at : at + 1] == "#":
        raise Rejected("Tags aren't allowed here; only actual items are", at)
    identifier, end = scan.read_id(text, at)
    if not known("item", identifier):
        raise Rejected(f"Unknown item '{identifier}'", at)
    return _read_components(text, end, "=") if text[end : end + 1] == "[" else end


def read_item_predicate(text: str, at: int) -> int:
    """Read what items are tested against; return where it ends."""
    if text[at : at + 1] == "*":
        end = at + 1
    elif text[at : at + 1] == "#":
        end = scan.read_id(text, at + 1)[1]
    else:
        identifier, end = scan.read_id(text, at)
        if not known("item", identifier):
            raise Rejected(f"Unknown item '{identifier}'", at)
    return scan.read_balanced(text, end) if text[end : end + 1] == "[" else end


def _read_components(text: str, at: int, sign: str) -> int:
    at = scan.skip_blanks(text, at + 1)
    seen: set[str] = set()
    while text[at : at + 1] != "]":
        removed = text[at : at + 1] == "!"
        key_at = at + 1 if removed else at
        if key_at >= len(text):
            raise Rejected("Expected item component", key_at)
        key, at = scan.read_id(text, key_at)
        if not known("data_component_type", key):
            raise Rejected(f"Unknown item component '{key}'", key_at)
        if key in seen:
            raise Rejected(f"Item component '{key}' was repeated, but only one value can be specified", key_at)
        seen.add(key)
        if not removed:
            at = _read_value(text, scan.skip_blanks(text, at), sign)
        at = scan.skip_blanks(text, at)
        if text[at : at + 1] == ",":
            at = scan.skip_blanks(text, at + 1)
        elif text[at : at + 1] != "]":
            raise Rejected("Expected ']'", at)
    return at + 1


def _read_value(text: str, at: int, sign: str) -> int:
    if text[at : at + 1] != sign:
        raise Rejected(f"Expected '{sign}'", at)
    at = scan.skip_blanks(text, at + 1)
    if text[at : at + 1] in ("{", "["):
        return scan.read_balanced(text, at)
    if text[at : at + 1] in ('"', "'"):
        return scan.read_string(text, at)[1]
    while at < len(text) and text[at] not in ",] ":
        at += 1
    return at
