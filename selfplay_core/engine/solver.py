"""One prompt, answered, verified and corrected until its trace ends."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from functools import partial

from selfplay_core.categories import Texts
from selfplay_core.engine.answering import NO_COMMAND, attempt_of, no_answer, what_is_open, what_went_wrong
from selfplay_core.engine.asking import Asker
from selfplay_core.engine.control import Control
from selfplay_core.engine.conversation import Speaker, answer_messages, system_prompt
from selfplay_core.engine.outage import Outage
from selfplay_core.engine.plan import ANSWER_TEMPERATURE, RETRY_TEMPERATURE, RunPlan
from selfplay_core.engine.seeds import request_seed
from selfplay_core.engine.slots import Urgency
from selfplay_core.errors import (
    ConnectionLost,
    Fault,
    ModelFault,
    ModelNotFound,
    ModelRefusedRequest,
    NoAnswer,
    ProtocolViolation,
)
from selfplay_core.events import Announce, AttemptJudged
from selfplay_core.judging import Finding, attempt_level, find, good_outcome
from selfplay_core.llm.base import ChatReply, ChatRequest
from selfplay_core.llm.replies import answer_schema
from selfplay_core.models import (
    Action,
    Answer,
    Attempt,
    CommandResult,
    Level,
    ModelIdentity,
    Outcome,
    Prompt,
    Trace,
)
from selfplay_core.verify.verifier import FaultCount, TooSoon, Verifier

__all__ = ["Held", "Solver"]


@dataclass(frozen=True, slots=True)
class Held:
    """An attempt that waits for a person: the trace so far, its last attempt not yet run."""

    trace: Trace
    command: str
    reason: str


@dataclass(slots=True)
class _Ending:
    """How a trace ends, once it does."""

    outcome: Outcome
    reason: str = ""
    held_command: str | None = None


@dataclass(slots=True)
class _Work:
    """A trace in the making."""

    trace_id: str
    prompt: Prompt
    system: str
    model: ModelIdentity
    attempts: list[Attempt] = field(default_factory=list)


class Solver:
    """Solves prompts for one run; holds no state of a single prompt.

    `heed_fault` is told by which fault a trace ends `errored`.
    """

    def __init__(
        self,
        *,
        asker: Asker,
        verifier: Verifier,
        world_outage: Outage,
        texts: Texts,
        speaker: Speaker,
        plan: RunPlan,
        model: ModelIdentity,
        control: Control,
        announce: Announce,
        heed_fault: Callable[[str, Fault], None] = lambda trace_id, fault: None,
    ) -> None:
        self._asker = asker
        self._verifier = verifier
        self._heed_fault = heed_fault
        self._world_outage = world_outage
        self._texts = texts
        self._speaker = speaker
        self._plan = plan
        self._model = model
        self._control = control
        self._announce = announce

    async def solve(self, trace_id: str, prompt: Prompt, *, seed: int | None = None) -> Trace | Held:
        """Return the ended trace, or what waits for a person.

        Faults of a server end in `errored`. Raises GaveUp when a server stays away, Drained when the run
        drains before the server is back, and ModelNotFound or ModelRefusedRequest from a model that has
        never answered.
        """
        work = _Work(trace_id, prompt, system_prompt(self._texts, self._speaker, prompt), self._model)
        return await self._solve(work, self._plan.seed if seed is None else seed, released=None)

    async def release(self, held: Trace, *, seed: int) -> Trace | Held:
        """Run the attempt that a person has allowed, and go on from there; ends and raises as `solve`."""
        work = _Work(held.id, held.prompt, held.system, held.model, list(held.attempts[:-1]))
        return await self._solve(work, seed, released=held.last)

    async def _solve(self, work: _Work, run_seed: int, *, released: Attempt | None) -> Trace | Held:
        try:
            ending = await self._attempts(work, run_seed, released)
        except (ModelFault, ConnectionLost, ProtocolViolation) as fault:
            if isinstance(fault, ModelNotFound | ModelRefusedRequest) and not self._asker.ever_answered:
                raise
            self._heed_fault(work.trace_id, fault)
            if isinstance(fault, NoAnswer):
                work.attempts.append(no_answer(len(work.attempts) + 1, fault))
            ending = _Ending(Outcome.ERRORED, str(fault))
        trace = self._trace(work, ending)
        if ending.held_command is not None:
            return Held(trace, ending.held_command, ending.reason)
        return trace

    async def _attempts(self, work: _Work, run_seed: int, released: Attempt | None) -> _Ending:
        if released is not None and released.answer is not None:
            ending = await self._run(work, released, released.answer, allowed_by_person=True)
            if ending is not None:
                return ending
        while (number := len(work.attempts) + 1) <= self._most_attempts():
            reply = await self._ask(work, run_seed, number)
            attempt = attempt_of(number, reply, work.prompt.mode)
            if attempt.answer is None or attempt.error is not None:
                self._keep(work, attempt)
                continue
            if not attempt.answer.commands:
                self._keep(work, attempt)
                return _Ending(Outcome.REFUSED if number == 1 else Outcome.FAILED, NO_COMMAND)
            ending = await self._run(work, attempt, attempt.answer)
            if ending is not None:
                return ending
        return _Ending(Outcome.FAILED, what_went_wrong(work.attempts[-1]))

    def _most_attempts(self) -> int:
        return 1 + (self._control.tuning or self._plan.tuning).max_retries

    async def _ask(self, work: _Work, run_seed: int, number: int) -> ChatReply:
        request = ChatRequest(
            messages=answer_messages(self._texts, work.system, work.prompt, work.attempts),
            schema=answer_schema(work.prompt.mode),
            temperature=ANSWER_TEMPERATURE if number == 1 else RETRY_TEMPERATURE,
            seed=0,
            max_tokens=self._plan.max_tokens,
        )
        seed_of = partial(request_seed, run_seed, work.prompt.round, work.prompt.slot, number)
        # A released attempt is its own run's model's; from here on this one answers.
        work.model = self._model
        return await self._asker.ask(request, seed_of, Urgency.ANSWERS)

    async def _run(
        self, work: _Work, attempt: Attempt, answer: Answer, *, allowed_by_person: bool = False
    ) -> _Ending | None:
        """Review and run the commands; None means that the model answers anew."""
        stop, probe = self._review(answer.commands, allowed_by_person=allowed_by_person)
        if stop is not None:
            self._keep(work, attempt)
            return stop
        try:
            results = await self._verify(answer.commands, probe=probe, allowed_by_person=allowed_by_person)
        except (ConnectionLost, ProtocolViolation) as fault:
            # What was sent may have run: it stays as evidence, and is no mistake.
            work.attempts.append(replace(attempt, error=str(fault)))
            raise
        earlier = tuple(work.attempts)
        self._keep(work, replace(attempt, results=results))
        match find(results, self._plan.meanings, earlier=earlier):
            case Finding.MISTAKEN:
                return None
            case Finding.UNPROVEN:
                return _Ending(Outcome.UNPROVEN, what_is_open(results))
            case Finding.PROVEN:
                return _Ending(good_outcome(earlier, self._plan.meanings))

    def _review(self, commands: tuple[str, ...], *, allowed_by_person: bool) -> tuple[_Ending | None, bool]:
        """Return why nothing may be sent, or None and whether to probe instead of running."""
        rulings = tuple(zip(commands, self._verifier.review(commands), strict=True))
        denied = next((ruling for _, ruling in rulings if ruling.action is Action.DENY), None)
        if denied is not None:
            return _Ending(Outcome.BLOCKED, denied.reason), False
        if self._plan.execute == "probe":
            return None, True
        for command, ruling in rulings:
            if ruling.action is Action.ASK and not allowed_by_person:
                match self._plan.on_ask:
                    case "probe":
                        return None, True
                    case "hold":
                        return _Ending(Outcome.BLOCKED, ruling.reason, held_command=command), False
                    case "deny":
                        return _Ending(Outcome.BLOCKED, f"Nobody is here to ask. {ruling.reason}"), False
        return None, False

    async def _verify(
        self, commands: tuple[str, ...], *, probe: bool, allowed_by_person: bool
    ) -> tuple[CommandResult, ...]:
        faults = FaultCount()
        while True:
            try:
                return await self._world_outage.through(
                    lambda: self._verifier.verify(
                        commands, faults=faults, probe=probe, allowed_by_person=allowed_by_person
                    )
                )
            except TooSoon as soon:
                await self._control.wait(soon.seconds)

    def _keep(self, work: _Work, attempt: Attempt) -> None:
        work.attempts.append(attempt)
        self._announce(AttemptJudged(work.trace_id, attempt))

    def _trace(self, work: _Work, ending: _Ending) -> Trace:
        attempts = tuple(work.attempts)
        reached = ending.outcome not in (Outcome.BLOCKED, Outcome.ERRORED)
        return Trace(
            id=work.trace_id,
            prompt=work.prompt,
            attempts=attempts,
            outcome=ending.outcome,
            level=attempt_level(attempts[-1]) if attempts and reached else Level.NONE,
            reason=ending.reason,
            system=work.system,
            model=work.model,
            world=self._verifier.identity,
            parameters={
                "answer_temperature": ANSWER_TEMPERATURE,
                "retry_temperature": RETRY_TEMPERATURE,
                "max_tokens": self._plan.max_tokens,
            },
        )
