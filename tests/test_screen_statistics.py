"""The statistics screen: its figures, its layout, and how it keeps up."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest

from selfplay_core.errors import StoreError
from selfplay_core.models import CATEGORY_NAMES, Decision, DecisionKind, Outcome
from selfplay_core.store.coverage import RootCount
from selfplay_core.store.database import Database, Reader
from selfplay_core.store.traces import Count
from selfplay_core.verify.roots import GAME_ROOTS
from tests.other_screens import NASTY, REJECTED, Host, a_bench, filled, shown, until
from tests.store_samples import decided
from tui.drawing.coverage import command_lines, outcomes_by_category
from tui.drawing.glyphs import ASCII, GLYPHS, Glyphs
from tui.drawing.lines import plain, width_of
from tui.drawing.statistics import Figures, Output, Tries, bar, spark, statistics_lines
from tui.screens import statistics
from tui.screens.statistics import StatisticsScreen

SIZES = [(80, 24), (120, 36), (160, 50), (60, 16), (12, 4)]
EMPTY = Figures((), {}, {}, [0] * 60, [0] * 60, (), (), Output("out.jsonl", None, 0, ""))
FULL = Figures(
    counts=(
        Count("edge_items", Outcome.SOLVED, DecisionKind.ACCEPT, 1_234_567),
        Count("edge_items", Outcome.FAILED, None, 3),
        Count("a_category_of_a_later_version", Outcome.BLOCKED, DecisionKind.REJECT, 1),
    ),
    last_hour={DecisionKind.ACCEPT: 5},
    reasons={"wrong": 12, NASTY: 3, "": 1},
    decisions=list(range(60)),
    traces=[0] * 59 + [9_999],
    tries=(Tries(0, 1_000, 600), Tries(1, 20, 5)),
    errors=((NASTY, 7), ("", 2), ("x" * 10_000, 1)),
    output=Output("/a/" + "long/" * 60, 12_345_678, 9, f"cannot be written: {NASTY}"),
    roots=(RootCount("give", 1_234_567, 12_345, 7), RootCount(NASTY, 3, 0, 0), RootCount("//set", 2, 2, 0)),
)


@pytest.mark.parametrize("glyphs", [GLYPHS, ASCII])
@pytest.mark.parametrize("figures", [EMPTY, FULL])
def test_no_line_is_wider_than_the_screen(figures: Figures, glyphs: Glyphs) -> None:
    """Whatever the figures are, every line fits from the width of a phone on, and holds no control character."""
    for width in (40, 60, 78, 80, 100, 114, 120, 152, 160, 240):
        for line in statistics_lines(figures, width, glyphs):
            assert width_of(line) <= width, (width, plain(line))
            assert not any(ord(character) < 0x20 or character == "\u202e" for character in plain(line))


def test_counts_add_up_whatever_the_layout() -> None:
    """Each figure stands on the page in one, two and three columns alike."""
    for width in (60, 80, 120, 160):
        text = "\n".join(plain(line) for line in statistics_lines(FULL, width, GLYPHS))
        for told in ("1,234,567/1,234,567/1,234,570", "1,234,571 traces", "newest 2,000", "600", "12.3 MB", "9 rows"):
            assert told in text, (width, told)


def test_each_category_tells_how_its_traces_ended() -> None:
    """A row each, a column for each way to end, at every width from the least terminal's on."""
    for width in (58, 78, 118, 158):
        rows = [plain(line).split() for line in outcomes_by_category(FULL.counts, width)]
        (items,) = [row for row in rows if row[0] in ("edge_items", "items")]
        assert items[1:] == ["1M", "0", "0", "0", "3", "0", "0"]
        assert "corrected" in rows[1] or width < 78
        assert len(rows) == 2 + len(CATEGORY_NAMES) + 1


def test_commands_are_counted_and_what_was_never_seen_is_named() -> None:
    """By their root, as it would run; no command of the game is left out."""
    text = "\n".join(plain(line) for line in command_lines(FULL.roots, 2_000, 118, GLYPHS))
    assert re.search(r"give +1M +✓ +12k +✗ +7", text)
    assert re.search(r"//set +2 +✓ +2 +✗ +0", text)
    assert f"never seen: {len(GAME_ROOTS) - 1}" in text
    assert set(GAME_ROOTS) - {"give"} <= set(text.split())
    assert "none yet" in plain(command_lines((), 2_000, 118, GLYPHS)[1])


