"""The run behind the review screen: what arrives from anywhere is shown, and keys steer it wherever it goes on."""

from __future__ import annotations

import asyncio
import re
import signal
import socket
import sqlite3
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

import selfplay_core.engine.outage
import tui.run.runner
from selfplay_core.engine.session import Job
from selfplay_core.models import Decision, DecisionKind
from selfplay_core.store.amendments import amend_trace
from selfplay_core.store.decisions import decide, undo
from tests.commands import clean_environment, start_command
from tests.drawing_samples import corrected
from tests.review import Review, a_few, elsewhere, fill, read_example, review, review_job
from tests.samples import make_attempt, make_result, make_trace
from tests.servers.ollama import HOLD, Reply
from tests.store_samples import asked_again
from tests.worlds import Playground, playground
from tui.state.queue import PENDING
from tui.widgets.pane import Pane

REJECT = Decision(DecisionKind.REJECT, by="somebody", at=3.0, reason="style")


async def test_what_arrives_is_added_behind_and_nothing_moves(tmp_path: Path) -> None:
    """Traces that another process saves join the end of the list; the example stays where it is, scrolled as it was."""
    job = review_job(tmp_path)
    long = make_trace(make_attempt(1, *(make_result(f"say {number}") for number in range(60))))
    fill(job, [*a_few(1), long])
    async with review(job) as opened:
        await opened.press("j", "J", "J", "J")
        before = opened.text("example")
        fill(job, a_few(3), run="u")
        await opened.until(lambda: len(opened.state.queue) == 5)
        await opened.until(lambda: "5 sudo give me 3 torc" in opened.text("queue"))
        assert opened.text("example") == before
        assert opened.number == 2


async def test_decisions_of_others_are_marked(tmp_path: Path) -> None:
    """What another process decides and takes back is seen in the list, and nothing moves under the eyes."""
    job = review_job(tmp_path)
    fill(job, a_few())
    async with review(job) as opened:
        before = opened.text("example")
        with elsewhere(job) as database:
            decide(database, "t3", REJECT)
            await opened.until(lambda: opened.state.queue.pending == 5)
            assert "\u2717    4" in opened.text("queue")
            undo(database, "t3", by="somebody", at=4.0)
            await opened.until(lambda: opened.state.queue.marks[3] == PENDING)
            await opened.until(lambda: "\u00b7    4" in opened.text("queue"))
        assert opened.text("example") == before


async def test_the_example_is_painted_anew_once_it_was_amended(tmp_path: Path) -> None:
    """An attempt that another process adds, and a decision that it makes, are shown at once and keep the place."""
    job = review_job(tmp_path)
    fill(job, [corrected(), *a_few(2)])
    async with review(job, size=(120, 24)) as opened:
        await opened.press("tab", "J", "J")
        with elsewhere(job) as database:
            trace = read_example(job, 1).trace
            amend_trace(database, asked_again(trace), by="somebody", at=4.0, expected_attempts=2)
            await opened.until(lambda: "2 retries" in opened.text("conversation"))
            assert "summon pig" in opened.text("example")
            assert opened.app.review.query_one("#conversation", Pane).top == 2
            decide(database, "t0", REJECT)
            await opened.until(lambda: "1 reject" in opened.text("example"))
        assert opened.number == 1


async def test_what_changes_behind_another_screen_is_painted_on_return(tmp_path: Path) -> None:
    """Traces that come while another screen is open stand in the list once it is left."""
    job = review_job(tmp_path)
    fill(job, a_few(1))
    async with review(job) as opened:
        await opened.press("s")
        fill(job, [make_trace(text="sudo summon a pig")], run="u")
        await opened.until(lambda: len(opened.state.queue) == 2)
        await opened.press("escape")
        await opened.until(lambda: "summon a pig" in opened.text("queue"))


async def test_a_run_fills_an_empty_workspace(tmp_path: Path) -> None:
    """On the sandbox the first example appears by itself, the stream flows, and the header says how the run ended."""
    async with review(review_job(tmp_path, "--rounds", "1"), generates=True) as opened:
        await opened.until(lambda: opened.number == 1)
        assert "SANDBOX" in opened.text("header")
        await opened.until(lambda: opened.state.live.status == "done")
        await opened.until(lambda: "run done" in opened.text("header"))
        assert opened.number == 1
        assert "\u203a" in opened.text("stream")
        await opened.until(lambda: re.search(r"#\d+ ", opened.text("stream")) is not None)
        await opened.bench.runner.ended()
        found = len(opened.state.queue)
        await opened.press("ctrl+g")
        await opened.until(lambda: len(opened.state.queue) > found)


