"""How the RCON tests make clients, and look at what failed."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Coroutine

import pytest

from selfplay_core.verify.rcon import RconAddress, RconClient
from tests.servers.rcon import StrictRconServer

__all__ = ["cancelled", "client_of", "fault_of", "rcon_threads"]


def client_of(
    server: StrictRconServer,
    *,
    host: str = "127.0.0.1",
    password: str | None = None,
    tls_mode: int = 0,
    connect_seconds: float = 5.0,
    command_seconds: float = 5.0,
) -> RconClient:
    """Return a client of `server` that is not connected yet."""
    return RconClient(
        RconAddress(host, server.port, tls_mode),
        server.password if password is None else password,
        connect_seconds=connect_seconds,
        command_seconds=command_seconds,
    )


async def fault_of(attempt: Coroutine[object, object, object]) -> Exception:
    """Return what `attempt` raises; it may take ten seconds, far more than any deadline of a client here."""
    async with asyncio.timeout(10):
        with pytest.raises(Exception) as caught:  # noqa: PT011 - the caller looks at the type
            await attempt
    return caught.value


async def cancelled(task: asyncio.Task[object]) -> bool:
    """Cancel `task` and return whether it ended by that."""
    task.cancel()
    async with asyncio.timeout(5):
        await asyncio.wait([task])
    return task.cancelled()


def rcon_threads() -> list[threading.Thread]:
    """Return the threads of RCON connections that are alive."""
    return [thread for thread in threading.enumerate() if thread.name.startswith("rcon ")]
