"""Traces are kept as they end, and decided on in order without falling behind."""

from __future__ import annotations

import asyncio
from pathlib import Path

from selfplay_core.engine.keeper import Keeper
from selfplay_core.engine.queue import WorkItem
from selfplay_core.events import Decided, Event, TraceEnded
from selfplay_core.exchange.rows import render
from selfplay_core.store.projection import Projection
from selfplay_core.store.rounds import PlannedPrompt, add_round
from selfplay_core.store.runs import start_run
from selfplay_core.store.thread import open_store
from tests.store_samples import RUN, a_prompt, a_run, a_trace

_TRACES = 160
_AT_ONCE = 8


async def test_decisions_keep_up_with_traces_that_end_all_at_once(tmp_path: Path) -> None:
    """What is owed stays a few times as much as ends at once, however long a run is.

    One by one, each decision would wait for all the saves that were handed in before it, and most would be owed.
    """
    heard: list[Event] = []
    prompts = [a_prompt(f"sudo give me {number}", slot) for slot, number in enumerate(range(_TRACES))]
    items = [WorkItem(place, RUN, f"t{place}", prompt, 7) for place, prompt in enumerate(prompts)]
    async with open_store(tmp_path / "workspace") as store:
        await store.do(start_run, a_run())
        planned = [PlannedPrompt(item.trace_id, item.prompt) for item in items]
        await store.do(add_round, RUN, 1, ("edge_items",), planned)
        projection = await store.do(Projection, tmp_path / "out.jsonl", render)
        await store.do(lambda _: projection.check())
        keeper = Keeper(store, projection, accept="verified", announce=heard.append)
        deciding = asyncio.create_task(keeper.decide_in_order())

        async def worker(share: list[WorkItem]) -> None:
            for item in share:
                await keeper.ended(item, a_trace(item.trace_id, item.prompt))

        await asyncio.gather(*(worker(items[first::_AT_ONCE]) for first in range(_AT_ONCE)))
        owed = _TRACES - sum(isinstance(event, Decided) for event in heard)
        keeper.finish()
        await deciding
    decided = [event.trace_id for event in heard if isinstance(event, Decided)]
    assert owed <= 5 * _AT_ONCE
    assert decided == [item.trace_id for item in items]
    assert sum(isinstance(event, TraceEnded) for event in heard) == _TRACES
    assert len((tmp_path / "out.jsonl").read_text(encoding="utf-8").splitlines()) == _TRACES
