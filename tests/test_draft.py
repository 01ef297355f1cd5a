"""Laws of edits: what is saved is what was changed, with the verdicts that prove it and no others."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from types import MappingProxyType

import orjson
import pytest

from selfplay_core.exchange.rows import render
from selfplay_core.models import Answer, Decision, DecisionKind, Level, Outcome, VerdictOutcome
from tests.samples import PAPER, make_attempt, make_result, make_trace
from tui.state.draft import Proof, made_of, start_of

NOON = make_result("time set noon")
UNRUN = replace(make_attempt(1, NOON), results=())
PROVEN = Proof((NOON,), PAPER)


def saved(
    trace_results: bool, proof: Proof | None, changes: Mapping[str, str] = MappingProxyType({}), *, accepts: bool = True
) -> Decision | None:
    """What saving gives, with the answer as it is but for changes."""
    attempt = make_attempt(1, NOON) if trace_results else UNRUN
    trace = make_trace(attempt, outcome=Outcome.SOLVED if trace_results else Outcome.UNPROVEN, level=Level.EXECUTED)
    start = start_of(trace, None)
    answer = Answer(("time set noon",), changes.get("reasoning", "Because."))
    prompt = changes.get("prompt", trace.prompt.text)
    return made_of(start, prompt, answer, proof, by="ada", at=1.0, accepts=accepts)


def test_nothing_changed_is_nothing_saved() -> None:
    """The evidence of the trace is as good as fresh evidence for the same commands."""
    assert saved(True, None) is None
    assert saved(True, PROVEN) is None


def test_verdicts_on_commands_that_were_never_run_are_an_acceptance() -> None:
    """An imported answer becomes verified as it is, and its row says so."""
    made = saved(False, PROVEN)
    assert made is not None
    assert (made.kind, made.results, made.world, made.edited) == (DecisionKind.ACCEPT, (NOON,), PAPER, None)
    row = render(make_trace(UNRUN, outcome=Outcome.UNPROVEN, level=Level.NONE), made)
    assert row is not None
    metadata = orjson.loads(row.line)["metadata"]
    assert (metadata["rcon_verified"], metadata["edited"]) == (True, False)


def test_where_a_person_may_not_accept_verdicts_alone_are_nothing() -> None:
    """A held attempt is allowed or denied, not accepted."""
    assert saved(False, PROVEN, accepts=False) is None


@pytest.mark.parametrize("changed", ["reasoning", "prompt"])
def test_other_words_keep_the_verdicts_that_the_trace_lacks(changed: str) -> None:
    """And take none where the trace has its own."""
    made = saved(False, PROVEN, {changed: "sudo other words"})
    assert made is not None
    assert (made.kind, made.results) == (DecisionKind.EDIT, (NOON,))
    own = saved(True, PROVEN, {changed: "sudo other words"})
    assert own is not None
    assert own.results == ()


@pytest.mark.parametrize(
    "proof",
    [
        None,
        Proof((make_result("time set 6000"),), PAPER),
        Proof((make_result("time set noon", VerdictOutcome.REJECTED),), PAPER),
    ],
)
def test_verdicts_that_prove_nothing_are_not_saved(proof: Proof | None) -> None:
    """Those of other commands, and refusals."""
    assert saved(False, proof) is None
