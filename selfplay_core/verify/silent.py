"""Which command would run in the end, and whether the server answers it with silence when all is well."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final, TypeAlias

from selfplay_core.verify.spans import words

__all__ = ["Innermost", "innermost", "is_silent"]

# `say`, `me` and `tellraw` reach players only, a roll is broadcast, `return` and a function may have no output.
_SILENT: Final = frozenset({"say", "me", "msg", "tell", "w", "teammsg", "tm", "tellraw", "function", "return"})

_Arity: TypeAlias = "int | dict[str, _Arity]"

# How many words follow each word of `execute`; "" stands for any other word, which is then the first of them.
_CONDITION: Final[dict[str, _Arity]] = {
    "biome": 4,
    "block": 4,
    "blocks": 10,
    "data": {"block": 4, "entity": 2, "storage": 2},
    "dimension": 1,
    "entity": 1,
    "function": 1,
    "items": {"block": 5, "entity": 3},
    "loaded": 3,
    "predicate": 1,
    "stopwatch": 2,
}
_STORE: Final[dict[str, _Arity]] = {"block": 6, "bossbar": 2, "entity": 4, "score": 2, "storage": 4}
_EXECUTE: Final[dict[str, _Arity]] = {
    "align": 1,
    "anchored": 1,
    "as": 1,
    "at": 1,
    "facing": {"entity": 2, "": 3},
    "if": _CONDITION,
    "in": 1,
    "on": 1,
    "positioned": {"as": 1, "over": 1, "": 3},
    "rotated": {"as": 1, "": 2},
    "store": {"result": _STORE, "success": _STORE},
    "summon": 1,
    "unless": _CONDITION,
}


@dataclass(frozen=True, slots=True)
class Innermost:
    """The command at the end of a chain; `root` is None if the chain cannot be followed.

    `condition` is what the last `if` asks for (say "entity"), with "unless " before it for its opposite.
    """

    root: str | None
    arguments: tuple[str, ...]
    under_execute: bool
    condition: str | None


def innermost(command: str) -> Innermost:
    """Unwrap a leading slash, namespaces, upper case, `execute … run` and `return run`."""
    text = command.strip().removeprefix("/")
    parts = [text[start:end] for start, end in words(text)]
    at = 0
    under_execute = False
    condition: str | None = None
    while at < len(parts):
        root = parts[at].lower().removeprefix("minecraft:")
        if root == "execute":
            under_execute = True
            end, condition = _end_of_chain(parts, at + 1, condition)
            if end is None:
                return Innermost(None, (), under_execute, condition)
            if end == len(parts):
                return Innermost(root, tuple(parts[at + 1 :]), under_execute, condition)
            at = end + 1
        elif root == "return" and parts[at + 1 : at + 2] == ["run"]:
            at += 2
        else:
            return Innermost(root, tuple(parts[at + 1 :]), under_execute, condition)
    return Innermost(None, (), under_execute, condition)


def is_silent(command: str, *, target_shown: bool = False) -> bool:
    """Whether an empty reply means that the command was carried out.

    Under `execute` silence also means that nobody was there; only `target_shown` rules that out.
    """
    inner = innermost(command)
    if inner.under_execute and not target_shown:
        return False
    if inner.root == "random":
        return inner.arguments[:1] == ("roll",)
    return inner.root in _SILENT


def _end_of_chain(parts: list[str], at: int, condition: str | None) -> tuple[int | None, str | None]:
    """Return where `run` stands (the end of the words without one, None if lost) and the last condition."""
    while at < len(parts) and parts[at] != "run":
        if parts[at] in ("if", "unless"):
            condition = ("unless " if parts[at] == "unless" else "") + "".join(parts[at + 1 : at + 2])
        follow = _following(parts, at)
        if follow is None or at + follow >= len(parts):
            return None, condition
        at += 1 + follow
    return at, condition


def _following(parts: list[str], at: int) -> int | None:
    """Count the words that belong to the word of `execute` at `at`."""
    if parts[at : at + 2] in (["if", "score"], ["unless", "score"]):
        return 5 if parts[at + 4 : at + 5] == ["matches"] else 6
    arity: _Arity | None = _EXECUTE.get(parts[at])
    count = 0
    while isinstance(arity, dict):
        count += 1
        literal = "".join(parts[at + count : at + count + 1])
        if literal not in arity and "" in arity:
            count -= 1
            literal = ""
        arity = arity.get(literal)
    return None if arity is None else count + arity
