"""`selfplay-tui sandbox`: the embedded servers for other programs."""

from __future__ import annotations

import argparse
import signal
import sys

import orjson

from selfplay_core.errors import UsageError
from selfplay_core.sandbox.embedded import Sandbox
from selfplay_core.settings import WorldSettings

__all__ = ["serve"]


def serve(options: argparse.Namespace) -> int:
    """Serve until SIGINT or SIGTERM; the addresses go to stdout as one JSON line once both listen."""
    sandbox = Sandbox(
        WorldSettings().players,
        worldedit=not options.no_worldedit,
        ollama_port=options.ollama_port,
        rcon_port=options.rcon_port,
        rcon_password=options.rcon_pass,
    )
    stops = {signal.SIGINT, signal.SIGTERM}
    # Blocked before the threads start, so that they inherit it and sigwait alone receives them.
    signal.pthread_sigmask(signal.SIG_BLOCK, stops)
    try:
        sandbox.start()
    except UsageError as error:
        print(f"selfplay-tui: {error}", file=sys.stderr)
        return 2
    try:
        print(_ready_line(sandbox), flush=True)
        received = signal.sigwait(stops)
    finally:
        sandbox.close()
    return 128 + received


def _ready_line(sandbox: Sandbox) -> str:
    return orjson.dumps(
        {
            "event": "sandbox_ready",
            "ollama_url": sandbox.ollama_url,
            "model": sandbox.model,
            "rcon_host": sandbox.rcon_host,
            "rcon_port": sandbox.rcon_port,
        }
    ).decode()
