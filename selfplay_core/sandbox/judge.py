"""Whether the server's parser would take a command, and its complaint if not."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

from selfplay_core.sandbox import scan
from selfplay_core.sandbox.arguments import check
from selfplay_core.sandbox.grammar import Argument, Command, Refusal, Tried, parse
from selfplay_core.sandbox.problem import INCOMPLETE, INCORRECT, TRAILING, Problem, Rejected
from selfplay_core.sandbox.values import check_values

__all__ = ["judge"]

# RCON brings no more than 1446 bytes. Longer text comes from a caller inside the process alone.
_LENGTH_LIMIT = 1460
_DEPTH_LIMIT = 32

_OPENING = frozenset("{[")
_CLOSING = frozenset("}]")
_CHAIN = re.compile(r"\b(?:run|as|at|if|unless|positioned|in|store|on|rotated|facing|align|anchored|summon)\b")
_CHAIN_LIMIT = 40
_NAMESPACED = re.compile(r"(?:\A|\brun |\Agamerule )minecraft:(?=[a-z])")
_NAMESPACE = "minecraft:"
_BAD_BLANK = re.compile(r"\s\s|[^\S ]")
_GREEDY = ("minecraft:message",)

# What mecha's tokens are called in the server's complaints, the first that is expected wins.
_EXPECTED = (
    ("curly '}'", "Expected '}'"),
    ("bracket ']'", "Expected ']'"),
    ("colon", "Expected ':'"),
    ("equal", "Expected '='"),
    ("curly '{'", "Expected '{'"),
)


@dataclass(frozen=True, slots=True)
class _Bare:
    """A command without the namespaces that Paper allows before command names; `cuts` are where they stood."""

    text: str
    cuts: tuple[int, ...]

    def cursor(self, bare: int) -> int:
        """Return where a cursor stands in the command as it was given."""
        shifted = bare
        for cut in self.cuts:
            if cut <= shifted and not (cut == 0 and shifted == 0):
                shifted += len(_NAMESPACE)
        return shifted


def judge(command: str) -> Command | Problem:
    """Parse a command as the server would; bounded in time and depth for any text."""
    refused = _refused_unread(command)
    if refused is not None:
        return refused
    bare = _without_namespaces(command)
    try:
        return _parsed(bare.text)
    except Rejected as rejected:
        return Problem(rejected.problem.message, bare.cursor(rejected.problem.cursor))
    except RecursionError:
        # The depth limit is meant to make this unreachable; a server answers a stack overflow likewise.
        return Problem("An unexpected error occurred trying to execute that command", 0)


def _refused_unread(command: str) -> Problem | None:
    if len(command) > _LENGTH_LIMIT:
        message = f"Chat message was too long ({len(command)} > maximum {_LENGTH_LIMIT} characters)"
        return Problem(message, len(command))
    if not command or command[0].isspace():
        return Problem(INCOMPLETE, 0)
    line_break = next((at for at, character in enumerate(command) if character in "\r\n\0"), None)
    if line_break is not None:
        return Problem(INCORRECT, line_break)
    depth = 0
    for at, character in enumerate(command):
        depth += (character in _OPENING) - (character in _CLOSING)
        if depth > _DEPTH_LIMIT:
            return Problem("Resulting NBT too deeply nested", at)
    if command.startswith(("execute ", "minecraft:execute ", "return run ")):
        clauses = [match.start() for match in _CHAIN.finditer(command)]
        if len(clauses) > _CHAIN_LIMIT:
            return Problem(INCORRECT, clauses[_CHAIN_LIMIT])
    return None


def _without_namespaces(command: str) -> _Bare:
    cuts = []
    parts = []
    at = kept = 0
    for match in _NAMESPACED.finditer(command):
        start = match.end() - len(_NAMESPACE)
        parts.append(command[at:start])
        kept += start - at
        cuts.append(start)
        at = match.end()
    return _Bare("".join([*parts, command[at:]]), tuple(cuts))


def _parsed(text: str) -> Command:
    parsed = parse(text)
    if isinstance(parsed, Refusal):
        raise _explained(text, parsed)
    arguments = list(_arguments(parsed))
    at = 0
    for argument in arguments:
        _check_gap(text, at, argument)
        check(argument.kind, argument.properties, text, argument.start)
        check_values(argument)
        at = argument.end
    _check_tail(text, at)
    return parsed


def _arguments(command: Command | None) -> Iterator[Argument]:
    while command is not None:
        yield from command.arguments
        command = command.follow


def _is_greedy(argument: Argument | Tried) -> bool:
    return argument.kind in _GREEDY or argument.properties.get("type") == "greedy"


def _check_gap(text: str, at: int, argument: Argument) -> None:
    """Between two arguments stand literals with one blank before and after each."""
    gap = text[at : argument.start]
    if at and not gap.startswith(" "):
        raise Rejected(TRAILING, at)
    bad = _BAD_BLANK.search(gap)
    if bad is None:
        return
    start = at + bad.start() + 1
    if text[start : argument.start].strip():
        raise Rejected(INCORRECT, start)
    if not _is_greedy(argument):
        check(argument.kind, argument.properties, text, start)
        raise Rejected(INCORRECT, start)


def _check_tail(text: str, at: int) -> None:
    tail = text[at:]
    if tail and at and not tail.startswith(" "):
        raise Rejected(TRAILING, at)
    bad = _BAD_BLANK.search(tail)
    if bad is not None:
        raise Rejected(INCORRECT, at + bad.start() + 1)
    if tail.endswith(" "):
        raise Rejected(INCORRECT, len(text) - 1)


def _explained(text: str, refusal: Refusal) -> Rejected:
    """Return the server's complaint for what the grammar refused."""
    written = text.rstrip()
    end = len(written)
    deepest = max((tried.start for tried in refusal.tried), default=-1)
    if refusal.position >= end and deepest >= end:
        return _incomplete(text, end)
    if deepest >= 0:
        complaint = _tried_at(text, [tried for tried in refusal.tried if tried.start == deepest])
        if complaint is not None:
            return complaint
    return _by_position(text, end, refusal)


