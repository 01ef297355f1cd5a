"""Brigadier's way through the tree of commands: which words were meant, and whose error is shown if none were.

The order of attempts, of preference and of errors is that of `CommandDispatcher.parseNodes` and of the server's
`Commands.getParseException`: the furthest reading without an error wins, one single failed argument shows its own
error, and several show none of theirs.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from selfplay_core.sandbox.parser import scan
from selfplay_core.sandbox.parser.arguments import READERS
from selfplay_core.sandbox.parser.problem import INCOMPLETE, INCORRECT, TRAILING, Problem, Rejected
from selfplay_core.sandbox.parser.tree import Node, grown, mecha_tree

__all__ = ["Argument", "Command", "command_tree", "parse", "use_tree", "warm"]

# Paper runs a command in a chain of this many redirects and more; deeper ones cost time and mean nothing.
_REDIRECT_LIMIT: Final = 120
_ALIASES: Final = ("experience", "msg", "teammsg", "teleport")


@dataclass(frozen=True, slots=True)
class Argument:
    """One argument of a command; `kind` is the parser of Brigadier's tree, `value` what that parser made of it."""

    name: str
    kind: str
    properties: Mapping[str, Any]
    value: Any
    start: int
    end: int
    text: str


@dataclass(frozen=True, slots=True)
class Command:
    """A parsed command, or one clause of an `execute`; `follow` is the clause or command after it.

    `literals` are its fixed words alone, joined by spaces: `effect give`, `if entity`.
    """

    literals: str
    arguments: tuple[Argument, ...]
    follow: Command | None

    def get(self, name: str) -> Argument | None:
        """Return the argument of that name, or None where the command was given without it."""
        return next((argument for argument in self.arguments if argument.name == name), None)


@dataclass(slots=True)
class _Context:
    """Brigadier's command context: what was read since the root or the last redirect."""

    literals: tuple[str, ...] = ()
    arguments: tuple[Argument, ...] = ()
    node: Node | None = None
    child: _Context | None = None

    def last(self) -> _Context:
        return self if self.child is None else self.child.last()


@dataclass(slots=True)
class _Reading:
    """Brigadier's parse results: how far a way leads, and the errors of the arguments tried at its end."""

    context: _Context
    at: int
    errors: list[Problem] = field(default_factory=list)


class _Chosen:
    """The tree by which this process judges; a server of one's own may replace mecha's."""

    def __init__(self) -> None:
        self.tree: Node | None = None


_chosen = _Chosen()


def use_tree(report: Mapping[str, Any] | None) -> None:
    """Judge by the tree of a `commands.json` from here on, or by mecha's again."""
    _chosen.tree = None if report is None else grown(report)


def command_tree() -> Node:
    """Return the root of the tree of commands."""
    return _chosen.tree or mecha_tree()


def warm() -> None:
    """Load the tree now instead of at the first command."""
    command_tree()


def parse(text: str) -> Command:
    """Parse one line; raises `Rejected`. The caller has refused line breaks, too much length and too much depth."""
    root = command_tree()
    reading = _parse_nodes(root, root, text, 0, _Context(), 0)
    if reading.at < len(text):
        if len(reading.errors) == 1:
            error = reading.errors[0]
            raise Rejected(error.message, error.cursor)
        raise Rejected(INCORRECT if reading.context.literals else INCOMPLETE, reading.at)
    node = reading.context.last().node
    if node is None or not node.executable:
        raise Rejected(INCOMPLETE, reading.at)
    return _command(reading.context)


def _command(context: _Context) -> Command:
    follow = None if context.child is None else _command(context.child)
    literals = context.literals
    node = context.node
    if follow is not None and node is not None and node.redirect is not None and node.redirect.name in _ALIASES:
        # `tp` leads to all that `teleport` has: one command by another name.
        return Command(f"{literals[0]} {follow.literals}".rstrip(), follow.arguments, follow.follow)
    if literals[:1] == ("execute",) and len(literals) > 1:
        return Command("execute", (), Command(" ".join(literals[1:]), context.arguments, follow))
    return Command(" ".join(literals), context.arguments, follow)


def _parse_nodes(root: Node, node: Node, text: str, at: int, context: _Context, depth: int) -> _Reading:
    word, end = scan.read_until_blank(text, at)
    # Paper knows each of the game's commands by its name with the namespace too.
    literal = node.literals.get(word.removeprefix("minecraft:") if node is root else word)
    if literal is not None:
        reading = _Context((*context.literals, literal.name), context.arguments, literal)
        return _go_on(root, literal, text, end, reading, depth)
    errors: list[Problem] = []
    found: list[_Reading] = []
    for child in node.arguments:
        try:
            argument = _read(child, text, at)
        except Rejected as rejected:
            errors.append(rejected.problem)
            continue
        reading = _Context(context.literals, (*context.arguments, argument), child)
        found.append(_go_on(root, child, text, argument.end, reading, depth))
    if not found:
        return _Reading(context, at, errors)
    # Sorting is stable, as Java's is.
    return min(found, key=lambda reading: (reading.at < len(text), bool(reading.errors)))


def _read(child: Node, text: str, at: int) -> Argument:
    reader = READERS.get(child.parser)
    if reader is None:
        value, end = scan.read_until_blank(text, at)
    else:
        value, end = reader(text, at, child.properties)
    if text[end : end + 1] not in ("", " "):
        raise Rejected(TRAILING, end)
    return Argument(child.name, child.parser, child.properties, value, at, end, text[at:end])


def _go_on(root: Node, child: Node, text: str, at: int, context: _Context, depth: int) -> _Reading:
    """Read what follows a word; a blank with nothing behind it is not read on, except before a redirect."""
    if len(text) < at + (2 if child.redirect is None else 1):
        return _Reading(context, at)
    if child.redirect is None:
        return _parse_nodes(root, child, text, at + 1, context, depth)
    if depth > _REDIRECT_LIMIT:
        raise Rejected(INCORRECT, at + 1)
    below = _parse_nodes(root, child.redirect, text, at + 1, _Context(), depth + 1)
    context.child = below.context
    return _Reading(context, below.at, below.errors)
