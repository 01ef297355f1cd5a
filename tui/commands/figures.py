"""Figures of exports, imports and workspaces as lines for a person."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from textwrap import wrap
from types import MappingProxyType
from typing import Any, Final

from selfplay_core.curriculum.coverage import KINDS, Coverage, places
from selfplay_core.exchange.figures import Figures, Lengths
from selfplay_core.exchange.importing import Imported
from selfplay_core.exchange.manifest import Manifest
from selfplay_core.models import CATEGORY_NAMES, Outcome
from selfplay_core.store.imports import Fate
from selfplay_core.text import clip, one_line

__all__ = ["ImportReport", "export_report", "import_report", "stats_report"]

_PROBLEMS_TOLD: Final = 10
_NAME: Final = 20
_COLUMNS: Final = (Outcome.SOLVED, Outcome.CORRECTED, Outcome.UNPROVEN, Outcome.REFUSED, Outcome.FAILED)
_SHOWN: Final = 70
_PLACES_TOLD: Final = 12
_NEVER_SHOWN: Final = 400
_TOLD_KNOWN: Final = (Fate.DECIDED, Fate.OTHER_DECISIONS, Fate.OTHER_ATTEMPTS, Fate.AS_ROW)


@dataclass(frozen=True, slots=True)
class ImportReport:
    """What became of all lines, for a person and for a program."""

    lines: list[str]
    as_json: dict[str, Any]


def export_report(manifest: Manifest) -> list[str]:
    """Return what was exported, what was left out and why, and what a trainer should know."""
    lines = [f"{file.name}: {file.lines:,} lines, {file.bytes:,} bytes" for file in manifest.files]
    lines.append(f"{manifest.format} of {manifest.traces:,} traces; {_listed(manifest.counts) or 'no lines'}")
    if manifest.left_out:
        lines.append(f"traces without a line: {_listed(manifest.left_out)}")
    if manifest.dropped:
        lines.append(f"lines left out: {_listed(manifest.dropped)}")
    if manifest.repeated and manifest.duplicates == "keep":
        lines.append(f"kept though they say the same as earlier ones: {manifest.repeated:,}")
    if manifest.crowded:
        lines.append(f"{manifest.crowded:,} of {manifest.skeletons:,} command skeletons have more than 10 lines")
    if manifest.hint:
        lines.append(f"train with: {manifest.hint}")
    return [*lines, *manifest.advice]


def import_report(
    imported: Imported, workspace: Path, names: Mapping[Path, str] = MappingProxyType({}), *, is_whole: bool = True
) -> ImportReport:
    """Return what became of all lines; `names` are those by which a person knows the files."""
    new = imported.fates[Fate.NEW]
    lines = [
        f"{imported.lines:,} lines: {new:,} traces taken into {workspace}, {imported.known:,} known already, "
        f"{imported.unread:,} left out"
    ]
    lines += [f"{fate.value}: {imported.fates[fate]:,}" for fate in _TOLD_KNOWN if imported.fates[fate]]
    if imported.why is not None and imported.unread == imported.lines > 1:
        lines.append(f"every line: {imported.why} ({imported.unread:,} times)")
    else:
        lines += [
            f"{_named(problem.path, names)}, line {problem.line}: {problem.why}"
            for problem in imported.problems[:_PROBLEMS_TOLD]
        ]
        if imported.unread > _PROBLEMS_TOLD:
            lines.append(f"and {imported.unread - _PROBLEMS_TOLD:,} more")
    if not is_whole:
        lines.append(
            f"The import ended early, and {imported.waiting:,} of these traces lack what was decided on them. "
            "Run it again: what is in is passed over, and gets what it lacks."
        )
    body = {
        "lines": imported.lines,
        "new": new,
        "known": imported.known,
        **{fate.name.lower(): imported.fates[fate] for fate in _TOLD_KNOWN},
        "left_out": imported.unread,
        "whole": is_whole,
        "waiting": imported.waiting,
        "problems": [
            {"file": _named(problem.path, names), "line": problem.line, "why": problem.why}
            for problem in imported.problems
        ],
    }
    return ImportReport(lines, body)


def _named(path: Path, names: Mapping[Path, str]) -> str:
    name = names.get(path, str(path))
    return "stdin" if name == "-" else name


def stats_report(figures: Figures) -> list[str]:
    """Return all figures, at most 80 columns wide."""
    return [
        f"{figures.traces:,} traces, {_workspace(figures.workspace)}",
        "",
        *_categories(figures),
        "",
        f"levels      {_listed(figures.levels)}",
        f"decisions   {_listed(figures.decisions)}",
        *([f"reasons     {_listed(figures.reasons)}"] if figures.reasons else []),
        f"judged by   {_listed(figures.verifiers)}: {_listed(figures.servers)}",
        f"models      {_listed(figures.models)}",
        "",
        f"{'lengths':<24}{'mean':>9}{'median':>9}{'95 %':>9}{'most':>9}",
        _lengths("prompt, characters", figures.prompt_characters),
        _lengths("commands per answer", figures.commands_per_answer),
        _lengths("command, characters", figures.command_characters),
        _lengths("attempts", figures.attempts),
        "",
        *_duplicates(figures),
        "",
        *_errors(figures),
        *_products(figures),
        *_coverage(figures.coverage),
    ]


def _workspace(kind: str) -> str:
    return {"sandbox": "judged by the SANDBOX", "real": "judged by a real server"}.get(kind, "nothing judged yet")


def _categories(figures: Figures) -> Iterator[str]:
    names = "".join(f"{outcome.value:>10}" for outcome in _COLUMNS)
    yield f"{'category':<{_NAME}}{'all':>7}{names}{'other':>8}"
    order = [*CATEGORY_NAMES, *sorted(set(figures.categories) - set(CATEGORY_NAMES))]
    for category in order:
        if category in figures.categories:
            yield _category(one_line(category)[: _NAME - 1], figures.categories[category])
    yield _category("all", figures.outcomes)


def _category(name: str, counts: Mapping[str, int]) -> str:
    told = [counts.get(outcome.value, 0) for outcome in _COLUMNS]
    whole = sum(counts.values())
    return f"{name:<{_NAME}}{whole:>7}{''.join(f'{count:>10}' for count in told)}{whole - sum(told):>8}"


def _lengths(name: str, lengths: Lengths) -> str:
    found = lengths.as_json()
    return f"{name:<24}{found['mean']:>9,.1f}{found['p50']:>9,}{found['p95']:>9,}{found['max']:>9,}"


def _duplicates(figures: Figures) -> Iterator[str]:
    likeness = figures.likeness
    yield f"prompts asked before: {figures.repeated:,} ({_share(figures.repeated, figures.traces)})"
    yield (
        f"nearly asked before, of {likeness.compared:,} compared: {likeness.near:,} "
        f"({_share(likeness.near, likeness.compared)})"
    )
    yield f"command skeletons among accepted answers: {len(figures.skeletons):,}"
    for skeleton, count in figures.crowded[:5]:
        yield f"  {count:>6,} rows of one skeleton: {_shown(skeleton)}"


def _errors(figures: Figures) -> Iterator[str]:
    if figures.errors:
        yield "the server said most"
        for error in figures.errors:
            yield f"  {error.count:>6,}  {_shown(error.message)}"
        yield ""


def _products(figures: Figures) -> Iterator[str]:
    products = figures.products
    rows = {name: products[f"rows_{name}"] for name in ("sft", "correction", "refusal", "rcon_verified")}
    yield f"rows        {_listed(rows) or 'none accepted'}"
    pairs = {name: products[f"pairs_{name}"] for name in ("from_retries", "from_edits", "near")}
    yield f"pairs       {_listed(pairs) or 'none'}"
    yield f"kto         {_listed({name: products[f'kto_{name}'] for name in ('wanted', 'unwanted')}) or 'none'}"


def _listed(counts: Mapping[str, int]) -> str:
    return ", ".join(f"{count:,} {one_line(name).replace('_', ' ')}" for name, count in counts.items() if count)


def _coverage(coverage: Coverage | None) -> Iterator[str]:
    """Tell of each kind of place how many were seen, the most asked and most refused ones, and what nobody has seen."""
    if coverage is None:
        return
    yield ""
    yield "what of the commands' grammar was seen, in every attempt:"
    for kind in KINDS:
        whole, unseen = places(kind), coverage.unseen(kind)
        yield ""
        yield f"{kind}s: {len(whole) - len(unseen)} of {len(whole)} seen"
        seen = [(place, coverage.of(f"{kind} {place}")) for place in whole]
        asked = sorted((one for one in seen if one[1].asked), key=lambda one: (-one[1].asked, one[0]))
        for place, one in asked[:_PLACES_TOLD]:
            yield f"  {place:<40}{one.asked:>8,} asked{one.passed:>8,} passed{one.failed:>8,} failed"
        if unseen:
            yield from wrap(
                f"never seen: {_clipped(', '.join(unseen))}", 78, initial_indent="  ", subsequent_indent="    "
            )


def _clipped(text: str) -> str:
    return text if len(text) <= _NEVER_SHOWN else f"{text[:_NEVER_SHOWN].rpartition(',')[0]}, … (--json has all)"


def _share(part: int, whole: int) -> str:
    return f"{part / whole:.1%}" if whole else "-"


def _shown(text: str) -> str:
    return clip(one_line(text), _SHOWN)
