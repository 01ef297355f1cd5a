"""The original's two row types: its keys, and none of its defects."""

from __future__ import annotations

import re
from dataclasses import replace
from typing import Any

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from selfplay_core.dataset.seed import seed_row
from selfplay_core.models import (
    Answer,
    Attempt,
    CommandResult,
    Decision,
    DecisionKind,
    FailedBecause,
    Level,
    Outcome,
    Trace,
    Verdict,
    VerdictOutcome,
    WorldIdentity,
    WorldKind,
)
from tests.samples import ACCEPT, AUTO_ACCEPT, PAPER, make_attempt, make_result, make_trace

NASTY = 'tellraw @a {"text":"say \\"hi\\"","color":"red"}'
SANDBOX = WorldIdentity(WorldKind.SANDBOX, "selfplay-sandbox", "1.21.11")


def row_of(trace: Trace, decision: Decision = AUTO_ACCEPT) -> dict[str, Any]:
    row = seed_row(trace, decision, risk_of=risk_of)
    assert row is not None
    body: dict[str, Any] = orjson.loads(row.line)
    assert body["id"] == row.id
    return body


def risk_of(command: str) -> int:
    return 5 if command.startswith("op") else 3 if command.startswith("fill") else 2


def corrected(*attempts: Attempt) -> Trace:
    return make_trace(*attempts, outcome=Outcome.CORRECTED)


def two_attempts() -> Trace:
    return corrected(
        make_attempt(1, make_result("give a"), make_result(NASTY, VerdictOutcome.REJECTED, reply="Bad\n<--[HERE]")),
        make_attempt(2, make_result("give a"), make_result(NASTY)),
    )


def test_a_first_try_row_has_the_originals_keys() -> None:
    """Consumers of the original read the same keys; everything new stands in metadata."""
    body = row_of(make_trace())
    assert set(body) == {"id", "source", "category", "input", "output", "metadata"}
    assert set(body["input"]) == {"user_message", "server_context"}
    assert set(body["output"]) == {"reasoning", "commands", "safety_flags"}
    assert {"difficulty", "validated", "risk_level", "rcon_verified", "self_play"} <= set(body["metadata"])
    assert body["metadata"]["generation_category"] == "edge_items"
    assert body["metadata"]["system_prompt"] == "You are the console."


def test_the_god_speaks_in_god_rows_alone() -> None:
    """`message` is a key of the output in god mode and in no other."""
    attempt = make_attempt(1, make_result("give a"), message="So be it.")
    assert row_of(make_trace(attempt, text="pray for a torch"))["output"]["message"] == "So be it."
    assert "message" not in row_of(make_trace(attempt))["output"]


def test_a_correction_keeps_every_attempt_as_it_was() -> None:
    """One assistant turn an attempt with all its calls, one tool turn a call, then the final answer."""
    first = make_attempt(1, make_result("bad one", VerdictOutcome.REJECTED))
    second = make_attempt(2, make_result("bad two", VerdictOutcome.REJECTED))
    third = make_attempt(3, make_result("give a"), make_result("give b"))
    messages = row_of(corrected(first, second, third))["messages"]
    roles = [message["role"] for message in messages]
    assert roles == [
        "system",
        "user",
        "assistant",
        "tool",
        "assistant",
        "tool",
        "assistant",
        "tool",
        "tool",
        "assistant",
    ]
    assert [message.get("train") for message in messages if message["role"] == "assistant"] == [
        False,
        False,
        True,
        True,
    ]
    assert messages[6]["content"].count("<tool_call>") == 2


def test_tool_calls_are_valid_json_whatever_the_command_holds() -> None:
    """Quotes and backslashes in a command come back out unchanged."""
    messages = row_of(two_attempts())["messages"]
    calls = re.findall(r"<tool_call>\n(.*?)\n</tool_call>", messages[2]["content"])
    assert [orjson.loads(call)["arguments"]["command"] for call in calls] == ["give a", NASTY]
    assert [orjson.loads(message["content"])["success"] for message in messages[3:5]] == [True, False]


def test_an_ill_typed_attempt_stays_what_it_was() -> None:
    """The model's own text and what it was told of it, not trained."""
    broken = Attempt(1, raw="not JSON", answer=None, error="Reply with one JSON object.")
    refused = make_attempt(2, make_result("bad", VerdictOutcome.REJECTED))
    messages = row_of(corrected(broken, refused, make_attempt(3, make_result("give a"))))["messages"]
    assert messages[2] == {"role": "assistant", "content": "not JSON", "train": False}
    assert messages[3] == {"role": "user", "content": "Reply with one JSON object."}


