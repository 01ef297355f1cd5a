"""The nine categories of edge cases and the texts that the model is given; the texts are data beside this file."""

from __future__ import annotations

import hashlib
import tomllib
from dataclasses import dataclass
from importlib import resources
from pathlib import Path
from string import Template
from typing import Annotated

import msgspec

from selfplay_core.curriculum.cells import Cells, Ground
from selfplay_core.errors import SettingsError
from selfplay_core.models import CATEGORY_NAMES, Mode

__all__ = ["Category", "Texts", "load_texts", "mode_of"]

_PREFIXES = {"sudo": Mode.SUDO, "pray": Mode.GOD}
_TEMPLATES = (
    "writer.txt",
    "writer_request.txt",
    "answer_sudo.txt",
    "answer_god.txt",
    "retry.txt",
    "again.txt",
    "again_hint.txt",
)
_CATEGORIES = "categories.toml"
_CELLS = "cells.toml"


class Category(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One theme of edge cases: how the model is asked for its prompts, and what their answers must heed."""

    theme: str
    temperature: Annotated[float, msgspec.Meta(ge=0, le=2)]
    prefixes: Annotated[tuple[str, ...], msgspec.Meta(min_length=1)]
    what: str
    syntax: str
    examples: Annotated[tuple[str, ...], msgspec.Meta(min_length=1)]

    def allows(self, prompt: str) -> bool:
        """Whether `prompt` begins with one of the category's prefixes."""
        return _prefix_of(prompt) in self.prefixes


@dataclass(frozen=True, slots=True)
class Texts:
    """Every text that the model is given, and the hash that tells two sets of them apart."""

    categories: dict[str, Category]
    templates: dict[str, str]
    digest: str
    cells: Cells

    def fill(self, template: str, **values: str) -> str:
        """Return a template with its $names filled; a `$` that names nothing known is left as it stands."""
        return Template(self.templates[template]).safe_substitute(values)


def mode_of(prompt: str) -> Mode:
    """Tell the persona that a prompt addresses; without a prefix it is sudo, as in the original script."""
    return _PREFIXES.get(_prefix_of(prompt), Mode.SUDO)


def load_texts(folder: Path | None = None) -> Texts:
    """Read the texts of the package; a file of the same name in `folder` replaces its text.

    Raises SettingsError that names the file, and the key within it.
    """
    sources = {name: _read(name, folder) for name in (_CATEGORIES, _CELLS, *_TEMPLATES)}
    _refuse_strangers(folder)
    digest = hashlib.sha256("\0".join(sources[name] for name in sorted(sources)).encode()).hexdigest()
    templates = {name: sources[name].rstrip("\n") for name in _TEMPLATES}
    places = {
        name: str(folder / name) if folder and (folder / name).exists() else name for name in (_CATEGORIES, _CELLS)
    }
    return Texts(
        _parse_categories(sources[_CATEGORIES], places[_CATEGORIES]),
        templates,
        digest[:16],
        _parse_cells(sources[_CELLS], places[_CELLS]),
    )


def _prefix_of(prompt: str) -> str:
    words = prompt.split(maxsplit=1)
    return words[0].lower() if words else ""


def _read(name: str, folder: Path | None) -> str:
    if folder is not None and (folder / name).exists():
        try:
            text = (folder / name).read_text(encoding="utf-8")
        except (OSError, UnicodeDecodeError) as error:
            raise SettingsError(
                f"Cannot read the text {folder / name}: {error}. Mend the file, or remove it to use ours."
            ) from error
        if not text.strip():
            raise SettingsError(f"The text {folder / name} is empty. Fill it, or remove it to use ours.")
        return text
    return resources.files("selfplay_core").joinpath("data", name).read_text(encoding="utf-8")


def _refuse_strangers(folder: Path | None) -> None:
    known = {_CATEGORIES, _CELLS, *_TEMPLATES}
    for file in sorted(folder.iterdir()) if folder is not None else ():
        if file.name not in known and file.suffix in (".txt", ".toml"):
            raise SettingsError(f"{file} replaces no text of ours; those are {', '.join(sorted(known))}. Rename it.")


def _parse_categories(source: str, where: str) -> dict[str, Category]:
    try:
        found = msgspec.convert(tomllib.loads(source), dict[str, Category])
    except (tomllib.TOMLDecodeError, msgspec.ValidationError) as error:
        raise SettingsError(f"The categories in {where} are not valid: {error}. Mend the file.") from error
    if set(found) != set(CATEGORY_NAMES):
        odd = sorted(set(found) ^ set(CATEGORY_NAMES))
        raise SettingsError(
            f"The categories in {where} must be exactly the nine that exist; missing or unknown: {', '.join(odd)}."
        )
    for name, category in found.items():
        unknown = set(category.prefixes) - set(_PREFIXES)
        if unknown:
            raise SettingsError(
                f"The prefix {min(unknown)!r} of category {name} in {where} is unknown; allowed: sudo, pray."
            )
    return {name: found[name] for name in CATEGORY_NAMES}


class _CellsFile(msgspec.Struct, frozen=True):
    styles: Annotated[tuple[str, ...], msgspec.Meta(min_length=1)]
    difficulties: Annotated[tuple[str, ...], msgspec.Meta(min_length=1)]


def _parse_cells(source: str, where: str) -> Cells:
    try:
        found = tomllib.loads(source)
        axes = msgspec.convert(found, _CellsFile)
        grounds = msgspec.convert(
            {name: ground for name, ground in found.items() if name not in ("styles", "difficulties")},
            dict[str, Ground],
        )
    except (tomllib.TOMLDecodeError, msgspec.ValidationError) as error:
        raise SettingsError(f"The cells in {where} are not valid: {error}. Mend the file.") from error
    odd = sorted(set(grounds) ^ set(CATEGORY_NAMES)) + [name for name, one in grounds.items() if not one.constructs]
    if odd:
        raise SettingsError(
            f"The cells in {where} must name constructs for exactly the nine categories; look at: {', '.join(odd)}."
        )
    return Cells(axes.styles, axes.difficulties, grounds)
