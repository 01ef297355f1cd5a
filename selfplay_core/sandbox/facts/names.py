"""How the game names things in English: by rule, and where no rule holds by hand."""

from __future__ import annotations

import re

__all__ = ["display_name"]

_NAMES = {
    "tnt": "TNT",
    "redstone": "Redstone Dust",
    "cooked_beef": "Steak",
    "hay_block": "Hay Bale",
    "experience_bottle": "Bottle o' Enchanting",
    "ender_eye": "Eye of Ender",
    "writable_book": "Book and Quill",
    "map": "Empty Map",
    "filled_map": "Map",
    "repeater": "Redstone Repeater",
    "comparator": "Redstone Comparator",
    "turtle_helmet": "Turtle Shell",
    "leather_helmet": "Leather Cap",
    "leather_chestplate": "Leather Tunic",
    "leather_leggings": "Leather Pants",
    "unluck": "Bad Luck",
    "binding_curse": "Curse of Binding",
    "vanishing_curse": "Curse of Vanishing",
    "dolphins_grace": "Dolphin's Grace",
    "lapis_ore": "Lapis Lazuli Ore",
    "deepslate_lapis_ore": "Deepslate Lapis Lazuli Ore",
    "lapis_block": "Block of Lapis Lazuli",
    "waxed_copper_block": "Waxed Block of Copper",
    "smooth_quartz": "Smooth Quartz Block",
    "quartz": "Nether Quartz",
    "spawner": "Monster Spawner",
    "spawner_minecart": "Minecart with Monster Spawner",
    "tnt_minecart": "Minecart with TNT",
    "jack_o_lantern": "Jack o'Lantern",
    "vine": "Vines",
    "jigsaw": "Jigsaw Block",
    "slime_ball": "Slimeball",
    "rabbit_foot": "Rabbit's Foot",
    "dragon_breath": "Dragon's Breath",
    "disc_fragment_5": "Disc Fragment",
    "flower_banner_pattern": "Flower Charge Banner Pattern",
    "creeper_banner_pattern": "Creeper Charge Banner Pattern",
    "skull_banner_pattern": "Skull Charge Banner Pattern",
    "mojang_banner_pattern": "Thing Banner Pattern",
    "piglin_banner_pattern": "Snout Banner Pattern",
    "netherite_upgrade_smithing_template": "Netherite Upgrade",
    "bamboo_sapling": "Bamboo Shoot",
    "candle_cake": "Cake with Candle",
}
_RULES = (
    (re.compile(r"music_disc_.*"), r"Music Disc"),
    (
        re.compile(
            r"((?:raw_|stripped_)?(?:coal|iron|copper|gold|diamond|netherite|emerald|quartz|amethyst|redstone|"
            r"resin|bamboo))_block"
        ),
        r"Block of \1",
    ),
    (re.compile(r"(\w+)_chest_(boat|raft)"), r"\1 \2 with Chest"),
    (re.compile(r"(\w+)_minecart"), r"Minecart with \1"),
    (re.compile(r"(pufferfish|salmon|cod|tropical_fish|axolotl|tadpole)_bucket"), r"Bucket of \1"),
    (re.compile(r"(\w+_armor_trim)_smithing_template"), r"\1"),
    (re.compile(r"(\w+)_wall_((?:hanging_)?sign|torch|skull|head|banner)"), r"\1 \2"),
    (re.compile(r"wall_torch"), r"Torch"),
    (re.compile(r"(\w+_candle)_cake"), r"Cake with \1"),
    (re.compile(r"(potted_(?:flowering_)?azalea)_bush"), r"\1"),
)
_SMALL = frozenset({"a", "and", "of", "on", "the", "with"})


def display_name(identifier: str) -> str:
    """Return the English name of an id.

    Raw meats are named like the animals, for their ids are the same: `chicken`.
    """
    path = identifier.rpartition(":")[2]
    if path in _NAMES:
        return _NAMES[path]
    for pattern, words in _RULES:
        match = pattern.fullmatch(path)
        if match is not None:
            return _titled(match.expand(words))
    return _titled(path)


def _titled(path: str) -> str:
    words = path.replace("_", " ").split()
    return " ".join(word if word in _SMALL and at else word[:1].upper() + word[1:] for at, word in enumerate(words))
