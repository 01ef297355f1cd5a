"""What the traces cover: how those of each category ended, and which of the game's commands were tried."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from typing import Final

from selfplay_core.models import CATEGORY_NAMES, Outcome
from selfplay_core.store.coverage import RootCount
from selfplay_core.store.traces import Count
from selfplay_core.verify.roots import GAME_ROOTS
from tui.drawing.columns import Block, beside, even
from tui.drawing.glyphs import Glyphs
from tui.drawing.lines import Line, Span, between, paragraphs, span
from tui.drawing.words import category_word, outcome_role

__all__ = ["command_lines", "outcomes_by_category"]

_WHOLE_NAMES: Final = 89
_NAME: Final = 19
_SHORT_NAME: Final = 8
_WIDEST: Final = 10
_CELL: Final = 36
_GAP: Final = 3
_MOST: Final = 60
_ROOT: Final = 16


def outcomes_by_category(counts: Sequence[Count], width: int) -> Block:
    """Return a table with a row for each category and a column for each way to end."""
    ended = Counter[tuple[str, Outcome]]()
    for count in counts:
        ended[count.category, count.outcome] += count.count
    names = [*CATEGORY_NAMES, *sorted({count.category for count in counts} - set(CATEGORY_NAMES))]
    name_width = _NAME if width >= _WHOLE_NAMES else _SHORT_NAME
    cell = max(min((width - name_width) // len(Outcome), _WIDEST), 2)
    head: Line = tuple(Span(f"{outcome.value[: cell - 1]:>{cell}}", "dim") for outcome in Outcome)
    lines: list[Line] = [(Span("OUTCOMES BY CATEGORY", "title"),), (Span(" " * name_width), *head)]
    for name in names:
        shown = span(name if width >= _WHOLE_NAMES else category_word(name)).text[:name_width]
        cells = tuple(_cell(ended[name, outcome], cell, outcome_role(outcome)) for outcome in Outcome)
        lines.append((Span(f"{shown:<{name_width}}"), *cells))
    return lines


def command_lines(roots: Sequence[RootCount], newest: int, width: int, glyphs: Glyphs) -> Block:
    """Return how often each command was asked for, passed and did not, then which were never seen."""
    told = f"asked, {glyphs.accept} passed, {glyphs.reject} failed, of the newest {newest:,}"
    lines: list[Line] = [between((Span("COMMANDS", "title"),), (Span(told, "dim"),), width)]
    if not roots:
        return [*lines, (Span("none yet", "dim"),)]
    columns = max((width + _GAP) // (_CELL + _GAP), 1)
    widths = even(width, columns, _GAP)
    height = -(-min(len(roots), _MOST) // columns)
    cells = [[_root(root, min(widths), glyphs)] for root in roots[:_MOST]]
    blocks = [
        [line for cell in cells[start : start + height] for line in cell] for start in range(0, len(cells), height)
    ]
    lines.extend(beside(blocks, widths[: len(blocks)], _GAP))
    if len(roots) > _MOST:
        lines.append((Span(f"and {len(roots) - _MOST:,} more, each asked for less often", "dim"),))
    seen = {root.root for root in roots}
    never = [name for name in GAME_ROOTS if name not in seen]
    if never:
        lines.extend(
            paragraphs(" ".join(never), width, "dim", first=(Span(f"never seen: {len(never)}  ", "warn"),), indent=2)
        )
    return lines


def _root(root: RootCount, width: int, glyphs: Glyphs) -> Line:
    counts = (
        Span(f"{_short(root.asked):>6}"),
        Span(f"  {glyphs.accept}{_short(root.passed):>5}", "ok" if root.passed else "dim"),
        Span(f"  {glyphs.reject}{_short(root.failed):>5}", "bad" if root.failed else "dim"),
    )
    return between((span(root.root[:_ROOT]),), counts, width)


def _cell(count: int, width: int, role: str) -> Span:
    return Span(f"{_short(count):>{width}}"[-width:], role if count else "dim")


def _short(count: int) -> str:
    """Return a count in at most five characters."""
    if count < 10_000:
        return str(count)
    return f"{count / 1e3:.0f}k" if count < 1_000_000 else f"{count / 1e6:.0f}M"
