"""Reads a command as the server would, down every `execute … run` and `return run`."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Final

from selfplay_core.verify.rules import EXECUTE, Shape
from selfplay_core.verify.spelling import bare_name, loosened

__all__ = ["Call", "Reading", "readings", "remembered", "words"]

_MOST_STARTS = 32
_LONGEST_UNREADABLE = 32_768
_MOST_WORDS = 24

# The policy reads a command before it is held and again before it is sent, the verdict once more after the reply.
_REMEMBERED: Final = 256
_LONGEST_REMEMBERED: Final = 2_048

_MARK = re.compile(r"""[ \[\]{}"']""")
_INSIDE = re.compile(r"""[\[\]{}"']""")
_QUOTED = re.compile(r'"(?:[^"\\]|\\.)*+"|' r"'(?:[^'\\]|\\.)*+'", re.DOTALL)
_SPACES = re.compile(r" *")
_LEAD = re.compile(r"[ /]*")
_COORDINATE = re.compile(r"[~^]?[-+]?[\d.]*(?:[eE][-+]?\d+)?")
_RUN = re.compile(r"(?<!\S)run(?!\S)", re.IGNORECASE)
_SELECTOR = re.compile(r"(?<!\S)@\S+")
_FUNCTION = re.compile(r"(?<!\S)(?:if|unless)\s+function\s+(\S+)", re.IGNORECASE)
_SUMMON = re.compile(r"(?<!\S)summon\s+(\S+)", re.IGNORECASE)
_CLOSES = {"]": "[", "}": "{"}


@dataclass(frozen=True, slots=True)
class Call:
    """A command that the server may run: `name` bare and in lower case, `rest` its arguments as written."""

    name: str
    rest: str
    doubled: bool = False

    @property
    def shown(self) -> str:
        """The name as a person knows it; WorldEdit's own commands keep their two slashes."""
        return f"//{self.name}" if self.doubled else self.name


@dataclass(frozen=True, slots=True)
class Reading:
    """One way to read a command.

    `calls` holds what would run in the end: one call if the walk was certain, else one for every place
    where one may begin. `around` names the commands that stand around it, `forks` the selectors that run it
    once for each match, `functions` what conditions run, `summoned` what `execute summon` makes, `condition`
    what the last `if` asks for (`entity`), or the last `unless` (`unless entity`). `run_at` is the index of the
    last `run` of an `execute`, 0 without one. `tests` says that it ends in a condition with nothing to run,
    `tangled` that it was not read to its end.
    """

    calls: tuple[Call, ...]
    forks: tuple[str, ...] = ()
    functions: tuple[str, ...] = ()
    summoned: tuple[str, ...] = ()
    around: frozenset[str] = frozenset()
    condition: str = ""
    run_at: int = 0
    stores: bool = False
    tests: bool = False
    certain: bool = True
    tangled: bool = False


def readings(command: str) -> tuple[Reading, ...]:
    """Read `command` to the letter, as a strict server does, and once more with odd spelling forgiven.

    Both are needed: what is an odd space to a lenient reader is a part of a name to a strict one, and the two
    may see different commands.
    """
    return remembered(command) if len(command) <= _LONGEST_REMEMBERED else _readings(command)


@lru_cache(_REMEMBERED)
def remembered(command: str) -> tuple[Reading, ...]:
    """As `readings`, of a command of the length that servers read."""
    return _readings(command)


def _readings(command: str) -> tuple[Reading, ...]:
    letter = _read(command)
    loose = loosened(command)
    return (letter,) if loose == command else (letter, _read(loose))


def words(text: str) -> list[str]:
    """Return the first words of `text`, spaces within brackets and quotes included in a word.

    From a bracket or quote that never closes on, every space ends a word.
    """
    found: list[str] = []
    closes = True
    at = _skip(_SPACES, text, 0)
    while at < len(text) and len(found) < _MOST_WORDS:
        end = _balanced(text, at) if closes else None
        if end is None:
            closes = False
            end = _word(text, at)
        found.append(text[at:end])
        at = _skip(_SPACES, text, end)
    return found


class _Unexpected(Exception):
    """Raised when the text is not what the server's parser would expect here."""


@dataclass(slots=True)
class _Walk:
    """What a walk has met so far; `at` is the index of the space before the next word, or the end."""

    text: str
    at: int = 0
    forks: list[str] = field(default_factory=list)
    functions: list[str] = field(default_factory=list)
    summoned: list[str] = field(default_factory=list)
    around: set[str] = field(default_factory=set)
    condition: str = ""
    run_at: int = 0
    stores: bool = False
    tests: bool = False


def _read(text: str) -> Reading:
    walk = _Walk(text)
    try:
        call = _descend(walk)
    except _Unexpected:
        return _every_start(text)
    return Reading(
        calls=(call,),
        forks=tuple(walk.forks),
        functions=tuple(walk.functions),
        summoned=tuple(walk.summoned),
        around=frozenset(walk.around),
        condition=walk.condition,
        run_at=walk.run_at,
        stores=walk.stores,
        tests=walk.tests and call.name == "execute",
    )


def _descend(walk: _Walk) -> Call:
    start = 0
    while True:
        name, doubled, end = _root(walk.text, start)
        walk.at = end
        if name == "execute":
            if not _subcommands(walk):
                return Call(name, "", doubled)
        elif not (name == "run" or (name == "return" and _takes_run(walk))):
            return Call(name, walk.text[end:].strip(" "), doubled)
        walk.around.add(name)
        start = walk.at


