"""Reading words, numbers, ids and ranges from a command, with the server's errors and cursors.

Every reader takes the whole command and the place to read from, and returns what it read and where that ends.
They do what Brigadier's `StringReader` does, character for character.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from selfplay_core.sandbox.parser.problem import Rejected

__all__ = [
    "Range",
    "expect",
    "full_id",
    "is_uuid",
    "read_bool",
    "read_decimal",
    "read_id",
    "read_integer",
    "read_range",
    "read_string",
    "read_until_blank",
    "read_word",
    "skip_blanks",
]

_WORD = re.compile(r"[0-9A-Za-z_\-.+]*")
_ID = re.compile(r"[0-9a-z_\-./:]*")
_NUMBER = re.compile(r"[0-9.\-]*")
_BOUND = re.compile(r"(?:[0-9\-]|\.(?!\.))*")
_DECIMAL = re.compile(r"-?(?:\d+\.?\d*|\.\d+)\Z", re.ASCII)
_INTEGER = re.compile(r"-?\d+\Z", re.ASCII)
_UUID = re.compile(r"[0-9a-fA-F]{1,16}(-[0-9a-fA-F]{1,16}){4}\Z")
# What Java calls white space; the no-break blanks are none.
_BLANKS = re.compile("[\t-\r\x1c- \u1680\u2000-\u2006\u2008-\u200a\u2028\u2029\u205f\u3000]*")
_LONGEST_INTEGER = 24
_LONGEST_UUID = 36


@dataclass(frozen=True, slots=True)
class Range:
    """A range with both ends included; None is an open end."""

    low: float | None
    high: float | None

    def holds(self, value: float) -> bool:
        """Tell whether the value lies within."""
        return (self.low is None or value >= self.low) and (self.high is None or value <= self.high)


def _matched(pattern: re.Pattern[str], text: str, at: int) -> str:
    match = pattern.match(text, at)
    return match.group() if match else ""


def skip_blanks(text: str, at: int) -> int:
    """Return the position of the next character that is no blank."""
    match = _BLANKS.match(text, at)
    return match.end() if match else at


def expect(text: str, at: int, character: str) -> int:
    """Return the place after a character that has to stand here."""
    if text[at : at + 1] != character:
        raise Rejected(f"Expected '{character}'", at)
    return at + 1


def read_word(text: str, at: int) -> tuple[str, int]:
    """Read the unquoted string that stands here, perhaps an empty one."""
    word = _matched(_WORD, text, at)
    return word, at + len(word)


def read_until_blank(text: str, at: int) -> tuple[str, int]:
    """Read what stands before the next plain blank."""
    end = text.find(" ", at)
    end = len(text) if end < 0 else end
    return text[at:end], end


def read_string(text: str, at: int) -> tuple[str, int]:
    """Read an unquoted or quoted string; in quotes only the quote and the backslash may be escaped."""
    quote = text[at : at + 1]
    if quote not in ('"', "'") or not quote:
        return read_word(text, at)
    parts: list[str] = []
    at += 1
    while at < len(text):
        character = text[at]
        if character == quote:
            return "".join(parts), at + 1
        if character == "\\":
            at += 1
            if at >= len(text):
                break
            character = text[at]
            if character not in (quote, "\\"):
                raise Rejected(f"Invalid escape sequence '\\{character}' in quoted string", at)
        parts.append(character)
        at += 1
    raise Rejected("Unclosed quoted string", len(text))


def read_bool(text: str, at: int) -> tuple[bool, int]:
    """Read `true` or `false`."""
    word, end = read_string(text, at)
    if not word:
        raise Rejected("Expected boolean", end)
    if word not in ("true", "false"):
        raise Rejected(f"Invalid boolean: expected 'true' or 'false' but found '{word}'", at)
    return word == "true", end


def read_id(text: str, at: int) -> tuple[str, int]:
    """Read a resource location; return it with its namespace, and where it ends."""
    word = _matched(_ID, text, at)
    namespace, colon, _ = word.partition(":")
    if word.count(":") > 1 or (colon and "/" in namespace):
        raise Rejected("Invalid ID", at)
    return full_id(word), at + len(word)


def full_id(word: str) -> str:
    """Return an id with its namespace; no namespace means the game's own."""
    namespace, colon, path = word.partition(":")
    if not colon:
        return f"minecraft:{word}"
    return f"{namespace or 'minecraft'}:{path}"


def is_uuid(word: str) -> bool:
    """Tell whether Java reads this word as a UUID: five groups of hexadecimal digits, which may be short."""
    return len(word) <= _LONGEST_UUID and _UUID.match(word) is not None


def read_integer(text: str, at: int, name: str = "integer") -> tuple[int, int]:
    """Read a whole number of 32 bits (`long`: 64); return it and where it ends."""
    word = _matched(_NUMBER, text, at)
    if not word:
        raise Rejected(f"Expected {name}", at)
    return _integer(word, name, at), at + len(word)


def _integer(word: str, name: str, at: int) -> int:
    bits = 63 if name == "long" else 31
    # Digits are counted first: turning a very long number into an int takes quadratic time.
    digits = word.lstrip("-").lstrip("0")
    if not _INTEGER.match(word) or len(digits) > _LONGEST_INTEGER:
        raise Rejected(f"Invalid {name} '{word}'", at)
    value = int(digits or "0") * (-1 if word[0] == "-" else 1)
    if not -(2**bits) <= value < 2**bits:
        raise Rejected(f"Invalid {name} '{word}'", at)
    return value


def read_decimal(text: str, at: int, name: str = "double") -> tuple[float, int]:
    """Read a decimal number, also `5.` and `.5`; digits without end make it infinite, as in Java."""
    word = _matched(_NUMBER, text, at)
    if not word:
        raise Rejected(f"Expected {name}", at)
    if not _DECIMAL.match(word):
        raise Rejected(f"Invalid {name} '{word}'", at)
    return float(word), at + len(word)


def read_range(text: str, at: int, *, whole: bool, ordered: bool = True) -> tuple[Range, int]:
    """Read `a`, `a..`, `..b` or `a..b`; every error stands at its start. `ordered` refuses a low end above the high."""
    if at >= len(text):
        raise Rejected("Expected value or range of values", at)
    low, end = _read_bound(text, at, at, whole)
    high = low
    if text.startswith("..", end):
        high, end = _read_bound(text, end + 2, at, whole)
    if low is None and high is None:
        raise Rejected("Expected value or range of values", at)
    if ordered and low is not None and high is not None and low > high:
        raise Rejected("Min cannot be bigger than max", at)
    return Range(low, high), end


def _read_bound(text: str, at: int, start: int, whole: bool) -> tuple[float | None, int]:
    word = _matched(_BOUND, text, at)
    if not word:
        return None, at
    if whole:
        return float(_integer(word, "integer", start)), at + len(word)
    if not _DECIMAL.match(word):
        raise Rejected(f"Invalid double '{word}'", start)
    return float(word), at + len(word)
