"""Whether the server's parser would take a command, and its complaint if not."""

from __future__ import annotations

from typing import Final

from selfplay_core.sandbox.grammar import Command, parse
from selfplay_core.sandbox.problem import INCOMPLETE, INCORRECT, Problem, Rejected

__all__ = ["judge"]

# RCON brings no more than 1446 bytes; what a file of commands holds may be as long as a command block's.
_LONGEST_COMMAND: Final = 32767
_DEPTH_LIMIT: Final = 100

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


def _refused_unread(command: str) -> Problem | None:
    if len(command) > _LONGEST_COMMAND:
        return Problem(f"Command too long: {len(command)} characters, maximum {_LONGEST_COMMAND}", len(command))
    if not command or command[0].isspace():
        return Problem(INCOMPLETE, 0)
    line_break = next((at for at, character in enumerate(command) if character in "\r\n\0"), None)
    if line_break is not None:
        return Problem(INCORRECT, line_break)
    depth = 0
    for at, character in enumerate(command):
        depth += (character in _OPENING) - (character in _CLOSING)
        if depth > _DEPTH_LIMIT:
            return Problem("Tried to read NBT tag with too high complexity, depth > 512", at)
    return None
