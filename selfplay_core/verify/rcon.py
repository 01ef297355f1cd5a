"""The wire to a Minecraft server: mcrcon's client mended, with an async face.

The protocol as vanilla and Paper speak it: one read of at most 1460 bytes takes one whole packet, bytes that
follow in the same read are lost, and a reply longer than 4096 UTF-16 units comes in fragments without an end
mark. So the next packet is sent only after the reply to the last one, each in one write.
"""

from __future__ import annotations

import asyncio
import contextlib
import itertools
import select
import socket
import ssl
import struct
import threading
import time
from functools import partial
from types import TracebackType
from typing import NoReturn, Self, TypeVar

import mcrcon

from selfplay_core.errors import ConnectionLost, LoginRefused, NothingSent, ProtocolViolation
from selfplay_core.verify.address import RconAddress, unreachable
from selfplay_core.verify.packets import (
    MAX_COMMAND_BYTES,
    SMALLEST_PACKET,
    Kind,
    Packet,
    Secret,
    check_command,
    check_password,
    packed,
)
from selfplay_core.verify.worker import Worker

__all__ = ["MAX_COMMAND_BYTES", "RconAddress", "RconClient"]

# A fragment holds 4096 UTF-16 units, none of which takes less than a byte, so a full one is never shorter.
# Counting bytes also covers servers that cut at 4096 bytes.
_FULL_FRAGMENT_BYTES = 4096
# 4096 units of three bytes each, id, type and padding, and some slack for servers that cut elsewhere.
_LARGEST_PACKET = 16 * 1024
_PROBE_ANSWER = b"Unknown request"
_LARGEST_REPLY = 4 * 1024 * 1024

# What the resolver's thread may take beyond the deadline of its own before the caller stops waiting.
_GRACE_SECONDS = 0.25

_Link = TypeVar("_Link", bound=socket.socket)


class RconClient:
    """One connection to one server; requests go strictly one after another.

    After any fault the connection is closed and the next command needs `open()`. A wait that is cancelled
    closes it too, since the thread behind it cannot be cancelled. What the server was told may run all the
    same, and vanilla then adds its output to the first reply of the next connection.
    """

    def __init__(
        self,
        address: RconAddress,
        password: str,
        *,
        connect_seconds: float = 5.0,
        command_seconds: float = 30.0,
    ) -> None:
        self.address = address
        self._password = Secret(password)
        self._connect_seconds = connect_seconds
        self._command_seconds = command_seconds
        self._turn = asyncio.Lock()
        self._wire: _Wire | None = None
        self._worker: Worker | None = None
        self._logged_in = False

    def __repr__(self) -> str:
        return f"<RconClient {self.address} {'connected' if self.connected else 'closed'}>"

    async def __aenter__(self) -> Self:
        await self.open()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.aclose()

    @property
    def connected(self) -> bool:
        """Whether a login stands, no fault was seen since, and the server has not closed or spoken unasked.

        The loss of a server that says nothing more shows at the next command.
        """
        wire, worker = self._wire, self._worker
        return self._logged_in and wire is not None and worker is not None and worker.serving and wire.is_quiet()

    async def open(self) -> None:
        """Connect and log in, anew after a fault; does nothing while connected.

        Raises ServerUnreachable, LoginRefused or ProtocolViolation.
        """
        check_password(self.address, self._password)
        async with self._turn:
            if self.connected:
                return
            await self._end()
            wire = self._wire = _Wire(self.address, self._password, self._connect_seconds, self._command_seconds)
            worker = self._worker = Worker(wire, f"rcon {self.address}")
            try:
                async with asyncio.timeout(self._connect_seconds + _GRACE_SECONDS):
                    await worker.run(wire.connect)
            except TimeoutError as error:
                raise unreachable(self.address, error, self._connect_seconds) from None
            self._logged_in = True

    async def command(self, text: str) -> str:
        """Send one command and return the whole reply, verbatim.

        Raises CommandTooLong, or ValueError for text that no packet can carry, before anything is sent;
        NothingSent when the connection is gone, ConnectionLost or ProtocolViolation when it goes.
        """
        check_command(text)
        async with self._turn:
            wire, worker = self._wire, self._worker
            if wire is None or worker is None or not self.connected:
                raise NothingSent(
                    f"There is no connection to the RCON server {self.address}: "
                    "nothing was sent. Connect first, then send the command again."
                )
            return await worker.run(partial(wire.command, text))

    async def aclose(self) -> None:
        """Close the connection and wait for its thread; a command under way ends as ConnectionLost."""
        await self._end()

    async def _end(self) -> None:
        self._logged_in = False
        worker, self._worker = self._worker, None
        if worker is not None:
            worker.stop()
            await worker.join()


