"""A model and a server of somebody else's, on real sockets, and jobs that run against them."""

from __future__ import annotations

import asyncio
import hashlib
import re
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import orjson

from selfplay_core.categories import load_texts
from selfplay_core.dataset.prompts import GivenPrompt
from selfplay_core.engine.control import Control
from selfplay_core.engine.servers import Credentials
from selfplay_core.engine.session import Job, generate
from selfplay_core.events import Event, RunEnded, TraceEnded
from selfplay_core.models import Trace
from selfplay_core.settings import Secret, Settings
from selfplay_core.settings_sources import load_settings
from tests.servers.ollama import FakeOllama, Reply, say
from tests.servers.rcon import StrictRconServer

__all__ = ["PASSWORD", "Going", "Playground", "Ran", "going", "play", "playground", "prompts_of", "rows_in"]

PASSWORD = "s3cret"
REJECTED = "Unknown or incomplete command. See below for error\n<--[HERE]"

# What the model answers to a prompt that ends in one of these words, attempt by attempt.
_ANSWERS: dict[str, list[list[str]]] = {
    "torch": [["give slingshooter08 minecraft:torch 1"]],
    "fix": [["givee slingshooter08 minecraft:torch 1"], ["give slingshooter08 minecraft:torch 1"]],
    "stuck": [["givee x"], ["givee y"], ["givee z"]],
    "nobody": [["give Stranger minecraft:torch 1"]],
    "refuse": [[]],
    "op": [["op slingshooter08"]],
    "speak": [["say hello"]],
    "twice": [["give slingshooter08 minecraft:torch 1", "time set 1000"]],
}
# Asked for by name alone: the writer never draws these. The policy asks about the first three.
_ANSWERS_BY_NAME: dict[str, list[list[str]]] = {
    "kill": [["kill @e"]],
    "border": [["worldborder set 10"]],
    "chunks": [["execute as @a run forceload remove all"]],
    "learn": [["givee x"], ["givee y"], ["givee z"], ["give slingshooter08 minecraft:torch 2"]],
    "worse": [["givee x"], ["givee y"], ["givee z"], ["op slingshooter08"]],
    "broad": [["givee x"], ["givee y"], ["givee z"], ["kill @e"]],
}
OUTCOMES = {
    "torch": "solved",
    "fix": "corrected",
    "stuck": "failed",
    "nobody": "unproven",
    "refuse": "refused",
    "op": "blocked",
    "speak": "solved",
    "twice": "solved",
}
ACCEPTED = {"torch", "fix", "twice"}


@dataclass(slots=True)
class Ran:
    """What a run left behind."""

    ended: RunEnded
    events: list[Event]

    @property
    def traces(self) -> list[Trace]:
        return [event.trace for event in self.events if isinstance(event, TraceEnded)]


@dataclass(slots=True)
class Playground:
    """Both servers, and what the model is to take its time for."""

    model: FakeOllama
    server: StrictRconServer
    folder: Path
    slow: Callable[[dict[str, Any]], float] = field(default=lambda body: 0.0)

    def job(
        self,
        *,
        output: str = "out.jsonl",
        workspace: str = "workspace",
        given: list[str] | None = None,
        new: bool = False,
        interactive: bool = False,
        **settings: object,
    ) -> Job:
        """A job on these servers; `settings` are paths with `__` for the dot."""
        flags: dict[str, object] = {
            "llm.url": self.model.url,
            "llm.model": "theirs",
            "rcon.port": self.server.port,
            "run.rounds": 2,
            "run.seed": 11,
            **{path.replace("__", "."): value for path, value in settings.items()},
        }
        if given is not None and "run__rounds" not in settings:
            del flags["run.rounds"]
        return Job(
            settings=settings_of(flags),
            texts=load_texts(),
            credentials=Credentials(rcon_password=Secret(PASSWORD)),
            workspace=self.folder / workspace,
            output=self.folder / output,
            given=None if given is None else tuple(GivenPrompt(text, None) for text in given),
            new=new,
            interactive=interactive,
        )


def settings_of(flags: dict[str, object]) -> Settings:
    """Settings from flags alone."""
    return load_settings(file=None, environment={}, flags=flags, flag_names={}).settings


@asynccontextmanager
async def playground(folder: Path) -> AsyncIterator[Playground]:
    """Start both servers on free ports."""
    grounds: list[Playground] = []

    def script(body: dict[str, Any]) -> Reply:
        return say(model_says(body), seconds=grounds[0].slow(body))

    with FakeOllama(script) as model:
        async with StrictRconServer(server_says, password=PASSWORD) as server:
            grounds.append(Playground(model, server, folder))
            yield grounds[0]


