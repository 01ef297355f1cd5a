"""A run of another process, as the review screen shows it: all that ends, who runs, and what is in its way."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path

import pytest

import selfplay_core.engine.outage
from selfplay_core.engine.bulletin import Absent, Bulletin
from selfplay_core.engine.session import Job
from selfplay_core.models import AUTO, Decision, DecisionKind, ModelIdentity, Trace
from selfplay_core.store.bulletins import post_bulletin
from selfplay_core.store.codec import encode
from selfplay_core.store.database import Database
from selfplay_core.store.decisions import decide
from selfplay_core.store.rounds import PlannedPrompt, add_round
from selfplay_core.store.runs import RunRecord, RunStatus, end_run, start_run
from selfplay_core.store.traces import save_trace
from tests.drawing_samples import SANDBOX
from tests.review import NOW, Review, a_few, elsewhere, fill, review, review_job
from tests.samples import make_trace
from tests.worlds import Playground, going, playground

MODEL = ModelIdentity("ollama", "qwen3:8b")
SAID = Bulletin(MODEL, SANDBOX)
ACCEPTED = Decision(DecisionKind.ACCEPT, by=AUTO, at=3.0)


@dataclass(slots=True)
class Other:
    """The run of another process, as it writes to the workspace."""

    database: Database
    rounds: int = field(default=0)

    def end(self, traces: list[Trace], *, accept: bool) -> None:
        """Write a round of which every trace has ended, and is accepted at once if the run does so."""
        number, self.rounds = self.rounds, self.rounds + 1
        placed = [
            replace(trace, id=f"o{number}.{slot}", prompt=replace(trace.prompt, round=number, slot=slot))
            for slot, trace in enumerate(traces)
        ]
        planned = [PlannedPrompt(trace.id, trace.prompt) for trace in placed]
        add_round(self.database, "other", number, ["edge_items"], planned)
        for trace in placed:
            save_trace(self.database, "other", trace, NOW)
            if accept:
                decide(self.database, trace.id, ACCEPTED)

    def says(self, said: Bulletin) -> None:
        """Leave word in the workspace."""
        post_bulletin(self.database, "other", encode(said))


@contextmanager
def other_run(job: Job) -> Iterator[Other]:
    """A run of another process that goes on until the block ends."""
    with elsewhere(job) as database:
        start_run(database, RunRecord("other", 7, "f", 9, RunStatus.RUNNING, 2000.0, "{}"))
        yield Other(database)
        end_run(database, "other", RunStatus.DONE, 3000.0)


@asynccontextmanager
async def followed(folder: Path, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[tuple[Playground, Review]]:
    """A real run and a screen that follows it; its servers are tried again in ten minutes, or when a person says so."""
    monkeypatch.setattr(selfplay_core.engine.outage, "_FIRST_DELAY", 600.0)
    monkeypatch.setattr(selfplay_core.engine.outage, "_LONGEST_DELAY", 600.0)
    async with playground(folder) as ground:
        ground.slow = lambda body: 0.05
        async with going(ground.job(run__rounds=500)), review(ground.job(interactive=True)) as opened:
            await opened.until(lambda: "following" in opened.text("header"))
            yield ground, opened


async def test_what_the_run_accepts_by_itself_is_in_the_stream(tmp_path: Path) -> None:
    """Under the usual filter, which hides it from the list, and under any other."""
    job = review_job(tmp_path)
    fill(job, a_few(1))
    async with review(job) as opened:
        with other_run(job) as other:
            other.end([make_trace(text="sudo summon a pig")], accept=True)
            await opened.until(lambda: "following" in opened.text("header"))
            await opened.until(lambda: opened.state.live.streamed == 1)
            await opened.until(lambda: "#2" in opened.text("stream"))
            assert len(opened.state.queue) == 1
            await opened.press("slash")
            await opened.type("zebra")
            await opened.press("enter")
            other.end(a_few(2), accept=False)
            await opened.until(lambda: "#4" in opened.text("stream"))
            assert len(opened.state.queue) == 0
            assert "gen 3/min" in opened.text("header")


async def test_a_flood_is_counted_and_not_shown_whole(tmp_path: Path) -> None:
    """What one look cannot show is told; the rate is of all that ended."""
    job = review_job(tmp_path)
    fill(job, a_few(1))
    async with review(job) as opened:
        with other_run(job) as other:
            with other.database.locked():
                opened.hear_no_news()
                other.end(a_few(100), accept=True)
            opened.app._polling = False
            await opened.until(lambda: "gen 100/min" in opened.text("header"))
            assert any("60 more prompts" in row.text for row in opened.state.live.stream)
            assert opened.state.live.streamed == 41


async def test_the_examples_that_were_read_ahead_stay_at_hand(tmp_path: Path) -> None:
    """Following a run pushes nothing out that is looked at next."""
    job = review_job(tmp_path)
    fill(job, a_few(6))
    async with review(job) as opened:
        assert opened.bench.curator.cached(2) is not None
        with other_run(job) as other:
            for _ in range(2):
                count = opened.state.live.streamed
                other.end(a_few(40), accept=True)
                await opened.until(lambda count=count: opened.state.live.streamed >= count + 40)  # type: ignore[misc]
            assert opened.bench.curator.cached(2) is not None


async def test_the_header_says_who_runs_before_anything_has_ended(tmp_path: Path) -> None:
    """Model, world and round of the run that is followed."""
    job = review_job(tmp_path)
    fill(job, a_few(1))
    async with review(job, size=(160, 50)) as opened:
        with other_run(job) as other:
            add_round(other.database, "other", 0, ["edge_items"], [])
            add_round(other.database, "other", 1, ["edge_items"], [])
            other.says(SAID)
            await opened.until(lambda: "following" in opened.text("header"))
            for words in ("qwen3:8b", "SANDBOX", "round 2/9"):
                assert words in opened.text("header")


async def test_without_a_run_the_header_says_what_made_the_workspace(tmp_path: Path) -> None:
    """The newest run's model, the sandbox, and its rounds."""
    job = review_job(tmp_path)
    fill(job, [replace(trace, world=SANDBOX, model=MODEL) for trace in a_few(2)])
    async with review(job, size=(160, 50)) as opened:
        await opened.until(lambda: "qwen3:8b" in opened.text("header"))
        for words in ("SANDBOX", "round 1/1", "no run"):
            assert words in opened.text("header")


