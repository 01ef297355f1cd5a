"""The keys that matter here, in as many lines as there is room for; each can be clicked."""

from __future__ import annotations

from collections.abc import Sequence

from tui.drawing.lines import Line, Span, width_of
from tui.keys.actions import REASONS, Action, Keymap, spoken
from tui.widgets.pane import Lines

__all__ = ["KeyBar"]

_GAP = "   "


class KeyBar(Lines):
    """Draws the key bar of one screen; `extra` stands at its end and tells, say, what undo would take back."""

    def show_keys(self, keymap: Keymap, screen: str, rows: int, extra: Line = ()) -> None:
        """Show the keys of a screen in so many rows."""
        self.show(lambda width: _key_lines(keymap, keymap.bar(screen), width, rows, extra))


def _key_lines(keymap: Keymap, actions: Sequence[Action], width: int, rows: int, extra: Line = ()) -> list[Line]:
    """Fill `rows` lines with as many keys as fit, the most needed first, each whole; the one for help always fits."""
    lines = _filled(_pieces(keymap, actions), width, rows, extra)
    way_out = next((action for action in actions if action.name == "help"), None)
    if way_out is None or any(piece.action == "help" for line in lines for piece in line):
        return lines
    others = [action for action in actions if action is not way_out]
    tail: Line = (Span(_GAP), *_piece(spoken(keymap.keys(way_out)[0]), way_out))
    lines = _filled(_pieces(keymap, others), width, rows, extra, spare=width_of(tail))
    return [*lines[:-1], (*lines[-1], *tail)]


def _filled(pieces: Sequence[Line], width: int, rows: int, extra: Line, spare: int = 0) -> list[Line]:
    """Fill `rows` lines, and leave room for `extra` in the first and for `spare` cells in the last."""
    lines: list[Line] = [(Span(" "),)]
    for piece in pieces:
        gap = (Span(_GAP),) if len(lines[-1]) > 1 else ()
        room = width - (width_of(extra) + len(_GAP) if extra and len(lines) == 1 else 0)
        room -= spare if len(lines) == rows else 0
        if width_of(lines[-1]) + width_of(gap) + width_of(piece) > room:
            if len(lines) == rows:
                break
            lines.append((Span(" "), *piece))
        else:
            lines[-1] = (*lines[-1], *gap, *piece)
    if extra:
        lines[0] = (*lines[0], Span(_GAP), *extra)
    return lines


def _pieces(keymap: Keymap, actions: Sequence[Action]) -> list[Line]:
    pieces: list[Line] = []
    for action in actions:
        pieces.append(_piece(spoken(keymap.keys(action)[0]), action))
        if action.name == "reject":
            pieces.append((Span(f"1-{len(REASONS)}", "key"), Span(" reason", "dim")))
    return pieces


def _piece(key: str, action: Action) -> Line:
    return (Span(key, "key", action.name), Span(f" {action.label}", "dim", action.name))
