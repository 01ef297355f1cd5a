"""Reaching an RCON server: addresses, logins, secrets and TLS, and what is told when it fails."""

from __future__ import annotations

import asyncio
import contextlib
import shlex
import socket
import ssl
import subprocess
import threading
import traceback
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest

from selfplay_core.errors import (
    ConnectionLost,
    LoginRefused,
    ProtocolViolation,
    ServerFault,
    ServerUnreachable,
)
from selfplay_core.verify.rcon import RconAddress, RconClient
from tests.servers.rcon import RconFault, StrictRconServer
from tests.servers.rcon_client import cancelled, client_of, fault_of, rcon_threads

LOGIN_FAULTS = {
    RconFault.CLOSE: ServerUnreachable,
    RconFault.CLOSE_MID_PACKET: ServerUnreachable,
    RconFault.STALL: ServerUnreachable,
    RconFault.DRIP: ServerUnreachable,
    RconFault.WRONG_ID: ProtocolViolation,
    RconFault.WRONG_TYPE: ProtocolViolation,
    RconFault.GARBAGE: ProtocolViolation,
    RconFault.BAD_PADDING: ProtocolViolation,
    RconFault.OVERSIZE: ProtocolViolation,
    RconFault.REFUSE_LOGIN: LoginRefused,
}


pytestmark = pytest.mark.usefixtures("no_rcon_thread_is_left")


@pytest.mark.parametrize(("fault", "kind"), LOGIN_FAULTS.items())
async def test_a_login_that_fails_says_why(server: StrictRconServer, fault: RconFault, kind: type[ServerFault]) -> None:
    """A broken login is told apart from a refused one, and the next open may succeed."""
    server.login_fault = fault
    client = client_of(server, connect_seconds=0.3)
    error = await fault_of(client.open())
    assert type(error) is kind
    assert f"127.0.0.1:{server.port}" in str(error)
    assert not client.connected
    async with asyncio.timeout(5):
        await server.idle()
    server.login_fault = None
    await client.open()
    assert await client.command("list") == "did list"
    await client.aclose()


async def test_a_wrong_password_is_told_at_once(server: StrictRconServer) -> None:
    """A refused password is its own fault, costs one try and closes what vanilla leaves open."""
    client = client_of(server, password="nonsense", connect_seconds=60)
    assert type(await fault_of(client.open())) is LoginRefused
    async with asyncio.timeout(5):
        await server.idle()
    assert (server.connections, server.logins) == (1, 0)
    await client.aclose()


async def test_an_empty_reply_before_the_login_answer_is_skipped(server: StrictRconServer) -> None:
    """Servers that open the login with an empty reply are understood."""
    server.login_fault = RconFault.EMPTY_REPLY_FIRST
    async with client_of(server) as client:
        assert await client.command("list") == "did list"


@pytest.mark.parametrize("password", ["p\0w", "p\udcffw", "p" * 1447])
async def test_a_password_that_no_packet_can_carry_is_not_sent(server: StrictRconServer, password: str) -> None:
    """Such a password is refused without a connection, and not shown."""
    error = await fault_of(client_of(server, password=password).open())
    assert type(error) is LoginRefused
    assert password not in _with_locals(error)
    assert server.connections == 0


@pytest.mark.parametrize("fault", [RconFault.STALL, RconFault.REFUSE_LOGIN, RconFault.GARBAGE])
async def test_the_password_shows_nowhere(server: StrictRconServer, fault: RconFault) -> None:
    """Neither repr, message nor a traceback with its local variables holds the password."""
    server.login_fault = fault
    secret = "correct" + "horse"
    client = client_of(server, password=secret, connect_seconds=0.2)
    error = await fault_of(client.open())
    for shown in (repr(client), str(error), _with_locals(error)):
        assert secret not in shown


def _with_locals(error: BaseException) -> str:
    frames = traceback.TracebackException.from_exception(error, capture_locals=True).format()
    return "".join(frame for frame in frames if "/tests/" not in frame)


async def test_a_refused_connection_is_unreachable() -> None:
    """A port where nothing listens is told in a sentence that says what to do."""
    client = RconClient(RconAddress("127.0.0.1", _free_port()), "hunter2")
    error = await fault_of(client.open())
    assert type(error) is ServerUnreachable
    assert "enable-rcon" in str(error)


async def test_a_silent_network_is_unreachable_within_the_deadline() -> None:
    """Where connection requests are dropped, or nobody speaks after them, the wait ends all the same."""
    for silent in (_full_queue, _mute_listener):
        with silent() as port:
            client = RconClient(RconAddress("127.0.0.1", port), "hunter2", connect_seconds=0.2)
            assert type(await fault_of(client.open())) is ServerUnreachable


@pytest.mark.parametrize("tls_mode", [0, 2])
async def test_connecting_can_be_given_up(tls_mode: int) -> None:
    """A wait that is cancelled before the login, while connecting or encrypting, ends its thread."""
    for silent in (_full_queue, _mute_listener):
        with silent() as port:
            client = RconClient(RconAddress("127.0.0.1", port, tls_mode), "hunter2", connect_seconds=4)
            waiting = asyncio.create_task(client.open())
            await asyncio.wait([waiting], timeout=0.1)
            assert await cancelled(waiting)
            for thread in rcon_threads():
                await asyncio.to_thread(thread.join, 2)
            assert rcon_threads() == []


@contextlib.contextmanager
def _mute_listener() -> Iterator[int]:
    """A port that takes connections and says nothing."""
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        listener.listen()
        yield listener.getsockname()[1]


