"""The first row of the screen: what runs, against what, how fast, and what was decided."""

from __future__ import annotations

import math
import time
from typing import Final

from selfplay_core.models import DecisionKind, WorldKind
from tui.drawing.fitting import Part, fitted, part
from tui.drawing.glyphs import GLYPHS, Glyphs
from tui.drawing.lines import Line, Span, cropped, plain, span, wrapped
from tui.drawing.words import decision_role
from tui.state.live import Absence, Live
from tui.state.review import State

__all__ = ["faults_lines", "header_line"]

_NAME: Final = 32
_SHORT_NAME: Final = 14
_REASON: Final = 2_000
_GAPS: Final = (3, 2)
_COUNTED: Final = (DecisionKind.ACCEPT, DecisionKind.REJECT, DecisionKind.EDIT, DecisionKind.SKIP)
_STATUS: Final = {
    "": ("no run", "dim"),
    "starting": ("starting", "info"),
    "draining": ("draining", "warn"),
    "following": ("following", "info"),
    "done": ("run done", "ok"),
    "interrupted": ("run stopped", "warn"),
    "gave_up": ("run gave up", "bad"),
    "failed": ("run failed", "bad"),
}


def header_line(
    state: State,
    clock: float,
    now: float,
    width: int,
    *,
    workspace: str,
    glyphs: Glyphs = GLYPHS,
) -> Line:
    """Return the header; what asks for a person, the sandbox and the counts outlast everything else.

    `clock` is monotonic, `now` the time of day.
    """
    live = state.live
    parts = [
        part(10, "selfplay", "", role="title"),
        part(11, _short(workspace, _NAME, glyphs), _short(workspace, _SHORT_NAME, glyphs), "", role="strong"),
        *_servers(live, glyphs),
        *_status(state, glyphs),
        *_away(live, clock, glyphs),
        *_held(state, glyphs),
        *_progress(live, clock),
        *_counts(state, clock, glyphs),
        part(12, time.strftime("%H:%M", time.localtime(now)), "", role="dim", at_end=True),
    ]
    return (Span(" "), *fitted(parts, width - 2, glyphs.more, gaps=_GAPS))


def faults_lines(live: Live, clock: float, width: int, room: int, glyphs: Glyphs = GLYPHS) -> list[Line]:
    """Return a paragraph for each server that is away: which, when it is tried again, for how long, and why.

    Where all of them have more than `room` lines, each has one, from which the end of the reason is missing.
    """
    first: Line = (Span(f" {glyphs.reject} ", "bad"),)
    faults: list[Line] = []
    for absence in sorted(live.absences.values(), key=lambda absence: absence.next_try):
        times = f": {_next_try(absence, clock)}, away for {_duration(clock - absence.since)}: "
        faults.append((span(absence.what, "strong"), Span(times, "bad"), span(absence.reason[:_REASON])))
    lines = [line for fault in faults for line in wrapped(fault, width - 1, first=first)]
    if len(lines) <= room:
        return lines
    return [cropped((*first, *fault), width - 1, glyphs.more) for fault in faults]


def _servers(live: Live, glyphs: Glyphs) -> list[Part]:
    """Return the model and the server that judges; the sandbox is said as long as there is room for anything."""
    parts: list[Part] = []
    if live.model is not None:
        name = live.model.name
        parts.append(part(9, _short(name, _NAME, glyphs), _short(name, _SHORT_NAME, glyphs), ""))
    if live.world is None:
        return parts
    if live.world.kind is WorldKind.SANDBOX:
        return [*parts, part(0, " SANDBOX ", role="sandbox")]
    full = _short(f"{live.world.brand} {live.world.version}", _NAME, glyphs)
    return [*parts, part(7, full, _short(live.world.brand, _SHORT_NAME, glyphs), "")]


def _status(state: State, glyphs: Glyphs) -> list[Part]:
    """Return what the run does where that is anything but running."""
    parts: list[Part] = []
    live = state.live
    if not (state.counted or live.status):
        return [part(2, f"opening{glyphs.more}", role="dim")]
    if live.paused:
        reason = _short(live.paused, _NAME, glyphs)
        words = "paused" if reason == "paused" else f"paused: {reason}"
        parts.append(part(4, words, "paused", role="warn"))
    if live.status != "running":
        words, role = _STATUS.get(live.status, (_short(live.status, _NAME, glyphs), "dim"))
        parts.append(part(2, words, role=role))
    return parts


def _away(live: Live, clock: float, glyphs: Glyphs) -> list[Part]:
    if not live.absences:
        return []
    first = min(live.absences.values(), key=lambda absence: absence.next_try)
    what = _short(first.what, _NAME, glyphs)
    rest = f" (+{len(live.absences) - 1})" if len(live.absences) > 1 else ""
    until = _next_try(first, clock)
    return [part(3, f"{what} away{rest}, {until}", f"away, {until}", "away", role="bad")]


def _held(state: State, glyphs: Glyphs) -> list[Part]:
    if not state.held:
        return []
    forms = (f"{glyphs.held} {state.held:,} held", f"{glyphs.held} {state.held:,}")
    return [part(1, *((Span(form, "warn", "held"),) for form in forms))]


def _progress(live: Live, clock: float) -> list[Part]:
    parts: list[Part] = []
    if live.rounds:
        parts.append(part(8, f"round {live.round}/{live.rounds}", f"{live.round}/{live.rounds}", "", role="dim"))
    rate = live.per_minute(clock)
    if rate or live.status == "running":
        parts.append(part(7, f"gen {rate:,.0f}/min", "", role="dim"))
    return parts


def _counts(state: State, clock: float, glyphs: Glyphs) -> list[Part]:
    """Return how much was decided, how much waits, and the pace of the last minutes."""
    if not state.counted:
        return []
    parts = [part(5, *_decisions(state, glyphs), at_end=True)]
    parts.append(part(4, f"{state.undecided:,} wait", f"{glyphs.pending} {state.undecided:,}", "", at_end=True))
    pace = state.pace(clock)
    if pace:
        parts.append(part(6, f"{pace:.1f}/min", "", role="dim", at_end=True))
    return parts


def _decisions(state: State, glyphs: Glyphs) -> tuple[Line, ...]:
    """Return the counts by what was decided, wide, close, and of acceptances and rejections alone."""
    forms: list[Line] = []
    for kinds, gap in ((_COUNTED, "  "), (_COUNTED, " "), (_COUNTED[:2], " ")):
        pieces: list[Span] = []
        for kind in kinds:
            pieces.append(Span(gap if pieces else ""))
            pieces.append(Span(f"{glyphs.decision(kind)} {state.decided[kind]:,}", decision_role(kind)))
        forms.append(tuple(pieces[1:]))
    return tuple(forms)


def _short(text: str, width: int, glyphs: Glyphs) -> str:
    """Return the beginning of a name from anywhere in at most so many cells."""
    return plain(cropped((span(text[: 8 * width].strip()),), width, glyphs.more))


def _next_try(absence: Absence, clock: float) -> str:
    left = math.ceil(absence.next_try - clock)
    return f"next try in {_duration(left)}" if left > 0 else "trying now"


def _duration(seconds: float) -> str:
    whole = max(int(seconds), 0)
    return f"{whole} s" if whole < 120 else f"{whole // 60} min"
