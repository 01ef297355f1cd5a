"""The state of a run, as its events make it."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from selfplay_core.engine.bulletin import Absent, Bulletin
from selfplay_core.events import (
    AttemptJudged,
    Away,
    Back,
    Event,
    PromptsFailed,
    PromptsWritten,
    RoundStarted,
    RunEnded,
    RunPaused,
    RunResumed,
    RunStarted,
    RunTuned,
    TraceEnded,
    TraceHeld,
    TraceStarted,
)
from selfplay_core.models import (
    Attempt,
    CommandResult,
    Level,
    ModelIdentity,
    Outcome,
    Trace,
    Verdict,
    VerdictOutcome,
    WorldIdentity,
    WorldKind,
)
from tests.store_samples import a_prompt, a_trace
from tui.state.live import Absence, Live, StreamRow

MODEL = ModelIdentity("sandbox", "scripted")
WORLD = WorldIdentity(WorldKind.SANDBOX, "sandbox", "1.21")
STARTED = RunStarted(7, 50, 3, 0, 700, resumed=True, model=MODEL, world=WORLD)
PROMPT = a_prompt("sudo torch")
LONGEST = 5_000


def trace(number: int = 1, outcome: Outcome = Outcome.SOLVED) -> Trace:
    return a_trace(f"trace-{number}", PROMPT, outcome)


def attempt(*outcomes: VerdictOutcome, number: int = 1, error: str | None = None) -> Attempt:
    results = tuple(
        CommandResult(f"say {outcome}", f"{outcome}!", Verdict(outcome), Level.EXECUTED) for outcome in outcomes
    )
    return Attempt(number, "{}", None, error, results=results)


def after(*events: Event, at: float = 100.0, clock: float = 10.0) -> Live:
    live = Live()
    for event in events:
        live.apply(event, at, clock)
    return live


def test_a_run_that_begins_is_known_with_its_servers_and_its_place() -> None:
    """As far as it is done already; what the last one left behind is gone."""
    live = after(TraceStarted("old", PROMPT), Away("The model", "refused", 5.0, 0.0), RunPaused("the disk"), STARTED)
    assert (live.status, live.reason, live.paused) == ("running", "", "")
    assert (live.model, live.world, live.seed) == (MODEL, WORLD, 7)
    assert (live.round, live.rounds) == (3, 50)
    assert (live.in_work, live.absences) == ({}, {})
    live.apply(RoundStarted(3, ("edge_items", "worldedit")), 101.0, 11.0)
    assert live.round == 4
    assert live.stream[-1] == StreamRow(101.0, "pending", "round 4", "edge_items, worldedit")


@pytest.mark.parametrize("status", ["done", "interrupted", "gave_up", "failed"])
def test_a_run_that_ends_says_how_and_leaves_nothing_behind(status: str) -> None:
    """No countdown, no pause and no work of a run that is over."""
    live = after(
        STARTED,
        TraceStarted("t", PROMPT),
        Away("The model", "refused", 5.0, 0.0),
        RunPaused(""),
        RunEnded(status, "because"),
    )
    assert (live.status, live.reason, live.paused) == (status, "because", "")
    assert (live.in_work, live.absences) == ({}, {})


def test_work_is_counted_from_its_beginning_to_its_end() -> None:
    """Ended or held, a trace is in work no more."""
    live = after(STARTED, *(TraceStarted(f"trace-{number}", PROMPT) for number in range(3)))
    assert set(live.in_work) == {"trace-0", "trace-1", "trace-2"}
    live.apply(TraceEnded(trace(0)), 1.0, 1.0)
    live.apply(TraceHeld("trace-1", "kill @e", "a broad selector", PROMPT, "run"), 1.0, 1.0)
    assert set(live.in_work) == {"trace-2"}
    assert live.stream[-1] == StreamRow(1.0, "held", "", "kill @e", "a broad selector", "trace-1")


@given(st.lists(st.sampled_from(Outcome), max_size=30))
def test_outcomes_are_counted(outcomes: list[Outcome]) -> None:
    """Every end once, whoever ran it."""
    live = Live()
    for number, outcome in enumerate(outcomes):
        if number % 2:
            live.apply(TraceEnded(trace(number, outcome)), 1.0, 1.0)
        else:
            live.follow(trace(number, outcome), 1.0, 1.0)
    assert live.outcomes.total() == len(outcomes)
    assert all(live.outcomes[outcome] == outcomes.count(outcome) for outcome in Outcome)


def test_each_command_is_a_row_with_its_reply_and_the_sign_of_its_verdict() -> None:
    """In the order in which they ran; a retry is numbered."""
    live = after(AttemptJudged("abcdefghi", attempt(*VerdictOutcome)))
    assert [(row.sign, row.trace_id, row.text, row.reply) for row in live.stream] == [
        ("accept", "abcdefghi", "say passed", "passed!"),
        ("reject", "abcdefghi", "say rejected", "rejected!"),
        ("reject", "abcdefghi", "say failed", "failed!"),
        ("unclear", "abcdefghi", "say unclear", "unclear!"),
    ]
    live.apply(AttemptJudged("abcdefghi", attempt(number=2, error="no JSON")), 1.0, 1.0)
    assert live.stream[-1] == StreamRow(1.0, "reject", "", "no usable answer", "no JSON", "abcdefghi", 1)


@pytest.mark.parametrize(("outcome", "rows"), [(Outcome.SOLVED, 0), (Outcome.BLOCKED, 1), (Outcome.ERRORED, 1)])
def test_an_end_that_its_commands_do_not_tell_is_a_row(outcome: Outcome, rows: int) -> None:
    """With the reason."""
    live = after(TraceEnded(replace(trace(1, outcome), reason="why")))
    assert len(live.stream) == rows
    assert all(row.reply == "why" for row in live.stream)


def test_what_happens_to_prompts_is_told() -> None:
    """Only where something was lost."""
    live = after(PromptsWritten(0, "edge_items", 5, ("a",), ()))
    assert not live.stream
    live.apply(PromptsWritten(0, "edge_items", 5, ("a",), (("b", "too long"),)), 1.0, 1.0)
    live.apply(PromptsFailed(0, "worldedit", 5, "truncated"), 1.0, 1.0)
    assert [(row.sign, row.head) for row in live.stream] == [("skip", "edge_items"), ("reject", "worldedit")]


def test_an_absence_counts_from_its_beginning_and_down_to_the_next_try() -> None:
    """In the caller's monotonic seconds; each new try replaces the one before, and each server has its own."""
    live = after(Away("The model", "refused", 5.0, 0.0), Away("The server", "closed", 2.0, 1.0), clock=10.0)
    assert {absence.what: (absence.since, absence.next_try) for absence in live.absences.values()} == {
        "The model": (10.0, 15.0),
        "The server": (9.0, 12.0),
    }
    live.apply(Away("The model", "still refused", 10.0, 5.0), 105.0, 15.0)
    absence = live.absences["The model"]
    assert (absence.since, absence.next_try, absence.reason) == (10.0, 25.0, "still refused")
    live.apply(Back("The model", 8.2), 109.0, 19.0)
    assert set(live.absences) == {"The server"}
    assert live.stream[-1].text == "back after 8 s"


