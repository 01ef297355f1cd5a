"""A stream of bytes as lines, and the deadlines that it must keep."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Final

from selfplay_core.errors import ModelStalled, Unfinished

__all__ = ["Deadlines", "LineSplitter", "stalled_at"]

_LINE_BYTES: Final = 4 << 20


@dataclass(frozen=True, slots=True)
class Deadlines:
    """How long to wait, in seconds.

    `connect` for the connection, `first_byte` from the request to the first byte of its reply (queueing and
    loading the model included), `stall` between two chunks, `total` for the whole reply.
    """

    connect: float = 5.0
    first_byte: float = 300.0
    stall: float = 60.0
    total: float = 600.0


class LineSplitter:
    """Cuts chunks of bytes into lines at the byte 0x0A alone; raises Unfinished past a line's bound.

    Whatever else `str.splitlines` takes for a line break (U+2028, U+0085…) is data within JSON strings.
    """

    def __init__(self, limit: int = _LINE_BYTES) -> None:
        self._limit = limit
        self._begun: list[bytes] = []
        self._length = 0

    def feed(self, chunk: bytes) -> list[bytes]:
        """Return the lines that `chunk` completes, without their newline."""
        first, *others = chunk.split(b"\n")
        self._hold(first)
        lines: list[bytes] = []
        for part in others:
            lines.append(self.rest())
            self._hold(part)
        return lines

    def rest(self) -> bytes:
        """Return the line that was begun, and forget it."""
        line = b"".join(self._begun)
        self._begun.clear()
        self._length = 0
        return line

    def _hold(self, part: bytes) -> None:
        self._length += len(part)
        if self._length > self._limit:
            raise Unfinished(
                f"The model server sent more than {self._limit:,} bytes without a line break. "
                "Its reply was given up: check that the address is a model server's."
            )
        if part:
            self._begun.append(part)


@asynccontextmanager
async def stalled_at(when: float, text: str) -> AsyncIterator[None]:
    """Raise ModelStalled with `text` if the block still runs at loop time `when`."""
    try:
        async with asyncio.timeout_at(when) as scope:
            yield
    except TimeoutError as error:
        if scope.expired():
            raise ModelStalled(text) from error
        raise