@pytest.mark.parametrize("size", [(120, 36), (80, 24)])
async def test_a_fault_of_another_process_is_a_row_with_a_countdown(tmp_path: Path, size: tuple[int, int]) -> None:
    """Until its server is back, or the run is over; in a small stream it is one row that leaves room for another."""
    job = review_job(tmp_path)
    fill(job, a_few(1))
    reason = f"connection refused{' again' * 35}"
    away = replace(SAID, absences=(Absent("The server", reason, NOW - 12.0, NOW + 8.0),))
    async with review(job, size=size) as opened:
        with other_run(job) as other:
            other.says(away)
            await opened.until(lambda: "next try in 8 s" in opened.text("header"))
            assert "connection refused" in opened.text("stream")
            opened.clock.seconds += 3.0
            await opened.until(lambda: "next try in 5 s" in opened.text("stream"))
            _, row, *fault = filter(None, opened.text("stream").splitlines())
            assert "away" in row
            assert len(fault) == (1 if size == (80, 24) else 3)
            other.says(SAID)
            await opened.until(lambda: "next try" not in opened.text("header"))
            assert "back after" in opened.text("stream")
            other.says(away)
            await opened.until(lambda: "next try" in opened.text("stream"))
        await opened.until(lambda: "run done" in opened.text("header"))
        assert "next try" not in opened.text("stream")


async def test_a_pause_that_somebody_else_made_is_known(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """`p` of one screen is seen on the other, whose `p` then lets the run go on."""
    async with (
        followed(tmp_path, monkeypatch) as (ground, opened),
        review(ground.job(interactive=True)) as second,
    ):
        await opened.press("p")
        assert opened.told.startswith("Paused")
        for screen in (opened, second):
            await screen.until(lambda screen=screen: "paused" in screen.text("header"))  # type: ignore[misc]
        await second.press("p")
        assert "Going on" in second.told
        for screen in (opened, second):
            await screen.until(lambda screen=screen: "paused" not in screen.text("header"))  # type: ignore[misc]
        await opened.press("p")
        assert opened.told.startswith("Paused")


async def test_a_server_of_another_processs_run_is_tried_at_once(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """`^g` reaches the run that waits for it."""
    async with followed(tmp_path, monkeypatch) as (ground, opened):
        await opened.until(lambda: opened.state.live.streamed > 0)
        await ground.server.stop()
        await opened.until(lambda: "next try in" in opened.text("stream"))
        await ground.server.start()
        await opened.press("ctrl+g")
        assert "at once" in opened.told
        # That it is back stands in the stream until the next lines come, which is soon.
        await opened.until(lambda: not opened.state.live.absences)
        await opened.until(lambda: "away" not in opened.text("header"))
