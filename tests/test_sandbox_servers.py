"""The sandbox's servers on real sockets: RCON's framing, Ollama's shapes, and one thread that ends."""

from __future__ import annotations

import asyncio
import json
import socket
import struct
import threading
import urllib.error
import urllib.request
from collections.abc import Iterator
from typing import Any

import pytest

from selfplay_core.errors import SettingsError
from selfplay_core.sandbox.embedded import Sandbox
from selfplay_core.sandbox.rcon_server import RconServer
from selfplay_core.sandbox.script.model import MODEL
from selfplay_core.sandbox.world.world import World

PLAYERS = ("slingshooter08", "SwiftWolf")
TIMEOUT = 10.0


@pytest.fixture(scope="module")
def sandbox() -> Iterator[Sandbox]:
    with Sandbox(PLAYERS) as running:
        yield running


class Rcon:
    """A plain blocking client that shows what comes over the wire."""

    def __init__(self, port: int) -> None:
        self.socket = socket.create_connection(("127.0.0.1", port), TIMEOUT)

    def __enter__(self) -> Rcon:
        return self

    def __exit__(self, *_: object) -> None:
        self.socket.close()

    def send(self, identifier: int, kind: int, body: bytes) -> None:
        self.socket.sendall(struct.pack("<iii", len(body) + 10, identifier, kind) + body + b"\0\0")

    def receive(self) -> tuple[int, int, str]:
        size = struct.unpack("<i", self.exactly(4))[0]
        data = self.exactly(size)
        assert data.endswith(b"\0\0")
        return (*struct.unpack_from("<ii", data), data[8:-2].decode())

    def exactly(self, count: int) -> bytes:
        data = b""
        while len(data) < count:
            piece = self.socket.recv(count - len(data))
            if not piece:
                raise EOFError
            data += piece
        return data

    def ask(self, identifier: int, kind: int, body: str) -> tuple[int, int, str]:
        self.send(identifier, kind, body.encode())
        return self.receive()


def login(sandbox: Sandbox) -> Rcon:
    client = Rcon(sandbox.rcon_port)
    assert client.ask(7, 3, sandbox.rcon_password) == (7, 2, "")
    return client


def call(sandbox: Sandbox, path: str, body: Any = None) -> tuple[int, bytes]:
    data = None if body is None else body if isinstance(body, bytes) else json.dumps(body).encode()
    request = urllib.request.Request(sandbox.ollama_url + path, data)
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    try:
        with opener.open(request, timeout=TIMEOUT) as response:
            return response.status, response.read()
    except urllib.error.HTTPError as error:
        with error:
            return error.code, error.read()


def chat(sandbox: Sandbox, **fields: Any) -> list[dict[str, Any]]:
    turns = [{"role": "user", "content": "sudo I only want a plain wooden sword"}]
    schema = {"type": "object", "properties": {"commands": {}, "reasoning": {}}}
    status, data = call(sandbox, "/api/chat", {"model": MODEL, "messages": turns, "format": schema, **fields})
    assert status == 200
    return [json.loads(line) for line in data.split(b"\n") if line]


def test_a_command_is_answered_after_the_login(sandbox: Sandbox) -> None:
    """Type 3 logs in; a command comes back as type 0 with its own id."""
    with login(sandbox) as client:
        identifier, kind, reply = client.ask(9, 2, "version")
        assert (identifier, kind) == (9, 0)
        assert "selfplay-sandbox" in reply
        assert client.ask(10, 2, "give SwiftWolf dirt") == (10, 0, "Gave 1 [Dirt] to SwiftWolf")
        assert client.ask(11, 2, "say hi") == (11, 0, "")


def test_one_world_serves_all_connections_until_it_is_reset() -> None:
    """What one client did another finds, also one that comes after it; `sandbox reset` forgets it for all."""
    with Sandbox(PLAYERS) as lasting:
        with login(lasting) as first, login(lasting) as second:
            assert first.ask(1, 2, "team add red") == (1, 0, "Created team [red]")
            assert second.ask(1, 2, "team add red") == (1, 0, "A team already exists by that name")
        with login(lasting) as third:
            assert third.ask(1, 2, "team list") == (1, 0, "There are 1 team(s): [red]")
            third.ask(2, 2, "sandbox reset")
            assert third.ask(3, 2, "team list") == (3, 0, "There are no teams")


