"""Whether the server's parser would take a command, and its complaint if not."""

from __future__ import annotations

from typing import Final

from selfplay_core.sandbox.parser.grammar import Command, parse
from selfplay_core.sandbox.parser.problem import INCOMPLETE, INCORRECT, Problem, Rejected

__all__ = ["beyond", "judge"]

# RCON brings no more than 1446 bytes; a command block holds twice as much, and a function 2,000,000 characters, but the
# time of a verdict grows with them.
_LONGEST: Final = 16_000
_DEEPEST: Final = 100
_DEEPEST_OF_THE_GAME: Final = 512

_OPENING: Final = frozenset("{[(")
_CLOSING: Final = frozenset("}])")


def judge(command: str) -> Command | Problem:
    """Parse a command as the server would; bounded in time and depth for any text. A leading `/` is the caller's."""
    refused = _refused_unread(command)
    if refused is not None:
        return refused
    try:
        return parse(command)
    except Rejected as rejected:
        return rejected.problem
    except RecursionError:
        # The depth limit is meant to make this unreachable; a server answers a stack overflow likewise.
        return Problem("An unexpected error occurred trying to execute that command", 0)


def beyond(command: str) -> str:
    """Return why a command cannot be judged here though a server might take it, or nothing if it can be judged."""
    if len(command) > _LONGEST:
        return f"Longer than the {_LONGEST:,} characters that are judged here: {len(command):,}"
    deep = _too_deep(command, _DEEPEST)
    if deep is not None and _too_deep(command, _DEEPEST_OF_THE_GAME) is None:
        return f"Nested more deeply than the {_DEEPEST} levels that are judged here"
    return ""


def _refused_unread(command: str) -> Problem | None:
    if len(command) > _LONGEST:
        return Problem(f"Command too long: {len(command)} characters, maximum {_LONGEST}", len(command))
    if not command or command[0].isspace():
        return Problem(INCOMPLETE, 0)
    line_break = next((at for at, character in enumerate(command) if character in "\r\n\0"), None)
    if line_break is not None:
        return Problem(INCORRECT, line_break)
    deep = _too_deep(command, _DEEPEST)
    if deep is not None:
        return Problem(f"Tried to read NBT tag with too high complexity, depth > {_DEEPEST_OF_THE_GAME}", deep)
    return None


def _too_deep(command: str, most: int) -> int | None:
    """Return where more brackets are open than may be, wherever they stand."""
    depth = 0
    for at, character in enumerate(command):
        depth += (character in _OPENING) - (character in _CLOSING)
        if depth > most:
            return at
    return None