def _root(text: str, at: int) -> tuple[str, bool, int]:
    """Read a command's name; a word of slashes and namespace alone is passed over."""
    slashes = 0
    while at < len(text):
        begin = _skip(_LEAD, text, at)
        slashes += text.count("/", at, begin)
        at = _word(text, begin)
        name, doubled = bare_name(text[begin:at])
        if name:
            return name, doubled or slashes > 1, at
    return "", False, at


def _takes_run(walk: _Walk) -> bool:
    begin = _skip(_SPACES, walk.text, walk.at)
    end = _word(walk.text, begin)
    if walk.text[begin:end].lower() != "run":
        return False
    walk.at = end
    return True


def _subcommands(walk: _Walk) -> bool:
    """Walk over execute's sub-commands; true if the walk stands behind a `run`."""
    while walk.at < len(walk.text):
        word = _next_word(walk)
        if word == "run":
            walk.run_at = walk.at - len(word)
            return True
        shape = EXECUTE.get(word)
        if shape is None:
            raise _Unexpected
        walk.stores = walk.stores or word == "store"
        walk.tests = word in ("if", "unless")
        if walk.tests:
            asked = walk.text[walk.at + 1 : _word(walk.text, walk.at + 1)].lower()
            walk.condition = asked if word == "if" else f"unless {asked}"
        _follow(walk, shape)
    return False


def _follow(walk: _Walk, shape: Shape) -> None:
    for part in shape:
        if isinstance(part, str):
            for kind in part:
                _argument(walk, kind)
        else:
            _follow(walk, _branch(walk, part))


def _branch(walk: _Walk, choices: Mapping[str, Shape]) -> Shape:
    before = walk.at
    chosen = choices.get(_next_word(walk))
    if chosen is not None:
        return chosen
    walk.at = before
    if "" not in choices:
        raise _Unexpected
    return choices[""]


def _next_word(walk: _Walk) -> str:
    begin = walk.at + 1
    walk.at = _word(walk.text, begin)
    return walk.text[begin : walk.at].lower()


def _argument(walk: _Walk, kind: str) -> None:
    begin = walk.at + 1
    end = _end_of(walk.text, begin, kind)
    value = walk.text[begin:end]
    if not _plausible(value, kind):
        raise _Unexpected
    walk.at = end
    if kind == "E":
        walk.forks.append(value)
    elif kind == "f":
        walk.functions.append(value)
    elif kind == "m":
        walk.summoned.append(value)


def _end_of(text: str, begin: int, kind: str) -> int:
    first = text[begin : begin + 1]
    if kind in "bp" or (kind in "eEs" and first == "@"):
        # Quotes outside brackets are refused by the server, or else a letter like any other: no way to tell.
        end = _balanced(text, begin, unfit="'" if kind == "p" else "'\"")
    elif kind in "eE" and first in ("'", '"'):
        end = _balanced(text, begin)
    else:
        return _word(text, begin)
    if end is None:
        raise _Unexpected
    return end


def _plausible(value: str, kind: str) -> bool:
    if kind == "s":
        return True  # a score holder may be any text, even none
    if kind == "c":
        return bool(value) and _COORDINATE.fullmatch(value) is not None
    return bool(value) and (kind in "eE" or value.lower() != "run")


def _every_start(text: str) -> Reading:
    """Read a command that the walk did not understand: every `run` may be where a command begins."""
    starts = [match.end() for match in _RUN.finditer(text)]
    if len(starts) > _MOST_STARTS or (starts and len(text) > _LONGEST_UNREADABLE):
        return Reading(calls=(Call("execute", ""),), certain=False, tangled=True)
    calls = []
    for start in (0, *starts):
        name, doubled, end = _root(text, start)
        while name == "run" and end < len(text):
            name, doubled, end = _root(text, end)
        calls.append(Call(name, text[end:].strip(" ") if start else "", doubled))
    return Reading(
        calls=tuple(calls),
        forks=tuple(_SELECTOR.findall(text)),
        functions=tuple(_FUNCTION.findall(text)),
        summoned=tuple(_SUMMON.findall(text)),
        around=frozenset(("execute", "return")),
        stores=True,
        certain=False,
    )


def _word(text: str, at: int) -> int:
    end = text.find(" ", at)
    return len(text) if end < 0 else end


def _skip(over: re.Pattern[str], text: str, at: int) -> int:
    match = over.match(text, at)
    return match.end() if match else at


def _balanced(text: str, at: int, unfit: str = "") -> int | None:
    """Return the index behind the word at `at`, brackets and quotes respected.

    None if they do not close, or if a quote of `unfit` stands outside brackets.
    """
    open_brackets: list[str] = []
    while mark := (_INSIDE if open_brackets else _MARK).search(text, at):
        character = mark.group()
        at = mark.end()
        if character == " ":
            return mark.start()
        if character in "[{":
            open_brackets.append(character)
        elif character in "]}":
            if not open_brackets or open_brackets.pop() != _CLOSES[character]:
                return None
        else:
            quoted = _QUOTED.match(text, mark.start())
            if quoted is None or (character in unfit and not open_brackets):
                return None
            at = quoted.end()
    return None if open_brackets else len(text)
