"""The counts of a run follow from its events."""

from __future__ import annotations

from dataclasses import replace

from selfplay_core.events import Decided, PromptsFailed, RunEnded, TraceEnded
from selfplay_core.models import Outcome
from tests.samples import AUTO_ACCEPT, make_attempt, make_result, make_trace
from tui.commands.summary import Summary


def ended(trace_id: str, outcome: Outcome, attempts: int = 1) -> TraceEnded:
    tries = [make_attempt(number, make_result("give a")) for number in range(1, attempts + 1)]
    return TraceEnded(replace(make_trace(*tries, outcome=outcome), id=trace_id))


def summary_of(*events: TraceEnded | Decided | PromptsFailed | RunEnded) -> Summary:
    summary = Summary()
    for event in events:
        summary.apply(event)
    return summary


def test_a_fault_counts_against_no_category() -> None:
    """Five right at once and five errored are a rate of 100 %."""
    events = [ended(f"s{n}", Outcome.SOLVED) for n in range(5)] + [ended(f"e{n}", Outcome.ERRORED) for n in range(5)]
    lines = list(summary_of(*events).table("out.jsonl", 1.0))
    assert next(line for line in lines if line.startswith("edge_items")).endswith("100%")


def test_right_at_the_second_answer_is_no_first_try() -> None:
    """Also where the first was merely no answer."""
    summary = summary_of(ended("a", Outcome.SOLVED), ended("b", Outcome.SOLVED, attempts=2))
    assert summary.as_json("out.jsonl", 1.0)["first_try"] == 1
    assert any("1 solved after an answer that was none" in line for line in summary.table("out.jsonl", 1.0))


def test_what_waits_for_a_person_is_what_this_run_left_undecided() -> None:
    """A decision on an earlier run's trace takes nothing from it."""
    summary = summary_of(
        Decided("of an earlier run", AUTO_ACCEPT, None),
        ended("a", Outcome.SOLVED),
        ended("b", Outcome.UNPROVEN),
        ended("c", Outcome.FAILED),
        Decided("a", AUTO_ACCEPT, None),
    )
    assert summary.left_for_a_person == 1


def test_a_run_of_nothing_but_faults_has_failed() -> None:
    """Whatever the run itself says."""
    done = RunEnded("done", "")
    assert summary_of(ended("a", Outcome.ERRORED), done).status == "failed"
    assert summary_of(PromptsFailed(0, "worldedit", 5, "away"), done).status == "failed"
    assert summary_of(ended("a", Outcome.ERRORED), ended("b", Outcome.FAILED), done).status == "done"
