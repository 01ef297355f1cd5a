"""Fields that hold what was pasted, and show no control character of it."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from textual import events
from textual.app import App, ComposeResult
from textual.screen import Screen

from selfplay_core.store.listing import Example
from selfplay_core.text import clean
from tests.other_screens import Host, a_bench, filled, until
from tui.screens.ask import AskScreen
from tui.screens.dataset import DatasetScreen
from tui.screens.first_run import FirstRunScreen
from tui.screens.help import HelpScreen
from tui.widgets.area import SafeArea, SafeInput
from tui.workbench import Beginning, Workbench

HOSTILE = "a\x1b[2J\x9b\u202e"
MAKERS: list[Callable[[Workbench, Example], Screen[Any]]] = [
    lambda bench, example: DatasetScreen(bench),
    lambda bench, example: HelpScreen(bench, "review"),
    lambda bench, example: FirstRunScreen(Beginning(bench.job, bench.origins, bench.keymap), {}),
    lambda bench, example: AskScreen(bench, example),
]


@pytest.mark.parametrize("make", MAKERS)
async def test_every_field_shows_a_sign_for_each_control_character(
    tmp_path: Path, make: Callable[[Workbench, Example], Screen[Any]]
) -> None:
    """On each screen that has one."""
    filled(tmp_path / "w", 1)
    async with a_bench(tmp_path / "w") as bench:
        example = await bench.curator.example(1)
        assert example is not None
        screen = make(bench, example)
        async with Host(screen).run_test(size=(120, 36)) as pilot:
            fields = list(screen.query("Input").results())
            assert fields
            for field in fields:
                assert isinstance(field, SafeInput)
                field.value = HOSTILE
                await pilot.pause()
                drawn = field.render_line(0).text
                assert clean(drawn) == drawn
                assert field.password or "a\u241b[2J" in drawn
                assert not (field.password and "a" in drawn)
                field.value = ""


@pytest.mark.parametrize("kind", [SafeInput, SafeArea])
async def test_keys_are_taken_in_their_order(kind: type[SafeInput | SafeArea]) -> None:
    """What is typed in one breath with a key that moves the cursor goes where that key moved it."""

    class One(App[None]):
        AUTO_FOCUS = "*"

        def compose(self) -> ComposeResult:
            yield kind("abc")

    app = One()
    async with app.run_test() as pilot:
        await pilot.pause()
        field = app.query_one(kind)
        for key, character in (("home", None), ("x", "x"), ("end", None), ("y", "y")):
            app.post_message(events.Key(key, character))
        await until(pilot, lambda: {"x", "y"} <= set(_text(field)))
        assert _text(field) == "xabcy"


def _text(field: SafeInput | SafeArea) -> str:
    return field.value if isinstance(field, SafeInput) else field.text