@pytest.mark.parametrize(
    ("world", "level", "verified", "verifier"),
    [
        (None, Level.EXECUTED, True, "rcon"),
        (None, Level.PARSED, False, "rcon"),
        (SANDBOX, Level.EXECUTED, False, "sandbox"),
    ],
)
def test_verified_means_executed_on_a_real_server(
    world: WorldIdentity | None, level: Level, verified: bool, verifier: str
) -> None:
    """Neither the sandbox nor a mere parse may claim it."""
    trace = replace(make_trace(), level=level)
    metadata = row_of(replace(trace, world=world) if world else trace)["metadata"]
    assert (metadata["rcon_verified"], metadata["verifier"]) == (verified, verifier)


def test_validated_means_that_a_person_accepted() -> None:
    """Automatic acceptance validates nothing."""
    assert row_of(make_trace(), ACCEPT)["metadata"]["validated"] is True
    assert row_of(make_trace(), AUTO_ACCEPT)["metadata"]["validated"] is False


def edit_of(
    commands: tuple[str, ...] = ("give b",),
    *results: CommandResult,
    world: WorldIdentity | None = PAPER,
    prompt: str | None = None,
) -> Decision:
    edited = Answer(commands, "Better.")
    return Decision(
        DecisionKind.EDIT, "operator", 3.0, edited=edited, edited_prompt=prompt, results=results, world=world
    )


def claims(body: dict[str, Any]) -> tuple[Any, ...]:
    metadata = body["metadata"]
    return metadata["rcon_verified"], metadata["level"], len(metadata["results"])


def test_an_edited_answer_claims_no_verification() -> None:
    """What a person wrote was not shown by the model's evidence."""
    edit = Decision(DecisionKind.EDIT, by="operator", at=3.0, edited=Answer(("give b",), "Better."))
    metadata = row_of(make_trace(), edit)["metadata"]
    assert (metadata["rcon_verified"], metadata["level"], metadata["results"]) == (False, "none", [])
    assert row_of(two_attempts(), edit)["output"]["commands"] == ["give b"]


def test_an_edit_that_was_run_claims_what_it_showed() -> None:
    """Fresh verdicts on exactly the edited commands verify them, by the world that gave them."""
    world = WorldIdentity(WorldKind.REAL, "Purpur", "1.21.8")
    trace = replace(make_trace(world=SANDBOX), level=Level.NONE)
    body = row_of(trace, edit_of(("give b",), make_result("give b"), world=world))
    assert claims(body) == (True, "executed", 1)
    assert (body["metadata"]["verifier"], body["metadata"]["server"]["brand"]) == ("rcon", "Purpur")
    body = row_of(make_trace(), edit_of(("give b",), make_result("give b"), world=SANDBOX))
    assert claims(body) == (False, "executed", 1)
    assert body["metadata"]["verifier"] == "sandbox"


@pytest.mark.parametrize(
    ("results", "expected"),
    [
        ((), (False, "none", 0)),
        ((make_result("give a"),), (False, "none", 0)),
        ((make_result("give b"), make_result("give b")), (False, "none", 0)),
        ((make_result("give b", VerdictOutcome.UNCLEAR, level=Level.EXECUTED),), (False, "executed", 1)),
        ((make_result("give b", VerdictOutcome.REJECTED, level=Level.EXECUTED),), (False, "none", 1)),
        ((replace(make_result("give b"), probed=True),), (False, "parsed", 1)),
        (
            (make_result("give b", VerdictOutcome.FAILED, because=FailedBecause.OTHER, level=Level.EXECUTED),),
            (False, "executed", 1),
        ),
        (
            (
                make_result(
                    "give b", VerdictOutcome.FAILED, because=FailedBecause.NOTHING_CHANGED, level=Level.EXECUTED
                ),
            ),
            (True, "executed", 1),
        ),
    ],
)
def test_verdicts_of_an_edit_prove_no_more_than_they_say(
    results: tuple[CommandResult, ...], expected: tuple[Any, ...]
) -> None:
    """Missing, foreign, unclear, refused or probed results verify nothing; nothing changed does."""
    assert claims(row_of(make_trace(), edit_of(("give b",), *results))) == expected


