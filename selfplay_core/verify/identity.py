"""Who a server says it is, read from its own words at every connect."""

from __future__ import annotations

import re
from typing import Final

from selfplay_core.models import SANDBOX_NAME, WorldIdentity, WorldKind
from selfplay_core.text import clean, clip, without_colours

__all__ = ["IDENTITY_COMMAND", "read_identity", "version_note"]

IDENTITY_COMMAND: Final = "version"

# Paper and Spigot: "This server is running Paper version 1.21.4-232-ver/1.21.4@12d8fe0 (...) (MC: 1.21.4)".
_RUNNING = re.compile(r"running (?P<brand>[\w+-]+)(?: version (?P<version>\S+))?", re.IGNORECASE)
_GAME_VERSION = re.compile(r"MC: (?P<version>\d+(?:\.\d+)+)")
# Vanilla from 1.21.6: one message a fact, joined with nothing: "Server version info:id = 1.21.8name = 1.21.8…".
_VANILLA_ID = re.compile(
    r"\bid = (?P<version>\d+(?:\.\d+)+(?:-(?:pre|rc|snapshot)-?\d+)?|\d\dw\d\d[a-z])", re.IGNORECASE
)
_NUMBER = re.compile(r"\d+(?:\.\d+)+")


def read_identity(reply: str) -> WorldIdentity:
    """Read the reply to `version`; a server that does not know the command is an unnamed real one."""
    text = clip(clean(without_colours(reply)), 1_000)
    if SANDBOX_NAME in text:
        return WorldIdentity(WorldKind.SANDBOX, SANDBOX_NAME, _first(_NUMBER, text))
    game = _GAME_VERSION.search(text)
    running = _RUNNING.search(text)
    if running is not None:
        version = game["version"] if game else _first(_NUMBER, running["version"] or "")
        return WorldIdentity(WorldKind.REAL, running["brand"], version)
    vanilla = _VANILLA_ID.search(text)
    if vanilla is not None:
        return WorldIdentity(WorldKind.REAL, "vanilla", vanilla["version"])
    return WorldIdentity(WorldKind.REAL, "", "")


def version_note(version: str) -> str:
    """Return what to know about verdicts on a server of this version; empty within 1.21.1 to 1.21.11."""
    numbers = [int(part) for part in version.split(".")[:3] if part.isdigit()]
    if not version or [1, 21, 1] <= numbers <= [1, 21, 11]:
        return ""
    return (
        f"Verdicts are made for Minecraft 1.21.1 to 1.21.11, and this server is {version}: set verify.language to "
        "its own en_us.json."
    )


def _first(pattern: re.Pattern[str], text: str) -> str:
    match = pattern.search(text)
    return match.group() if match else ""
