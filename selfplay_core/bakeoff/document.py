"""A report as JSON."""

from __future__ import annotations

from typing import Any

import orjson

from selfplay_core.bakeoff.cases import Case
from selfplay_core.bakeoff.ledger import Result
from selfplay_core.bakeoff.report import Contrast, Report
from selfplay_core.bakeoff.sentences import headline, verdicts
from selfplay_core.bakeoff.standing import Figures, Pair

__all__ = ["as_json"]


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
