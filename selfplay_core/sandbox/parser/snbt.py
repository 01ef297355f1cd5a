"""The text form of NBT as the game has read it since 1.21.5: numbers, strings, lists, arrays, compounds, operations.

What is told of a mistake is what the game's grammar tells: the first thing that it tried at the furthest place that it
reached. Numbers are read as numbers where they begin like ones; a word may not.
"""

from __future__ import annotations

import re
import unicodedata
import uuid
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

from selfplay_core.sandbox.parser import scan
from selfplay_core.sandbox.parser.problem import Rejected
from selfplay_core.sandbox.parser.tags import Array, Byte, Double, Float, Int, Long, Short, Tag

__all__ = ["read_compound", "read_tag"]

_DEPTH_LIMIT: Final = 120
_TOO_DEEP: Final = "Tried to read NBT tag with too high complexity, depth > 512"


_WHOLE: Final[dict[str, tuple[type[int], int]]] = {"b": (Byte, 8), "s": (Short, 16), "i": (Int, 32), "l": (Long, 64)}
_DECIMAL_TYPES: Final[dict[str, type[float]]] = {"f": Float, "d": Double, "": Double}
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
_PLAIN_DIGITS = re.compile(r"[+-]?\s*[0-9_]+")
_FRACTION = re.compile(r"[+-]?\s*[0-9_]*\s*\.(?:\s*[0-9_]+)?")
_WITH_EXPONENT = re.compile(r"[+-]?[\s0-9_.]*[eE][\s0-9_+-]*")
_STARTS_VALUE = re.compile(r"[\"'{\[0-9A-Za-z_.+-]")
_SHOWN_DIGITS: Final = 60
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
        start = scan.skip_blanks(text, _literal(text, end, ":"))
        entries[key], at = _value(text, start, depth)
        if not key:
            hoped = _hoped_for(text[start:at], in_array=False)
            raise Rejected("Key cannot be empty" if hoped == "," else f"Expected literal {hoped}", at)
        at, more = _separator(text, start, at, "}")
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
        if not values and not _STARTS_VALUE.match(text, at):
            raise Rejected("Expected literal B", at)
        start = at
        value, at = _value(text, start, depth)
        values.append(value)
        at, more = _separator(text, start, at, "]")
        if not more:
            break
    return values, at + 1


def _array(text: str, at: int, letter: str) -> tuple[Array, int]:
    numbers: list[int] = []
    wrong: str | None = None
    at = scan.skip_blanks(text, at)
    while text[at : at + 1] != "]":
        start = at
        literal, at = _integer_literal(text, start)
        kind = literal.ending[-1:] or letter.lower()
        number = _decoded(literal, kind) if _WHOLE[kind][0] in _ELEMENTS[letter] else "Invalid array element type"
        if isinstance(number, str):
            wrong = wrong or number
        else:
            numbers.append(int(number))
        at, more = _separator(text, start, at, "]", in_array=True)
        if not more:
            break
    # The grammar looks at the numbers once it has the whole array.
    if wrong:
        raise Rejected(wrong, at + 1)
    return Array(letter, numbers), at + 1


def _separator(text: str, start: int, at: int, closing: str, *, in_array: bool = False) -> tuple[int, bool]:
    """Return the place of what follows the value that began at `start`, and whether more may come.

    A comma may stand before the end.
    """
    token = text[start:at]
    at = scan.skip_blanks(text, at)
    character = text[at : at + 1]
    if character == ",":
        return scan.skip_blanks(text, at + 1), True
    if character != closing:
        raise Rejected(f"Expected literal {_hoped_for(token, in_array=in_array)}", at)
    return at, False


def _hoped_for(token: str, *, in_array: bool) -> str:
    """Return what the game's grammar tries first behind a value; its complaint names that, whatever else may come."""
    if token[0] not in _STARTS_NUMBER:
        return "," if token[0] in "\"'{[" or token[-1] == ")" else "("
    if _PLAIN_DIGITS.fullmatch(token):
        return "u|U" if in_array else "."
    if _FRACTION.fullmatch(token):
        return "e|E"
    return "f|F" if _WITH_EXPONENT.fullmatch(token) else ","


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
        raise Rejected('Expected literal "', at)
    return word, end


