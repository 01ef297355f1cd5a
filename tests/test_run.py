"""Whole runs against somebody else's servers on real sockets."""

from __future__ import annotations

import hashlib
from pathlib import Path
from typing import Any

import pytest

from selfplay_core.errors import ModelNotFound, ModelUnreachable, UsageError, WorkspaceError
from selfplay_core.events import PromptsFailed, PromptsWritten, RoundStarted, TraceEnded
from selfplay_core.models import CATEGORY_NAMES
from tests.servers.ollama import fail, say
from tests.worlds import ACCEPTED, OUTCOMES, Playground, play, playground, prompts_of, rows_in


def jitter(body: dict[str, Any]) -> float:
    """A latency that differs from request to request, always in the same way."""
    digest = hashlib.sha256(repr(body["messages"]).encode()).digest()
    return digest[0] / 255 * 0.03


async def test_every_prompt_ends_as_the_replies_imply(tmp_path: Path) -> None:
    """Two rounds of three categories: each trace has its word's outcome, and the verified ones are rows."""
    async with playground(tmp_path) as ground:
        ran = await play(ground.job(run__concurrency=4))
    assert ran.ended.status == "done"
    assert len(ran.traces) == 2 * 3 * 5
    for trace in ran.traces:
        assert trace.outcome == OUTCOMES[trace.prompt.text.split()[-1]], trace.prompt.text
    expected = {trace.prompt.text for trace in ran.traces if trace.prompt.text.split()[-1] in ACCEPTED}
    assert set(prompts_of(tmp_path / "out.jsonl")) == expected
    assert all(row["metadata"]["rcon_verified"] for row in rows_in(tmp_path / "out.jsonl"))


async def test_the_same_seed_gives_the_same_file_at_any_concurrency(tmp_path: Path) -> None:
    """Whatever is solved first, the rows stand in the order of the prompts, byte for byte."""
    files = []
    async with playground(tmp_path) as ground:
        ground.slow = jitter
        for slots in (1, 3, 16):
            await play(ground.job(workspace=f"w{slots}", output=f"{slots}.jsonl", run__concurrency=slots))
            files.append((tmp_path / f"{slots}.jsonl").read_bytes())
    assert files[0]
    assert files[0] == files[1] == files[2]


async def test_another_seed_asks_other_questions(tmp_path: Path) -> None:
    """The seed is not decoration."""
    async with playground(tmp_path) as ground:
        await play(ground.job(workspace="a", output="a.jsonl", run__seed=1))
        await play(ground.job(workspace="b", output="b.jsonl", run__seed=2))
    assert prompts_of(tmp_path / "a.jsonl") != prompts_of(tmp_path / "b.jsonl")


async def test_given_prompts_replace_the_writer(tmp_path: Path) -> None:
    """They are asked in their order, all of them, and the model writes none."""
    given = [f"sudo {number} torch" for number in range(22)]
    async with playground(tmp_path) as ground:
        ran = await play(ground.job(given=given))
        assert all("commands" in body["format"]["properties"] for body in ground.model.chats)
    assert [trace.prompt.text for trace in ran.traces] == given
    assert prompts_of(tmp_path / "out.jsonl") == given


async def test_focus_asks_for_one_category_alone(tmp_path: Path) -> None:
    """Five prompts a round, all of it."""
    async with playground(tmp_path) as ground:
        ran = await play(ground.job(run__focus="worldedit"))
    assert {trace.prompt.category for trace in ran.traces} == {"worldedit"}
    assert len(ran.traces) == 2 * 5


async def test_prompts_of_the_next_round_are_written_while_answers_run(tmp_path: Path) -> None:
    """Round 1 is written before round 0 has ended, round 2 not before."""
    async with playground(tmp_path) as ground:
        ground.slow = lambda body: 0.02
        ran = await play(ground.job(run__rounds=3, run__concurrency=2))
    names = [
        ("written", event.round) if isinstance(event, PromptsWritten) else ("ended", event.trace.prompt.round)
        for event in ran.events
        if isinstance(event, PromptsWritten | TraceEnded)
    ]
    last_of_round_0 = max(index for index, name in enumerate(names) if name == ("ended", 0))
    assert names.index(("written", 1)) < last_of_round_0
    rounds = [event.round for event in ran.events if isinstance(event, RoundStarted)]
    assert rounds == [0, 1, 2]
    started = [event for event in ran.events if isinstance(event, RoundStarted | TraceEnded)]
    second = next(i for i, e in enumerate(started) if isinstance(e, RoundStarted) and e.round == 2)
    assert sum(isinstance(e, TraceEnded) and e.trace.prompt.round == 0 for e in started[:second]) == 15


async def test_unusable_prompts_are_dropped_and_counted(tmp_path: Path) -> None:
    """A prompt without an allowed prefix is not asked, and not lost in silence."""
    async with playground(tmp_path) as ground:
        healthy = ground.model.script
        ground.model.script = lambda body: (
            say('{"prompts": ["sudo a torch", "pray b torch", "c torch", "", "sudo a torch", 7]}')
            if "prompts" in body["format"]["properties"]
            else healthy(body)
        )
        ran = await play(ground.job(run__rounds=1, run__focus="worldedit"))
    written = next(event for event in ran.events if isinstance(event, PromptsWritten))
    assert written.prompts == ("sudo a torch",)
    assert [text for text, _ in written.dropped] == ["", "7", "pray b torch", "c torch", "sudo a torch"]


