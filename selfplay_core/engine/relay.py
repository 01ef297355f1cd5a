"""A request to the run that holds the servers, left in the workspace and waited for."""

from __future__ import annotations

import asyncio
import time
from enum import StrEnum
from typing import Final, TypeVar

from selfplay_core.store.codec import decode, encode
from selfplay_core.store.database import Database
from selfplay_core.store.requests import answer_of, ask, withdraw
from selfplay_core.store.thread import AsyncStore

__all__ = ["Kind", "NoRun", "nobody_answers", "relay"]

T = TypeVar("T")

_LOOK_EVERY: Final = 0.05
_LOOK_FOR_RUN_EVERY: Final = 1.0


class Kind(StrEnum):
    """What a run can be asked to do."""

    INSPECT = "inspect"
    LOOK = "look"
    AGAIN = "again"
    STEER = "steer"


class NoRun(Exception):
    """Raised when no run is going on in the workspace, or it ended without an answer."""


async def relay(store: AsyncStore, kind: Kind, wish: object, answer: type[T], *, patience: float) -> T:
    """Return what the run answers, as an `answer`; a caller that is cancelled takes its request back.

    Raises NoRun, TimeoutError after `patience` seconds, and StoreError if the answer cannot be read.
    """
    if not await store.do(_is_generating):
        raise NoRun
    request_id = await store.do(ask, kind, encode(wish), time.time())
    try:
        async with asyncio.timeout(patience):
            said = await _answered(store, request_id)
    finally:
        # Not to be cut short by a cancellation: the run would go on with what nobody waits for.
        await asyncio.shield(store.do(withdraw, request_id))
    return decode(said, answer, "the answer of the run")


def nobody_answers(patience: float) -> str:
    """Return what to tell a person after a TimeoutError."""
    return (
        f"The run that holds this workspace did not answer within {patience:.0f} s. "
        "It may be ending, or hang. Try again, or look at its process."
    )


async def _answered(store: AsyncStore, request_id: int) -> str:
    looks = 0
    # Another process answers: there is nothing to wait on but the clock.
    while (said := await store.do(answer_of, request_id)) is None:
        looks += 1
        if looks * _LOOK_EVERY >= _LOOK_FOR_RUN_EVERY:
            looks = 0
            if not await store.do(_is_generating):
                # It may have answered just before its end.
                said = await store.do(answer_of, request_id)
                if said is None:
                    raise NoRun
                return said
        await asyncio.sleep(_LOOK_EVERY)
    return said


def _is_generating(database: Database) -> bool:
    return database.is_generating()
