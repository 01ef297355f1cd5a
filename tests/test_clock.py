"""A clock that goes backwards, within a run and from one to the next: order comes from the log, never from the time."""

from __future__ import annotations

import time
from contextlib import closing
from pathlib import Path
from typing import Final

import pytest

from selfplay_core.engine.errands import ask_for_inspection
from selfplay_core.events import RoundStarted
from selfplay_core.models import Decision, DecisionKind
from selfplay_core.store.database import Database
from selfplay_core.store.history import redo_last, undo_last
from selfplay_core.store.requests import ask
from selfplay_core.store.thread import AsyncStore
from tests.nursery import Nursery
from tests.store_samples import begun, decided, ended
from tests.storm_laws import OUTPUT, assert_laws, copied, rows_of, run_is_done
from tests.storms import Storm, generator_words
from tests.worlds import going, playground

DAY: Final = 86_400.0


def test_a_storm_under_a_clock_that_goes_backwards(nursery: Nursery, tmp_path: Path) -> None:
    """Each start is a day before the last one, and within each time runs backwards: the same rows in the same order."""
    storm = Storm(nursery, tmp_path, 12)
    words = generator_words("--focus", "edge_items", seed=7, rounds=8)
    assert nursery.run("command", *words, "--workspace", "quiet", folder=tmp_path).wait() == 0
    with storm.telling():
        for start in range(1, 100):
            off = str(-DAY * start)
            if run_is_done(storm.workspace):
                break
            generator = storm.start("at_odds", off, "command", *words, name="generator")
            storm.strike(generator, lines=storm.chance.randrange(60), seconds=storm.chance.random() * 0.1)
            assert_laws(storm.workspace, storm.told)
        assert (storm.workspace / OUTPUT).read_bytes() == (tmp_path / "quiet" / OUTPUT).read_bytes()
        for start in range(1, 5):
            off = str(-DAY * start)
            reviewer = storm.start("at_odds", off, "review", str(start), "0", "workspace", name="reviewer")
            storm.strike(reviewer, lines=10, seconds=0.01)
            assert_laws(storm.workspace, storm.told)
        storm.run("at_odds", "0", "review", "9", "5", "workspace")
        assert_laws(storm.workspace, storm.told)
        for command in (["stats", "--json"], ["export", "--format", "native", "--output", "all.jsonl"]):
            storm.run("at_odds", str(-DAY), "command", *command, "--workspace", "workspace")
        storm.run("at_odds", str(-9 * DAY), "command", "import", "all.jsonl", "--workspace", "other")
    with copied(storm.workspace) as copy, closing(Database.open(copy)) as database:
        assert (copy / OUTPUT).read_bytes().splitlines() == rows_of(database)


def test_undo_takes_the_last_decision_and_not_the_latest_time(tmp_path: Path) -> None:
    """Of decisions whose times fall, undo takes back the one that was made last, and redo restores in turn."""
    with closing(begun(tmp_path)) as database:
        made = ended(database, ["a", "b", "c"])
        for at, trace in zip((300.0, 200.0, 100.0), made, strict=True):
            decided(database, trace, Decision(DecisionKind.ACCEPT, "tester", at))
        undone = [undo_last(database, by="tester", at=50.0 - turn) for turn in range(3)]
        assert [moved.traces[0][0] for moved in undone if moved] == [trace.id for trace in reversed(made)]
        redone = [redo_last(database, by="tester", at=10.0 - turn) for turn in range(3)]
        assert [moved.traces[0][0] for moved in redone if moved] == [trace.id for trace in made]


async def test_a_request_is_served_though_the_clock_was_set_back(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Who asks a run something after its machine's clock was set back is answered; what was asked before it is not."""
    now = [time.time() + DAY]
    monkeypatch.setattr(time, "time", lambda: now[0])
    async with playground(tmp_path) as ground:
        job = ground.job(run__rounds=50)
        store = await AsyncStore.open(job.workspace)
        old = await store.do(ask, "inspect", "null", now[0] + DAY)
        ground.slow = lambda body: 0.05
        async with going(job) as run:
            await run.until(lambda events: any(isinstance(event, RoundStarted) for event in events))
            now[0] -= 2 * DAY
            inspected = await ask_for_inspection(store, patience=10.0)
            assert inspected is not None
            assert inspected.identity is not None
            left = await store.do(lambda database: database.rows("SELECT id, answer FROM request"))
            assert left == [], f"{old} is nobody's"
            run.control.drain()
            await run.ended()
        await store.aclose()
