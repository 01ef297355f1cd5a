"""How much a run may do to a world, read from its commands before they are sent."""

from __future__ import annotations

import math
import time
from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Final

from selfplay_core.errors import CapReached
from selfplay_core.verify.breadth import box_volume, forks
from selfplay_core.verify.selection import edited_volumes
from selfplay_core.verify.unwrap import Call, readings, words

__all__ = ["Caps", "Meter", "Toll", "toll_of", "toll_of_all"]

_MINUTE: Final = 60.0
# Nobody knows beforehand how many a selector will find; what a round number of them costs is counted.
_FORKED: Final = 10
# A box of unknown size is as large as the game fills at once.
_LARGEST_FILL: Final = 32_768


@dataclass(frozen=True, slots=True)
class Caps:
    """The most that one run may do; None is without limit."""

    entities: int | None = None
    blocks: int | None = None
    commands_per_minute: int | None = None


@dataclass(frozen=True, slots=True)
class Toll:
    """What commands do to the world, as far as they say it themselves."""

    entities: int = 0
    blocks: int = 0

    def __add__(self, other: Toll) -> Toll:
        return Toll(self.entities + other.entities, self.blocks + other.blocks)


def toll_of(command: str) -> Toll:
    """Estimate what `command` summons and changes.

    Under `execute as|at` a selector that may find several counts as ten. WorldEdit's regions are not known
    here, and count as nothing.
    """
    reading = readings(command)[0]
    times = _FORKED ** sum(forks(selector) for selector in reading.forks)
    entities = times * (len(reading.summoned) + sum(call.name == "summon" for call in reading.calls))
    blocks = times * sum(_blocks(call) for call in reading.calls)
    return Toll(entities, blocks)


def toll_of_all(commands: Sequence[str]) -> Toll:
    """Estimate what the commands of one answer do, WorldEdit's region among them where the answer selects it."""
    edited = sum(int(volume) for volume in edited_volumes(commands) if not math.isinf(volume))
    return sum((toll_of(command) for command in commands), Toll(0, edited))


class Meter:
    """Counts what one run has done, and how fast."""

    def __init__(self, caps: Caps, *, clock: Callable[[], float] = time.monotonic) -> None:
        self._caps = caps
        self._clock = clock
        self._spent = Toll()
        self._sent: deque[float] = deque()

    def refuse_beyond(self, commands: Sequence[str]) -> None:
        """Raise CapReached if these commands would be too much."""
        spent = self._with(commands)
        for what, amount, cap in (
            ("entities summoned", spent.entities, self._caps.entities),
            ("blocks changed", spent.blocks, self._caps.blocks),
        ):
            if cap is not None and amount > cap:
                raise CapReached(f"The cap of {cap:,} {what} in one run is reached; [caps] in the settings holds it.")

    def pause_before(self, commands: int) -> float:
        """Return the seconds to wait before that many commands are sent, a minute at the most."""
        limit = self._caps.commands_per_minute
        if limit is None:
            return 0.0
        now = self._clock()
        while self._sent and now - self._sent[0] >= _MINUTE:
            self._sent.popleft()
        over = len(self._sent) + commands - limit
        return 0.0 if over <= 0 or not self._sent else self._sent[min(over, len(self._sent)) - 1] + _MINUTE - now

    def spend(self, command: str, *, before: Sequence[str] = ()) -> None:
        """Note that a command is being sent, after others of the same answer; what comes back does not undo it."""
        *_, edited = edited_volumes((*before, command))
        self._spent += toll_of(command) + Toll(0, 0 if math.isinf(edited) else int(edited))
        if self._caps.commands_per_minute is not None:
            self._sent.append(self._clock())

    def charge(self, toll: Toll) -> None:
        """Count what was done before this meter began."""
        self._spent += toll

    def _with(self, commands: Sequence[str]) -> Toll:
        return self._spent + toll_of_all(commands)


def _blocks(call: Call) -> int:
    if call.name == "setblock":
        return 1
    if call.name not in ("fill", "clone"):
        return 0
    args = words(call.rest.lower())
    volume = box_volume(args[2:8] if args[:1] == ["from"] else args[:6])
    if volume is None:
        return 0
    return _LARGEST_FILL if math.isinf(volume) else int(volume)
