"""Rows of the queue and the stream, the header, and the pane with nothing in it."""

from __future__ import annotations

from array import array
from collections import Counter
from dataclasses import replace

import pytest

from selfplay_core.models import CATEGORY_NAMES, DecisionKind, Level, Mode, ModelIdentity, Outcome
from selfplay_core.store.filters import MARKS, Filter
from selfplay_core.store.listing import Listing, QueueLine
from tests.drawing_samples import SANDBOX, as_text
from tests.samples import PAPER
from tui.drawing.empty import empty_lines
from tui.drawing.fitting import fitted, part
from tui.drawing.glyphs import ASCII, GLYPHS
from tui.drawing.header import faults_lines, header_line
from tui.drawing.lines import plain, width_of
from tui.drawing.queue import place_title, queue_row, queue_title
from tui.drawing.stream import stream_row, stream_title
from tui.drawing.words import short_category_word
from tui.keys.actions import Keymap
from tui.state.layout import layout_of
from tui.state.live import Absence, Live, StreamRow
from tui.state.queue import Queue
from tui.state.review import DEFAULT_FILTER, State

COWS = QueueLine(
    1843,
    "t1",
    "execute_chains",
    Mode.SUDO,
    Outcome.SOLVED,
    Level.EXECUTED,
    None,
    1,
    0.0,
    "Make every cow within ten blocks glow",
    flagged=False,
)
KEYS = Keymap.of({})


def row(line: QueueLine | None, width: int, mark: int = 0, *, chosen: bool = False, cursor: bool = False) -> str:
    """A row of the queue as text."""
    return plain(queue_row(line, 1843, mark, width, GLYPHS, chosen=chosen, cursor=cursor)).rstrip()


def opened(decided: Counter[DecisionKind] | None = None, wanted: Filter = DEFAULT_FILTER, text: str = "") -> State:
    """A state whose first list and first counts have arrived."""
    return State(listed=True, counted=True, decided=decided or Counter(), wanted=wanted, filter_text=text)


def busy_state() -> State:
    """A state with something in every place of the header."""
    state = State(listed=True, counted=True, held=1, undecided=312, decisions_at=[4.0 * number for number in range(75)])
    kinds = (DecisionKind.ACCEPT, DecisionKind.REJECT, DecisionKind.EDIT, DecisionKind.SKIP)
    state.decided = Counter(dict(zip(kinds, (1204, 88, 31, 92), strict=True)))
    live = state.live
    live.status, live.model, live.world = "running", ModelIdentity("ollama", "qwen2.5-coder:14b"), PAPER
    live.round, live.rounds = 3, 50
    return state


def header(state: State, width: int) -> str:
    """The header at a moment at which all decisions were made."""
    return plain(header_line(state, 300.0, 1e9, width, workspace="tuesday-a"))


def test_a_row_of_the_queue() -> None:
    """Signs first, each in its own cell, so that prompts begin in one column."""
    assert row(COWS, 29) == " · 1843 Make every cow withi…"
    assert row(COWS, 29, cursor=True) == "▌· 1843 Make every cow withi…"
    assert row(replace(COWS, flagged=True), 29, chosen=True) == " ·•1843⚑Make every cow withi…"
    assert row(None, 29) == " · 1843 …"


def test_a_row_tells_what_needs_eyes_and_where_there_is_room_the_category() -> None:
    """Retries, and an end that is no success."""
    assert row(replace(COWS, attempts=3, outcome=Outcome.FAILED), 29) == " · 1843 Make every cow … ↻2 ✗"
    assert row(replace(COWS, outcome=Outcome.UNPROVEN), 44) == " · 1843 Make every cow within te… ? execute"
    assert row(replace(COWS, outcome=Outcome.UNPROVEN), 34) == " · 1843 Make every cow wi… ? exec"


@pytest.mark.parametrize("category", CATEGORY_NAMES)
@pytest.mark.parametrize("size", [(100, 30), (120, 36), (160, 50)])
def test_the_list_beside_the_example_names_every_category(category: str, size: tuple[int, int]) -> None:
    """In a word of its own, at the end of the row, after retries and a sign; half of the row is the prompt's."""
    width = layout_of(State(), *size).queue
    assert width
    busy = replace(COWS, category=category, attempts=3, outcome=Outcome.FAILED)
    assert row(busy, width).split()[-1] == short_category_word(category)
    assert len(row(busy, width).split(" \u21bb2")[0]) >= width // 2
    assert len({short_category_word(name) for name in CATEGORY_NAMES}) == len(CATEGORY_NAMES)
    assert len({len(row(replace(COWS, category=name), width).rstrip()) <= width for name in CATEGORY_NAMES}) == 1


def test_every_mark_has_its_own_sign() -> None:
    """None is told apart by colour alone."""
    assert len({row(COWS, 29, mark)[1] for mark in range(len(MARKS))}) == len(MARKS)


