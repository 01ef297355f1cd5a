"""How close the pipeline comes to what the model's slots allow: `python -m benchmarks.pipeline`.

The bound is slots / (calls per prompt × latency) prompts a second. The servers are the tests' own, in a process
of their own, with a fixed latency for the model and none for the console.
"""

from __future__ import annotations

import argparse
import asyncio
import multiprocessing
import os
import tempfile
import time
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any

import orjson

from selfplay_core.categories import load_texts
from selfplay_core.engine.control import Control
from selfplay_core.engine.servers import Credentials
from selfplay_core.engine.session import Job, generate
from selfplay_core.events import Event, TraceEnded
from selfplay_core.settings import Secret
from selfplay_core.settings_sources import load_settings
from tests.servers.ollama import FakeOllama, Reply, say
from tests.servers.rcon import StrictRconServer

PASSWORD = "benchmark"


def main() -> None:
    """Print one line for each number of slots."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--slots", type=int, nargs="+", default=[1, 8, 16])
    parser.add_argument("--latency", type=float, default=0.2, help="seconds a call")
    parser.add_argument("--rounds", type=int, default=12)
    options = parser.parse_args()
    print(f"{'slots':>6}{'prompts':>9}{'calls':>7}{'seconds':>9}{'of bound':>10}{'CPU ms a trace':>16}")
    for slots in options.slots:
        print(_measure(slots, options.latency, options.rounds), flush=True)


def _measure(slots: int, latency: float, rounds: int) -> str:
    ours, theirs = multiprocessing.Pipe()
    servers = multiprocessing.get_context("spawn").Process(target=_serve, args=(theirs, latency))
    servers.start()
    try:
        url, port = ours.recv()
        with tempfile.TemporaryDirectory() as folder:
            os.environ["XDG_STATE_HOME"] = folder  # where the server's lock file goes
            began, cpu = time.monotonic(), time.process_time()
            traces = asyncio.run(_run(Path(folder), url, port, slots, rounds))
            seconds, used = time.monotonic() - began, time.process_time() - cpu
        ours.send("count")
        calls = ours.recv()
    finally:
        ours.send("stop")
        servers.join()
    bound = calls * latency / slots
    return f"{slots:>6}{traces:>9}{calls:>7}{seconds:>9.2f}{bound / seconds:>10.1%}{1000 * used / traces:>16.2f}"


async def _run(folder: Path, url: str, port: int, slots: int, rounds: int) -> int:
    flags: dict[str, Any] = {
        "llm.url": url,
        "llm.model": "benchmark",
        "rcon.port": port,
        "run.rounds": rounds,
        "run.concurrency": slots,
        "run.seed": 1,
    }
    job = Job(
        settings=load_settings(file=None, environment={}, flags=flags, flag_names={}).settings,
        texts=load_texts(),
        credentials=Credentials(rcon_password=Secret(PASSWORD)),
        workspace=folder / "workspace",
        output=folder / "out.jsonl",
    )
    traces = 0

    def count(event: Event) -> None:
        nonlocal traces
        traces += isinstance(event, TraceEnded)

    await generate(job, Control(), count)
    return traces


def _serve(pipe: Connection, latency: float) -> None:
    asyncio.run(_serve_until_told(pipe, latency))


async def _serve_until_told(pipe: Connection, latency: float) -> None:
    with FakeOllama(lambda body: _reply(body, latency)) as model:
        async with StrictRconServer(_answer, password=PASSWORD) as server:
            pipe.send((model.url, server.port))
            while await asyncio.to_thread(pipe.recv) == "count":
                pipe.send(len(model.chats))


def _answer(command: str) -> str:
    if command == "list":
        return "There are 0 of a max of 20 players online: "
    if command.startswith("give "):
        return "Gave 1 [Torch] to slingshooter08"
    return f"Unknown or incomplete command. See below for error\n{command}<--[HERE]"


def _reply(body: dict[str, Any], latency: float) -> Reply:
    seed = body["options"]["seed"]
    if "prompts" in body["format"]["properties"]:
        content: dict[str, Any] = {"prompts": [f"sudo torch {seed} {number}" for number in range(5)]}
    else:
        content = {"commands": ["give slingshooter08 torch"], "reasoning": f"{seed}", "message": "Yes."}
    return say(orjson.dumps(content).decode(), seconds=latency)


if __name__ == "__main__":
    main()
