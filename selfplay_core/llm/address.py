"""The address of a model server, from any form in which people write it."""

from __future__ import annotations

import ipaddress
import re
from typing import Final

from selfplay_core.errors import SettingsError
from selfplay_core.text import clip, one_line

__all__ = ["normalise_url"]

_PORT_OF: Final = {"http": 80, "https": 443}
_AUTHORITY = re.compile(r"(?P<host>\[[^\[\]]*\]|[^:\[\]]*)(?P<port>:.*)?")
_HOST = re.compile(r"\w[\w.-]*")
_PORT = re.compile(r":0*[1-9][0-9]{0,4}")
_PATH = re.compile(r"(/[\w.~%+:!$&'()*,;=-]*)*", re.ASCII)

# Every interface is something to listen at, not something to connect to.
_LOOPBACK: Final = {"0.0.0.0": "127.0.0.1", "::": "::1"}


def normalise_url(text: str, *, default_port: int = 11434) -> str:
    """Return `text` as `scheme://host:port[/path]` without a trailing slash; raises SettingsError.

    Takes all that OLLAMA_HOST takes: a host, `:port`, `host:port`, an IPv6 address with or without brackets,
    and whole http(s) addresses, whose port is their scheme's. The addresses that mean "every interface"
    become loopback. A name and password within are refused, since addresses stand in messages and logs.
    """
    if "@" in text:
        raise SettingsError("The address of the model server holds an @, as if for a password: write host:port alone.")
    scheme, found, rest = text.strip().partition("://")
    if not found:
        scheme, rest = "http", scheme
    scheme = scheme.lower()
    authority, slash, path = rest.partition("/")
    if scheme not in _PORT_OF:
        raise _nonsense(text, "the scheme must be http or https")
    if not (authority and _PATH.fullmatch(slash + path)):
        raise _nonsense(text, "it must be host:port, or http://host:port/path")
    host, port = _host_and_port(authority, text)
    port = port or (_PORT_OF[scheme] if found else default_port)
    return f"{scheme}://{host}:{port}{(slash + path).rstrip('/')}"


def _host_and_port(authority: str, text: str) -> tuple[str, int | None]:
    if (address := _ip_address(authority)) is not None:
        return address, None
    match = _AUTHORITY.fullmatch(authority)
    if match is None:
        raise _nonsense(text, "the host is no host name")
    host, port = match["host"] or "127.0.0.1", match["port"]
    return _ip_address(host) or _named(host, text), _port(port, text) if port else None


def _ip_address(host: str) -> str | None:
    bare = host[1:-1] if host.startswith("[") and host.endswith("]") else host
    try:
        address = ipaddress.ip_address(bare)
    except ValueError:
        return None
    reachable = _LOOPBACK.get(str(address), str(address))
    return f"[{reachable}]" if address.version == 6 else reachable


def _named(host: str, text: str) -> str:
    try:
        host.encode("idna")
    except UnicodeError as error:
        raise _nonsense(text, "the host is no host name") from error
    if not _HOST.fullmatch(host):
        raise _nonsense(text, "the host is no host name")
    return host.lower()


def _port(written: str, text: str) -> int:
    if not _PORT.fullmatch(written) or int(written[1:]) > 65535:
        raise _nonsense(text, "the port must be a number from 1 to 65535")
    return int(written[1:])


def _nonsense(text: str, why: str) -> SettingsError:
    shown = clip(one_line(text), 80)
    return SettingsError(f'"{shown}" is no address of a model server: {why}, for example 127.0.0.1:11434.')
