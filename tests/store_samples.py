"""Traces, decisions and rows for the tests of the store."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from selfplay_core.models import (
    Answer,
    Attempt,
    CommandResult,
    Decision,
    DecisionKind,
    Level,
    Mode,
    ModelIdentity,
    Outcome,
    Prompt,
    Row,
    Trace,
    Verdict,
    VerdictOutcome,
    WorldIdentity,
    WorldKind,
)
from selfplay_core.store.database import Database, Reader
from selfplay_core.store.decisions import Standing, decide, standing
from selfplay_core.store.projection import Projection
from selfplay_core.store.rounds import PlannedPrompt, add_round
from selfplay_core.store.runs import RunRecord, RunStatus, start_run
from selfplay_core.store.traces import save_trace, trace

RUN = "run-1"
NO_ROW = "no row: "


def a_prompt(text: str, slot: int = 0, number: int = 1, category: str = "edge_items") -> Prompt:
    return Prompt(text, category, Mode.SUDO, number, slot)


def a_trace(
    trace_id: str,
    prompt: Prompt,
    outcome: Outcome = Outcome.SOLVED,
    kind: WorldKind = WorldKind.SANDBOX,
    command: str = "give @s minecraft:stone",
) -> Trace:
    result = CommandResult(command, "Gave 1 [Stone]", Verdict(VerdictOutcome.PASSED), Level.EXECUTED)
    answer = Answer((command,), "they want it")
    attempt = Attempt(1, '{"commands": []}', answer, results=(result,), seconds=0.5, output_tokens=9)
    return Trace(
        trace_id,
        prompt,
        (attempt,),
        outcome,
        Level.EXECUTED,
        "",
        "You are a server.",
        ModelIdentity("sandbox", "scripted"),
        WorldIdentity(kind, "sandbox", "1.21"),
        {"temperature": 0.7},
    )


def a_run(run_id: str = RUN) -> RunRecord:
    return RunRecord(run_id, 7, "f", 50, RunStatus.RUNNING, 1000.0, "{}")


def by(kind: DecisionKind = DecisionKind.ACCEPT, edited_prompt: str | None = None) -> Decision:
    return Decision(kind, "tester", 2000.0, edited_prompt=edited_prompt)


ACCEPT = by()
REJECT = by(DecisionKind.REJECT)


def render(trace: Trace, decision: Decision) -> Row | None:
    """A row as a pure function of what was said: the same prompt text gives the same row."""
    text = decision.edited_prompt or trace.prompt.text
    if text.startswith(NO_ROW):
        return None
    line = json.dumps({"prompt": text, "commands": [r.command for a in trace.attempts for r in a.results]})
    return Row(hashlib.sha256(line.encode()).hexdigest(), line.encode())


def begun(workspace: Path) -> Database:
    database = Database.open(workspace)
    start_run(database, a_run())
    return database


def ended(
    database: Database,
    texts: Sequence[str],
    number: int = 1,
    run_id: str = RUN,
    outcome: Outcome = Outcome.SOLVED,
) -> list[Trace]:
    """Record a round whose prompts have these texts, and their traces."""
    prompts = [a_prompt(text, slot, number) for slot, text in enumerate(texts)]
    planned = [PlannedPrompt(f"{run_id}.{number}.{prompt.slot}", prompt) for prompt in prompts]
    add_round(database, run_id, number, ["edge_items"], planned)
    traces = [a_trace(item.trace_id, item.prompt, outcome) for item in planned]
    for made in traces:
        save_trace(database, run_id, made, 1500.0)
    return traces


def decided(database: Database, trace: Trace, decision: Decision = ACCEPT) -> Standing:
    return decide(database, trace.id, decision, render(trace, decision))


def accepted(database: Database, texts: Sequence[str], number: int = 1) -> list[Trace]:
    traces = ended(database, texts, number)
    for made in traces:
        decided(database, made)
    return traces


def projection(database: Database, path: Path) -> Projection:
    return Projection(database, path, render)


def prompts_in(path: Path) -> list[str]:
    """The prompts of all lines of an output; fails on a torn one."""
    content = path.read_bytes()
    assert not content or content.endswith(b"\n")
    return [str(json.loads(line)["prompt"]) for line in content.splitlines()]


def expected_prompts(reader: Reader) -> list[str]:
    """What an output must hold, from the accepted order alone."""
    lines: dict[str, str] = {}
    for (trace_id,) in reader.rows("SELECT trace_id FROM accepted ORDER BY seq"):
        made, decision = trace(reader, trace_id), standing(reader, trace_id).decision
        assert made is not None
        assert decision is not None
        row = render(made, decision)
        if row is not None:
            lines.setdefault(row.id, decision.edited_prompt or made.prompt.text)
    return list(lines.values())


def assert_sound(reader: Reader) -> None:
    assert reader.rows("PRAGMA integrity_check") == [("ok",)]
    assert reader.rows("PRAGMA foreign_key_check") == []
    missing = reader.rows("SELECT n FROM trace EXCEPT SELECT id FROM trace_text_docsize")
    assert missing == []


def an_attempt(number: int, *results: CommandResult, hint: str | None = None) -> Attempt:
    """An attempt whose answer holds the commands of its results."""
    answer = Answer(tuple(result.command for result in results), "they want it")
    return Attempt(number, "{}", answer, results=results, seconds=0.5, output_tokens=9, hint=hint)


def a_result(
    command: str, outcome: VerdictOutcome = VerdictOutcome.PASSED, *, message: str = "", key: str | None = None
) -> CommandResult:
    level = Level.EXECUTED if outcome is VerdictOutcome.PASSED else Level.NONE
    return CommandResult(command, message, Verdict(outcome, None, key, message), level)


def asked_again(trace: Trace, command: str = "summon pig", outcome: Outcome = Outcome.CORRECTED) -> Trace:
    """The trace with one more attempt, as a person's request makes it."""
    attempt = an_attempt(len(trace.attempts) + 1, a_result(command), hint="try a pig")
    return replace(trace, attempts=(*trace.attempts, attempt), outcome=outcome)


def saved(database: Database, traces: Sequence[Trace], number: int = 1, ended_at: float = 1500.0) -> list[Trace]:
    """Record a round for traces of any content, and them; ids and places are given here."""
    placed = [
        replace(trace, id=f"{RUN}.{number}.{slot}", prompt=replace(trace.prompt, round=number, slot=slot))
        for slot, trace in enumerate(traces)
    ]
    add_round(database, RUN, number, ["edge_items"], [PlannedPrompt(trace.id, trace.prompt) for trace in placed])
    for made in placed:
        save_trace(database, RUN, made, ended_at)
    return placed
