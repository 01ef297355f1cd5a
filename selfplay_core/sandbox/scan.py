"""Reading words, numbers, ids and bracketed values from a command, with the server's errors and cursors."""

from __future__ import annotations

import re

from selfplay_core.sandbox.problem import Rejected

__all__ = [
    "full_id",
    "read_balanced",
    "read_decimal",
    "read_id",
    "read_integer",
    "read_string",
    "read_word",
    "skip_blanks",
]

_WORD = re.compile(r"[0-9A-Za-z_\-.+]*")
_ID = re.compile(r"[0-9a-z_\-./:]*")
_NUMBER = re.compile(r"[0-9.\-]*")
_DECIMAL = re.compile(r"-?(?:\d+\.?\d*|\.\d+)\Z")
_INTEGER = re.compile(r"-?\d+\Z")
_PAIRS = {"{": "}", "[": "]"}


def skip_blanks(text: str, at: int) -> int:
    """Return the position of the next character that is no blank."""
    while at < len(text) and text[at].isspace():
        at += 1
    return at


def _matched(pattern: re.Pattern[str], text: str, at: int) -> str:
    match = pattern.match(text, at)
    return match.group() if match else ""


def read_word(text: str, at: int) -> str:
    """Return the unquoted string that stands here, perhaps an empty one."""
    return _matched(_WORD, text, at)


def read_string(text: str, at: int) -> tuple[str, int]:
    """Read an unquoted or quoted string; return it and where it ends."""
    if text[at : at + 1] not in ('"', "'"):
        word = read_word(text, at)
        return word, at + len(word)
    quote = text[at]
    end = at + 1
    while end < len(text) and text[end] != quote:
        end += 2 if text[end] == "\\" else 1
    if end >= len(text):
        raise Rejected("Unclosed quoted string", len(text))
    return text[at + 1 : end], end + 1


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


def read_integer(text: str, at: int, name: str = "integer") -> tuple[int, int]:
    """Read a whole number of 32 bits (`long`: 64); return it and where it ends."""
    word = _matched(_NUMBER, text, at)
    if not word:
        raise Rejected(f"Expected {name}", at)
    bits = 63 if name == "long" else 31
    # Digits are counted first: turning a very long number into an int takes quadratic time.
    if not _INTEGER.match(word) or len(word) > 24 or not -(2**bits) <= int(word) < 2**bits:
        raise Rejected(f"Invalid {name} '{word}'", at)
    return int(word), at + len(word)


def read_decimal(text: str, at: int, name: str = "double") -> tuple[float, int]:
    """Read a decimal number; return it and where it ends."""
    word = _matched(_NUMBER, text, at)
    if not word:
        raise Rejected(f"Expected {name}", at)
    if not _DECIMAL.match(word):
        raise Rejected(f"Invalid {name} '{word}'", at)
    return float(word), at + len(word)


def read_balanced(text: str, at: int) -> int:
    """Return where the bracketed value that opens here ends; quotes hide brackets."""
    open_brackets: list[str] = []
    while at < len(text):
        character = text[at]
        if character in "\"'":
            at = read_string(text, at)[1]
            continue
        if character in _PAIRS:
            open_brackets.append(_PAIRS[character])
        elif open_brackets and character == open_brackets[-1]:
            open_brackets.pop()
            if not open_brackets:
                return at + 1
        at += 1
    raise Rejected(f"Expected '{open_brackets[-1]}'" if open_brackets else "Expected value", len(text))
