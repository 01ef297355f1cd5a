"""One run: who works on what, and when it is over."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import replace

from selfplay_core.engine.asking import Asker
from selfplay_core.engine.backlog import Backlog, released_items
from selfplay_core.engine.comparing import Comparer
from selfplay_core.engine.control import Control, Drained
from selfplay_core.engine.curriculum import Curriculum
from selfplay_core.engine.errands import Errands
from selfplay_core.engine.groups import first_error_alone
from selfplay_core.engine.keeper import Keeper
from selfplay_core.engine.plan import RunPlan
from selfplay_core.engine.queue import RoundBook, WorkItem, WorkQueue
from selfplay_core.engine.rounds import RoundWriter
from selfplay_core.engine.seeds import trace_id
from selfplay_core.engine.slots import Slots, workers_for
from selfplay_core.engine.solver import Held, Solver
from selfplay_core.engine.surroundings import Surroundings
from selfplay_core.engine.watch import Watch
from selfplay_core.errors import CapReached, GaveUp
from selfplay_core.events import Announce, RunEnded, TraceStarted
from selfplay_core.store.rounds import PlannedPrompt, add_round
from selfplay_core.store.runs import RunStatus
from selfplay_core.store.thread import AsyncStore

__all__ = ["Run"]

# Round n is chosen once round n - 2 is complete, so that its prompts are written while n - 1 is answered.
_ROUNDS_BEHIND = 2


class Run:
    """Works off a backlog, then round after round; used once."""

    def __init__(
        self,
        run_id: str,
        *,
        plan: RunPlan,
        backlog: Backlog,
        asker: Asker,
        writer: RoundWriter,
        curriculum: Curriculum,
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
        self._asker = asker
        self._writer = writer
        self._curriculum = curriculum
        self._solver = solver
        self._surroundings = surroundings
        self._watch = watch
        self._errands = errands
        self._keeper = keeper
        self._store = store
        self._control = control
        self._announce = announce
        self._comparer = Comparer(store)
        self._queue = WorkQueue()
        self._rounds = RoundBook()
        self._places = Slots(workers_for(plan.concurrency))
        # What was allowed and is queued or under way: the store shows it until its trace has ended.
        self._released = {item.trace_id for item in backlog.entries if isinstance(item, WorkItem) and item.released}
        self._positions = 0
        self._all_written = False
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
        await self._curriculum.settle()
        ended = RunEnded(status.value, reason)
        self._announce(ended)
        return ended

    async def _work_off(self) -> None:
        async with asyncio.TaskGroup() as group:
            producer = group.create_task(self._produce())
            crew = group.create_task(self._employ())
            beside = [
                group.create_task(self._drain_when_told(producer)),
                group.create_task(self._watch.keep_watch()),
                group.create_task(self._errands.serve(self._take_up)),
                group.create_task(self._follow_tuning()),
                group.create_task(self._comparer.keep_up()),
            ]
            group.create_task(self._keeper.decide_in_order())
            await asyncio.wait([producer, crew])
            for task in beside:
                task.cancel()
            await self._comparer.finish()
            self._keeper.finish()

    async def _drain_when_told(self, producer: asyncio.Task[None]) -> None:
        """On a drain, leave every prompt that nobody has begun, and write no more."""
        await self._control.drained()
        self._left_undone |= (producer.cancel() and not self._all_written) or self._queue.waiting > 0
        await self._queue.close(discard=True)

    async def _follow_tuning(self) -> None:
        """Give the model and the crew their new size at once; nobody who works is sent away."""
        while True:
            tuning = await self._control.tuned()
            self._asker.resize(tuning.concurrency)
            self._places.resize(workers_for(tuning.concurrency))

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
        self._all_written = True
        await self._work_off_released()
        await self._queue.close()

    async def _work_off_released(self) -> None:
        """Wait until all is answered, and what was allowed to run meanwhile has run."""
        while True:
            await self._queue.all_done()
            released = await self._store.do(released_items)
            if not released or self._control.draining:
                return
            await self._take_up(released)

    async def _take_up(self, released: Sequence[WorkItem]) -> None:
        """Queue what a person has allowed to run, each once, unless the run is ending."""
        if self._queue.closed or self._control.draining:
            return
        # All at once, before anything is awaited: afterwards one of them may have ended already.
        fresh = [item for item in released if item.trace_id not in self._released]
        self._released.update(item.trace_id for item in fresh)
        await self._enqueue(fresh)

    async def _round(self, number: int) -> list[WorkItem]:
        await self._curriculum.fold_up_to(number - _ROUNDS_BEHIND)
        written = await self._writer.write(number)
        planned = [PlannedPrompt(trace_id(self._id, number, prompt.slot), prompt) for prompt in written.prompts]
        chosen = self._curriculum.chosen(written.asked)
        await self._store.do(add_round, self._id, number, written.categories, planned, chosen)
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

    async def _employ(self) -> None:
        """Begin one prompt after the other, as many at once as there are places."""
        async with asyncio.TaskGroup() as crew:
            while (item := await self._queue.get()) is not None:
                await self._places.acquire()
                crew.create_task(self._work(item))

    async def _work(self, item: WorkItem) -> None:
        try:
            if not await self._control.may_begin():
                self._left_undone = True
                return
            await self._solve(item)
            if item.run_id == self._id and await self._rounds.ended(item.prompt.round):
                await self._surroundings.end_round(item.run_id, item.prompt.round)
        except Drained:
            self._left_undone = True
        except CapReached as cap:
            self._left_undone = True
            self._cap = str(cap)
            self._control.drain()
        finally:
            self._released.discard(item.trace_id)
            self._places.release()
            await self._queue.done()

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
            self._comparer.wanted()
