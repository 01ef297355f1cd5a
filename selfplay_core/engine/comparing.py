"""New traces compared with earlier ones while a run goes on, so that a reviewer sees near-copies at once."""

from __future__ import annotations

import asyncio
from contextlib import suppress
from typing import Final

from selfplay_core.store.likeness import Comparison
from selfplay_core.store.thread import AsyncStore

__all__ = ["Comparer"]

_PATIENCE: Final = 2.0


class Comparer:
    """Compares in the store's own thread, a piece at a time, so that nobody who writes waits long."""

    def __init__(self, store: AsyncStore) -> None:
        self._store = store
        self._comparison = Comparison()
        self._news = asyncio.Event()

    def wanted(self) -> None:
        """Note that a trace has ended."""
        self._news.set()

    async def keep_up(self) -> None:
        """Compare what has not been compared, now and whenever it is wanted, until cancelled."""
        while True:
            self._news.clear()
            await self._catch_up()
            await self._news.wait()

    async def finish(self) -> None:
        """Compare what is left, for two seconds at most; the next run goes on where this one ends."""
        with suppress(TimeoutError):
            async with asyncio.timeout(_PATIENCE):
                await self._catch_up()

    async def _catch_up(self) -> None:
        while await self._store.do(self._comparison.step):
            pass
