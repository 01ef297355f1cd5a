"""What comes to a run through its workspace: requests of other processes (law 8), and what persons ruled."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from typing import Final, TypeVar

import msgspec

from selfplay_core.engine.again import Again, Means, ask_again
from selfplay_core.engine.backlog import released_items
from selfplay_core.engine.control import Control
from selfplay_core.engine.holding import end_ruled_out
from selfplay_core.engine.looking import Look, look
from selfplay_core.engine.queue import WorkItem
from selfplay_core.engine.relay import Kind, NoRun, relay
from selfplay_core.engine.steering import Steer, steered
from selfplay_core.errors import SelfplayError
from selfplay_core.models import WorldIdentity
from selfplay_core.store.codec import encode
from selfplay_core.store.database import Database
from selfplay_core.store.denials import denials
from selfplay_core.store.requests import Request, answer, open_requests, withdraw
from selfplay_core.store.thread import AsyncStore
from selfplay_core.verify.verifier import Verifier

__all__ = ["Errands", "Inspected", "ask_for_inspection"]

_LOOK_EVERY: Final = 0.25
_LOOK_AT_HELD_EVERY: Final = 60.0

TakeUp = Callable[[Sequence[WorkItem]], Awaitable[None]]

T = TypeVar("T")

_log = logging.getLogger(__name__)


class Inspected(msgspec.Struct, frozen=True):
    """What an inspection brought: who the server is, or why it could not be trusted."""

    identity: WorldIdentity | None = None
    error: str = ""


@dataclass(frozen=True, slots=True)
class _News:
    """What stands in the workspace for a run to see."""

    requests: tuple[Request, ...]
    denials: tuple[str, ...]
    released: tuple[WorkItem, ...]


class Errands:
    """Looks into the workspace while a run goes on, and does what is wanted, all of it at once."""

    def __init__(
        self,
        run_id: str,
        store: AsyncStore,
        verifier: Verifier,
        means: Means,
        control: Control,
        *,
        asked_before: int,
    ) -> None:
        """`asked_before` is the last request of before this run."""
        self._run_id = run_id
        self._store = store
        self._verifier = verifier
        self._means = means
        self._control = control
        self._serving: dict[int, asyncio.Task[None]] = {}
        # By number: the clock of the machine may be set back while the run goes on.
        self._asked_before = asked_before

    async def serve(self, take_up: TakeUp) -> None:
        """Serve until cancelled, also while the run drains; `take_up` gets what persons have allowed to run."""
        seen, clock = -1, asyncio.get_running_loop()
        looked_at_held = clock.time()
        async with asyncio.TaskGroup() as group:
            while True:
                version = await self._store.do(_version)
                due = clock.time() - looked_at_held >= _LOOK_AT_HELD_EVERY
                if version != seen or due:
                    seen, looked_at_held = version, clock.time()
                    await self._see(await self._store.do(_news, self._run_id), group, take_up)
                await asyncio.sleep(_LOOK_EVERY)

    async def _see(self, news: _News, group: asyncio.TaskGroup, take_up: TakeUp) -> None:
        for beginning in news.denials:
            self._verifier.rule_out(beginning)
        await take_up(news.released)
        wanted = {request.id: request for request in news.requests}
        for number, task in self._serving.items():
            if number not in wanted:
                task.cancel()
        for number, request in wanted.items():
            if number not in self._serving:
                self._serving[number] = group.create_task(self._serve(request))

    async def _serve(self, request: Request) -> None:
        try:
            if request.id <= self._asked_before:
                # Asked of a run before this one: nobody waits for it any more, or somebody asks this one anew.
                await self._store.do(withdraw, request.id)
            elif (said := await self._answer(request)) is not None:
                await self._store.do(answer, request.id, encode(said))
        except msgspec.MsgspecError:
            # Another version of ours wrote it: whoever asks is told nothing, and says so at its deadline.
            _log.warning("A request of kind %r cannot be read, and is left unanswered", request.kind)
        finally:
            del self._serving[request.id]

    async def _answer(self, request: Request) -> object | None:
        means = self._means
        match request.kind:
            case Kind.LOOK:
                return await look(self._verifier, _wish(request, Look), only_probe=means.plan.execute == "probe")
            case Kind.AGAIN:
                return await ask_again(self._store, means, _wish(request, Again))
            case Kind.INSPECT:
                return await self._inspect()
            case Kind.STEER:
                return steered(self._control, _wish(request, Steer))
            case _:
                return None

    async def _inspect(self) -> Inspected:
        try:
            return Inspected(identity=await self._verifier.inspect())
        except SelfplayError as error:
            return Inspected(error=str(error))


async def ask_for_inspection(store: AsyncStore, *, patience: float) -> Inspected | None:
    """Let the run that holds the server look at it; None if nobody answers within `patience` seconds."""
    try:
        return await relay(store, Kind.INSPECT, None, Inspected, patience=patience)
    except (NoRun, TimeoutError):
        return None


def _wish(request: Request, kind: type[T]) -> T:
    return msgspec.json.decode(request.payload, type=kind)


def _version(database: Database) -> int:
    return database.data_version()


def _news(database: Database, run_id: str) -> _News:
    end_ruled_out(database)
    return _News(tuple(open_requests(database)), denials(database, run_id), tuple(released_items(database)))
