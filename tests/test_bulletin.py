"""What a run says of itself to other processes, and what a workspace tells of one that says nothing."""

from __future__ import annotations

import asyncio
import time
from contextlib import closing
from dataclasses import replace
from pathlib import Path

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from selfplay_core.engine.bulletin import Absent, Board, Bulletin, RunFacts, facts_of_run
from selfplay_core.engine.control import Control
from selfplay_core.engine.plan import plan_run, recorded_settings
from selfplay_core.events import Away, Back, Event, RunPaused, RunResumed, TraceEnded
from selfplay_core.models import SANDBOX_NAME, ModelIdentity, WorldIdentity, WorldKind
from selfplay_core.store.bulletins import post_bulletin, posted_bulletin
from selfplay_core.store.database import Database, Reader
from selfplay_core.store.rounds import add_round
from selfplay_core.store.runs import RunStatus, end_run, start_run
from selfplay_core.store.thread import AsyncStore
from tests.review import elsewhere, fill, review_job
from tests.store_samples import a_prompt, a_run, a_trace, begun, ended, saved
from tests.worlds import going, playground, settings_of

MODEL = ModelIdentity("ollama", "qwen3:8b")
WORLD = WorldIdentity(WorldKind.REAL, "Paper", "1.21.4")
FRESH = Bulletin(MODEL, WORLD)
EVENTS = st.one_of(
    st.builds(Away, st.sampled_from("abc"), st.text(), st.floats(0, 30), st.floats(0, 900)),
    st.builds(Back, st.sampled_from("abc"), st.floats(0, 900)),
    st.builds(RunPaused, st.text()),
    st.just(RunResumed()),
    st.just(TraceEnded(a_trace("t", a_prompt("x")))),
)


def facts(workspace: Path) -> RunFacts:
    with closing(Reader.open(workspace)) as reader:
        return facts_of_run(reader)


@given(st.lists(EVENTS, max_size=20))
def test_a_bulletin_tells_what_holds_after_the_last_event(events: list[Event]) -> None:
    """Each server that is away once, with its last reason, and a pause that is not over, with a word in any case."""
    said = FRESH
    away: dict[str, str] = {}
    paused = False
    for event in events:
        said = said.after(event, 100.0)
        match event:
            case Away():
                away[event.what] = event.reason
            case Back():
                away.pop(event.what, None)
            case RunPaused() | RunResumed():
                paused = isinstance(event, RunPaused)
            case _:
                pass
    assert {absent.what: absent.reason for absent in said.absences} == away
    assert len(said.absences) == len(away)
    assert bool(said.paused) is paused


def test_an_absence_is_told_in_the_time_of_day() -> None:
    """A monotonic clock means nothing to another process."""
    said = FRESH.after(Away("The server", "refused", 8.0, 21.0), 1_000.0)
    assert said.absences == (Absent("The server", "refused", 979.0, 1_008.0),)


async def test_what_is_posted_follows_the_run(tmp_path: Path) -> None:
    """From the first moment of the block; what changes nothing writes nothing, and the events go on to who listens."""
    begun(tmp_path).close()
    store, heard = await AsyncStore.open(tmp_path), list[Event]()
    board = Board("run-1", store, FRESH, now=lambda: 1_000.0)
    announce = board.hearing(heard.append)
    async with board.kept():
        assert facts(tmp_path).bulletin == FRESH
        announce(TraceEnded(a_trace("t", a_prompt("x"))))
        announce(RunPaused("the disk is full"))
        announce(Away("The model", "refused", 2.0, 0.0))
        wanted = replace(FRESH, paused="the disk is full", absences=(Absent("The model", "refused", 1e3, 1002.0),))
        async with asyncio.timeout(10):
            while (await store.do(facts_of_run)).bulletin != wanted:
                pass
    assert [type(event) for event in heard] == [TraceEnded, RunPaused, Away]
    await store.aclose()


