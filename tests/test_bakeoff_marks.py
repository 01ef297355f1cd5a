"""What a trace says of its model: the table of marks, with and without expectations."""

from __future__ import annotations

from dataclasses import replace

import pytest

from selfplay_core.bakeoff.cases import Case
from selfplay_core.bakeoff.expectation import Expectation
from selfplay_core.bakeoff.marks import Circumstances, Mark, Marked, Why, mark
from selfplay_core.models import Answer, Attempt, FailedBecause, Level, Mode, Outcome, Trace, VerdictOutcome
from tests.samples import make_attempt, make_result, make_trace

GIVE = "give slingshooter08 minecraft:torch 1"
RIGHT = make_attempt(1, make_result(GIVE, reply="Gave 1 [Torch] to slingshooter08"))
WRONG = make_attempt(1, make_result("givee x", VerdictOutcome.REJECTED, reply="Unknown command"))
IN_VAIN = make_attempt(1, make_result("ride x mount y", VerdictOutcome.FAILED, because=FailedBecause.OTHER))
NOBODY = make_attempt(1, make_result("give Nobody torch", VerdictOutcome.FAILED, because=FailedBecause.NOBODY))
UNCLEAR = make_attempt(1, make_result("plugincommand", VerdictOutcome.UNCLEAR, reply="?"))
SPEAKS = make_attempt(1, make_result("say hello", reply=""))
NOTHING = Attempt(1, "{}", Answer((), "no"))
ILL_TYPED = Attempt(1, "[]", None, error="It is a list.")
PROBED = make_attempt(1, replace(make_result(GIVE, level=Level.PARSED), probed=True))


def ended(*attempts: Attempt, outcome: Outcome, reason: str = "") -> Trace:
    numbered = [replace(attempt, number=number) for number, attempt in enumerate(attempts, 1)]
    return replace(make_trace(*numbered, outcome=outcome), attempts=tuple(numbered), reason=reason)


def marked(
    trace: Trace,
    expects: Expectation | None = None,
    *,
    category: str = "edge_items",
    circumstances: Circumstances = Circumstances(),  # noqa: B008  # frozen
) -> Marked:
    return mark(Case(0, trace.prompt.text, category, Mode.SUDO, expects), trace, circumstances)


@pytest.mark.parametrize(
    ("trace", "outcome", "why"),
    [
        (ended(RIGHT, outcome=Outcome.SOLVED), Mark.OK, None),
        (ended(WRONG, RIGHT, outcome=Outcome.CORRECTED), Mark.FIXED, None),
        (ended(ILL_TYPED, RIGHT, outcome=Outcome.SOLVED), Mark.FIXED, None),
        (ended(WRONG, WRONG, outcome=Outcome.FAILED), Mark.MISS, Why.REJECTED),
        (ended(IN_VAIN, outcome=Outcome.FAILED), Mark.MISS, Why.FAILED),
        (ended(NOTHING, outcome=Outcome.REFUSED), Mark.MISS, Why.REFUSED),
        (ended(WRONG, NOTHING, outcome=Outcome.FAILED), Mark.MISS, Why.REFUSED),
        (ended(ILL_TYPED, outcome=Outcome.FAILED), Mark.MISS, Why.ILL_TYPED),
        (ended(NOBODY, outcome=Outcome.UNPROVEN), Mark.OPEN, Why.NOBODY),
        (ended(UNCLEAR, outcome=Outcome.UNPROVEN), Mark.OPEN, Why.UNCLEAR),
        (ended(SPEAKS, outcome=Outcome.SOLVED), Mark.OPEN, Why.ONLY_SPEAKS),
        (ended(PROBED, outcome=Outcome.UNPROVEN), Mark.OPEN, Why.ASKED),
        (ended(RIGHT, outcome=Outcome.ERRORED, reason="The connection was lost."), Mark.ERRORED, Why.FAULT),
        (ended(outcome=Outcome.ERRORED, reason="The connection was lost."), Mark.ERRORED, Why.FAULT),
    ],
)
def test_without_an_expectation_the_server_decides(trace: Trace, outcome: Mark, why: Why | None) -> None:
    found = marked(trace)
    assert (found.mark, found.why) == (outcome, why)


def test_a_model_that_says_nothing_misses_and_a_server_that_fails_it_does_not() -> None:
    blank = ended(Attempt(1, "", None, error="It was blank."), outcome=Outcome.ERRORED, reason="It was blank.")
    assert marked(blank, circumstances=Circumstances(said_nothing=True)) == Marked(
        Mark.MISS, Why.BLANK, "It was blank."
    )
    assert marked(blank).mark is Mark.ERRORED


