"""The text form of NBT as the game has read it since 1.21.5: numbers, strings, lists, arrays, compounds, operations.

What is read becomes plain Python: dict, list, str, and numbers that remember their size (`Byte` … `Double`), for a
server shows `1b` and `1.0f` as it got them. Arrays are lists that remember theirs.
"""

from __future__ import annotations

import re
import unicodedata
import uuid
from collections.abc import Callable
from typing import Any, Final

from selfplay_core.sandbox import scan
from selfplay_core.sandbox.problem import Rejected

__all__ = [
    "Array",
    "Byte",
    "Double",
    "Float",
    "Int",
    "Long",
    "Short",
    "Tag",
    "read_compound",
    "read_tag",
    "written",
]

# dict[str, Tag] | list[Tag] | str | Byte … Double; a recursive type tells mypy no more than this.
Tag = Any

_DEPTH_LIMIT: Final = 120
_TOO_DEEP: Final = "Tried to read NBT tag with too high complexity, depth > 512"


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


_WHOLE: Final[dict[str, tuple[type[int], int]]] = {"b": (Byte, 8), "s": (Short, 16), "i": (Int, 32), "l": (Long, 64)}
_DECIMAL_TYPES: Final[dict[str, type[float]]] = {"f": Float, "d": Double, "": Double}
_ENDINGS: Final[dict[type, str]] = {Byte: "b", Short: "s", Int: "", Long: "L", Float: "f", Double: "d"}
_ELEMENTS: Final[dict[str, tuple[type[int], ...]]] = {
    "B": (Byte,),
    "I": (Byte, Short, Int),
    "L": (Byte, Short, Int, Long),
}

_DIGITS = r"[0-9](?:[0-9_]*[0-9])?"
# Every part of a number may have blanks before it: the game's rules skip them before each character that they expect.
_EXPONENT = rf"\s*[eE]\s*(?:[+-]\s*)?{_DIGITS}"
_FLOAT = re.compile(
    rf"((?:[+-]\s*)?(?:{_DIGITS}\s*\.(?:\s*{_DIGITS})?(?:{_EXPONENT})?|\.\s*{_DIGITS}(?:{_EXPONENT})?|{_DIGITS}{_EXPONENT}))"
    rf"(?:\s*([fFdD]))?|((?:[+-]\s*)?{_DIGITS})\s*([fFdD])"
)
_INTEGER = re.compile(
    r"([+-]?)\s*(?:0\s*[xX]\s*([0-9a-fA-F](?:[0-9a-fA-F_]*[0-9a-fA-F])?)|0\s*[bB]\s*([01](?:[01_]*[01])?)|([0-9](?:[0-9_]*[0-9])?))"
    r"(?:\s*((?:[uUsS]\s*)?[bBsSiIlL]))?"
)
_BLANK = re.compile(r"\s")
_STARTS_NUMBER: Final = frozenset("+-.0123456789")
_ESCAPES: Final = {"b": "\b", "s": " ", "t": "\t", "n": "\n", "f": "\f", "r": "\r", "\\": "\\", "'": "'", '"': '"'}
_HEX: Final = {"x": 2, "u": 4, "U": 8}
_PLAIN: Final = {quote: re.compile(rf"[^{quote}\\]*") for quote in "\"'"}


def read_tag(text: str, at: int) -> tuple[Tag, int]:
    """Read one value of any type; return it and where it ends."""
    return _value(text, at, 0)


def read_compound(text: str, at: int) -> tuple[dict[str, Tag], int]:
    """Read a value that has to be a compound."""
    value, end = _value(text, at, 0)
    if not isinstance(value, dict):
        raise Rejected("Expected compound tag", end)
    return value, end


def _value(text: str, at: int, depth: int) -> tuple[Tag, int]:
    at = scan.skip_blanks(text, at)
    character = text[at : at + 1]
    if character == "{":
        return _compound(text, at + 1, depth + 1)
    if character == "[":
        return _list(text, at + 1, depth + 1)
    if character in ('"', "'") and character:
        return _quoted(text, at)
    if character in _STARTS_NUMBER:
        return _number(text, at)
    return _unquoted(text, at)


