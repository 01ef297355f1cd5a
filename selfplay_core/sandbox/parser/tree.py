"""The tree of the game's commands: mecha's for Minecraft 1.21.11, or one that a server's own reports hold.

Both have the shape of `commands.json` as the game's data generator writes it. mecha itself is not loaded: its
tree is a file of the package.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from functools import cache
from importlib.util import find_spec
from pathlib import Path
from typing import Any, Final

__all__ = ["Node", "grown", "mecha_tree"]

_FILE: Final = "1_21.json"
# What mecha's tree has and a dedicated server without experiments has not.
_ABSENT: Final = (
    ("publish",),
    ("gamerule", "max_minecart_speed"),
    ("gamerule", "minecraft:max_minecart_speed"),
)


@dataclass(slots=True, eq=False)
class Node:
    """One word or argument of commands; `redirect` is the node whose children come next instead of its own."""

    name: str
    type: str
    parser: str = ""
    properties: Mapping[str, Any] = field(default_factory=dict)
    executable: bool = False
    redirect: Node | None = None
    children: dict[str, Node] = field(default_factory=dict)
    literals: dict[str, Node] = field(default_factory=dict)
    arguments: tuple[Node, ...] = ()

    def walk(self) -> Iterator[Node]:
        """Yield this node and all below it, redirects not followed."""
        yield self
        for child in self.children.values():
            yield from child.walk()


@cache
def mecha_tree() -> Node:
    """Return the tree that the installed mecha carries."""
    spec = find_spec("mecha")
    if spec is None or spec.origin is None:
        raise LookupError("mecha is not installed, and the sandbox has no other tree of commands")
    path = Path(spec.origin).parent / "resources" / _FILE
    report = json.loads(path.read_text(encoding="utf-8"))
    for *way, last in _ABSENT:
        children = report["children"]
        for word in way:
            children = children[word]["children"]
        del children[last]
    return grown(report)


def grown(report: Mapping[str, Any]) -> Node:
    """Return the tree that a `commands.json` describes."""
    root = Node("", "root")
    pending: list[tuple[Node, list[str]]] = []
    _grow(root, report, pending)
    for node, path in pending:
        target = root
        for word in path:
            target = target.children[word]
        node.redirect = target
    return root


def _grow(node: Node, report: Mapping[str, Any], pending: list[tuple[Node, list[str]]]) -> None:
    children: Mapping[str, Any] = report.get("children") or {}
    for name, described in children.items():
        child = Node(
            name,
            described["type"],
            described.get("parser", ""),
            described.get("properties") or {},
            bool(described.get("executable")),
        )
        node.children[name] = child
        _grow(child, described, pending)
        redirect = described.get("redirect")
        if redirect is not None:
            pending.append((child, list(redirect)))
        elif not child.children and not child.executable:
            # `execute … run` and `return run` lead back to the root, which the report says by leaving all out.
            pending.append((child, []))
    node.literals = {name: child for name, child in node.children.items() if child.type == "literal"}
    node.arguments = tuple(child for child in node.children.values() if child.type == "argument")
