"""Keys for the key bar of pages whose keys stand in no other bar."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

from tui.drawing.lines import Line, Span, span
from tui.keys.actions import Keymap

__all__ = ["SCROLLING", "hints_of"]

SCROLLING: Final = (("scroll_down", "down"), ("scroll_up", "up"), ("page_down", "page down"), ("page_up", "page up"))
"""The keys that every page has, with what they do."""


def hints_of(keymap: Keymap, names: Iterable[tuple[str, str]]) -> Line:
    """Return the first keys of these actions, each with a label."""
    return tuple(
        piece
        for name, label in names
        for piece in (span(keymap.shown(name), "key", name), Span(f" {label}   ", "dim", name))
    )
