"""Makes `schemas.json` anew from a copy of vanilla-mcdoc (MIT); run by a person, never by the program.

`python -m selfplay_core.sandbox.facts.make_schemas FOLDER` reads the `.mcdoc` files below a checkout of
https://github.com/SpyglassMC/vanilla-mcdoc, takes what holds for one version of the game, and writes the facts that a
decoder checks: names of fields and whether they have to be there, types, ranges, lengths, words, registries. What the
game's decoders treat otherwise than the files say stands in `schema_overrides.toml` and replaces them.

The written forms: `"any"`, `"bool"`, `["int", low, high]`, `["float", low, high, above]`, `["string", low, high]`,
`["id", registry, tags]`, `["enum", words]`, `["list", type, low, high]`, `["map", key, value]`, `["of", family]` (the
value whose type the key names), `["struct", fields, required, spread]` with spreads `[field, family]`,
`["either", types]`, `["ref", name]`, and the names of checks that are written in Python.
"""

from __future__ import annotations

import argparse
import json
import re
import tomllib
from collections.abc import Callable
from pathlib import Path
from typing import Any, Final

from selfplay_core.sandbox.facts.mcdoc import GAME, Book, Expression, File, read_mcdoc

__all__ = ["main"]

_HERE: Final = Path(__file__).parent
_FAMILIES: Final = ("data_component", "data_component_predicate", "particle", "resource")
# Of the files of a data pack those that a command may hold instead of naming them.
_WRITTEN_OUT: Final = ("dialog", "item_modifier", "loot_table", "predicate")
# Types that the checks written in Python ask for.
_BY_NAME: Final = ("ItemStackTemplate",)
# What a decoder does not look into.
_OPEN: Final = ("block", "block_entity", "entity", "item")


