"""Laws of preference: only evidence prefers, and every refused answer is on the losing side."""

from __future__ import annotations

from dataclasses import replace

import orjson
import pytest

from selfplay_core.dataset.conversation import answer_text
from selfplay_core.dataset.preferences import NEAR_PAIR, Origin, labels, pairs
from selfplay_core.models import (
    Answer,
    Attempt,
    Decision,
    DecisionKind,
    FailedBecause,
    Level,
    Mode,
    Outcome,
    Trace,
    VerdictOutcome,
)
from tests.golden_cases import WRONG, corrected, refused
from tests.samples import ACCEPT, PAPER, make_attempt, make_result, make_trace

NOON = make_result("time set noon")
EDIT = Decision(DecisionKind.EDIT, by="ada", at=1.0, edited=Answer(("time set noon",), "Noon."))


def test_a_correction_gives_a_pair_for_each_refused_attempt() -> None:
    """The answer that passed is chosen over every one that was refused."""
    third = make_attempt(3, NOON, reasoning="At last.")
    trace = make_trace(refused(1), refused(2), third, outcome=Outcome.CORRECTED)
    found = pairs(trace, ACCEPT)
    assert [(pair.origin, pair.attempt) for pair in found] == [(Origin.RETRY, 1), (Origin.RETRY, 2)]
    assert all(orjson.loads(pair.chosen)["reasoning"] == "At last." for pair in found)
    assert all(WRONG in pair.rejected for pair in found)
    assert all(pair.verified for pair in found)


@pytest.mark.parametrize("kind", [DecisionKind.REJECT, DecisionKind.SKIP, None])
def test_nothing_is_chosen_that_nobody_accepted(kind: DecisionKind | None) -> None:
    """What the server took is no preference of anybody."""
    decision = None if kind is None else Decision(kind, by="ada", at=1.0, reason="wrong")
    assert pairs(corrected(), decision) == []
    assert not any(label.wanted for label in labels(corrected(), decision))


def test_an_edit_gives_exactly_one_pair_of_its_own() -> None:
    """The model's answer loses against the person's."""
    (pair,) = pairs(make_trace(), EDIT)
    assert pair.origin is Origin.EDIT
    assert orjson.loads(pair.chosen)["commands"] == ["time set noon"]
    assert "torch" in pair.rejected
    assert not pair.verified
    (fresh,) = pairs(make_trace(), replace(EDIT, results=(NOON,), world=PAPER))
    assert fresh.verified


def test_an_edit_that_the_server_refused_is_preferred_to_nothing() -> None:
    """A person may accept it; no trainer learns to like it."""
    said_no = make_result("time set noon", VerdictOutcome.REJECTED, reply="Unknown")
    edit = replace(EDIT, results=(said_no,), world=PAPER)
    assert pairs(make_trace(), edit) == []
    assert pairs(corrected(), edit) == []
    assert labelled(make_trace(), edit) == []


def test_an_edited_prompt_alone_prefers_nothing() -> None:
    """Both sides would be the same."""
    assert pairs(make_trace(), replace(EDIT, edited=None, edited_prompt="sudo noon")) == []


def test_an_edited_correction_has_both_kinds() -> None:
    """The person's answer is chosen over the model's last one and over what the server refused."""
    assert [pair.origin for pair in pairs(corrected(), EDIT)] == [Origin.EDIT, Origin.RETRY]


def test_what_stood_and_was_asked_again_is_no_loser() -> None:
    """A person's wish for another answer refutes nothing."""
    again = replace(make_attempt(2, NOON), hint="Something else.")
    trace = make_trace(make_attempt(1, make_result("time set 6000")), again)
    assert pairs(trace, ACCEPT) == []
    assert [(label.attempt, label.wanted) for label in labels(trace, ACCEPT)] == [(2, True)]


def test_the_distance_counts_what_differs() -> None:
    """A changed word counts 1; a pair that differs in little is marked."""
    before = make_trace(make_attempt(1, make_result("give slingshooter08 minecraft:torch 1"), reasoning="A torch."))
    edited = replace(EDIT, edited=Answer(("give slingshooter08 minecraft:torch 2",), "A torch."))
    (pair,) = pairs(before, edited)
    assert pair.distance == 1
    assert pair.share < NEAR_PAIR
    assert pair.is_near
    (far,) = pairs(before, EDIT)
    assert not far.is_near


