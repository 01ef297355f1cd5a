"""The first screen: starting, testing and saving, by keys alone."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from textual.widgets import Input

from selfplay_core.engine.doctor import Check
from selfplay_core.engine.session import Job
from tests.other_screens import NASTY, Host, a_bench, a_job, shown, until
from tests.worlds import PASSWORD, playground
from tui.drawing.glyphs import ASCII, GLYPHS
from tui.drawing.lines import plain, width_of
from tui.drawing.welcome import check_lines, welcome_lines
from tui.job import Settled
from tui.screens import first_run
from tui.screens.first_run import FirstRunScreen
from tui.screens.help import HelpScreen
from tui.workbench import Beginning

SIZES = [(80, 24), (120, 36), (160, 50), (60, 16), (12, 4)]


def typed(screen: FirstRunScreen, **fields: str) -> None:
    """Fill the form; names are ids with `_` for the dash."""
    for name, text in fields.items():
        screen.query_one(f"#first-{name.replace('_', '-')}", Input).value = text


@pytest.mark.parametrize("width", [40, 60, 80, 120, 160])
def test_everything_fits(width: int) -> None:
    """Explanation and findings fit every width, and nothing hostile of a finding reaches the terminal."""
    checks = (Check("server", False, NASTY * 3), Check("password", True, "accepted"))
    lines = [
        *welcome_lines(Path("selfplay-sandbox"), width, short=False),
        *check_lines(checks, "1 of 2", "bad", False, width, ASCII, "esc"),
        *check_lines(checks, "", "bad", True, width, GLYPHS, "esc"),
        *check_lines((), "", "text", False, width, GLYPHS, "esc"),
    ]
    assert all(width_of(line) <= width for line in lines)
    assert not any(character in plain(line) for line in lines for character in "\x1b\x07\x9b\u202e\x00")


@pytest.mark.parametrize("size", SIZES)
async def test_enter_starts_on_the_sandbox(tmp_path: Path, size: tuple[int, int]) -> None:
    """What stands under the cursor at first is the sandbox: enter ends with the job as it is."""
    async with a_bench(tmp_path / "w") as bench:
        screen = FirstRunScreen(Beginning(bench.job, bench.origins, bench.keymap), {})
        app = Host(screen)
        async with app.run_test(size=size) as pilot:
            if size[0] >= 60:
                assert "SANDBOX" in shown(screen)
                assert "start on the sandbox" in shown(screen)
            await pilot.press("enter")
            await until(pilot, lambda: app.results == [Settled(bench.job, bench.origins)])


async def test_arrows_move_and_escape_leaves(tmp_path: Path) -> None:
    """The arrow keys go from field to field, as tab does; escape ends with nothing to run."""
    async with a_bench(tmp_path / "w") as bench:
        screen = FirstRunScreen(Beginning(bench.job, bench.origins, bench.keymap), {})
        app = Host(screen)
        async with app.run_test(size=(80, 24)) as pilot:
            await pilot.press("down", "x")
            assert screen.query_one("#first-llm-model", Input).value == "x"
            await pilot.press("up", "escape")
            await until(pilot, lambda: app.results == [None])


async def test_the_keys_are_explained_and_a_question_mark_can_be_typed(tmp_path: Path) -> None:
    """Help where no field has the focus; escape leads back to the form, which is as it was."""
    async with a_bench(tmp_path / "w") as bench:
        screen = FirstRunScreen(Beginning(bench.job, bench.origins, bench.keymap), {})
        app = Host(screen)
        async with app.run_test(size=(80, 24)) as pilot:
            await pilot.press("tab", "question_mark", "space", "b")
            assert screen.query_one("#first-llm-model", Input).value == "? b"
            await pilot.press("shift+tab", "question_mark")
            assert isinstance(app.screen, HelpScreen)
            await until(pilot, lambda: "next field or choice" in shown(app.screen))
            await pilot.press("escape")
            await until(pilot, lambda: screen.is_current)
            assert screen.query_one("#first-llm-model", Input).value == "? b"
            await pilot.press("space")
            await until(pilot, lambda: bool(app.results))


async def test_a_click_is_as_good(tmp_path: Path) -> None:
    """The mouse starts on the sandbox, too."""
    async with a_bench(tmp_path / "w") as bench:
        app = Host(FirstRunScreen(Beginning(bench.job, bench.origins, bench.keymap), {}))
        async with app.run_test(size=(80, 24)) as pilot:
            await pilot.click("#first-start", offset=(4, 0))
            await until(pilot, lambda: app.results == [Settled(bench.job, bench.origins)])


async def test_real_servers_are_tested_and_saved(tmp_path: Path) -> None:
    """By keys alone: servers typed, tested line by line, saved without the password, and ended with as a job."""
    async with playground(tmp_path) as ground, a_bench(tmp_path / "sandbox") as bench:
        real = replace(bench.job, workspace=tmp_path / "real", output=tmp_path / "real" / "self_play.jsonl")
        bench.job = real
        screen = FirstRunScreen(Beginning(bench.job, bench.origins, bench.keymap), {})
        app = Host(screen)
        async with app.run_test(size=(80, 24)) as pilot:
            await pilot.press("tab", *"theirs", "enter", *ground.model.url, "enter", "tab")
            await pilot.press(*str(ground.server.port), "tab", *PASSWORD, "tab")
            field = screen.query_one("#first-rcon-password", Input)
            assert field.value == PASSWORD
            assert PASSWORD not in shown(screen) + field.render_line(0).text
            await pilot.press("enter")
            await until(pilot, lambda: "All is well" in shown(screen))
            found = shown(screen, "#body")
            assert all(f"{GLYPHS.accept} {name}" in found for name in ("server", "password", "canaries", "players"))
            await pilot.press("tab", "enter")
            await until(pilot, lambda: bool(app.results))
        (settled,) = app.results
        job, file = settled.job, tmp_path / "real" / "selfplay.toml"
        assert {settled.origins[path] for path in ("llm.model", "llm.url", "rcon.port", "world.kind")} == {str(file)}
        assert (job.settings.llm.model, job.settings.rcon.port) == ("theirs", ground.server.port)
        saved = (tmp_path / "real" / "selfplay.toml").read_text()
        assert "theirs" in saved
        assert PASSWORD not in saved


async def test_what_is_not_well_is_told_in_place(tmp_path: Path) -> None:
    """A wrong password, an empty form, a file that is there: each is told on this screen, which stays."""
    async with playground(tmp_path) as ground, a_bench(tmp_path / "w") as bench:
        screen = FirstRunScreen(Beginning(bench.job, bench.origins, bench.keymap), {})
        app = Host(screen)
        async with app.run_test(size=(120, 36)) as pilot:
            await screen.run_action("test")
            await until(pilot, lambda: "The form is empty" in shown(screen))
            typed(screen, rcon_port=str(ground.server.port), rcon_password="wrong")
            await screen.run_action("test")
            await until(pilot, lambda: "need a hand" in shown(screen))
            assert f"{GLYPHS.reject} password" in shown(screen, "#body")
            (tmp_path / "w" / "selfplay.toml").write_text("")
            await screen.run_action("save")
            await until(pilot, lambda: "not overwritten" in shown(screen))
            assert app.results == []


async def test_a_test_that_hangs_is_stopped(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Escape stops a test and does not leave; one that nobody stops is given up after its deadline."""

    async def hang(job: Job, tell: Any) -> None:
        tell(Check("policy", True, "none of your own"))
        await asyncio.Event().wait()

    monkeypatch.setattr(first_run, "examine", hang)
    async with a_bench(tmp_path / "w", a_job(tmp_path / "w")) as bench:
        screen = FirstRunScreen(Beginning(bench.job, bench.origins, bench.keymap), {})
        app = Host(screen)
        async with app.run_test(size=(120, 36)) as pilot:
            typed(screen, llm_model="m")
            await screen.run_action("test")
            await until(pilot, lambda: "policy" in shown(screen, "#body") and "esc stops" in shown(screen))
            await pilot.press("escape")
            await until(pilot, lambda: "Stopped" in shown(screen))
            assert app.results == []
            monkeypatch.setattr(first_run, "_PATIENCE", 0.05)
            await screen.run_action("test")
            await until(pilot, lambda: "given up" in shown(screen) and "'policy'" in shown(screen))
            monkeypatch.setattr(first_run, "_PATIENCE", 60)
            await screen.run_action("test")
            await screen.run_action("start")
            await until(pilot, lambda: app.results == [Settled(bench.job, bench.origins)])
