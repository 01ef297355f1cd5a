"""What runs on the server before and after every round."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable
from typing import Final

from selfplay_core.engine.outage import Outage
from selfplay_core.errors import ConnectionLost, ProtocolViolation
from selfplay_core.verify.verifier import Verifier

__all__ = ["Surroundings"]

_TRIES: Final = 3

_log = logging.getLogger(__name__)


class Surroundings:
    """Sets each round of each run up before its first prompt, whoever comes first, and cleans up after its last."""

    def __init__(self, verifier: Verifier, outage: Outage, *, probing: bool = False) -> None:
        self._verifier = verifier
        self._probing = probing
        self._outage = outage
        self._begun: set[tuple[str, int]] = set()
        self._one_at_a_time = asyncio.Lock()

    async def begin_round(self, run_id: str, number: int) -> None:
        """Set the round up, once; waits while the server is away."""
        async with self._one_at_a_time:
            if (run_id, number) not in self._begun:
                await self._whole(self._verifier.begin_round)
                self._begun.add((run_id, number))

    async def end_round(self, run_id: str, number: int) -> None:
        """Clean up; waits while the server is away. What comes back to the round sets it up again."""
        self._begun.discard((run_id, number))
        await self._whole(self._verifier.end_round)

    async def _whole(self, commands: Callable[[], Awaitable[None]]) -> None:
        """Run all the commands, again from the first if a connection was lost among them; probing runs nothing."""
        if self._probing:
            return None
        for _ in range(_TRIES):
            try:
                return await self._outage.through(commands)
            except (ConnectionLost, ProtocolViolation) as fault:
                _log.warning("Commands of [world] around a round were cut short: %s", fault)
        return None
