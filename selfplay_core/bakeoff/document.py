"""A report as JSON and as Markdown."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Final

import orjson

from selfplay_core.bakeoff.cases import Case
from selfplay_core.bakeoff.intervals import Rule
from selfplay_core.bakeoff.ledger import Result
from selfplay_core.bakeoff.marks import Mark, Why
from selfplay_core.bakeoff.report import Contrast, Report
from selfplay_core.bakeoff.standing import Figures, Pair
from selfplay_core.text import clean, clip, one_line

__all__ = [
    "HEADINGS",
    "as_json",
    "as_markdown",
    "cells",
    "headline",
    "how_decided",
    "leaks_told",
    "percent",
    "verdicts",
]

_NONE: Final = "-"
_SHOWN: Final = {
    Mark.OK: "OK",
    Mark.FIXED: "OK after a fix",
    Mark.MISS: "MISS",
    Mark.OPEN: "open",
    Mark.ERRORED: "errored",
}
_LONGEST: Final = 600
_TRACES_LISTED: Final = 20
_MARKUP: Final = frozenset("\\`*_{}[]<>#|!~")

HEADINGS: Final = (
    "n",
    "OK",
    "95 %",
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


def as_json(report: Report) -> bytes:
    """Return the report as JSON; text of models and servers is in it as it came."""
    body = {
        "format": "selfplay-bakeoff/1",
        "folders": [str(one.folder) for one in report.ledgers],
        "cases": {
            "source": report.book.source,
            "digest": report.book.digest,
            "cases": len(report.book.cases),
            "asked": report.asked,
            "repeated": report.book.repeated,
            "expecting": report.book.expecting[0],
            "may_be_known": report.book.may_be_known,
        },
        "seed": report.ledgers[0].record.seed,
        "terms": _terms(report),
        "complete": all(one.is_complete for one in report.ledgers),
        "models": [
            {
                "model": one.entrant.label,
                "digest": one.entrant.identity.digest if one.entrant.identity else "",
                "kind": one.entrant.identity.kind if one.entrant.identity else "",
                "servers": one.entrant.versions,
                **_figures(one.overall),
                "by_category": {name: _figures(figures) for name, figures in one.by_category.items()},
                "by_mode": {name: _figures(figures) for name, figures in one.by_mode.items()},
            }
            for one in report.standings
        ],
        "final": report.is_final,
        "pairs": [_pair(pair, is_final=report.is_final) for pair in report.pairs],
        "headline": headline(report),
        "verdict": verdicts(report),
        "warnings": report.warnings,
        "leaks": None
        if report.leaks is None
        else {"workspace": report.leaks.workspace, "traces": report.leaks.numbers},
        "results": [_marks(case, report) for case in report.book.cases],
        "differences": [_contrast(contrast) for contrast in report.contrasts],
    }
    return orjson.dumps(body, option=orjson.OPT_INDENT_2)


def as_markdown(report: Report) -> str:
    """Return the report for people; nothing in it that a model or server said is markup."""
    return "\n".join(_markdown(report)) + "\n"


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
        percent(figures.share),
        interval,
        percent(first),
        percent(figures.fixed_share),
        percent(missed),
        str(figures.open),
        str(figures.errored),
        _number(figures.seconds, 2),
        _number(figures.seconds_p50, 2),
        _number(figures.seconds_p95, 2),
        _number(figures.tokens, 0),
        _number(figures.tokens_per_second, 0),
    )


def percent(share: float | None) -> str:
    """Return a share as it is shown."""
    return _NONE if share is None else f"{share * 100:.1f}%"


def _terms(report: Report) -> dict[str, Any]:
    terms = report.ledgers[0].terms
    return {name: getattr(terms, name) for name in terms.__struct_fields__}


def _figures(figures: Figures) -> dict[str, Any]:
    return {
        "decided": figures.decided,
        "ok": figures.ok,
        "fixed": figures.fixed,
        "missed": figures.missed,
        "open": figures.open,
        "errored": figures.errored,
        "ok_share": figures.share,
        "ok_interval": [figures.interval.low, figures.interval.high],
        "fixed_share": figures.fixed_share,
        "missed_because": figures.missed_because,
        "open_because": figures.open_because,
        "seconds": {"mean": figures.seconds, "p50": figures.seconds_p50, "p95": figures.seconds_p95},
        "tokens": figures.tokens,
        "tokens_per_second": figures.tokens_per_second,
    }


def _pair(pair: Pair, *, is_final: bool) -> dict[str, Any]:
    return {
        "first": pair.first,
        "second": pair.second,
        "cases": pair.counts.cases,
        "both": pair.counts.both,
        "first_only": pair.counts.first_only,
        "second_only": pair.counts.second_only,
        "neither": pair.counts.neither,
        "difference": pair.counts.difference,
        "interval": [pair.interval.low, pair.interval.high],
        "test": pair.rule.value,
        "p": pair.chance if is_final else None,
        "level": pair.level,
        "decided": is_final and pair.is_decided,
        "more_cases": pair.more if is_final and not pair.is_decided else None,
    }


def _marks(case: Case, report: Report) -> dict[str, Any]:
    found = {one.entrant.label: one.entrant.results.get(case.place) for one in report.standings}
    marks = {label: result.marked.mark.value for label, result in found.items() if result is not None}
    return {"case": case.place + 1, "prompt": case.prompt, "category": case.category, "marks": marks}


def _contrast(contrast: Contrast) -> dict[str, Any]:
    case = contrast.case
    return {
        "case": case.place + 1,
        "prompt": case.prompt,
        "category": case.category,
        "mode": case.mode.value,
        "answers": [{"model": label, **_answer(result)} for label, result in contrast.results.items()],
    }


def _answer(result: Result) -> dict[str, Any]:
    last = result.trace.last
    answer = last.answer if last is not None else None
    return {
        "trace": result.number,
        "mark": result.marked.mark.value,
        "why": result.marked.why.value if result.marked.why is not None else None,
        "detail": result.marked.detail,
        "attempts": len(result.trace.attempts),
        "commands": answer.commands if answer is not None else (),
        "replies": [one.reply for one in last.results] if last is not None else [],
    }


def _sentence(pair: Pair, *, is_final: bool) -> str:
    counts, interval = pair.counts, pair.interval
    if not counts.cases:
        return f"{pair.first} and {pair.second}: no case is decided for both."
    measured = (
        f"{counts.difference * 100:+.1f} points (95 %: {interval.low * 100:+.1f} to {interval.high * 100:+.1f}), "
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


def _markdown(report: Report) -> Iterator[str]:
    book = report.book
    yield "# Bake-off"
    yield ""
    yield f"{report.asked} of {len(book.cases)} cases from {_code(book.source)}, seed {report.ledgers[0].record.seed}."
    yield ""
    yield "## Verdict"
    yield ""
    if report.pairs:
        yield f"**{_escaped(headline(report))}**"
        yield ""
    yield from (f"- {_escaped(sentence)}" for sentence in (*verdicts(report), *how_decided(report)))
    if not report.pairs:
        yield "- One model alone; `--compare` puts it beside others."
    if report.warnings:
        yield ""
        yield "## Before you believe it"
        yield ""
        yield from (f"- {_escaped(warning)}" for warning in report.warnings)
    yield ""
    yield "## Models"
    yield ""
    yield "`n` cases are decided, and OK and MISS are all of them; OK was right at the `first` attempt, or `fixed` by a"
    yield "retry. Open and errored cases are counted beside them. Seconds are the model's, over all"
    yield "attempts of a case."
    yield ""
    yield from _table("model", {one.entrant.label: one.overall for one in report.standings})
    for one in report.standings:
        yield ""
        yield f"### {_escaped(one.entrant.label)}"
        yield ""
        yield from _table("category", one.by_category)
        yield ""
        yield from _table("mode", one.by_mode)
        for word, reasons in (("MISS", one.overall.missed_because), ("Open", one.overall.open_because)):
            if reasons:
                yield ""
                yield f"{word}: {', '.join(f'{why} {count}' for why, count in reasons.items())}."
    yield from _leaks(report)
    yield ""
    yield f"## Where they differ: {len(report.contrasts)} of {report.asked} cases"
    yield ""
    yield "Each with the number of its case, and of every model the number of the answer in the review screen."
    for contrast in report.contrasts:
        yield from _contrast_lines(contrast)


def _table(name: str, rows: Mapping[str, Figures]) -> Iterator[str]:
    yield f"| {name} | {' | '.join(HEADINGS)} |"
    yield f"|---|{'---:|' * len(HEADINGS)}"
    for label, figures in rows.items():
        yield f"| {_escaped(label)} | {' | '.join(cells(figures))} |"


def _leaks(report: Report) -> Iterator[str]:
    told = leaks_told(report)
    if told:
        yield ""
        yield "## Training rows"
        yield ""
        yield from map(_escaped, told)


def _contrast_lines(contrast: Contrast) -> Iterator[str]:
    case = contrast.case
    yield ""
    yield f"### {case.place + 1}. {_escaped(clip(one_line(case.prompt), _LONGEST))} ({case.category})"
    yield ""
    for label, result in contrast.results.items():
        why = f", {result.marked.why.value}" if result.marked.why is not None else ""
        said = _detail(result)
        detail = f": {_escaped(clip(one_line(said), _LONGEST))}" if said else ""
        yield f"- {_escaped(label)}, #{result.number}: **{_SHOWN[result.marked.mark]}**{why}{detail}"
        yield from (f"  - {line}" for line in _commands(result))


def _detail(result: Result) -> str:
    """Return what the commands and replies below it do not tell."""
    if result.marked.why in (Why.REJECTED, Why.FAILED):
        return ""
    answer = result.trace.last.answer if result.trace.last is not None else None
    if result.marked.why is Why.REFUSED and answer is not None:
        return answer.message or answer.reasoning
    return result.marked.detail


def _commands(result: Result) -> Sequence[str]:
    last = result.trace.last
    if last is None or last.answer is None:
        return ()
    if not last.results:
        return [_code(command) for command in last.answer.commands]
    return [
        f"{_code(one.command)} → {_code(one.reply.rstrip()) if one.reply.strip() else 'no reply'}"
        for one in last.results
    ]


def _code(text: str) -> str:
    """Return text as a code span whose fence is longer than any run of backticks in it."""
    shown = clip(one_line(text), _LONGEST)
    longest = max((len(run) for run in "".join(c if c == "`" else " " for c in shown).split()), default=0)
    fence = "`" * (longest + 1)
    pad = " " if shown.startswith("`") or shown.endswith("`") else ""
    return f"{fence}{pad}{shown}{pad}{fence}"


def _escaped(text: str) -> str:
    return "".join(f"\\{character}" if character in _MARKUP else character for character in clean(one_line(text)))
