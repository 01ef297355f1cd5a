"""The installed command in a process of its own."""

from __future__ import annotations

import asyncio
import os
import sys
from asyncio.subprocess import PIPE, Process
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import orjson

from tests.worlds import PASSWORD, Playground

__all__ = ["COMMAND", "Done", "clean_environment", "run_command", "server_flags", "start_command"]

COMMAND = str(Path(sys.executable).with_name("selfplay-tui"))
_PATIENCE = 120.0


@dataclass(frozen=True, slots=True)
class Done:
    """How a command ended and what it said."""

    code: int
    out: str
    err: str

    @property
    def events(self) -> list[dict[str, Any]]:
        """Every line of stdout, each of which must be a JSON object."""
        return [orjson.loads(line) for line in self.out.splitlines()]

    @property
    def summary(self) -> dict[str, Any]:
        """The last line."""
        last = self.events[-1]
        assert last["event"] == "summary"
        return last


def clean_environment(folder: Path, **more: str) -> dict[str, str]:
    """An environment without settings of ours or the size of some terminal, and with a state folder of its own."""
    foreign = ("SELFPLAY_", "OLLAMA_", "COLUMNS", "LINES")
    kept = {name: value for name, value in os.environ.items() if not name.startswith(foreign)}
    return {**kept, "XDG_STATE_HOME": str(folder / "state"), **more}


def server_flags(ground: Playground) -> list[str]:
    """The flags that point to a playground's servers."""
    return ["--model", "theirs", "--ollama-url", ground.model.url, "--rcon-port", str(ground.server.port)]


async def start_command(
    folder: Path, *words: str, env: dict[str, str] | None = None, stdin: int = asyncio.subprocess.DEVNULL
) -> Process:
    """Start the command in `folder`; the password is in its environment unless `env` says otherwise."""
    environment = env if env is not None else clean_environment(folder, SELFPLAY_RCON__PASSWORD=PASSWORD)
    return await asyncio.create_subprocess_exec(
        COMMAND, *words, cwd=folder, env=environment, stdin=stdin, stdout=PIPE, stderr=PIPE
    )


async def run_command(folder: Path, *words: str, env: dict[str, str] | None = None, given: bytes | None = None) -> Done:
    """Run the command to its end; what is `given` comes by its stdin."""
    process = await start_command(folder, *words, env=env, stdin=asyncio.subprocess.DEVNULL if given is None else PIPE)
    async with asyncio.timeout(_PATIENCE):
        out, err = await process.communicate(given)
    assert process.returncode is not None
    return Done(process.returncode, out.decode(), err.decode())