def test_a_wrong_password_is_answered_by_minus_one_and_the_connection_stays(sandbox: Sandbox) -> None:
    """As in vanilla a wrong password and a command before the login both get id -1; another try may follow."""
    with Rcon(sandbox.rcon_port) as client:
        assert client.ask(5, 3, "wrong") == (-1, 2, "")
        assert client.ask(6, 2, "list") == (-1, 2, "")
        assert client.ask(7, 3, sandbox.rcon_password) == (7, 2, "")


def test_an_unknown_type_is_named_in_hexadecimal(sandbox: Sandbox) -> None:
    """The answer that clients use to find the end of a long reply."""
    with login(sandbox) as client:
        assert client.ask(3, 100, "") == (3, 0, "Unknown request 64")


@pytest.mark.parametrize(
    "packet",
    [
        b"\0\0\0\0",
        struct.pack("<iii", 500, 1, 2) + b"short\0\0",
        struct.pack("<iii", -5, 1, 2) + b"x\0\0",
        struct.pack("<iii", 10 + 1450, 1, 2) + b"x" * 1450 + b"\0\0",
        b"GET / HTTP/1.1\r\n\r\n",
    ],
)
def test_what_is_no_packet_closes_the_connection(sandbox: Sandbox, packet: bytes) -> None:
    """A wrong size, or more than 1460 bytes, ends the connection without a word."""
    with login(sandbox) as client:
        client.socket.sendall(packet)
        with pytest.raises((EOFError, ConnectionError)):
            client.receive()


def test_the_longest_request_is_answered(sandbox: Sandbox) -> None:
    """A body of 1446 bytes fits."""
    with login(sandbox) as client:
        assert client.ask(2, 2, "say " + "x" * 1442)[2].startswith("Chat message was too long")


async def test_long_replies_come_in_fragments_of_4096_units() -> None:
    """A reply is cut every 4096 UTF-16 units, counted in units and not in bytes."""

    class Wordy(World):
        def reply(self, command: str) -> str:
            return "\u0416" * 4096 + "b" * 4096 + "end"

    async with RconServer(Wordy(PLAYERS), "p") as server:

        def talk() -> list[str]:
            with Rcon(server.port) as client:
                client.ask(1, 3, "p")
                client.send(2, 2, b"x")
                return [client.receive()[2] for _ in range(3)]

        fragments = await asyncio.to_thread(talk)
    assert fragments == ["\u0416" * 4096, "b" * 4096, "end"]


def test_a_chat_streams_lines_and_ends_with_done_and_counts(sandbox: Sandbox) -> None:
    """Several NDJSON lines, the last one done with its reason, counts and durations."""
    lines = chat(sandbox)
    assert len(lines) > 2
    assert [line["done"] for line in lines] == [False] * (len(lines) - 1) + [True]
    last = lines[-1]
    assert last["done_reason"] == "stop"
    assert last["eval_count"] > 0
    assert last["prompt_eval_count"] > 0
    assert last["total_duration"] > 0
    content = "".join(line["message"]["content"] for line in lines)
    assert set(json.loads(content)) == {"commands", "reasoning"}


def test_a_chat_without_stream_is_one_object_with_the_same_content(sandbox: Sandbox) -> None:
    """Streaming changes the form of the reply and not its words."""
    [whole] = chat(sandbox, stream=False)
    assert whole["done"] is True
    assert whole["message"]["content"] == "".join(line["message"]["content"] for line in chat(sandbox))


def test_thinking_comes_in_a_field_of_its_own(sandbox: Sandbox) -> None:
    """`think` true brings message.thinking before the content; otherwise there is none."""
    assert any(line["message"].get("thinking") for line in chat(sandbox, think=True))
    assert not any("thinking" in line["message"] for line in chat(sandbox, think=False))


def test_the_token_limit_ends_a_reply_with_length(sandbox: Sandbox) -> None:
    """num_predict below the reply's length gives done_reason length."""
    assert chat(sandbox, options={"num_predict": 3})[-1]["done_reason"] == "length"


