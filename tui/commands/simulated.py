"""What `simulate` shows: a table for each scenario and law, and where the default sampler is not the best."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Final

from selfplay_core.curriculum.simulator import Comparison, Estimate

__all__ = ["as_json", "table", "verdict"]

_DEFAULT: Final = "gated"
_STEPS, _ASCII_STEPS = "▁▂▃▄▅▆▇█", "_.:-=+*#"
_DIGITS: Final = 4
_SHOWN: Final = 0.0005


@dataclass(frozen=True, slots=True)
class _Behind:
    """Where the default sampler is behind the best other one, by how much, and how sure that is."""

    scenario: str
    law: str
    measure: str
    sampler: str
    by: float
    half_width: float


def table(rows: Sequence[Comparison], *, ascii_only: bool) -> list[str]:
    """Return the samplers of one scenario under one law, at most 80 columns wide."""
    points = [point for row in rows for point in row.path]
    low, high = min(points), max(points)
    sign = _sign(ascii_only)
    steps = _ASCII_STEPS if ascii_only else _STEPS
    return [
        f"{rows[0].scenario}, {rows[0].law} law",
        f"{'sampler':<9}{'mean skill':<16}{'worst skill':<16}{'into broken':<16}mean, {low:.2f} to {high:.2f}",
        *(
            f"{row.sampler:<9}{_told(row.mean, sign):<16}{_told(row.worst, sign):<16}{_told(row.wasted, sign):<16}"
            + "".join(_step(point, low, high, steps) for point in row.path)
            for row in rows
        ),
        "",
    ]


def verdict(found: Sequence[Comparison], *, ascii_only: bool) -> list[str]:
    """Return in which comparisons the default sampler is not the best, and by how much."""
    tables = _tables(found)
    if not tables:
        return ["Nothing was compared with gated."]
    behind = list(_all_behind(tables))
    means, worsts = (len(tables) - sum(one.measure == name for one in behind) for name in _MEASURES)
    return [
        f"In {means} of {len(tables)} comparisons gated has the best mean skill, in {worsts} the best worst one.",
        *(["It is behind in:"] if behind else []),
        *(
            f"  {one.scenario}, {one.law}: {one.measure} by {one.by:.3f} {_sign(ascii_only)}{one.half_width:.3f},"
            f" {one.sampler}"
            for one in behind
        ),
    ]


def as_json(found: Sequence[Comparison], *, rounds: int, students: int, seed: int) -> dict[str, Any]:
    """Return everything as one object."""
    return {
        "rounds": rounds,
        "students": students,
        "seed": seed,
        "comparisons": [
            {
                "scenario": row.scenario,
                "law": row.law,
                "sampler": row.sampler,
                "mean_skill": _estimate(row.mean),
                "worst_skill": _estimate(row.worst),
                "into_broken": _estimate(row.wasted),
                "path": [round(point, _DIGITS) for point in row.path],
            }
            for row in found
        ],
        "gated_behind": [
            {
                "scenario": one.scenario,
                "law": one.law,
                "measure": one.measure.replace(" ", "_"),
                "sampler": one.sampler,
                "by": round(one.by, _DIGITS),
                "half_width": round(one.half_width, _DIGITS),
            }
            for one in _all_behind(_tables(found))
        ],
    }


def _tables(found: Sequence[Comparison]) -> list[list[Comparison]]:
    """Return what can be compared with the default sampler, it first."""
    tables: dict[tuple[str, str], list[Comparison]] = {}
    for row in found:
        tables.setdefault((row.scenario, row.law), []).append(row)
    ordered = [sorted(rows, key=lambda row: row.sampler != _DEFAULT) for rows in tables.values()]
    return [rows for rows in ordered if len(rows) > 1 and rows[0].sampler == _DEFAULT]


def _all_behind(tables: Sequence[Sequence[Comparison]]) -> Iterator[_Behind]:
    for ours, *others in tables:
        for name, measure in _MEASURES.items():
            best = max(others, key=lambda row: measure(row).mean)
            by = measure(best).mean - measure(ours).mean
            if by >= _SHOWN:
                half_width = math.hypot(measure(best).half_width, measure(ours).half_width)
                yield _Behind(ours.scenario, ours.law, name, best.sampler, by, half_width)


_MEASURES: Final[dict[str, Callable[[Comparison], Estimate]]] = {
    "mean skill": lambda row: row.mean,
    "worst skill": lambda row: row.worst,
}


def _estimate(estimate: Estimate) -> dict[str, float]:
    return {"mean": round(estimate.mean, _DIGITS), "half_width": round(estimate.half_width, _DIGITS)}


def _told(estimate: Estimate, sign: str) -> str:
    return f"{estimate.mean:.3f} {sign}{estimate.half_width:.3f}"


def _sign(ascii_only: bool) -> str:
    return "+-" if ascii_only else "±"


def _step(point: float, low: float, high: float, steps: str) -> str:
    share = (point - low) / (high - low) if high > low else 0.0
    return steps[min(int(share * len(steps)), len(steps) - 1)]