def _compound(text: str, at: int, depth: int) -> tuple[dict[str, Tag], int]:
    if depth > _DEPTH_LIMIT:
        raise Rejected(_TOO_DEEP, at)
    entries: dict[str, Tag] = {}
    at = scan.skip_blanks(text, at)
    while text[at : at + 1] != "}":
        key, end = _key(text, at)
        if not key:
            raise Rejected("Key cannot be empty", end)
        at = _literal(text, end, ":")
        entries[key], at = _value(text, at, depth)
        at, more = _separator(text, at, "}")
        if not more:
            break
    return entries, at + 1


def _list(text: str, at: int, depth: int) -> tuple[list[Tag], int]:
    if depth > _DEPTH_LIMIT:
        raise Rejected(_TOO_DEEP, at)
    at = scan.skip_blanks(text, at)
    letter = text[at : at + 1]
    if letter in _ELEMENTS and letter:
        after = scan.skip_blanks(text, at + 1)
        if text[after : after + 1] == ";":
            return _array(text, after + 1, letter)
    values: list[Tag] = []
    while text[at : at + 1] != "]":
        value, at = _value(text, at, depth)
        values.append(value)
        at, more = _separator(text, at, "]")
        if not more:
            break
    return values, at + 1


def _array(text: str, at: int, letter: str) -> tuple[Array, int]:
    numbers: list[int] = []
    at = scan.skip_blanks(text, at)
    while text[at : at + 1] != "]":
        number, at = _integer(text, at, default=letter.lower())
        if not isinstance(number, _ELEMENTS[letter]):
            raise Rejected("Invalid array element type", at)
        numbers.append(int(number))
        at, more = _separator(text, at, "]")
        if not more:
            break
    return Array(letter, numbers), at + 1


def _separator(text: str, at: int, closing: str) -> tuple[int, bool]:
    """Return the place of what follows a value, and whether more may come; a comma may stand before the end."""
    at = scan.skip_blanks(text, at)
    character = text[at : at + 1]
    if character == ",":
        return scan.skip_blanks(text, at + 1), True
    if character != closing:
        raise Rejected("Expected literal ,", at)
    return at, False


def _literal(text: str, at: int, character: str) -> int:
    at = scan.skip_blanks(text, at)
    if text[at : at + 1] != character:
        raise Rejected(f"Expected literal {character}", at)
    return at + 1


def _key(text: str, at: int) -> tuple[str, int]:
    if text[at : at + 1] in ('"', "'") and at < len(text):
        return _quoted(text, at)
    word, end = scan.read_word(text, at)
    if not word:
        raise Rejected("Expected a valid unquoted string", at)
    return word, end


def _unquoted(text: str, at: int) -> tuple[Tag, int]:
    word, end = scan.read_word(text, at)
    if not word:
        raise Rejected("Expected a valid unquoted string", at)
    after = scan.skip_blanks(text, end)
    if text[after : after + 1] == "(":
        return _operation(text, word, at, after + 1)
    if word.lower() in ("true", "false"):
        return Byte(word.lower() == "true"), end
    return word, end


def _operation(text: str, name: str, start: int, at: int) -> tuple[Tag, int]:
    arguments: list[Tag] = []
    at = scan.skip_blanks(text, at)
    while text[at : at + 1] != ")":
        value, at = _value(text, at, _DEPTH_LIMIT - 1)
        arguments.append(value)
        at, more = _separator(text, at, ")")
        if not more:
            break
    operation = _OPERATIONS.get((name, len(arguments)))
    if operation is None:
        raise Rejected(f"No such operation: {name}/{len(arguments)}", start)
    return operation(arguments[0], at + 1), at + 1


def _to_bool(value: Tag, at: int) -> Byte:
    if not isinstance(value, (int, float)):
        raise Rejected("Expected a number or a boolean", at)
    return Byte(value != 0)


def _to_uuid(value: Tag, at: int) -> Array:
    if not isinstance(value, str) or not scan.is_uuid(value):
        raise Rejected("Expected a string representing a valid UUID", at)
    widths = (8, 4, 4, 4, 12)
    groups = [group[-width:].zfill(width) for group, width in zip(value.split("-"), widths, strict=True)]
    number = uuid.UUID("".join(groups)).int
    parts = [(number >> shift) & 0xFFFFFFFF for shift in (96, 64, 32, 0)]
    return Array("I", [part - (part >> 31 << 32) for part in parts])


_OPERATIONS: Final[dict[tuple[str, int], Callable[[Tag, int], Tag]]] = {("bool", 1): _to_bool, ("uuid", 1): _to_uuid}