def labelled(trace: Trace, decision: Decision | None) -> list[tuple[int, bool, str]]:
    return [(label.attempt, label.wanted, label.why) for label in labels(trace, decision)]


def test_every_attempt_is_labelled_by_its_evidence() -> None:
    """Refusals by the server, replies that were no answer, and what was accepted."""
    nothing = Attempt(2, "no json", None, error="it is no JSON")
    trace = make_trace(refused(1), nothing, make_attempt(3, NOON), outcome=Outcome.CORRECTED)
    assert labelled(trace, ACCEPT) == [(1, False, "refused_by_server"), (2, False, "no_answer"), (3, True, "accepted")]
    assert labelled(trace, None) == [(1, False, "refused_by_server"), (2, False, "no_answer")]


@pytest.mark.parametrize(
    ("reason", "expected"),
    [
        ("wrong", [(1, False, "rejected_wrong")]),
        ("unsafe", [(1, False, "rejected_unsafe")]),
        ("duplicate", []),
        ("", []),
    ],
)
def test_only_a_reason_against_the_answer_condemns_it(reason: str, expected: list[tuple[int, bool, str]]) -> None:
    """A duplicate or a matter of style is no bad answer."""
    assert labelled(make_trace(), Decision(DecisionKind.REJECT, by="ada", at=1.0, reason=reason)) == expected


def test_an_edit_makes_the_answer_unwanted_and_the_edit_wanted() -> None:
    """0 is the person's own answer."""
    assert labelled(make_trace(), EDIT) == [(0, True, "edited"), (1, False, "edited_away")]


@pytest.mark.parametrize("because", [FailedBecause.NOBODY, FailedBecause.NOT_LOADED, FailedBecause.NEEDS_PLAYER])
def test_circumstances_condemn_nothing(because: FailedBecause) -> None:
    """That nobody was there is not the answer's fault."""
    result = make_result("kill @e[type=cow]", VerdictOutcome.FAILED, because=because)
    trace = make_trace(make_attempt(1, result), outcome=Outcome.UNPROVEN, level=Level.PARSED)
    assert labelled(trace, None) == []


def test_a_fault_is_nobodys_answer() -> None:
    """The reply of an errored trace that never came to be is not held against the model."""
    trace = make_trace(Attempt(1, "", None, error="cut"), outcome=Outcome.ERRORED, level=Level.NONE)
    assert labelled(trace, None) == []


def test_answers_read_as_the_system_prompt_asks_for_them() -> None:
    """Keys in its order, blanks as models write them, nothing escaped."""
    answer = Answer(("say \u00fc",), "Why.", "Hark.")
    assert answer_text(answer, Mode.GOD) == '{"message": "Hark.", "commands": ["say \u00fc"], "reasoning": "Why."}'
    assert answer_text(answer, Mode.SUDO) == '{"commands": ["say \u00fc"], "reasoning": "Why."}'


def test_an_answer_that_was_refused_is_never_chosen() -> None:
    """Not even if somebody accepted it: over what should it be better?"""
    failed = make_trace(refused(1), refused(2), outcome=Outcome.FAILED, level=Level.NONE)
    assert pairs(failed, ACCEPT) == []
    assert pairs(failed, replace(EDIT, edited=None, edited_prompt="sudo other")) == []
    assert not any(label.wanted for label in labels(failed, ACCEPT))


def test_an_answer_that_was_never_let_through_is_neither_chosen_nor_wanted() -> None:
    """The policy stopped it, so no server has taken it."""
    blocked = replace(make_attempt(2, make_result("op Steve")), results=())
    trace = make_trace(refused(1), blocked, outcome=Outcome.BLOCKED, level=Level.NONE)
    assert pairs(trace, ACCEPT) == []
    assert not any(label.wanted for label in labels(trace, ACCEPT))


def test_the_same_commands_are_never_on_both_sides() -> None:
    """What was refused and passed later, and words alone that were edited, refute nothing."""
    later = make_trace(refused(1), make_attempt(2, make_result(WRONG)), outcome=Outcome.CORRECTED)
    assert pairs(later, ACCEPT) == []
    assert labelled(later, ACCEPT) == [(2, True, "accepted")]
    words = replace(EDIT, edited=Answer(("give slingshooter08 torch",), "Better words."))
    assert labelled(make_trace(), words) == [(0, True, "edited")]
