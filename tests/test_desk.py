"""What a reviewer asks of the servers: by the run that holds them, in this process or another, or without one."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest

from selfplay_core.categories import load_texts
from selfplay_core.engine.control import Tuning
from selfplay_core.engine.servers import Credentials
from selfplay_core.engine.session import Job
from selfplay_core.events import Event, RunStarted, TraceEnded
from selfplay_core.models import Level, Outcome, VerdictOutcome, WorldKind
from selfplay_core.sandbox.embedded import Sandbox
from selfplay_core.store.requests import open_requests
from selfplay_core.store.runs import RunRecord, RunStatus, end_run, start_run
from selfplay_core.store.thread import AsyncStore
from selfplay_core.store.traces import trace
from selfplay_core.verify.server_lock import ServerLock
from tests.commands import server_flags, start_command
from tests.desks import TORCH, desk_for, ended, slow_when_told
from tests.worlds import going, playground, settings_of

MANY = [f"sudo {number} torch" for number in range(40)]


async def test_without_a_run_the_desk_opens_the_server_and_closes_it_again(tmp_path: Path) -> None:
    """The results come with who judged, and the server is free for a run afterwards."""
    async with playground(tmp_path) as ground:
        job = ground.job()
        async with desk_for(job) as (desk, _):
            looked = await desk.verify([TORCH, "givee x"])
            await ground.server.idle()
            with ServerLock("127.0.0.1", ground.server.port):
                pass
            parsed = await desk.probe([TORCH])
    assert [item.verdict.outcome for item in looked.results] == [VerdictOutcome.PASSED, VerdictOutcome.REJECTED]
    assert looked.world is not None
    assert (looked.world.brand, looked.error) == ("Paper", "")
    assert (parsed.results[0].level, parsed.results[0].probed) == (Level.PARSED, True)
    assert ground.server.commands.count(TORCH) == 1


async def test_a_permission_covers_what_is_asked_and_never_what_is_denied(tmp_path: Path) -> None:
    """Each refusal says why, and nothing was sent."""
    async with playground(tmp_path) as ground, desk_for(ground.job()) as (desk, _):
        asked = await desk.verify(["kill @e"])
        probed = await desk.probe(["kill @e"])
        denied = await desk.verify(["op me"], allowed_by_person=True)
        assert "kill @e" not in ground.server.commands
        allowed = await desk.verify(["kill @e"], allowed_by_person=True)
        assert "op me" not in ground.server.commands
    assert "kill" in asked.asks
    assert not asked.results
    assert probed.results[0].probed
    assert "op" in denied.denied
    assert allowed.results[0].verdict.outcome is VerdictOutcome.PASSED


async def test_too_long_a_command_is_told_and_not_sent(tmp_path: Path) -> None:
    """The server would close the connection."""
    async with playground(tmp_path) as ground, desk_for(ground.job()) as (desk, _):
        looked = await desk.verify(["say " + "x" * 2000])
        assert not any(command.startswith("say") for command in ground.server.commands)
    assert "2004 bytes" in looked.error


async def test_the_run_of_this_process_serves_the_desk(tmp_path: Path) -> None:
    """Over the one connection that there is, while a slow model is being waited for."""
    async with playground(tmp_path) as ground:
        ground.slow = lambda body: 0.3
        job = ground.job(given=MANY, run__concurrency=4)
        async with going(job) as run:
            await run.until(lambda events: any(isinstance(event, TraceEnded) for event in events))
            async with desk_for(job) as (desk, store):
                looked = await desk.verify(["time set 77"])
                assert await store.do(open_requests) == []
        assert ground.server.connections == 1
    assert looked.results[0].reply == "Set the time to 77\n"


async def test_a_slow_answer_delays_no_verification(tmp_path: Path) -> None:
    """Requests are served at once, not in a row."""
    async with playground(tmp_path) as ground:
        job, ill = await ended(ground, "sudo learn")
        asked = slow_when_told(ground, "Hold the torch", 20.0)
        async with going(ground.job(given=MANY)) as run, desk_for(job) as (desk, _):
            await run.until(lambda events: any(isinstance(event, TraceEnded) for event in events))
            run.control.tune(Tuning(None, 2, 2))
            again = asyncio.create_task(desk.ask_again(ill, "Hold the torch", by="ann"))
            await asked.wait()
            looked = await desk.verify(["time set 78"])
            assert not again.done()
            again.cancel()
            await asyncio.wait([again])
    assert looked.results[0].reply == "Set the time to 78\n"


async def test_who_is_cancelled_takes_the_request_back(tmp_path: Path) -> None:
    """The model stops being asked, and the trace stays as it was."""
    async with playground(tmp_path) as ground:
        _, ill = await ended(ground, "sudo learn")
        asked = slow_when_told(ground, "Hold the torch", 20.0)
        job = ground.job(given=MANY, run__concurrency=2)
        async with going(job) as run, desk_for(job) as (desk, store):
            await run.until(lambda events: any(isinstance(event, TraceEnded) for event in events))
            again = asyncio.create_task(desk.ask_again(ill, "Hold the torch", by="ann"))
            await asked.wait()
            run.control.pause()
            again.cancel()
            await asyncio.wait([again])
            assert again.cancelled()
            assert await store.do(open_requests) == []
            assert await asyncio.to_thread(ground.model.left.wait, 10)
            assert await store.do(trace, ill.id) == ill


async def test_the_run_of_another_process_serves_the_desk(tmp_path: Path) -> None:
    """Verifying, probing and asking again go through the workspace."""
    async with playground(tmp_path) as ground:
        job, ill = await ended(ground, "sudo learn")
        ground.slow = lambda body: 0.2
        process = await start_command(
            tmp_path, "--headless", "--rounds", "9", "--workspace", "workspace", "--output", "o", *server_flags(ground)
        )
        assert process.stdout is not None
        await process.stdout.readline()
        connections = ground.server.connections
        async with desk_for(job) as (desk, store):
            looked = await desk.verify(["time set 79"])
            asks = await desk.verify(["kill @e"])
            parsed = await desk.probe([TORCH])
            again = await desk.ask_again(ill, "Hold the torch", by="ann")
            assert await store.do(trace, ill.id) == again.trace
        assert ground.server.connections == connections
        process.terminate()
        await asyncio.wait_for(process.communicate(), 60)
    assert looked.results[0].reply == "Set the time to 79\n"
    assert asks.asks
    assert parsed.results[0].probed
    assert again.trace is not None
    assert again.trace.outcome is Outcome.CORRECTED


async def test_a_server_that_is_away_is_told_at_once(tmp_path: Path) -> None:
    """With and without a run: the outage is the run's to wait out, not the person's."""
    async with playground(tmp_path) as ground:
        ground.slow = lambda body: 0.2
        job = ground.job(given=MANY)
        async with going(job) as run, desk_for(job) as (desk, _):
            await run.until(lambda events: any(isinstance(event, TraceEnded) for event in events))
            await ground.server.stop()
            served = await desk.verify([TORCH])
            await ground.server.start()
        await ground.server.stop()
        async with desk_for(job) as (desk, _):
            alone = await desk.verify([TORCH])
        await ground.server.start()
    assert served.error
    assert not served.results
    assert str(ground.server.port) in alone.error


async def test_a_server_in_other_hands_is_told_with_whose(tmp_path: Path) -> None:
    """After a moment in which a run might have come or gone."""
    async with playground(tmp_path) as ground, desk_for(ground.job()) as (desk, _):
        with ServerLock("127.0.0.1", ground.server.port):
            looked = await desk.verify([TORCH])
        assert ground.server.connections == 0
    assert "in use by process" in looked.error


async def test_a_desk_trusts_a_server_as_little_as_a_run_does(tmp_path: Path) -> None:
    """With a stranger online nothing is run."""
    async with playground(tmp_path) as ground, desk_for(ground.job()) as (desk, _):
        theirs = ground.server.handler
        ground.server.handler = lambda command: (
            "There are 1 of a max of 20 players online: Herobrine" if command == "list" else theirs(command)
        )
        looked = await desk.verify([TORCH])
        assert TORCH not in ground.server.commands
    assert "Herobrine" in looked.error


async def test_the_sandbox_stays_for_the_life_of_a_desk(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """It is started once, however often it is asked, and by nobody who asks nothing."""
    started: list[Sandbox] = []
    start = Sandbox.start

    def counted(sandbox: Sandbox) -> None:
        started.append(sandbox)
        start(sandbox)

    monkeypatch.setattr(Sandbox, "start", counted)
    job = Job(settings_of({}), load_texts(), Credentials(), tmp_path / "w", tmp_path / "out.jsonl")
    async with desk_for(job) as (desk, _):
        assert started == []
        found = await asyncio.gather(*(desk.verify([f"time set {number}"]) for number in range(3)))
        parsed = await desk.probe(["time set 1"])
    assert len(started) == 1
    assert [looked.error for looked in (*found, parsed)] == [""] * 4
    assert parsed.world is not None
    assert parsed.world.kind is WorldKind.SANDBOX


async def test_a_run_that_has_just_begun_or_ended_is_waited_for(tmp_path: Path) -> None:
    """The moments in which it holds the server and cannot be asked are not the person's to know of."""
    async with playground(tmp_path) as ground:
        job = ground.job(given=["sudo torch"] * 3)

        def begun(events: list[Event]) -> bool:
            return any(isinstance(event, RunStarted) for event in events)

        async with desk_for(job) as (desk, _), going(job) as run:
            await run.until(begun)
            looks = [asyncio.create_task(desk.verify(["time set 81"]))]
            await run.ended()
            looks.append(asyncio.create_task(desk.verify(["time set 82"])))
            found = [await task for task in looks]
    assert [looked.error for looked in found] == ["", ""]


async def test_a_run_that_ends_without_answering_leaves_the_server_to_the_desk(tmp_path: Path) -> None:
    """It may have died: the desk does not wait for its deadline."""
    async with playground(tmp_path) as ground:
        job = ground.job()
        async with desk_for(job) as (desk, store), asyncio.timeout(20):
            dying = await AsyncStore.open(job.workspace)
            record = RunRecord("r", 1, "", 1, RunStatus.RUNNING, 1.0, "{}")
            await dying.do(start_run, record)
            looking = asyncio.create_task(desk.verify([TORCH]))
            # The desk leaves its request in a database, which has no events.
            while not await store.do(open_requests):  # noqa: ASYNC110
                await asyncio.sleep(0.01)
            assert ground.server.connections == 0
            await dying.do(end_run, "r", RunStatus.INTERRUPTED, 2.0)
            await dying.aclose()
            looked = await looking
    assert looked.results[0].verdict.outcome is VerdictOutcome.PASSED
