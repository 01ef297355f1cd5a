"""One spelling for the many ways in which a command can be written."""

from __future__ import annotations

import re
import unicodedata

__all__ = ["CONTROL", "bare_name", "loosened"]

# Line breaks and other controls but the tab, the two Unicode separators, and lone surrogates, which no
# packet can carry.
CONTROL = re.compile("[\x00-\x08\x0a-\x1f\x7f-\x9f\u2028\u2029\ud800-\udfff]")

_SPACES = re.compile(" {2,}")
_BLANK = frozenset("\u00a0\u115f\u1160\u2800\u3164\uffa0")
_LONGEST_EXPANSION = 4


def loosened(command: str) -> str:
    """Return `command` with odd spaces as spaces, hidden characters gone, and wide or styled letters plain.

    Case is kept. Quotes and brackets are never made from other characters: the server does not take those for
    structure, so that a reader who did could be led astray.
    """
    if command.isascii():
        return _SPACES.sub(" ", command.replace("\t", " ")).strip(" ")
    odd = {character for character in set(command) if not character.isascii()}
    table = {ord(character): _loose(character) for character in odd}
    table[ord("\t")] = " "
    return _SPACES.sub(" ", command.translate(table)).strip(" ")


def bare_name(word: str) -> tuple[str, bool]:
    """Return a command's name without slashes, namespaces and case, and whether it had two slashes or more.

    `worldedit:/set`, as Paper knows it, is `//set`.
    """
    name = word.rpartition(":")[2].lstrip("/")
    return name.lower(), word.count("/") > 1 or ":/" in word


def _loose(character: str) -> str:
    category = unicodedata.category(character)
    if category == "Zs" or character in _BLANK:
        return " "
    if category in ("Cf", "Mn", "Me"):
        return ""
    if character in "\u0130\u0131":  # capital dotted and small dotless i
        return "i"
    plain = unicodedata.normalize("NFKC", character)
    if len(plain) > _LONGEST_EXPANSION or not _harmless(plain):
        return character
    return plain


def _harmless(plain: str) -> bool:
    return plain.isascii() and all(character.isalnum() or character in "/:._-" for character in plain)