@pytest.mark.parametrize(
    ("results", "outcome"),
    [
        ((), "unproven"),
        ((make_result("give b"),), "solved"),
        ((make_result("give b", VerdictOutcome.REJECTED),), "failed"),
        ((make_result("give b", VerdictOutcome.UNCLEAR),), "unproven"),
        ((replace(make_result("give b"), probed=True),), "unproven"),
    ],
)
def test_how_edited_commands_ended_is_what_was_shown_of_them(results: tuple[CommandResult, ...], outcome: str) -> None:
    """That the model's own were solved says nothing of them."""
    assert row_of(make_trace(), edit_of(("give b",), *results))["metadata"]["outcome"] == outcome


def test_an_edit_of_words_keeps_the_evidence() -> None:
    """With the model's own commands the trace's evidence speaks, weighed anew, whatever else was changed."""
    trace = make_trace(make_attempt(1, make_result("give a")))
    body = row_of(trace, edit_of(("give a",), prompt="sudo torch please"))
    assert claims(body) == (True, "executed", 1)
    assert body["input"]["user_message"] == "sudo torch please"
    assert body["output"]["reasoning"] == "Better."
    assert body["metadata"]["edited"] is True
    unclear = make_trace(make_attempt(1, make_result("give a", VerdictOutcome.UNCLEAR, level=Level.EXECUTED)))
    prompt_alone = Decision(DecisionKind.EDIT, by="operator", at=3.0, edited_prompt="sudo torch please")
    assert claims(row_of(unclear, prompt_alone)) == (False, "executed", 1)
    assert claims(row_of(make_trace(world=SANDBOX), prompt_alone)) == (False, "executed", 1)


def test_an_edited_correction_stays_one_with_its_commands() -> None:
    """Other words leave the conversation and its end; other commands were never corrected to, and stand alone."""
    body = row_of(two_attempts(), edit_of(("give a", NASTY), prompt="sudo do it"))
    assert body["type"] == "error_correction"
    assert body["messages"][1]["content"] == "sudo do it"
    assert orjson.loads(body["messages"][-1]["content"])["reasoning"] == "Self-corrected: Better."
    assert claims(body) == (True, "executed", 2)
    assert "type" not in row_of(two_attempts(), edit_of(("give a",)))


def test_a_hint_is_a_turn_of_its_own() -> None:
    """What a person told the model stands before the attempt it brought, and never makes two user turns in a row."""
    first = make_attempt(1, make_result("bad one", VerdictOutcome.REJECTED))
    broken = Attempt(2, raw="not JSON", answer=None, error="Reply with one JSON object.", hint="use give")
    asked = replace(make_attempt(3, make_result("give a")), hint="simply")
    messages = row_of(corrected(first, broken, asked))["messages"]
    assert [message["role"] for message in messages[2:]] == [
        *("assistant", "tool", "user"),
        *("assistant", "user"),
        *("assistant", "tool", "assistant"),
    ]
    assert messages[4]["content"] == "use give"
    assert messages[6]["content"] == "Reply with one JSON object.\n\nsimply"
    unhinted = replace(asked, hint="")
    assert len(row_of(corrected(first, unhinted))["messages"]) == len(row_of(corrected(first, asked))["messages"]) - 1


ANY_RESULT = st.builds(
    CommandResult,
    command=st.sampled_from(("a", "b")),
    reply=st.just("Done."),
    verdict=st.builds(
        Verdict, st.sampled_from(VerdictOutcome), because=st.one_of(st.none(), st.sampled_from(FailedBecause))
    ),
    level=st.sampled_from(Level),
    probed=st.booleans(),
)
SOME_RESULTS = st.lists(ANY_RESULT, max_size=2).map(tuple)
SOME_COMMANDS = st.lists(st.sampled_from(("a", "b")), max_size=2).map(tuple)
SOME_WORLD = st.sampled_from((PAPER, SANDBOX))


def proves(result: CommandResult) -> bool:
    verdict = result.verdict
    good = verdict.outcome is VerdictOutcome.PASSED or (
        verdict.outcome is VerdictOutcome.FAILED and verdict.because is FailedBecause.NOTHING_CHANGED
    )
    return good and not result.probed and result.level is Level.EXECUTED


