"""The commands in the documents: which they are, and what stands in for what a scratch folder lacks."""

from __future__ import annotations

import re
import shlex
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Final, Literal

from tests.commands import COMMAND

__all__ = [
    "COMMANDS",
    "DOCUMENTS",
    "ROOT",
    "Kind",
    "Line",
    "blocks_in",
    "commands_in",
    "help_examples",
    "inline_code",
    "kind_of",
    "make_targets",
    "words_of",
]

ROOT: Final = Path(__file__).resolve().parent.parent
BIN: Final = Path(COMMAND).parent

DOCUMENTS: Final = tuple(
    str(path.relative_to(ROOT))
    for path in (ROOT / "README.md", ROOT / "CONTRIBUTING.md", *sorted((ROOT / "docs").glob("*.md")))
)
COMMANDS: Final = ("", "review", "export", "import", "stats", "bakeoff", "simulate", "doctor", "check", "sandbox")

Kind = Literal["run", "screen", "serve", "make", "export", "other"]

_FENCE: Final = re.compile(r"^ {0,3}```(\w*)$")
_OURS: Final = re.compile(r"(?<![\w./-])(?:\.venv/bin/)?selfplay-tui(?![\w./-])")
_FIRST: Final = re.compile(r"^(?:[A-Z_]+=\S* )*(?:\.venv/bin/)?(?P<program>[\w.-]+)(?: |$)")
# What begins a line of a block that is not marked as `sh`, and is a command all the same.
_PROGRAMS: Final = {
    *("export", "git", "gzip", "java", "jq", "llama-server", "make", "ollama", "pip", "pytest", "python"),
    *("python3", "ruff", "selfplay-tui", "vllm"),
}
_BATCH: Final = {"--headless", "--dry-run", "--json", "--help", "--version"}


@dataclass(frozen=True, slots=True)
class Line:
    """A command of a document, without its comment."""

    place: str
    text: str


def blocks_in(text: str) -> Iterator[tuple[str, int, list[str]]]:
    """Return language, number of the first line, and lines of every fenced and every indented block."""
    lines = text.splitlines()
    at = 0
    while at < len(lines):
        if fence := _FENCE.match(lines[at]):
            end = next(n for n in range(at + 1, len(lines)) if lines[n].strip() == "```")
            yield fence[1], at + 2, lines[at + 1 : end]
            at = end + 1
        elif lines[at].startswith("    ") and (at == 0 or not lines[at - 1].strip()):
            end = at
            while end < len(lines) and (lines[end].startswith("    ") or not lines[end].strip()):
                end += 1
            yield "", at + 1, [line[4:] for line in lines[at:end]]
            at = end
        else:
            at += 1


def commands_in(name: str, text: str) -> list[Line]:
    """Return the commands of a document in their order: every line marked as `sh`, and what looks like one."""
    found = []
    for language, first, lines in blocks_in(text):
        for number, line in _whole_lines(first, lines):
            command = re.sub(r"(?:^|\s+)#.*$", "", line).strip().removeprefix("$ ")
            if command and (language == "sh" or (not language and _looks_like_a_command(command))):
                found.append(Line(f"{name}:{number}", command))
    return found


def _whole_lines(first: int, lines: list[str]) -> Iterator[tuple[int, str]]:
    held = ""
    for number, line in enumerate(lines, first):
        held += line
        if held.endswith("\\"):
            held = held[:-1]
            continue
        yield number, held
        held = ""


def _looks_like_a_command(line: str) -> bool:
    first = _FIRST.match(line)
    return bool(first and first["program"] in _PROGRAMS) or _is_ours(line)


def _is_ours(line: str) -> bool:
    """Whether one of the programs of a pipe is ours."""
    return any((first := _FIRST.match(part.strip())) and first["program"] == "selfplay-tui" for part in line.split("|"))


def help_examples(command: str, text: str) -> list[Line]:
    """Return the examples in what `--help` prints."""
    _, _, after = text.partition("\nexample")
    lines = [line for line in after.splitlines()[1:] if line.startswith("  ")]
    return [
        Line(f"selfplay-tui {command} --help".replace("  ", " "), line.strip())
        for line in lines
        if line[2] != " " and _looks_like_a_command(line.strip())
    ]


def inline_code(text: str) -> list[str]:
    """Return what stands between single backticks in a document, outside its blocks."""
    prose = []
    inside = False
    for line in text.splitlines():
        if _FENCE.match(line) or (inside and line.strip() == "```"):
            inside = not inside
        elif not inside and not line.startswith("    "):
            prose.append(line)
    return re.findall(r"`([^`]+)`", "\n".join(prose))


def kind_of(line: Line) -> Kind:
    """Return how a command is run."""
    if line.text.startswith("export "):
        return "export"
    if line.text.startswith("make "):
        return "make"
    if line.text.startswith("chmod "):
        return "run"
    if not _is_ours(line.text):
        return "other"
    if any(sign in line.text for sign in "|<>"):
        return "run"
    words = words_of(line)
    given = next((word for word in words if word in COMMANDS), "")
    if given == "sandbox":
        return "run" if {"--import", "--forget"} & set(words) else "serve"
    if given not in ("", "review") or _BATCH & set(words):
        return "run"
    return "screen"


def words_of(line: Line) -> list[str]:
    """Return the words that follow the program's name."""
    words = shlex.split(line.text)
    at = next(n for n, word in enumerate(words) if _OURS.fullmatch(word))
    return words[at + 1 :]


def make_targets() -> set[str]:
    """Return what the Makefile can make by name."""
    text = (ROOT / "Makefile").read_text(encoding="utf-8")
    return set(re.findall(r"^([a-z][\w-]*):", text, re.MULTILINE))
