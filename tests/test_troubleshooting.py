"""docs/troubleshooting.md holds the program's messages, all of them and no others."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from functools import cache
from typing import Final

from selfplay_core import errors
from tests.documents import ROOT

PAGE: Final = ROOT / "docs" / "troubleshooting.md"
GAP: Final = "…"

RAISED: Final = {
    *errors.__all__,
    "ArgumentTypeError",
    "BadFilter",
    "NotARow",
    "NotNative",
    "PolicyViolation",
    "Unusable",
}
"""What carries a message that a person may read."""

TO_THE_MODEL: Final = {"IllTyped"}
"""The same of a message that is written for the model."""

NEVER_ALONE: Final = {
    f"{GAP}. See {GAP} --help": "frames argparse's own words",
}
"""Templates that are nothing but a frame, and why the page does without them."""


@cache
def sources() -> tuple[ast.Module, ...]:
    """Every module of the program, parsed."""
    folders = (ROOT / "selfplay_core", ROOT / "tui")
    return tuple(ast.parse(file.read_bytes()) for folder in folders for file in sorted(folder.rglob("*.py")))


def template(node: ast.expr) -> str | None:
    """A text of the sources, with a gap for whatever is put into it."""
    match node:
        case ast.Constant(value=str(text)):
            return re.sub(r"%[rsd]", GAP, text)
        case ast.JoinedStr():
            return "".join(str(part.value) if isinstance(part, ast.Constant) else GAP for part in node.values)
        case _:
            return None


@cache
def texts() -> str:
    """Every text of the sources and of the Makefile, a line each."""
    nodes = (node for module in sources() for node in ast.walk(module) if isinstance(node, ast.expr))
    found = {text for node in nodes if (text := template(node))}
    makefile = (ROOT / "Makefile").read_text(encoding="utf-8").splitlines()
    return "\n".join(" ".join(text.split()) for text in sorted(found | set(makefile)))


def raised() -> Iterator[str]:
    """The messages of our errors, as far as they are written where they are made."""
    for module in sources():
        for node in ast.walk(module):
            if isinstance(node, ast.Call) and node.args:
                name = node.func.id if isinstance(node.func, ast.Name) else getattr(node.func, "attr", "")
                text = template(node.args[0])
                if name in RAISED - TO_THE_MODEL and text:
                    yield text


def quoted() -> list[str]:
    """The messages that the page quotes: first cells of the tables of messages."""
    found: list[str] = []
    of_messages = False
    for line in PAGE.read_text(encoding="utf-8").splitlines():
        if line.startswith("| message |"):
            of_messages = True
        elif not line.startswith("|"):
            of_messages = False
        elif of_messages and not line.startswith("|---"):
            found += re.findall(r"`([^`]+)`", line.split(" | ")[0])
    return found


def fits(quote: str, text: str) -> bool:
    """Whether the fixed parts of a quote stand in a line of a text, in their order."""
    parts = [re.escape(part.strip()) for part in quote.split(GAP) if part.strip()]
    return re.search(".*".join(parts), text) is not None


def test_every_message_on_the_page_is_one_of_the_program() -> None:
    """A message that was reworded is quoted in its new words, and one that is gone is not quoted."""
    assert len(quoted()) > 150
    assert [quote for quote in quoted() if not fits(quote, texts())] == []


def test_every_message_of_the_program_is_on_the_page() -> None:
    """Whoever adds an error tells there what causes it and what to do."""
    known = [quote for quote in quoted() if len(quote.replace(GAP, "").strip()) > 5]
    missing = [text for text in raised() if not any(fits(quote, text) for quote in known)]
    assert [text for text in missing if text not in NEVER_ALONE] == []
