"""The context line under a parse error: what the server's parser pointed at."""

from __future__ import annotations

from typing import Final

__all__ = ["HERE", "QUOTED_BEFORE_CURSOR", "cut_context"]

HERE: Final = "<--[HERE]"

_DOTS: Final = "..."
QUOTED_BEFORE_CURSOR: Final = 10
# A longer command does not fit into a packet, so no server quotes one.
_LONGEST_COMMAND: Final = 4096


def cut_context(text: str, command: str) -> tuple[str, int | None, bool]:
    """Part a parse error into its message and the cursor, a column of `command` as given.

    The server quotes `...` if the cursor stands beyond ten characters, then the ten characters before the
    cursor, then (the game, but not every parser) the rest of the command. Paper puts a line break before it,
    vanilla nothing. The cursor is None where the quotation leaves it open. The flag says whether the context
    was found.
    """
    body = text[: text.rfind(HERE) if HERE in command else text.find(HERE)]
    bare = command.strip()
    if 0 < len(bare) <= _LONGEST_COMMAND:
        shift = command.index(bare)
        variants = [(bare, shift)]
        if bare.startswith("/"):
            variants.append((bare[1:], shift + 1))
        for spelling, offset in variants:
            found = _beyond_ten(body, spelling) or _within_ten(body, spelling)
            if found is not None:
                message, cursor = found
                return message.rstrip(), cursor if cursor is None else cursor + offset, True
    message, newline, _ = body.rstrip().rpartition("\n")
    if newline and message.strip():
        return message.rstrip(), None, True
    return body, None, False


def _beyond_ten(body: str, command: str) -> tuple[str, int | None] | None:
    """Find `...` and ten or more characters; a prefix that was sent before the command may be among them."""
    window = max(0, len(body) - len(command) - len(_DOTS) - QUOTED_BEFORE_CURSOR)
    dots = body.find(_DOTS, window)
    while dots != -1:
        tail = body[dots + len(_DOTS) :]
        if len(tail) >= QUOTED_BEFORE_CURSOR:
            if command.endswith(tail):
                return body[:dots], len(command) - len(tail) + QUOTED_BEFORE_CURSOR
            if tail.endswith(command):
                return body[:dots], QUOTED_BEFORE_CURSOR - (len(tail) - len(command))
        if len(tail) == QUOTED_BEFORE_CURSOR:
            places = _places(tail, command)
            if places:
                return body[:dots], places[0] if len(places) == 1 else None
        dots = body.find(_DOTS, dots + 1)
    return None


def _within_ten(body: str, command: str) -> tuple[str, int | None] | None:
    """Find the whole command, or its beginning alone, without `...` before it."""
    if body.endswith(command):
        return body[: -len(command)], None
    last_line = body.rpartition("\n")[2]
    for cursor in range(min(QUOTED_BEFORE_CURSOR, len(command)), -1, -1):
        beginning = command[:cursor]
        # One letter at the end of a message is more likely its own.
        if (last_line == beginning and "\n" in body) or (cursor > 2 and body.endswith(beginning)):
            return body[: len(body) - cursor], cursor
    return None


def _places(quoted: str, command: str) -> list[int]:
    """Return the columns of `command` just after `quoted`, whose front may belong to a prefix."""
    places = []
    at = command.find(quoted)
    while at != -1:
        places.append(at + len(quoted))
        at = command.find(quoted, at + 1)
    if not places:
        places = [size for size in range(len(quoted) - 1, 2, -1) if quoted.endswith(command[:size])][:1]
    return places