def test_a_list_that_is_out_of_sight_says_where_it_stands() -> None:
    """The place, of how many, and the filter in force."""
    queue = Queue()
    queue.load(Listing(array("Q", [1, 2, 3]), bytearray([0, 1, 0])), stay_on=2)
    assert plain(place_title(queue, "")).split() == ["2/3"]
    assert plain(place_title(queue, "cmd:execute")).split() == ["2/3", "/cmd:execute"]
    assert plain(place_title(Queue(), "x")).split() == ["0/0", "/x"]
    assert plain(place_title(Queue(), " ")) == ""


def test_the_title_of_the_queue_counts_what_is_undecided() -> None:
    """Of how many, and under which filter."""
    queue = Queue()
    queue.load(Listing(array("Q", [1, 2, 3]), bytearray([0, 1, 0])))
    assert plain(queue_title(queue, "")).split() == ["Prompts", "2", "of", "3"]
    assert plain(queue_title(queue, "cmd:execute")).split()[-1] == "/cmd:execute"
    assert plain(queue_title(Queue(), "", listed=False)).split() == ["Prompts"]


def test_replies_stand_in_one_column_where_there_is_room() -> None:
    """However long their commands are."""
    rows = [StreamRow(1.5, "accept", "1851ab", "say " * size, "Said") for size in (1, 9, 99)]
    places = {plain(stream_row(each, 120, GLYPHS)).index("›") for each in rows}
    assert len(places) == 1
    for width in (60, 80, 120):
        assert all("› Said" in plain(stream_row(each, width, GLYPHS)) for each in rows)


def test_a_row_of_the_stream_has_its_time_to_the_millisecond() -> None:
    """Rounded to the nearest, also over the second."""
    assert plain(stream_row(StreamRow(7.123, "accept", "a", "b"), 80, GLYPHS)).split()[0].endswith(":07.123")
    assert plain(stream_row(StreamRow(7.9996, "accept", "a", "b"), 80, GLYPHS)).split()[0].endswith(":08.000")


def test_a_trace_goes_by_its_number_once_it_has_one() -> None:
    """As the list names it; before, by the beginning of its id. A retry is counted in either case."""
    row = StreamRow(1.5, "accept", "", "say hi", trace_id="1851abcdef", retry=2)
    assert plain(stream_row(row, 80, GLYPHS)).split()[2:5] == ["1851ab", "\u21bb2", "say"]
    assert plain(stream_row(row, 80, GLYPHS, 77)).split()[2:5] == ["#77", "\u21bb2", "say"]
    assert plain(stream_row(replace(row, retry=0), 80, ASCII, 77)).split()[2:4] == ["#77", "say"]
    assert plain(stream_row(replace(row, head="run", trace_id="", retry=0), 80, GLYPHS)).split()[2] == "run"


def test_the_title_of_the_stream_says_whether_it_follows() -> None:
    """And how much comes."""
    live = Live()
    live.say(1.0, "accept", "a", "b")
    assert plain(stream_title(live, 986.4, True)).split() == ["Stream", "1", "rows", "986/s", "tail"]
    assert "standing still" in plain(stream_title(live, 0.0, False))


@pytest.mark.parametrize("width", range(60, 161, 10))
def test_what_matters_most_stays_in_the_header(width: int) -> None:
    """The sandbox, held commands, a server away and the counts, down to sixty columns."""
    state = busy_state()
    state.live.world = SANDBOX
    state.live.absences = {"m": Absence("Minecraft server", "refused", 200.0, 312.0)}
    text = header(state, width)
    assert len(text) <= width
    for words in ("SANDBOX", "! 1", "away", "12 s", "✓ 1,204", "✗ 88"):
        assert words in text


def test_a_wide_header_has_everything() -> None:
    """From the program to the time of day."""
    text = header(busy_state(), 160)
    for words in ("selfplay", "tuesday-a", "qwen2.5-coder:14b", "Paper 1.21.4", "round 3/50", "gen 0/min", "! 1 held"):
        assert words in text
    assert "✓ 1,204  ✗ 88  ~ 31  › 92" in text
    assert "15.0/min" in text


def test_held_commands_can_be_clicked() -> None:
    """The count opens what it counts."""
    line = header_line(busy_state(), 300.0, 1e9, 120, workspace="w")
    assert [piece.action for piece in line if "held" in piece.text] == ["held"]


@pytest.mark.parametrize("status", ["draining", "failed", "gave_up", "done", "interrupted", "starting", ""])
def test_a_run_that_is_not_running_says_so(status: str) -> None:
    """At any width."""
    state = busy_state()
    before = header(state, 60)
    state.live.status = status
    assert header(state, 60) != before
    state.live.status, state.live.paused = "running", "a person said so"
    assert "paused" in header(state, 60)


