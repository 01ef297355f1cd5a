"""The settings screen: all of them, where they came from, and no secret."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from selfplay_core.engine.servers import Credentials
from selfplay_core.settings import Secret, Settings
from tests.other_screens import NASTY, Host, a_bench, a_job, shown, until
from tui.drawing.glyphs import ASCII, GLYPHS, Glyphs
from tui.drawing.lines import plain, width_of
from tui.drawing.settings_table import Place, settings_in_force, settings_lines
from tui.keys.actions import Keymap
from tui.screens.settings import SettingsScreen

SECRET = "hunter2"


def text_of(job_folder: Path, width: int, glyphs: Glyphs = GLYPHS, **flags: object) -> str:
    """The page for a job with these flags, each of which came from `--it`."""
    job = a_job(job_folder, **flags)
    origins = {path.replace("__", "."): "--it" for path in flags}
    secrets = Credentials(Secret(SECRET), None)
    settings = settings_in_force(job.settings, origins, secrets)
    places = [Place("workspace", "/a/" + "long/" * 50)]
    keymap = Keymap.of({"accept": "f9,enter"})
    lines = settings_lines(settings, places, keymap, job_folder / "selfplay.toml", width, glyphs)
    assert all(width_of(line) <= width for line in lines)
    return "\n".join(plain(line) for line in lines)


@pytest.mark.parametrize("glyphs", [GLYPHS, ASCII])
@pytest.mark.parametrize("width", [60, 72, 80, 114, 120, 160])
def test_every_setting_stands_there(tmp_path: Path, width: int, glyphs: Glyphs) -> None:
    """Each key of each section is there at every width, one that somebody made with its sign and its origin."""
    text = text_of(tmp_path, width, glyphs, run__rounds=7)
    settings = Settings()
    for section in settings.__struct_fields__:
        assert f"[{section}]" in text
        for key in getattr(settings, section).__struct_fields__:
            assert key in text, f"{section}.{key}"
    made = [line.split() for line in text.splitlines() if "rounds " in line and "7" in line.split()]
    assert made
    assert made[0][:3] == [glyphs.edit, "rounds", "7"]
    assert "--it" in text
    assert "f9 enter  instead of a" in text
    assert text.count(f" {glyphs.edit} ") == 2, "the setting and the key"


def test_what_follows_from_others_is_not_called_set(tmp_path: Path) -> None:
    """A value that nobody wrote, but that another setting brings about, says so and has no sign."""
    lines = text_of(tmp_path, 120, rcon__port=25577).splitlines()
    kind = next(line for line in lines if line.split()[:2] == ["kind", "rcon"])
    assert "follows from others" in kind


@pytest.mark.parametrize("width", [60, 120])
def test_no_secret_is_shown(tmp_path: Path, width: int) -> None:
    """A password is only said to be set, also the one within an address."""
    text = text_of(tmp_path, width, llm__url=f"http://me:{SECRET}@10.0.0.1:11434", llm__model="m")
    assert SECRET not in text.replace("\n", "").replace(" ", "")
    assert "set, and never shown" in text
    assert "not set" in text


def test_long_and_nasty_values_wrap(tmp_path: Path) -> None:
    """Nothing of a long value is lost, and no control character of one is left."""
    rules = [f"effect give {number:03d}" for number in range(40)] + [NASTY]
    text = text_of(tmp_path, 80, policy__deny=rules)
    assert all(f"{number:03d}" in text for number in range(40))
    assert not any(character in text for character in "\x1b\x07\x9b\u202e\x00")


@pytest.mark.parametrize("size", [(80, 24), (120, 36), (160, 50), (60, 16), (12, 4)])
async def test_it_scrolls_and_leaves(tmp_path: Path, size: tuple[int, int]) -> None:
    """The table is scrolled by the keys of every page, and escape leaves."""
    job = a_job(tmp_path / "w", run__rounds=7)
    job = replace(job, credentials=Credentials(Secret(SECRET)))
    async with a_bench(tmp_path / "w", job, origins={"run.rounds": "--rounds"}) as bench:
        screen = SettingsScreen(bench)
        app = Host(screen)
        async with app.run_test(size=size) as pilot:
            if size[0] >= 60:
                assert "1 of 59 set by you" in shown(screen)
            await pilot.press("J", "pagedown")
            assert screen.body().top > 1 or size[1] < 10
            await pilot.press("escape")
            await until(pilot, lambda: app.results == [None])