async def test_a_category_without_prompts_costs_the_round_no_more(tmp_path: Path) -> None:
    """The other categories go on; the failure is announced."""
    async with playground(tmp_path) as ground:
        healthy = ground.model.script
        ground.model.script = lambda body: (
            say("nonsense") if "Category: worldedit" in body["messages"][1]["content"] else healthy(body)
        )
        weights = {name: float(name in ("worldedit", "edge_items")) for name in CATEGORY_NAMES}
        ran = await play(ground.job(run__rounds=1, run__categories_per_round=8, run__weights=weights))
    (failed,) = [event for event in ran.events if isinstance(event, PromptsFailed)]
    assert failed.category == "worldedit"
    assert len(ran.traces) == 8 * 5 - failed.asked > 0


async def test_a_real_workspace_refuses_the_sandbox(tmp_path: Path) -> None:
    """Rows of the two kinds are never mixed."""
    async with playground(tmp_path) as ground:
        await play(ground.job(run__rounds=1))
        with pytest.raises(WorkspaceError, match="another --workspace"):
            await play(ground.job(world__kind="sandbox"))


async def test_a_server_that_calls_itself_sandbox_is_one(tmp_path: Path) -> None:
    """Whatever the flags say, its rows claim no verification."""
    async with playground(tmp_path) as ground:
        theirs = ground.server.handler
        ground.server.handler = lambda command: (
            "This is selfplay-sandbox 1.21.11" if command == "version" else theirs(command)
        )
        await play(ground.job(run__rounds=1))
    rows = rows_in(tmp_path / "out.jsonl")
    assert rows
    assert all(row["metadata"]["verifier"] == "sandbox" and not row["metadata"]["rcon_verified"] for row in rows)


async def test_an_edited_output_is_refused_before_anything_is_asked(tmp_path: Path) -> None:
    """A file that a person changed is not guessed at."""
    async with playground(tmp_path) as ground:
        await play(ground.job(run__rounds=1))
        output = tmp_path / "out.jsonl"
        output.write_bytes(output.read_bytes()[:-20])
        asked = len(ground.model.chats)
        with pytest.raises(UsageError, match=r"out\.jsonl"):
            await play(ground.job(run__rounds=1))
        assert len(ground.model.chats) == asked


async def test_unusable_servers_are_told_at_the_start(tmp_path: Path) -> None:
    """No model server, or a model it does not have: nothing is begun."""
    async with playground(tmp_path) as ground:
        with pytest.raises(ModelUnreachable):
            await play(ground.job(llm__url="127.0.0.1:1"))
        ground.model.routes["/api/show"] = fail(404, {"error": "model 'theirs' not found"})
        with pytest.raises(ModelNotFound, match="ollama pull"):
            await play(ground.job())


async def test_what_stood_in_the_output_is_kept(tmp_path: Path) -> None:
    """As the original appended to its file."""
    (tmp_path / "out.jsonl").write_bytes(b'{"old": 1}\n')
    async with playground(tmp_path) as ground:
        await play(ground.job(run__rounds=1))
    rows = rows_in(tmp_path / "out.jsonl")
    assert rows[0] == {"old": 1}
    assert len(rows) > 1


async def _accepted(ground: Playground, rule: str) -> list[str]:
    given = [f"sudo {word}" for word in OUTCOMES]
    job = ground.job(given=given, run__accept=rule, workspace=rule, output=f"{rule}.jsonl")
    await play(job)
    return prompts_of(ground.folder / f"{rule}.jsonl")


async def test_the_acceptance_rules(tmp_path: Path) -> None:
    """Verified takes what ran, parsed also what only parsed, none nothing; speech alone is never taken."""
    async with playground(tmp_path) as ground:
        verified = await _accepted(ground, "verified")
        parsed = await _accepted(ground, "parsed")
        nothing = await _accepted(ground, "none")
    assert verified == ["sudo torch", "sudo fix", "sudo twice"]
    assert parsed == ["sudo torch", "sudo fix", "sudo nobody", "sudo twice"]
    assert nothing == []


async def test_a_cap_ends_the_run_well(tmp_path: Path) -> None:
    """With the reason, and with what it did until then."""
    async with playground(tmp_path) as ground:
        theirs = ground.model.script
        ground.model.script = lambda body: (
            theirs(body)
            if "prompts" in body["format"]["properties"]
            else say('{"commands": ["summon cow"], "reasoning": "Moo.", "message": "Moo."}')
        )
        ground.server.handler = lambda command, old=ground.server.handler: (  # type: ignore[misc]
            "Summoned new Cow" if command == "summon cow" else old(command)
        )
        ran = await play(ground.job(caps__entities=7))
    assert (ran.ended.status, len(ran.traces)) == ("done", 7)
    assert "7 entities" in ran.ended.reason


async def test_a_file_of_the_workspace_is_no_output(tmp_path: Path) -> None:
    """Rows do not go into the database."""
    async with playground(tmp_path) as ground:
        with pytest.raises(UsageError, match="workspace itself"):
            await play(ground.job(output="workspace/selfplay.db"))


async def test_probe_mode_runs_nothing_around_either(tmp_path: Path) -> None:
    """Set-up and clean-up are commands too."""
    each = ["time set 1"]
    async with playground(tmp_path) as ground:
        await play(
            ground.job(
                given=["sudo torch"],
                run__execute="probe",
                world__setup=each,
                world__cleanup=each,
                world__round_setup=each,
                world__round_cleanup=each,
            )
        )
        assert "time set 1" not in ground.server.commands
