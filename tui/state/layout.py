"""Which panes are on screen: a function of the terminal's size and of what the operator hid."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from tui.state.review import PaneName, State

__all__ = ["LEAST", "Layout", "has_room_beside", "layout_of"]

LEAST: Final = (60, 16)
"""The smallest terminal, columns and rows."""

_BESIDE_FROM: Final = {PaneName.QUEUE: 100, PaneName.CONVERSATION: 120}
"""From so many columns on a pane stands beside the example; with fewer the example would be cut to pieces."""

_BROAD: Final = 150
_TALL: Final = 30


@dataclass(frozen=True, slots=True)
class Layout:
    """Columns of the side panes and rows of the stream, 0 where a pane is not shown; `middle` fills the rest."""

    queue: int
    conversation: int
    stream: int
    middle: PaneName | None
    key_rows: int

    def shows(self, pane: PaneName) -> bool:
        """Whether a pane is on screen."""
        beside = {PaneName.QUEUE: self.queue, PaneName.CONVERSATION: self.conversation, PaneName.STREAM: self.stream}
        return pane is self.middle or beside.get(pane, 0) > 0


def has_room_beside(pane: PaneName, columns: int) -> bool:
    """Whether a side pane stands beside the example unless it is hidden, or else can only lie over it."""
    return columns >= _BESIDE_FROM[pane]


def layout_of(state: State, columns: int, rows: int) -> Layout:
    """Lay out the panes.

    Below 120 columns the conversation is hidden, below 100 the queue as well. A pane that there is no room for is
    shown over the example; a zoomed one has the whole screen.
    """
    beside = _beside(state, columns, rows)
    over = None if state.over is None or beside.shows(state.over) else state.over
    if over is None and not state.zoomed:
        return beside
    shown = over or state.pane
    full = rows if shown is PaneName.STREAM else 0
    return Layout(0, 0, full, None if full else shown, beside.key_rows)


def _beside(state: State, columns: int, rows: int) -> Layout:
    key_rows = 2 if rows >= 20 else 1
    stream = 0 if PaneName.STREAM in state.hidden else (8 if rows >= _TALL else 3 if rows >= 20 else 0)
    sides = {PaneName.QUEUE: 34, PaneName.CONVERSATION: 34}
    if columns >= _BROAD:
        sides = {PaneName.QUEUE: 40, PaneName.CONVERSATION: 52}
    queue, conversation = (
        width if pane not in state.hidden and has_room_beside(pane, columns) else 0 for pane, width in sides.items()
    )
    return Layout(queue, conversation, stream, PaneName.EXAMPLE, key_rows)
