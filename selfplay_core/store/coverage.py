"""Which commands the newest traces tried, and what came of them."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass

import msgspec

from selfplay_core.errors import StoreError
from selfplay_core.models import VerdictOutcome
from selfplay_core.store.database import Reader

__all__ = ["RootCount", "command_roots"]


@dataclass(frozen=True, slots=True)
class RootCount:
    """How often a command was asked for in the answers that count, passed, and was rejected or failed."""

    root: str
    asked: int
    passed: int
    failed: int


class _Verdict(msgspec.Struct):
    outcome: VerdictOutcome


class _Result(msgspec.Struct):
    verdict: _Verdict


class _Answer(msgspec.Struct):
    commands: list[str]


class _Attempt(msgspec.Struct):
    answer: _Answer | None = None
    results: list[_Result] = msgspec.field(default_factory=list)


class _Trace(msgspec.Struct):
    """As much of a trace as its commands take to read."""

    attempts: list[_Attempt]


def command_roots(reader: Reader, root_of: Callable[[str], str], *, newest: int = 2000) -> list[RootCount]:
    """Return the commands of the last attempts of the newest traces by `root_of` them, the most asked for first."""
    decoder = msgspec.json.Decoder(_Trace)
    asked, passed, failed = Counter[str](), Counter[str](), Counter[str]()
    for number, payload in reader.rows("SELECT n, payload FROM trace ORDER BY n DESC LIMIT ?", (newest,)):
        last = _last(decoder, number, payload)
        if last is None or last.answer is None:
            continue
        roots = [root_of(command) for command in last.answer.commands]
        asked.update(roots)
        # What was not run has no result: then there are fewer of them, or none.
        for root, result in zip(roots, last.results, strict=False):
            if result.verdict.outcome is VerdictOutcome.PASSED:
                passed[root] += 1
            elif result.verdict.outcome is not VerdictOutcome.UNCLEAR:
                failed[root] += 1
    ordered = sorted((root for root in asked if root), key=lambda root: (-asked[root], root))
    return [RootCount(root, asked[root], passed[root], failed[root]) for root in ordered]


def _last(decoder: msgspec.json.Decoder[_Trace], number: int, payload: str) -> _Attempt | None:
    try:
        attempts = decoder.decode(payload).attempts
    except msgspec.MsgspecError as error:
        raise StoreError(
            f"trace #{number} cannot be read as stored: {error}. Put a copy of the workspace back, or use the version "
            "of selfplay-tui that wrote it."
        ) from error
    return attempts[-1] if attempts else None
