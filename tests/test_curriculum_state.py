"""Laws of what the choice of prompts rests on: what a round adds to it, and what it keeps through all that happens."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from selfplay_core.curriculum.coverage import Seen
from selfplay_core.curriculum.diversity import RoundFigures
from selfplay_core.curriculum.samplers import CLOSED, OPEN, gate
from selfplay_core.curriculum.skill import FORGET_MODEL, Beta, Skill
from selfplay_core.curriculum.state import (
    Asked,
    Closed,
    Standing,
    State,
    advanced,
    closed,
    decoded,
    encoded,
    for_model,
    reopened,
)
from selfplay_core.models import CATEGORY_NAMES, Attempt, CommandResult, Outcome, Trace, Verdict, VerdictOutcome
from tests.samples import make_attempt, make_result, make_trace

NOTHING = Asked({}, 0, 0)
ROUND_KEPT = (0.98, 0.995)
CATEGORY = "edge_items"


def after(*traces: Trace, state: State | None = None, speaks: bool = False, asked: Asked = NOTHING) -> State:
    """The state with a round of these traces in it."""
    return advanced(state or State(), asked, traces, [speaks] * len(traces))


def counted(state: State, category: str = CATEGORY) -> tuple[tuple[float, float], tuple[float, float]]:
    """Good and bad of first answers and of the harvest, as they were before the round forgot a little of them."""
    skill = state.of(category).skill
    first, harvest = ROUND_KEPT
    return (
        (round(skill.first.good / first, 9), round(skill.first.bad / first, 9)),
        (round(skill.harvest.good / harvest, 9), round(skill.harvest.bad / harvest, 9)),
    )


def refused(message: str, *, number: int = 1, reply: str = "") -> Attempt:
    """An attempt that the server's parser refused."""
    verdict = Verdict(VerdictOutcome.REJECTED, message=message)
    return make_attempt(
        number, replace(make_result("//set stone", VerdictOutcome.REJECTED), verdict=verdict, reply=reply)
    )


ILL_TYPED = Attempt(1, raw="{", answer=None, error="no JSON")
GOOD = make_attempt(2, make_result("give @s stone"))


ENDS: list[tuple[Trace, tuple[int, int], tuple[int, int]]] = [
    (make_trace(outcome=Outcome.SOLVED), (1, 0), (1, 0)),
    (make_trace(ILL_TYPED, GOOD, outcome=Outcome.SOLVED), (0, 1), (1, 0)),
    (make_trace(refused("No."), GOOD, outcome=Outcome.CORRECTED), (0, 1), (1, 0)),
    (make_trace(refused("No."), outcome=Outcome.FAILED), (0, 1), (0, 1)),
    (make_trace(outcome=Outcome.BLOCKED), (0, 0), (0, 1)),
    (make_trace(outcome=Outcome.REFUSED), (0, 0), (0, 1)),
    (make_trace(outcome=Outcome.UNPROVEN), (0, 0), (0, 1)),
]


@pytest.mark.parametrize(("trace", "first", "harvest"), ENDS)
def test_what_each_end_counts_for(trace: Trace, first: tuple[int, int], harvest: tuple[int, int]) -> None:
    """First answers are judged where commands were; the harvest is what was verified, of all that was tried."""
    state = after(trace)
    assert counted(state) == (first, harvest)
    assert (state.of(CATEGORY).tried, state.of(CATEGORY).won) == (1, harvest[0])
    assert all(state.of(name) == Standing() for name in CATEGORY_NAMES if name != CATEGORY)


def test_every_end_is_held_by_the_law() -> None:
    """Each outcome stands in the table above, or is a fault."""
    assert {trace.outcome for trace, _, _ in ENDS} == set(Outcome) - {Outcome.ERRORED}


def test_faults_count_nowhere() -> None:
    """Not in skill, not in what was tried, not among the errors, not on the map, and not among the skeletons."""
    fault = make_trace(refused("Connection lost"), outcome=Outcome.ERRORED)
    assert after(fault, fault) == after()


@pytest.mark.parametrize("outcome", [Outcome.SOLVED, Outcome.CORRECTED, Outcome.FAILED])
def test_an_answer_that_only_speaks_is_no_success(outcome: Outcome) -> None:
    """And it says nothing of the skill of first answers, good or bad."""
    assert counted(after(make_trace(outcome=outcome), speaks=True)) == ((0, 0), (0, 1))


def test_a_round_forgets_once() -> None:
    """However many traces are in it, and also what it had none of."""
    one = after(make_trace(), make_trace(category="worldedit"), make_trace())
    assert counted(one) == ((2, 0), (2, 0))
    assert counted(one, "worldedit") == ((1, 0), (1, 0))
    two = after(make_trace(), state=one)
    skill = two.of(CATEGORY).skill
    assert skill.first.good == pytest.approx((2 * 0.98 + 1) * 0.98)
    assert two.of("worldedit").skill.harvest.good == pytest.approx(0.995**2)


