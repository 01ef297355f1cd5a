"""Target: what comes from an RCON server, byte for byte, in any fragments."""

from __future__ import annotations

import random
import socket
import struct
import zlib
from collections.abc import Iterator

from selfplay_core.errors import CommandTooLong, ConnectionLost, LoginRefused, ProtocolViolation, ServerUnreachable
from selfplay_core.verify.address import RconAddress
from selfplay_core.verify.packets import MAX_COMMAND_BYTES, SMALLEST_PACKET, Kind, Secret, check_command, packed
from selfplay_core.verify.rcon import _Wire
from tests.fuzzing.laws import assert_shown

__all__ = ["rcon_command", "rcon_stream"]

_LOGIN_REQUEST, _COMMAND_REQUEST, _PROBE_REQUEST = 1, 2, 3
_FULL, _LARGEST = 4096, 16 * 1024
_SHORT = 600


def rcon_stream(data: bytes) -> None:
    """Whatever a server sends to a login and a command is the reply that the protocol says, or a fault."""
    expected = _by_the_protocol(data)
    for largest in (1 << 16, 0, *((1,) if len(data) <= _SHORT else ())):
        assert _heard(data, largest) == expected


def rcon_command(data: bytes) -> None:
    """A command that passes the check is carried whole in one read of the server's; any other is refused."""
    text = data.decode("utf-8", "surrogateescape")
    try:
        check_command(text)
    except (CommandTooLong, ValueError) as error:
        assert len(data) > MAX_COMMAND_BYTES or "\0" in text or not _is_utf8(text)
        assert_shown(str(error))
        return
    packet = packed(7, Kind.COMMAND, text)
    assert len(packet) <= 1460
    length, request, kind = struct.unpack_from("<iii", packet)
    assert (length, request, kind) == (len(packet) - 4, 7, Kind.COMMAND)
    assert packet[12:].split(b"\0")[0].decode() == text


def _is_utf8(text: str) -> bool:
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return True


class _Trickle(socket.socket):
    """One end of a pair that gives at most so many bytes at a time, 0 for a random number."""

    largest = 0
    dice = random.Random(0)

    def recv(self, size: int, flags: int = 0, /) -> bytes:
        return super().recv(min(size, self.largest or self.dice.randint(1, 40)), flags)


class _Connected(_Wire):
    """The wire, dialled to a server that has said everything already."""

    def __init__(self, data: bytes, largest: int) -> None:
        super().__init__(RconAddress("box", 25575), Secret("hunter2"), 5.0, 5.0)
        ours, theirs = socket.socketpair()
        self._ours = _Trickle(fileno=ours.detach())
        self._ours.largest, self._ours.dice = largest, random.Random(zlib.crc32(data))
        self.theirs = theirs
        theirs.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, 1 << 20)
        theirs.setblocking(False)
        self.sent = theirs.send(data) if data else 0
        theirs.shutdown(socket.SHUT_WR)

    def _dial(self) -> None:
        self._hold(self._ours)


def _heard(data: bytes, largest: int) -> str | type[Exception]:
    wire = _Connected(data, largest)
    assert wire.sent == len(data)
    try:
        wire.connect()
        return wire.command("list")
    except (ConnectionLost, LoginRefused, ProtocolViolation, ServerUnreachable) as fault:
        assert_shown(str(fault))
        return type(fault)
    finally:
        wire.disconnect()
        wire.theirs.close()


def _by_the_protocol(data: bytes) -> str | type[Exception]:
    """Read the same bytes by the protocol alone: a login's answer, fragments, and the end of a long reply."""
    packets = _packets(data)
    try:
        request, kind, body = next(packets)
        if kind == Kind.REPLY and not body:
            request, kind, body = next(packets)
    except StopIteration:
        return ServerUnreachable
    except ProtocolViolation:
        return ProtocolViolation
    if request == -1:
        return LoginRefused
    if (request, kind) != (_LOGIN_REQUEST, Kind.LOGIN_ANSWER):
        return ProtocolViolation
    try:
        return _reply(packets)
    except StopIteration:
        return ConnectionLost
    except (ProtocolViolation, UnicodeDecodeError):
        return ProtocolViolation


def _reply(packets: Iterator[tuple[int, int, bytes]]) -> str:
    reply = b""
    is_long = False
    while True:
        request, kind, body = next(packets)
        if kind != Kind.REPLY:
            raise ProtocolViolation
        if is_long and request == _PROBE_REQUEST:
            if body.startswith(b"Unknown request"):
                return reply.decode()
            raise ProtocolViolation
        if request != _COMMAND_REQUEST:
            raise ProtocolViolation
        reply += body
        is_long = is_long or len(body) >= _FULL
        if not is_long:
            return reply.decode()


def _packets(data: bytes) -> Iterator[tuple[int, int, bytes]]:
    at = 0
    while len(data) - at >= 4:
        (length,) = struct.unpack_from("<i", data, at)
        if not SMALLEST_PACKET <= length <= _LARGEST:
            raise ProtocolViolation
        if len(data) - at - 4 < length:
            return
        payload = data[at + 4 : at + 4 + length]
        if payload[-2:] != b"\0\0":
            raise ProtocolViolation
        request, kind = struct.unpack_from("<ii", payload)
        yield request, kind, payload[8:-2]
        at += 4 + length
