"""Makes `schemas.json` anew from a copy of vanilla-mcdoc (MIT); run by a person, never by the program.

`python -m selfplay_core.sandbox.make_schemas FOLDER` reads the `.mcdoc` files below a checkout of
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
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

__all__ = ["main"]

_GAME: Final = (1, 21, 11)
_HERE: Final = Path(__file__).parent
_FAMILIES: Final = ("data_component", "data_component_predicate", "particle", "resource")
# Of the files of a data pack those that a command may hold instead of naming them.
_WRITTEN_OUT: Final = ("dialog", "item_modifier", "loot_table", "predicate")
# Types that the checks written in Python ask for.
_BY_NAME: Final = ("ItemStackTemplate",)
# What a decoder does not look into.
_OPEN: Final = ("block", "block_entity", "entity", "item")
_TOKEN = re.compile(
    r"\s+|//[^\n]*|(\"(?:[^\"\\]|\\.)*\"|-?\d+(?:\.\d+)?[bslfdBSLFD]?|-?\.\d+|\.\.\.|\.\.|::|[%A-Za-z_][\w\-]*|.)"
)
_NUMBERS: Final = {
    **dict.fromkeys(("byte", "short", "int", "long"), "int"),
    **dict.fromkeys(("float", "double"), "float"),
}
_Expression = Any


@dataclass(slots=True)
class _File:
    """The declarations of one file; names that it uses lead to full paths."""

    path: tuple[str, ...]
    uses: dict[str, tuple[str, ...]] = field(default_factory=dict)


@dataclass(slots=True)
class _Book:
    """All declarations by full path, and all dispatches by family and key, as they stand in the files."""

    types: dict[tuple[str, ...], tuple[_File, tuple[str, ...], _Expression]] = field(default_factory=dict)
    families: dict[str, dict[str, tuple[_File, _Expression]]] = field(default_factory=dict)


class _Reader:
    """Reads one file; types become lists whose first member says what they are."""

    def __init__(self, text: str, path: tuple[str, ...], book: _Book) -> None:
        self.tokens = [match[1] for match in _TOKEN.finditer(text) if match[1]]
        self.at = 0
        self.file = _File(path)
        self.book = book

    def peek(self, ahead: int = 0) -> str:
        return self.tokens[self.at + ahead] if self.at + ahead < len(self.tokens) else ""

    def take(self, wanted: str | None = None) -> str:
        token = self.peek()
        if wanted is not None and token != wanted:
            near = " ".join(self.tokens[self.at - 8 : self.at + 4])
            raise SystemExit(f"{'/'.join(self.file.path)}: expected {wanted!r}, found {token!r} near: {near}")
        self.at += 1
        return token

    def accept(self, token: str) -> bool:
        if self.peek() != token:
            return False
        self.at += 1
        return True

    def read(self) -> None:
        while self.peek():
            holds = _holds(self.attributes())
            match self.peek():
                case "use":
                    self.take()
                    path = self.path()
                    self.file.uses[path[-1]] = path
                case "dispatch":
                    self.dispatch(holds)
                case "type":
                    self.take()
                    name = self.take()
                    parameters = self.parameters()
                    self.take("=")
                    self.declare(name, parameters, self.type(), holds)
                case "struct" | "enum":
                    self.type(declared=holds)
                case "inject":
                    raise SystemExit("`inject` is not understood")
                case other:
                    raise SystemExit(f"{'/'.join(self.file.path)}: what is {other!r}?")

    def declare(self, name: str, parameters: tuple[str, ...], expression: _Expression, holds: bool) -> None:
        if holds:
            self.book.types[(*self.file.path, name)] = (self.file, parameters, expression)

    def parameters(self) -> tuple[str, ...]:
        names: list[str] = []
        if self.accept("<"):
            while not self.accept(">"):
                names.append(self.take())
                self.accept(",")
        return tuple(names)

    def path(self) -> tuple[str, ...]:
        words: list[str] = []
        absolute = self.accept("::")
        while True:
            words.append(self.take())
            if not self.accept("::"):
                break
        if absolute:
            return tuple(words)
        here = list(self.file.path)
        while words[0] == "super":
            # `super` of a file is the folder that it stands in; a `mod` file is its folder.
            words.pop(0)
            here.pop()
        return (*here, *words) if len(words) > 1 or here != list(self.file.path) else tuple(words)

    def attributes(self) -> dict[str, Any]:
        found: dict[str, Any] = {}
        while self.peek() == "#" and self.peek(1) == "[":
            self.at += 2
            name = self.take()
            found[name] = True
            if self.accept("=") or self.peek() == "(":
                found[name] = self.attribute_value()
            self.take("]")
        return found

    def attribute_value(self) -> Any:
        opening = self.peek()
        if opening in ("(", "[", "{"):
            closing = {"(": ")", "[": "]", "{": "}"}[opening]
            self.take()
            tree: dict[str, Any] = {}
            while not self.accept(closing):
                key = self.take()
                tree[key.strip('"')] = self.attribute_value() if self.accept("=") else True
                self.accept(",")
            return tree
        value: Any = self.take().strip('"')
        while self.peek() in ("::", "[", "<", ":"):  # a type, which says nothing that is kept
            self.at += 1
            depth = 1
            while depth and self.peek() not in ("", ")", ","):
                token = self.take()
                depth += (token in "[<") - (token in "]>")
                if self.peek() == "]" and depth <= 1:
                    break
        return value

    def dispatch(self, holds: bool) -> None:
        self.take("dispatch")
        family = self.resource()
        keys = self.keys()
        parameters = self.parameters()
        self.take("to")
        expression = self.type()
        if holds and not parameters:
            for key in keys:
                self.book.families.setdefault(family, {})[key] = (self.file, expression)

    def resource(self) -> str:
        namespace = self.take()
        self.take(":")
        name = self.take()
        while self.accept("/"):
            name += "/" + self.take()
        return name if namespace == "minecraft" else f"{namespace}:{name}"

    def keys(self) -> list[str]:
        self.take("[")
        keys = []
        while not self.accept("]"):
            key = self.take().strip('"')
            while self.peek() in (":", "/"):
                key += self.take() + self.take()
            keys.append(key.removeprefix("minecraft:"))
            self.accept(",")
        return keys

    def type(self, declared: bool | None = None) -> _Expression:
        attributes = self.attributes()
        expression = self.bare(declared)
        while self.peek() == "[" and self.peek(1) in ("]", "["):
            if self.peek(1) == "]":
                self.at += 2
                expression = ["list", expression, *self.range()[:2]]
            else:
                self.skip_index()
        if attributes:
            return ["attributed", attributes, expression]
        return expression

    def skip_index(self) -> None:
        depth = 0
        while True:
            token = self.take()
            depth += (token == "[") - (token == "]")
            if depth == 0:
                return

    def bare(self, declared: bool | None) -> _Expression:
        token = self.peek()
        if token == "(":
            return self.union()
        if token == "[":
            return self.listed()
        if token == "struct":
            return self.struct(declared)
        if token == "enum":
            return self.enum(declared)
        if token[0] == '"':
            return ["enum", [self.take().strip('"')]]
        if re.match(r"-?\d", token):
            number = self.take().rstrip("bslfdBSLFD")
            return ["int", int(float(number)), int(float(number))]
        if token in _NUMBERS:
            self.take()
            low, high, above = self.range()
            return [_NUMBERS[token], low, high, above]
        if token == "string":
            self.take()
            return ["string", *self.range()[:2]]
        if token in ("any", "boolean"):
            self.take()
            return {"any": "any", "boolean": "bool"}[token]
        if self.peek(1) == ":" and token not in ("::",):
            return self.indexed()
        path = self.path()
        arguments: list[_Expression] = []
        if self.accept("<"):
            while not self.accept(">"):
                arguments.append(self.type())
                self.accept(",")
        return ["name", path, arguments]

    def indexed(self) -> _Expression:
        family = self.resource()
        self.take("[")
        dynamic = self.accept("[")
        words = []
        depth = 1 + dynamic
        while depth:
            token = self.take()
            depth += (token == "[") - (token == "]")
            if depth:
                words.append(token.strip('"'))
        while self.peek() == "[" and self.peek(1) != "]":
            self.skip_index()
        if self.accept("<"):
            while not self.accept(">"):
                self.type()
                self.accept(",")
        return ["by", family, "".join(word for word in words if word not in "[]"), dynamic]

    def union(self) -> _Expression:
        self.take("(")
        members = []
        while not self.accept(")"):
            attributes = self.attributes()
            member = self.type()
            if _holds(attributes):
                rest = {key: value for key, value in attributes.items() if key not in ("since", "until")}
                members.append(["attributed", rest, member] if rest else member)
            self.accept("|")
        return ["either", members]

    def listed(self) -> _Expression:
        self.take("[")
        members = []
        while not self.accept("]"):
            members.append(self.type())
            self.accept(",")
        low, high, _ = self.range()
        if len(members) > 1:
            return ["list", "any", len(members), len(members)]
        return ["list", members[0], low, high]

    def struct(self, declared: bool | None) -> _Expression:
        self.take("struct")
        name = self.take() if self.peek() != "{" else ""
        parameters = self.parameters()
        self.take("{")
        fields: list[Any] = []
        while not self.accept("}"):
            attributes = self.attributes()
            if self.accept("..."):
                entry = ["spread", self.type()]
            elif self.accept("["):
                key = self.type()
                self.take("]")
                self.accept("?")
                self.take(":")
                entry = ["keys", key, self.type()]
            else:
                key = self.take().strip('"')
                optional = self.accept("?")
                self.take(":")
                entry = ["field", key, optional, self.type()]
            if _holds(attributes):
                fields.append(entry)
            self.accept(",")
        expression = ["fields", fields]
        if name and declared is not False:
            self.declare(name, parameters, expression, True)
        return expression

    def enum(self, declared: bool | None) -> _Expression:
        self.take("enum")
        self.take("(")
        kind = self.take()
        self.take(")")
        name = self.take() if self.peek() != "{" else ""
        self.take("{")
        words: list[Any] = []
        while not self.accept("}"):
            holds = _holds(self.attributes())
            self.take()
            self.take("=")
            word = self.take().strip('"')
            if holds:
                words.append(word if kind == "string" else int(float(word.rstrip("bslfdBSLFD"))))
            self.accept(",")
        expression = ["enum", words] if kind == "string" else ["int", min(words), max(words)]
        if name and declared is not False:
            self.declare(name, (), expression, True)
        return expression

    def range(self) -> tuple[float | None, float | None, bool]:
        """Read `@ a..b`; the third member says that the low end itself is too low."""
        if not self.accept("@"):
            return None, None, False
        low = high = None
        if self.peek() != "..":
            low = high = self.number()
        above = self.accept("<")
        if self.accept(".."):
            self.accept("<")
            high = self.number() if re.match(r"-?\.?\d", self.peek()) else None
        return low, high, above

    def number(self) -> float:
        value = float(self.take().rstrip("bslfdBSLFD"))
        return int(value) if value == int(value) else value


def _holds(attributes: dict[str, Any]) -> bool:
    since, until = attributes.get("since"), attributes.get("until")
    return (since is None or _version(since) <= _GAME) and (until is None or _version(until) > _GAME)


def _version(text: str) -> tuple[int, ...]:
    return tuple(int(part) for part in str(text).split("."))


class _Writer:
    """Turns expressions into the written forms, each declared name once."""

    def __init__(self, book: _Book, overrides: dict[str, Any]) -> None:
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

    def form(self, expression: _Expression, file: _File, known: dict[str, Any]) -> Any:
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

    def listed(self, member: _Expression, low: Any, high: Any, file: _File, known: dict[str, Any]) -> Any:
        return _short(["list", self.form(member, file, known), low, high])

    def attributed(self, attributes: dict[str, Any], inner: _Expression, file: _File, known: dict[str, Any]) -> Any:
        form = self.form(inner, file, known)
        identifier = attributes.get("id")
        if identifier is not None and isinstance(form, list | str) and form in ("string", ["string"]):
            described = identifier if isinstance(identifier, dict) else {"registry": identifier}
            registry = described.get("registry", "")
            return _short(["id", "" if registry is True else registry, described.get("tags")])
        return "snbt" if "nbt" in attributes else form

    def either(self, members: list[_Expression], file: _File, known: dict[str, Any]) -> Any:
        forms: list[Any] = []
        for member in members:
            form = self.form(member, file, known)
            if form not in forms:
                forms.append(form)
        return forms[0] if len(forms) == 1 else ["either", forms]

    def by(self, family: str, key: str, dynamic: bool, file: _File, known: dict[str, Any]) -> Any:
        if ":" in family or family in _OPEN:
            return "any"
        self.family(family)
        return ["of", family] if key == "%key" else ["by", key, family]

    def named(self, path: tuple[str, ...], arguments: list[_Expression], file: _File, known: dict[str, Any]) -> Any:
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

    def fields(self, entries: list[Any], file: _File, known: dict[str, Any]) -> Any:
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
    book = _Book()
    for path in sorted(folder.joinpath("java").rglob("*.mcdoc")):
        words = path.relative_to(folder).with_suffix("").parts
        _Reader(path.read_text(encoding="utf-8"), words[:-1] if words[-1] == "mod" else words, book).read()
    overrides = tomllib.loads(_HERE.joinpath("schema_overrides.toml").read_text(encoding="utf-8"))
    writer = _Writer(book, overrides)
    for family in _FAMILIES:
        writer.family(family)
    head = f"Minecraft Java {'.'.join(map(str, _GAME))}; facts taken from vanilla-mcdoc (MIT)"
    written = {"about": head, **writer.reached()}
    text = json.dumps(written, sort_keys=True, separators=(",", ":"))
    # A line for each member keeps a change readable.
    lines = re.sub(r'(?<=[,{])("(?:minecraft:)?[A-Za-z_/]+":(?:\["|"))', r"\n\1", text)
    _HERE.joinpath("schemas.json").write_text(f"{text}\n" if len(lines) > 10**6 else f"{lines}\n", encoding="utf-8")


if __name__ == "__main__":
    main()
