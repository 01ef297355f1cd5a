"""A model and a console that answer by script, in a process of their own, whose CPU is not ours."""

from __future__ import annotations

import asyncio
import multiprocessing
import re
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from multiprocessing.connection import Connection
from random import Random
from typing import Any, Final

import orjson

from tests.servers.ollama import FakeOllama, Reply, Wait, lines, say
from tests.servers.rcon import StrictRconServer

__all__ = ["PASSWORD", "Call", "Served", "served"]

PASSWORD: Final = "benchmark"

_WISH: Final = re.compile(r"^\d+\. ", re.MULTILINE)

# The servers of the tests keep every request that they got.
_KEPT: Final = 1_000


@dataclass(frozen=True, slots=True)
class Call:
    """One request to the model: when it came, by the clock of the machine, and how long it was let wait."""

    at: float
    seconds: float
    is_answer: bool


@dataclass(slots=True)
class Served:
    """Servers that are up; `calls` are those that came so far, in order."""

    url: str
    port: int
    _pipe: Connection

    def calls(self) -> list[Call]:
        """Ask for the requests to the model, and forget them there."""
        self._pipe.send("calls")
        found: list[Call] = self._pipe.recv()
        return found


@contextmanager
def served(latency: float, *, spread: float = 0.4) -> Iterator[Served]:
    """Serve for the length of the block.

    A call takes `latency` seconds, more or less by a share of at most `spread`, which its seed draws: a model's
    replies are not all of a length, and servers that answer in step flatter or punish by accident.
    """
    ours, theirs = multiprocessing.Pipe()
    servers = multiprocessing.get_context("spawn").Process(target=_serve, args=(theirs, latency, spread))
    servers.start()
    try:
        url, port = ours.recv()
        yield Served(url, port, ours)
    finally:
        ours.send("stop")
        servers.join()


def _serve(pipe: Connection, latency: float, spread: float) -> None:
    asyncio.run(_serve_until_told(pipe, _Model(latency, spread)))


async def _serve_until_told(pipe: Connection, script: _Model) -> None:
    with FakeOllama(script.reply) as model:
        script.requests = model.requests
        async with StrictRconServer(_answer, password=PASSWORD) as server:
            script.commands = server.commands
            pipe.send((model.url, server.port))
            while await asyncio.to_thread(pipe.recv) == "calls":
                calls, script.calls = script.calls, []
                pipe.send(calls)


def _answer(command: str) -> str:
    if command == "list":
        return "There are 0 of a max of 20 players online: "
    if command.startswith("give "):
        return "Gave 1 [Torch] to slingshooter08"
    return f"Unknown or incomplete command. See below for error\n{command}<--[HERE]"


@dataclass(slots=True)
class _Model:
    latency: float
    spread: float
    calls: list[Call] = field(default_factory=list)
    requests: list[Any] = field(default_factory=list)
    commands: list[str] = field(default_factory=list)

    def reply(self, body: dict[str, Any]) -> Reply:
        if len(self.requests) > _KEPT:
            self.requests.clear()
            self.commands.clear()
        seed = body["options"].get("seed", len(self.calls))
        wanted = body.get("format")
        content, is_answer = _content(wanted, seed, body["messages"][-1]["content"])
        seconds = self.latency * (1 + self.spread * (2 * Random(seed).random() - 1))
        self.calls.append(Call(time.monotonic(), seconds, is_answer))
        if body.get("stream", True):
            return say(content, seconds=seconds)
        whole = lines({"message": {"role": "assistant", "content": content}, "done": True, "done_reason": "stop"})
        return Reply((Wait(seconds), *whole.steps))


def _content(wanted: object, seed: int, asked: str) -> tuple[str, bool]:
    """Return what the model says, and whether it is an answer and not a list of prompts."""
    if wanted is None:
        return orjson.dumps([_prompt(seed, number) for number in range(5)]).decode(), False
    if isinstance(wanted, dict) and "prompts" in wanted["properties"]:
        wishes = len(_WISH.findall(asked))
        return orjson.dumps({"prompts": [_prompt(seed, number) for number in range(wishes)]}).decode(), False
    answer = {"commands": ["give slingshooter08 torch"], "reasoning": f"{seed}", "message": "Yes."}
    return orjson.dumps(answer).decode(), True


def _prompt(seed: int, number: int) -> str:
    """Return a prompt that is no near copy of another."""
    chance = Random(f"{seed} {number}")
    return "sudo " + " ".join(f"w{chance.randrange(8_000):x}" for _ in range(8))
