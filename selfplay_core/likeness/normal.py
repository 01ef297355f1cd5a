"""The form in which two texts are the same although they were typed differently."""

from __future__ import annotations

import re
import unicodedata
from typing import Final

__all__ = ["bare", "normal_commands", "normal_text", "words"]

# Scripts without blanks: each sign is a word.
_SIGNS: Final = "\u3005-\u30ff\u3400-\u9fff\uf900-\ufaff"
_WORD: Final = re.compile(rf"[{_SIGNS}]|[^\W{_SIGNS}]+")
# Soft hyphen, zero-width signs and joiners: nobody sees that they part a word.
_UNSEEN: Final = re.compile("[\u00ad\u200b-\u200f\u202a-\u202e\u2060-\u2064\ufeff]")
_PREFIXES: Final = frozenset({"sudo", "pray"})


def words(prompt: str) -> list[str]:
    """Return the words of a prompt without case, signs and the prefix that names its mode; else its very signs."""
    text = _UNSEEN.sub("", unicodedata.normalize("NFKC", prompt)).casefold()
    found = _WORD.findall(text)
    prefix = found[0] if found and found[0] in _PREFIXES else ""
    return (found[1:] if prefix else found) or list("".join(text.split()).removeprefix(prefix))


def normal_text(prompt: str) -> str:
    """Return what equal prompts share; a prompt without any word is its own."""
    return " ".join(words(prompt)) or prompt


def normal_commands(commands: tuple[str, ...]) -> str:
    """Return what equal lists of commands share: blanks and a leading slash make no other command."""
    return "\n".join(bare(" ".join(command.split())) for command in commands)


def bare(command: str) -> str:
    """Return a command without the slash that chat wants before it; WorldEdit's two belong to the name."""
    return command if command.startswith("//") else command.removeprefix("/")
