"""One run: who works on what, and when it is over."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass, replace

from selfplay_core.engine.control import Control, Drained
from selfplay_core.engine.errands import Errands
from selfplay_core.engine.groups import first_error_alone
from selfplay_core.engine.keeper import Keeper
from selfplay_core.engine.plan import RunPlan
from selfplay_core.engine.queue import RoundBook, WorkItem, WorkQueue
from selfplay_core.engine.rounds import RoundWriter
from selfplay_core.engine.seeds import trace_id
from selfplay_core.engine.solver import Held, Solver
from selfplay_core.engine.surroundings import Surroundings
from selfplay_core.engine.watch import Watch
from selfplay_core.errors import CapReached, GaveUp
from selfplay_core.events import Announce, RunEnded, TraceStarted
from selfplay_core.models import Trace
from selfplay_core.store.rounds import PlannedPrompt, add_round
from selfplay_core.store.runs import RunStatus
from selfplay_core.store.thread import AsyncStore

__all__ = ["Backlog", "Run"]

# Round n is chosen once round n - 2 is complete, so that its prompts are written while n - 1 is answered.
_ROUNDS_BEHIND = 2


@dataclass(frozen=True, slots=True)
class Backlog:
    """What earlier runs left: prompts without an answer, and traces that ended but were not decided on.

    In the order in which they were asked; `next_round` is the first round that this run still has to write.
    """

    entries: tuple[WorkItem | Trace, ...] = ()
    next_round: int = 0

    @property
    def open_prompts(self) -> int:
        """How many prompts still want an answer."""
        return sum(isinstance(entry, WorkItem) for entry in self.entries)


class Run:
    """Works off a backlog, then round after round; used once."""

    def __init__(
        self,
        run_id: str,
        *,
        plan: RunPlan,
        backlog: Backlog,
        writer: RoundWriter,
        solver: Solver,
        surroundings: Surroundings,
        watch: Watch,
        errands: Errands,
        keeper: Keeper,
        store: AsyncStore,
        control: Control,
        announce: Announce,
    ) -> None:
        self._id = run_id
        self._plan = plan
        self._backlog = backlog
        self._writer = writer
        self._solver = solver
        self._surroundings = surroundings
        self._watch = watch
        self._errands = errands
        self._keeper = keeper
        self._store = store
        self._control = control
        self._announce = announce
        self._queue = WorkQueue()
        self._rounds = RoundBook()
        self._positions = 0
        self._left_undone = False
        self._cap = ""

    async def execute(self) -> RunEnded:
        """Run to the end and tell how it ended; raises the first error that no waiting can mend.

        A server that stays away ends the run as `gave_up`, a drain as `interrupted`, a cap that is reached
        as `done` with the reason; what was left undone is taken up by the next run.
        """
        status, reason = RunStatus.DONE, ""
        try:
            with first_error_alone():
                await self._work_off()
        except GaveUp as error:
            status, reason = RunStatus.GAVE_UP, str(error)
        else:
            if self._cap:
                reason = self._cap
            elif self._left_undone:
                status, reason = RunStatus.INTERRUPTED, "The run was asked to stop."
        ended = RunEnded(status.value, reason)
        self._announce(ended)
        return ended

    async def _work_off(self) -> None:
        # One slot means one prompt at a time, so that a server with a memory sees the same order every time.
        # With more, twice as many prompts as slots: some wait for the server while others are answered.
        workers = 1 if self._plan.concurrency == 1 else 2 * self._plan.concurrency
        async with asyncio.TaskGroup() as group:
            producer = group.create_task(self._produce())
            crew = [group.create_task(self._work()) for _ in range(workers)]
            beside = [
                group.create_task(self._drain_when_told(producer)),
                group.create_task(self._watch.keep_watch()),
                group.create_task(self._errands.serve()),
            ]
            group.create_task(self._keeper.decide_in_order())
            await asyncio.wait([producer, *crew])
            for task in beside:
                task.cancel()
            self._keeper.finish()

    async def _drain_when_told(self, producer: asyncio.Task[None]) -> None:
        """On a drain, leave every prompt that nobody has begun, and write no more."""
        await self._control.drained()
        self._left_undone |= producer.cancel() or self._queue.waiting > 0
        await self._queue.close(discard=True)

    async def _produce(self) -> None:
        for entry in self._backlog.entries:
            if isinstance(entry, WorkItem):
                await self._enqueue([entry])
            else:
                self._keeper.settled(self._take_position(), entry)
        for number in range(self._backlog.next_round, self._plan.rounds):
            await self._rounds.complete_up_to(number - _ROUNDS_BEHIND)
            if not await self._control.may_begin_round():
                self._left_undone = True
                break
            try:
                await self._enqueue(await self._round(number))
            except Drained:
                self._left_undone = True
                break
        await self._queue.close()

    async def _round(self, number: int) -> list[WorkItem]:
        categories, prompts = await self._writer.write(number)
        planned = [PlannedPrompt(trace_id(self._id, number, prompt.slot), prompt) for prompt in prompts]
        await self._store.do(add_round, self._id, number, categories, planned)
        return [WorkItem(0, self._id, item.trace_id, item.prompt, self._plan.seed) for item in planned]

    async def _enqueue(self, items: Sequence[WorkItem]) -> None:
        for item in items:
            if item.run_id == self._id:
                self._rounds.begin(item.prompt.round)
        for item in items:
            await self._queue.put(replace(item, position=self._take_position()))

    def _take_position(self) -> int:
        self._positions += 1
        return self._positions - 1

    async def _work(self) -> None:
        while (item := await self._queue.get()) is not None:
            if not await self._control.may_begin():
                self._left_undone = True
                return
            try:
                await self._solve(item)
                if item.run_id == self._id and await self._rounds.ended(item.prompt.round):
                    await self._surroundings.end_round()
            except Drained:
                self._left_undone = True
                return
            except CapReached as cap:
                self._left_undone = True
                self._cap = str(cap)
                self._control.drain()
                return

    async def _solve(self, item: WorkItem) -> None:
        await self._surroundings.begin_round(item.run_id, item.prompt.round)
        self._announce(TraceStarted(item.trace_id, item.prompt))
        if item.released is not None:
            found = await self._solver.release(item.released, seed=item.seed)
        else:
            found = await self._solver.solve(item.trace_id, item.prompt, seed=item.seed)
        if isinstance(found, Held):
            await self._keeper.held(item, found)
        else:
            await self._keeper.ended(item, found)