async def play(job: Job, control: Control | None = None, watch: Callable[[Event], None] | None = None) -> Ran:
    """Run a job to its end."""
    events: list[Event] = []

    def announce(event: Event) -> None:
        events.append(event)
        if watch is not None:
            watch(event)

    return Ran(await generate(job, control or Control(), announce), events)


class Going:
    """A run in the background; `until` waits for what its events tell."""

    def __init__(self, job: Job, control: Control) -> None:
        self.control = control
        self.events: list[Event] = []
        self._news = asyncio.Event()
        self._task = asyncio.create_task(generate(job, control, self._hear))
        self._task.add_done_callback(lambda _: self._news.set())

    async def until(self, condition: Callable[[list[Event]], bool]) -> None:
        """Wait until the events so far are so; raises what ended the run before."""
        while not condition(self.events):
            assert not self._task.done(), (self._task.result(), self.events[-3:])
            self._news.clear()
            await self._news.wait()

    async def ended(self) -> Ran:
        """Wait for the end."""
        return Ran(await self._task, self.events)

    async def aclose(self) -> None:
        """End it, however far it came."""
        self._task.cancel()
        await asyncio.wait([self._task])

    def _hear(self, event: Event) -> None:
        self.events.append(event)
        self._news.set()


@asynccontextmanager
async def going(job: Job, control: Control | None = None) -> AsyncIterator[Going]:
    """Run a job in the background, for half a minute at the most."""
    run = Going(job, control or Control())
    try:
        async with asyncio.timeout(30):
            yield run
    finally:
        await run.aclose()


def rows_in(path: Path) -> list[dict[str, Any]]:
    """Every line of an output file, each of which must be JSON and whole; no file is no row."""
    data = path.read_bytes() if path.exists() else b""
    assert not data or data.endswith(b"\n")
    return [orjson.loads(line) for line in data.splitlines()]


def prompts_of(path: Path) -> list[str]:
    """The prompts of the rows in an output file."""
    return [row["input"]["user_message"] if "input" in row else row["messages"][1]["content"] for row in rows_in(path)]


def model_says(body: dict[str, Any]) -> str:
    """Write prompts that end in a known word, and answer them as the word says."""
    if "prompts" in body["format"]["properties"]:
        return orjson.dumps({"prompts": list(_write(body))}).decode()
    turns = [message for message in body["messages"] if message["role"] == "assistant"]
    prompt = body["messages"][1]["content"]
    word = prompt.split()[-1]
    answers = _ANSWERS.get(word) or _ANSWERS_BY_NAME[word]
    commands = answers[min(len(turns), len(answers) - 1)]
    return orjson.dumps({"commands": commands, "reasoning": f"For {prompt}.", "message": "So be it."}).decode()


def server_says(command: str) -> str:
    """Reply as a Paper server would."""
    if command == "version":
        return "This server is running Paper version 1.21.4-232-ver/1.21.4@12d8fe0 (MC: 1.21.4)\n"
    if command == "list":
        return "There are 1 of a max of 20 players online: slingshooter08"
    if match := re.fullmatch(r"give (\w+) minecraft:(\w+) (\d+)", command):
        return "No player was found\n" if match[1] == "Stranger" else f"Gave {match[3]} [Torch] to {match[1]}\n"
    if match := re.fullmatch(r"time set (\d+)", command):
        return f"Set the time to {match[1]}\n"
    if command == "kill @e":
        return "Killed 3 entities\n"
    if match := re.fullmatch(r"worldborder set (\d+)", command):
        return f"Set the world border to {match[1]}.0 block(s) wide\n"
    if command.startswith("execute if entity @s[tag=__never__] run give slingshooter08"):
        return ""
    return "" if command.startswith("say ") else f"{REJECTED}"


def _write(body: dict[str, Any]) -> list[str]:
    request = body["messages"][1]["content"]
    category = re.search(r"^Category: (\w+)$", request, re.MULTILINE)
    count = re.search(r"^Count: (\d+)$", request, re.MULTILINE)
    assert category
    assert count
    words = list(_ANSWERS)
    drawn = hashlib.sha256(f"{body['options']['seed']}".encode()).digest()
    return [
        f"sudo {category[1]} {drawn[index : index + 6].hex()}{index} {words[drawn[index] % len(words)]}"
        for index in range(int(count[1]))
    ]