def test_a_server_that_comes_back_without_having_been_away_is_no_fault() -> None:
    """As where the screen began to listen in between."""
    assert after(Back("The model", 3.0)).absences == {}


def test_a_pause_has_a_reason_until_it_is_over() -> None:
    """A word in any case, so that a blank reason still shows."""
    live = after(STARTED, RunPaused("the disk is full"))
    assert live.paused == "the disk is full"
    live.apply(RunPaused(""), 1.0, 1.0)
    assert live.paused
    live.apply(RunResumed(), 1.0, 1.0)
    assert live.paused == ""


def test_the_rate_is_of_the_last_minute() -> None:
    """What ended longer ago counts no more."""
    live = Live()
    for second in range(120):
        live.apply(TraceEnded(trace(second)), 1.0, float(second))
    assert live.per_minute(119.0) == pytest.approx(61, abs=1)
    assert live.per_minute(149.0) == pytest.approx(31, abs=1)
    assert live.per_minute(1_000.0) == 0


def test_what_is_too_much_to_show_is_counted_and_told() -> None:
    """The rate is of what ended; nothing to pass over is nothing to tell."""
    live = Live()
    live.follow(trace(), 1.0, 10.0)
    before = live.streamed
    live.pass_over(0, 1.0, 10.0)
    assert live.streamed == before
    live.pass_over(1_234, 1.0, 10.0)
    assert "1,234 more" in live.stream[-1].text
    assert live.per_minute(10.0) == 1_235


