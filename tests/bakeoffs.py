"""Models of known skill that answer cases on a strict server, and bake-offs between them."""

from __future__ import annotations

import hashlib
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import orjson

from selfplay_core.bakeoff.beginning import BakeoffJob
from selfplay_core.bakeoff.cases import CaseBook, read_cases
from selfplay_core.bakeoff.contest import bake_off
from selfplay_core.bakeoff.events import BakeoffEnded, CaseMarked
from selfplay_core.bakeoff.marks import Mark
from selfplay_core.categories import load_texts
from selfplay_core.engine.control import Control
from selfplay_core.engine.servers import Credentials
from selfplay_core.events import Event
from selfplay_core.settings import Secret
from tests.servers.ollama import FakeOllama, Reply, say
from tests.servers.rcon import StrictRconServer
from tests.worlds import PASSWORD, server_says, settings_of

__all__ = ["Baked", "Bakery", "Skill", "bakery", "skilled", "write_cases"]


@dataclass(frozen=True, slots=True)
class Skill:
    """Of a hundred cases: how many are right at once, and how many more after one retry."""

    right: int
    mended: int = 0


@dataclass(slots=True)
class Baked:
    """What a bake-off announced."""

    ended: BakeoffEnded
    events: list[Event]

    @property
    def marked(self) -> list[CaseMarked]:
        return [event for event in self.events if isinstance(event, CaseMarked)]

    def marks(self, model: str) -> dict[int, Mark]:
        return {event.place: event.mark for event in self.marked if event.model == model}


@dataclass(slots=True)
class Bakery:
    """Both servers; `script` answers where it is set, else each model as its skill allows."""

    model: FakeOllama
    server: StrictRconServer
    folder: Path
    skills: dict[str, Skill]
    script: Callable[[dict[str, Any]], Reply | None] = field(default=lambda body: None)

    def job(
        self, book: CaseBook, *, folder: str = "bakeoff", models: tuple[str, ...] = (), **settings: object
    ) -> BakeoffJob:
        """A bake-off between all models, or some; `settings` are paths with `__` for the dot, or fields of the job."""
        own = {name: settings.pop(name) for name in ("sample", "until_decided") if name in settings}
        flags: dict[str, object] = {
            "llm.url": self.model.url,
            "llm.model": "any",
            "rcon.port": self.server.port,
            "run.seed": 5,
            **{path.replace("__", "."): value for path, value in settings.items()},
        }
        return BakeoffJob(
            settings=settings_of({path: value for path, value in flags.items() if value is not None}),
            texts=load_texts(),
            credentials=Credentials(rcon_password=Secret(PASSWORD)),
            folder=self.folder / folder,
            workspace=self.folder / "workspace",
            book=book,
            models=models or tuple(self.skills),
            **own,  # type: ignore[arg-type]  # names of fields with their values
        )


@asynccontextmanager
async def bakery(folder: Path, **skills: Skill) -> AsyncIterator[Bakery]:
    """Start both servers on free ports, with models of these names."""
    made: list[Bakery] = []

    def script(body: dict[str, Any]) -> Reply:
        return made[0].script(body) or say(skilled(body, skills[body["model"]]))

    with FakeOllama(script) as model:
        async with StrictRconServer(server_says, password=PASSWORD) as server:
            made.append(Bakery(model, server, folder, skills))
            yield made[0]


async def bake(job: BakeoffJob, control: Control | None = None, watch: Callable[[Event], None] | None = None) -> Baked:
    """Make a bake-off to its end."""
    events: list[Event] = []

    def announce(event: Event) -> None:
        events.append(event)
        if watch is not None:
            watch(event)

    return Baked(await bake_off(job, control or Control(), announce), events)


def write_cases(folder: Path, count: int, **fields: object) -> CaseBook:
    """Make a file of so many cases, every third of them for the god, and read it."""
    file = folder / f"cases-{count}.jsonl"
    words = ("torch", "lamp", "flint")
    lines = [
        {"prompt": f"{'pray' if n % 3 == 2 else 'sudo'} {_word(n)} {words[n % 3]} {_word(n + 5000)}", **fields}
        for n in range(count)
    ]
    file.write_bytes(b"".join(orjson.dumps(line) + b"\n" for line in lines))
    return read_cases(str(file), None)


def _word(number: int) -> str:
    return hashlib.sha256(str(number).encode()).hexdigest()[:8]


def luck(model: str, prompt: str) -> int:
    """Which of a hundred cases this one is to a model."""
    return int.from_bytes(hashlib.sha256(f"{model}\0{prompt}".encode()).digest()[:4]) % 100


def skilled(body: dict[str, Any], skill: Skill) -> str:
    """Answer a case as a model of that skill."""
    prompt = body["messages"][1]["content"]
    retries = sum(message["role"] == "assistant" for message in body["messages"])
    drawn = luck(body["model"], prompt)
    is_right = drawn < skill.right or (retries > 0 and drawn < skill.right + skill.mended)
    command = "give slingshooter08 minecraft:torch 1" if is_right else f"givee {retries}"
    return orjson.dumps({"commands": [command], "reasoning": "So.", "message": "Be it."}).decode()
