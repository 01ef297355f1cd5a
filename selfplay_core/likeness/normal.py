"""The form in which two texts are the same although they were typed differently."""

from __future__ import annotations

import re
import unicodedata
from typing import Final

__all__ = ["bare", "normal_commands", "normal_text", "words"]

_WORD: Final = re.compile(r"\w+")
_PREFIXES: Final = frozenset({"sudo", "pray"})


def words(prompt: str) -> list[str]:
    """Return the words of a prompt without case, signs and the prefix that names its mode."""
    found = _WORD.findall(unicodedata.normalize("NFKC", prompt).casefold())
    return found[1:] if found and found[0] in _PREFIXES else found


def normal_text(prompt: str) -> str:
    """Return what equal prompts share; a prompt without any word is its own."""
    return " ".join(words(prompt)) or prompt


def normal_commands(commands: tuple[str, ...]) -> str:
    """Return what equal lists of commands share: blanks and a leading slash make no other command."""
    return "\n".join(bare(" ".join(command.split())) for command in commands)


def bare(command: str) -> str:
    """Return a command without the slash that chat wants before it; WorldEdit's two belong to the name."""
    return command if command.startswith("//") else command.removeprefix("/")
