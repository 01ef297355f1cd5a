"""Makes the lists under `ids/` anew from two packages of npm's registry; run by a person, never by the program.

`python -m selfplay_core.sandbox.facts.make_ids` downloads both packages by npm's own client (`--packages FOLDER`
takes their archives from a folder instead) and writes every list. What stands first in `_CHECKED` is checked against
the second package, which knows a preview of the next version and therefore more; what the second alone has is that
preview's, less what is known to be different (`_NEWER_TAGS`, `_OLDER_TAGS`).
"""

from __future__ import annotations

import argparse
import json
import re
import subprocess
import sys
import tarfile
import tempfile
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from textwrap import fill
from typing import Any, Final

__all__ = ["main"]

_GAME: Final = "1.21.11"
_FACTS: Final = "minecraft-data@3.117.0"
_LISTS: Final = "sandstone@1.0.0-beta.1"
_FOLDER: Final = Path(__file__).parent / "ids"
_WIDTH: Final = 110
_WHOLE_STACK: Final = 64

# Registries that only the second package lists, and its name for each.
_LISTED: Final = {
    "advancement": "advancements",
    "custom_stat": "custom_stats",
    "dimension": "dimensions",
    "fluid": "fluids",
    "game_event": "game_events",
    "game_rule": "game_rules",
    "loot_table": "loot_tables",
    "map_decoration_type": "map_decoration_types",
    "point_of_interest_type": "point_of_interest_types",
    "potion": "potions",
    "recipe": "recipes",
    "villager_profession": "villager_professions",
    "villager_type": "villager_types",
    "worldgen/configured_feature": "worldgen_configured_features",
    "worldgen/structure": "worldgen_structures",
    "worldgen/template_pool": "worldgen_template_pools",
    "tag/banner_pattern": "tag_banner_patterns",
    "tag/block": "tag_blocks",
    "tag/damage_type": "tag_damage_types",
    "tag/dialog": "tag_dialogs",
    "tag/enchantment": "tag_enchantments",
    "tag/entity_type": "tag_entity_types",
    "tag/fluid": "tag_fluids",
    "tag/game_event": "tag_game_events",
    "tag/instrument": "tag_instruments",
    "tag/item": "tag_items",
    "tag/painting_variant": "tag_painting_variants",
    "tag/point_of_interest_type": "tag_point_of_interest_types",
    "tag/worldgen/biome": "tag_worldgen_biomes",
    "tag/worldgen/structure": "tag_worldgen_structures",
}
# Registries that both list. The second must know all that the first does.
_CHECKED: Final = {
    "attribute": "attributes",
    "banner_pattern": "banner_patterns",
    "block": "blocks",
    "cat_variant": "cat_variants",
    "chat_type": "chat_types",
    "chicken_variant": "chicken_variants",
    "cow_variant": "cow_variants",
    "damage_type": "damage_types",
    "data_component_type": "data_component_types",
    "dialog": "dialogs",
    "dimension_type": "dimension_types",
    "enchantment": "enchantments",
    "entity_type": "entity_types",
    "frog_variant": "frog_variants",
    "instrument": "instruments",
    "item": "items",
    "jukebox_song": "jukebox_songs",
    "mob_effect": "mob_effects",
    "painting_variant": "painting_variants",
    "particle_type": "particle_types",
    "pig_variant": "pig_variants",
    "sound_event": "sound_events",
    "test_instance": "test_instances",
    "trim_material": "trim_materials",
    "trim_pattern": "trim_patterns",
    "wolf_sound_variant": "wolf_sound_variants",
    "wolf_variant": "wolf_variants",
    "worldgen/biome": "worldgen_biomes",
    "zombie_nautilus_variant": "zombie_nautilus_variants",
}
# Tags of the preview that 1.21.11 lacks, and tags of 1.21.11 that the preview has dropped: the difference to the keys
# that the Paper server of tag 1.21.11 names in its API.
_NEWER_TAGS: Final = {
    "tag/block": "beneath_bamboo_podzol_replaceable beneath_tree_podzol_replaceable cannot_replace_below_tree_trunk "
    "cannot_support_kelp cannot_support_seagrass cannot_support_snow_layer enables_bubble_column_drag_down "
    "enables_bubble_column_push_up forest_rock_can_place_on grass_blocks grows_crops huge_brown_mushroom_can_place_on "
    "huge_red_mushroom_can_place_on ice_spike_replaceable moss_blocks mud overrides_mushroom_light_requirement "
    "substrate_overworld support_override_cactus_flower support_override_snow_layer supports_azalea supports_bamboo "
    "supports_big_dripleaf supports_cactus supports_chorus_flower supports_chorus_plant supports_cocoa "
    "supports_crimson_fungus supports_crimson_roots supports_crops supports_dry_vegetation supports_frogspawn "
    "supports_hanging_mangrove_propagule supports_lily_pad supports_mangrove_propagule supports_melon_stem "
    "supports_melon_stem_fruit supports_nether_sprouts supports_nether_wart supports_pumpkin_stem "
    "supports_pumpkin_stem_fruit supports_small_dripleaf supports_stem_crops supports_stem_fruit supports_sugar_cane "
    "supports_sugar_cane_adjacently supports_vegetation supports_warped_fungus supports_warped_roots "
    "supports_wither_rose",
    "tag/entity_type": "cannot_be_age_locked",
    "tag/fluid": "bubble_column_can_occupy supports_frogspawn supports_lily_pad supports_sugar_cane_adjacently",
    "tag/item": "cat_collar_dyes cauldron_can_remove_dye dyes grass_blocks loom_dyes loom_patterns metal_nuggets "
    "moss_blocks mud wolf_collar_dyes",
}
_OLDER_TAGS: Final = {
    "tag/block": "bamboo_plantable_on big_dripleaf_placeable dry_vegetation_may_place_on mushroom_grow_block "
    "small_dripleaf_placeable snow_layer_can_survive_on snow_layer_cannot_survive_on",
    "tag/item": "dyeable",
}


