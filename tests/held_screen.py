"""The screen of held attempts, open after a run on two imitated servers."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

from textual.pilot import Pilot

from selfplay_core.store.held import held
from selfplay_core.verify.policy import Policy
from tests.other_screens import shown, until
from tests.work_screens import Clock, WorkHost, bench_of, played
from tests.worlds import Playground, playground
from tui.screens.held import HeldScreen, waiting_of
from tui.workbench import Workbench

__all__ = ["Ruling", "ruling"]


class Ruling:
    """The screen of held attempts on a real workspace."""

    def __init__(self, pilot: Pilot[None], screen: HeldScreen, bench: Workbench, ground: Playground) -> None:
        self.pilot, self.screen, self.bench, self.ground = pilot, screen, bench, ground

    async def press(self, *keys: str) -> None:
        for key in keys:
            await self.pilot.press(key)
            await until(self.pilot, lambda: not self.screen.is_busy)
            await self.pilot.pause()

    def wait(self, seconds: float) -> None:
        assert isinstance(self.bench.clock, Clock)
        self.bench.clock.pass_by(seconds)

    @property
    def text(self) -> str:
        return " ".join(shown(self.screen).split())

    async def held(self) -> list[bool | None]:
        return [item.allowed for item in await self.bench.curator.reader.do(held)]

    async def held_commands(self) -> list[str]:
        found = await self.bench.curator.reader.do(held)
        return [waiting_of(item, Policy()).held_command for item in found if item.allowed is None]


@asynccontextmanager
async def ruling(folder: Path, *words: str, size: tuple[int, int] = (80, 24)) -> AsyncIterator[Ruling]:
    """Open the screen after a run whose prompts end in these words."""
    async with playground(folder) as ground:
        job = await played(ground, [f"sudo {number} {word}" for number, word in enumerate(words)])
        async with bench_of(job) as bench:
            screen = HeldScreen(bench)
            async with WorkHost(screen).run_test(size=size) as pilot:
                await until(pilot, lambda: not screen.is_busy)
                await pilot.pause()
                yield Ruling(pilot, screen, bench, ground)
