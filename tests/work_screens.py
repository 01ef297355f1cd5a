"""A host for the screens that work on examples, and workbenches with a desk on real sockets."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from textual.app import App
from textual.pilot import Pilot
from textual.screen import Screen
from textual.widgets import TextArea

from selfplay_core.engine.desk import Desk
from selfplay_core.engine.session import Job
from selfplay_core.models import Decision
from selfplay_core.store.listing import Example
from tests.other_screens import shown, until
from tests.worlds import Playground, play, playground
from tui.keys.actions import Keymap
from tui.keys.bindings import keymap_of
from tui.run.runner import Runner
from tui.screens.edit import EditScreen
from tui.terminal.themes import OWN_THEMES, theme_name
from tui.workbench import Workbench
from tui.workspace.curator import Curator

__all__ = ["CSS", "Clock", "Editing", "WorkHost", "bench_of", "editing", "played", "the_only", "type_over"]

CSS = Path(__file__).parent.parent / "tui" / "css"


@dataclass(slots=True)
class Clock:
    """A clock that stands still until it is told to go on."""

    now: float = 1_000.0

    def __call__(self) -> float:
        return self.now

    def pass_by(self, seconds: float) -> None:
        self.now += seconds


class WorkHost(App[None]):
    """Shows one screen, and keeps what it ends with."""

    CSS_PATH = sorted(CSS.glob("*.tcss"))  # as Textual declares it
    ENABLE_COMMAND_PALETTE = False

    def __init__(self, screen: Screen[Any], keymap: Keymap | None = None) -> None:
        super().__init__()
        for theme in OWN_THEMES:
            self.register_theme(theme)
        self.theme = theme_name("dark")
        self.set_keymap(keymap_of(keymap or Keymap({})))
        self.first = screen
        self.results: list[Any] = []

    def on_mount(self) -> None:
        self.push_screen(self.first, self.results.append)


@asynccontextmanager
async def bench_of(job: Job, clock: Clock | None = None) -> AsyncIterator[Workbench]:
    """A workbench on a job's workspace and servers, without a run."""
    async with Curator.open(job, "tester") as curator, Desk(job, curator.store) as desk:
        runner = Runner(job, curator.store)
        bench = Workbench(job, {}, curator, desk, runner, Keymap({}), clock=clock or Clock())
        try:
            yield bench
        finally:
            await runner.aclose()


async def played(ground: Playground, prompts: Sequence[str], **settings: object) -> Job:
    """Run these prompts to their end as the review screen does: nothing is accepted, what is asked about is held."""
    job = ground.job(given=list(prompts), interactive=True, **settings)  # type: ignore[arg-type]
    await play(job)
    return job


async def the_only(bench: Workbench, number: int = 1) -> Example:
    """The example of a number, which must be there."""
    found = await bench.curator.example(number)
    assert found is not None
    return found


async def type_over(pilot: Pilot[None], screen: Screen[Any], name: str, text: str) -> None:
    """Replace what stands in a field, as a person would who types all of it anew."""
    screen.query_one(f"#{name}", TextArea).load_text(text)
    await pilot.pause()


class Editing:
    """An edit screen on a real workspace and server, and hands to type with."""

    def __init__(self, pilot: Pilot[None], screen: EditScreen, bench: Workbench, ground: Playground) -> None:
        self.pilot, self.screen, self.bench, self.ground = pilot, screen, bench, ground

    async def write(self, name: str, text: str) -> None:
        await type_over(self.pilot, self.screen, name, text)

    async def press(self, *keys: str) -> None:
        """Press keys, and let what they began come to its end."""
        await self.pilot.press(*keys)
        await until(self.pilot, lambda: not self.screen.is_busy)
        await self.pilot.pause()

    def wait(self, seconds: float) -> None:
        assert isinstance(self.bench.clock, Clock)
        self.bench.clock.pass_by(seconds)

    @property
    def text(self) -> str:
        return shown(self.screen)

    @property
    def results(self) -> list[Any]:
        app = self.pilot.app
        assert isinstance(app, WorkHost)
        return app.results

    async def standing(self) -> Decision | None:
        self.bench.curator.drop([1])
        return (await the_only(self.bench)).standing.decision

    def sent(self) -> list[str]:
        """What reached the server of what these tests type; its canaries are of no interest."""
        return [
            command for command in self.ground.server.commands if command.startswith(("give", "kill", "time", "op"))
        ]


@asynccontextmanager
async def editing(
    folder: Path, prompt: str = "sudo do twice", *, size: tuple[int, int] = (80, 24), **settings: object
) -> AsyncIterator[Editing]:
    """Open the first trace of a run that asked one prompt."""
    async with playground(folder) as ground:
        job = await played(ground, [prompt], **settings)
        ground.server.commands.clear()
        async with bench_of(job) as bench:
            screen = EditScreen(bench, await the_only(bench))
            async with WorkHost(screen).run_test(size=size) as pilot:
                await pilot.pause()
                yield Editing(pilot, screen, bench, ground)