@contextlib.contextmanager
def _full_queue() -> Iterator[int]:
    """A port whose queue of connections is full, so that further requests for one are dropped."""
    with socket.socket() as listener, contextlib.ExitStack() as fillers:
        listener.bind(("127.0.0.1", 0))
        listener.listen(0)
        for _ in range(4):
            filler = fillers.enter_context(socket.socket())
            filler.setblocking(False)
            with contextlib.suppress(BlockingIOError):
                filler.connect(listener.getsockname())
        yield listener.getsockname()[1]


@pytest.mark.parametrize("host", ["no-such-host.invalid", "a..b", "x" * 300, "nul\0byte"])
async def test_a_name_without_address_is_unreachable(host: str) -> None:
    """Names that do not resolve, or cannot, are one fault."""
    client = RconClient(RconAddress(host, 25575), "hunter2", connect_seconds=1)
    assert type(await fault_of(client.open())) is ServerUnreachable


async def test_a_resolver_that_hangs_holds_nobody_up(server: StrictRconServer, monkeypatch: pytest.MonkeyPatch) -> None:
    """The wait ends, at the deadline or cancelled, though the thread is stuck; it then never connects."""
    answer = threading.Event()
    resolve = socket.getaddrinfo

    def hang(host: str, port: int, **options: int) -> object:
        answer.wait(20)
        return resolve(host, port, **options)

    hasty = client_of(server, host="localhost", connect_seconds=0.2)
    patient = client_of(server, host="localhost", connect_seconds=60)
    monkeypatch.setattr(socket, "getaddrinfo", hang)
    waiting = asyncio.create_task(patient.open())
    assert type(await fault_of(hasty.open())) is ServerUnreachable
    assert await cancelled(waiting)
    answer.set()
    async with asyncio.timeout(5):
        await hasty.aclose()
        await patient.aclose()
    async with client_of(server) as later:
        assert await later.command("list") == "did list"
    assert server.connections == 1


async def test_names_and_ipv6_addresses_are_reached() -> None:
    """A host may be a name with several addresses, or an IPv6 address."""
    async with StrictRconServer() as server, client_of(server, host="localhost") as client:
        assert await client.command("list") == "did list"
    if not _ipv6_loopback():
        pytest.skip("this machine has no IPv6 loopback address")
    async with StrictRconServer(host="::1") as server, client_of(server, host="::1") as client:
        assert await client.command("list") == "did list"
        assert str(client.address) == f"[::1]:{server.port}"


def _ipv6_loopback() -> bool:
    try:
        with socket.socket(socket.AF_INET6) as listener:
            listener.bind(("::1", 0))
    except OSError:
        return False
    return True


@pytest.mark.parametrize(("host", "port", "mode"), [("", 1, 0), ("h", 0, 0), ("h", 65536, 0), ("h", 1, 3)])
def test_an_impossible_address_is_refused(host: str, port: int, mode: int) -> None:
    """An address that cannot be connected to is refused when it is made."""
    with pytest.raises(ValueError, match="give"):
        RconAddress(host, port, mode)


@pytest.fixture(scope="module")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A self-signed certificate for 127.0.0.1, with its key in the same file."""
    folder = tmp_path_factory.mktemp("tls")
    both, key, signed = (folder / name for name in ("both.pem", "key.pem", "certificate.pem"))
    command = shlex.split("openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -days 2")
    command += ["-subj", "/CN=selfplay test", "-addext", "subjectAltName=IP:127.0.0.1"]
    command += ["-keyout", str(key), "-out", str(signed)]
    try:
        subprocess.run(command, check=True, capture_output=True, timeout=30)
    except FileNotFoundError:
        pytest.skip("no openssl command here to make a certificate with")
    both.write_text(signed.read_text() + key.read_text())
    return both


@pytest.fixture
async def tls_server(certificate: Path) -> AsyncIterator[StrictRconServer]:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate)
    async with StrictRconServer(lambda command: command * 900, tls=context) as server:
        yield server


async def test_tls_without_verifying(tls_server: StrictRconServer) -> None:
    """TLS mode 2 takes any certificate; long replies, deadlines and cancelling work as without TLS."""
    tls_server.faults["hang"] = RconFault.STALL
    async with client_of(tls_server, tls_mode=2, command_seconds=0.5) as client:
        assert await client.command("say hello") == "say hello" * 900
        assert type(await fault_of(client.command("hang"))) is ConnectionLost
        await client.open()
        waiting = asyncio.create_task(client.command("hang"))
        await tls_server.until(lambda: tls_server.commands.count("hang") == 2)
        assert await cancelled(waiting)
        async with asyncio.timeout(5):
            await tls_server.idle()


async def test_tls_verified(tls_server: StrictRconServer, certificate: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """TLS mode 1 refuses an unknown certificate and says so; once trusted, it connects."""
    error = await fault_of(client_of(tls_server, tls_mode=1).open())
    assert type(error) is ServerUnreachable
    assert "certificate is not trusted" in str(error)
    monkeypatch.setenv("SSL_CERT_FILE", str(certificate))
    async with client_of(tls_server, tls_mode=1) as client:
        assert await client.command("list") == "list" * 900


async def test_tls_and_plain_do_not_meet(server: StrictRconServer, tls_server: StrictRconServer) -> None:
    """Speaking TLS to a plain server, or plain to a TLS one, is a fault at once."""
    assert type(await fault_of(client_of(server, tls_mode=2).open())) is ServerUnreachable
    assert isinstance(await fault_of(client_of(tls_server).open()), ServerFault)


def _free_port() -> int:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return int(listener.getsockname()[1])
