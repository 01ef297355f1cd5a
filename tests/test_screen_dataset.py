"""The dataset browser: what it lists, what it fetches, and what its keys do."""

from __future__ import annotations

from array import array
from collections.abc import Sequence
from pathlib import Path

import pytest

from selfplay_core.models import Decision, DecisionKind
from selfplay_core.store.database import Database
from selfplay_core.store.filters import Filter
from selfplay_core.store.history import Moved
from selfplay_core.store.listing import Example, Listing
from tests.other_screens import NASTY, Host, a_bench, filled, shown, until
from tests.store_samples import decided
from tui.drawing.dataset import time_of
from tui.screens import dataset
from tui.screens.dataset import DatasetScreen
from tui.screens.settings import SettingsScreen
from tui.widgets.pane import Rows
from tui.workspace.curator import Curator


def rows_of(screen: DatasetScreen) -> list[int]:
    """The numbers of the rows in sight, from the top."""
    pane = screen.query_one("#dataset-rows", Rows)
    lines = [pane.render_line(y).text.split() for y in range(pane.size.height)]
    return [int(words[0].replace(",", "")) for words in lines if words]


@pytest.mark.parametrize("size", [(80, 24), (120, 36), (160, 50), (60, 16), (12, 4)])
async def test_what_was_decided_newest_first(tmp_path: Path, size: tuple[int, int]) -> None:
    """It lists what was decided and nothing else, the newest first, with the example beside it where there is room."""
    filled(tmp_path / "w", 50)
    async with a_bench(tmp_path / "w") as bench:
        screen = DatasetScreen(bench)
        app = Host(screen)
        async with app.run_test(size=size) as pilot:
            if size[0] >= 60:
                await until(pilot, lambda: "40 of 50" in shown(screen) and "stones" in shown(screen, "#dataset-rows"))
                found = rows_of(screen)
                assert found == sorted(found, reverse=True)
                assert found[:5] == [49, 48, 47, 46, 44]
            assert screen.body().display == (size[0] >= 100)
            if size[0] >= 100:
                await until(pilot, lambda: "give me 48 stones" in shown(screen, "#body"))
            await pilot.press("escape")
            await until(pilot, lambda: app.results == [None])


async def test_when_is_when_it_was_decided(tmp_path: Path) -> None:
    """Also for what is decided while the rows are at hand; what nobody decided has the time of its end."""
    filled(tmp_path / "w", 3, decide=False)
    async with a_bench(tmp_path / "w", now=lambda: 2_000_000_000.0) as bench:
        await bench.curator.fetch_lines([1, 2, 3])
        shown_one = await bench.curator.example(2)
        assert shown_one is not None
        await bench.curator.decide(shown_one, Decision(DecisionKind.REJECT, "tester", 1_000_000_000.0))
        screen = DatasetScreen(bench)
        async with Host(screen).run_test(size=(80, 24)) as pilot:
            await until(pilot, lambda: "2001-09-0" in shown(screen, "#dataset-rows"))
            await pilot.press("slash", *"status", "colon", *"pending")
            await until(pilot, lambda: rows_of(screen) == [3, 1])
            assert "2001-09-0" not in shown(screen, "#dataset-rows")