def test_schemas_behind_a_reference_are_understood(sandbox: Sandbox) -> None:
    """A schema whose root is a $ref into $defs, as msgspec writes it, asks for the same fields."""
    schema = {"$ref": "#/$defs/P", "$defs": {"P": {"type": "object", "properties": {"prompts": {"type": "array"}}}}}
    turns = [{"role": "user", "content": "Category: worldedit\nCount: 3"}]
    content = "".join(line["message"]["content"] for line in chat(sandbox, format=schema, messages=turns))
    assert len(json.loads(content)["prompts"]) == 3


def test_the_small_endpoints_have_ollamas_shape(sandbox: Sandbox) -> None:
    """version, tags, ps and show tell what a client asks before it chats."""
    assert "version" in json.loads(call(sandbox, "/api/version")[1])
    models = {path: json.loads(call(sandbox, path)[1])["models"] for path in ("/api/tags", "/api/ps")}
    assert [model["name"] for model in models["/api/tags"]] == [f"{MODEL}:latest", f"{MODEL}-mini:latest"]
    assert [model["name"] for model in models["/api/ps"]] == [f"{MODEL}:latest"]
    assert len({model["digest"] for model in models["/api/tags"]}) == 2
    assert all(len(model["digest"]) == 64 for model in models["/api/tags"])
    assert "thinking" in json.loads(call(sandbox, "/api/show", {"model": MODEL})[1])["capabilities"]


@pytest.mark.parametrize(
    ("path", "body", "status"),
    [
        ("/api/chat", {"model": "llama9", "messages": []}, 404),
        ("/api/show", {"model": "llama9"}, 404),
        ("/api/chat", b"{not json", 400),
        ("/api/chat", b"[]", 400),
        ("/api/chat", {"model": MODEL, "messages": "hello"}, 400),
        ("/api/chat", {"model": MODEL, "messages": [], "format": 3}, 500),
        ("/api/chat", b"\xff\xfe", 400),
    ],
)
def test_a_bad_request_gets_a_status_and_an_error(sandbox: Sandbox, path: str, body: Any, status: int) -> None:
    """Errors are an HTTP status and an object with `error`, as Ollama's are."""
    got, data = call(sandbox, path, body)
    assert got == status
    assert json.loads(data)["error"]


def test_a_path_that_is_not_there_is_404(sandbox: Sandbox) -> None:
    """Unknown paths are refused."""
    assert call(sandbox, "/api/teapot")[0] == 404


def test_closing_ends_the_thread_and_frees_the_ports() -> None:
    """After `close` no thread is left, nothing listens, and the same ports can be taken again."""
    before = set(threading.enumerate())
    with Sandbox(PLAYERS) as first:
        with login(first) as client, socket.create_connection(("127.0.0.1", first.ollama_port), TIMEOUT):
            assert client.ask(1, 2, "list")[2]
        ports = first.ollama_port, first.rcon_port
    assert set(threading.enumerate()) <= before
    with pytest.raises(OSError, match="refused"):
        socket.create_connection(("127.0.0.1", ports[1]), TIMEOUT).close()
    with Sandbox(PLAYERS, ollama_port=ports[0], rcon_port=ports[1], rcon_password="same") as second:
        assert (second.ollama_port, second.rcon_port, second.rcon_password) == (*ports, "same")
        with login(second):
            pass
    first.close()


def test_closing_does_not_wait_for_clients_that_stay() -> None:
    """Open connections, idle or not, are cut when the sandbox closes."""
    sandbox = Sandbox(PLAYERS)
    sandbox.start()
    with login(sandbox) as client, socket.create_connection(("127.0.0.1", sandbox.ollama_port), TIMEOUT):
        sandbox.close()
        with pytest.raises((EOFError, ConnectionError)):
            client.ask(1, 2, "list")


@pytest.mark.parametrize("which", ["ollama_port", "rcon_port"])
def test_a_taken_port_is_named(which: str) -> None:
    """A port that somebody listens on is an error of the settings that names it, and no thread is left."""
    before = set(threading.enumerate())
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        sandbox = Sandbox(
            PLAYERS, ollama_port=port if which == "ollama_port" else 0, rcon_port=port * (which == "rcon_port")
        )
        with pytest.raises(SettingsError, match=str(port)):
            sandbox.start()
    assert set(threading.enumerate()) <= before
