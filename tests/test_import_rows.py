"""Laws of rows that come back: nothing is invented, the sandbox stays the sandbox, a person's answer is no model's."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import orjson
import pytest

from selfplay_core.dataset.cases import LeftOut
from selfplay_core.exchange.formats import FORMATS
from selfplay_core.exchange.original import NotARow, id_of_row, read_row
from selfplay_core.exchange.rows import render
from selfplay_core.models import (
    SANDBOX_NAME,
    Answer,
    Attempt,
    Level,
    ModelIdentity,
    Outcome,
    Trace,
    VerdictOutcome,
    WorldKind,
)
from tests.golden_cases import CASES, corrected, refused
from tests.samples import ACCEPT, make_attempt, make_result, make_trace
from tests.test_import import old_correction, old_standard

CALLED_AS_TEXT = '<tool_call>\n{"name": "rcon.execute", "arguments": {"command": "op me"}}\n</tool_call>'


def row_of(trace: Trace) -> dict[str, Any]:
    row = render(trace, ACCEPT)
    assert row is not None
    body: dict[str, Any] = orjson.loads(row.line)
    return body


def reread(body: dict[str, Any]) -> Trace:
    return read_row(orjson.dumps(body), 1)[0]


def by_verifier(body: dict[str, Any]) -> None:
    body["metadata"]["verifier"] = "sandbox"


def by_brand(body: dict[str, Any]) -> None:
    body["metadata"]["server"]["brand"] = SANDBOX_NAME


def by_model(body: dict[str, Any]) -> None:
    body["metadata"]["model"]["name"] = SANDBOX_NAME


def by_model_edited(body: dict[str, Any]) -> None:
    by_model(body)
    body["metadata"]["edited"] = True


@pytest.mark.parametrize("says", [by_verifier, by_brand, by_model, by_model_edited])
@pytest.mark.parametrize("trace", [make_trace(), corrected()])
def test_a_row_of_the_sandbox_stays_one(says: Callable[[dict[str, Any]], None], trace: Trace) -> None:
    """Whether or not its id fits: it only claims less."""
    body = row_of(trace)
    says(body)
    found = reread(body)
    assert (found.world.kind, found.workspace_kind) == (WorldKind.SANDBOX, WorldKind.SANDBOX)


def test_a_changed_correction_of_ours_is_read_as_ours() -> None:
    """Its calls are JSON: quotes do not come back escaped, and what it claims is not believed."""
    body = row_of(corrected())
    body["metadata"]["difficulty"] = "hard"
    found = reread(body)
    for before, after in zip(corrected().attempts, found.attempts, strict=True):
        assert before.answer is not None
        assert after.answer is not None
        assert after.answer.commands == before.answer.commands
    assert found.level is Level.NONE


def test_a_call_that_was_mere_text_is_no_attempt() -> None:
    """A model wrote it as text, and was told that this is no answer: no command was tried, no hint was given."""
    text = Attempt(2, CALLED_AS_TEXT, None, error="This is no JSON object.")
    trace = make_trace(refused(1), text, make_attempt(3, make_result("list")), outcome=Outcome.CORRECTED)
    body = row_of(trace)
    for changed in (False, True):
        body["metadata"]["difficulty"] = "easy" if changed else body["metadata"]["difficulty"]
        second = reread(body).attempts[1]
        assert (second.answer, second.raw, second.error) == (None, CALLED_AS_TEXT, "This is no JSON object.")
        assert all(attempt.hint is None for attempt in reread(body).attempts)


def test_hints_and_what_ran_nothing_come_back() -> None:
    """Behind results, and behind an answer of which nothing was run."""
    idle = replace(make_attempt(1, make_result("stop")), results=())
    second = replace(refused(2), hint="Do not stop it.")
    last = replace(make_attempt(3, make_result("list")), hint="Look.")
    trace = make_trace(idle, second, last, outcome=Outcome.CORRECTED)
    found = reread(row_of(trace))
    assert [attempt.hint for attempt in found.attempts] == [None, "Do not stop it.", "Look."]
    assert found.attempts[0].answer == Answer(("stop",), "")
    assert row_of(found)["messages"] == row_of(trace)["messages"]


def test_an_empty_error_is_a_turn_like_others() -> None:
    """The turn behind the reply that it was about belongs to it."""
    silent = Attempt(1, "?", None, error="")
    trace = make_trace(silent, refused(2), make_attempt(3, make_result("list")), outcome=Outcome.CORRECTED)
    assert len(reread(row_of(trace)).attempts) == 3


def test_a_final_answer_that_was_changed_does_not_borrow_the_results() -> None:
    """Its commands are not those that ran."""
    body = row_of(corrected())
    body["messages"][-1]["content"] = '{"commands": ["op me"], "reasoning": "Self-corrected: so"}'
    with pytest.raises(NotARow, match="belong together"):
        reread(body)


@pytest.mark.parametrize("source", ["human", "", "self_play\n"])
def test_rows_of_other_sources_are_none_of_ours(source: str) -> None:
    """Only what played with itself is."""
    body = orjson.loads(old_standard())
    body["source"] = source
    with pytest.raises(NotARow, match="its source is"):
        reread(body)


def test_an_edited_row_names_no_model() -> None:
    """The answer was a person's, or the prompt was: which, the row does not say."""
    body = row_of(make_trace())
    body["metadata"]["edited"] = True
    model = reread(body).model
    assert model == ModelIdentity("imported", "a person (edited)")
    (edited,) = [case for case in CASES if case.number == 7]
    assert edited.decision is not None
    row = render(edited.trace, edited.decision)
    assert row is not None
    trace, row_id = read_row(row.line, 1)
    assert row_id == row.id
    assert trace.model == model


def test_a_row_has_one_id_as_a_trace() -> None:
    """By which it is known when the trace that gave it comes."""
    row = render(make_trace(), ACCEPT)
    assert row is not None
    assert read_row(row.line, 1)[0].id == id_of_row(row.line)


@pytest.mark.parametrize("name", [name for name in FORMATS if name not in ("seed", "native")])
def test_of_other_formats_it_is_told_that_they_do_not_come_back(name: str) -> None:
    """By name of those that do."""
    made = [FORMATS[name].lines(case) for case in CASES]
    lines = [line for found in made if not isinstance(found, LeftOut) for line in found]
    assert lines
    for line in lines:
        with pytest.raises(NotARow, match="only `seed` and `native`"):
            read_row(line.data, 1)


def test_the_originals_rows_are_read_as_before() -> None:
    """They name neither verifier nor rendering: their calls are no JSON."""
    trace, _ = read_row(old_correction([], [('say "hi"', "")]), 1)
    assert trace.attempts[0].results[0].command == 'say "hi"'
    assert trace.attempts[0].results[0].verdict.outcome is not VerdictOutcome.REJECTED