def _quoted(text: str, at: int) -> tuple[str, int]:
    quote = text[at]
    at += 1
    parts: list[str] = []
    while True:
        match = _PLAIN[quote].match(text, at)
        plain = match.group() if match else ""
        parts.append(plain)
        at += len(plain)
        if at >= len(text):
            raise Rejected("Invalid string contents", at)
        if text[at] == quote:
            return "".join(parts), at + 1
        escaped, at = _escape(text, at + 1)
        parts.append(escaped)


def _escape(text: str, at: int) -> tuple[str, int]:
    kind = text[at : at + 1]
    if kind in _ESCAPES and kind:
        return _ESCAPES[kind], at + 1
    if kind in _HEX and kind:
        digits = text[at + 1 : at + 1 + _HEX[kind]]
        if len(digits) != _HEX[kind] or not re.fullmatch("[0-9a-fA-F]+", digits):
            raise Rejected(f"Expected a character literal of length {_HEX[kind]}", at + 1)
        code = int(digits, 16)
        if code > 0x10FFFF:
            raise Rejected(f"Invalid Unicode character value: U+{code:08X}", at + 1 + len(digits))
        return chr(code), at + 1 + len(digits)
    if kind == "N":
        name = re.compile(r"\{([-a-zA-Z0-9 ]+)\}").match(text, at + 1)
        if name is None:
            raise Rejected("Invalid Unicode character name", at + 1)
        try:
            return unicodedata.lookup(name[1]), name.end()
        except KeyError:
            raise Rejected("Invalid Unicode character name", name.end()) from None
    raise Rejected("Expected literal b|s|t|n|f|r|\\|'|\"|x|u|U|N", at)


def _number(text: str, at: int) -> tuple[Tag, int]:
    match = _FLOAT.match(text, at)
    if match is None:
        return _integer(text, at, default="i")
    digits = match[1] or match[3]
    value = float(_BLANK.sub("", digits).replace("_", ""))
    kind = _DECIMAL_TYPES[(match[2] or match[4] or "").lower()]
    limit = 3.4028235677973366e38 if kind is Float else float("inf")
    if abs(value) >= limit:
        raise Rejected("Non-finite numbers are not allowed", match.end())
    return kind(value), _no_underscore(text, match.end())


def _integer(text: str, at: int, default: str) -> tuple[int, int]:
    match = _INTEGER.match(text, at)
    if match is None:
        start = at + (text[at : at + 1] in ("+", "-", "."))
        raise Rejected("Expected a decimal number", start)
    sign, hexadecimal, binary, decimal, ending = match.groups()
    if decimal is not None and len(decimal) > 1 and decimal[0] == "0":
        raise Rejected("Decimal numbers can't start with 0", at + len(sign) + 1)
    digits = (hexadecimal or binary or decimal or "").replace("_", "")
    base = 16 if hexadecimal else 2 if binary else 10
    ending = _BLANK.sub("", ending or "").lower()
    signed = base == 10 if len(ending) < 2 else ending[0] == "s"
    if not signed and sign == "-":
        raise Rejected("Expected a non-negative number", match.end())
    kind, bits = _WHOLE[ending[-1:] or default]
    most = 2 ** (bits - 1) - 1 if signed else 2**bits - 1
    value = int(digits, base) if len(digits) <= 70 else 2**70
    if value > most + (signed and sign == "-"):
        raise Rejected(f"Failed to parse number: {sign}{digits[:40]}", match.end())
    value = -value if sign == "-" else value
    return kind(value - 2**bits if value >= 2 ** (bits - 1) else value), _no_underscore(text, match.end())


def _no_underscore(text: str, end: int) -> int:
    if text[end : end + 1] == "_":
        raise Rejected("Underscore characters are not allowed at the start or end of a number", end)
    return end


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
        return f"{tag!r}".removesuffix("'") + _ENDINGS[type(tag)]
    return f"{int(tag)}{_ENDINGS[type(tag)]}"


def _written_key(key: str) -> str:
    return key if re.fullmatch(r"[A-Za-z0-9._+-]+", key) else _written_string(key)


def _written_string(value: str) -> str:
    quote = "'" if '"' in value and "'" not in value else '"'
    return quote + value.replace("\\", "\\\\").replace(quote, f"\\{quote}") + quote
