"""llama-cpp-python's server in a process of its own, and a relay before it that keeps what clients ask."""

from __future__ import annotations

import asyncio
import contextlib
import json
import re
import subprocess
import sys
import threading
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from types import TracebackType
from typing import Any, Self

__all__ = ["LlamaServer", "Relay", "relay"]

_READY = re.compile(r"Uvicorn running on http://127\.0\.0\.1:(\d+)")


class LlamaServer:
    """Serves one model on a free port of 127.0.0.1 from entering to leaving the context.

    It computes with one thread, since more spin on busy cores. With `interrupts`, its default, a request breaks off
    the one before it, otherwise it waits for that.
    """

    def __init__(self, model: Path, *, interrupts: bool = False) -> None:
        self._command = [
            *(sys.executable, "-u", "-m", "llama_cpp.server", "--model", str(model)),
            *("--host", "127.0.0.1", "--port", "0", "--n_ctx", "4096", "--n_threads", "1", "--n_threads_batch", "1"),
            *("--interrupt_requests", str(interrupts).lower()),
        ]
        self.log: list[str] = []
        self._news = threading.Condition()

    def __enter__(self) -> Self:
        self._process = subprocess.Popen(
            self._command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, errors="replace"
        )
        self._reader = threading.Thread(target=self._read, name="llama-server-log")
        self._reader.start()
        port = _READY.search(self.wait_for("Uvicorn running on", 60))
        assert port is not None
        self.url = f"http://127.0.0.1:{port[1]}"
        self.port = int(port[1])
        return self

    def __exit__(
        self, kind: type[BaseException] | None, value: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._process.terminate()
        try:
            self._process.wait(10)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait(10)
        self._reader.join(10)
        assert self._process.stdout is not None
        self._process.stdout.close()

    def wait_for(self, words: str, seconds: float, *, after: int = 0) -> str:
        """Return the first line of the log from `after` on that holds `words`, once it is there."""

        def found() -> str | None:
            return next((line for line in self.log[after:] if words in line), None)

        with self._news:
            if not self._news.wait_for(lambda: found() is not None, seconds):
                raise TimeoutError(f"the server never said {words!r}: {self.log[-20:]}")
        line = found()
        assert line is not None
        return line

    def _read(self) -> None:
        assert self._process.stdout is not None
        for line in self._process.stdout:
            with self._news:
                self.log.append(line)
                self._news.notify_all()


class Relay:
    """Hands bytes on in both directions; `asked` holds the bodies of all chat requests, `types` what came back."""

    def __init__(self, url: str) -> None:
        self.url = url
        self.asked: list[dict[str, Any]] = []
        self.types: list[str] = []


@asynccontextmanager
async def relay(port: int) -> AsyncIterator[Relay]:
    """Relay a free port of 127.0.0.1 to `port`."""
    kept: list[Relay] = []

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        there, to_server = await asyncio.open_connection("127.0.0.1", port)
        asked, answered = bytearray(), bytearray()
        try:
            async with asyncio.TaskGroup() as group:
                group.create_task(_hand_on(reader, to_server, asked))
                group.create_task(_hand_on(there, writer, answered))
        finally:
            kept[0].asked.extend(_bodies(bytes(asked)))
            kept[0].types.extend(re.findall(r"content-type: ([\w/-]+)", answered.decode("utf-8", "replace")))
            for end in (writer, to_server):
                end.close()

    server = await asyncio.start_server(serve, "127.0.0.1", 0)
    kept.append(Relay(f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"))
    async with server:
        yield kept[0]


async def _hand_on(reader: asyncio.StreamReader, writer: asyncio.StreamWriter, seen: bytearray) -> None:
    with contextlib.suppress(ConnectionError):
        while data := await reader.read(65536):
            seen += data
            writer.write(data)
            await writer.drain()
    writer.close()


def _bodies(stream: bytes) -> list[dict[str, Any]]:
    """Return the JSON bodies of the requests in what a client sent."""
    found = []
    while stream:
        head, _, stream = stream.partition(b"\r\n\r\n")
        length = re.search(rb"content-length: (\d+)", head, re.IGNORECASE)
        size = int(length[1]) if length else 0
        if b"/chat/completions" in head:
            found.append(json.loads(stream[:size]))
        stream = stream[size:]
    return found
