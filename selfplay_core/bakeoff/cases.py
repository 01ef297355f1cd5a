"""Where the cases of a bake-off come from: a file of ours, rows of the original script, or accepted traces."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field, replace
from difflib import get_close_matches
from pathlib import Path
from typing import Any, Final

import msgspec
import orjson

from selfplay_core.bakeoff.expectation import Expectation, read_expectation
from selfplay_core.categories import mode_of
from selfplay_core.errors import SettingsError
from selfplay_core.exchange.original import NotARow, read_row
from selfplay_core.exchange.source import cases as traces_of
from selfplay_core.exchange.source import numbers_of
from selfplay_core.models import CATEGORY_NAMES, IMPORTED, Mode
from selfplay_core.store.database import Reader
from selfplay_core.store.filters import Filter
from selfplay_core.text import clip, one_line

__all__ = ["WORKSPACE", "Case", "CaseBook", "read_cases"]

WORKSPACE: Final = "workspace"
"""What stands in the place of a file where the accepted traces of the workspace are the cases."""

_DEFAULT_CATEGORY: Final = "natural_language"
_KEYS: Final = ("prompt", "category", "expect", "refuse")
_NEARLY: Final = 0.7
_ROW = re.compile(rb'"(?:input|messages)"\s*:')


@dataclass(frozen=True, slots=True)
class Case:
    """One prompt that every model answers; `place` counts within the book, from 0."""

    place: int
    prompt: str
    category: str
    mode: Mode
    expects: Expectation | None = None


@dataclass(frozen=True, slots=True)
class CaseBook:
    """All cases of one source; `repeated` lines said what an earlier one had said.

    `rows` counts those that were rows of a training file, `ignored` names keys of cases that mean nothing here.
    `digest` is the hash of the cases alone: two books with the same digest ask the same.
    """

    source: str
    cases: tuple[Case, ...]
    repeated: int
    digest: str
    rows: int = 0
    ignored: tuple[str, ...] = ()

    @property
    def is_workspace(self) -> bool:
        """Whether these are accepted traces of the workspace, of which nothing is kept out."""
        return self.source == WORKSPACE

    @property
    def may_be_known(self) -> bool:
        """Whether cases may have been seen in training: they are rows of it."""
        return self.is_workspace or self.rows > 0

    @property
    def expecting(self) -> tuple[int, int]:
        """How many cases have an expectation, and how many of these want a refusal."""
        wanted = [case.expects for case in self.cases if case.expects is not None]
        return len(wanted), sum(expects.refuse for expects in wanted)

    def only(self, category: str) -> CaseBook:
        """Return the cases of one category as a book of their own; raises SettingsError if there are none."""
        kept = [case for case in self.cases if case.category == category]
        if not kept:
            raise SettingsError(
                f"--focus: none of the {len(self.cases)} cases is of the category {category}. Leave --focus out."
            )
        found = (_Found(case.prompt, case.category, case.mode, case.expects) for case in kept)
        return replace(_bound(self.source, found), rows=self.rows, ignored=self.ignored)


@dataclass(frozen=True, slots=True)
class _Found:
    prompt: str
    category: str
    mode: Mode
    expects: Expectation | None = None
    is_row: bool = field(default=False, compare=False)
    ignored: tuple[str, ...] = field(default=(), compare=False)


def read_cases(source: str, reader: Reader | None) -> CaseBook:
    """Read the cases that `--cases` names; `reader` is the workspace's, None where there is none.

    A line is JSON with `prompt` and perhaps `category`, `expect`, `refuse`; or a row of the original script's; or
    plain text. Raises SettingsError that names the file and the line.
    """
    if source == WORKSPACE:
        return _bound(source, _accepted(reader))
    return _bound(source, _from_file(Path(source)))


def _bound(source: str, found: Iterable[_Found]) -> CaseBook:
    seen: dict[_Found, None] = {}
    count = rows = 0
    ignored: dict[str, None] = {}
    for one in found:
        count += 1
        rows += one.is_row
        ignored.update(dict.fromkeys(one.ignored))
        seen.setdefault(one)
    cases = tuple(Case(place, one.prompt, one.category, one.mode, one.expects) for place, one in enumerate(seen))
    digest = hashlib.sha256(msgspec.json.encode(cases, order="sorted")).hexdigest()[:16]
    return CaseBook(source, cases, count - len(cases), digest, rows, tuple(ignored))


def _accepted(reader: Reader | None) -> Iterator[_Found]:
    wanted = Filter(status=("accept", "edit"))
    numbers = numbers_of(reader, wanted, by_acceptance=True) if reader is not None else ()
    if reader is None or not numbers:
        raise SettingsError(
            "--cases workspace: nothing is accepted in this workspace. Accept some traces first, name another "
            "--workspace, or give --cases a file."
        )
    for case in traces_of(reader, numbers):
        prompt = case.trace.prompt
        text = (case.decision.edited_prompt if case.decision is not None else None) or prompt.text
        yield _Found(text, prompt.category if prompt.category != IMPORTED else _DEFAULT_CATEGORY, mode_of(text))


def _from_file(path: Path) -> Iterator[_Found]:
    try:
        lines = path.read_bytes().removeprefix(b"\xef\xbb\xbf").split(b"\n")
    except OSError as error:
        raise SettingsError(
            f"--cases: {clip(one_line(str(path)), 200)} cannot be read: {error.strerror}. Name a JSONL file, or "
            "`workspace` for what is accepted there."
        ) from error
    found = 0
    for number, line in enumerate(lines, start=1):
        if line.strip():
            found += 1
            yield _line(line.strip(), number, f"--cases: {clip(one_line(str(path)), 200)}, line {number}")
    if not found:
        raise SettingsError(f"--cases: there is no case in {path}. Write JSON objects with `prompt`, one a line.")


def _line(line: bytes, number: int, where: str) -> _Found:
    if not line.startswith((b"{", b"[", b'"')):
        return _plain(line, where)
    try:
        body: Any = orjson.loads(line)
    except (orjson.JSONDecodeError, RecursionError) as error:
        raise SettingsError(f"{where} is no valid JSON: {error}. Mend the line.") from error
    if isinstance(body, str):
        return _plain(body.encode(), where)
    if not isinstance(body, dict):
        raise SettingsError(f"{where} is a list. Write one JSON object a line, without brackets around them.")
    if "prompt" not in body and _ROW.search(line):
        return _row(line, number, where)
    text = body.get("prompt")
    if not isinstance(text, str) or not text.strip():
        raise SettingsError(f"{where} has no text under `prompt`. Mend the line.")
    prompt = _usable(text.strip(), where)
    category = body.get("category", _DEFAULT_CATEGORY)
    if category not in CATEGORY_NAMES:
        shown = clip(one_line(str(category)), 60)
        raise SettingsError(f"{where} names the unknown category {shown!r}; allowed: {', '.join(CATEGORY_NAMES)}.")
    _refuse_misspelt(body, where)
    ignored = tuple(key for key in body if key not in _KEYS)
    return _Found(prompt, category, mode_of(prompt), read_expectation(body, where), ignored=ignored)


def _refuse_misspelt(body: dict[str, Any], where: str) -> None:
    """An expectation under another name would be none, and nobody would know."""
    for key in body:
        meant = get_close_matches(key.lower(), _KEYS, n=1, cutoff=_NEARLY)
        if key not in _KEYS and meant:
            raise SettingsError(f"{where} has a key {clip(one_line(key), 40)!r}. Is {meant[0]!r} meant? Rename it.")


def _plain(line: bytes, where: str) -> _Found:
    try:
        prompt = _usable(line.decode().strip(), where)
    except UnicodeDecodeError as error:
        raise SettingsError(f"{where} is no UTF-8: {error}. Mend the line.") from error
    return _Found(prompt, _DEFAULT_CATEGORY, mode_of(prompt))


def _row(line: bytes, number: int, where: str) -> _Found:
    try:
        trace, _ = read_row(line, number)
    except NotARow as error:
        raise SettingsError(f"{where} is no case and no row: {error}. Mend the line.") from error
    prompt = trace.prompt
    category = prompt.category if prompt.category != IMPORTED else _DEFAULT_CATEGORY
    return _Found(_usable(prompt.text.strip(), where), category, prompt.mode, is_row=True)


def _usable(text: str, where: str) -> str:
    if not text:
        raise SettingsError(f"{where} holds no text. Mend the line, or leave it out.")
    if len(text.splitlines()) > 1 or "\0" in text:
        raise SettingsError(f"{where}: a prompt is one line of chat, this one holds line breaks. Mend the line.")
    return text
