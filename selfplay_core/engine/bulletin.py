"""What a run says of itself to other processes, and what can be known of a run that says nothing."""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from typing import Final, TypeVar

import msgspec

from selfplay_core.errors import StoreError
from selfplay_core.events import (
    Announce,
    Away,
    Back,
    Event,
    GateClosed,
    GateOpened,
    PromptsGrowAlike,
    RunPaused,
    RunResumed,
)
from selfplay_core.models import SANDBOX_NAME, ModelIdentity, WorldIdentity, WorldKind
from selfplay_core.store.bulletins import post_bulletin, posted_bulletin
from selfplay_core.store.codec import encode
from selfplay_core.store.database import Reader
from selfplay_core.store.rounds import last_round
from selfplay_core.store.runs import RunRecord, kind_of, last_run
from selfplay_core.store.thread import AsyncStore

__all__ = ["Absent", "Board", "Bulletin", "RunFacts", "facts_of_run"]

T = TypeVar("T")

_PAUSED: Final = "paused"

_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Absent:
    """A server that is away: why, since when, and when the next try is (seconds since the epoch)."""

    what: str
    reason: str
    since: float
    next_try: float


@dataclass(frozen=True, slots=True)
class Bulletin:
    """How a run stands: by which servers, why it pauses (blank: it does not), and which of them are away."""

    model: ModelIdentity
    world: WorldIdentity
    paused: str = ""
    absences: tuple[Absent, ...] = ()
    closed: tuple[GateClosed, ...] = ()
    alike: PromptsGrowAlike | None = None

    def after(self, event: Event, at: float) -> Bulletin:
        """Return what is to be said after an event that came at this time of day."""
        match event:
            case Away():
                absent = Absent(event.what, event.reason, at - event.since, at + event.retry_in)
                return replace(self, absences=(*self._without(event.what), absent))
            case Back():
                return replace(self, absences=self._without(event.what))
            case RunPaused():
                return replace(self, paused=event.reason or _PAUSED)
            case RunResumed():
                return replace(self, paused="")
            case GateClosed():
                return replace(self, closed=(*self._open(event.category), event))
            case GateOpened():
                return replace(self, closed=self._open(event.category))
            case PromptsGrowAlike():
                return replace(self, alike=event)
            case _:
                return self

    def _open(self, category: str) -> tuple[GateClosed, ...]:
        return tuple(gate for gate in self.closed if gate.category != category)

    def _without(self, what: str) -> tuple[Absent, ...]:
        return tuple(absent for absent in self.absences if absent.what != what)


class Board:
    """Keeps the bulletin of one run up to date in its workspace while `kept`."""

    def __init__(
        self, run_id: str, store: AsyncStore, bulletin: Bulletin, *, now: Callable[[], float] = time.time
    ) -> None:
        self._run_id = run_id
        self._store = store
        self._bulletin = bulletin
        self._now = now
        self._changed = asyncio.Event()

    def hearing(self, announce: Announce) -> Announce:
        """Return an `announce` that the board hears as well."""

        def hear(event: Event) -> None:
            bulletin = self._bulletin.after(event, self._now())
            if bulletin is not self._bulletin:
                self._bulletin = bulletin
                self._changed.set()
            announce(event)

        return hear

    @asynccontextmanager
    async def kept(self) -> AsyncIterator[None]:
        """Say at once how the run stands, and again whenever that changes, until the block ends."""
        await self._post()
        keeping = asyncio.create_task(self._keep())
        try:
            yield
        finally:
            keeping.cancel()
            await asyncio.wait([keeping])

    async def _keep(self) -> None:
        while True:
            await self._changed.wait()
            self._changed.clear()
            await self._post()

    async def _post(self) -> None:
        try:
            await self._store.do(post_bulletin, self._run_id, encode(self._bulletin))
        except StoreError as error:
            # Others see an older bulletin: no reason to end a run, which tells of a disk that says no by itself.
            _log.warning("What the run says of itself could not be left in the workspace: %s", error)


@dataclass(frozen=True, slots=True)
class RunFacts:
    """What a workspace tells of its newest run to a process that did not make it.

    `round` counts the rounds whose prompts are written. `bulletin` is None where the run said nothing.
    """

    model: ModelIdentity | None = None
    world: WorldIdentity | None = None
    round: int = 0
    rounds: int = 0
    bulletin: Bulletin | None = None


def facts_of_run(reader: Reader) -> RunFacts:
    """Return who answers and who judges, and how far it came.

    The servers are those that the run names, else those of the newest trace, else those of the run's settings.
    """
    with reader.snapshot():
        record = last_run(reader)
        if record is None:
            return RunFacts()
        newest = last_round(reader, record.id)
        done = 0 if newest is None else newest + 1
        said = _read(posted_bulletin(reader, record.id), Bulletin)
        if said is not None:
            return RunFacts(said.model, said.world, done, record.rounds, said)
        servers = _of_newest_trace(reader, record) or _of_settings(reader, record)
        return RunFacts(servers.model, servers.world, done, record.rounds)


class _Servers(msgspec.Struct):
    """What of a stored trace is of interest here."""

    model: ModelIdentity | None = None
    world: WorldIdentity | None = None


class _RecordedLlm(msgspec.Struct):
    kind: str = ""
    model: str = ""


class _RecordedWorld(msgspec.Struct):
    kind: str = ""


class _RecordedRcon(msgspec.Struct):
    host: str = ""
    port: int = 0


class _Recorded(msgspec.Struct):
    """The settings of a run, perhaps of another version: only what names its servers is of interest."""

    llm: _RecordedLlm = msgspec.field(default_factory=_RecordedLlm)
    world: _RecordedWorld = msgspec.field(default_factory=_RecordedWorld)
    rcon: _RecordedRcon = msgspec.field(default_factory=_RecordedRcon)


def _of_newest_trace(reader: Reader, record: RunRecord) -> _Servers | None:
    row = reader.row("SELECT payload, ended_at FROM trace ORDER BY n DESC LIMIT 1")
    # A trace of before the run may be by other servers.
    return _read(row[0], _Servers) if row is not None and row[1] >= record.started_at else None


def _of_settings(reader: Reader, record: RunRecord) -> _Servers:
    recorded = _read(record.settings, _Recorded) or _Recorded()
    llm, rcon = recorded.llm, recorded.rcon
    servers = _Servers()
    if llm.model or llm.kind:
        servers.model = ModelIdentity(llm.kind, llm.model or SANDBOX_NAME)
    if recorded.world.kind == "rcon":
        servers.world = WorldIdentity(WorldKind.REAL, f"{rcon.host}:{rcon.port}", "")
    elif recorded.world.kind or kind_of(reader) is WorldKind.SANDBOX:
        servers.world = WorldIdentity(WorldKind.SANDBOX, SANDBOX_NAME, "")
    return servers


def _read(payload: str | None, kind: type[T]) -> T | None:
    """Return what a payload holds; None where it cannot be read, which is for those to complain of who need it."""
    try:
        return None if payload is None else msgspec.json.decode(payload, type=kind)
    except msgspec.MsgspecError:
        return None
