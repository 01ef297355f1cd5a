"""What an objective can count: the game's own criteria, and its statistics."""

from __future__ import annotations

import re
from typing import Final

from selfplay_core.sandbox.facts.registries import COLOUR, known
from selfplay_core.sandbox.parser.scan import full_id

__all__ = ["is_criterion"]

_OWN = re.compile(
    r"dummy|trigger|deathCount|playerKillCount|totalKillCount|health|food|air|armor|xp|level|"
    rf"(?:teamkill|killedByTeam)\.(?:{COLOUR.pattern})"
)
# Kinds of statistics, and the registry that what they count is from.
_STATISTICS: Final = {
    "minecraft:mined": "block",
    **dict.fromkeys(
        ("minecraft:broken", "minecraft:crafted", "minecraft:dropped", "minecraft:picked_up", "minecraft:used"), "item"
    ),
    **dict.fromkeys(("minecraft:killed", "minecraft:killed_by"), "entity_type"),
    "minecraft:custom": "custom_stat",
}


def is_criterion(word: str) -> bool:
    """Tell whether a word is a criterion: one of the game's, or `kind:what` with dots in place of colons."""
    if _OWN.fullmatch(word):
        return True
    kind, colon, what = word.partition(":")
    registry = _STATISTICS.get(full_id(kind.replace(".", ":", 1)))
    return bool(colon) and registry is not None and known(registry, full_id(what.replace(".", ":", 1)))
