"""One more answer of the model on a trace that ended, because a person asks for it."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass, replace
from functools import partial
from typing import Final

from selfplay_core.categories import Texts
from selfplay_core.engine.answering import NO_COMMAND, attempt_of, what_is_open, what_went_wrong
from selfplay_core.engine.asking import Asker
from selfplay_core.engine.control import Drained
from selfplay_core.engine.conversation import messages_again
from selfplay_core.engine.plan import RETRY_TEMPERATURE, RunPlan
from selfplay_core.engine.seeds import request_seed
from selfplay_core.engine.slots import Urgency
from selfplay_core.errors import SelfplayError, ServerBusy, StoreError
from selfplay_core.judging import Finding, attempt_level, find, good_outcome
from selfplay_core.llm.base import ChatRequest
from selfplay_core.llm.replies import answer_schema
from selfplay_core.models import (
    AUTO,
    Action,
    Answer,
    Attempt,
    DecisionKind,
    ModelIdentity,
    Outcome,
    Trace,
    WorldIdentity,
    workspace_kind,
)
from selfplay_core.store.amendments import amend_trace
from selfplay_core.store.database import Database
from selfplay_core.store.listing import Example, example_of
from selfplay_core.store.runs import check_kind
from selfplay_core.store.thread import AsyncStore
from selfplay_core.verify.verifier import FaultCount, Verifier

__all__ = ["Again", "Asked", "Means", "ask_again", "why_not_again"]


@dataclass(frozen=True, slots=True)
class Again:
    """Which trace is to be answered anew: as the person saw it, with `seen` attempts; `within` is in seconds."""

    trace_id: str
    seen: int
    hint: str
    by: str
    within: float


@dataclass(frozen=True, slots=True)
class Asked:
    """The trace with its new attempt; `error` says why there is none.

    `held` says that the policy stood in the way of the answer, which was thrown away.
    """

    trace: Trace | None = None
    error: str = ""
    held: bool = False


@dataclass(frozen=True, slots=True)
class Means:
    """What answers and judges: the model and the world of a run, or of a desk of its own.

    `world` opens the server for as long as it is spoken to, so that nobody holds it while the model is awaited.
    """

    asker: Asker
    world: Callable[[], AbstractAsyncContextManager[Verifier]]
    texts: Texts
    plan: RunPlan
    model: ModelIdentity


# What a trace shows, more or less: the last attempt is what counts, so it never takes the place of a better one.
_WORTH: Final = {
    Outcome.ERRORED: 0,
    Outcome.BLOCKED: 0,
    Outcome.REFUSED: 0,
    Outcome.FAILED: 0,
    Outcome.UNPROVEN: 1,
    Outcome.CORRECTED: 2,
    Outcome.SOLVED: 2,
}


@dataclass(frozen=True, slots=True)
class _Outcome:
    """How the trace ends with its new attempt."""

    attempt: Attempt
    outcome: Outcome
    reason: str = ""
    world: WorldIdentity | None = None


async def ask_again(store: AsyncStore, means: Means, wish: Again) -> Asked:
    """Ask, verify and store; a fault of model or server changes nothing.

    Of all `SelfplayError`s it raises ServerBusy alone: whoever holds the server may be the one to ask.
    """
    try:
        before = await store.do(_answerable, wish)
        async with asyncio.timeout(wish.within):
            # A server that cannot be used is told before the model is asked for what nobody could verify.
            async with means.world() as verifier:
                await store.do(check_kind, workspace_kind(means.model, verifier.identity))
            found = await _answer(means, before, wish.hint)
        if isinstance(found, str):
            return Asked(error=found, held=True)
        if _WORTH[found.outcome] < _WORTH[before.outcome]:
            return Asked(error=f"The new answer is worse than the one that stands, and was not kept. {found.reason}")
        after = _with(before, found, means)
        await store.do(amend_trace, after, by=wish.by, at=time.time(), expected_attempts=wish.seen)
        return Asked(after)
    except ServerBusy:
        raise
    except SelfplayError as error:
        return Asked(error=str(error))
    except TimeoutError:
        return Asked(
            error=f"The model and the server needed more than {wish.within:.0f} s for this example. "
            "Nothing was changed. Try again when they are less busy."
        )
    except Drained:
        return Asked(error="The run is ending: the model was not asked again. Try again once it is over.")


def _answerable(database: Database, wish: Again) -> Trace:
    """Return the trace as it is stored; raises StoreError if it is not what the person saw, or not to be changed."""
    found = example_of(database, wish.trace_id)
    if found is None:
        raise StoreError(f"no such trace in this workspace: {wish.trace_id}. Ask again on one that is listed.")
    if why := why_not_again(found):
        raise StoreError(why)
    attempts = len(found.trace.attempts)
    if attempts != wish.seen:
        raise StoreError(
            f"somebody asked again meanwhile: #{found.number} has {attempts} attempts, "
            f"and {wish.seen} were seen. Look at it again, then ask."
        )
    return found.trace


def why_not_again(shown: Example) -> str:
    """Return why the model cannot be asked again about an example, blank if it can."""
    if shown.trace.outcome is Outcome.ERRORED or shown.trace.last is None:
        return f"#{shown.number} ended by a fault. The next run asks it anew by itself."
    decision = shown.standing.decision
    if decision is None or decision.kind not in (DecisionKind.ACCEPT, DecisionKind.EDIT):
        return ""
    by = "automatically" if decision.by == AUTO else f"by {decision.by}"
    return f"#{shown.number} is accepted, {by}, and its row may be out. Undo that, then ask again."


async def _answer(means: Means, before: Trace, hint: str) -> _Outcome | str:
    """Return the new attempt with what it makes of the trace, or why a person's permission is wanted first."""
    number = len(before.attempts) + 1
    request = ChatRequest(
        messages=messages_again(means.texts, before, hint),
        schema=answer_schema(before.prompt.mode),
        temperature=RETRY_TEMPERATURE,
        seed=0,
        max_tokens=means.plan.max_tokens,
    )
    seed_of = partial(request_seed, means.plan.seed, before.prompt.round, before.id, number)
    reply = await means.asker.ask(request, seed_of, Urgency.PERSON, patient=False)
    attempt = attempt_of(number, reply, before.prompt.mode, hint=hint)
    if attempt.answer is None or attempt.error is not None:
        return _Outcome(attempt, Outcome.FAILED, what_went_wrong(attempt))
    if not attempt.answer.commands:
        # Who refused twice has not been wrong in between: nothing was tried.
        outcome = Outcome.REFUSED if before.outcome is Outcome.REFUSED else Outcome.FAILED
        return _Outcome(attempt, outcome, NO_COMMAND)
    async with means.world() as verifier:
        return await _run(verifier, means.plan, before, attempt, attempt.answer)


