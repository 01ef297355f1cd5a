"""What a reviewer asks of the servers, whoever holds them."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import AbstractAsyncContextManager, AsyncExitStack, asynccontextmanager
from types import TracebackType
from typing import TYPE_CHECKING, Final, Self, TypeVar

from selfplay_core.engine.again import Again, Asked, Means, ask_again
from selfplay_core.engine.asking import Asker
from selfplay_core.engine.control import Control
from selfplay_core.engine.looking import Look, Looked, look
from selfplay_core.engine.outage import Outage
from selfplay_core.engine.relay import Kind, NoRun, nobody_answers, relay
from selfplay_core.engine.servers import Model, open_model, open_world, sandbox_for
from selfplay_core.engine.session import Job, plan_of
from selfplay_core.engine.watch import inspect_at_start
from selfplay_core.errors import SelfplayError, ServerBusy
from selfplay_core.events import Event
from selfplay_core.models import Trace, WorldKind
from selfplay_core.store.database import Database
from selfplay_core.store.runs import check_kind
from selfplay_core.store.thread import AsyncStore
from selfplay_core.verify.verifier import Verifier

if TYPE_CHECKING:
    from selfplay_core.sandbox.embedded import Sandbox

__all__ = ["Asked", "Desk", "Looked"]

T = TypeVar("T")

_GRACE: Final = 10.0
_BUSY_FOR: Final = 2.0
_TRY_AGAIN_AFTER: Final = 0.25


class Desk:
    """Asks the run of this workspace if one is going on, in whichever process, else opens the servers by itself.

    Nothing here raises a `SelfplayError`; every wait has a deadline; who is cancelled takes the request back.
    """

    def __init__(self, job: Job, store: AsyncStore) -> None:
        self._job = job
        self._store = store
        self._own = _OwnServers(job)
        rcon, llm = job.settings.rcon, job.settings.llm
        self._look_within = rcon.connect_seconds + 2 * rcon.command_seconds + _GRACE
        self._ask_within = llm.first_byte_seconds + llm.total_seconds + self._look_within

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.aclose()

    async def aclose(self) -> None:
        """Close what this desk has opened."""
        await self._own.aclose()

    async def verify(self, commands: Sequence[str], *, allowed_by_person: bool = False) -> Looked:
        """Run commands and judge them; `allowed_by_person` covers what the policy asks about, never what it denies.

        Under `run.execute = "probe"` they are only parsed.
        """
        return await self._look(Look(tuple(commands), False, allowed_by_person, self._look_within))

    async def probe(self, commands: Sequence[str]) -> Looked:
        """Let the server parse commands, and run nothing."""
        return await self._look(Look(tuple(commands), True, False, self._look_within))

    async def is_at_hand(self) -> bool:
        """Whether a server can be looked at without anybody being asked for a secret: a run's, or an own one."""
        if self._job.settings.world.kind == "sandbox" or self._job.credentials.rcon_password is not None:
            return True
        try:
            return await self._store.do(Database.is_generating)
        except SelfplayError:
            return False

    async def ask_again(self, trace: Trace, hint: str, *, by: str) -> Asked:
        """Let the model answer once more, knowing `hint` if it is not blank; what it answers is kept in the trace."""
        wish = Again(trace.id, len(trace.attempts), hint, by, self._ask_within)

        async def alone() -> Asked:
            async with self._own.model() as model:
                return await ask_again(self._store, _means(self._job, model, self._own.verifier), wish)

        return await self._through(Kind.AGAIN, wish, Asked, alone, lambda error: Asked(error=error), wish.within)

    async def _look(self, wish: Look) -> Looked:
        async def alone() -> Looked:
            kind = WorldKind.SANDBOX if self._job.settings.is_sandbox else WorldKind.REAL
            await self._store.do(check_kind, kind)
            async with self._own.verifier() as verifier:
                return await look(verifier, wish, only_probe=self._job.settings.run.execute == "probe")

        return await self._through(Kind.LOOK, wish, Looked, alone, lambda error: Looked(error=error), wish.within)

    async def _through(
        self,
        kind: Kind,
        wish: object,
        answer: type[T],
        alone: Callable[[], Awaitable[T]],
        failed: Callable[[str], T],
        within: float,
    ) -> T:
        """Have a wish fulfilled by the run, or alone; whoever fulfils it has a deadline of its own before ours."""
        patience = within + _GRACE
        try:
            async with asyncio.timeout(patience):
                return await self._by_either(kind, wish, answer, alone, patience)
        except SelfplayError as error:
            return failed(str(error))
        except TimeoutError:
            return failed(nobody_answers(patience))

    async def _by_either(
        self, kind: Kind, wish: object, answer: type[T], alone: Callable[[], Awaitable[T]], patience: float
    ) -> T:
        clock = asyncio.get_running_loop()
        give_up: float | None = None
        while True:
            try:
                return await relay(self._store, kind, wish, answer, patience=patience)
            except NoRun:
                pass
            try:
                return await alone()
            except ServerBusy:
                # A run holds the server a moment before it can be asked, and a moment after.
                give_up = give_up or clock.time() + _BUSY_FOR
                if clock.time() >= give_up:
                    raise
                await asyncio.sleep(_TRY_AGAIN_AFTER)


class _OwnServers:
    """The servers of a desk: the sandbox for the desk's life, a connection for one request at a time."""

    def __init__(self, job: Job) -> None:
        self._job = job
        self._stack = AsyncExitStack()
        self._starting = asyncio.Lock()
        self._in_use = asyncio.Lock()
        self._started = False
        self._sandbox: Sandbox | None = None

    @asynccontextmanager
    async def verifier(self) -> AsyncIterator[Verifier]:
        """Open the world as a run does, strangers and canaries included; raises what that raises."""
        settings = self._job.settings
        sandbox = await self._start()
        async with self._in_use, open_world(settings, self._job.credentials, sandbox) as world:
            await inspect_at_start(world.verifier, settings.world.players, allow_players=settings.verify.allow_players)
            yield world.verifier

    @asynccontextmanager
    async def model(self) -> AsyncIterator[Model]:
        """Connect to the model server; raises ModelUnreachable or ModelNotFound."""
        async with open_model(self._job.settings, self._job.credentials, await self._start()) as model:
            yield model

    async def aclose(self) -> None:
        """Stop the sandbox, if it was started."""
        await self._stack.aclose()

    async def _start(self) -> Sandbox | None:
        async with self._starting:
            if not self._started:
                self._sandbox = await self._stack.enter_async_context(sandbox_for(self._job.settings))
                self._started = True
            return self._sandbox


def _means(job: Job, model: Model, world: Callable[[], AbstractAsyncContextManager[Verifier]]) -> Means:
    plan = plan_of(job, job.settings.run.seed or 0)
    control = Control()
    outage = Outage("The model", give_up=plan.give_up, control=control, announce=_unheard)
    return Means(Asker(model.chat, slots=1, outage=outage, control=control), world, job.texts, plan, model.identity)


def _unheard(event: Event) -> None:
    """Nobody listens to a desk: it answers by itself."""