def test_what_the_policy_denies_is_a_miss_and_what_it_asks_about_is_open() -> None:
    stopped = ended(replace(RIGHT, results=()), outcome=Outcome.BLOCKED, reason="`stop` is denied.")
    denied = marked(stopped, circumstances=Circumstances(was_denied=True))
    assert denied == Marked(Mark.MISS, Why.DENIED, "`stop` is denied.")
    assert marked(stopped).why is Why.ASKED


def test_a_speech_is_the_deed_among_cosmetic_effects_alone() -> None:
    speech = ended(SPEAKS, outcome=Outcome.SOLVED)
    assert marked(speech, category="cosmetic_effects").mark is Mark.OK
    assert marked(speech).mark is Mark.OPEN


def test_where_all_is_probed_what_the_parser_takes_is_right() -> None:
    assert marked(ended(PROBED, outcome=Outcome.UNPROVEN), circumstances=Circumstances(probing=True)).mark is Mark.OK
    assert (
        marked(ended(WRONG, PROBED, outcome=Outcome.UNPROVEN), circumstances=Circumstances(probing=True)).mark
        is Mark.FIXED
    )
    assert marked(ended(UNCLEAR, outcome=Outcome.UNPROVEN), circumstances=Circumstances(probing=True)).mark is Mark.OPEN


@pytest.mark.parametrize(
    ("expects", "met"),
    [
        (Expectation(commands=(GIVE,)), True),
        (Expectation(commands=("/give  slingshooter08 minecraft:torch 1 ",)), True),
        (Expectation(commands=("minecraft:give slingshooter08 minecraft:torch 1",)), True),
        (Expectation(commands=(GIVE, GIVE)), False),
        (Expectation(commands=("give slingshooter08 minecraft:torch 2",)), False),
        (Expectation(patterns=("torch", r"^Gave \d+")), True),
        (Expectation(patterns=("torch", "diamond")), False),
        (Expectation(command_patterns=("^give .*torch",)), True),
        (Expectation(command_patterns=("^Gave",)), False),
        (Expectation(reply_patterns=("^Gave",)), True),
        (Expectation(reply_patterns=("^give",)), False),
        (Expectation(refuse=True), False),
    ],
)
def test_an_expectation_decides_on_what_ran(expects: Expectation, met: bool) -> None:
    found = marked(ended(RIGHT, outcome=Outcome.SOLVED), expects)
    assert (found.mark, found.why) == ((Mark.OK, None) if met else (Mark.MISS, Why.UNMET))
    assert met or found.detail


def test_an_expectation_decides_on_what_could_not_be_shown() -> None:
    nobody, speech = ended(NOBODY, outcome=Outcome.UNPROVEN), ended(SPEAKS, outcome=Outcome.SOLVED)
    assert marked(nobody, Expectation(command_patterns=("torch",))).mark is Mark.OK
    assert marked(nobody, Expectation(command_patterns=("diamond",))).mark is Mark.MISS
    assert marked(speech, Expectation(commands=("say hello",))).mark is Mark.OK


def test_what_the_server_refused_is_a_miss_whatever_was_expected() -> None:
    assert marked(ended(WRONG, outcome=Outcome.FAILED), Expectation(commands=("givee x",))).why is Why.REJECTED


def test_a_pattern_that_does_not_end_decides_nothing() -> None:
    """Backtracking without end stops no bake-off: the case stays open, and says why."""
    endless = ended(make_attempt(1, make_result("a" * 60 + "!")), outcome=Outcome.SOLVED)
    found = marked(endless, Expectation(command_patterns=(r"^(a|aa|a?)+$",)))
    assert (found.mark, found.why) == (Mark.OPEN, Why.TOO_SLOW)


def test_a_refusal_is_right_where_one_is_wanted_and_nothing_else_is() -> None:
    wanted = Expectation(refuse=True)
    assert marked(ended(NOTHING, outcome=Outcome.REFUSED), wanted).mark is Mark.OK
    for outcome in (Outcome.SOLVED, Outcome.FAILED, Outcome.UNPROVEN, Outcome.BLOCKED):
        assert marked(ended(RIGHT, outcome=outcome), wanted).why is Why.UNMET
    assert marked(ended(outcome=Outcome.ERRORED, reason="gone"), wanted).mark is Mark.ERRORED
