"""Targets: what a server's reply means, and text made safe for a terminal."""

from __future__ import annotations

import unicodedata

import orjson

from selfplay_core.models import VerdictOutcome
from selfplay_core.text import clean, clip, json_for_terminals, one_line
from selfplay_core.verify.context import HERE
from selfplay_core.verify.reading import plain
from selfplay_core.verify.verdict import judge

__all__ = ["text", "verdict"]

_BAD = (VerdictOutcome.REJECTED, VerdictOutcome.FAILED)
_LONGEST_MARK = len("<U+E0001>")
# Unicode's property Default_Ignorable_Code_Point, but for FE00 to FE0F.
_INVISIBLE = """
AD 34F 61C 115F-1160 17B4-17B5 180B-180F 200B-200F 202A-202E 2060-206F 3164 FEFF FFA0 FFF0-FFF8
1BCA0-1BCA3 1D173-1D17A E0000-E0FFF
"""
_RANGES = [
    (int(first, 16), int(last or first, 16)) for first, _, last in (w.partition("-") for w in _INVISIBLE.split())
]
_BIDIRECTIONAL = {"RLE", "LRE", "RLO", "LRO", "PDF", "RLI", "LRI", "FSI", "PDI"}


def verdict(data: bytes) -> None:
    """The first line is a command, the rest the reply: a verdict, in which a failure is never outshouted."""
    command, _, reply = data.decode("utf-8", "replace").partition("\n")
    found = judge(reply, command)
    assert found == judge(reply, command)
    if plain(reply):
        assert judge(reply, command, target_shown=True) == found
    else:
        assert found.outcome in (VerdictOutcome.PASSED, VerdictOutcome.UNCLEAR)
    if HERE in plain(reply):
        assert found.outcome is VerdictOutcome.REJECTED
    if found.cursor is not None:
        assert 0 <= found.cursor <= len(command)
    if found.outcome in _BAD:
        for more in ("Set the time to 6000", "Gave 1 [Torch] to Dee", "and more"):
            assert judge(f"{more}\n{reply}", command).outcome is not VerdictOutcome.PASSED
            assert judge(f"{reply}\n{more}", command).outcome is not VerdictOutcome.PASSED
    # A section sign takes the character after it along.
    end = "" if reply.endswith("\u00a7") else "\u00a7r"
    painted = judge(f"\u00a7a{reply}{end}", command)
    assert painted.outcome is found.outcome


def text(data: bytes) -> None:
    """Nothing that a terminal obeys is left, what is safe stays, and no text grows past its bound."""
    given = data.decode("utf-8", "surrogateescape")
    cleaned = clean(given)
    assert clean(cleaned) == cleaned
    assert len(cleaned) <= _LONGEST_MARK * len(given)
    for character in cleaned:
        assert unicodedata.category(character) not in {"Cc", "Cs", "Zl", "Zp"} or character in "\n\t"
        assert unicodedata.bidirectional(character) not in _BIDIRECTIONAL
        assert not any(first <= ord(character) <= last for first, last in _RANGES)
    if given.isascii() and given.isprintable():
        assert cleaned == given
    line = one_line(given)
    assert one_line(line) == line
    assert "\n" not in line
    assert "\t" not in line
    for limit in (0, 7, 80):
        assert len(clip(line, limit)) <= limit + len("\u2026 (12345678 more characters)")
    whole = given.encode("utf-8", "replace").decode()
    printed = json_for_terminals(orjson.dumps([whole]).decode())
    assert clean(printed) == printed
    assert orjson.loads(printed) == [whole]
