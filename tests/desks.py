"""A reviewer's desk on a playground's workspace."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

from selfplay_core.engine.desk import Desk
from selfplay_core.engine.session import Job
from selfplay_core.models import Trace
from selfplay_core.store.thread import AsyncStore
from tests.worlds import Playground, play

__all__ = ["TORCH", "desk_for", "ended", "last_words", "slow_when_told"]

TORCH = "give slingshooter08 minecraft:torch 1"


@asynccontextmanager
async def desk_for(job: Job) -> AsyncIterator[tuple[Desk, AsyncStore]]:
    """A desk on a job's workspace, with a store of its own."""
    store = await AsyncStore.open(job.workspace)
    try:
        async with Desk(job, store) as desk:
            yield desk, store
    finally:
        await store.aclose()


async def ended(ground: Playground, prompt: str, **settings: object) -> tuple[Job, Trace]:
    """Run one prompt to its end, and return the job and the trace."""
    job = ground.job(given=[prompt], interactive=True, **settings)  # type: ignore[arg-type]
    ran = await play(job)
    return job, ran.traces[0]


def last_words(ground: Playground) -> str:
    """What the model was told last."""
    content: str = ground.model.chats[-1]["messages"][-1]["content"]
    return content


def slow_when_told(ground: Playground, words: str, seconds: float) -> asyncio.Event:
    """Let the model take its time once it is told these words, a moment otherwise; the event says that it was."""
    told, loop = asyncio.Event(), asyncio.get_running_loop()

    def slow(body: dict[str, Any]) -> float:
        if words in body["messages"][-1]["content"]:
            loop.call_soon_threadsafe(told.set)
            return seconds
        return 0.2

    ground.slow = slow
    return told
