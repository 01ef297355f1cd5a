"""The stored lists of ids are sound, and say what 1.21.11 has."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from selfplay_core.sandbox.facts import registries
from selfplay_core.sandbox.facts.names import display_name
from selfplay_core.sandbox.facts.registries import (
    block_states,
    highest_level,
    known,
    known_tag,
    max_damage,
    registry,
    stack_size,
)

FOLDER = Path(registries.__file__).parent / "ids"
TABLES = {
    "block_states": "block",
    "enchantment_level": "enchantment",
    "item_max_damage": "item",
    "item_stack_size": "item",
}
FILES = sorted(FOLDER.glob("*.txt"))
LISTS = [file for file in FILES if file.stem not in TABLES]
HEAD = re.compile(r"# [\w/]+: Minecraft Java 1\.21\.11; facts taken from (?:minecraft-data|sandstone) [\w.-]+ \(MIT\)")
IDENTIFIER = re.compile(r"[a-z0-9_./-]+")

# How many ids 1.21.11 has; of what its packs hold alone (loot tables, recipes) no exact count is known.
SIZES = {
    "attribute": 35,
    "banner_pattern": 43,
    "block": 1166,
    "damage_type": 50,
    "data_component_type": 104,
    "dimension": 3,
    "enchantment": 43,
    "entity_type": 157,
    "game_rule": 59,
    "item": 1505,
    "jukebox_song": 21,
    "mob_effect": 40,
    "painting_variant": 51,
    "particle_type": 115,
    "potion": 46,
    "sound_event": 1838,
    "tag/block": 204,
    "tag/entity_type": 46,
    "tag/item": 198,
    "trim_material": 11,
    "trim_pattern": 18,
    "wolf_variant": 9,
    "worldgen/biome": 65,
    "worldgen/structure": 34,
}


@pytest.mark.parametrize("file", FILES, ids=lambda file: file.stem)
def test_every_file_names_its_version_and_its_source(file: Path) -> None:
    """Whoever reads a list knows which game it is of and who published it under which licence."""
    head = file.read_text(encoding="utf-8").splitlines()[0]
    assert HEAD.fullmatch(head)
    assert head.split()[1] == file.stem.replace("_", "/", head.split()[1].count("/")) + ":"


@pytest.mark.parametrize("file", LISTS, ids=lambda file: file.stem)
def test_every_list_is_sorted_and_names_an_id_once(file: Path) -> None:
    """So that making the lists anew shows what has changed and nothing else."""
    words = " ".join(file.read_text(encoding="utf-8").splitlines()[1:]).split()
    assert words
    assert words == sorted(set(words))
    assert all(IDENTIFIER.fullmatch(word) for word in words)


@pytest.mark.parametrize(("name", "size"), SIZES.items())
def test_a_list_is_as_long_as_the_games(name: str, size: int) -> None:
    """No id is missing and none is of another version."""
    assert len(registry(name)) == size


@pytest.mark.parametrize(("table", "name"), TABLES.items())
def test_tables_speak_of_ids_that_exist(table: str, name: str) -> None:
    """What is known of an id is known of one that is listed, and once."""
    lines = (FOLDER / f"{table}.txt").read_text(encoding="utf-8").splitlines()[1:]
    ids = [word for line in lines for word in (line if line[0] == " " else line.partition(":")[2]).split()]
    assert len(ids) == len(set(ids))
    assert set(ids) <= registry(name)


def test_blocks_have_the_games_states() -> None:
    """26 states of kelp, four properties of stairs, none of stone; an unknown block has no answer at all."""
    stairs = block_states("minecraft:oak_stairs")
    assert stairs is not None
    assert set(stairs) == {"facing", "half", "shape", "waterlogged"}
    assert set(stairs["waterlogged"]) == {"true", "false"}
    assert block_states("kelp") == {"age": tuple(map(str, range(26)))}
    assert block_states("stone") == {}
    assert block_states("wood") is None


def test_all_states_of_all_blocks_are_as_many_as_the_game_numbers() -> None:
    """The game numbers the states of all blocks, and 1.21.11 comes to 29,671: no property or value is missing."""
    count = 0
    for block in registry("block"):
        states = 1
        for values in (block_states(block) or {}).values():
            states *= len(values)
        count += states
    assert count == 29_671


def test_figures_of_items_and_enchantments() -> None:
    """What stacks, what breaks and how high an enchantment goes."""
    assert [stack_size(item) for item in ("stone", "minecraft:egg", "diamond_sword")] == [64, 16, 1]
    assert [max_damage(item) for item in ("stone", "minecraft:mace", "elytra")] == [0, 500, 432]
    assert [highest_level(one) for one in ("minecraft:mending", "lunge", "sharpness")] == [1, 3, 5]


@pytest.mark.parametrize(
    ("name", "here", "gone"),
    [
        ("item", "iron_chain", "chain"),
        ("item", "netherite_spear", "golden_dandelion"),
        ("block", "short_grass", "grass"),
        ("entity_type", "splash_potion", "potion"),
        ("mob_effect", "unluck", "bad_luck"),
        ("attribute", "max_health", "generic.max_health"),
        ("data_component_type", "tooltip_display", "hide_tooltip"),
        ("game_rule", "keep_inventory", "keepInventory"),
        ("particle_type", "block", "pause_mob_growth"),
        ("tag/block", "mushroom_grow_block", "grass_blocks"),
        ("tag/item", "dyeable", "dyes"),
    ],
)
def test_neither_older_nor_newer_ids_are_listed(name: str, here: str, gone: str) -> None:
    """Renamed ids, and those of the next version's preview, are not known."""
    assert known(name, here)
    assert known(name, f"minecraft:{here}")
    assert not known(name, gone)
    assert not known(name, f"other:{here}")


def test_tags_are_known_by_their_registry() -> None:
    """`#minecraft:logs` is a tag of blocks and of items, not of entities; where nothing is listed all is taken."""
    assert known_tag("block", "minecraft:logs")
    assert known_tag("item", "logs")
    assert not known_tag("entity_type", "logs")
    assert known_tag("worldgen/noise", "anything")
    assert known("no_such_registry", "anything")


@pytest.mark.parametrize(
    ("identifier", "name"),
    [
        ("minecraft:diamond_sword", "Diamond Sword"),
        ("music_disc_13", "Music Disc"),
        ("raw_iron_block", "Block of Raw Iron"),
        ("oak_chest_boat", "Oak Boat with Chest"),
        ("lily_of_the_valley", "Lily of the Valley"),
        ("eye_of_ender", "Eye of Ender"),
        ("sweeping_edge", "Sweeping Edge"),
        ("hopper_minecart", "Minecart with Hopper"),
        ("tropical_fish_bucket", "Bucket of Tropical Fish"),
        ("vex_armor_trim_smithing_template", "Vex Armor Trim"),
        ("red_candle_cake", "Cake with Red Candle"),
        ("oak_wall_hanging_sign", "Oak Hanging Sign"),
        ("dolphins_grace", "Dolphin's Grace"),
    ],
)
def test_names_follow_the_games_rules(identifier: str, name: str) -> None:
    """Titles with small words small, and the game's exceptions."""
    assert display_name(identifier) == name
