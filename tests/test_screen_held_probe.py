"""Held attempts that the server parses, unasked or asked, and never runs."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from pathlib import Path

import pytest

from selfplay_core.engine.desk import Desk, Looked
from selfplay_core.engine.servers import Credentials
from tests.held_screen import ruling
from tests.other_screens import until
from tui.screens import held as held_screen


async def test_what_stays_on_screen_is_probed_by_itself(tmp_path: Path) -> None:
    """Once, beside the keys; nothing runs, and the attempt can be ruled on meanwhile."""
    async with ruling(tmp_path, "kill") as page:
        assert "p lets the server parse it; nothing runs" in page.text
        assert not page.screen.is_busy
        await until(page.pilot, lambda: "parsed by the server, not run" in page.text)
        assert not page.screen.is_busy
        assert "kill @e" not in page.ground.server.commands
        assert any("kill @e" in command for command in page.ground.server.commands)


async def test_no_two_are_probed_at_once_and_a_failure_is_one_line(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The one that is looked at later has its turn later; no key waits for either."""
    monkeypatch.setattr(held_screen, "_PROBE_AFTER", 3_600.0)
    async with ruling(tmp_path, "kill", "border") as page:
        asked: list[tuple[str, ...]] = []
        gate = asyncio.Event()

        class Slow:
            async def is_at_hand(self) -> bool:
                return True

            async def probe(self, commands: tuple[str, ...]) -> Looked:
                asked.append(commands)
                await gate.wait()
                return Looked(error="The server is away. " * 20)

        page.bench.desk = Slow()  # type: ignore[assignment]
        monkeypatch.setattr(held_screen, "_PROBE_AFTER", 0.01)
        page.screen._probe_unasked(page.screen.shown.key if page.screen.shown else ("", 0.0))
        await until(page.pilot, lambda: asked)
        assert "the server is parsing it" in page.text
        page.screen.action_next()
        page.wait(1)
        page.screen._probe_unasked(page.screen.shown.key if page.screen.shown else ("", 0.0))
        await page.pilot.pause()
        assert asked == [("kill @e",)]
        gate.set()
        await until(page.pilot, lambda: len(asked) == 2)
        assert asked[1] == ("worldborder set 10",)
        await until(page.pilot, lambda: "PROBE The server is away." in page.text)
        assert page.text.count("The server is away.") < 4


async def test_nothing_is_probed_unasked_where_no_server_is_at_hand(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A review without a password opens no connection by itself."""
    monkeypatch.setattr(held_screen, "_PROBE_AFTER", 3_600.0)
    async with ruling(tmp_path, "kill") as page:
        job = replace(page.bench.job, credentials=Credentials())
        async with Desk(job, page.bench.curator.store) as desk:
            assert not await desk.is_at_hand()
            page.bench.desk = desk
            count = len(page.ground.server.commands)
            page.screen._probe_unasked(page.screen.shown.key if page.screen.shown else ("", 0.0))
            await page.pilot.app.workers.wait_for_complete()
            assert len(page.ground.server.commands) == count
            assert "p lets the server parse it" in page.text


async def test_a_probe_runs_nothing(tmp_path: Path) -> None:
    """It shows what the server parses, on the real server."""
    async with ruling(tmp_path, "kill") as page:
        await page.press("p")
        assert "parsed by the server, not run" in page.text
        assert "kill @e" not in page.ground.server.commands
        assert any("kill @e" in command for command in page.ground.server.commands)


async def test_a_probe_of_a_server_that_is_away_is_told(tmp_path: Path) -> None:
    """In the place of its result; the attempt can be ruled on all the same."""
    async with ruling(tmp_path, "kill") as page:

        class Away:
            async def is_at_hand(self) -> bool:
                return False

            async def probe(self, commands: object) -> Looked:
                return Looked(error="The server is away. Start it.")

        page.bench.desk = Away()  # type: ignore[assignment]
        await page.press("p")
        assert "The server is away. Start it." in page.text
        page.wait(1)
        await page.press("n")
        assert await page.held() == []
