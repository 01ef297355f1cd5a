"""Mecha's grammar of Minecraft 1.21.11, asked for one command at a time.

The one module of the project that loads mecha, and only when the first command is parsed: it takes half a
second. mecha's parsers of arguments are wrapped so that a refusal knows which kinds of argument were tried
where, as Brigadier does; mecha's own message names neither.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cache
from threading import Lock
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from mecha.spec import Parser
    from tokenstream import TokenStream

__all__ = ["Argument", "Command", "Refusal", "Tried", "command_tree", "parse", "use_tree", "warm"]

_KIND = "command:argument:"

_Slot = tuple[str, str, Mapping[str, Any]]  # name, kind and properties of an argument


@dataclass(frozen=True, slots=True)
class Argument:
    """One argument of a command; `kind` is the parser of Brigadier's tree, `node` mecha's syntax tree."""

    name: str
    kind: str
    properties: Mapping[str, Any]
    node: Any
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


@dataclass(frozen=True, slots=True)
class Tried:
    """An argument that could not be read; `start` stands one blank after what came before it."""

    kind: str
    properties: Mapping[str, Any]
    start: int


@dataclass(frozen=True, slots=True)
class Refusal:
    """Why the grammar refuses a command: where, what it expected there, and which arguments it tried."""

    message: str
    position: int
    tried: tuple[Tried, ...]


@dataclass(slots=True)
class _Grammar:
    mecha: Any
    tried: list[Tried]
    lock: Lock = field(default_factory=Lock)
    shapes: dict[str, tuple[str, tuple[_Slot, ...]]] = field(default_factory=dict)


def warm() -> None:
    """Load the grammar now instead of at the first command."""
    _grammar()


def parse(command: str) -> Command | Refusal:
    """Parse one line; the caller has refused line breaks, too much length and too much depth."""
    from mecha import AstCommand, DiagnosticError

    grammar = _grammar()
    with grammar.lock:
        grammar.tried.clear()
        try:
            node = grammar.mecha.parse(command, type=AstCommand, preprocessor=_as_it_stands)
        except DiagnosticError as error:
            refusal = error.diagnostics.exceptions[0]
            return Refusal(refusal.message, refusal.location.pos, tuple(grammar.tried))
        return _command(grammar, command, node)


def command_tree() -> Any:
    """Return the root of mecha's tree of commands."""
    return _grammar().mecha.spec.tree


def _as_it_stands(source: str) -> tuple[str, list[Any], list[Any]]:
    return source, [], []


class _Chosen:
    """The tree by which this process judges; a server of one's own may replace mecha's."""

    def __init__(self) -> None:
        self.report: Mapping[str, Any] | None = None


_chosen = _Chosen()


def use_tree(report: Mapping[str, Any] | None) -> None:
    """Judge by the tree of a `commands.json` from here on, or by mecha's again."""
    _chosen.report = report
    _grammar.cache_clear()


@cache
def _grammar() -> _Grammar:
    from mecha import CommandSpec, CommandTree, Mecha
    from mecha.parse import get_parsers

    tried: list[Tried] = []
    if _chosen.report is None:
        mecha = Mecha(version="1.21")
    else:
        tree = CommandTree(**_chosen.report)
        mecha = Mecha(spec=CommandSpec(tree=tree, parsers=get_parsers("1.21")))
    parsers = mecha.spec.parsers
    # A server takes any text for a message; mecha stumbles over "a@b.com".
    parsers["message"] = parsers["greedy"]
    for name in [name for name in parsers if name.startswith(_KIND)]:
        parsers[name] = _watched(name.removeprefix(_KIND), parsers[name], tried)
    return _Grammar(mecha, tried)


def _watched(kind: str, parser: Parser, tried: list[Tried]) -> Parser:
    from tokenstream import InvalidSyntax

    def watched(stream: TokenStream) -> Any:
        start = stream.current.end_location.pos + 1 if stream.index >= 0 else 0
        properties = stream.data.get("properties") or {}
        try:
            return parser(stream)
        except InvalidSyntax:
            tried.append(Tried(kind, properties, start))
            raise

    return watched


def _command(grammar: _Grammar, line: str, node: Any) -> Command:
    literals, slots = _shape(grammar, node.identifier)
    nodes = list(node.arguments)
    arguments = tuple(_argument(slot, line, child) for slot, child in zip(slots, nodes, strict=False))
    follow = _command(grammar, line, nodes[-1]) if len(nodes) > len(slots) else None
    return Command(literals, arguments, follow)


def _argument(slot: _Slot, line: str, node: Any) -> Argument:
    start, end = node.location.pos, node.end_location.pos
    return Argument(*slot, node, start, end, line[start:end])


def _shape(grammar: _Grammar, identifier: str) -> tuple[str, tuple[_Slot, ...]]:
    """Return the literals of an identifier, and name, kind and properties of each of its arguments."""
    if identifier not in grammar.shapes:
        parts = tuple(re.sub(r":subcommand$", "", identifier).split(":"))
        literals = []
        slots = []
        for depth in range(1, len(parts) + 1):
            tree = grammar.mecha.spec.tree.get(parts[:depth])
            if tree.type == "argument":
                slots.append((parts[depth - 1], tree.parser, tree.properties or {}))
            elif parts[:depth] != ("execute",) or len(parts) == 1:
                literals.append(parts[depth - 1])
        grammar.shapes[identifier] = (" ".join(literals), tuple(slots))
    return grammar.shapes[identifier]
