"""Every way in which the game's commands can be written, for the map of what has been covered.

`python -m selfplay_core.sandbox.usages` prints curriculum/usages.txt anew from mecha's tree: a line for each command
that could not go on, fixed words as they are and arguments as the name of their parser. What manages the server is
left out, for the policy lets none of it through.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Final

from selfplay_core.sandbox.parser.grammar import command_tree

__all__ = ["usages"]

_MANAGES: Final = frozenset(
    (
        *("ban", "ban-ip", "banlist", "datapack", "debug", "deop", "fetchprofile", "function", "help", "jfr", "kick"),
        *("op", "pardon", "pardon-ip", "perf", "publish", "reload", "save-all", "save-off", "save-on", "seed"),
        *("setidletimeout", "spectate", "stop", "stopwatch", "test", "tick", "transfer", "version", "whitelist"),
    )
)
_RUNS_ANOTHER: Final = frozenset({"execute", "return"})


def usages() -> list[str]:
    """Return all usages, sorted; none is the beginning of another."""
    found = {" ".join(words) for words in _walk(command_tree(), ())}
    return sorted(one for one in found if not any(other.startswith(f"{one} ") for other in found))


def _walk(node: Any, words: tuple[str, ...]) -> Iterator[tuple[str, ...]]:
    children = node.children or {}
    if words and (node.executable or not children):
        yield words
    for name, child in children.items():
        root = words[0] if words else name
        if root in _MANAGES or (name == "run" and root in _RUNS_ANOTHER):
            continue
        longer = (*words, _word(root, name, child, words))
        # What leads back to the beginning goes on as a command of its own.
        if child.redirect is not None and words:
            yield longer
        elif child.redirect is None:
            yield from _walk(child, longer)


def _word(root: str, name: str, child: Any, words: tuple[str, ...]) -> str:
    if words == ("schedule", "clear"):
        return "<function>"  # for the parser a plain string, which it compares with the names of functions
    if child.type != "literal":
        return f"<{child.parser.rpartition(':')[2]}>"
    return "<gamerule>" if root == "gamerule" and words else name


if __name__ == "__main__":
    print("\n".join(usages()))