def main() -> None:
    """Write every list, and tell what the second package knew more of."""
    parser = argparse.ArgumentParser(description="Make selfplay_core/sandbox/facts/ids/ anew from packages of npm.")
    parser.add_argument("--packages", type=Path, help="a folder with both packages as `npm pack` leaves them")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as empty:
        folder = options.packages or Path(empty)
        facts = _Facts(_archive(_FACTS, folder))
        listed = _listed(_archive(_LISTS, folder))
    newer: set[str] = set()
    for name, ids in facts.registries().items():
        more = _checked(name, ids, set(listed[_CHECKED[name]]))
        newer.update(more)
        print(f"{name}: {len(ids)}" + (f", without the preview's {' '.join(more)}" if more else ""))
        _write(name, [_filled(ids)], _FACTS)
    for name, package_name in _LISTED.items():
        ids = set(listed[package_name]) - set(_NEWER_TAGS.get(name, "").split())
        ids |= set(_OLDER_TAGS.get(name, "").split())
        # Loot tables, recipes and advancements of a thing end in its name.
        ids = {one for one in ids if one.rpartition("/")[2] not in newer}
        print(f"{name}: {len(ids)}")
        _write(name, [_filled(ids)], _LISTS)
    for name, table in facts.tables().items():
        _write(name, [_filled(table[key], f"{key}: ") for key in sorted(table)], _FACTS)


