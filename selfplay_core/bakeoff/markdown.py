"""A report as Markdown, for people; nothing in it that a model or a server said is markup."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Final

from selfplay_core.bakeoff.ledger import Result
from selfplay_core.bakeoff.marks import Mark, Why
from selfplay_core.bakeoff.report import Contrast, Report
from selfplay_core.bakeoff.sentences import HEADINGS, cells, headline, how_decided, leaks_told, verdicts
from selfplay_core.bakeoff.standing import Figures
from selfplay_core.text import clean, clip, one_line

__all__ = ["as_markdown"]

_SHOWN: Final = {
    Mark.OK: "OK",
    Mark.FIXED: "OK after a fix",
    Mark.MISS: "MISS",
    Mark.OPEN: "open",
    Mark.ERRORED: "errored",
}
_LONGEST: Final = 600
_MARKUP: Final = frozenset("\\`*_{}[]<>#|!~")


def as_markdown(report: Report) -> str:
    """Return the report for people; nothing in it that a model or server said is markup."""
    return "\n".join(_markdown(report)) + "\n"


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
