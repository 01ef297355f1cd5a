"""Commands within commands: in command blocks, and behind texts that a player may click."""

from __future__ import annotations

import re
from dataclasses import dataclass

__all__ = [
    "Clicks",
    "clicks",
    "holds_builder",
    "holds_command_block",
    "largest_explosion",
    "levels",
    "writes_command_key",
]

_MOST_LEVELS = 6
_MOST_CLICKS = 32
_LONGEST = 32_768

_ESCAPE = re.compile(r"\\(?:u([0-9a-fA-F]{4})|U([0-9a-fA-F]{8})|x([0-9a-fA-F]{2})|(.))", re.DOTALL)
_STRING = re.compile(r'"(?:[^"\\]|\\.)*+"?|' r"'(?:[^'\\]|\\.)*+'?", re.DOTALL)
_COLON = re.compile(r"\s*:")
_KEY = re.compile(r"(?<![\w.+-])Command\s*:")
_BLOCK = re.compile(r"command_?block", re.IGNORECASE)
_BUILDER = re.compile(r"structure_block|jigsaw|test_instance_block|test_block", re.IGNORECASE)
_ACTION = re.compile(
    r"""(?:action|type)["']?\s{0,99}[:=]>?\s{0,99}["']?(?:minecraft:)?(?:dynamic/)?run_command""", re.IGNORECASE
)
_CLICKED = re.compile(
    r"""(?<![\w.])["']?(?:command|value|template)["']?\s{0,99}[:=]>?\s{0,99}"""
    r"""("(?:[^"\\]|\\.)*+"|'(?:[^'\\]|\\.)*+'|[^\s,;}\]"']+)""",
    re.IGNORECASE | re.DOTALL,
)
_EXPLOSION = re.compile(r"explosion_?(?:power|radius)[\"']?\s{0,99}:\s{0,99}(\d{1,9})", re.IGNORECASE)
_CONTROLS = {"n": "\n", "t": "\t", "r": "\r", "b": "\b", "f": "\f", "s": " "}


@dataclass(frozen=True, slots=True)
class Clicks:
    """The commands that a click may run; `unread` says that there may be more than could be read."""

    commands: tuple[str, ...] = ()
    unread: bool = False


def levels(text: str) -> tuple[tuple[str, ...], bool]:
    """Return `text` with its escapes undone again and again, and whether that came to an end.

    A text component in a string in NBT is escaped once for each string around it. A character given by its
    name (`\\N{…}`) is not looked up: the answer then is that it came to no end.
    """
    found = [text]
    while "\\" in found[-1]:
        if len(found) > _MOST_LEVELS or len(text) > _LONGEST:
            return tuple(found), False
        plainer = _ESCAPE.sub(_unescaped, found[-1])
        if plainer == found[-1]:
            break
        found.append(plainer)
    return tuple(found), not any("\\N{" in level for level in found)


def holds_command_block(texts: tuple[str, ...]) -> bool:
    """Tell whether any level of a text names a command block or its minecart."""
    return any(_BLOCK.search(text) for text in texts)


def holds_builder(texts: tuple[str, ...]) -> bool:
    """Tell whether any level of a text names a block that builds structures, whatever they hold."""
    return any(_BUILDER.search(text) for text in texts)


def writes_command_key(text: str) -> bool:
    """Tell whether NBT in `text` has the key `Command`, which makes a command block run something.

    What stands inside a string is not NBT; a key may be a string itself.
    """
    for string in _STRING.finditer(text):
        if not _COLON.match(text, string.end()):
            continue
        if _content(string.group()) == "Command":
            return True
    return _KEY.search(_STRING.sub('""', text)) is not None


def clicks(texts: tuple[str, ...]) -> Clicks:
    """Return the commands that the text components among `texts` run when a player clicks them."""
    actions = max(sum(1 for _ in _ACTION.finditer(text)) for text in texts)
    # Where the server reads JSON leniently, a comment may stand between a key and its value.
    commented = any("/*" in text and "run_command" in text.lower() for text in texts)
    if commented or (actions and len(texts[0]) > _LONGEST):
        return Clicks(unread=True)
    if not actions:
        return Clicks()
    found: dict[str, None] = {}
    most = 0
    for text in texts:
        values = [_content(value) for value in _CLICKED.findall(text)]
        most = max(most, len(values))
        found.update(dict.fromkeys(values))
    return Clicks(tuple(found)[:_MOST_CLICKS], unread=most < actions or len(found) > _MOST_CLICKS)


def largest_explosion(texts: tuple[str, ...]) -> int:
    """Return the largest power or radius of an explosion that NBT in `texts` asks for."""
    return max((int(power) for text in texts for power in _EXPLOSION.findall(text)), default=0)


def _content(value: str) -> str:
    return _ESCAPE.sub(_unescaped, value[1:-1]) if value[0] in "\"'" else value


def _unescaped(match: re.Match[str]) -> str:
    digits = match[1] or match[2] or match[3]
    if digits:
        code = int(digits, 16)
        return chr(code) if code <= 0x10FFFF else ""
    return _CONTROLS.get(match[4], match[4])
