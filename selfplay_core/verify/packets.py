"""One RCON packet: its kinds, its bytes, and what its body can carry."""

from __future__ import annotations

import struct
from typing import NamedTuple

from selfplay_core.errors import CommandTooLong, LoginRefused
from selfplay_core.text import clip, one_line
from selfplay_core.verify.address import RconAddress

__all__ = [
    "MAX_COMMAND_BYTES",
    "SMALLEST_PACKET",
    "Kind",
    "Packet",
    "Secret",
    "check_command",
    "check_password",
    "packed",
]

MAX_COMMAND_BYTES = 1446
"""The longest body that the server's one read of 1460 bytes can hold, in UTF-8 bytes."""

SMALLEST_PACKET = 10
"""What the size field counts beside the body: id, type and two zero bytes."""


class Kind:
    """The types of packets; a command and the answer to a login share a number.

    PROBE is a type that no server knows: it is answered at once with "Unknown request 64". An empty command
    would not do, since Paper before 1.21.4 build 180 throws on it.
    """

    REPLY = 0
    COMMAND = 2
    LOGIN = 3
    LOGIN_ANSWER = 2
    PROBE = 100


class Secret(str):
    """A password that does not show in tracebacks that print local variables."""

    __slots__ = ()

    def __repr__(self) -> str:
        return "<secret>"


class Packet(NamedTuple):
    """What came in one packet; `request` is the id of the request that it answers, or -1."""

    request: int
    kind: int
    body: bytes


def packed(request: int, kind: int, body: str) -> bytes:
    """Return the bytes of one packet; `body` has passed `check_command` or `check_password`."""
    data = body.encode("utf-8")
    return struct.pack("<iii", len(data) + SMALLEST_PACKET, request, kind) + data + b"\0\0"


def check_password(address: RconAddress, password: str) -> None:
    """Raise LoginRefused for a password that no packet can carry."""
    try:
        sendable = len(password.encode("utf-8")) <= MAX_COMMAND_BYTES and "\0" not in password
    except UnicodeEncodeError:
        sendable = False
    if not sendable:
        raise LoginRefused(
            f"The password for the RCON server {address} is none that a server can read: it must be valid "
            f"UTF-8 of at most {MAX_COMMAND_BYTES} bytes. Set SELFPLAY_RCON__PASSWORD anew."
        )


def check_command(text: str) -> None:
    """Raise CommandTooLong, or ValueError for text that no packet can carry as it is."""
    shown = clip(one_line(text), 60)
    try:
        size = len(text.encode("utf-8"))
    except UnicodeEncodeError as error:
        raise ValueError(f"the command {shown!r} holds half a character at {error.start}: write it without") from None
    if "\0" in text:
        # The server reads up to the first zero byte and would run another command than the one judged.
        raise ValueError(f"the command {shown!r} holds a zero character: write it without")
    if size > MAX_COMMAND_BYTES:
        raise CommandTooLong(
            f"The command {shown!r} is {size} bytes long, but the server reads at most {MAX_COMMAND_BYTES}: "
            "make it shorter, or split it into several commands."
        )
