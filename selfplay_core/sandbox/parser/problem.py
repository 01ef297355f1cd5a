"""What a command parser complains of, and how the server words it."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal

__all__ = ["INCOMPLETE", "INCORRECT", "TRAILING", "Failed", "Problem", "Rejected", "shown_number", "with_context"]

INCOMPLETE = "Unknown or incomplete command. See below for error"
INCORRECT = "Incorrect argument for command"
TRAILING = "Expected whitespace to end one argument, but found trailing data"

_CONTEXT = 10


@dataclass(frozen=True, slots=True)
class Problem:
    """A syntax error; `cursor` counts characters from the start of the command.

    It is None for the few errors of the parser that the server shows without the command around them.
    """

    message: str
    cursor: int | None


class Rejected(Exception):
    """Raised by a reader of arguments at the first mistake, as the server's parser does."""

    def __init__(self, message: str, cursor: int | None) -> None:
        super().__init__(message)
        self.problem = Problem(message, cursor)


class Failed(Exception):
    """Raised by a command that parsed but cannot be carried out; its text is the server's reply."""


def with_context(problem: Problem, command: str) -> str:
    """Return the reply for a syntax error as Paper 1.21.11 gives it.

    Message, line break, the ten characters before the cursor (after an ellipsis if more stand before them),
    the rest of the command, and the mark. Vanilla leaves the line break out.
    """
    if problem.cursor is None:
        return problem.message
    cursor = min(problem.cursor, len(command))
    before = command[max(0, cursor - _CONTEXT) : cursor]
    ellipsis = "..." if cursor > _CONTEXT else ""
    return f"{problem.message}\n{ellipsis}{before}{command[cursor:]}<--[HERE]"


def shown_number(value: float) -> str:
    """Return a number as Java prints it: beyond 10,000,000 and below 0.001 a double has an exponent."""
    if isinstance(value, int) or value == 0 or 1e-3 <= abs(value) < 1e7:
        return str(value)
    sign, digits, exponent = Decimal(repr(value)).normalize().as_tuple()
    if not isinstance(exponent, int):
        return {"F": "Infinity", "n": "NaN"}.get(str(exponent), str(value))
    first, rest = digits[0], "".join(map(str, digits[1:])) or "0"
    return f"{'-' if sign else ''}{first}.{rest}E{exponent + len(digits) - 1}"
