"""The whole comparison as one value: of one bake-off, or of several that asked the same cases."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Final

from selfplay_core.bakeoff.cases import Case, CaseBook
from selfplay_core.bakeoff.guard import Leaks
from selfplay_core.bakeoff.intervals import Rule
from selfplay_core.bakeoff.ledger import Entrant, Ledger, Result
from selfplay_core.bakeoff.marks import Why
from selfplay_core.bakeoff.standing import Figures, Pair, compare, figures_of
from selfplay_core.bakeoff.terms import differences
from selfplay_core.errors import UsageError
from selfplay_core.models import CATEGORY_NAMES, Mode
from selfplay_core.text import clip, one_line

__all__ = ["Contrast", "Report", "Standing", "make_report"]

_MUCH_OPEN: Final = 0.2


@dataclass(frozen=True, slots=True)
class Standing:
    """One model with its figures: over all, by category, by mode."""

    entrant: Entrant
    overall: Figures
    by_category: dict[str, Figures]
    by_mode: dict[str, Figures]


@dataclass(frozen=True, slots=True)
class Contrast:
    """A case that the models ended differently, with what each made of it."""

    case: Case
    results: dict[str, Result]


@dataclass(frozen=True, slots=True)
class Report:
    """What a bake-off found; `standings` has the best first.

    `ledgers` are the folders that it is made from, `warnings` what a reader must know before believing it.
    """

    ledgers: tuple[Ledger, ...]
    book: CaseBook
    asked: int
    standings: tuple[Standing, ...]
    pairs: tuple[Pair, ...]
    contrasts: tuple[Contrast, ...]
    leaks: Leaks | None
    warnings: tuple[str, ...]

    @property
    def is_final(self) -> bool:
        """Whether the pairs may be judged: where the number of cases was settled, only once all have been asked."""
        return all(one.record.sequential or one.is_complete for one in self.ledgers)


def make_report(ledgers: Sequence[Ledger], leaks: Leaks | None = None) -> Report:
    """Compare all models of these bake-offs; raises UsageError if they did not ask the same cases."""
    book = ledgers[0].book
    for other in ledgers[1:]:
        if other.book.digest != book.digest:
            raise UsageError(
                f"these bake-offs asked other cases: {ledgers[0].folder} has {len(book.cases)} from {book.source}, "
                f"{other.folder} has {len(other.book.cases)} from {other.book.source}. Compare runs of the same cases."
            )
    entrants = _pooled(ledgers)
    rule = Rule.ANYTIME if any(one.record.sequential for one in ledgers) else Rule.EXACT
    standings = sorted((_standing(entrant, book) for entrant in entrants), key=_merit, reverse=True)
    ranked = [standing.entrant for standing in standings]
    marks = {
        entrant.label: {place: result.marked.mark for place, result in entrant.results.items()} for entrant in ranked
    }
    places = {place for entrant in entrants for place in entrant.results}
    return Report(
        ledgers=tuple(ledgers),
        book=book,
        asked=len(places),
        standings=tuple(standings),
        pairs=tuple(compare(marks, rule)),
        contrasts=tuple(_contrasts(ranked, book)),
        leaks=leaks,
        warnings=tuple(_warnings(ledgers, standings)),
    )


def _pooled(ledgers: Sequence[Ledger]) -> list[Entrant]:
    """Return all models; where names would meet, each says which folder it is from."""
    entrants = [(ledger, entrant) for ledger in ledgers for entrant in ledger.entrants]
    names = [entrant.label for _, entrant in entrants]
    return [
        replace(entrant, label=f"{entrant.label} ({ledger.folder})") if names.count(entrant.label) > 1 else entrant
        for ledger, entrant in entrants
    ]


def _contrasts(entrants: Sequence[Entrant], book: CaseBook) -> list[Contrast]:
    """Return the cases that are decided for several models and not alike, in the order of the cases."""
    found = []
    for case in book.cases:
        results = {one.label: one.results[case.place] for one in entrants if case.place in one.results}
        decided = {result.marked.mark.is_right for result in results.values() if result.marked.mark.is_decided}
        if len(decided) > 1:
            found.append(Contrast(case, results))
    return found


def _standing(entrant: Entrant, book: CaseBook) -> Standing:
    def over(wanted: set[int]) -> Figures:
        return figures_of(result for place, result in entrant.results.items() if place in wanted)

    by_category = {name: {case.place for case in book.cases if case.category == name} for name in CATEGORY_NAMES}
    by_mode = {mode.value: {case.place for case in book.cases if case.mode is mode} for mode in Mode}
    seen = set(entrant.results)
    return Standing(
        entrant,
        figures_of(entrant.results.values()),
        {name: over(places) for name, places in by_category.items() if places & seen},
        {name: over(places) for name, places in by_mode.items() if places & seen},
    )


def _merit(standing: Standing) -> float:
    share = standing.overall.share
    return -1.0 if share is None else share


def _warnings(ledgers: Sequence[Ledger], standings: Sequence[Standing]) -> list[str]:
    told = []
    for one in ledgers:
        if not one.is_complete and not one.record.sequential:
            counts = ", ".join(f"{entrant.label} {len(entrant.results)}" for entrant in one.entrants)
            told.append(f"Unfinished: of {one.record.wanted} cases there are answers of {counts or 'nobody'}.")
    versions = {version for standing in standings for version in standing.entrant.versions}
    if len(versions) > 1:
        told.append(
            f"Different servers judged: {', '.join(sorted(versions))}. A command may be right on one and wrong on "
            "another."
        )
    for other in ledgers[1:]:
        for name, mine, theirs in differences(ledgers[0].terms, other.terms):
            told.append(
                f"{name} differs: {mine or 'none'} in {ledgers[0].folder}, {theirs or 'none'} in {other.folder}."
            )
    for standing in standings:
        figures = standing.overall
        total = figures.decided + figures.open
        if total and figures.open / total > _MUCH_OPEN:
            why = ", ".join(f"{reason} {count}" for reason, count in figures.open_because.items())
            told.append(
                f"{figures.open} of {total} answers of {standing.entrant.label} show nothing ({why}). "
                f"{_advice(figures)}"
            )
        if figures.errored:
            told.append(
                f"{figures.errored} cases of {standing.entrant.label} met a fault and are not counted; the same "
                "command again asks only these."
            )
    if any(one.terms.server != "sandbox" and not (one.terms.setup or one.terms.cleanup) for one in ledgers):
        told.append(
            "No set-up or clean-up commands are set, so that an answer met the server as the answers before had left "
            "it; [world] setup and cleanup make every case begin alike."
        )
    if any(one.book.is_workspace for one in ledgers):
        told.append("The cases are accepted traces of the workspace, which a model may have been trained on.")
    elif rows := max(one.book.rows for one in ledgers):
        told.append(f"{rows} cases are rows of a training file, which a model may have been trained on.")
    if ignored := ledgers[0].book.ignored:
        told.append(
            f"Keys of the cases that mean nothing here: {', '.join(clip(one_line(key), 40) for key in ignored[:8])}."
        )
    return told


def _advice(figures: Figures) -> str:
    reasons = set(figures.open_because)
    if Why.NOBODY.value in reasons:
        return "Let a test player be online, or give cases an `expect`."
    if Why.ASKED.value in reasons:
        return "Allow such commands in [policy] allow, on a disposable server, or give cases an `expect`."
    return "Give cases an `expect`."
