"""The work of a bake-off: every model answers the same cases, in turns, until it is over."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Iterator, Sequence
from contextlib import AsyncExitStack
from dataclasses import dataclass
from typing import Final

import msgspec

from selfplay_core.bakeoff.beginning import BakeoffJob, order_of, refuse_foreign, run_of, settled
from selfplay_core.bakeoff.cases import Case
from selfplay_core.bakeoff.events import BakeoffEnded, BakeoffStarted, CaseMarked
from selfplay_core.bakeoff.guard import keep_out
from selfplay_core.bakeoff.ledger import marks_by_model
from selfplay_core.bakeoff.marks import Circumstances, Mark, mark
from selfplay_core.bakeoff.standing import leader_is_decided
from selfplay_core.engine.asking import Asker
from selfplay_core.engine.control import Control, Drained
from selfplay_core.engine.conversation import Speaker
from selfplay_core.engine.groups import first_error_alone
from selfplay_core.engine.outage import Outage
from selfplay_core.engine.plan import RunPlan, plan_run
from selfplay_core.engine.seeds import choice_rng, trace_id
from selfplay_core.engine.servers import Model, World, open_model, open_world, sandbox_for
from selfplay_core.engine.slots import workers_for
from selfplay_core.engine.solver import Solver
from selfplay_core.engine.surroundings import Surroundings
from selfplay_core.engine.watch import inspect_at_start, make_watch
from selfplay_core.errors import Blank, CapReached, Fault, GaveUp, Truncated
from selfplay_core.events import Announce
from selfplay_core.models import (
    UNKNOWN_VERSION,
    Action,
    ModelIdentity,
    Outcome,
    Prompt,
    Trace,
    TraceId,
    WorldIdentity,
    workspace_kind,
)
from selfplay_core.settings import Settings
from selfplay_core.store.bakeoffs import (
    BakeoffRecord,
    Contestant,
    MarkRecord,
    announce_cases,
    begin_bakeoff,
    marks,
    save_marked,
    take_part,
)
from selfplay_core.store.database import Database
from selfplay_core.store.runs import RunStatus, check_kind, end_run, hold_generating
from selfplay_core.store.thread import AsyncStore, open_store

__all__ = ["bake_off"]

# A model server may need half a minute to load another model: with so many cases in a turn that hardly counts, and
# an interruption leaves few cases that only some of the models have answered.
_CASES_IN_A_TURN: Final = 25
_SERVER_PATIENCE: Final = 5.0


@dataclass(frozen=True, slots=True)
class _Contender:
    """A model with all that it needs to answer."""

    identity: ModelIdentity
    run_id: str
    solver: Solver
    faults: dict[TraceId, Fault]


async def bake_off(job: BakeoffJob, control: Control, announce: Announce) -> BakeoffEnded:
    """Let every model answer every case that it has not answered yet, and note what came of each at once.

    Raises UsageError for a folder that holds something else, a `Fault` if a model or the server cannot be used at the
    start, StoreError if the disk says no.
    """
    refuse_foreign(job)
    async with AsyncExitStack() as stack:
        store = await stack.enter_async_context(open_store(job.folder))
        # Before anything is read: what is settled here must be what is asked here.
        await store.do(hold_generating)
        record = await store.do(settled, job)
        plan = plan_run(job.settings, seed=record.seed)
        sandbox = await stack.enter_async_context(sandbox_for(job.settings))
        world = await stack.enter_async_context(
            open_world(job.settings, job.credentials, sandbox, patience=_SERVER_PATIENCE)
        )
        opened = [
            await stack.enter_async_context(open_model(_asking(job.settings, name), job.credentials, sandbox))
            for name in job.models
        ]
        verify = job.settings.verify
        identity = await inspect_at_start(
            world.verifier, job.settings.world.players, allow_players=verify.allow_players
        )
        for model in opened:
            await store.do(check_kind, workspace_kind(model.identity, identity))
        await keep_out(job.book, job.workspace)
        await store.do(begin_bakeoff, record)
        taking_part = [
            await store.do(take_part, name, model.identity.digest, run_of(job, plan, record))
            for name, model in zip(job.models, opened, strict=True)
        ]
        contest = _Contest(job, plan, record, store, world, control, announce)
        for contestant, model in zip(taking_part, opened, strict=True):
            contest.admit(contestant, model)
        done = await store.do(_answered, taking_part, order_of(job.book, record.seed)[: record.wanted])
        announce(_started(job, record, [model.identity for model in opened], identity, done))
        control.begin(plan.tuning, announce, resumed=False)
        ended = BakeoffEnded(RunStatus.INTERRUPTED, "")
        try:
            ended = await contest.execute()
        finally:
            for contestant in taking_part:
                await store.do(end_run, contestant.run_id, RunStatus(ended.status), time.time())
        announce(ended)
        return ended


class _Contest:
    """One bake-off under way."""

    def __init__(
        self,
        job: BakeoffJob,
        plan: RunPlan,
        record: BakeoffRecord,
        store: AsyncStore,
        world: World,
        control: Control,
        announce: Announce,
    ) -> None:
        self._job = job
        self._plan = plan
        self._record = record
        self._store = store
        self._world = world
        self._control = control
        self._announce = announce
        self._outage = Outage("The server", give_up=plan.give_up, control=control, announce=announce)
        self._surroundings = Surroundings(world.verifier, self._outage, probing=plan.execute == "probe")
        self._speaker = Speaker(plan.players, world.verifier.identity.version or UNKNOWN_VERSION)
        self._contenders: list[_Contender] = []
        self._left_undone = False
        self._cap = ""

    def admit(self, contestant: Contestant, model: Model) -> None:
        """Let a model answer from the next turn on."""
        what = f"The model {model.identity.name}"
        outage = Outage(what, give_up=self._plan.give_up, control=self._control, announce=self._announce)
        faults: dict[TraceId, Fault] = {}
        solver = Solver(
            asker=Asker(model.chat, slots=self._plan.concurrency, outage=outage, control=self._control),
            verifier=self._world.verifier,
            world_outage=self._outage,
            texts=self._job.texts,
            speaker=self._speaker,
            plan=self._plan,
            model=model.identity,
            control=self._control,
            announce=lambda event: None,
            heed_fault=faults.__setitem__,
        )
        self._contenders.append(_Contender(model.identity, contestant.run_id, solver, faults))

    async def execute(self) -> BakeoffEnded:
        """Take turn after turn; tells how it ended, and raises the first error that no waiting can mend."""
        reason = ""
        try:
            with first_error_alone():
                reason = await self._watched()
        except GaveUp as error:
            return BakeoffEnded(RunStatus.GAVE_UP, str(error))
        if self._cap:
            return BakeoffEnded(RunStatus.INTERRUPTED, self._cap)
        if self._left_undone:
            return BakeoffEnded(
                RunStatus.INTERRUPTED, "The bake-off was asked to stop; the same command goes on with it."
            )
        return BakeoffEnded(RunStatus.DONE, reason)

    async def _watched(self) -> str:
        watch = make_watch(
            self._world.verifier,
            self._plan,
            self._job.settings.verify,
            control=self._control,
            announce=self._announce,
        )
        async with asyncio.TaskGroup() as group:
            watching = group.create_task(watch.keep_watch())
            reason = await self._turns()
            watching.cancel()
        return reason

    async def _turns(self) -> str:
        """Let the models take turns; returns why it ended early, blank if it did not."""
        order = order_of(self._job.book, self._record.seed)[: self._record.wanted]
        for number, start in enumerate(range(0, len(order), _CASES_IN_A_TURN)):
            cases = [self._job.book.cases[place] for place in order[start : start + _CASES_IN_A_TURN]]
            turns = list(self._contenders)
            choice_rng(self._record.seed, number, "turns").shuffle(turns)
            for contender in turns:
                await self._turn(contender, number, cases)
                if self._left_undone:
                    return ""
            if self._job.until_decided and await self._store.do(_is_decided):
                asked = min(start + _CASES_IN_A_TURN, len(order))
                return f"Decided after {asked} cases." if asked < len(order) else ""
        return ""

    async def _turn(self, contender: _Contender, number: int, cases: Sequence[Case]) -> None:
        announced = [(_trace_id(contender, case), _prompt(case)) for case in cases]
        answered = await self._store.do(announce_cases, contender.run_id, announced)
        left = [case for case in cases if case.place not in answered]
        if not left or not await self._may_go_on():
            return
        await self._surroundings.begin_round(contender.run_id, number)
        waiting = iter(left)
        async with asyncio.TaskGroup() as crew:
            for _ in range(min(workers_for(self._plan.concurrency), len(left))):
                crew.create_task(self._work(contender, waiting))
        if not self._left_undone:
            await self._surroundings.end_round(contender.run_id, number)

    async def _work(self, contender: _Contender, waiting: Iterator[Case]) -> None:
        for case in waiting:
            if not await self._may_go_on():
                return
            try:
                await self._answer(contender, case)
            except Drained:
                self._left_undone = True
                return
            except CapReached as cap:
                self._left_undone, self._cap = True, str(cap)
                self._control.drain()
                return

    async def _may_go_on(self) -> bool:
        if not await self._control.may_begin():
            self._left_undone = True
        return not self._left_undone

    async def _answer(self, contender: _Contender, case: Case) -> None:
        trace = await contender.solver.solve(_trace_id(contender, case), _prompt(case), seed=self._record.seed)
        assert isinstance(trace, Trace), "a plan without a person holds nothing"
        fault = contender.faults.pop(trace.id, None)
        circumstances = Circumstances(
            said_nothing=isinstance(fault, Blank | Truncated),
            was_denied=self._is_denied(trace),
            probing=self._plan.execute == "probe",
        )
        marked = await asyncio.to_thread(mark, case, trace, circumstances)
        why = marked.why.value if marked.why is not None else ""
        record = MarkRecord(case.place, marked.mark.value, why, marked.detail)
        await self._store.do(save_marked, contender.run_id, trace, record, time.time())
        answer = trace.last.answer if trace.last is not None else None
        self._announce(
            CaseMarked(
                model=contender.identity.name,
                place=case.place,
                category=case.category,
                prompt=case.prompt,
                mark=marked.mark,
                why=why,
                detail=marked.detail,
                attempts=len(trace.attempts),
                commands=answer.commands if answer is not None else (),
                seconds=round(sum(attempt.seconds for attempt in trace.attempts), 3),
            )
        )

    def _is_denied(self, trace: Trace) -> bool:
        if trace.outcome is not Outcome.BLOCKED or trace.last is None or trace.last.answer is None:
            return False
        rulings = self._world.verifier.review(trace.last.answer.commands)
        return any(ruling.action is Action.DENY for ruling in rulings)


def _asking(settings: Settings, model: str) -> Settings:
    return msgspec.structs.replace(settings, llm=msgspec.structs.replace(settings.llm, model=model))


def _started(
    job: BakeoffJob, record: BakeoffRecord, models: Sequence[ModelIdentity], world: WorldIdentity, done: int
) -> BakeoffStarted:
    return BakeoffStarted(
        folder=str(job.folder),
        models=tuple(models),
        world=world,
        cases=len(job.book.cases),
        expecting=job.book.expecting[0],
        wanted=record.wanted,
        seed=record.seed,
        done=done,
        expected=record.wanted * len(models),
    )


def _answered(database: Database, taking_part: Sequence[Contestant], places: Sequence[int]) -> int:
    wanted = set(places)
    return sum(
        one.place in wanted and one.mark != Mark.ERRORED
        for contestant in taking_part
        for one in marks(database, contestant.run_id)
    )


def _is_decided(database: Database) -> bool:
    return leader_is_decided({name: found for name, found in marks_by_model(database).items() if found})


def _trace_id(contender: _Contender, case: Case) -> TraceId:
    return trace_id(contender.run_id, case.place, 0)


def _prompt(case: Case) -> Prompt:
    return Prompt(case.prompt, case.category, case.mode, case.place, 0)
