"""One connection per Minecraft server across all processes of this machine: a lock file per server.

Vanilla keeps one reply buffer for all RCON connections, so two clients at once would read each
other's replies.
"""

from __future__ import annotations

import contextlib
import fcntl
import hashlib
import ipaddress
import os
import socket
from pathlib import Path
from types import TracebackType
from typing import Self
from urllib.parse import quote

import platformdirs

from selfplay_core.errors import ServerBusy, UsageError
from selfplay_core.text import clip, one_line

__all__ = ["ServerLock", "lock_name"]

_LONGEST_NAME = 200
_PID_BYTES = 20


class ServerLock:
    """The right to speak to one server; the kernel takes it back when the process dies.

    The file stays behind when the lock is released: removing it would let two holders in, one on each file.
    """

    def __init__(self, host: str, port: int, *, folder: Path | None = None) -> None:
        self._host = host
        self._port = port
        self._folder = folder or platformdirs.user_state_path("selfplay-tui") / "servers"
        self._descriptor: int | None = None

    def __enter__(self) -> Self:
        self.acquire()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.release()

    @property
    def held(self) -> bool:
        return self._descriptor is not None

    def acquire(self) -> None:
        """Take the lock or raise ServerBusy at once; does nothing while held.

        Resolves the host's name, which may block: on an event loop, call it in a thread.
        Raises UsageError when the lock file cannot be made.
        """
        if self.held:
            return
        path = self._folder / lock_name(self._host, self._port)
        try:
            self._folder.mkdir(parents=True, exist_ok=True)
            # Symbolic links are not followed: the holder's pid is written over what the file held.
            descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC | os.O_NOFOLLOW, 0o600)
            try:
                self._lock(descriptor)
            except BaseException:
                os.close(descriptor)
                raise
        except OSError as error:
            raise UsageError(
                f"The lock file {path} cannot be used: {error.strerror}. "
                "Make its folder writable, or set XDG_STATE_HOME to one that is."
            ) from error
        self._descriptor = descriptor

    def release(self) -> None:
        """Give the lock back; harmless when not held."""
        descriptor, self._descriptor = self._descriptor, None
        if descriptor is not None:
            os.close(descriptor)

    def _lock(self, descriptor: int) -> None:
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise ServerBusy(
                f"The RCON server {clip(one_line(self._host), 100)}:{self._port} is in use by "
                f"{_holder(descriptor)} on this machine. Stop that one, or wait until it is done."
            ) from None
        os.ftruncate(descriptor, 0)
        os.pwrite(descriptor, f"{os.getpid()}\n".encode(), 0)


def lock_name(host: str, port: int) -> str:
    """Return the lock file's name, the same for every name of the same address.

    A host with several addresses goes by its least one, IPv4 first, since resolvers change their order.
    One that does not resolve goes by its name in lower case.
    """
    name = host.strip().rstrip(".").lower()
    with contextlib.suppress(OSError, ValueError):  # ValueError: a name of impossible form
        found = socket.getaddrinfo(name, port, type=socket.SOCK_STREAM)
        name = str(min((_address(str(place[0])) for *_, place in found), key=_rank))
    safe = quote(name, safe="", errors="surrogatepass")
    if len(safe) > _LONGEST_NAME:
        safe = hashlib.sha256(safe.encode()).hexdigest()
    return f"{safe}_{port}.lock"


def _address(text: str) -> ipaddress.IPv4Address | ipaddress.IPv6Address:
    address = ipaddress.ip_address(text)
    if address.is_unspecified:
        # Connecting to "any address" reaches this machine itself.
        return ipaddress.ip_address("127.0.0.1")
    mapped = address.ipv4_mapped if isinstance(address, ipaddress.IPv6Address) else None
    return mapped or address


def _rank(address: ipaddress.IPv4Address | ipaddress.IPv6Address) -> tuple[int, bytes]:
    return address.version, address.packed


def _holder(descriptor: int) -> str:
    # A holder writes its pid a moment after it has the lock: until then the file may name the one before.
    pid = os.pread(descriptor, _PID_BYTES, 0).strip()
    return f"process {pid.decode()}" if pid.isdigit() else "another process"
