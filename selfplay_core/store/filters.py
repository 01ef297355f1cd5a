"""Which traces a person wants to see, and the same as SQL over the table `review`."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

from selfplay_core.models import Level, Outcome, VerdictOutcome
from selfplay_core.store.fulltext import match_expression

__all__ = ["LARGEST", "MARKS", "Condition", "Filter", "condition"]

MARKS: Final = ("undecided", "accept", "reject", "edit", "skip", "errored")
"""What a list shows of a trace; a mark is an index into this. `errored` is an errored one that is undecided."""

LARGEST: Final = (1 << 63) - 1
"""What a person types as a number may be more than SQLite can hold; no trace has this one either."""

# As the column `verdict` counts: the worse, the larger.
_VERDICTS = (VerdictOutcome.PASSED, VerdictOutcome.UNCLEAR, VerdictOutcome.FAILED, VerdictOutcome.REJECTED)

_CLEAN = (
    "q.outcome = (SELECT id FROM word WHERE word = ?) AND q.level = (SELECT id FROM word WHERE word = ?)"
    " AND q.attempts = 1 AND q.verdict = 0"
)


@dataclass(frozen=True, slots=True)
class Filter:
    """What must hold of a trace; an empty tuple, None and "" let everything through.

    `status` holds names of `MARKS`, of which `undecided` never includes errored traces. `verdicts` is about the
    worst verdict of the last attempt. Retries are attempts after the first. `text` is searched in the prompt and
    the last commands, its last word as a beginning; without a word in it, it lets everything through. `clean`
    is solved and executed at the first attempt with every verdict passed, `near` nearly a copy of an earlier prompt,
    `differs` of a case of a bake-off that its models did not end alike.
    """

    status: tuple[str, ...] = ()
    categories: tuple[str, ...] = ()
    outcomes: tuple[Outcome, ...] = ()
    verdicts: tuple[VerdictOutcome, ...] = ()
    min_retries: int | None = None
    max_retries: int | None = None
    flagged: bool | None = None
    text: str = ""
    number: int | None = None
    clean: bool = False
    near: bool = False
    differs: bool = False


@dataclass(frozen=True, slots=True)
class Condition:
    """What comes after FROM and WHERE, where `q` is a row of `review`; `number` is the column that leads."""

    source: str
    number: str
    where: str
    parameters: tuple[Any, ...]


def condition(wanted: Filter) -> Condition:
    """Return `wanted` as SQL; raises ValueError by a status that is none."""
    terms: list[tuple[str, Sequence[Any]]] = []
    if wanted.status:
        terms.append(_one_of("q.mark", [MARKS.index(name) for name in wanted.status]))
    if wanted.categories:
        terms.append(_one_of_words("q.category", wanted.categories))
    if wanted.outcomes:
        terms.append(_one_of_words("q.outcome", wanted.outcomes))
    if wanted.verdicts:
        terms.append(_one_of("q.verdict", [_VERDICTS.index(verdict) for verdict in wanted.verdicts]))
    if wanted.min_retries is not None:
        terms.append(("q.attempts > ?", (wanted.min_retries,)))
    if wanted.max_retries is not None:
        terms.append(("q.attempts <= ? + 1", (wanted.max_retries,)))
    if wanted.flagged is not None:
        terms.append(("q.flagged = ?", (wanted.flagged,)))
    if wanted.number is not None:
        terms.append(("q.n = ?", (min(wanted.number, LARGEST),)))
    if wanted.clean:
        terms.append((_CLEAN, (Outcome.SOLVED, Level.EXECUTED)))
    if wanted.near:
        terms.append(("EXISTS (SELECT 1 FROM likeness l WHERE l.n = q.n AND l.near IS NOT NULL)", ()))
    if wanted.differs:
        terms.append(("EXISTS (SELECT 1 FROM contrast c WHERE c.n = q.n)", ()))
    match = match_expression(wanted.text)
    if match:
        terms.append(("trace_text MATCH ?", (match,)))
    # CROSS: the words lead, so that what they find comes in the order of numbers.
    source, number = ("trace_text f CROSS JOIN review q ON q.n = f.rowid", "f.rowid") if match else ("review q", "q.n")
    where = "".join(f" AND {term}" for term, _ in terms)
    return Condition(source, number, where, tuple(value for _, values in terms for value in values))


def _one_of(column: str, values: Sequence[Any]) -> tuple[str, Sequence[Any]]:
    return f"{column} IN ({', '.join('?' * len(values))})", values


def _one_of_words(column: str, words: Sequence[str]) -> tuple[str, Sequence[Any]]:
    return f"{column} IN (SELECT id FROM word WHERE word IN ({', '.join('?' * len(words))}))", words