def test_servers_that_are_away_have_a_row_each() -> None:
    """The next to be tried first."""
    live = Live()
    live.absences = {
        "b": Absence("model server", "busy", 0.0, 400.0),
        "a": Absence("Minecraft server", "refused", 200.0, 300.0),
    }
    lines = as_text(faults_lines(live, 300.0, 80, 4)).splitlines()
    assert lines == [
        " ✗ Minecraft server: trying now, away for 100 s: refused",
        " ✗ model server: next try in 100 s, away for 5 min: busy",
    ]


@pytest.mark.parametrize("width", [60, 80, 120])
def test_a_fault_says_first_what_and_when(width: int) -> None:
    """In as many rows as there are for faults, with the next try in each; the reason gives way."""
    live = Live()
    reason = "The server at 127.0.0.1:25575 refused the connection. Start it, or correct its address. " * 3
    live.absences = {
        name: Absence(name, reason, 200.0, 308.0) for name in ("The server's list of players", "The Minecraft server")
    }
    for room in (1, 2, 3):
        lines = as_text(faults_lines(live, 300.0, width, room)).splitlines()
        assert len(lines) == 2
        assert all("next try in 8 s" in line and line.endswith("…") for line in lines)
        assert all(len(line) <= width for line in lines)
    whole = as_text(faults_lines(live, 300.0, width, 20)).splitlines()
    assert len(whole) > 2
    assert whole[-1].endswith("address.")


def test_the_part_that_weighs_most_gives_way_first() -> None:
    """And comes back where a longer one has made room."""
    parts = [part(0, "aaaa"), part(2, "bbbb", "b", ""), part(1, "cccc", "c")]
    assert [plain(fitted(parts, width)) for width in (20, 14, 11, 9, 6)] == [
        "aaaa   bbbb   cccc",
        "aaaa bbbb cccc",
        "aaaa b cccc",
        "aaaa cccc",
        "aaaa c",
    ]
    assert plain(fitted([part(0, "aaaa"), part(2, "bb", ""), part(1, "cccccccc", "c")], 9)) == "aaaa bb c"
    assert all(width_of(fitted(parts, width)) <= width for width in range(30))


def test_nothing_yet_says_how_to_begin() -> None:
    """With the key of the keymap in force, which can be clicked."""
    lines = empty_lines(opened(), Keymap.of({"start": "f5"}), 57)
    assert "Nothing to review yet." in as_text(lines)
    assert "f5  start a run" in as_text(lines)
    assert "start" in {piece.action for line in lines for piece in line}


@pytest.mark.parametrize("state", [State(), State(listed=True), State(counted=True, undecided=3)])
def test_what_has_not_arrived_is_not_said_to_be_empty(state: State) -> None:
    """Neither in the pane nor in the header, until the first list and the first counts are there."""
    text = as_text(empty_lines(state, KEYS, 57))
    assert "Opening the workspace" in text
    assert "Nothing" not in text
    assert "No run" not in text
    if not state.counted:
        assert "opening" in header(state, 120)
        assert "wait" not in header(state, 120)
        assert "no run" not in header(state, 120)


def test_what_is_being_worked_on_is_shown() -> None:
    """A few of the prompts, and how many more."""
    state = opened()
    state.live.status = "running"
    assert "writing prompts" in as_text(empty_lines(state, KEYS, 57))
    state.live.in_work = {str(number): f"sudo prompt {number}" for number in range(11)}
    text = as_text(empty_lines(state, KEYS, 57))
    assert "11 prompts in work" in text
    assert "· sudo prompt 7" in text
    assert "… 3 more" in text


def test_all_decided_leads_back() -> None:
    """To undo, to what was decided, and to another run."""
    state = opened(decided=Counter({DecisionKind.ACCEPT: 4}))
    state.live.status = "done"
    text = as_text(empty_lines(state, KEYS, 57))
    for words in ("All decided: 4 examples.", "The run is done.", "u   take back", "^g  start another run"):
        assert words in text


def test_a_run_that_failed_has_its_reason() -> None:
    """And the key that starts it again."""
    state = opened()
    state.live.status, state.live.reason = "failed", "The model is not there. Pull it."
    text = as_text(empty_lines(state, KEYS, 57))
    assert "The run failed." in text
    assert "The model is not there. Pull it." in text
    assert "^g  start again" in text


def test_a_filter_that_matches_nothing_can_be_taken_away() -> None:
    """It is shown as it was typed."""
    state = opened(Counter({DecisionKind.ACCEPT: 4}), Filter(text="x"), "[red] x")
    text = as_text(empty_lines(state, KEYS, 57))
    assert "Nothing matches the filter." in text
    assert "filter [red] x" in text
    assert "esc  take the filter away" in text