def _incomplete(text: str, end: int) -> Rejected:
    """Nothing is left to read: one blank too many is an argument that is not one."""
    return Rejected(INCORRECT, end) if len(text) > end else Rejected(INCOMPLETE, end)


def _tried_at(text: str, tried: list[Tried]) -> Rejected | None:
    complaints = []
    for one in tried:
        try:
            check(one.kind, one.properties, text, one.start)
        except Rejected as rejected:
            complaints.append(rejected)
    kinds = {one.kind for one in tried}
    if len(kinds) == 1 and complaints:
        return complaints[0]
    # With several readers tried and none content, Brigadier has no single error to show.
    return Rejected(INCORRECT, tried[0].start) if len(kinds) > 1 and len(complaints) == len(tried) else None


def _by_position(text: str, end: int, refusal: Refusal) -> Rejected:
    at = refusal.position
    expected = refusal.message.partition(" but got ")[0]
    for token, message in _EXPECTED:
        if token in expected:
            return Rejected(message, min(at, len(text)))
    if at >= end:
        return _incomplete(text, end)
    if at == 0:
        return Rejected(INCOMPLETE, 0)
    unclosed = _unclosed(text, refusal)
    if unclosed is not None:
        return unclosed
    if "eof" in expected and not text[at - 1].isspace():
        return Rejected(TRAILING, at)
    return Rejected(INCORRECT, at)


def _unclosed(text: str, refusal: Refusal) -> Rejected | None:
    """Return the complaint about a quote that never ends, if that is what stopped the grammar."""
    if text[refusal.position] not in "\"'":
        return None
    try:
        scan.read_string(text, refusal.position)
    except Rejected as rejected:
        return rejected
    return None
