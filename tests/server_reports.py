"""Reports as a server's data generator writes them, made of what the sandbox knows itself."""

from __future__ import annotations

import json
from importlib.resources import files
from pathlib import Path
from typing import Any

from selfplay_core.sandbox.facts.registries import block_states, built_in

# What the data generator lists; the rest of the registries comes with data packs.
LISTED = (
    *("attribute", "block", "data_component_type", "entity_type", "item", "mob_effect", "particle_type", "potion"),
    *("sound_event", "villager_type"),
)


def commands() -> dict[str, Any]:
    """The tree of 1.21.11, as the data generator writes it."""
    tree: dict[str, Any] = json.loads(files("mecha.resources").joinpath("1_21.json").read_bytes())
    return tree


def registries() -> dict[str, Any]:
    """The lists of 1.21.11, as the data generator writes them."""
    return {
        f"minecraft:{name}": {
            "protocol_id": number,
            "entries": {f"minecraft:{one}": {"protocol_id": at} for at, one in enumerate(sorted(built_in(name)))},
        }
        for number, name in enumerate(LISTED)
    }


def blocks() -> dict[str, Any]:
    """The blocks of 1.21.11 with their properties; of the states themselves one stands for all."""
    found = {}
    for block in sorted(built_in("block")):
        states = block_states(block)
        properties = {"properties": {name: list(values) for name, values in states.items()}} if states else {}
        found[f"minecraft:{block}"] = {**properties, "states": [{"id": 0, "default": True}]}
    return found


def write_reports(folder: Path, **changed: Any) -> Path:
    """Write the three reports into a folder; `commands`, `registries` and `blocks` replace one, None leaves it out."""
    folder.mkdir(parents=True, exist_ok=True)
    for name, content in {"commands": commands(), "registries": registries(), "blocks": blocks(), **changed}.items():
        if content is not None:
            text = content if isinstance(content, str) else json.dumps(content)
            (folder / f"{name}.json").write_text(text, encoding="utf-8", errors="surrogatepass")
    return folder


def without(names: set[str], registry: str = "item") -> dict[str, Any]:
    """The lists of 1.21.11 without some ids of one registry, as an older server would write them."""
    lists = registries()
    for name in names:
        del lists[f"minecraft:{registry}"]["entries"][f"minecraft:{name}"]
    return lists
