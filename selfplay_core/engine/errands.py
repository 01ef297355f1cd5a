"""What other processes of this machine ask of the run that holds the server (law 8)."""

from __future__ import annotations

import asyncio
import time
from typing import Final

import msgspec

from selfplay_core.engine.control import Control, Drained
from selfplay_core.errors import SelfplayError
from selfplay_core.models import WorldIdentity
from selfplay_core.store.requests import Request, answer, answer_of, ask, open_requests, withdraw
from selfplay_core.store.thread import AsyncStore
from selfplay_core.verify.verifier import Verifier

__all__ = ["Errands", "Inspected", "ask_for_inspection"]

_INSPECT: Final = "inspect"
_LOOK_EVERY: Final = 0.25
_FORGOTTEN_AFTER: Final = 300.0


class Inspected(msgspec.Struct, frozen=True):
    """What an inspection brought: who the server is, or why it could not be trusted."""

    identity: WorldIdentity | None = None
    error: str = ""


class Errands:
    """Looks for requests while a run goes on, and answers them."""

    def __init__(self, store: AsyncStore, verifier: Verifier, control: Control) -> None:
        self._store = store
        self._verifier = verifier
        self._control = control

    async def serve(self) -> None:
        """Serve until the run drains."""
        seen = -1
        try:
            while True:
                version = await self._store.do(lambda database: database.data_version())
                if version != seen:
                    seen = version
                    for request in await self._store.do(open_requests):
                        await self._do(request)
                await self._control.wait(_LOOK_EVERY)
        except Drained:
            return

    async def _do(self, request: Request) -> None:
        if time.time() - request.asked_at > _FORGOTTEN_AFTER:
            await self._store.do(withdraw, request.id)
        elif request.kind == _INSPECT:
            said = msgspec.json.encode(await self._inspect()).decode()
            await self._store.do(answer, request.id, said)

    async def _inspect(self) -> Inspected:
        try:
            return Inspected(identity=await self._verifier.inspect())
        except SelfplayError as error:
            return Inspected(error=str(error))


async def ask_for_inspection(store: AsyncStore, *, patience: float) -> Inspected | None:
    """Let the run that holds the server look at it; None if nobody answers within `patience` seconds."""
    request_id = await store.do(ask, _INSPECT, "", time.time())
    try:
        async with asyncio.timeout(patience):
            # Another process answers: there is nothing to wait on but the clock.
            while (said := await store.do(answer_of, request_id)) is None:  # noqa: ASYNC110
                await asyncio.sleep(_LOOK_EVERY)
    except TimeoutError:
        return None
    finally:
        await store.do(withdraw, request_id)
    return msgspec.json.decode(said, type=Inspected)
