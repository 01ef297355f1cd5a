"""The output file, brought up to date a little late: what is undone at once was never written."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager, suppress
from pathlib import Path
from typing import Final

from selfplay_core.errors import SelfplayError
from selfplay_core.exchange.rows import render
from selfplay_core.store.database import Database
from selfplay_core.store.projection import Projection
from selfplay_core.store.thread import AsyncStore

__all__ = ["Projector"]

_REST: Final = 2.0
_AT_LATEST: Final = 10.0

_log = logging.getLogger(__name__)


class Projector:
    """Writes accepted rows once the operator rests, as writing keeps decisions waiting; at the latest after 10 seconds.

    `trouble` says what hinders it, blank if nothing does; it is tried again with the next decision and at the end.
    `rows` counts what was written.
    """

    def __init__(self, store: AsyncStore, output: Path) -> None:
        self.output = output
        self.trouble = ""
        self.rows = 0
        self._store = store
        self._projection: Projection | None = None
        self._news = asyncio.Event()

    @classmethod
    @asynccontextmanager
    async def open(cls, workspace: Path, output: Path) -> AsyncIterator[Projector]:
        """Keep the output up to date while the block lasts, and once more at its end."""
        async with AsyncExitStack() as stack:
            store = await AsyncStore.open(workspace)
            stack.push_async_callback(store.aclose)
            projector = cls(store, output)
            stack.push_async_callback(projector.write)
            task = asyncio.create_task(projector._keep_up(), name="selfplay-projector")
            stack.push_async_callback(_ended, task)
            yield projector

    def wanted(self) -> None:
        """Note that something was decided."""
        self._news.set()

    async def write(self) -> None:
        """Bring the output up to date."""
        try:
            self.rows += await self._store.do(self._catch_up)
            self.trouble = ""
        except SelfplayError as error:
            self.trouble = str(error)
        except Exception:
            # A defect of ours: the decisions stand in the database, and the next start writes their rows.
            _log.exception("Writing the output ended by a defect")
            self.trouble = f"A defect keeps rows from {self.output}; selfplay.log in the workspace says where it lies."

    async def _keep_up(self) -> None:
        while True:
            await self.write()
            await self._news.wait()
            await self._rest()

    async def _rest(self) -> None:
        """Wait until nothing has been decided for a while."""
        clock = asyncio.get_running_loop()
        latest = clock.time() + _AT_LATEST
        with suppress(TimeoutError):
            while self._news.is_set():
                self._news.clear()
                async with asyncio.timeout_at(min(clock.time() + _REST, latest)):
                    await self._news.wait()

    def _catch_up(self, database: Database) -> int:
        if self._projection is None:
            self._projection = Projection(database, self.output, render)
        return self._projection.catch_up()


async def _ended(task: asyncio.Task[None]) -> None:
    task.cancel()
    await asyncio.wait([task])
