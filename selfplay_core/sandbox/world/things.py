"""Entities that are things and no mobs: they have no health, no effects and no attributes."""

from __future__ import annotations

from typing import Final

__all__ = ["THINGS"]

THINGS: Final = frozenset(
    [
        "item",
        "arrow",
        "boat",
        "minecart",
        "tnt",
        "falling_block",
        "item_frame",
        "painting",
        "marker",
        "interaction",
        "text_display",
        "block_display",
        "item_display",
        "lightning_bolt",
        "area_effect_cloud",
        "experience_orb",
        "firework_rocket",
        "end_crystal",
        "fireball",
        "snowball",
        "egg",
        "ender_pearl",
        "potion",
        "leash_knot",
    ]
)
