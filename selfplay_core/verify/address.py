"""Where a server's RCON listens, and what to tell a person when nobody can be reached there."""

from __future__ import annotations

import socket
import ssl
from dataclasses import dataclass

from selfplay_core.errors import ServerUnreachable
from selfplay_core.text import clip, one_line

__all__ = ["RconAddress", "unreachable"]


@dataclass(frozen=True, slots=True)
class RconAddress:
    """Where a server's RCON listens; `tls_mode` is mcrcon's: 0 none, 1 verified, 2 not verified."""

    host: str
    port: int
    tls_mode: int = 0

    def __post_init__(self) -> None:
        if not self.host.strip():
            raise ValueError("the RCON host is blank: give a host name or an IP address")
        if not 1 <= self.port <= 65535:
            raise ValueError(f"the RCON port {self.port} is out of range: give one of 1 to 65535")
        if self.tls_mode not in (0, 1, 2):
            raise ValueError(f"the RCON TLS mode {self.tls_mode} is unknown: give 0, 1 or 2")

    def __str__(self) -> str:
        host = f"[{self.host}]" if ":" in self.host else self.host
        return f"{one_line(host)}:{self.port}"


def unreachable(address: RconAddress, error: Exception, seconds: float) -> ServerUnreachable:
    """Return the fault for an `error` met before the login was through, with `seconds` as the deadline."""
    what, do = _explained(error, seconds)
    return ServerUnreachable(f"Cannot connect to the RCON server {address}: {what}. {do}")


def _explained(error: Exception, seconds: float) -> tuple[str, str]:
    """Return what went wrong before the login was through, and what to do now."""
    match error:
        case ssl.SSLCertVerificationError():
            return (
                f"its certificate is not trusted ({clip(one_line(error.verify_message), 80)})",
                "Trust that certificate on this machine, or use TLS mode 2, which does not verify it.",
            )
        case ssl.SSLError():
            return "it does not speak TLS as asked", "Use TLS mode 0 unless a TLS proxy stands before it."
        case socket.gaierror() | ValueError():
            return "the host name cannot be resolved", "Check the host name and this machine's network."
        case TimeoutError():
            return (
                f"no answer within {seconds:g} s",
                "Check host, port and firewall, and see whether the server is still starting.",
            )
        case ConnectionRefusedError():
            return (
                "nothing listens there",
                "Start the server with enable-rcon=true and a password, or correct host and port.",
            )
        case EOFError() | ConnectionError():
            return (
                "it closed the connection before answering the login",
                "Wait if it is starting; otherwise see that this is its rcon.port, and whether it wants TLS.",
            )
        case OSError():
            return f"{one_line(error.strerror or 'unknown network error')}", "Check this machine's network."
        case _:
            return type(error).__name__, "Check host and port."