def test_whatever_is_there_is_seen() -> None:
    """A share that is not zero takes at least a cell, and a bar is as wide as it was asked to be."""
    drawn = bar(((1, "a", "ok"), (1, "b", "bad")), 1_000_000, 10, ".")
    assert plain(drawn) == "ab........"
    assert plain(bar(((5, "a", "ok"), (9, "b", "bad")), 9, 4, ".")) == "aabb"
    assert plain(bar((), 0, 3, ".")) == "..."


def test_a_chart_ends_with_the_newest_value() -> None:
    """Neighbours are added up from the newest on, and a value that is not zero is never drawn as nothing."""
    assert spark([0, 0, 0, 8], 4, 1, GLYPHS.blocks) == ["   █"]
    assert spark([1, 1, 0, 0, 4], 3, 1, GLYPHS.blocks) == ["▂▂█"]
    assert spark([1_000, 1], 2, 2, ASCII.blocks) == ["% ", "%."]


@pytest.mark.parametrize("size", SIZES)
async def test_it_opens_at_every_size(tmp_path: Path, size: tuple[int, int]) -> None:
    """The screen shows the figures of its workspace at every size, and at the smallest it does not fall."""
    filled(tmp_path / "w", 40)
    async with a_bench(tmp_path / "w") as bench:
        screen = StatisticsScreen(bench)
        app = Host(screen)
        async with app.run_test(size=size) as pilot:
            await until(pilot, lambda: "40 traces" in shown(screen) or size[0] < 20)
            if size[1] >= 36:
                assert REJECTED[:30] in shown(screen)
            await pilot.press("escape")
            await until(pilot, lambda: app.results == [None])


async def test_it_keeps_up_and_keeps_its_place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """What another process decides is shown without a key, and the page stays where it was scrolled to."""
    monkeypatch.setattr(statistics, "_EVERY", 0.02)
    traces = filled(tmp_path / "w", 10, decide=False)
    async with a_bench(tmp_path / "w") as bench:
        screen = StatisticsScreen(bench)
        async with Host(screen).run_test(size=(60, 16)) as pilot:
            await until(pilot, lambda: "0/0/2" in shown(screen))
            await pilot.press("J", "J")
            assert screen.body().top == 2
            database = Database.open(tmp_path / "w")
            decided(database, traces[0], Decision(DecisionKind.ACCEPT, "another", 1.0))
            database.close()
            await until(pilot, lambda: "1/1/2" in shown(screen))
            assert screen.body().top == 2


async def test_trouble_is_told_and_tried_again(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A workspace that cannot be read is told in the title, and read when it can be again."""
    monkeypatch.setattr(statistics, "_EVERY", 0.02)
    real = statistics._figures
    broken = [True]

    def read(reader: Reader, *rest: Any) -> Figures:
        if broken:
            raise StoreError(f"the disk is gone {NASTY}")
        return real(reader, *rest)

    monkeypatch.setattr(statistics, "_figures", read)
    filled(tmp_path / "w", 5)
    async with a_bench(tmp_path / "w") as bench:
        screen = StatisticsScreen(bench)
        async with Host(screen).run_test(size=(120, 36)) as pilot:
            await until(pilot, lambda: "the disk is gone" in shown(screen))
            broken.clear()
            await until(pilot, lambda: "5 traces" in shown(screen))


async def test_a_defect_is_told_and_tried_again(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """It takes down neither the screen nor the app."""
    monkeypatch.setattr(statistics, "_EVERY", 0.02)
    real = statistics._figures
    broken = [True]

    def read(reader: Reader, *rest: Any) -> Figures:
        if broken:
            raise RuntimeError("broken")
        return real(reader, *rest)

    monkeypatch.setattr(statistics, "_figures", read)
    filled(tmp_path / "w", 5)
    async with a_bench(tmp_path / "w") as bench:
        screen = StatisticsScreen(bench)
        async with Host(screen).run_test(size=(120, 36)) as pilot:
            await until(pilot, lambda: "A defect stopped this; selfplay.log" in shown(screen))
            broken.clear()
            await until(pilot, lambda: "5 traces" in shown(screen))