def test_cells_and_figures_of_a_round_are_kept() -> None:
    """Cells of what was asked, whatever came of it, and the figures of six rounds for the alarm."""
    state = State()
    for number in range(9):
        asked = Asked({CATEGORY: ["0.1.2", "0.1.2", f"1.1.{number}"]}, 5, number % 3)
        state = after(make_trace(), make_trace(outcome=Outcome.BLOCKED), state=state, asked=asked)
    assert state.of(CATEGORY).cells["0.1.2"] == 18
    assert state.of(CATEGORY).cells["1.1.8"] == 1
    assert [one.copies for one in state.rounds] == [0, 1, 2, 0, 1, 2]
    assert {one.written for one in state.rounds} == {5}
    assert state.rounds[0].skeletons == {"give _ _": 2}


def test_the_map_grows_with_the_rounds() -> None:
    """Each command of a trace is on it."""
    state = after(make_trace(), make_trace(refused("No.")), state=after(make_trace()))
    assert state.seen["command give"] == Seen(2, 2, 0)


def test_a_state_is_not_changed_by_what_comes_after_it() -> None:
    """Whoever holds one may go on from it twice; to look at it changes nothing, either."""
    state = after(make_trace(refused("No.")), asked=Asked({CATEGORY: ["1.1.1"]}, 1, 0))
    before = encoded(state)
    after(make_trace(), state=state, asked=Asked({CATEGORY: ["1.1.1"]}, 1, 0))
    for_model(state, "other")
    reopened(state, CATEGORY)
    closed(state)
    state.skills(CATEGORY_NAMES)
    state.of("unheard_of")
    assert encoded(state) == before
    bare = State()
    closed(bare)
    bare.skills(CATEGORY_NAMES)
    assert bare == State()


def test_another_model_keeps_three_tenths_of_what_was_seen() -> None:
    """Of skills alone: cells, the map and what a person is told are of the workspace."""
    state = after(
        make_trace(), make_trace(outcome=Outcome.FAILED), state=State("a"), asked=Asked({CATEGORY: ["1.1.1"]}, 2, 0)
    )
    other = for_model(state, "b")
    old, new = state.of(CATEGORY), other.of(CATEGORY)
    assert new.skill.first == old.skill.first.kept(FORGET_MODEL) == Beta(0.98 * 0.3, 0.98 * 0.3)
    assert new.skill.harvest == old.skill.harvest.kept(FORGET_MODEL)
    assert (other.model, new.cells, other.seen, other.rounds) == ("b", old.cells, state.seen, state.rounds)
    assert (new.tried, new.won) == (old.tried, old.won) == (2, 1)
    assert for_model(state, "a") == state
    assert for_model(other, "b") == other


def test_a_state_without_a_model_belongs_to_the_first() -> None:
    """Nothing is forgotten when a workspace learns whose skills it holds."""
    state = after(make_trace())
    assert for_model(state, "a") == replace(state, model="a")


def failing(rounds: int, *messages: str, state: State | None = None, category: str = "worldedit") -> State:
    """Rounds of five prompts of a category that fail, each with the next message."""
    state = state or State()
    for number in range(rounds):
        said = [messages[(number * 5 + slot) % len(messages)] for slot in range(5)]
        state = after(
            *(make_trace(refused(one), outcome=Outcome.FAILED, category=category) for one in said), state=state
        )
    return state


def test_a_closed_gate_is_told_with_its_dominant_error() -> None:
    """How many of how many were won, and what the server said most."""
    state = failing(12, "Unknown command //set", "Unknown command //set", "Expected whitespace")
    (told,) = closed(state)
    assert told == Closed("worldedit", 0, 60, "Unknown command //set")
    assert str(told) == "worldedit: 0 of 60, Unknown command //set"
    assert gate(state.of("worldedit").skill) < CLOSED


def test_what_is_open_or_was_never_tried_is_not_told() -> None:
    """A few failures are no closed gate, and neither is one success in ten."""
    assert closed(State()) == []
    assert closed(failing(4, "No.")) == []
    assert closed(failing(5, "No.")) != []
    assert closed(failing(2, "No.")) == []
    state = State()
    for _ in range(10):
        traces = [make_trace(outcome=Outcome.BLOCKED)] * 9
        state = after(*traces, make_trace(), state=state)
    assert closed(state) == []


def test_what_hovers_is_told_once() -> None:
    """A gate that closed and opens a little is still closing, also after a restart, until it opens well."""
    state = after(make_trace(category="worldedit"), state=failing(8, "No."))
    assert CLOSED < gate(state.of("worldedit").skill) < OPEN
    assert [one.category for one in closed(decoded(encoded(state)))] == ["worldedit"]
    state = after(make_trace(category="worldedit"), state=state)
    assert gate(state.of("worldedit").skill) > OPEN
    assert closed(state) == []


def test_a_category_that_is_blocked_closes_without_an_error() -> None:
    """What the policy let nobody do has no word of the server's."""
    state = State()
    for _ in range(12):
        state = after(*[make_trace(outcome=Outcome.BLOCKED, category="boundary_testing")] * 5, state=state)
    (told,) = closed(state)
    assert str(told) == "boundary_testing: 0 of 60"


