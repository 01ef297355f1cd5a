"""Held attempts that are edited: what the model wrote is denied once the edit is saved."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from pathlib import Path

from selfplay_core.models import Outcome
from selfplay_core.store.held import held, rule_held
from tests.held_screen import Ruling, ruling
from tests.other_screens import shown, until
from tests.work_screens import WorkHost, the_only, type_over
from tui.screens.edit import EditScreen


async def test_an_edit_that_is_left_denies_nothing(tmp_path: Path) -> None:
    """What the model wrote opens, and waits as before once it is left."""
    async with ruling(tmp_path, "kill") as page:
        page.wait(1)
        await page.press("e")
        opened = page.pilot.app.screen
        assert isinstance(opened, EditScreen)
        assert opened.commands == ("kill @e",)
        assert "Edit what is held" in shown(opened)
        await page.pilot.press("ctrl+s")
        await until(page.pilot, lambda: not opened.is_busy)
        assert "then y lets it run once" in " ".join(shown(opened).split())
        await page.pilot.press("escape")
        await until(page.pilot, lambda: page.screen.is_active)
        assert await page.held() == [None]
        await page.press("escape")
        host = page.pilot.app
        assert isinstance(host, WorkHost)
        assert host.results == [None]


async def test_an_edit_that_is_saved_denies_what_is_held(tmp_path: Path) -> None:
    """The decision stands on the blocked trace, and its number goes back to the review screen."""
    async with ruling(tmp_path, "kill") as page:
        await _edit_and_save(page)
        await until(page.pilot, lambda: page.screen.is_active)
        assert await page.held() == []
        example = await the_only(page.bench)
        assert example.trace.outcome is Outcome.BLOCKED
        assert "Denied by tester. It was edited." in example.trace.reason
        decision = example.standing.decision
        assert decision is not None
        assert decision.edited is not None
        assert decision.edited.commands == ("say no",)
        await until(page.pilot, lambda: "Denied as it was, and edited as #1." in page.text)
        await page.press("escape")
        host = page.pilot.app
        assert isinstance(host, WorkHost)
        assert host.results == [1]


async def test_an_edit_of_what_others_ruled_on_is_not_saved_and_not_lost(tmp_path: Path) -> None:
    """It is told in the edit, with the text still there."""
    async with ruling(tmp_path, "kill") as page:

        async def rule() -> None:
            (item,) = await page.bench.curator.reader.do(held)
            await page.bench.curator.store.do(rule_held, item.trace_id, since=item.since, allow=True, by="another")

        await _edit_and_save(page, before_saving=rule)
        opened = page.pilot.app.screen
        assert isinstance(opened, EditScreen)
        assert "Somebody ruled on this attempt meanwhile" in " ".join(shown(opened).split())
        assert opened.commands == ("say no",)
        assert await page.held() == [True]


async def _edit_and_save(page: Ruling, before_saving: Callable[[], Awaitable[None]] | None = None) -> None:
    """Write another command, and save it without verdicts, which takes the key twice."""
    page.wait(1)
    await page.press("e")
    opened = page.pilot.app.screen
    assert isinstance(opened, EditScreen)
    await type_over(page.pilot, opened, "commands", "say no")
    if before_saving is not None:
        await before_saving()
    for _ in range(2):
        await page.pilot.press("ctrl+s")
        await until(page.pilot, lambda: not opened.is_busy)
        page.wait(1)
    await page.pilot.pause()