async def test_a_run_is_paused_goes_on_and_is_stopped(tmp_path: Path) -> None:
    """`p` pauses and lets go on, `^c` ends the run and leaves the screen, `^g` begins again."""
    async with _unhurried(tmp_path) as ground, review(_long_job(ground), generates=True) as opened:
        await opened.until(lambda: opened.number == 1)
        await opened.press("p")
        await opened.until(lambda: "paused" in opened.text("header") and not opened.state.live.in_work)
        await opened.press("p")
        await opened.until(lambda: "paused" not in opened.text("header"))
        count = len(opened.state.queue)
        await opened.until(lambda: len(opened.state.queue) > count)
        await opened.press("ctrl+g")
        assert "going on already" in opened.told
        await opened.press("ctrl+c")
        await opened.until(lambda: not opened.bench.runner.is_running)
        await opened.until(lambda: "run stopped" in opened.text("header"))
        await opened.press("ctrl+g")
        await opened.until(lambda: opened.state.live.status == "running")


async def test_without_a_run_there_is_nothing_to_steer(tmp_path: Path) -> None:
    """Pausing and stopping say that no run is going on, and the header does not claim that one is paused."""
    job = review_job(tmp_path)
    fill(job, a_few(1))
    async with review(job) as opened:
        for key in ("p", "ctrl+c"):
            await opened.press(key)
            assert "No run is going on" in opened.told
        assert "paused" not in opened.text("header")
        assert "no run" in opened.text("header")


async def test_a_run_in_this_process_is_tuned(tmp_path: Path) -> None:
    """What is set on the tune screen is in force in the run, and the screen says what it goes on with."""
    async with _unhurried(tmp_path) as ground, review(_long_job(ground), generates=True) as opened:
        await opened.until(lambda: opened.bench.runner.tuning is not None)
        before = opened.bench.runner.tuning
        await opened.press("T", "j", "l", "enter")
        await opened.until(lambda: opened.is_home)
        assert before is not None
        assert opened.bench.runner.tuning is not None
        assert opened.bench.runner.tuning.concurrency == before.concurrency + 1
        assert f"{before.concurrency + 1} at once" in opened.told


async def test_quitting_finishes_what_has_begun(tmp_path: Path) -> None:
    """`q` drains the run, says so, and leaves; no trace is left half done, and the exit code is 0."""
    async with _unhurried(tmp_path, 0.5) as ground:
        job = _long_job(ground)
        async with review(job, generates=True) as opened:
            await opened.until(lambda: bool(opened.state.live.in_work))
            begun = set(opened.state.live.in_work)
            await opened.pilot.press("q")
            assert opened.state.live.status == "draining"
            assert "again leaves at once" in opened.told
            await _left(opened)
            assert opened.app.return_code == 0
    assert _column(job, "SELECT status FROM run") == ["interrupted"]
    assert begun <= set(_column(job, "SELECT id FROM trace"))


async def test_quitting_twice_leaves_at_once(tmp_path: Path) -> None:
    """Where the model never answers, a second `q` does not wait for it."""
    async with _mute_model(tmp_path) as ground, review(ground.job(interactive=True), generates=True) as opened:
        await opened.until(lambda: bool(opened.state.live.in_work))
        await opened.pilot.press("q")
        await opened.pilot.pause(0.1)
        assert opened.app.is_running
        await opened.pilot.press("q")
        await _left(opened)


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
async def test_a_signal_leaves_with_its_own_exit_code(tmp_path: Path, number: signal.Signals) -> None:
    """A signal is a quit that tells the shell so."""
    job = review_job(tmp_path)
    fill(job, a_few(1))
    async with review(job) as opened:
        signal.raise_signal(number)
        await _left(opened)
        assert opened.app.return_code == 128 + number


async def test_a_model_that_is_down_is_a_row_with_a_countdown(tmp_path: Path) -> None:
    """A start that fails is told with its next try, tried again at once on demand, and given up by the stop key."""
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))
        url = f"http://127.0.0.1:{unused.getsockname()[1]}"
        job = review_job(tmp_path, "--model", "x", "--ollama-url", url)
        async with review(job, generates=True) as opened:
            await opened.until(lambda: "next try in 5 s" in opened.text("header"))
            await opened.until(lambda: "next try in 5 s" in opened.text("stream"))
            assert "tried again by itself" in opened.text("example")
            opened.clock.seconds += 2
            await opened.until(lambda: "next try in 3 s" in opened.text("stream"))
            await opened.press("ctrl+g")
            await opened.until(lambda: "next try in 10 s" in opened.text("stream"))
            await opened.press("ctrl+c")
            await opened.until(lambda: "run stopped" in opened.text("header"))
            assert "next try" not in opened.text("stream")


