"""Thinking that a model's template left inside its content, told apart from the reply."""

from __future__ import annotations

__all__ = ["split_thinking"]

_OPEN = "<think>"
_CLOSE = "</think>"


def split_thinking(content: str) -> tuple[str, str]:
    """Return the thinking at the start of `content`, and the rest.

    A block that is never closed takes all. A closing tag without its opening one counts as long as no JSON
    stands before it: several templates put the opening tag into the prompt, where it is swallowed. A reply
    that starts as JSON is never searched, so that tags inside its strings stay.
    """
    thoughts: list[str] = []
    rest = content
    while True:
        thought, found, after = _first_block(rest)
        if not found:
            return "\n".join(thoughts), rest
        if thought:
            thoughts.append(thought)
        rest = after


def _first_block(content: str) -> tuple[str, bool, str]:
    start = content.lstrip()
    if start.startswith(_OPEN):
        thought, _, after = start.removeprefix(_OPEN).partition(_CLOSE)
        return thought.strip(), True, after.lstrip()
    if start.startswith(("{", "[")):
        return "", False, content
    thought, closed, after = start.partition(_CLOSE)
    return thought.strip(), bool(closed), after.lstrip()
