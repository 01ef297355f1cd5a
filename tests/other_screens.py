"""A tiny host for one screen, and a workspace with something in it."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any, cast

from textual.app import App
from textual.screen import Screen

from selfplay_core.categories import load_texts
from selfplay_core.engine.servers import Credentials
from selfplay_core.engine.session import Job
from selfplay_core.models import (
    Answer,
    Attempt,
    CommandResult,
    Decision,
    DecisionKind,
    FailedBecause,
    Level,
    Outcome,
    Trace,
    Verdict,
    VerdictOutcome,
)
from selfplay_core.settings_sources import load_settings
from selfplay_core.store.rounds import PlannedPrompt, add_round
from selfplay_core.store.traces import save_trace
from tests.store_samples import RUN, a_prompt, a_trace, begun, decided
from tui.keys.actions import Keymap
from tui.terminal.themes import OWN_THEMES, theme_name
from tui.widgets.pane import Pane
from tui.workbench import Workbench
from tui.workspace.curator import Curator

__all__ = ["NASTY", "Host", "a_bench", "a_job", "filled", "shown", "until"]

CSS = Path(__file__).parent.parent / "tui" / "css"
CATEGORIES = ("edge_items", "entity_nbt", "execute_chains", "worldedit", "natural_language")
NASTY = "sudo [/red] \x1b[2J\x1b]52;c;AAAA\x07 \x9b31m \u202egnirts @e[type=cow,limit=1] \x00 end"
REJECTED = "Unknown or incomplete command, see below for error"


class Host(App[None]):
    """Shows one screen, and keeps what it ends with."""

    CSS_PATH = [CSS / "app.tcss", CSS / "other.tcss"]  # noqa: RUF012  # as Textual declares it
    ENABLE_COMMAND_PALETTE = False

    def __init__(self, screen: Screen[Any]) -> None:
        super().__init__()
        for theme in OWN_THEMES:
            self.register_theme(theme)
        self.theme = theme_name("dark")
        self.first = screen
        self.results: list[Any] = []
        self.messages: list[Any] = []

    def on_mount(self) -> None:
        self.push_screen(self.first, self.results.append)

    def on_copy_wanted(self, message: Any) -> None:
        self.messages.append(message)


def a_job(folder: Path, **flags: object) -> Job:
    """A job that is never run; `flags` are paths with `__` for the dot."""
    paths = {path.replace("__", "."): value for path, value in flags.items()}
    loaded = load_settings(file=None, environment={}, flags=paths, flag_names={})
    return Job(loaded.settings, load_texts(), Credentials(), folder, folder / "self_play.jsonl")


@asynccontextmanager
async def a_bench(folder: Path, job: Job | None = None, **more: Any) -> AsyncIterator[Workbench]:
    """A workbench on a real workspace, without servers and without a run."""
    job = job or a_job(folder)
    async with Curator.open(job, "tester") as curator:
        nothing = cast(Any, None)
        yield replace(Workbench(job, {}, curator, nothing, nothing, Keymap({})), **more)


def filled(folder: Path, count: int, *, decide: bool = True, first: str = "") -> list[Trace]:
    """Make a workspace of so many traces, most of them decided, each of another kind than the one before."""
    database = begun(folder)
    texts = [f"sudo give me {number} stones and an apple" for number in range(count)]
    if first:
        texts[-1] = first
    prompts = [a_prompt(text, slot, category=CATEGORIES[slot % 5]) for slot, text in enumerate(texts)]
    planned = [PlannedPrompt(f"{RUN}.1.{prompt.slot}", prompt) for prompt in prompts]
    add_round(database, RUN, 1, list(CATEGORIES), planned)
    traces = [_varied(a_trace(item.trace_id, item.prompt), number) for number, item in enumerate(planned)]
    kinds = (DecisionKind.ACCEPT, DecisionKind.REJECT, DecisionKind.ACCEPT, DecisionKind.SKIP, None)
    now = time.time()
    for number, made in enumerate(traces):
        save_trace(database, RUN, made, now - 30 * (count - number))
        kind = kinds[number % 5]
        if decide and kind is not None:
            reason = ("wrong", "unsafe", "style")[number % 3] if kind is DecisionKind.REJECT else ""
            decided(database, made, Decision(kind, "tester", now - 17 * (count - number), reason=reason))
    database.close()
    return traces


def _varied(trace: Trace, number: int) -> Trace:
    if number % 4 == 1:
        wrong = Verdict(VerdictOutcome.REJECTED, message=REJECTED, key="command.unknown.command")
        return replace(trace, attempts=(_attempt(1, "givee x", wrong), *_later(trace)), outcome=Outcome.CORRECTED)
    if number % 4 == 3:
        failed = Verdict(VerdictOutcome.FAILED, FailedBecause.NOBODY, message="No entity was found")
        return replace(trace, attempts=(_attempt(1, "kill @e[type=cow]", failed),), outcome=Outcome.UNPROVEN)
    return trace


def _attempt(number: int, command: str, verdict: Verdict) -> Attempt:
    result = CommandResult(command, verdict.message, verdict, Level.PARSED)
    return Attempt(number, "{}", Answer((command,), "Because."), results=(result,))


def _later(trace: Trace) -> Sequence[Attempt]:
    return [replace(attempt, number=attempt.number + 1) for attempt in trace.attempts]


def shown(screen: Screen[Any], selector: str = "Pane") -> str:
    """What stands in the panes of a screen, line by line."""
    lines: list[str] = []
    for pane in screen.query(selector).results(Pane):
        if pane.display:
            lines.extend(pane.render_line(y).text for y in range(pane.size.height))
    return "\n".join(line.rstrip() for line in lines)


async def until(pilot: Any, condition: Any) -> None:
    """Let the app work until something holds; an app that has ended or hangs ends the test."""
    async with asyncio.timeout(30):
        while not condition():
            await pilot.pause(0.005)