async def test_a_server_that_comes_is_reached_at_once_on_demand(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """`^g` begins the run that could not begin, without waiting for the next try."""
    monkeypatch.setattr(tui.run.runner, "_FIRST_DELAY", 600.0)
    async with playground(tmp_path) as ground:
        await ground.server.stop()
        async with review(ground.job(interactive=True), generates=True) as opened:
            await opened.until(lambda: "away" in opened.text("header"))
            await ground.server.start()
            await opened.press("ctrl+g")
            await opened.until(lambda: opened.number == 1)
            assert "away" not in opened.text("header")


async def test_a_server_that_goes_and_comes_back(tmp_path: Path) -> None:
    """In the middle of a run its absence is told with a countdown, and the run goes on once it is back."""
    async with _unhurried(tmp_path) as ground, review(_long_job(ground), generates=True) as opened:
        await opened.until(lambda: opened.number == 1)
        await ground.server.stop()
        await opened.until(lambda: "away" in opened.text("header"))
        await opened.until(lambda: "away for" in opened.text("stream"))
        count = len(opened.state.queue)
        await ground.server.start()
        await opened.until(lambda: len(opened.state.queue) > count)
        await opened.until(lambda: "away" not in opened.text("header"))


async def test_a_server_that_went_is_tried_at_once_on_demand(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """`^g` wakes the run that has begun and waits for it, however far away the next try is."""
    monkeypatch.setattr(selfplay_core.engine.outage, "_FIRST_DELAY", 600.0)
    async with _unhurried(tmp_path) as ground, review(_long_job(ground), generates=True) as opened:
        await opened.until(lambda: opened.number == 1)
        await ground.server.stop()
        await opened.until(lambda: "next try in" in opened.text("stream"))
        await ground.server.start()
        await opened.press("ctrl+g")
        assert "at once" in opened.told
        await opened.until(lambda: "away" not in opened.text("header"))


async def test_what_was_tuned_outlives_a_stop(tmp_path: Path) -> None:
    """`^c`, then `^g`: the run that goes on is as it was tuned."""
    async with _unhurried(tmp_path) as ground, review(_long_job(ground), generates=True) as opened:
        await opened.until(lambda: opened.number == 1)
        await opened.press("T", "l", "enter")
        await opened.until(lambda: opened.is_home)
        tuned = opened.bench.runner.tuning
        assert tuned is not None
        assert tuned.focus == "enchantment_combos"
        await opened.press("ctrl+c")
        await opened.until(lambda: not opened.bench.runner.is_running)
        await opened.press("ctrl+g")
        await opened.until(lambda: opened.state.live.status == "running")
        assert opened.bench.runner.tuning == tuned


async def test_a_run_of_another_process_is_followed_and_steered(tmp_path: Path) -> None:
    """Its traces appear with the stream, `p`, `T` and `^c` reach it, and the header says when it has ended."""
    job = review_job(tmp_path)
    words = ["--headless", "--workspace", str(job.workspace), "--rounds", "2000", "--accept", "none"]
    process = await start_command(tmp_path, *words, env=clean_environment(tmp_path))
    ended = asyncio.create_task(process.communicate())
    try:
        async with review(job) as opened:
            await opened.until(lambda: opened.number == 1)
            await opened.until(lambda: "following" in opened.text("header"))
            await opened.until(lambda: "\u203a" in opened.text("stream"))
            await opened.press("p")
            assert opened.told.startswith("Paused")
            await opened.until(lambda: "paused" in opened.text("header"))
            await opened.press("T", "l", "enter")
            await opened.until(lambda: opened.is_home)
            assert "enchantment_combos" in opened.told
            await opened.press("p")
            assert "Going on" in opened.told
            count = len(opened.state.queue)
            await opened.until(lambda: len(opened.state.queue) > count)
            await opened.press("ctrl+c")
            async with asyncio.timeout(30):
                await asyncio.shield(ended)
            await opened.until(lambda: "run done" in opened.text("header"))
            assert opened.number == 1
    finally:
        if process.returncode is None:
            process.kill()
        _, err = await ended
    assert process.returncode == 0, err


async def _left(opened: Review) -> None:
    await opened.until(lambda: opened.app.return_code is not None)


def _column(job: Job, query: str) -> list[str]:
    connection = sqlite3.connect(job.workspace / "selfplay.db")
    try:
        return [value for (value,) in connection.execute(query)]
    finally:
        connection.close()


def _long_job(ground: Playground) -> Job:
    return ground.job(interactive=True, run__rounds=500)


@asynccontextmanager
async def _unhurried(folder: Path, seconds: float = 0.05) -> AsyncIterator[Playground]:
    """A playground whose model takes its time, so that the pilot finds the app idle now and then."""
    async with playground(folder) as ground:
        ground.slow = lambda body: seconds
        yield ground


@asynccontextmanager
async def _mute_model(folder: Path) -> AsyncIterator[Playground]:
    """A playground whose model writes prompts, and answers none."""
    async with playground(folder) as ground:
        write = ground.model.script
        ground.model.script = lambda body: write(body) if "prompts" in body["format"]["properties"] else Reply((HOLD,))
        yield ground
