"""The small language in which the catalogue's patterns are written."""

from __future__ import annotations

import functools
import itertools
import re
from dataclasses import dataclass
from typing import Final

__all__ = ["Pattern", "expand", "parse"]

# Bounded, so that a search over a megabyte of digits stays linear.
_NUMBER: Final = r"[-+]?\d{1,20}(?:\.\d{1,20})?(?:[eE][-+]?\d{1,4})?"

_CHOICES: Final = re.compile(
    r"(?P<escaped>\\.)|(?P<keyed>\{(?:[^{}<>\\]|<[^<>]*>)*\})|(?P<plain><[^<>{}\\]*>)|(?P<other>[^\\{<]+|.)"
)
_TOKENS: Final = re.compile(r"\\(?P<escaped>.)|(?P<number>#)|(?P<wild>[%…≈])|(?P<literal>[^\\#%…≈]+)")

# What each placeholder takes. The rest of a fixed sentence holds no data, so nothing that data bring along.
_WILD: Final = {"%": (".", "+"), "…": (".", "*"), "≈": (r"[^\d:\[\]{}\"]", "*")}


@dataclass(frozen=True, slots=True)
class Pattern:
    """One message as we know it again.

    `head` is the fixed text it begins with, `pieces` every fixed text in it, `weight` their length in all,
    `open_ended` whether it ends in a placeholder and so takes in all that follows.
    """

    source: str
    head: str
    pieces: tuple[str, ...]
    longest: str
    weight: int
    open_ended: bool
    counts_first: bool

    def matches(self, text: str) -> bool:
        """Whether the whole of `text`, one line, is this message."""
        if not text.startswith(self.head) or self.longest not in text:
            return False
        # A text without one of the pieces would be searched to its end in vain.
        return all(piece in text for piece in self.pieces) and _whole(self.source).match(text) is not None

    def end_of_prefix(self, text: str, start: int, limit: int) -> int | None:
        """Where the message that begins at `start` ends, looking no further than `limit`."""
        if self.open_ended or not text.startswith(self.head, start):
            return None
        found = _prefix(self.source).match(text, start, limit)
        return found.end() if found else None


def expand(key: str, pattern: str) -> list[tuple[str, str]]:
    """Multiply out the choices of one entry of the catalogue.

    `<a|b>` is a choice of texts. The n-th `{a|b}` of the pattern goes with the n-th of the key, choice by
    choice. A backslash takes the meaning from the character after it.
    """
    key_parts = _parts(key)
    names = [part for part in key_parts if len(part) > 1]
    texts: list[list[tuple[str, int]]] = []
    keyed: list[int] = []
    for match in _CHOICES.finditer(pattern):
        piece = match.group()
        if match["keyed"]:
            keyed.append(len(texts))
            choices = [(text, number) for number, option in enumerate(_split(piece)) for text in _inner(option)]
            texts.append(choices)
        elif match["plain"]:
            texts.append([(option, 0) for option in _split(piece)])
        else:
            texts.append([(piece, 0)])
    if names and len(names) != len(keyed):
        raise ValueError(f"The choices of {key!r} and {pattern!r} do not pair up.")
    expanded = []
    for combination in itertools.product(*texts):
        chosen = iter([combination[index][1] for index in keyed])
        name = "".join(part[next(chosen)] if len(part) > 1 else part[0] for part in key_parts)
        expanded.append((name, "".join(text for text, _ in combination)))
    return expanded


def parse(text: str) -> Pattern:
    """Read a pattern without choices.

    `#` is a number, `%` some text, `…` any text or none, `≈` the rest of a sentence without data in it.
    """
    pieces: list[str] = []
    head = ""
    previous = ""
    for match in _TOKENS.finditer(text):
        literal = match["escaped"] or match["literal"] or ""
        if literal and previous == "literal":
            pieces[-1] += literal
        elif literal:
            pieces.append(literal)
        if literal and len(pieces) == 1 and previous in ("", "literal"):
            head = pieces[0]
        previous = "literal" if literal else match.lastgroup or ""
    return Pattern(
        source=text,
        head=head,
        pieces=tuple(pieces),
        longest=max(pieces, key=len, default=""),
        weight=sum(map(len, pieces)) + text.count("#"),
        open_ended=text.endswith(("%", "…")),
        counts_first=text.startswith("#"),
    )


@functools.cache
def _whole(text: str) -> re.Pattern[str]:
    """Compile to a regular expression that takes linear time: every placeholder but the last is atomic."""
    chunks = _chunks(text)
    source = chunks[0][1] + "".join(map(_atomic, chunks[1:-1]))
    if len(chunks) > 1:
        wild, chunk = chunks[-1]
        source += "".join(_WILD[wild]) + chunk
    return re.compile(source + r"\Z")


@functools.cache
def _prefix(text: str) -> re.Pattern[str]:
    chunks = _chunks(text)
    source = chunks[0][1] + "".join(map(_atomic, chunks[1:-1]))
    if len(chunks) > 1:
        # A sentence without data goes on as long as it can; before fixed text, any placeholder stops at once.
        source += "".join(_WILD["≈"]) if chunks[-1] == ("≈", "") else _atomic(chunks[-1])
    return re.compile(source)


def _atomic(chunk: tuple[str, str]) -> str:
    characters, quantifier = _WILD[chunk[0]]
    return f"(?>{characters}{quantifier}?{chunk[1]})"


def _chunks(text: str) -> list[tuple[str, str]]:
    """Return pairs of a placeholder and the expression that follows it; the first has no placeholder."""
    chunks: list[tuple[str, str]] = [("", "")]
    for match in _TOKENS.finditer(text):
        if match["wild"]:
            chunks.append((match["wild"], ""))
            continue
        wild, source = chunks[-1]
        literal = re.escape(match["escaped"] or match["literal"] or "")
        chunks[-1] = (wild, source + (_NUMBER if match["number"] else literal))
    return chunks


def _parts(key: str) -> list[list[str]]:
    return [_split(part) if part.startswith("{") else [part] for part in re.split(r"(\{[^{}]*\})", key) if part]


def _split(choice: str) -> list[str]:
    """Return the options of `{…|…}` or `<…|…>`; bars inside an inner `<…>` do not part them."""
    return re.split(r"\|(?![^<>]*>)", choice[1:-1])


def _inner(option: str) -> list[str]:
    return [text for _, text in expand("", option)]
