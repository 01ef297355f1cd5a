"""Reads the schema language of vanilla-mcdoc, as far as its files for one version of the game need it.

For `make_schemas.py` alone. Types become lists whose first member says what they are; what an attribute `since` or
`until` takes away from this version is left out while reading.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import Any, Final

__all__ = ["GAME", "Book", "Expression", "File", "read_mcdoc"]

GAME: Final = (1, 21, 11)

Expression = Any

_TOKEN = re.compile(
    r"\s+|//[^\n]*|(\"(?:[^\"\\]|\\.)*\"|-?\d+(?:\.\d+)?[bslfdBSLFD]?|-?\.\d+|\.\.\.|\.\.|::|[%A-Za-z_][\w\-]*|.)"
)
_NUMBERS: Final = {
    **dict.fromkeys(("byte", "short", "int", "long"), "int"),
    **dict.fromkeys(("float", "double"), "float"),
}


def read_mcdoc(text: str, path: tuple[str, ...], book: Book) -> None:
    """Put the declarations of one file into the book; `path` is the file's, without its ending."""
    _Reader(text, path, book).read()


@dataclass(slots=True)
class File:
    """The declarations of one file; names that it uses lead to full paths."""

    path: tuple[str, ...]
    uses: dict[str, tuple[str, ...]] = field(default_factory=dict)


@dataclass(slots=True)
class Book:
    """All declarations by full path, and all dispatches by family and key, as they stand in the files."""

    types: dict[tuple[str, ...], tuple[File, tuple[str, ...], Expression]] = field(default_factory=dict)
    families: dict[str, dict[str, tuple[File, Expression]]] = field(default_factory=dict)


class _Reader:
    """Reads one file; types become lists whose first member says what they are."""

    def __init__(self, text: str, path: tuple[str, ...], book: Book) -> None:
        self.tokens = [match[1] for match in _TOKEN.finditer(text) if match[1]]
        self.at = 0
        self.file = File(path)
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

    def declare(self, name: str, parameters: tuple[str, ...], expression: Expression, holds: bool) -> None:
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

    def type(self, declared: bool | None = None) -> Expression:
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

    def bare(self, declared: bool | None) -> Expression:
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
        arguments: list[Expression] = []
        if self.accept("<"):
            while not self.accept(">"):
                arguments.append(self.type())
                self.accept(",")
        return ["name", path, arguments]

    def indexed(self) -> Expression:
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

    def union(self) -> Expression:
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

    def listed(self) -> Expression:
        self.take("[")
        members = []
        while not self.accept("]"):
            members.append(self.type())
            self.accept(",")
        low, high, _ = self.range()
        if len(members) > 1:
            return ["list", "any", len(members), len(members)]
        return ["list", members[0], low, high]

    def struct(self, declared: bool | None) -> Expression:
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

    def enum(self, declared: bool | None) -> Expression:
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
    return (since is None or _version(since) <= GAME) and (until is None or _version(until) > GAME)


def _version(text: str) -> tuple[int, ...]:
    return tuple(int(part) for part in str(text).split("."))
