"""The ids that the game knows, one text file a registry under `ids/`."""

from __future__ import annotations

import re
from functools import cache
from importlib.resources import files

__all__ = ["COLOUR", "GAMEMODE", "display_name", "highest_level", "known", "registry", "stack_size"]

GAMEMODE = re.compile("survival|creative|adventure|spectator")
COLOUR = re.compile(
    "black|dark_blue|dark_green|dark_aqua|dark_red|dark_purple|gold|gray|dark_gray|blue|green|aqua|red|"
    "light_purple|yellow|white"
)

# The highest level that survival mode reaches, for the enchantments where it is above 1.
_LEVELS = {
    2: "fire_aspect|frost_walker|knockback|punch",
    3: "depth_strider|fortune|looting|loyalty|luck_of_the_sea|lunge|lure|quick_charge|respiration|riptide|"
    "soul_speed|sweeping_edge|swift_sneak|thorns|unbreaking|wind_burst",
    4: "blast_protection|breach|feather_falling|fire_protection|piercing|projectile_protection|protection",
    5: "bane_of_arthropods|density|efficiency|impaling|power|sharpness|smite",
}

_NAMES = {
    "tnt": "TNT",
    "redstone": "Redstone Dust",
    "cooked_beef": "Steak",
    "hay_block": "Hay Bale",
    "totem_of_undying": "Totem of Undying",
    "experience_bottle": "Bottle o' Enchanting",
    "ender_eye": "Eye of Ender",
    "flint_and_steel": "Flint and Steel",
    "writable_book": "Book and Quill",
    "map": "Empty Map",
    "filled_map": "Map",
    "carrot_on_a_stick": "Carrot on a Stick",
    "repeater": "Redstone Repeater",
    "comparator": "Redstone Comparator",
    "turtle_helmet": "Turtle Shell",
    "leather_helmet": "Leather Cap",
    "leather_chestplate": "Leather Tunic",
    "leather_leggings": "Leather Pants",
    "heart_of_the_sea": "Heart of the Sea",
    "unluck": "Bad Luck",
    "sweeping_edge": "Sweeping Edge",
    "binding_curse": "Curse of Binding",
    "vanishing_curse": "Curse of Vanishing",
    "bane_of_arthropods": "Bane of Arthropods",
    "luck_of_the_sea": "Luck of the Sea",
    "hero_of_the_village": "Hero of the Village",
    "dolphins_grace": "Dolphin's Grace",
    "chest_minecart": "Minecart with Chest",
    "furnace_minecart": "Minecart with Furnace",
    "tnt_minecart": "Minecart with TNT",
    "hopper_minecart": "Minecart with Hopper",
}
_MINERAL_BLOCKS = ("coal", "iron", "copper", "gold", "diamond", "netherite", "emerald", "quartz", "amethyst")

_SINGLE = re.compile(
    r"\w+_(?:sword|pickaxe|axe|shovel|hoe|spear|helmet|chestplate|leggings|boots|bed|boat|raft|minecart|bucket|"
    r"horse_armor|nautilus_armor|harness|banner_pattern|bundle|potion|shulker_box|stew|soup)|music_disc_\w+|"
    "saddle|minecart|carrot_on_a_stick|warped_fungus_on_a_stick|elytra|wolf_armor|flint_and_steel|bow|bundle|"
    "fishing_rod|spyglass|cake|shears|potion|writable_book|mace|enchanted_book|shield|totem_of_undying|"
    "knowledge_book|debug_stick|trident|crossbow|goat_horn|brush|shulker_box"
)
_SIXTEEN = re.compile(r"\w+_(?:sign|banner|egg)|bucket|snowball|egg|ender_pearl|written_book|armor_stand|honey_bottle")
_SPAWN_EGG = "_spawn_egg"


@cache
def registry(name: str) -> frozenset[str]:
    """Return the ids of a registry without their namespace, or an empty set if there is no list of it."""
    resource = files(__package__).joinpath("ids", name.replace("/", "_") + ".txt")
    if not resource.is_file():
        return frozenset()
    lines = resource.read_text(encoding="utf-8").splitlines()
    return frozenset(word for line in lines if not line.startswith("#") for word in line.split())


def known(registry_name: str, identifier: str) -> bool:
    """Tell whether an id exists; where no list is kept, every id is taken to exist."""
    ids = registry(registry_name)
    if not ids:
        return True
    namespace, _, path = identifier.rpartition(":")
    return namespace in ("", "minecraft") and path in ids


def stack_size(item: str) -> int:
    """Return how many of an item one slot holds."""
    if _SINGLE.fullmatch(item):
        return 1
    return 16 if _SIXTEEN.fullmatch(item) and not item.endswith(_SPAWN_EGG) else 64


def highest_level(enchantment: str) -> int:
    """Return the highest level that `enchant` gives."""
    return next((level for level, names in _LEVELS.items() if enchantment in names.split("|")), 1)


def display_name(identifier: str) -> str:
    """Return the English name of an id, by rule where the game names no exception."""
    path = identifier.rpartition(":")[2]
    if path in _NAMES:
        return _NAMES[path]
    if path.startswith("music_disc_"):
        return "Music Disc"
    stem = path.removesuffix("_block")
    if stem in _MINERAL_BLOCKS and stem != path:
        return f"Block of {stem.title()}"
    return path.replace("_", " ").title()
