"""Draws the screenshots from seeded runs on the sandbox: `python -m screenshots.make` (needs the dev extra)."""

from __future__ import annotations

import asyncio
import os
import tempfile
import time
from dataclasses import replace
from pathlib import Path
from typing import Final

from screenshots.batch import draw_batch
from selfplay_core.engine.desk import Desk
from tui.app import ReviewApp
from tui.job import settle_job
from tui.keys.actions import Keymap
from tui.options import parse
from tui.run.runner import Runner
from tui.workbench import Workbench
from tui.workspace.curator import Curator

HERE: Final = Path(__file__).resolve().parent
PICTURES: Final[tuple[tuple[str, tuple[int, int], tuple[str, ...]], ...]] = (
    ("review", (120, 36), ()),
    ("review-small", (80, 24), ()),
    ("edit", (120, 36), ("e",)),
    ("bulk", (120, 36), ("b",)),
    ("statistics", (120, 36), ("s",)),
    ("held", (120, 36), ("exclamation_mark",)),
)
"""Name, columns and rows, and the keys that lead there."""

DECIDED: Final = ("a", "a", "1", "space", "a")


def main() -> None:
    """Draw each picture beside this file."""
    os.environ["TZ"] = "UTC"
    time.tzset()
    with tempfile.TemporaryDirectory() as folder:
        os.environ["XDG_STATE_HOME"] = folder
        draw_batch(HERE, folder)
        asyncio.run(draw_review(Path(folder)))


async def draw_review(folder: Path) -> None:
    """Make a run behind the review screen, decide on a few, and draw what the keys show."""
    words = ["--workspace", str(folder / "tuesday"), "--rounds", "6", "--seed", "2"]
    settled = settle_job(parse(words), {})
    job = replace(settled.job, interactive=True)
    async with Curator.open(job, "alex") as curator, Desk(job, curator.store) as desk:
        # All pictures show the time at which they were drawn, which is the only difference between two drawings.
        drawn_at = time.time()
        runner = Runner(job, curator.store)
        clock = _Clock()
        keymap = Keymap.of({})
        bench = Workbench(job, settled.origins, curator, desk, runner, keymap, clock=clock, now=lambda: drawn_at)
        runner.start()
        await runner.ended()
        for name, size, keys in PICTURES:
            app = ReviewApp(bench, generates=False)
            async with app.run_test(size=size) as pilot:
                await pilot.pause(0.5)
                for key in DECIDED if name == "review" else ():
                    clock.seconds += 1
                    await pilot.press(key)
                    await pilot.pause(0.3)
                for key in keys:
                    clock.seconds += 1
                    await pilot.press(key)
                    await pilot.pause(0.3)
                await pilot.pause(0.5)
                (HERE / f"{name}.svg").write_text(app.export_screenshot(title="selfplay-tui"), encoding="utf-8")


class _Clock:
    """Moves when it is told, so that neither rates nor countdowns depend on this machine."""

    def __init__(self) -> None:
        self.seconds = 1_000.0

    def __call__(self) -> float:
        return self.seconds


if __name__ == "__main__":
    main()
