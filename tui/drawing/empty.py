"""What the example pane says when there is nothing to decide, and which key leads on."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import islice
from typing import Final

from selfplay_core.models import DecisionKind
from tui.drawing.blocks import framed
from tui.drawing.glyphs import GLYPHS, Glyphs
from tui.drawing.lines import BLANK, Line, Span, cropped, span, width_of, wrapped
from tui.drawing.words import counted
from tui.keys.actions import Keymap
from tui.state.review import DEFAULT_FILTER, State

__all__ = ["empty_lines"]

_IN_WORK: Final = 8
_REASON: Final = 2_000
_ENDED: Final = {
    "done": ("The run is done.", "ok"),
    "interrupted": ("The run was stopped.", "warn"),
    "gave_up": ("The run gave up.", "bad"),
    "failed": ("The run failed.", "bad"),
}

_Way = tuple[str, str]
"""An action, and what it is good for here."""


def empty_lines(state: State, keymap: Keymap, width: int, glyphs: Glyphs = GLYPHS) -> list[Line]:
    """Return why no example is shown, what the run does, and the keys that lead on."""
    inner = width - 2
    if state.is_opening:
        return framed([BLANK, (Span(f"Opening the workspace{glyphs.more}", "dim"),)])
    head, ways = _why(state)
    lines = [*wrapped([Span(head, "strong")], inner), BLANK]
    if _is_filtered(state) and state.filter_text:
        lines.extend([*wrapped([Span("filter ", "dim"), span(state.filter_text, "match")], inner), BLANK])
    run, more_ways = _run(state, inner, glyphs)
    lines.extend(run)
    if run:
        lines.append(BLANK)
    lines.extend(_keys([*ways, *more_ways], keymap, inner))
    return framed([BLANK, *lines])


def _why(state: State) -> tuple[str, list[_Way]]:
    """Return what is empty, and the ways out of it that have to do with the list."""
    decided = sum(state.decided.values())
    if _is_filtered(state):
        return "Nothing matches the filter.", [("filter", "another filter"), ("back", "take the filter away")]
    if state.undecided:
        return f"{counted(state.undecided, 'undecided example')}: the list is on its way.", []
    if not decided:
        return "Nothing to review yet.", []
    ways = [("undo", "take back the last decision"), ("dataset", "look through what was decided")]
    skipped = state.decided[DecisionKind.SKIP]
    if skipped == decided:
        return f"Nothing is left but {counted(skipped, 'skipped example')}.", ways
    return f"All decided: {counted(decided, 'example')}.", ways


def _run(state: State, width: int, glyphs: Glyphs) -> tuple[list[Line], list[_Way]]:
    """Return what the run does or how it ended, and the ways to go on with it."""
    live = state.live
    if live.absences:
        return _sentence("A server is away; it is tried again by itself.", "bad", width), [("start", "try at once")]
    if live.paused:
        words = "" if live.paused == "paused" else f" {live.paused}"
        return _sentence(f"The run is paused.{words}", "warn", width), [("pause", "let it go on")]
    if live.status in _ENDED:
        words, role = _ENDED[live.status]
        lines = _sentence(words, role, width)
        if live.reason:
            lines.extend(_sentence(live.reason[:_REASON], "text", width))
        again = "start another run" if live.status == "done" else "start again"
        return lines, [("start", again), ("settings", "see the settings in force")]
    match live.status:
        case "":
            return _sentence("No run is going on.", "text", width), [("start", "start a run")]
        case "starting":
            return _sentence("The run is starting: reaching the model and the server.", "info", width), []
        case "draining":
            return _sentence("The run finishes what has begun, then stops.", "warn", width), []
        case "following":
            words = "Another process is running here; its examples appear as they end."
            return _sentence(words, "info", width), [("statistics", "see how it goes")]
        case _:
            return _in_work(state, width, glyphs), [("statistics", "see how it goes")]


def _in_work(state: State, width: int, glyphs: Glyphs) -> list[Line]:
    """Return the prompts that are being answered."""
    prompts = state.live.in_work
    if not prompts:
        return _sentence("The run goes on; the model is writing prompts.", "info", width)
    lines = _sentence(f"The run goes on; {counted(len(prompts), 'prompt')} in work:", "info", width)
    for text in islice(prompts.values(), _IN_WORK):
        lines.append(cropped((Span(f"{glyphs.pending} ", "dim"), span(text[: 2 * width], "dim")), width, glyphs.more))
    if len(prompts) > _IN_WORK:
        lines.append((Span(f"{glyphs.more} {len(prompts) - _IN_WORK} more", "dim"),))
    return lines


def _keys(ways: Sequence[_Way], keymap: Keymap, width: int) -> list[Line]:
    """Return the keys with what they do, the keys in one column."""
    shown = [(span(keymap.shown(name), "key", name), words, name) for name, words in ways]
    column = max((width_of((key,)) for key, _, _ in shown), default=0)
    lines: list[Line] = []
    for key, words, name in shown:
        first: Line = (key, Span(" " * (column - width_of((key,)) + 2)))
        lines.extend(wrapped([Span(words, "text", name)], width, first=first))
    return lines


def _sentence(text: str, role: str, width: int) -> list[Line]:
    return wrapped([span(text, role)], width)


def _is_filtered(state: State) -> bool:
    return state.wanted != DEFAULT_FILTER