async def test_only_what_is_in_sight_is_fetched(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Of a million numbers a screenful is fetched, wherever the cursor goes; numbers that are gone are said to be."""
    filled(tmp_path / "w", 5)
    asked: set[int] = set()
    real = Curator.fetch_lines

    async def listed(self: Curator, wanted: Filter, *, after: int = 0) -> Listing:
        return Listing(array("Q", range(1, 1_000_001)), bytearray(1_000_000))

    async def fetched(self: Curator, numbers: Sequence[int]) -> bool:
        asked.update(numbers)
        return await real(self, numbers)

    monkeypatch.setattr(Curator, "listing", listed)
    monkeypatch.setattr(Curator, "fetch_lines", fetched)
    async with a_bench(tmp_path / "w") as bench:
        screen = DatasetScreen(bench)
        async with Host(screen).run_test(size=(80, 24)) as pilot:
            await until(pilot, lambda: "replaced by a later trace" in shown(screen))
            await pilot.press("G")
            await until(pilot, lambda: "give me 0 stones" in shown(screen))
            assert rows_of(screen)[-1] == 1
    assert 0 < len(asked) < 300


async def test_the_filter_is_live(tmp_path: Path) -> None:
    """Typing narrows the list, a word that means nothing is told and changes nothing, escape takes it away."""
    filled(tmp_path / "w", 50)
    async with a_bench(tmp_path / "w") as bench:
        screen = DatasetScreen(bench)
        async with Host(screen).run_test(size=(120, 36)) as pilot:
            await until(pilot, lambda: "40 of 50" in shown(screen))
            await pilot.press("slash", *"status:rejected")
            await until(pilot, lambda: "10 of 50" in shown(screen))
            await pilot.press(*" status:nonsense")
            await until(pilot, lambda: "nonsense" in shown(screen, "#dataset-told"))
            assert "10 of 50" in shown(screen)
            await pilot.press("escape")
            await until(pilot, lambda: "40 of 50" in shown(screen))
            assert screen.focused is None
            assert "nonsense" not in shown(screen, "#dataset-told")
            await pilot.press("slash", *"status:any", "enter", "j")
            await until(pilot, lambda: "50 of 50" in shown(screen))
            await pilot.press("slash", *" nothing like it at all")
            await until(pilot, lambda: "No example under this filter" in shown(screen))


async def test_an_example_is_opened_again(tmp_path: Path) -> None:
    """Enter ends the screen with the number under the cursor."""
    filled(tmp_path / "w", 20)
    async with a_bench(tmp_path / "w") as bench:
        screen = DatasetScreen(bench)
        app = Host(screen)
        async with app.run_test(size=(80, 24)) as pilot:
            await until(pilot, lambda: "16 of 20" in shown(screen))
            await pilot.press("j", "j", "k", "enter")
            await until(pilot, lambda: app.results == [18])


async def test_a_click_chooses_and_another_opens(tmp_path: Path) -> None:
    """The mouse can do what the keys do: a click chooses a row, a second one opens it."""
    filled(tmp_path / "w", 20)
    async with a_bench(tmp_path / "w") as bench:
        screen = DatasetScreen(bench)
        app = Host(screen)
        async with app.run_test(size=(80, 24)) as pilot:
            await until(pilot, lambda: "stones" in shown(screen))
            await pilot.click("#dataset-rows", offset=(20, 2))
            assert app.results == []
            await pilot.click("#dataset-rows", offset=(20, 2))
            await until(pilot, lambda: app.results == [17])


async def test_a_click_on_the_title_opens_once(tmp_path: Path) -> None:
    """The screen below stays where it is."""
    filled(tmp_path / "w", 20)
    async with a_bench(tmp_path / "w") as bench:
        below = SettingsScreen(bench)
        app = Host(below)
        async with app.run_test(size=(120, 36)) as pilot:
            opened: list[int | None] = []
            await app.push_screen(screen := DatasetScreen(bench), opened.append)
            await until(pilot, lambda: "reopen" in shown(screen, "#body"))
            place = screen.body().render_line(0).text.index("reopen")
            await pilot.click("#body", offset=(place, 0))
            await until(pilot, lambda: opened == [19])
            await pilot.pause()
            assert app.screen is below


async def test_a_defect_is_told_and_ends_nothing(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    """The list stays; the log has the whole of it."""
    filled(tmp_path / "w", 20)
    async with a_bench(tmp_path / "w") as bench:
        screen = DatasetScreen(bench)
        async with Host(screen).run_test(size=(120, 36)) as pilot:
            await until(pilot, lambda: "16 of 20" in shown(screen))

            async def broken(automatic: Example | None = None) -> Moved | None:
                raise RuntimeError("broken")

            bench.curator.undo = broken  # type: ignore[method-assign]
            await pilot.press("u")
            await until(pilot, lambda: "selfplay.log in the workspace" in shown(screen, "#dataset-told"))
            assert "16 of 20" in shown(screen)
    assert "RuntimeError: broken" in caplog.text


async def test_flag_undo_redo_and_copy(tmp_path: Path) -> None:
    """The keys that change something tell what they did, and the list follows."""
    filled(tmp_path / "w", 20)
    async with a_bench(tmp_path / "w") as bench:
        screen = DatasetScreen(bench)
        app = Host(screen)
        async with app.run_test(size=(80, 24)) as pilot:
            await until(pilot, lambda: "stones" in shown(screen))
            await pilot.press("f")
            await until(pilot, lambda: "#19 is flagged" in shown(screen))
            await until(pilot, lambda: bench.glyphs.flag in shown(screen, "#dataset-rows"))
            await pilot.press("u")
            await until(pilot, lambda: "Undone: skip #19" in shown(screen) and "15 of 20" in shown(screen))
            await pilot.press("U")
            await until(pilot, lambda: "Done again: skip #19" in shown(screen) and "16 of 20" in shown(screen))
            await pilot.press("g", "y")
            await until(pilot, lambda: [message.number for message in app.messages] == [19])


async def test_it_follows_what_others_decide(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """What another process decides comes into the list in its place, and the cursor stays on its number."""
    monkeypatch.setattr(dataset, "_EVERY", 0.02)
    traces = filled(tmp_path / "w", 20)
    async with a_bench(tmp_path / "w") as bench:
        screen = DatasetScreen(bench)
        app = Host(screen)
        async with app.run_test(size=(80, 24)) as pilot:
            await until(pilot, lambda: "16 of 20" in shown(screen))
            database = Database.open(tmp_path / "w")
            decided(database, traces[19], Decision(DecisionKind.ACCEPT, "another", 1.0))
            database.close()
            await until(pilot, lambda: "17 of 20" in shown(screen))
            await until(pilot, lambda: rows_of(screen)[:2] == [20, 19])
            await pilot.press("enter")
            await until(pilot, lambda: app.results == [19])


async def test_text_from_outside_is_shown_not_obeyed(tmp_path: Path) -> None:
    """A nasty prompt stands in row and example with its brackets, and without its control characters."""
    filled(tmp_path / "w", 4, first=NASTY)
    async with a_bench(tmp_path / "w") as bench:
        screen = DatasetScreen(bench)
        async with Host(screen).run_test(size=(160, 50)) as pilot:
            await until(pilot, lambda: shown(screen).count("[/red]") == 2)
            assert "@e[type=cow,limit=1]" in shown(screen, "#body")
            assert not any(character in shown(screen) for character in "\x1b\x07\x9b\u202e\x00")


def test_the_day_is_told_where_it_is_another() -> None:
    """A time of today is a time of day; an older one names its day."""
    noon = 1_750_000_000.0
    assert time_of(noon, noon).count(":") == 2
    assert time_of(noon - 40 * 86_400, noon)[:2].isdigit()
    assert time_of(noon - 800 * 86_400, noon).count("-") == 2