def _unquoted(text: str, at: int) -> tuple[Tag, int]:
    word, end = scan.read_word(text, at)
    if not word:
        raise Rejected("Expected a valid unquoted string", at)
    after = scan.skip_blanks(text, end)
    if text[after : after + 1] == "(":
        return _operation(text, word, after + 1)
    if word.lower() in ("true", "false"):
        return Byte(word.lower() == "true"), end
    return word, end


def _operation(text: str, name: str, at: int) -> tuple[Tag, int]:
    arguments: list[Tag] = []
    at = scan.skip_blanks(text, at)
    while text[at : at + 1] != ")":
        start = at
        value, at = _value(text, start, _DEPTH_LIMIT - 1)
        arguments.append(value)
        at, more = _separator(text, start, at, ")")
        if not more:
            break
    operation = _OPERATIONS.get((name, len(arguments)))
    if operation is None:
        raise Rejected(f"No such operation: {name}/{len(arguments)}", at + 1)
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
        return _integer(text, at)
    digits = match[1] or match[3]
    value = float(_BLANK.sub("", digits).replace("_", ""))
    kind = _DECIMAL_TYPES[(match[2] or match[4] or "").lower()]
    limit = 3.4028235677973366e38 if kind is Float else float("inf")
    if abs(value) >= limit:
        named = match[2] or match[4]
        raise Rejected("Non-finite numbers are not allowed" if named else "Expected literal f|F", match.end())
    if text[match.end() : match.end() + 1] == "_":
        raise _no_number(text, at, "")
    return kind(value), match.end()


@dataclass(frozen=True, slots=True)
class _Literal:
    """A whole number as it is written: `ending` is its size in lower case, perhaps with `s` or `u` before it."""

    negative: bool
    digits: str
    base: int
    ending: str


def _integer(text: str, at: int) -> tuple[int, int]:
    literal, end = _integer_literal(text, at)
    number = _decoded(literal, literal.ending[-1:] or "i")
    if isinstance(number, str):
        raise Rejected(number if literal.ending else "Expected literal .", end)
    return number, end


def _integer_literal(text: str, at: int) -> tuple[_Literal, int]:
    match = _INTEGER.match(text, at)
    if match is None:
        raise _no_number(text, at, "")
    sign, hexadecimal, binary, decimal, ending = match.groups()
    if decimal is not None and len(decimal) > 1 and decimal[0] == "0":
        raise _no_number(text, at, text[at : match.end(4)])
    if text[match.end() : match.end() + 1] == "_":
        raise _no_number(text, at, "")
    digits = (hexadecimal or binary or decimal or "").replace("_", "")
    base = 16 if hexadecimal else 2 if binary else 10
    return _Literal(sign == "-", digits, base, _BLANK.sub("", ending or "").lower()), match.end()


def _decoded(literal: _Literal, kind: str) -> int | str:
    """Return the number in its size, or why it has none."""
    ending, digits = literal.ending, literal.digits
    signed = literal.base == 10 if len(ending) < 2 else ending[0] == "s"
    if literal.negative and not signed:
        return "Expected a non-negative number"
    make, bits = _WHOLE[kind]
    most = 2 ** (bits - 1) - 1 if signed else 2**bits - 1
    # Digits are counted first: turning a very long number into an int takes quadratic time.
    value = int(digits, literal.base) if len(digits) <= 70 else 2**70
    if value > most + (signed and literal.negative):
        return _too_large(("-" if literal.negative else "") + digits, literal.base, bits)
    value = -value if literal.negative else value
    return make(value - 2**bits if value >= 2 ** (bits - 1) else value)


def _no_number(text: str, at: int, digits: str) -> Rejected:
    """Return the complaint about what begins like a number and is none.

    The game's grammar tries it as a word at last, reads it to its end, and finds no bracket there.
    """
    word, end = scan.read_word(text, at)
    if word in ("+", "-", ".", ""):
        return Rejected("Expected a decimal number", end)
    return Rejected("Expected literal ." if word == digits else "Expected literal (", end)


def _too_large(digits: str, base: int, bits: int) -> str:
    shown = digits if len(digits) <= _SHOWN_DIGITS else digits[:_SHOWN_DIGITS] + "..."
    if bits <= 16:
        return f'Failed to parse number: Value out of range. Value:"{shown}" Radix:{base}'
    return f'Failed to parse number: For input string: "{shown}"' + ("" if base == 10 else f" under radix {base}")