async def test_a_bulletin_that_cannot_be_left_ends_no_run(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    """Only the log tells of it."""
    Database.open(tmp_path).close()
    store = await AsyncStore.open(tmp_path)
    async with Board("no such run", store, FRESH).kept():
        pass
    assert "could not be left" in caplog.text
    await store.aclose()


async def test_a_run_leaves_word_of_a_server_that_is_away(tmp_path: Path) -> None:
    """With the time of the next try, until it is back; by then the pause of a person stands there instead."""
    control = Control()
    async with playground(tmp_path) as ground, going(ground.job(run__rounds=50), control) as run:
        ground.slow = lambda body: 0.02
        await run.until(lambda events: any(isinstance(event, TraceEnded) for event in events))
        before = facts(tmp_path / "workspace")
        assert before.bulletin is not None
        assert (before.model, before.world, before.rounds) == (before.bulletin.model, before.bulletin.world, 50)
        assert before.model is not None
        assert before.model.name == "theirs"
        await ground.server.stop()
        await run.until(lambda events: any(isinstance(event, Away) for event in events))
        store = await AsyncStore.open(tmp_path / "workspace")
        while not (said := (await store.do(facts_of_run)).bulletin) or not said.absences:
            pass
        (absent,) = said.absences
        assert absent.what == "The server"
        assert absent.since <= time.time() <= absent.next_try + 30.0
        await ground.server.start()
        await run.until(lambda events: any(isinstance(event, Back) for event in events))
        control.pause()
        while (said := (await store.do(facts_of_run)).bulletin) is None or not said.paused:
            pass
        assert said.absences == ()
        await store.aclose()


def test_another_runs_word_is_not_this_ones(tmp_path: Path) -> None:
    """What a run said that was killed does not stand for the next one."""
    database = begun(tmp_path)
    said = msgspec.json.encode(replace(FRESH, paused="long ago")).decode()
    post_bulletin(database, "run-1", said)
    end_run(database, "run-1", RunStatus.INTERRUPTED, 2_000.0)
    start_run(database, replace(a_run("run-2"), started_at=3_000.0))
    assert posted_bulletin(database, "run-1") == said
    assert posted_bulletin(database, "run-2") is None
    assert facts_of_run(database).bulletin is None
    database.close()


def test_an_empty_workspace_tells_nothing(tmp_path: Path) -> None:
    """No run, no servers."""
    with closing(Database.open(tmp_path)) as database:
        assert facts_of_run(database) == RunFacts()


def test_a_silent_run_is_known_by_its_newest_trace(tmp_path: Path) -> None:
    """As in a workspace of an earlier version; rounds are those whose prompts are written."""
    database = begun(tmp_path)
    (made,) = saved(database, [replace(a_trace("", a_prompt("x")), model=MODEL)], 6)
    assert facts_of_run(database) == RunFacts(MODEL, made.world, 7, 50)
    database.close()


def test_a_run_without_a_trace_is_known_by_its_settings(tmp_path: Path) -> None:
    """Not by traces of before it, which other servers may have made."""
    database = begun(tmp_path)
    ended(database, ["x"])
    end_run(database, "run-1", RunStatus.DONE, 2_000.0)
    settings = settings_of({"llm.model": "theirs", "rcon.host": "mc.example", "rcon.port": 7})
    recorded = recorded_settings(settings, plan_run(settings, seed=1))
    start_run(database, replace(a_run("run-2"), started_at=3_000.0, settings=recorded))
    add_round(database, "run-2", 0, ["edge_items"], [])
    world = WorldIdentity(WorldKind.REAL, "mc.example:7", "")
    assert facts_of_run(database) == RunFacts(ModelIdentity("ollama", "theirs"), world, 1, 50)
    end_run(database, "run-2", RunStatus.DONE, 4_000.0)
    settings = settings_of({})
    recorded = recorded_settings(settings, plan_run(settings, seed=1))
    start_run(database, replace(a_run("run-3"), started_at=5_000.0, settings=recorded))
    sandbox = WorldIdentity(WorldKind.SANDBOX, SANDBOX_NAME, "")
    assert facts_of_run(database) == RunFacts(ModelIdentity("sandbox", SANDBOX_NAME), sandbox, 0, 50)
    database.close()


def test_damage_is_for_those_to_complain_of_who_need_it(tmp_path: Path) -> None:
    """The header of a screen does without; that the workspace is the sandbox's is known all the same."""
    job = review_job(tmp_path)
    fill(job, [a_trace("", a_prompt("x"))])
    with elsewhere(job) as database, database.transaction() as connection:
        connection.execute("UPDATE trace SET payload = '{'")
        connection.execute("UPDATE run SET settings = '['")
        connection.execute("INSERT INTO bulletin VALUES (1, 1, '{}')")
    assert facts(job.workspace) == RunFacts(None, WorldIdentity(WorldKind.SANDBOX, SANDBOX_NAME, ""), 1, 1)
