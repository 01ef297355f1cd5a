"""A run of many prompts behind faulty proxies, and what it left, in a form in which two runs can be compared."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Callable, Mapping
from contextlib import closing
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import pytest

from selfplay_core.engine.control import Control
from selfplay_core.events import Away, Event, RunStarted
from selfplay_core.models import Outcome, Trace
from selfplay_core.store.database import Reader
from selfplay_core.store.traces import trace
from tests.servers.http_faults import HttpFault, HttpProxy
from tests.servers.ollama import FakeOllama
from tests.servers.proxy import FaultProxy, Strikes
from tests.servers.rcon import StrictRconServer
from tests.servers.rcon_faults import RconFault, RconProxy
from tests.soak_world import SoakServer, conversation_of, model_says, prompt_of
from tests.worlds import PASSWORD, Playground, Ran, play

__all__ = ["HEADINGS", "LINES", "ONE_MORE", "Remains", "Report", "Soak", "soak"]

ONE_MORE = "sudo torch 999999"
"""What is asked of a server in good order after the faults; the run for it takes up what was errored."""

_COUNTED = ("struck", "away", "prompts", "solved", "corrected", "others", "errored", "recovered")
HEADINGS = f"{'fault':24}" + "".join(f"{name:>10}" for name in _COUNTED) + f"{'seconds':>9}"
LINES = pytest.StashKey[list[str]]()
"""Where the lines are kept until the tests are over."""

_HASTE = 200


class Hasty(Control):
    """Waits a small part of the time that it is told to."""

    async def wait(self, seconds: float) -> None:
        await super().wait(seconds / _HASTE)

    async def wait_for_try(self, seconds: float) -> bool:
        await super().wait_for_try(seconds / _HASTE)
        return True


@dataclass(frozen=True, slots=True)
class Soak:
    """Which faults are played on which side, and to whom, from which event on; `settings` are those of the run.

    A model that turns its very first request away ends the run, and is right to do so.
    """

    rcon: RconFault | None = None
    http: HttpFault | None = None
    rcon_strikes: Strikes | None = None
    http_strikes: Strikes | None = None
    armed_by: type[Event] = RunStarted
    settings: Mapping[str, object] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Remains:
    """What a run left: traces by prompt without what differs from run to run, rows, and what the model was shown."""

    traces: dict[str, Trace]
    rows: list[bytes]
    shown: dict[str, set[bytes]]

    @property
    def errored(self) -> set[str]:
        """The prompts whose traces ended by a fault."""
        return {text for text, trace in self.traces.items() if trace.outcome is Outcome.ERRORED}


@dataclass(frozen=True, slots=True)
class Report:
    """A run behind the proxies and the one after it, on servers in good order."""

    first: Ran
    behind: Remains
    after: Remains
    struck: int
    away: int
    seconds: float

    def line(self, name: str) -> str:
        """Return the report as a line under `HEADINGS`."""
        ends = Counter(trace.outcome for trace in self.behind.traces.values())
        solved, corrected, errored = ends[Outcome.SOLVED], ends[Outcome.CORRECTED], ends[Outcome.ERRORED]
        others = len(self.behind.traces) - solved - corrected - errored
        recovered = len(self.behind.errored - self.after.errored)
        counts = (self.struck, self.away, len(self.behind.traces), solved, corrected, others, errored, recovered)
        return f"{name:24}" + "".join(f"{count:10}" for count in counts) + f"{self.seconds:9.1f}"


async def soak(folder: Path, prompts: list[str], given: Soak) -> Report:
    """Run the prompts behind the proxies to the end; then let another run, in a new world, take up what was errored."""
    started = time.monotonic()
    world = SoakServer()
    with FakeOllama(model_says) as model:
        async with (
            StrictRconServer(world.says, password=PASSWORD) as server,
            RconProxy(server.port, given.rcon, given.rcon_strikes) as rcon,
            HttpProxy(model.port, given.http, given.http_strikes) as http,
        ):
            proxies: tuple[FaultProxy, ...] = (rcon, http)
            ground = Playground(model, server, folder)
            settings: dict[str, Any] = {
                "llm__url": http.url,
                "rcon__port": rcon.port,
                "run__concurrency": 16,
                "run__categories_per_round": 5,
                "run__prompts_per_category": 20,
                **given.settings,
            }
            first = await play(ground.job(given=prompts, **settings), Hasty(), _mending(proxies, given.armed_by))
            behind = _remains(folder, model)
            for proxy in proxies:
                proxy.armed = False
                proxy.come_back()
            world.forget()
            await play(ground.job(given=[ONE_MORE], **settings), Hasty())
            after = _remains(folder, model)
    return Report(
        first=first,
        behind=behind,
        after=after,
        struck=rcon.struck + http.struck,
        away=sum(isinstance(event, Away) for event in first.events),
        seconds=time.monotonic() - started,
    )


def _mending(proxies: tuple[FaultProxy, ...], armed_by: type[Event]) -> Callable[[Event], None]:
    """Arm the proxies at an event, and mend what lasts once the run has seen that it does."""

    def hear(event: Event) -> None:
        for proxy in proxies:
            if isinstance(event, armed_by):
                proxy.armed = True
            elif isinstance(event, Away):
                proxy.come_back()

    return hear


def _remains(folder: Path, model: FakeOllama) -> Remains:
    shown: dict[str, set[bytes]] = {}
    for body in model.chats:
        shown.setdefault(prompt_of(body), set()).add(conversation_of(body))
    with closing(Reader.open(folder / "workspace")) as reader:
        found = [trace(reader, trace_id) for (trace_id,) in reader.rows("SELECT id FROM trace")]
    traces = {ended.prompt.text: _alike(ended) for ended in found if ended is not None}
    assert len(traces) == len(found)
    output = folder / "out.jsonl"
    return Remains(traces, output.read_bytes().splitlines() if output.exists() else [], shown)


def _alike(trace: Trace) -> Trace:
    """Return a trace without its run's id, its place in it and its times."""
    return replace(
        trace,
        id="",
        prompt=replace(trace.prompt, round=0, slot=0),
        attempts=tuple(replace(attempt, seconds=0.0) for attempt in trace.attempts),
    )
