"""The stream of commands and replies: one row each, as the run goes."""

from __future__ import annotations

import time
from typing import Final

from selfplay_core.text import without_colours
from tui.drawing.glyphs import Glyphs
from tui.drawing.lines import Line, Span, cropped, span, width_of
from tui.state.live import Live, StreamRow

__all__ = ["stream_row", "stream_title"]

_HEAD: Final = 9
_OF_ID: Final = 6
_COLUMN_FROM: Final = 100
_COMMAND_SHARE: Final = 0.55
_MILLISECONDS_FROM: Final = 64
_ROLES: Final = {"accept": "ok", "reject": "bad", "held": "warn", "unclear": "warn", "retry": "info"}


def stream_row(row: StreamRow, width: int, glyphs: Glyphs, number: int | None = None) -> Line:
    """Return one row; from 100 cells on the replies stand in a column of their own.

    A trace goes by its `number` once it has one, before by the beginning of its id.
    """
    opening: Line = (
        Span(f" {_time_of_day(row.at, width)} ", "dim"),
        Span(f"{getattr(glyphs, row.sign)} ", _ROLES.get(row.sign, "dim")),
        _filled(span(_head(row, number, glyphs)[:width], "dim"), _HEAD, glyphs),
        Span(" "),
    )
    room = width - width_of(opening)
    text = span(row.text[: 2 * width], "command")
    if not row.reply:
        return cropped((*opening, text), width, glyphs.more)
    share = int(room * _COMMAND_SHARE)
    # A short command leaves its room to the reply, unless the replies stand in a column.
    command: Span | None = _filled(text, share, glyphs) if width >= _COLUMN_FROM else None
    pieces = (command,) if command is not None else cropped((text,), max(share, 0), glyphs.more)
    reply = (Span(f" {glyphs.reply} ", "dim"), span(without_colours(row.reply)[: 2 * width], "reply"))
    return cropped((*opening, *pieces, *reply), width, glyphs.more)


def stream_title(live: Live, rate: float, tail: bool) -> Line:
    """Return how many rows there were, how many come a second, and whether the newest is in sight."""
    title: Line = (Span(" Stream ", "title"), Span(f"{live.streamed:,} rows  {rate:,.0f}/s ", "dim"))
    return (*title, Span(" tail ", "info") if tail else Span(" standing still ", "warn"))


def _head(row: StreamRow, number: int | None, glyphs: Glyphs) -> str:
    name = row.head or (row.trace_id[:_OF_ID] if number is None else f"#{number}")
    return f"{name} {glyphs.retry}{row.retry}" if row.retry else name


def _time_of_day(at: float, width: int) -> str:
    seconds, milliseconds = divmod(round(at * 1000), 1000)
    clock = time.strftime("%H:%M:%S", time.localtime(seconds))
    return f"{clock}.{milliseconds:03d}" if width >= _MILLISECONDS_FROM else clock


def _filled(piece: Span, width: int, glyphs: Glyphs) -> Span:
    """Crop a span, or fill it up with blanks."""
    line = cropped((piece,), width, glyphs.more)
    text = "".join(part.text for part in line)
    return Span(text + " " * (width - width_of(line)), piece.role)
