"""Places and directions in commands: `~` from where one is, `^` from where one looks, bare numbers in the world."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from selfplay_core.sandbox.parser import scan
from selfplay_core.sandbox.parser.problem import Rejected

__all__ = ["Coordinate", "read_angle", "read_swizzle", "reader_of_places"]

_MIXED = "Cannot mix world & local coordinates (everything must either use ^ or not)"


@dataclass(frozen=True, slots=True)
class Coordinate:
    """One number of a place; `sign` is empty, `~` or `^`, `exact` tells that its text had a decimal point."""

    sign: str
    value: float
    exact: bool


def reader_of_places(
    count: int, *, whole: bool = False, local: bool = False
) -> Callable[[str, int, Mapping[str, Any]], tuple[tuple[Coordinate, ...], int]]:
    """Return the reader of this many coordinates; `whole` ones are blocks, `local` ones may use `^`."""
    incomplete = f"Incomplete (expected {count} coordinates)"

    def read(text: str, at: int, _: Mapping[str, Any]) -> tuple[tuple[Coordinate, ...], int]:
        if count == 2 and at >= len(text):
            raise Rejected(incomplete, at)
        by_look = local and text[at : at + 1] == "^"
        found: list[Coordinate] = []
        end = at
        for index in range(count):
            if index:
                if text[end : end + 1] != " ":
                    raise Rejected(incomplete, at)
                end += 1
            coordinate, end = _local(text, end, at) if by_look else _world(text, end, whole)
            found.append(coordinate)
        return tuple(found), end

    return read


def _local(text: str, at: int, start: int) -> tuple[Coordinate, int]:
    if at >= len(text):
        raise Rejected("Expected a coordinate", at)
    if text[at] != "^":
        raise Rejected(_MIXED, start)
    return _offset(text, at + 1, "^")


def _world(text: str, at: int, whole: bool) -> tuple[Coordinate, int]:
    if text[at : at + 1] == "^":
        raise Rejected(_MIXED, at)
    if at >= len(text):
        raise Rejected("Expected a block position" if whole else "Expected a coordinate", at)
    if text[at] == "~":
        return _offset(text, at + 1, "~")
    if text[at] == " ":
        return Coordinate("", 0.0, exact=False), at
    value, end = scan.read_integer(text, at) if whole else scan.read_decimal(text, at)
    return Coordinate("", float(value), exact="." in text[at:end]), end


def _offset(text: str, at: int, sign: str) -> tuple[Coordinate, int]:
    if text[at : at + 1] in ("", " "):
        return Coordinate(sign, 0.0, exact=True), at
    value, end = scan.read_decimal(text, at)
    return Coordinate(sign, value, exact=True), end


def read_angle(text: str, at: int, _: Mapping[str, Any]) -> tuple[Coordinate, int]:
    """Read one angle in degrees."""
    if at >= len(text):
        raise Rejected("Incomplete (expected 1 angle)", at)
    sign = "~" if text[at] == "~" else ""
    if text[at + len(sign) : at + len(sign) + 1] in ("", " "):
        return Coordinate(sign, 0.0, exact=True), at + len(sign)
    value, end = scan.read_decimal(text, at + len(sign), "float")
    if value in (float("inf"), float("-inf")):
        raise Rejected("Invalid angle", end)
    return Coordinate(sign, value, exact=True), end


def read_swizzle(text: str, at: int, _: Mapping[str, Any]) -> tuple[str, int]:
    """Read axes, each at most once, in any order."""
    axes = ""
    while at < len(text) and text[at] != " ":
        axis = text[at]
        at += 1
        if axis not in "xyz" or axis in axes:
            raise Rejected("Invalid swizzle: expected combination of 'x', 'y' and 'z'", at)
        axes += axis
    return axes, at
