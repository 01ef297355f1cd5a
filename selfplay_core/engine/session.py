"""The settings made into a run, and everything closed after it."""

from __future__ import annotations

import secrets
import time
from contextlib import AsyncExitStack, nullcontext
from dataclasses import dataclass
from pathlib import Path

from selfplay_core.categories import Texts
from selfplay_core.dataset.prompts import GivenPrompt
from selfplay_core.engine.again import Means
from selfplay_core.engine.asking import Asker
from selfplay_core.engine.backlog import Backlog, collect_backlog, resumable_run, toll_of_run
from selfplay_core.engine.bulletin import Board, Bulletin
from selfplay_core.engine.choosing import Chooser, Known, begin
from selfplay_core.engine.control import Control, Drained
from selfplay_core.engine.conversation import Speaker
from selfplay_core.engine.curriculum import Curriculum
from selfplay_core.engine.errands import Errands
from selfplay_core.engine.holding import end_ruled_out
from selfplay_core.engine.keeper import Keeper
from selfplay_core.engine.outage import Outage
from selfplay_core.engine.plan import RunPlan, fingerprint, plan_run, recorded_settings
from selfplay_core.engine.rounds import RoundWriter
from selfplay_core.engine.run import Run
from selfplay_core.engine.servers import Credentials, Model, World, open_model, open_world, sandbox_for
from selfplay_core.engine.solver import Solver
from selfplay_core.engine.surroundings import Surroundings
from selfplay_core.engine.watch import inspect_at_start, make_watch
from selfplay_core.events import Announce, DryRunStarted, RunEnded, RunStarted
from selfplay_core.exchange.rows import render
from selfplay_core.models import UNKNOWN_VERSION, workspace_kind
from selfplay_core.settings import Settings
from selfplay_core.store.bakeoffs import refuse_bakeoff
from selfplay_core.store.database import Database
from selfplay_core.store.denials import denials
from selfplay_core.store.projection import Projection
from selfplay_core.store.requests import newest_request
from selfplay_core.store.runs import (
    RunRecord,
    RunStatus,
    check_kind,
    end_run,
    refuse_second_generator,
    resume_run,
    start_run,
)
from selfplay_core.store.thread import AsyncStore, open_store

__all__ = ["Job", "dry_run", "generate", "plan_of"]

_SEED_BITS = 32
_SERVER_PATIENCE = 5.0


@dataclass(frozen=True, slots=True)
class Job:
    """What a person asked for, settled: settings, texts, places and secrets.

    `interactive`: a person is there to accept and to allow.
    """

    settings: Settings
    texts: Texts
    credentials: Credentials
    workspace: Path
    output: Path
    given: tuple[GivenPrompt, ...] | None = None
    new: bool = False
    interactive: bool = False


@dataclass(frozen=True, slots=True)
class _Chosen:
    """Which run this is: a new one, or an earlier one that goes on; `asked_before` is the last request before it."""

    record: RunRecord
    resumed: bool
    backlog: Backlog
    asked_before: int


async def generate(job: Job, control: Control, announce: Announce) -> RunEnded:
    """Make one run from the first check to the last row.

    Raises UsageError for a workspace or output that cannot be used, a `Fault` if the model or the server
    cannot be used at the start, StoreError if the disk says no.
    """
    async with AsyncExitStack() as stack:
        store = await stack.enter_async_context(open_store(job.workspace))
        await store.do(refuse_bakeoff)
        await store.do(refuse_second_generator)
        projection = await store.do(Projection, job.output, render)
        await store.do(lambda _: projection.check())
        sandbox = await stack.enter_async_context(sandbox_for(job.settings))
        world = await stack.enter_async_context(
            # A reviewer's desk holds the server for one request at a time.
            open_world(job.settings, job.credentials, sandbox, patience=_SERVER_PATIENCE)
        )
        model = await stack.enter_async_context(open_model(job.settings, job.credentials, sandbox))
        verify = job.settings.verify
        identity = await inspect_at_start(
            world.verifier, job.settings.world.players, allow_players=verify.allow_players
        )
        kind = workspace_kind(model.identity, identity)
        await store.do(check_kind, kind)
        plan, chosen = await _choose(job, store, world)
        board = Board(chosen.record.id, store, Bulletin(model.identity, identity))
        announce = board.hearing(announce)
        keeper = Keeper(store, projection, accept=plan.accept, announce=announce)
        known = await store.do(begin, chosen.record.id, model.identity.digest or model.identity.name)
        run = _assemble(job, plan, chosen, model, world, store, keeper, known, control, announce)
        announce(
            RunStarted(
                seed=plan.seed,
                rounds=plan.rounds,
                done_rounds=min(chosen.backlog.next_round, plan.rounds),
                leftovers=chosen.backlog.open_prompts,
                expected_prompts=chosen.backlog.open_prompts + plan.prompts_from(chosen.backlog.next_round),
                resumed=chosen.resumed,
                model=model.identity,
                world=identity,
            )
        )
        control.begin(plan.tuning, announce, resumed=chosen.resumed)
        status = RunStatus.INTERRUPTED
        try:
            async with board.kept():
                await keeper.project()
                ended = await run.execute()
            status = RunStatus(ended.status)
        finally:
            await store.do(end_run, chosen.record.id, status, time.time())
        return ended