async def _run(verifier: Verifier, plan: RunPlan, before: Trace, attempt: Attempt, answer: Answer) -> _Outcome | str:
    rulings = verifier.review(answer.commands)
    for ruling in rulings:
        if ruling.action is Action.DENY:
            return f"The policy denies the new answer, which was not run or kept. {ruling.reason} Give a hint, or edit."
    asking = next((ruling for ruling in rulings if ruling.action is Action.ASK), None)
    probe = plan.execute == "probe" or (asking is not None and plan.on_ask == "probe")
    if asking is not None and not probe:
        return f"The new answer needs permission, and was not run or kept. {asking.reason} Give a hint, or edit."
    results = await verifier.verify(answer.commands, faults=FaultCount(), probe=probe)
    judged, world = replace(attempt, results=results), verifier.identity
    match find(results, plan.meanings, earlier=before.attempts):
        case Finding.MISTAKEN:
            return _Outcome(judged, Outcome.FAILED, what_went_wrong(judged), world=world)
        case Finding.UNPROVEN:
            return _Outcome(judged, Outcome.UNPROVEN, what_is_open(results), world=world)
        case Finding.PROVEN:
            return _Outcome(judged, good_outcome(before.attempts, plan.meanings), world=world)


def _with(before: Trace, found: _Outcome, means: Means) -> Trace:
    """Return the trace as it ends now; who answered and who judged are those of the attempt that counts."""
    return replace(
        before,
        attempts=(*before.attempts, found.attempt),
        outcome=found.outcome,
        level=attempt_level(found.attempt),
        reason=found.reason,
        model=means.model,
        world=found.world or before.world,
    )
