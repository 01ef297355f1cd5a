"""Reading a file of prompts that replaces the prompt writer."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import orjson

from selfplay_core.errors import SettingsError
from selfplay_core.text import clip, one_line

__all__ = ["GivenPrompt", "read_prompts"]


@dataclass(frozen=True, slots=True)
class GivenPrompt:
    """A prompt from a file; `category` is None where the file names none."""

    text: str
    category: str | None


def read_prompts(path: Path, categories: tuple[str, ...]) -> tuple[GivenPrompt, ...]:
    """Read prompts, one a line: plain text, or a JSON object with `prompt` and perhaps `category`.

    Blank lines are passed over. Raises SettingsError that names the file and the line.
    """
    try:
        lines = path.read_bytes().decode("utf-8-sig").split("\n")
    except (OSError, UnicodeDecodeError) as error:
        raise SettingsError(
            f"Cannot read the prompts in {path}: {error}. Give --prompts a UTF-8 text or JSONL file."
        ) from error
    prompts = tuple(
        _parse(line.strip(), f"{path}, line {number}", categories)
        for number, line in enumerate(lines, start=1)
        if line.strip()
    )
    if not prompts:
        raise SettingsError(f"There are no prompts in {path}. Write one a line, or JSON objects with `prompt`.")
    return prompts


def _parse(line: str, where: str, categories: tuple[str, ...]) -> GivenPrompt:
    if not line.startswith("{"):
        return GivenPrompt(_usable(line, where), None)
    try:
        found: Any = orjson.loads(line)
    except orjson.JSONDecodeError as error:
        raise SettingsError(f"{where} is no valid JSON: {error}. Mend the line.") from error
    text, category = found.get("prompt"), found.get("category")
    if not isinstance(text, str) or not text.strip():
        raise SettingsError(f"{where} has no text under `prompt`. Mend the line.")
    if category is not None and category not in categories:
        shown = clip(one_line(str(category)), 60)
        raise SettingsError(f"{where} names the unknown category {shown!r}; allowed: {', '.join(categories)}.")
    return GivenPrompt(_usable(text.strip(), where), category)


def _usable(text: str, where: str) -> str:
    if len(text.splitlines()) > 1 or "\0" in text:
        raise SettingsError(f"{where}: a prompt is one line of chat, this one holds line breaks. Mend the line.")
    return text
