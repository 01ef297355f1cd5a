"""Laws of the thread that reads: what nobody waits for ends early, and the next question is answered."""

from __future__ import annotations

import asyncio
import threading
from pathlib import Path

import pytest

from selfplay_core.errors import WorkspaceError
from selfplay_core.store.database import Database, Reader
from selfplay_core.store.filters import Filter
from selfplay_core.store.listing import listing
from selfplay_core.store.thread import AsyncReader, ReadInterrupted
from tests.store_samples import begun, ended

ENDLESS = "WITH RECURSIVE n(x) AS (SELECT 1 UNION ALL SELECT x + 1 FROM n) SELECT count(*) FROM n"


class Endless:
    """Work that never ends by itself, and says when it has begun and ended."""

    def __init__(self) -> None:
        self.begun, self.ended = asyncio.Event(), asyncio.Event()
        self._loop = asyncio.get_running_loop()

    def __call__(self, reader: Reader) -> None:
        self._loop.call_soon_threadsafe(self.begun.set)
        try:
            with reader.snapshot():
                reader.rows(ENDLESS)
        finally:
            self._loop.call_soon_threadsafe(self.ended.set)


@pytest.fixture
def workspace(tmp_path: Path) -> Path:
    database = begun(tmp_path)
    ended(database, ["a", "b"])
    database.close()
    return tmp_path


async def test_interrupted_work_ends_and_the_next_is_done(workspace: Path) -> None:
    """What runs and what waits is stopped with its own error; what is asked after is answered."""
    reader = await AsyncReader.open(workspace)
    async with asyncio.timeout(10), asyncio.TaskGroup() as group:
        work, never = Endless(), Endless()
        running, waiting = group.create_task(refused(reader, work)), group.create_task(refused(reader, never))
        await work.begun.wait()
        reader.interrupt()
        found = await reader.do(listing, Filter(text="a"))
        await asyncio.gather(running, waiting)
    assert list(found.numbers) == [1]
    assert not never.begun.is_set()
    reader.interrupt()
    assert len((await reader.do(listing, Filter())).numbers) == 2
    await reader.aclose()
    await reader.aclose()


async def refused(reader: AsyncReader, work: Endless) -> None:
    with pytest.raises(ReadInterrupted, match="a later question took its place"):
        await reader.do(work)


async def test_a_cancelled_caller_stops_its_work(workspace: Path) -> None:
    """Cancelling who waits is enough: the thread is free again, and later work is not stopped."""
    reader = await AsyncReader.open(workspace)
    async with asyncio.timeout(10):
        work, never = Endless(), Endless()
        running, waiting = asyncio.create_task(reader.do(work)), asyncio.create_task(reader.do(never))
        await work.begun.wait()
        for task in (running, waiting):
            task.cancel()
            with pytest.raises(asyncio.CancelledError):
                await task
        assert await reader.do(lambda opened: opened.row("SELECT 1")) == (1,)
        assert work.ended.is_set()
        assert not never.begun.is_set()
    await reader.aclose()


async def test_closing_stops_what_runs(workspace: Path) -> None:
    """A screen that leaves does not wait for a list that it no longer shows."""
    reader = await AsyncReader.open(workspace)
    async with asyncio.timeout(10), asyncio.TaskGroup() as group:
        work = Endless()
        group.create_task(refused(reader, work))
        await work.begun.wait()
        await reader.aclose()


async def test_reading_has_a_thread_of_its_own(workspace: Path) -> None:
    """All work runs in one thread that is not the caller's, and cannot write."""
    reader = await AsyncReader.open(workspace)
    threads = {await reader.do(lambda _: threading.get_ident()) for _ in range(3)}
    assert len(threads) == 1
    assert threading.get_ident() not in threads
    assert not isinstance(reader._opened, Database)
    await reader.aclose()


async def test_a_reader_of_nothing_is_refused(tmp_path: Path) -> None:
    """No workspace, no reader, and no thread that stays."""
    with pytest.raises(WorkspaceError, match="no workspace is here"):
        await AsyncReader.open(tmp_path)
    for thread in threading.enumerate():
        if thread.name.startswith("selfplay-reader"):
            thread.join(10)
            assert not thread.is_alive()