SAID = Bulletin(MODEL, WORLD)
AWAY = Absent("The server", "refused", 90.0, 108.0)


def test_another_processs_run_tells_of_its_faults_and_its_pause() -> None:
    """In this process's monotonic seconds, with the rows that a run of this process would give; each once."""
    live = Live(status="following")
    for _ in range(2):
        live.hear(replace(SAID, paused="the disk is full", absences=(AWAY,)), 100.0, 10.0)
    assert live.paused == "the disk is full"
    assert live.absences == {"The server": Absence("The server", "refused", 0.0, 18.0)}
    assert [(row.head, row.text) for row in live.stream] == [("The server", "away")]
    live.hear(replace(SAID, absences=(replace(AWAY, next_try=116.0),)), 108.0, 18.0)
    assert live.paused == ""
    assert live.absences["The server"].next_try == 26.0
    live.hear(SAID, 112.0, 22.0)
    assert live.absences == {}
    assert live.stream[-1].text == "back after 22 s"
    assert live.streamed == 3


def test_a_run_that_is_out_of_sight_leaves_nothing_behind() -> None:
    """The next one that is followed is heard from its first word on."""
    live = Live(status="following")
    said = replace(SAID, paused="a person said so", absences=(AWAY,))
    live.hear(said, 100.0, 10.0)
    live.lose_sight("gone")
    assert (live.status, live.reason, live.paused, live.absences) == ("done", "gone", "", {})
    live.hear(said, 100.0, 10.0)
    assert live.paused
    assert live.absences


def test_a_try_that_was_hurried_is_now() -> None:
    """Until it is known how it went."""
    live = after(Away("The model", "refused", 5.0, 0.0), clock=10.0)
    live.try_now(11.0)
    assert live.absences["The model"].next_try == 11.0
    live.try_now(12.0)
    assert live.absences["The model"].next_try == 11.0


def test_numbers_are_kept_of_as_many_traces_as_the_stream_has_rows() -> None:
    """The newest."""
    live = Live()
    live.number((number, f"trace-{number}") for number in range(LONGEST + 7))
    assert len(live.numbers) == LONGEST
    assert "trace-6" not in live.numbers
    assert live.numbers["trace-7"] == 7


def test_the_stream_is_bounded_and_its_count_is_not() -> None:
    """The newest rows stay; how many there were is still known."""
    live = Live()
    for number in range(LONGEST + 100):
        live.say(float(number), "accept", "", str(number))
    assert len(live.stream) == LONGEST
    assert live.streamed == LONGEST + 100
    assert (live.stream[0].text, live.stream[-1].text) == ("100", str(LONGEST + 99))


def test_nothing_grows_with_the_length_of_a_run() -> None:
    """A hundred rounds' worth of traces leave counters, and as many rows as the stream holds."""
    live = after(STARTED)
    for number in range(6_000):
        live.apply(TraceStarted(f"trace-{number}", PROMPT), 1.0, float(number))
        live.apply(AttemptJudged(f"trace-{number}", attempt(VerdictOutcome.PASSED)), 1.0, float(number))
        live.apply(TraceEnded(trace(number)), 1.0, float(number))
    assert live.in_work == {}
    assert len(live.stream) == LONGEST
    assert live.outcomes.total() == 6_000
    assert live.per_minute(6_000.0) <= 61


def test_an_event_that_shows_nothing_changes_nothing() -> None:
    """Neither here nor in an older screen that does not know it."""
    live = after(STARTED)
    before = replace(live, stream=live.stream.copy())
    live.apply(RunTuned(None, 2, 1), 1.0, 1.0)
    assert live == before
