"""Values of NBT as plain Python: dict, list, str, and numbers that remember their size.

A server shows `1b` and `1.0f` as it got them, so `Byte` to `Double` keep apart what Python would not. Arrays are lists
that remember theirs.
"""

from __future__ import annotations

import math
import re
import struct
from typing import Any, Final

from selfplay_core.sandbox.parser.problem import shown_number

__all__ = ["Array", "Byte", "Double", "Float", "Int", "Long", "Short", "Tag", "single", "whole", "written"]

# dict[str, Tag] | list[Tag] | str | Byte … Double; a recursive type tells mypy no more than this.
Tag = Any


class Byte(int):
    """A number of 8 bits; `true` and `false` are 1 and 0 of these."""


class Short(int):
    """A number of 16 bits."""


class Int(int):
    """A number of 32 bits."""


class Long(int):
    """A number of 64 bits."""


class Float(float):
    """A decimal number of 32 bits."""


class Double(float):
    """A decimal number of 64 bits."""


class Array(list[int]):
    """Whole numbers of one size; `letter` is B, I or L."""

    def __init__(self, letter: str, numbers: list[int]) -> None:
        super().__init__(numbers)
        self.letter = letter


# The greatest number of 32 bits.
_LARGEST: Final = 3.4028234663852886e38

_ENDINGS: Final[dict[type, str]] = {Byte: "b", Short: "s", Int: "", Long: "L", Float: "f", Double: "d"}


def written(tag: Tag) -> str:
    """Return a value as the server writes it in `data get`."""
    if isinstance(tag, dict):
        return "{" + ", ".join(f"{_written_key(key)}: {written(value)}" for key, value in tag.items()) + "}"
    if isinstance(tag, Array):
        ending = {"I": "", "B": "b", "L": "L"}[tag.letter]
        return f"[{tag.letter}; " + ", ".join(f"{number}{ending}" for number in tag) + "]"
    if isinstance(tag, list):
        return "[" + ", ".join(map(written, tag)) + "]"
    if isinstance(tag, str):
        return _written_string(tag)
    if isinstance(tag, float):
        return shown_number(single(tag) if isinstance(tag, Float) else float(tag)) + _ENDINGS[type(tag)]
    return f"{int(tag)}{_ENDINGS[type(tag)]}"


def single(value: float) -> float:
    """Return what 32 bits keep of a number, with the fewest digits that tell it from all others of that size."""
    try:
        kept = struct.pack("f", value)
    except OverflowError:
        return math.copysign(math.inf, value)
    shortest = (float(f"{value:.{precision}g}") for precision in range(1, 10))
    return next((one for one in shortest if abs(one) <= _LARGEST and struct.pack("f", one) == kept), float(value))


def whole(value: float, bits: int = 32) -> int:
    """Return a whole number as Java's casts do: cut to its size, and 0 for what is no number."""
    if math.isnan(value):
        return 0
    most = 2 ** (bits - 1)
    return int(max(-most, min(value, most - 1)))


def _written_key(key: str) -> str:
    return key if re.fullmatch(r"[A-Za-z0-9._+-]+", key) else _written_string(key)


def _written_string(value: str) -> str:
    quote = "'" if '"' in value and "'" not in value else '"'
    return quote + value.replace("\\", "\\\\").replace(quote, f"\\{quote}") + quote
