"""Editing in an editor of one's own, out of the edit screen and back into it."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest
from textual.drivers.headless_driver import HeadlessDriver

from tests.other_screens import until
from tests.work_screens import WorkHost, bench_of, editing, played, the_only
from tests.worlds import playground
from tui.screens.edit import EditScreen

TORCH = "give slingshooter08 minecraft:torch 1"


def an_editor(folder: Path, old: str, new: str) -> str:
    """An editor that replaces one thing."""
    script = folder / "editor.py"
    script.write_text(
        "import pathlib, sys\nfile = pathlib.Path(sys.argv[-1])\n"
        f"file.write_text(file.read_text().replace({old!r}, {new!r}))\n"
    )
    return f"'{sys.executable}' '{script}'"


@pytest.fixture
def lendable(monkeypatch: pytest.MonkeyPatch) -> None:
    """A terminal that can be lent."""
    for name in ("suspend_application_mode", "resume_application_mode"):
        monkeypatch.setattr(HeadlessDriver, name, lambda _: None)
    monkeypatch.setattr(HeadlessDriver, "can_suspend", True)


async def test_the_editor_brings_back_all_fields(tmp_path: Path, lendable: None) -> None:
    """What it left alone counts as untouched."""
    editor = an_editor(tmp_path, "time set 1000", "time set 2000")
    async with editing(tmp_path, review__editor=editor) as edit:
        await edit.press("ctrl+e")
        assert edit.screen.commands == (TORCH, "time set 2000")
        assert edit.text.count("changed") == 2
        await edit.press("ctrl+r", "ctrl+s")
        decision = await edit.standing()
    assert decision is not None
    assert decision.edited_prompt is None


async def test_what_cannot_be_read_is_not_lost(tmp_path: Path, lendable: None) -> None:
    """The editor opens with it again."""
    editor = an_editor(tmp_path, "# commands\ngive", "# commands!\nsay kept; give")
    async with editing(tmp_path, review__editor=editor) as edit:
        await edit.press("ctrl+e")
        assert "`# commands` is missing" in edit.text
        an_editor(tmp_path, "# commands!\n", "# commands\n")
        await edit.press("ctrl+e")
        assert edit.screen.commands[0] == f"say kept; {TORCH}"


@pytest.mark.parametrize("changes", [True, False])
async def test_the_editor_can_be_opened_at_once(tmp_path: Path, lendable: None, changes: bool) -> None:
    """If it changes nothing, there is nothing to stay for."""
    editor = an_editor(tmp_path, "1000" if changes else "nothing of the kind", "2000")
    async with playground(tmp_path) as ground:
        job = await played(ground, ["sudo do twice"], review__editor=editor)
        async with bench_of(job) as bench:
            screen = EditScreen(bench, await the_only(bench), outside=True)
            host = WorkHost(screen)
            async with host.run_test(size=(80, 24)) as pilot:
                await until(pilot, lambda: not screen.is_busy)
                await pilot.pause()
                assert host.results == ([] if changes else [False])
                if changes:
                    assert screen.commands[-1] == "time set 2000"


async def test_an_editor_that_is_not_there_leaves_the_screen(tmp_path: Path, lendable: None) -> None:
    """Editing goes on in place."""
    async with editing(tmp_path, review__editor="/no/such/editor") as edit:
        await edit.press("ctrl+e")
        assert "/no/such/editor" in edit.text
        await edit.write("prompt", "sudo another")
        await edit.press("ctrl+s")
        assert edit.results == [True]
