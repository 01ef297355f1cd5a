"""A server that is away: everybody waits for the same next try, and the run gives up in the end."""

from __future__ import annotations

import time
from collections.abc import Awaitable, Callable
from typing import TypeVar

from selfplay_core.engine.control import Control
from selfplay_core.errors import Fault, GaveUp, LoginRefused, ServerUnreachable
from selfplay_core.events import Announce, Away, Back

__all__ = ["Outage"]

T = TypeVar("T")

_FIRST_DELAY = 1.0
_LONGEST_DELAY = 30.0


class Outage:
    """The absences of one server: backoff from 1 to 30 s, shared by all who wait.

    `give_up` is in seconds and counts from the first failure after the latest success.
    """

    def __init__(
        self,
        what: str,
        *,
        give_up: float,
        control: Control,
        announce: Announce,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._what = what
        self._give_up = give_up
        self._control = control
        self._announce = announce
        self._clock = clock
        self._since: float | None = None
        self._failures = 0
        self._next_try = 0.0

    async def wait(self, fault: Fault) -> None:
        """Wait for the next try, which a person may hurry.

        Raises GaveUp when it has been too long, Drained when the run drains.
        """
        now = self._clock()
        if self._since is None:
            self._since = now
            self._failures = 0
            self._next_try = now
        if now >= self._next_try:
            self._plan_next_try(now, self._since, fault)
        if await self._control.wait_for_try(max(self._next_try - now, 0.0)):
            # Should this try fail as well, the one after it is planned from now on.
            self._next_try = self._clock()

    async def through(self, call: Callable[[], Awaitable[T]]) -> T:
        """Return what `call` returns, waiting as often as the Minecraft server is away."""
        while True:
            try:
                result = await call()
            except (ServerUnreachable, LoginRefused) as fault:
                await self.wait(fault)
            else:
                self.over()
                return result

    def over(self) -> None:
        """The server answered."""
        if self._since is not None:
            self._announce(Back(self._what, round(self._clock() - self._since, 1)))
            self._since = None

    def _plan_next_try(self, now: float, since: float, fault: Fault) -> None:
        left = since + self._give_up - now
        if left <= 0:
            raise GaveUp(
                f"{self._what} has been away for {now - since:.0f} s, longer than --give-up allows. "
                f"The latest try: {fault} Start again when it is back: the run goes on where it stopped."
            )
        delay = min(_FIRST_DELAY * 2**self._failures, _LONGEST_DELAY, left)
        self._failures += 1
        self._next_try = now + delay
        self._announce(Away(self._what, str(fault), round(delay, 1), round(now - since, 1)))