class _Facts:
    """The figures and lists of the first package for the one version of the game."""

    def __init__(self, archive: Path) -> None:
        with tarfile.open(archive) as package:
            self._files = {
                name: _read(package, f"package/minecraft-data/data/pc/{_GAME}/{name}.json")
                for name in (
                    *("attributes", "biomes", "blocks", "effects", "enchantments", "entities", "items", "loginPacket"),
                    *("particles", "protocol", "sounds", "version"),
                )
            }
        if self._files["version"]["minecraftVersion"] != _GAME:
            sys.exit(f"{archive} names another version than {_GAME}; nothing was written.")

    def registries(self) -> dict[str, set[str]]:
        """Return the ids of every registry that the package has, without their namespace."""
        found = {
            "attribute": {one["resource"].removeprefix("minecraft:") for one in self._files["attributes"]},
            "block": self._named("blocks"),
            "data_component_type": set(self._files["protocol"]["types"]["SlotComponentType"][1]["mappings"].values()),
            "enchantment": self._named("enchantments"),
            "entity_type": self._named("entities"),
            "item": self._named("items"),
            # The package names effects as its own API does.
            "mob_effect": {_snake_case(name) for name in self._named("effects")} - {"bad_luck"} | {"unluck"},
            "particle_type": self._named("particles"),
            "sound_event": self._named("sounds"),
            "worldgen/biome": self._named("biomes"),
        }
        for name, codec in self._files["loginPacket"]["dimensionCodec"].items():
            path = name.removeprefix("minecraft:")
            if path in _CHECKED:
                found.setdefault(path, {entry["key"].removeprefix("minecraft:") for entry in codec["entries"]})
        missing = _CHECKED.keys() - found.keys()
        if missing:
            sys.exit(f"{_FACTS} lacks {', '.join(sorted(missing))}; nothing was written.")
        return {name: found[name] for name in sorted(found)}

    def tables(self) -> dict[str, dict[str, set[str]]]:
        """Return what is known of single ids, as sets of ids by what holds for them."""
        items, blocks, enchantments = self._files["items"], self._files["blocks"], self._files["enchantments"]
        return {
            "block_states": _by((_states(block["states"]), block["name"]) for block in blocks if block["states"]),
            "enchantment_level": _by((f"{one['maxLevel']:02}", one["name"]) for one in enchantments),
            "item_max_damage": _by(
                (f"{one['maxDurability']:04}", one["name"]) for one in items if one.get("maxDurability")
            ),
            "item_stack_size": _by(
                (f"{one['stackSize']:02}", one["name"]) for one in items if one["stackSize"] != _WHOLE_STACK
            ),
        }

    def _named(self, file: str) -> set[str]:
        return {entry["name"] for entry in self._files[file]}


def _archive(package: str, folder: Path) -> Path:
    """Return the archive of a package, fetched into the folder unless it is there."""
    archive = folder / f"{package.replace('@', '-')}.tgz"
    if not archive.is_file():
        subprocess.run(["npm", "pack", package, "--silent", "--pack-destination", str(folder)], check=True)
    return archive


def _read(package: tarfile.TarFile, name: str) -> Any:
    member = package.extractfile(name)
    if member is None:
        sys.exit(f"{name} is no file in {package.name!r}; nothing was written.")
    return json.loads(member.read())


def _listed(archive: Path) -> dict[str, list[str]]:
    """Return the lists of the second package by their names: the quoted words of its generated sources."""
    found = {}
    with tarfile.open(archive) as package:
        for member in package.getmembers():
            path = Path(member.name)
            source = package.extractfile(member)
            if source is not None and path.parts[1] == "src" and path.parent.name == "_registry":
                text = source.read().decode()
                found[path.stem] = re.findall(r"^ {2}'([^']+)',$", text, re.MULTILINE)
    return found


def _checked(name: str, ids: set[str], others: set[str]) -> list[str]:
    """Return what the second package knows more of; both must agree on the rest."""
    if ids - others:
        sys.exit(f"{name}: {_LISTS} lacks {' '.join(sorted(ids - others))}; one of the packages is of another version.")
    return sorted(others - ids)


def _snake_case(name: str) -> str:
    return re.sub(r"(?<!^)(?=[A-Z])", "_", name).lower()


def _states(properties: Iterable[Mapping[str, Any]]) -> str:
    """Return the properties of a block with all their values, in the package's order of values."""
    words = (f"{one['name']}={','.join(one.get('values') or ('true', 'false'))}" for one in properties)
    return ";".join(sorted(words))


def _by(pairs: Iterator[tuple[str, str]]) -> dict[str, set[str]]:
    table = defaultdict(set)
    for key, identifier in pairs:
        table[key].add(identifier)
    return table


def _filled(ids: Iterable[str], key: str = "") -> str:
    """Return sorted ids as lines; those after the first of a key are set in."""
    return fill(
        key + " ".join(sorted(ids)),
        _WIDTH,
        subsequent_indent="  " if key else "",
        break_long_words=False,
        break_on_hyphens=False,
    )


def _write(name: str, blocks: list[str], source: str) -> None:
    header = f"# {name}: Minecraft Java {_GAME}; facts taken from {source.replace('@', ' ')} (MIT)"
    _FOLDER.joinpath(name.replace("/", "_") + ".txt").write_text("\n".join((header, *blocks, "")), encoding="utf-8")


if __name__ == "__main__":
    main()