async def dry_run(job: Job, control: Control, announce: Announce) -> None:
    """Let the model write the prompts of every round, and announce them; nothing else is touched."""
    async with sandbox_for(job.settings) as sandbox, open_model(job.settings, job.credentials, sandbox) as model:
        seed = job.settings.run.seed
        plan = plan_of(job, _draw_seed() if seed is None else seed)
        announce(DryRunStarted(plan.seed, plan.rounds, model.identity))
        asker = _asker(model, plan, control, announce)
        speaker = Speaker(plan.players, UNKNOWN_VERSION)
        writer = RoundWriter(
            asker=asker,
            texts=job.texts,
            speaker=speaker,
            plan=plan,
            chooser=_chooser(job, Known()),
            control=control,
            announce=announce,
        )
        try:
            for number in range(plan.rounds):
                if not await control.may_begin_round():
                    return
                await writer.write(number)
        except Drained:
            return


async def _choose(job: Job, store: AsyncStore, world: World) -> tuple[RunPlan, _Chosen]:
    """Find the run to go on with, or start one; from here on the workspace is ours to generate in."""
    wanted_seed = job.settings.run.seed
    plan = plan_of(job, _draw_seed() if wanted_seed is None else wanted_seed)
    print_of = fingerprint(job.settings, job.texts, job.given, plan)

    def choose(database: Database) -> _Chosen:
        asked_before = newest_request(database)
        found = None if job.new else resumable_run(database, print_of, wanted_seed)
        if found is not None:
            resume_run(database, found.id)
        record = found or RunRecord(
            id=secrets.token_hex(12),
            seed=plan.seed,
            fingerprint=print_of,
            rounds=plan.rounds,
            status=RunStatus.RUNNING,
            started_at=time.time(),
            settings=recorded_settings(job.settings, plan),
        )
        if found is None:
            start_run(database, record)
        end_ruled_out(database)
        backlog = collect_backlog(database, found, plan, everything=not job.new)
        return _Chosen(record, found is not None, backlog, asked_before)

    chosen = await store.do(choose)
    world.verifier.charge(await store.do(toll_of_run, chosen.record.id))
    for beginning in await store.do(denials, chosen.record.id):
        world.verifier.rule_out(beginning)
    return plan_of(job, chosen.record.seed), chosen


def _assemble(
    job: Job,
    plan: RunPlan,
    chosen: _Chosen,
    model: Model,
    world: World,
    store: AsyncStore,
    keeper: Keeper,
    known: Known,
    control: Control,
    announce: Announce,
) -> Run:
    asker = _asker(model, plan, control, announce)
    chooser = _chooser(job, known)
    speaker = Speaker(plan.players, world.verifier.identity.version or UNKNOWN_VERSION)
    means = Means(asker, lambda: nullcontext(world.verifier), job.texts, plan, model.identity)
    outage = Outage("The server", give_up=plan.give_up, control=control, announce=announce)
    return Run(
        chosen.record.id,
        plan=plan,
        backlog=chosen.backlog,
        asker=asker,
        writer=RoundWriter(
            asker=asker,
            texts=job.texts,
            speaker=speaker,
            plan=plan,
            chooser=chooser,
            control=control,
            announce=announce,
        ),
        curriculum=Curriculum(chosen.record.id, chooser, store, control, announce),
        solver=Solver(
            asker=asker,
            verifier=world.verifier,
            world_outage=outage,
            texts=job.texts,
            speaker=speaker,
            plan=plan,
            model=model.identity,
            control=control,
            announce=announce,
        ),
        surroundings=Surroundings(world.verifier, outage, probing=plan.execute == "probe"),
        watch=make_watch(world.verifier, plan, job.settings.verify, control=control, announce=announce),
        errands=Errands(chosen.record.id, store, world.verifier, means, control, asked_before=chosen.asked_before),
        keeper=keeper,
        store=store,
        control=control,
        announce=announce,
    )


def _chooser(job: Job, known: Known) -> Chooser:
    return Chooser(known, job.texts.cells, job.settings.run.sampler, job.settings.run.weights)


def _asker(model: Model, plan: RunPlan, control: Control, announce: Announce) -> Asker:
    outage = Outage("The model", give_up=plan.give_up, control=control, announce=announce)
    return Asker(model.chat, slots=plan.concurrency, outage=outage, control=control)


def plan_of(job: Job, seed: int) -> RunPlan:
    """Return the plan of a run of this job."""
    return plan_run(job.settings, seed=seed, given=job.given, interactive=job.interactive)


def _draw_seed() -> int:
    return secrets.randbits(_SEED_BITS)
