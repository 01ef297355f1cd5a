"""The sandbox inside this process: both servers in one thread with an event loop of its own."""

from __future__ import annotations

import asyncio
import secrets
import socket
import threading
from concurrent.futures import Future
from contextlib import AsyncExitStack
from types import TracebackType

import uvicorn

from selfplay_core.errors import SettingsError
from selfplay_core.sandbox.ollama_server import OllamaApp
from selfplay_core.sandbox.parser.grammar import warm
from selfplay_core.sandbox.rcon_server import RconServer
from selfplay_core.sandbox.script.model import MODEL
from selfplay_core.sandbox.world.world import World

__all__ = ["Sandbox"]

_HOST = "127.0.0.1"
_START_SECONDS = 20.0
_STOP_SECONDS = 10.0
_DRAIN_SECONDS = 1


class Sandbox:
    """The scripted model and its world on loopback; a context manager.

    Ports of 0 are free ones. `rcon_password` is drawn if it is None. Once entered, `ollama_url`, `rcon_port`
    and the others say where the servers listen; `close` stops them and leaves no thread.
    """

    def __init__(
        self,
        players: tuple[str, ...],
        *,
        worldedit: bool = True,
        ollama_port: int = 0,
        rcon_port: int = 0,
        rcon_password: str | None = None,
        latency: float = 0.0,
    ) -> None:
        if not players:
            raise SettingsError("the sandbox has no players; name at least one, for the first one speaks")
        self.model = MODEL
        self.rcon_host = _HOST
        self.rcon_password = secrets.token_urlsafe(12) if rcon_password is None else rcon_password
        self.rcon_port = rcon_port
        self.ollama_port = ollama_port
        self._world = World(players, worldedit=worldedit)
        self._app = OllamaApp(players, latency=latency)
        self._started: Future[tuple[asyncio.AbstractEventLoop, asyncio.Event]] = Future()
        self._thread: threading.Thread | None = None
        self._closing = False

    @property
    def ollama_url(self) -> str:
        """The address of the model's server."""
        return f"http://{_HOST}:{self.ollama_port}"

    def start(self) -> None:
        """Start both servers and return when they listen; raises SettingsError naming a port that is taken."""
        self._thread = threading.Thread(target=self._run, name="selfplay-sandbox", daemon=False)
        self._thread.start()
        try:
            self._started.result(_START_SECONDS)
        except BaseException:
            self.close()
            raise

    def close(self) -> None:
        """Stop both servers and wait until their thread has ended; may be called again."""
        thread, self._thread = self._thread, None
        if thread is None:
            return
        self._closing = True
        if self._started.done() and self._started.exception() is None:
            loop, stop = self._started.result()
            if not loop.is_closed():
                loop.call_soon_threadsafe(stop.set)
        thread.join(_STOP_SECONDS)

    def __enter__(self) -> Sandbox:
        self.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def _run(self) -> None:
        try:
            asyncio.run(self._serve())
        except Exception as error:  # whatever ends this thread early belongs to the one who waits for the start
            if self._started.done():
                raise
            self._started.set_exception(error)

    async def _serve(self) -> None:
        async with AsyncExitStack() as stack:
            listener = stack.enter_context(_listening(self.ollama_port, "Ollama"))
            rcon = RconServer(self._world, self.rcon_password, host=_HOST, port=self.rcon_port)
            try:
                await stack.enter_async_context(rcon)
            except OSError as error:
                raise _taken(self.rcon_port, "RCON", error) from error
            self.ollama_port = listener.getsockname()[1]
            self.rcon_port = rcon.port
            await self._serve_until(asyncio.Event(), listener)

    async def _serve_until(self, stop: asyncio.Event, listener: socket.socket) -> None:
        server = uvicorn.Server(
            uvicorn.Config(
                self._app,
                lifespan="off",
                ws="none",
                http="h11",
                loop="asyncio",
                access_log=False,
                log_config=None,
                timeout_graceful_shutdown=_DRAIN_SECONDS,
            )
        )
        async with asyncio.TaskGroup() as tasks:
            # Off the main thread uvicorn installs no signal handlers.
            tasks.create_task(server.serve(sockets=[listener]))
            tasks.create_task(asyncio.to_thread(warm))
            self._started.set_result((asyncio.get_running_loop(), stop))
            # Closed while still starting: nobody had a loop to say so to.
            if not self._closing:
                await stop.wait()
            server.should_exit = True


def _listening(port: int, name: str) -> socket.socket:
    """Return a socket that accepts connections from now on, before anybody serves them."""
    # asyncio switches Nagle's algorithm off only where the protocol is named; with it every reply is 40 ms late.
    listener = socket.socket(socket.AF_INET, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listener.bind((_HOST, port))
        listener.listen(128)
    except OSError as error:
        listener.close()
        raise _taken(port, name, error) from error
    listener.setblocking(False)
    return listener


def _taken(port: int, name: str, error: OSError) -> SettingsError:
    return SettingsError(
        f"the sandbox's {name} server cannot listen on {_HOST}:{port} ({error.strerror or error}); "
        "choose another port, or 0 for a free one"
    )
