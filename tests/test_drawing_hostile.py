"""Nothing that a terminal would obey gets through any drawing, and no drawing is wider than its pane."""

from __future__ import annotations

import unicodedata
from array import array
from collections.abc import Iterator

import pytest

from selfplay_core.models import (
    Decision,
    DecisionKind,
    Level,
    Mode,
    ModelIdentity,
    Outcome,
    WorldIdentity,
    WorldKind,
)
from selfplay_core.store.filters import Filter
from selfplay_core.store.listing import Listing, QueueLine
from tests.drawing_samples import corrected, hostile, hostile_edit, make_example, unproven
from tests.nasty import NASTY
from tests.samples import PAPER
from tui.drawing.conversation import conversation_lines, conversation_title
from tui.drawing.empty import empty_lines
from tui.drawing.example import example_lines
from tui.drawing.glyphs import ASCII, GLYPHS, Glyphs
from tui.drawing.header import faults_lines, header_line
from tui.drawing.lines import ROLES, Line, plain, width_of
from tui.drawing.queue import place_title, queue_row, queue_title
from tui.drawing.stream import stream_row, stream_title
from tui.keys.actions import Keymap
from tui.state.live import Absence, StreamRow
from tui.state.queue import Queue
from tui.state.review import State

KEYS = Keymap.of({})
REORDERS = {"RLE", "LRE", "RLO", "LRO", "PDF", "RLI", "LRI", "FSI", "PDI"}


def state_of(text: str, status: str = "running", *, away: bool = False, filtered: bool = False) -> State:
    """A state in which every text from outside is the given one."""
    state = State(listed=True, counted=True, held=2, undecided=3, filter_text=text)
    live = state.live
    live.status, live.reason, live.paused = status, text, ""
    live.model = ModelIdentity("ollama", text)
    live.world = WorldIdentity(WorldKind.REAL, text, text)
    live.round, live.rounds = 3, 50
    live.in_work = {str(number): text for number in range(9)}
    if away:
        live.absences = {text: Absence(text, text, 0.0, 12.0)}
        live.paused = text
    if filtered:
        state.wanted = Filter(text="x")
    return state


def header_of(text: str, width: int, glyphs: Glyphs = GLYPHS) -> Line:
    """The header of such a state, with a server away."""
    state = state_of(text, away=True)
    return header_line(state, 1.0, 1.0, width, workspace=text, glyphs=glyphs)


def every_pane(text: str, width: int, glyphs: Glyphs) -> Iterator[Line]:
    """All that is drawn where all that came from outside is the given text."""
    trace = hostile(text)
    for decision in (None, hostile_edit(text), Decision(DecisionKind.REJECT, by=text, at=1.0, reason=text)):
        shown = make_example(trace, decision, flagged=True, same_as=7)
        yield from example_lines(shown, width, glyphs, held=decision is None)
    for diff in (True, False):
        yield from conversation_lines(make_example(trace), width, glyphs, diff=diff)
    line = QueueLine(7, text, text, Mode.GOD, Outcome.FAILED, Level.NONE, None, 2, 0.0, text[:300], flagged=True)
    yield queue_row(line, 7, 0, width, glyphs, chosen=True, cursor=True)
    yield stream_row(StreamRow(1.0, "accept", text, text, text), width, glyphs)
    state = state_of(text, away=True)
    yield from faults_lines(state.live, 1.0, width, 50, glyphs)
    for shown_state in (state, state_of(text), state_of(text, "failed"), state_of(text, "", filtered=True)):
        yield from empty_lines(shown_state, KEYS, width, glyphs)


@pytest.mark.parametrize("text", NASTY, ids=range(len(NASTY)))
def test_no_control_character_survives_any_drawing(text: str) -> None:
    """Nor one that reorders, nor one that no terminal encodes."""
    for line in (
        *every_pane(text, 57, GLYPHS),
        header_of(text, 160),
        queue_title(Queue(), text),
        place_title(Queue(), text),
    ):
        for character in plain(line):
            assert unicodedata.category(character) not in {"Cc", "Cs", "Zl", "Zp"}
            assert unicodedata.bidirectional(character) not in REORDERS


@pytest.mark.parametrize("width", [24, 38, 80, 120])
@pytest.mark.parametrize("text", NASTY, ids=range(len(NASTY)))
def test_no_drawing_is_wider_than_its_pane(text: str, width: int) -> None:
    """And every role is one that the theme knows."""
    for line in every_pane(text, width, GLYPHS):
        assert width_of(line) <= width
        assert {piece.role for piece in line} <= set(ROLES)
    assert width_of(header_of(text, max(width, 60))) <= max(width, 60)


@pytest.mark.parametrize("width", [24, 57, 160])
def test_with_ascii_signs_all_that_is_ours_is_ascii(width: int) -> None:
    """A terminal without the font sees no other character than those of the data."""
    lines = [*every_pane("give @s apple, " * 400, width, ASCII), header_of("x" * 99, width, ASCII)]
    for trace in (unproven(), corrected()):
        lines.extend(example_lines(make_example(trace), width, ASCII))
    queue = Queue()
    queue.load(Listing(array("Q", [1, 2]), bytearray([0, 1])))
    state = state_of("x")
    state.live.world = PAPER
    lines += [
        queue_title(queue, "x"),
        stream_title(state.live, 1.0, True),
        conversation_title(make_example(corrected())),
    ]
    for line in lines:
        assert plain(line).replace("\u2026{CustomName", "").isascii()
