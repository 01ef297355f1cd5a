"""The statistics page: what came of the traces, what was decided, how fast, and what the server objects to."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from selfplay_core.models import CATEGORY_NAMES, DecisionKind, Outcome
from selfplay_core.store.coverage import RootCount
from selfplay_core.store.traces import Count
from tui.drawing.columns import Block, beside, even, stacked
from tui.drawing.coverage import command_lines, outcomes_by_category
from tui.drawing.glyphs import Glyphs
from tui.drawing.lines import BLANK, Line, Span, between, paragraphs, span, width_of, wrapped

__all__ = ["ERRORS_OF", "TRIES_OF", "Figures", "Output", "Tries", "bar", "spark", "statistics_lines"]

ERRORS_OF: Final = 2_000
"""Of how many of the newest traces the server's messages and the commands are counted."""
TRIES_OF: Final = 10_000
"""Of how many of the newest traces the retries are counted."""

_TWO_COLUMNS: Final = 76
_ROOMY: Final = 112
_THREE_COLUMNS: Final = 150
_NAME: Final = 18
_REASON: Final = 13
_HALF_HOUR: Final = 40
_ACCEPTED: Final = (DecisionKind.ACCEPT, DecisionKind.EDIT)
_MADE: Final = {
    DecisionKind.ACCEPT: ("accepted", "ok"),
    DecisionKind.EDIT: ("edited", "info"),
    DecisionKind.REJECT: ("rejected", "bad"),
    DecisionKind.SKIP: ("skipped", "dim"),
}
_ENDED: Final = {
    Outcome.SOLVED: "ok",
    Outcome.CORRECTED: "ok",
    Outcome.UNPROVEN: "warn",
    Outcome.REFUSED: "warn",
    Outcome.FAILED: "bad",
    Outcome.BLOCKED: "bad",
    Outcome.ERRORED: "dim",
}


@dataclass(frozen=True, slots=True)
class Tries:
    """Traces that took so many retries, and how many of them were solved or corrected."""

    retries: int
    traces: int
    good: int


@dataclass(frozen=True, slots=True)
class Output:
    """The output file; `size` in bytes, None while there is no file. `written` counts rows since the start."""

    path: str
    size: int | None
    written: int
    trouble: str


@dataclass(frozen=True, slots=True)
class Figures:
    """Everything on the page; paces are counts of each of the last minutes, the oldest first."""

    counts: tuple[Count, ...]
    last_hour: Mapping[DecisionKind, int]
    reasons: Mapping[str, int]
    decisions: Sequence[int]
    traces: Sequence[int]
    tries: tuple[Tries, ...]
    errors: tuple[tuple[str, int], ...]
    output: Output
    roots: tuple[RootCount, ...] = ()


def statistics_lines(figures: Figures, width: int, glyphs: Glyphs) -> list[Line]:
    """Return the page in as many columns as there is room for."""
    inner = max(width - 2, 1)

    def made(room: int, *parts: _Part) -> list[Line]:
        return stacked(part(figures, room, glyphs) for part in parts)

    if inner < _TWO_COLUMNS:
        lines = made(inner, _categories, _decisions, _outcomes, _by_category, _reasons, _paces, *_BELOW)
    elif inner < _ROOMY:
        left, right = (inner - 3) * 11 // 20, (inner - 3) - (inner - 3) * 11 // 20
        columns = (made(left, _categories, _outcomes), made(right, _decisions, _reasons, _paces))
        lines = stacked([beside(columns, (left, right)), made(inner, _by_category, *_BELOW)])
    elif inner < _THREE_COLUMNS:
        widths = even(inner, 2, gap=5)
        columns = (
            made(widths[0], _categories, _outcomes, _tries),
            made(widths[1], _decisions, _reasons, _paces),
        )
        lines = stacked([beside(columns, widths, gap=5), made(inner, _errors, _by_category, _commands, _output)])
    else:
        widths = even(inner, 3, gap=5)
        three = (
            made(widths[0], _categories, _outcomes),
            made(widths[1], _decisions, _reasons, _tries),
            made(widths[2], _high_paces, _errors),
        )
        lines = stacked([beside(three, widths, gap=5), made(inner, _by_category, _commands, _output)])
    return [(Span(" "), *line) if line else BLANK for line in lines]


_Part = Callable[[Figures, int, Glyphs], Block]