@given(
    own=SOME_COMMANDS,
    shown=SOME_RESULTS,
    edited=st.one_of(st.none(), SOME_COMMANDS),
    results=SOME_RESULTS,
    worlds=st.tuples(SOME_WORLD, st.one_of(st.none(), SOME_WORLD)),
    outcome=st.sampled_from(Outcome),
    level=st.sampled_from(Level),
)
def test_no_edited_row_claims_what_its_evidence_does_not_say(
    own: tuple[str, ...],
    shown: tuple[CommandResult, ...],
    edited: tuple[str, ...] | None,
    results: tuple[CommandResult, ...],
    worlds: tuple[WorldIdentity, WorldIdentity | None],
    outcome: Outcome,
    level: Level,
) -> None:
    """Verified are exactly the rows each of whose commands a real server was shown to have carried out.

    Fresh verdicts on exactly the commands that stand speak first, then those of the model's own.
    """
    attempt = Attempt(1, "{}", Answer(own, "Because."), results=shown)
    trace = make_trace(attempt, outcome=outcome, level=level, world=worlds[0])
    answer = None if edited is None else Answer(edited, "Better.")
    decision = Decision(DecisionKind.EDIT, "operator", 3.0, "", answer, "other words", results, worlds[1])
    body = row_of(trace, decision)
    commands = own if edited is None else edited
    is_fresh = worlds[1] is not None and bool(results) and tuple(result.command for result in results) == commands
    own_evidence = (shown, worlds[0]) if commands == own else ((), None)
    evidence, world = (results, worlds[1]) if is_fresh else own_evidence
    covered = bool(commands) and tuple(result.command for result in evidence) == commands
    verified = covered and all(map(proves, evidence)) and world is PAPER
    metadata = body["metadata"]
    assert metadata["rcon_verified"] is verified
    assert not covered or Level(metadata["level"]).rank <= min(result.level.rank for result in evidence)
    assert covered or metadata["level"] == "none"


def test_risk_and_difficulty_are_no_constants() -> None:
    """The riskiest command of the row, also of one that a person wrote or that was never sent; the attempts."""
    risky = make_attempt(1, make_result("give a"), make_result("fill b"))
    assert row_of(make_trace(risky))["metadata"]["risk_level"] == 3
    edit = Decision(DecisionKind.EDIT, by="operator", at=3.0, edited=Answer(("op @a",), "Why not."))
    assert row_of(make_trace(risky), edit)["metadata"]["risk_level"] == 5
    unsent = Attempt(1, raw="{}", answer=Answer(("op @a",), "Why not."))
    assert row_of(make_trace(unsent, outcome=Outcome.BLOCKED), ACCEPT)["metadata"]["risk_level"] == 5
    assert row_of(make_trace())["metadata"]["difficulty"] == "easy"
    assert row_of(two_attempts())["metadata"]["difficulty"] == "medium"


@pytest.mark.parametrize("kind", [DecisionKind.REJECT, DecisionKind.SKIP])
def test_what_is_not_accepted_gives_no_row(kind: DecisionKind) -> None:
    """Only accept and edit write."""
    assert seed_row(make_trace(), Decision(kind, by="operator", at=1.0), risk_of=risk_of) is None


def test_a_trace_without_an_answer_gives_no_row() -> None:
    """There is nothing to claim."""
    assert seed_row(make_trace(Attempt(1, raw="", answer=None, error="blank")), ACCEPT, risk_of=risk_of) is None


@given(st.text(), st.floats(allow_nan=False), st.text(min_size=1))
def test_a_row_is_a_function_of_its_content(reply: str, when: float, trace_id: str) -> None:
    """Times and ids of traces leave no mark; what the server said does."""
    trace = make_trace(make_attempt(1, make_result("give a", reply=reply)))
    same = seed_row(replace(trace, id=trace_id), replace(AUTO_ACCEPT, at=when), risk_of=risk_of)
    assert same == seed_row(trace, AUTO_ACCEPT, risk_of=risk_of)
    other = make_trace(make_attempt(1, make_result("give a", reply=reply + "!")))
    assert seed_row(other, AUTO_ACCEPT, risk_of=risk_of) != same


@given(st.text(alphabet=st.characters(exclude_categories=["Cs"])))
def test_a_row_is_one_line_of_json(command: str) -> None:
    """No content breaks the line or the JSON."""
    row = seed_row(make_trace(make_attempt(1, make_result(command))), AUTO_ACCEPT, risk_of=risk_of)
    assert row is not None
    assert b"\n" not in row.line
    assert orjson.loads(row.line)["output"]["commands"] == [command]