def test_the_dominant_error_is_found_though_it_came_late() -> None:
    """Behind any number of rare ones, which are as good as never the same; no more than twenty are kept."""
    rare = failing(12, *(f"Aardvark {number}" for number in range(60)))
    state = failing(4, "Unknown command //set", "zero", "Unknown command //set", *map(str, range(17)), state=rare)
    assert closed(failing(3, "Unknown command //set", state=state))[0].error == "Unknown command //set"
    assert len(state.of("worldedit").errors) == 20


def test_an_error_is_the_first_line_of_what_was_said() -> None:
    """Of the message, or of the reply where there is none, and not all of a long one; what passed has no error."""
    state = after(
        make_trace(
            refused("", reply="Reply\nmore"), refused("Message\nmore", number=2), refused("x" * 500, number=3), GOOD
        )
    )
    assert list(state.of(CATEGORY).errors) == ["Reply", "Message", "x" * 120]


def test_a_reopened_category_is_as_new_but_for_first_answers_and_cells() -> None:
    """Its gate is open, nothing is told of it, and what was learnt of others stays."""
    state = failing(12, "No.", state=failing(12, "No.", category="multiplayer"))
    state = after(state=state, asked=Asked({"worldedit": ["1.1.1"]}, 1, 0))
    again = reopened(state, "worldedit")
    new, old = again.of("worldedit"), state.of("worldedit")
    assert [one.category for one in closed(state)] == ["worldedit", "multiplayer"]
    assert [one.category for one in closed(again)] == ["multiplayer"]
    assert gate(new.skill) == 1
    assert (new.tried, new.won, new.errors) == (0, 0, {})
    assert (new.skill.first, new.cells) == (old.skill.first, old.cells)
    assert again.of("multiplayer") == state.of("multiplayer")
    assert reopened(State(), "worldedit").of("worldedit") == Standing()


TEXTS = st.text(st.characters(exclude_categories=["Cs"]), max_size=20)
FLOATS = st.floats(0, 1e9)
BETAS = st.builds(Beta, FLOATS, FLOATS)
COUNTS = st.dictionaries(TEXTS, st.integers(0, 10**6), max_size=4)
STANDINGS = st.builds(
    Standing,
    skill=st.builds(Skill, BETAS, BETAS),
    cells=COUNTS,
    errors=COUNTS,
    tried=st.integers(0, 10**6),
    won=st.integers(0, 10**6),
)
STATES = st.builds(
    State,
    model=TEXTS,
    categories=st.dictionaries(st.sampled_from(CATEGORY_NAMES), STANDINGS, max_size=4),
    seen=st.dictionaries(TEXTS, st.builds(Seen, *[st.integers(0, 10**6)] * 3), max_size=4),
    rounds=st.lists(st.builds(RoundFigures, st.integers(0, 99), st.integers(0, 99), st.none() | COUNTS), max_size=6),
)


@settings(deadline=None)
@given(STATES)
def test_a_state_comes_back_as_it_was(state: State) -> None:
    """To the last bit of every number."""
    assert decoded(encoded(state)) == state
    assert encoded(decoded(encoded(state))) == encoded(state)


@st.composite
def a_trace(draw: Any) -> Trace:
    """A trace of any end, with one or two attempts."""
    results = st.builds(
        make_result,
        st.sampled_from(["give @s stone[lore=[]]", "kill @e[type=pig]", "say a", "//set stone", "tp 1 2 3"]),
        st.sampled_from(VerdictOutcome),
        reply=st.sampled_from(["Done.", "Unknown command\nhere", ""]),
    )
    attempts: list[list[CommandResult]] = draw(
        st.lists(st.lists(results, min_size=1, max_size=2), min_size=1, max_size=2)
    )
    return make_trace(
        *(make_attempt(number, *one) for number, one in enumerate(attempts, start=1)),
        outcome=draw(st.sampled_from(Outcome)),
        category=draw(st.sampled_from(CATEGORY_NAMES[:3])),
    )


@settings(deadline=None, max_examples=50)
@given(st.lists(st.lists(st.tuples(a_trace(), st.booleans()), max_size=4), max_size=5), st.data())
def test_a_state_is_a_pure_function_of_its_rounds(rounds: list[list[tuple[Trace, bool]]], data: st.DataObject) -> None:
    """The same byte for byte, whether it was kept and read again on the way or not."""
    straight, resumed = State("m"), State("m")
    for number, one in enumerate(rounds):
        asked = Asked({trace.prompt.category: [f"{number}.0.0"] for trace, _ in one}, len(one), 0)
        traces, speaks = [trace for trace, _ in one], [only for _, only in one]
        straight = advanced(straight, asked, traces, speaks)
        if data.draw(st.booleans()):
            resumed = for_model(decoded(encoded(resumed)), "m")
        closed(resumed)
        resumed = advanced(resumed, asked, traces, speaks)
    assert encoded(straight) == encoded(resumed)
