"""Particles in commands: an id, and options in braces where the particle has some."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from selfplay_core.sandbox.facts.registries import known
from selfplay_core.sandbox.parser import scan
from selfplay_core.sandbox.parser.problem import Rejected
from selfplay_core.sandbox.parser.schema import family_error
from selfplay_core.sandbox.parser.snbt import read_tag
from selfplay_core.sandbox.parser.tags import Tag

__all__ = ["read_particle"]


def read_particle(text: str, at: int, _: Mapping[str, Any]) -> tuple[str, int]:
    """Read a particle; return its id. The server shows an error of the options without the command around it."""
    name, end = scan.read_id(text, at)
    if not known("particle_type", name):
        raise Rejected(f"Unknown particle: {name}", end)
    options: Tag = {}
    if text[end : end + 1] == "{":
        options, end = read_tag(text, end)
    wrong = family_error("particle", name, options)
    if wrong:
        raise Rejected(f"Can't parse particle options: {wrong}", None)
    return name, end
