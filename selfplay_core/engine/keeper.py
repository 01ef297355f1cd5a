"""Ended traces into the store at once; automatic decisions and rows in the order of the prompts."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Literal

from selfplay_core.engine.acceptance import accepts
from selfplay_core.engine.queue import WorkItem
from selfplay_core.engine.solver import Held
from selfplay_core.errors import CaseOfBakeoff, DecisionOvertaken
from selfplay_core.events import Announce, Decided, RowsWritten, TraceEnded, TraceHeld
from selfplay_core.exchange.rows import render
from selfplay_core.models import AUTO, Decision, DecisionKind, Trace
from selfplay_core.store.codec import encode
from selfplay_core.store.database import Database
from selfplay_core.store.decisions import decide, same_as, standing
from selfplay_core.store.held import HeldAttempt, hold
from selfplay_core.store.projection import Projection
from selfplay_core.store.thread import AsyncStore
from selfplay_core.store.traces import save_trace

__all__ = ["Keeper"]


class Keeper:
    """Commits what a run brings forth.

    A trace is committed as it ends. Automatic decisions follow in the order of the prompts' positions, so
    that the output file does not depend on which prompt was solved first; `decide_in_order` makes them.
    """

    def __init__(
        self,
        store: AsyncStore,
        projection: Projection,
        *,
        accept: Literal["verified", "parsed", "none"],
        announce: Announce,
    ) -> None:
        self._store = store
        self._projection = projection
        self._accept: Literal["verified", "parsed", "none"] = accept
        self._announce = announce
        self._settled: dict[int, Trace | None] = {}
        self._next = 0
        self._finished = False
        self._news = asyncio.Event()

    async def ended(self, item: WorkItem, trace: Trace) -> None:
        """Commit a trace that has ended."""
        await self._store.do(save_trace, item.run_id, trace, time.time())
        self._announce(TraceEnded(trace))
        self.settled(item.position, trace)

    async def held(self, item: WorkItem, held: Held) -> None:
        """Park an attempt that waits for a person."""
        attempt = HeldAttempt(
            trace_id=item.trace_id,
            run_id=item.run_id,
            prompt=item.prompt,
            payload=encode(held.trace).encode(),
            since=time.time(),
        )
        await self._store.do(hold, attempt)
        self._announce(TraceHeld(item.trace_id, held.command, held.reason, item.prompt, item.run_id))
        self.settled(item.position, None)

    def settled(self, position: int, trace: Trace | None) -> None:
        """Note that a position has come to its end, and with which trace."""
        self._settled[position] = trace
        self._news.set()

    def finish(self) -> None:
        """Let `decide_in_order` return once all that can be decided is."""
        self._finished = True
        self._news.set()

    async def decide_in_order(self) -> None:
        """Accept what is to be accepted and write its rows, as the turns come, until `finish`."""
        while True:
            await self._news.wait()
            self._news.clear()
            last = self._finished
            await self._accept_all(list(self._take_ready()))
            if last:
                return

    async def _accept_all(self, traces: list[Trace]) -> None:
        accepted = [trace for trace in traces if accepts(trace, self._accept)]
        if not accepted:
            return
        # All that is due at once: one by one each would wait for every trace that is being saved, and where traces end
        # faster than that the decisions, and the traces kept for them, would pile up.
        decision = Decision(DecisionKind.ACCEPT, by=AUTO, at=time.time())
        for trace, found in await self._store.do(_decide_each, accepted, decision):
            if found is not None:
                self._announce(Decided(trace.id, decision, found.same_as))
        await self.project()

    async def project(self) -> None:
        """Bring the output file up to date."""
        rows = await self._store.do(lambda _: self._projection.catch_up())
        if rows:
            self._announce(RowsWritten(str(self._projection.path), rows))

    def _take_ready(self) -> Iterator[Trace]:
        while self._next in self._settled:
            trace = self._settled.pop(self._next)
            self._next += 1
            if trace is not None:
                yield trace


@dataclass(frozen=True, slots=True)
class _Accepted:
    """A decision that was made; `same_as` is the number of the trace whose row is already out."""

    same_as: int | None


def _decide_each(
    database: Database, traces: Sequence[Trace], decision: Decision
) -> list[tuple[Trace, _Accepted | None]]:
    return [(trace, _decide_untouched(database, trace, decision)) for trace in traces]


def _decide_untouched(database: Database, trace: Trace, decision: Decision) -> _Accepted | None:
    """Accept a trace unless somebody has ever decided on it, or asked again: an undone decision stays undone."""
    with database.locked():
        if standing(database, trace.id).seq:
            return None
        row, seen = render(trace, decision), len(trace.attempts)
        try:
            decide(database, trace.id, decision, row, expected_seq=0, expected_attempts=seen)
        except (DecisionOvertaken, CaseOfBakeoff):
            return None
        return _Accepted(same_as(database, trace.id))