def bar(shares: Sequence[tuple[int, str, str]], whole: int, width: int, rest: str) -> Line:
    """Return a bar of `width` cells: for each share its amount, sign and role; what is left is drawn as `rest`.

    A share that is there at all takes a cell, if there is one.
    """
    spans: list[Span] = []
    left = width
    for amount, sign, role in shares:
        cells = min(max(round(amount * width / whole), 1), left) if amount and whole else 0
        if cells:
            spans.append(Span(sign * cells, role))
            left -= cells
    return (*spans, Span(rest * left, "dim")) if left > 0 else tuple(spans)


def spark(values: Sequence[int], width: int, rows: int, blocks: str) -> list[str]:
    """Return a chart of `rows` lines, neighbours added up where there are more values than cells."""
    per_cell = -(-len(values) // max(width, 1)) or 1
    # The newest value ends a cell, so that the last one is whole.
    cells = [sum(values[max(end - per_cell, 0) : end]) for end in range(len(values), 0, -per_cell)][::-1]
    steps = len(blocks) - 1
    most = max(cells, default=0) or 1
    heights = [0 if not cell else max(round(cell * steps * rows / most), 1) for cell in cells]
    return [
        "".join(blocks[max(min(height - row * steps, steps), 0)] for height in heights) for row in reversed(range(rows))
    ]


def _categories(figures: Figures, width: int, glyphs: Glyphs) -> Block:
    all_, decided, accepted = Counter[str](), Counter[str](), Counter[str]()
    for count in figures.counts:
        all_[count.category] += count.count
        if count.decision is not None:
            decided[count.category] += count.count
        if count.decision in _ACCEPTED:
            accepted[count.category] += count.count
    names = [*CATEGORY_NAMES, *sorted(set(all_) - set(CATEGORY_NAMES))]
    sizes = [max((len(f"{of[name]:,}") for name in names), default=1) for of in (accepted, decided, all_)]
    lines = [_heading("categories", "accepted/decided/all", width)]
    room = width - _NAME - 1 - sum(sizes) - 4
    for name in names:
        numbers = "/".join(f"{of[name]:>{size},}" for of, size in zip((accepted, decided, all_), sizes, strict=True))
        shares = (
            (accepted[name], glyphs.bar, "ok"),
            (decided[name] - accepted[name], glyphs.blocks[4], "info"),
        )
        drawn = bar(shares, all_[name], max(room, 0), glyphs.rest if all_[name] else " ")
        lines.append(between((_named(name), *drawn), (Span(numbers, "text" if all_[name] else "dim"),), width))
    return lines


def _outcomes(figures: Figures, width: int, glyphs: Glyphs) -> Block:
    ended = Counter[Outcome]()
    for count in figures.counts:
        ended[count.outcome] += count.count
    whole = ended.total()
    lines = [_heading("outcomes", f"{whole:,} traces", width)]
    for outcome, role in _ENDED.items():
        sign = Span(f"{glyphs.outcome(outcome)} ", role)
        name: Line = (sign, Span(f"{outcome.value:<{_NAME - 1}}"))
        lines.append(_barred(name, ended[outcome], whole, width, role, glyphs))
    return lines


def _decisions(figures: Figures, width: int, glyphs: Glyphs) -> Block:
    standing = Counter[DecisionKind]()
    for count in figures.counts:
        if count.decision is not None:
            standing[count.decision] += count.count
    whole, hour = standing.total(), sum(figures.last_hour.values())
    lines = [_heading("decisions", "standing      last hour", width)]
    for kind, (name, role) in _MADE.items():
        left: Line = (Span(f"{glyphs.decision(kind)} ", role), Span(name))
        lines.append(
            between(left, (*_figure(standing[kind], whole), *_figure(figures.last_hour.get(kind, 0), hour)), width)
        )
    total = (Span(f"{whole:>6,}", "strong"), Span("     "), Span(f"{hour:>6,}", "strong"), Span("     "))
    lines.append(between((Span("  all", "dim"),), total, width))
    return lines


def _reasons(figures: Figures, width: int, glyphs: Glyphs) -> Block:
    lines = [_heading("reasons of rejections", "", width)]
    if not figures.reasons:
        return [*lines, (Span("none yet", "dim"),)]
    most = max(figures.reasons.values())
    for reason, count in list(figures.reasons.items())[:8]:
        name = between((span(reason or "no reason"),), (Span(" "),), _REASON)
        drawn = bar(((count, glyphs.bar, "bad"),), most, max(width - _REASON - 8, 4), " ")
        lines.append(between((*name, *drawn), (Span(f"{count:,}"),), width))
    return lines


def _paces(figures: Figures, width: int, glyphs: Glyphs, rows: int = 2) -> Block:
    return stacked(
        [
            _pace("decisions/min", figures.decisions, width, glyphs, "ok", rows),
            _pace("traces/min", figures.traces, width, glyphs, "info", rows),
        ]
    )


def _high_paces(figures: Figures, width: int, glyphs: Glyphs) -> Block:
    return _paces(figures, width, glyphs, rows=4)


def _pace(title: str, values: Sequence[int], width: int, glyphs: Glyphs, role: str, rows: int) -> Block:
    recent = values[-10:]
    average = sum(recent) / max(len(recent), 1)
    # Below this the minutes of a whole hour are told two by two, rather than those of a part of it.
    values = values if width < _HALF_HOUR else values[-width:]
    drawn = spark(values, width, rows, glyphs.blocks)
    size = max((len(row) for row in drawn), default=0)
    told = f"{average:.1f} now, {max(values, default=0):,} at most"
    axis = between((Span(f"{len(values)} min ago", "dim"),), (Span("now", "dim"),), size)
    return [_heading(title, told, width), *((Span(row, role),) for row in drawn), axis]


def _tries(figures: Figures, width: int, glyphs: Glyphs) -> Block:
    whole = sum(tries.traces for tries in figures.tries)
    lines = [_heading("retries", f"ok/all of the newest {min(whole, TRIES_OF):,}", width)]
    sizes = [max((len(f"{n:,}") for n in of), default=1) for of in _goods_and_all(figures.tries)]
    for tries in figures.tries:
        name = {0: "first try", 1: "1 retry"}.get(tries.retries, f"{tries.retries} retries")
        shares = ((tries.good, glyphs.bar, "ok"), (tries.traces - tries.good, glyphs.blocks[4], "bad"))
        numbers = f" {tries.good:>{sizes[0]},}/{tries.traces:>{sizes[1]},}"
        told = f"{_share(tries.good, whole):>4} ok"
        drawn = bar(shares, whole, max(width - _NAME - len(numbers) - len(told) - 3, 0), glyphs.rest)
        lines.append(between((_named(name), *drawn), (Span(numbers, "dim"), Span(" "), Span(told)), width))
    return lines if figures.tries else [*lines, (Span("none yet", "dim"),)]


def _goods_and_all(tries: Sequence[Tries]) -> tuple[list[int], list[int]]:
    return [one.good for one in tries], [one.traces for one in tries]


def _errors(figures: Figures, width: int, glyphs: Glyphs) -> Block:
    lines = [_heading("the server says most", f"of the newest {ERRORS_OF:,}", width)]
    for message, count in figures.errors:
        first = (Span(f"{count:>6,}  "),)
        found = paragraphs(message or "(no text)", width, "reply", first=first)
        lines.extend(found[:2])
    return lines if figures.errors else [*lines, (Span("no errors", "dim"),)]


def _by_category(figures: Figures, width: int, glyphs: Glyphs) -> Block:
    return outcomes_by_category(figures.counts, width)


def _commands(figures: Figures, width: int, glyphs: Glyphs) -> Block:
    return command_lines(figures.roots, ERRORS_OF, width, glyphs)


def _output(figures: Figures, width: int, glyphs: Glyphs) -> Block:
    output = figures.output
    size = "not written yet" if output.size is None else _bytes(output.size)
    told = f"{size}, {output.written:,} rows written since the start"
    lines = [_heading("output file", told, width), *wrapped([span(output.path)], width, words=False)]
    if output.trouble:
        lines.extend(paragraphs(output.trouble, width, "bad", first=(Span(f"{glyphs.reject} ", "bad"),)))
    return lines


_BELOW: Final = (_tries, _errors, _commands, _output)


def _barred(name: Line, count: int, whole: int, width: int, role: str, glyphs: Glyphs) -> Line:
    numbers = _figure(count, whole)
    room = max(width - width_of(name) - width_of(numbers) - 1, 0)
    return between((*name, *bar(((count, glyphs.bar, role),), whole, room, " ")), numbers, width)


def _heading(title: str, right: str, width: int) -> Line:
    return between((Span(title.upper(), "title"),), (Span(right, "dim"),) if right else (), width)


def _figure(count: int, whole: int) -> Line:
    role = "text" if count else "dim"
    return (Span(f"{count:>6,}", role), Span(f"{_share(count, whole):>5}", "dim"))


def _named(name: str) -> Span:
    shown = span(name)
    return Span(f"{shown.text[:_NAME]:<{_NAME + 1}}")


def _share(part: int, whole: int) -> str:
    return f"{100 * part / whole:.0f}%" if whole else ""


def _bytes(size: float) -> str:
    if size < 1000:
        return f"{size:.0f} B"
    for unit in ("KB", "MB"):
        size /= 1000
        if size < 1000:
            return f"{size:.1f} {unit}"
    return f"{size / 1000:.1f} GB"
