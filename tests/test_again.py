"""One more answer of the model, because a person asks for it."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from pathlib import Path

import pytest

from selfplay_core.exchange.rows import render
from selfplay_core.models import Decision, DecisionKind, Level, Outcome
from selfplay_core.store.decisions import decide
from selfplay_core.store.traces import trace
from selfplay_core.verify.server_lock import ServerLock
from tests.desks import desk_for, ended, last_words, slow_when_told
from tests.servers.ollama import fail, say
from tests.servers.rcon import RconFault
from tests.worlds import playground, settings_of


async def test_the_model_is_told_the_hint_and_answers_anew(tmp_path: Path) -> None:
    """It knows every attempt and what the server said; the attempt is kept with the hint, and judged as any other."""
    async with playground(tmp_path) as ground:
        job, ill = await ended(ground, "sudo learn")
        assert (ill.outcome, len(ill.attempts)) == (Outcome.FAILED, 3)
        async with desk_for(job) as (desk, store):
            asked = await desk.ask_again(ill, "Use $give, spelled right.", by="ann")
            stored = await store.do(trace, ill.id)
        turns = ground.model.chats[-1]["messages"]
    assert [turn["role"] for turn in turns] == ["system", "user", *["assistant", "user"] * 3]
    assert "Use $give, spelled right." in turns[-1]["content"]
    assert "Unknown or incomplete command" in turns[-1]["content"]
    assert (asked.error, asked.held) == ("", False)
    assert asked.trace == stored
    assert stored is not None
    assert stored.attempts[:3] == ill.attempts
    assert stored.attempts[-1].hint == "Use $give, spelled right."
    assert stored.attempts[-1].results[0].reply == "Gave 2 [Torch] to slingshooter08\n"
    assert (stored.outcome, stored.level) == (Outcome.CORRECTED, Level.EXECUTED)


async def test_asking_again_what_passed_claims_no_refusal(tmp_path: Path) -> None:
    """Without a hint the model is only asked to answer anew; and an earlier hint stays in the conversation."""
    async with playground(tmp_path) as ground:
        job, well = await ended(ground, "sudo torch")
        async with desk_for(job) as (desk, _):
            first = await desk.ask_again(well, "", by="ann")
            assert "did not accept" not in last_words(ground)
            assert "Gave 1 [Torch]" in last_words(ground)
            assert first.trace is not None
            second = await desk.ask_again(first.trace, "Two of them.", by="ann")
            assert second.trace is not None
            await desk.ask_again(second.trace, "Three.", by="ann")
        turns = [turn["content"] for turn in ground.model.chats[-1]["messages"]]
    assert not any("did not accept" in turn for turn in turns)
    assert "Two of them." in turns[-3]
    assert "Three." in turns[-1]
    assert first.trace.attempts[-1].hint == ""
    assert first.trace.outcome is Outcome.SOLVED


async def test_an_answer_that_the_policy_denies_changes_nothing(tmp_path: Path) -> None:
    """It is not run and not kept, and the person is told why."""
    async with playground(tmp_path) as ground:
        job, ill = await ended(ground, "sudo worse")
        async with desk_for(job) as (desk, store):
            asked = await desk.ask_again(ill, "Try harder.", by="ann")
            assert await store.do(trace, ill.id) == ill
        assert "op slingshooter08" not in ground.server.commands
    assert asked.trace is None
    assert "op" in asked.error


async def test_a_worse_answer_takes_no_better_ones_place(tmp_path: Path) -> None:
    """What was shown to work stays what counts."""
    async with playground(tmp_path) as ground:
        job, well = await ended(ground, "sudo torch")
        ground.model.script = lambda body: say('{"commands": ["givee x"], "reasoning": "Hm.", "message": ""}')
        async with desk_for(job) as (desk, store):
            asked = await desk.ask_again(well, "Try harder.", by="ann")
            assert await store.do(trace, well.id) == well
        assert "givee x" in ground.server.commands
    assert asked.trace is None
    assert "worse" in asked.error


async def test_an_answer_that_needs_permission_changes_nothing(tmp_path: Path) -> None:
    """It is not run and not kept."""
    async with playground(tmp_path) as ground:
        job, ill = await ended(ground, "sudo broad")
        async with desk_for(job) as (desk, store):
            asked = await desk.ask_again(ill, "Try harder.", by="ann")
            assert await store.do(trace, ill.id) == ill
        assert "kill @e" not in ground.server.commands
    assert (asked.trace, asked.held) == (None, True)
    assert "permission" in asked.error


async def test_a_reply_that_is_no_answer_is_an_attempt(tmp_path: Path) -> None:
    """It failed, with its error."""
    async with playground(tmp_path) as ground:
        job, ill = await ended(ground, "sudo stuck")
        theirs = ground.model.script
        ground.model.script = lambda body: say("no JSON at all")
        async with desk_for(job) as (desk, _):
            asked = await desk.ask_again(ill, "Try harder.", by="ann")
        ground.model.script = theirs
    assert asked.trace is not None
    assert asked.trace.outcome is Outcome.FAILED
    assert asked.trace.attempts[-1].error


@pytest.mark.parametrize("fault", ["model", "busy", "server"])
async def test_a_fault_appends_nothing(tmp_path: Path, fault: str) -> None:
    """Neither the model's mistake nor the trace's."""
    async with playground(tmp_path) as ground:
        job, ill = await ended(ground, "sudo learn")
        if fault == "model":
            llm = {"llm.url": "127.0.0.1:1", "llm.model": "theirs", "rcon.port": ground.server.port}
            job = replace(job, settings=settings_of(llm))
        elif fault == "busy":
            ground.model.script = lambda body: fail(503, {"error": "server busy"})
        else:
            ground.server.faults["give slingshooter08 minecraft:torch 2"] = RconFault.CLOSE
        async with asyncio.timeout(20), desk_for(job) as (desk, store):
            asked = await desk.ask_again(ill, "Try harder.", by="ann")
            assert await store.do(trace, ill.id) == ill
    assert asked.trace is None
    assert asked.error


async def test_an_accepted_trace_is_not_asked_again(tmp_path: Path) -> None:
    """Its row may be out: the model is not even asked."""
    async with playground(tmp_path) as ground:
        job, well = await ended(ground, "sudo torch")
        async with desk_for(job) as (desk, store):
            decision = Decision(DecisionKind.ACCEPT, by="bob", at=1.0)
            await store.do(decide, well.id, decision, render(well, decision))
            chats = len(ground.model.chats)
            asked = await desk.ask_again(well, "", by="ann")
            assert len(ground.model.chats) == chats
            assert await store.do(trace, well.id) == well
    assert asked.trace is None
    assert asked.error.startswith("#1 is accepted, by bob")
    assert well.id not in asked.error


async def test_who_refuses_twice_has_refused(tmp_path: Path) -> None:
    """Nothing was tried, so nothing is "still wrong"."""
    async with playground(tmp_path) as ground:
        job, silent = await ended(ground, "sudo refuse")
        assert silent.outcome is Outcome.REFUSED
        async with desk_for(job) as (desk, _):
            again = await desk.ask_again(silent, "Do it.", by="ann")
            assert again.trace is not None
            once_more = await desk.ask_again(again.trace, "Do it!", by="ann")
    assert once_more.trace is not None
    assert len(once_more.trace.attempts) == 3
    assert {again.trace.outcome, once_more.trace.outcome} == {Outcome.REFUSED}


async def test_no_command_after_a_failure_is_a_failure(tmp_path: Path) -> None:
    """The trace did try before."""
    async with playground(tmp_path) as ground:
        job, ill = await ended(ground, "sudo stuck")
        ground.model.script = lambda body: say('{"commands": [], "reasoning": "No.", "message": ""}')
        async with desk_for(job) as (desk, _):
            asked = await desk.ask_again(ill, "Try harder.", by="ann")
    assert asked.trace is not None
    assert asked.trace.outcome is Outcome.FAILED


async def test_who_saw_fewer_attempts_is_told(tmp_path: Path) -> None:
    """Two persons who ask at once do not write over each other."""
    async with playground(tmp_path) as ground:
        job, ill = await ended(ground, "sudo learn")
        async with desk_for(job) as (desk, _):
            both = await asyncio.gather(*(desk.ask_again(ill, "Now!", by=name) for name in ("ann", "bob")))
    assert sorted(asked.trace is not None for asked in both) == [False, True]
    assert any("Look at it again" in asked.error for asked in both)


async def test_the_server_is_free_while_the_model_is_awaited(tmp_path: Path) -> None:
    """And the model is not asked for what nobody could verify."""
    async with playground(tmp_path) as ground:
        job, ill = await ended(ground, "sudo learn")
        chats = len(ground.model.chats)
        async with desk_for(job) as (desk, _):
            with ServerLock("127.0.0.1", ground.server.port):
                busy = await desk.ask_again(ill, "Now!", by="ann")
            assert len(ground.model.chats) == chats
            asked = slow_when_told(ground, "Now!", 1.0)
            asking = asyncio.create_task(desk.ask_again(ill, "Now!", by="ann"))
            await asked.wait()
            await ground.server.idle()
            with ServerLock("127.0.0.1", ground.server.port):
                assert not asking.done()
            assert (await asking).error == ""
    assert "in use by process" in busy.error