class _Writer:
    """Turns expressions into the written forms, each declared name once."""

    def __init__(self, book: Book, overrides: dict[str, Any]) -> None:
        self.book = book
        self.overrides = overrides
        self.types: dict[str, Any] = {}
        self.homes: dict[str, tuple[str, ...]] = {}
        self.families: dict[str, dict[str, Any]] = {}

    def family(self, name: str) -> None:
        if name in self.families:
            return
        members = self.families[name] = {}
        for key, (file, expression) in self.book.families.get(name, {}).items():
            if not key.startswith("%") and (name != "resource" or key in _WRITTEN_OUT):
                members[key] = self.overrides["family"].get(name, {}).get(key) or self.form(expression, file, {})

    def reached(self) -> dict[str, Any]:
        """Return the families and types that those asked for lead to."""
        kept: dict[str, Any] = {"families": {}, "types": {}}
        types = self.types | self.overrides["type"]
        pending: list[Any] = [["of", family] for family in _FAMILIES]
        pending += [["ref", name] for name in _BY_NAME]
        while pending:
            form = pending.pop()
            if isinstance(form, dict):
                pending.extend(form.values())
            elif isinstance(form, list):
                pending.extend(form)
                name = form[-1] if form and isinstance(form[-1], str) else ""
                family = name if len(form) == 2 and name in self.families else None
                if form[:1] == ["ref"] and form[1] not in kept["types"]:
                    kept["types"][form[1]] = types[form[1]]
                    pending.append(types[form[1]])
                elif family is not None and family not in kept["families"]:
                    kept["families"][family] = self.families[family]
                    pending.extend(self.families[family].values())
        return kept

    def form(self, expression: Expression, file: File, known: dict[str, Any]) -> Any:
        if isinstance(expression, str):
            return expression
        kind, *rest = expression
        forms: dict[str, Callable[..., Any]] = {
            "attributed": self.attributed,
            "name": self.named,
            "by": self.by,
            "either": self.either,
            "fields": self.fields,
            "list": self.listed,
        }
        return forms[kind](*rest, file, known) if kind in forms else _short(expression)

    def listed(self, member: Expression, low: Any, high: Any, file: File, known: dict[str, Any]) -> Any:
        return _short(["list", self.form(member, file, known), low, high])

    def attributed(self, attributes: dict[str, Any], inner: Expression, file: File, known: dict[str, Any]) -> Any:
        form = self.form(inner, file, known)
        identifier = attributes.get("id")
        if identifier is not None and isinstance(form, list | str) and form in ("string", ["string"]):
            described = identifier if isinstance(identifier, dict) else {"registry": identifier}
            registry = described.get("registry", "")
            return _short(["id", "" if registry is True else registry, described.get("tags")])
        return "snbt" if "nbt" in attributes else form

    def either(self, members: list[Expression], file: File, known: dict[str, Any]) -> Any:
        forms: list[Any] = []
        for member in members:
            form = self.form(member, file, known)
            if form not in forms:
                forms.append(form)
        return forms[0] if len(forms) == 1 else ["either", forms]

    def by(self, family: str, key: str, dynamic: bool, file: File, known: dict[str, Any]) -> Any:
        if ":" in family or family in _OPEN:
            return "any"
        self.family(family)
        return ["of", family] if key == "%key" else ["by", key, family]

    def named(self, path: tuple[str, ...], arguments: list[Expression], file: File, known: dict[str, Any]) -> Any:
        if len(path) == 1 and path[0] in known:
            return known[path[0]]
        full = path
        if len(path) == 1:
            full = file.uses.get(path[0], (*file.path, path[0]))
        name = full[-1]
        if name in self.overrides["type"]:
            return self.overrides["type"][name]
        if full not in self.book.types:
            raise SystemExit(f"{'/'.join(file.path)}: nothing is named {'::'.join(full)}")
        where, parameters, expression = self.book.types[full]
        if parameters:
            given = [self.form(argument, file, known) for argument in arguments]
            return self.form(expression, where, dict(zip(parameters, given, strict=True)))
        if expression[0] == "name":
            return self.form(expression, where, {})
        if self.homes.setdefault(name, full) != full:
            name = "".join(word.title() for word in full[-2:])
        if name not in self.types:
            self.types[name] = None  # so that a type within itself finds its name
            self.types[name] = self.form(expression, where, {})
        return ["ref", name]

    def fields(self, entries: list[Any], file: File, known: dict[str, Any]) -> Any:
        fields: dict[str, Any] = {}
        required: list[str] = []
        spread: list[Any] = []
        for entry in entries:
            if entry[0] == "keys":
                return ["map", self.form(entry[1], file, known), self.form(entry[2], file, known)]
            if entry[0] == "field":
                _, key, optional, inner = entry
                fields[key] = self.form(inner, file, known)
                required += [] if optional else [key]
                continue
            inner = self.form(entry[1], file, known)
            while inner[0] == "ref":
                inner = self.types[inner[1]]
            if inner[0] == "by":
                spread.append(inner[1:])
            elif inner[0] == "struct":
                fields.update(inner[1])
                required += inner[2] if len(inner) > 2 else []
                spread += inner[3] if len(inner) > 3 else []
        return ["struct", fields, required, *([spread] if spread else [])]


def _short(form: list[Any]) -> Any:
    """Leave out what a form does not say, at its end."""
    while len(form) > 1 and (form[-1] is None or form[-1] is False):
        form = form[:-1]
    return form[0] if form == ["string"] else form


def main(arguments: list[str] | None = None) -> None:
    """Read the files and write the schemas."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=Path, help="a checkout of vanilla-mcdoc")
    folder: Path = parser.parse_args(arguments).folder
    book = Book()
    for path in sorted(folder.joinpath("java").rglob("*.mcdoc")):
        words = path.relative_to(folder).with_suffix("").parts
        read_mcdoc(path.read_text(encoding="utf-8"), words[:-1] if words[-1] == "mod" else words, book)
    overrides = tomllib.loads(_HERE.joinpath("schema_overrides.toml").read_text(encoding="utf-8"))
    writer = _Writer(book, overrides)
    for family in _FAMILIES:
        writer.family(family)
    head = f"Minecraft Java {'.'.join(map(str, GAME))}; facts taken from vanilla-mcdoc (MIT)"
    written = {"about": head, **writer.reached()}
    text = json.dumps(written, sort_keys=True, separators=(",", ":"))
    # A line for each member keeps a change readable.
    lines = re.sub(r'(?<=[,{])("(?:minecraft:)?[A-Za-z_/]+":(?:\["|"))', r"\n\1", text)
    _HERE.joinpath("schemas.json").write_text(f"{text}\n" if len(lines) > 10**6 else f"{lines}\n", encoding="utf-8")


if __name__ == "__main__":
    main()