class _Wire(mcrcon.MCRcon):
    """One connection, spoken from one thread; only `abort` may be called from another.

    mcrcon's own constructor is not called: it takes over SIGALRM, which only the main thread may do.
    """

    def __init__(self, address: RconAddress, password: Secret, connect_seconds: float, command_seconds: float) -> None:
        self.address = address
        self.host = address.host
        self.port = address.port
        self.tlsmode = address.tls_mode
        self.password = password
        self.timeout = command_seconds
        self._connect_seconds = connect_seconds
        self._deadline = 0.0
        self._requests = itertools.count(1)
        self._aborted = False
        # Between closing a descriptor here and shutting it down there, it could become another's.
        self._guard = threading.Lock()

    def connect(self) -> None:
        """Connect, encrypt and log in, all within one deadline."""
        self._deadline = time.monotonic() + self._connect_seconds
        try:
            self._dial()
            if self.tlsmode > 0:
                self._encrypt()
            self._send(Kind.LOGIN, self.password)
        except (OSError, EOFError, ValueError) as error:  # ValueError: a host name of impossible form
            raise unreachable(self.address, error, self._connect_seconds) from error

    def command(self, command: str) -> str:
        """Send a command; without mcrcon's pause, which mended a server bug gone since 1.14.3."""
        self._deadline = time.monotonic() + self.timeout
        try:
            return self._send(Kind.COMMAND, command)
        except TimeoutError as error:
            raise ConnectionLost(
                f"The RCON server {self.address} did not finish its reply within {self.timeout:g} s, so the "
                "connection was closed. See whether the server hangs, then connect anew."
            ) from error
        except (OSError, EOFError) as error:
            raise ConnectionLost(
                f"The RCON connection to {self.address} was closed before the reply was whole. "
                "See whether the server was stopped, then connect anew."
            ) from error

    def disconnect(self) -> None:
        """Close the socket; harmless when there is none."""
        with self._guard:
            super().disconnect()

    def is_quiet(self) -> bool:
        """Whether nothing is there to be read while nobody asks: an end, or bytes that answer no request.

        Nothing is waited for. An encrypted connection is taken for quiet: it has bytes of its own.
        """
        with self._guard:
            if self.socket is None:
                return False
            if isinstance(self.socket, ssl.SSLSocket):
                return True
            poll = select.poll()
            poll.register(self.socket, select.POLLIN)
            return not poll.poll(0)

    def abort(self) -> None:
        """Make every wait of the thread fail at once, now and later; the thread itself closes the socket."""
        with self._guard:
            self._aborted = True
            if self.socket is not None:
                with contextlib.suppress(OSError):
                    # SSLSocket.shutdown takes the encryption away first; what the thread sends in that
                    # moment, perhaps the password, would go out in clear.
                    socket.socket.shutdown(self.socket, socket.SHUT_RDWR)

    def _dial(self) -> None:
        """Connect to the first address of the host that answers; each gets its share of the time left."""
        found = socket.getaddrinfo(self.host, self.port, type=socket.SOCK_STREAM)
        refusal = OSError("the name has no address")
        for tried, (family, kind, protocol, _, place) in enumerate(found):
            try:
                link = self._hold(socket.socket(family, kind, protocol))
                link.settimeout(self._time_left() / (len(found) - tried))
                link.connect(place)
                link.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            except OSError as error:
                refusal = error
                self.disconnect()
            else:
                return
        raise refusal

    def _encrypt(self) -> None:
        context = ssl.create_default_context()
        if self.tlsmode > 1:
            context.check_hostname = False
            context.verify_mode = ssl.CERT_NONE
        link = self._hold(context.wrap_socket(self._link(), server_hostname=self.host, do_handshake_on_connect=False))
        link.settimeout(self._time_left())
        link.do_handshake()

    def _hold(self, link: _Link) -> _Link:
        with self._guard:
            if self._aborted:
                link.close()
                raise EOFError
            self.socket = link
        return link

    def _link(self) -> socket.socket:
        link = self.socket
        if link is None or self._aborted:
            raise EOFError
        return link

    def _time_left(self) -> float:
        left = self._deadline - time.monotonic()
        if left <= 0:
            raise TimeoutError
        return left

    def _read(self, length: int) -> bytes:
        """Return exactly `length` bytes; raises EOFError at the end of the stream."""
        data = bytearray()
        while len(data) < length:
            link = self._link()
            link.settimeout(self._time_left())
            chunk = link.recv(length - len(data))
            if not chunk:
                raise EOFError
            data += chunk
        return bytes(data)

    def _send(self, out_type: int, out_data: str) -> str:
        """Send a login or a command and return what the server says to it, whole."""
        request = self._write(out_type, out_data)
        if out_type == Kind.LOGIN:
            self._await_login(request)
            return ""
        return self._collect(request)

    def _write(self, kind: int, body: str) -> int:
        """Send one packet in one write and return its id, new on this connection."""
        request = next(self._requests)
        link = self._link()
        link.settimeout(self._time_left())
        link.sendall(packed(request, kind, body))
        return request

    def _await_login(self, request: int) -> None:
        packet = self._receive()
        if packet.kind == Kind.REPLY and not packet.body:
            packet = self._receive()  # Source servers send an empty reply before the answer
        if packet.request == -1:
            raise LoginRefused(
                f"The RCON server {self.address} refused the password. "
                "Set SELFPLAY_RCON__PASSWORD to the rcon.password of its server.properties."
            )
        if packet.kind != Kind.LOGIN_ANSWER or packet.request != request:
            self._violated(f"answered the login with type {packet.kind} for request {packet.request}")

    def _collect(self, request: int) -> str:
        """Gather the fragments of a reply; only a full first fragment costs a probe for the end."""
        reply = bytearray()
        probe: int | None = None
        while True:
            packet = self._receive()
            if packet.kind != Kind.REPLY:
                self._violated(f"answered a command with a packet of type {packet.kind}")
            if packet.request == probe:
                if not packet.body.startswith(_PROBE_ANSWER):
                    self._violated("answered an unknown packet as if it knew it")
                return self._decoded(reply)
            if packet.request != request:
                self._violated(f"answered request {packet.request} when {request} was asked")
            reply += packet.body
            if len(reply) > _LARGEST_REPLY:
                self._violated(f"sent a reply of more than {_LARGEST_REPLY} bytes")
            if probe is None:
                if len(packet.body) < _FULL_FRAGMENT_BYTES:
                    return self._decoded(reply)
                probe = self._write(Kind.PROBE, "")

    def _receive(self) -> Packet:
        (length,) = struct.unpack("<i", self._read(4))
        if not SMALLEST_PACKET <= length <= _LARGEST_PACKET:
            self._violated(f"announced a packet of {length} bytes")
        payload = self._read(length)
        if payload[-2:] != b"\0\0":
            self._violated("sent a packet that does not end in two zero bytes")
        request, kind = struct.unpack_from("<ii", payload)
        return Packet(request, kind, payload[8:-2])

    def _decoded(self, reply: bytearray) -> str:
        """Decode the joined bytes: a server that cuts at bytes may cut within a character."""
        try:
            return reply.decode("utf-8")
        except UnicodeDecodeError as error:
            self._violated(f"sent a reply that is not UTF-8 at byte {error.start}")

    def _violated(self, what: str) -> NoReturn:
        raise ProtocolViolation(
            f"The RCON server {self.address} {what}, so the connection was closed. See that rcon.port leads "
            "to Minecraft itself and that no other program shares this connection, then connect anew."
        ) from None
