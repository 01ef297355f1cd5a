"""What a report says of its figures, in words and in cells of a table."""

from __future__ import annotations

from typing import Final

from selfplay_core.bakeoff.intervals import Rule
from selfplay_core.bakeoff.report import Report
from selfplay_core.bakeoff.standing import Figures, Pair

__all__ = ["HEADINGS", "cells", "headline", "how_decided", "leaks_told", "verdicts"]

_NONE: Final = "-"
_TRACES_LISTED: Final = 20

HEADINGS: Final = (
    "n",
    "OK",
    "95%",
    "first",
    "fixed",
    "MISS",
    "open",
    "errored",
    "s mean",
    "p50",
    "p95",
    "tokens",
    "tok/s",
)
"""What `cells` holds: `n` decided cases, of which the shares are; OK is what was right at first or after a fix."""


def headline(report: Report) -> str:
    """Return who is the best, as far as that is decided; blank where there is nobody to compare."""
    if not report.pairs:
        return ""
    if not report.is_final:
        return "Unfinished: which is better is judged once every model has answered all the cases that are asked."
    best = report.standings[0].entrant.label
    beaten = [pair.second for pair in report.pairs if pair.first == best and pair.is_decided]
    open_against = [
        pair.second if pair.first == best else pair.first
        for pair in report.pairs
        if best in (pair.first, pair.second) and not (pair.is_decided and pair.first == best)
    ]
    if not open_against:
        return f"The best is {best}."
    better = f", better than {', '.join(beaten)}" if beaten else ""
    return f"Which is the best is not decided yet. In front is {best}{better}; open against {', '.join(open_against)}."


def verdicts(report: Report) -> list[str]:
    """Return a sentence for every pair, the best models first."""
    return [_sentence(pair, is_final=report.is_final) for pair in report.pairs]


def how_decided(report: Report) -> list[str]:
    """Return what a reader must know of the tests that were used."""
    if not report.pairs:
        return []
    told = []
    pairs = len(report.pairs)
    if pairs > 1:
        told.append(f"A pair is decided below p = {report.pairs[0].level:.3g}: 0.05, shared among {pairs} pairs.")
    if report.pairs[0].rule is Rule.ANYTIME:
        told.append(
            "The sequential test allows for looking and stopping at any time, and so asks for more cases than a test "
            "of a number that was settled beforehand. The intervals do not allow for it."
        )
    return told


def leaks_told(report: Report) -> list[str]:
    """Return what is to be said of cases that a workspace has as training rows."""
    leaks = report.leaks
    if leaks is None or leaks.numbers is None or report.book.is_workspace:
        return []
    if not leaks.numbers:
        return [f"None of the cases is an accepted row of {leaks.workspace}, and none will become one."]
    listed = ", ".join(f"#{number}" for number in leaks.numbers[:_TRACES_LISTED])
    more = len(leaks.numbers) - _TRACES_LISTED
    return [
        f"{leaks.workspace} holds {len(leaks.numbers)} accepted rows that are nearly or quite cases: {listed}"
        f"{f' and {more} more' if more > 0 else ''}. A model trained on them has seen these cases. Reject them there; "
        "exports leave them out."
    ]


def cells(figures: Figures) -> tuple[str, ...]:
    """Return the figures as they are shown, under `HEADINGS`."""
    interval = f"{figures.interval.low * 100:.0f}-{figures.interval.high * 100:.0f}" if figures.decided else _NONE
    missed = figures.missed / figures.decided if figures.decided else None
    first = (figures.ok - figures.fixed) / figures.decided if figures.decided else None
    return (
        str(figures.decided),
        _percent(figures.share),
        interval,
        _percent(first),
        _percent(figures.fixed_share),
        _percent(missed),
        str(figures.open),
        str(figures.errored),
        _number(figures.seconds, 2),
        _number(figures.seconds_p50, 2),
        _number(figures.seconds_p95, 2),
        _number(figures.tokens, 0),
        _number(figures.tokens_per_second, 0),
    )


def _percent(share: float | None) -> str:
    """Return a share as it is shown."""
    return _NONE if share is None else f"{share * 100:.1f}%"


def _sentence(pair: Pair, *, is_final: bool) -> str:
    counts, interval = pair.counts, pair.interval
    if not counts.cases:
        return f"{pair.first} and {pair.second}: no case is decided for both."
    measured = (
        f"{counts.difference * 100:+.1f} points (95%: {interval.low * 100:+.1f} to {interval.high * 100:+.1f}), "
        f"{counts.first_only} against {counts.second_only} of {counts.cases} cases"
    )
    if not is_final:
        return f"{pair.first} and {pair.second}, so far: {measured}."
    measured += f", p = {_chance(pair.chance)} ({pair.rule.value})"
    if pair.is_decided:
        return f"{pair.first} is better than {pair.second}: {measured}."
    more = "nobody can say how many more cases it takes" if pair.more is None else f"about {pair.more:,} more cases"
    return f"{pair.first} and {pair.second}: not decided yet, {more}: {measured}."


def _chance(chance: float) -> str:
    return f"{chance:.3f}" if chance >= 0.001 else f"{chance:.0e}"


def _number(value: float | None, digits: int) -> str:
    return _NONE if value is None else f"{value:.{digits}f}"
