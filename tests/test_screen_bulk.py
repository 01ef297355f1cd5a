"""Bulk pages: what is on them, what a key accepts, and what takes it back."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from textual.pilot import Pilot

from selfplay_core.engine.session import Job
from selfplay_core.models import Decision, DecisionKind, Trace
from selfplay_core.store.decisions import decide
from selfplay_core.store.filters import Filter
from selfplay_core.store.rounds import PlannedPrompt, add_round
from selfplay_core.store.traces import save_trace
from tests.other_screens import NASTY, a_job, shown, until
from tests.store_samples import RUN, a_prompt, a_trace, begun
from tests.work_screens import Clock, WorkHost, bench_of, played, the_only
from tests.worlds import playground, rows_in
from tui.drawing.bulk import page_height, page_lines
from tui.drawing.glyphs import GLYPHS
from tui.drawing.lines import plain, width_of
from tui.screens.bulk import BulkScreen, is_control
from tui.workbench import Workbench


class Paging:
    """The bulk screen on a real workspace."""

    def __init__(self, pilot: Pilot[None], screen: BulkScreen, bench: Workbench) -> None:
        self.pilot, self.screen, self.bench = pilot, screen, bench

    async def press(self, *keys: str) -> None:
        for key in keys:
            await self.pilot.press(key)
            await self.settled()

    async def settled(self) -> None:
        await until(self.pilot, lambda: not self.screen.is_busy)
        await self.pilot.pause()

    def wait(self, seconds: float = 1.0) -> None:
        assert isinstance(self.bench.clock, Clock)
        self.bench.clock.pass_by(seconds)

    @property
    def text(self) -> str:
        return shown(self.screen)

    @property
    def on_page(self) -> list[int]:
        return [one.number for one in self.screen.page.examples] if self.screen.page is not None else []

    @property
    def results(self) -> list[int | None]:
        host = self.pilot.app
        assert isinstance(host, WorkHost)
        return host.results

    async def of(self, kind: str) -> list[int]:
        return list((await self.bench.curator.listing(Filter(status=(kind,)))).numbers)


def clean_workspace(folder: Path, count: int) -> list[Trace]:
    """So many clean traces that nobody has decided on."""
    database = begun(folder)
    prompts = [a_prompt(f"sudo give me {slot} stones", slot) for slot in range(count)]
    planned = [PlannedPrompt(f"{RUN}.1.{prompt.slot}", prompt) for prompt in prompts]
    add_round(database, RUN, 1, ["edge_items"], planned)
    traces = [a_trace(item.trace_id, item.prompt) for item in planned]
    for made in traces:
        save_trace(database, RUN, made, 1500.0)
    database.close()
    return traces


@asynccontextmanager
async def paging(folder: Path, count: int = 30, *, size: tuple[int, int] = (80, 40)) -> AsyncIterator[Paging]:
    """Open the bulk screen on a workspace of clean traces."""
    clean_workspace(folder, count)
    async with opened(a_job(folder), size) as page:
        yield page


@asynccontextmanager
async def opened(job: Job, size: tuple[int, int] = (80, 24)) -> AsyncIterator[Paging]:
    """Open the bulk screen on a job's workspace."""
    async with bench_of(job) as bench:
        screen = BulkScreen(bench)
        async with WorkHost(screen).run_test(size=size) as pilot:
            page = Paging(pilot, screen, bench)
            await page.settled()
            yield page


def expected(count: int) -> list[int]:
    """The numbers that come to a bulk page, in order."""
    return [number for number in range(1, count + 1) if not is_control(f"{RUN}.1.{number - 1}")]


async def test_only_clean_undecided_ones_come_to_a_page(tmp_path: Path) -> None:
    """What was retried, proves nothing or was decided is for a single look; what is accepted here is a row."""
    async with playground(tmp_path) as ground:
        words = ["torch", "fix", "nobody", "refuse", "twice", "stuck", "torch", "twice"]
        job = await played(ground, [f"sudo {number} {word}" for number, word in enumerate(words)])
        async with opened(job) as page:
            texts = [one.trace.prompt.text for one in page.screen.page.examples] if page.screen.page else []
            assert texts
            assert {text.split()[-1] for text in texts} <= {"torch", "twice"}
            page.wait()
            await page.press("a")
            await page.bench.curator.projector.write()
        assert sorted(row["input"]["user_message"] for row in rows_in(job.output)) == sorted(texts)


async def test_one_key_accepts_what_is_not_struck_and_turns_the_page(tmp_path: Path) -> None:
    """Struck ones stay undecided."""
    async with paging(tmp_path) as page:
        first = page.on_page
        assert first == expected(30)[:8]
        await page.press("3", "5", "5")
        assert "1 struck" in page.text
        page.wait()
        await page.press("a")
        assert await page.of("accept") == [number for number in first if number != first[2]]
        assert page.on_page == expected(30)[8:16]
        decisions = [(await the_only(page.bench, number)).standing.decision for number in await page.of("accept")]
    assert {decision.by for decision in decisions if decision is not None} == {"tester"}
    assert len({decision.batch for decision in decisions if decision is not None}) == 1


async def test_a_page_counts_only_once_it_was_in_sight(tmp_path: Path) -> None:
    """A key that is held down accepts nothing unseen, on the first page nor on the next."""
    async with paging(tmp_path) as page:
        await page.press("a")
        assert await page.of("accept") == []
        assert "Too early" in page.text
        page.wait(0.25)
        await page.press("a", "a", "a")
        assert await page.of("accept") == expected(30)[:8]


async def test_undo_takes_the_page_back_and_shows_it_again(tmp_path: Path) -> None:
    """With what was struck; redo does it again, and an undo of something else moves no page."""
    async with paging(tmp_path) as page:
        first = page.on_page
        await page.press("2")
        page.wait()
        await page.press("a")
        await page.press("u")
        assert (page.on_page, await page.of("accept")) == (first, [])
        assert "1 struck" in page.text
        await page.press("U")
        assert len(await page.of("accept")) == 7
        assert page.on_page == expected(30)[8:16]
        await page.press("u")
        page.wait()
        await page.press("a")
        assert len(await page.of("accept")) == 7
        await page.press("u", "u")
        assert "There is nothing to undo" in page.text


async def test_undo_that_comes_early_is_done_in_its_turn(tmp_path: Path) -> None:
    """Behind what is being accepted, and one after the other."""
    async with paging(tmp_path) as page:
        page.wait()
        await page.press("a")
        page.wait()
        page.screen.action_accept_page()
        for back in (True, True, False):
            page.screen.action_undo() if back else page.screen.action_redo()
        await page.settled()
        assert await page.of("accept") == expected(30)[:8]
        assert "Done again: accept #" in page.text


async def test_undoing_what_was_decided_elsewhere_is_told(tmp_path: Path) -> None:
    """By its number."""
    async with paging(tmp_path) as page:
        control = next(number for number in range(1, 31) if number not in expected(30))
        await page.bench.curator.decide(
            await the_only(page.bench, control), Decision(DecisionKind.REJECT, by="tester", at=9.0)
        )
        before = page.on_page
        await page.press("u")
        assert f"Undone: reject #{control}." in page.text
        assert page.on_page == before


async def test_one_in_ten_is_kept_for_a_single_look_and_the_page_says_so(tmp_path: Path) -> None:
    """The same ones for everybody, however often one asks."""
    async with paging(tmp_path, 60, size=(160, 50)) as page:
        assert "1 in 10 is kept back" in page.text
        seen: list[int] = []
        while page.on_page:
            seen += page.on_page
            page.wait()
            await page.press("a")
        assert seen == expected(60)
        assert 0 < 60 - len(seen) < 18
        assert await page.of("undecided") == [number for number in range(1, 61) if number not in seen]
        assert "That was the last page." in page.text


def test_controls_are_about_one_in_ten() -> None:
    """Of many."""
    assert 800 < sum(is_control(f"trace-{number}") for number in range(10_000)) < 1_200


async def test_nobody_accepts_over_the_head_of_another(tmp_path: Path) -> None:
    """What was decided meanwhile is left and named; the rest of the page is accepted, and one undo takes it back."""
    async with paging(tmp_path) as page:
        first = page.on_page
        other = Decision(DecisionKind.REJECT, by="another", at=5.0)
        example = await the_only(page.bench, first[1])
        await page.bench.curator.store.do(decide, example.trace.id, other)
        page.wait()
        await page.press("a")
        rest = [number for number in first if number != first[1]]
        assert await page.of("accept") == rest
        assert (await the_only(page.bench, first[1])).standing.decision == other
        assert f"Left as others made it meanwhile: #{first[1]}." in page.text
        assert page.on_page == expected(30)[8:16]
        await page.press("u")
        assert await page.of("accept") == []
        assert page.on_page == rest


async def test_what_arrives_meanwhile_comes_behind(tmp_path: Path) -> None:
    """The list is read on at its end."""
    async with paging(tmp_path, 4) as page:
        assert page.on_page == expected(4)

        def add(database: object) -> None:
            prompts = [PlannedPrompt(f"{RUN}.2.{slot}", a_prompt(f"later {slot}", slot, 2)) for slot in range(12)]
            add_round(database, RUN, 2, ["edge_items"], prompts)  # type: ignore[arg-type]
            for item in prompts:
                save_trace(database, RUN, a_trace(item.trace_id, item.prompt), 1600.0)  # type: ignore[arg-type]

        await page.bench.curator.store.do(add)
        page.wait()
        await page.press("a")
        assert page.on_page
        assert min(page.on_page) > 4


@pytest.mark.parametrize("key", ["enter", "o"])
async def test_a_row_is_opened_by_its_number(tmp_path: Path, key: str) -> None:
    """The one that the cursor is on."""
    async with paging(tmp_path) as page:
        third = page.on_page[2]
        await page.press("j", "j", "j", "k", key)
        assert page.results == [third]


async def test_an_empty_workspace_says_so(tmp_path: Path) -> None:
    """And every key is harmless."""
    async with paging(tmp_path, 0) as page:
        assert "no clean first-try example" in page.text
        page.wait()
        await page.press("a", "1", "x", "enter", "j", "u", "escape")
        assert page.results == [None]


@pytest.mark.parametrize("size", [(60, 16), (80, 24), (160, 50), (20, 4)])
async def test_every_row_is_in_sight_or_marked(tmp_path: Path, size: tuple[int, int]) -> None:
    """Nothing is accepted that lies below the edge of the screen."""
    async with paging(tmp_path, size=size) as page:
        if size >= (60, 16):
            for row, number in enumerate(page.on_page, start=1):
                assert any(f"{row} " in line and f"#{number} " in line for line in page.text.split("\n"))


def answered(trace: Trace, commands: Sequence[str], reply: str = "Done.") -> Trace:
    """The same trace with other commands, each of which has passed with this reply."""
    attempt = trace.attempts[0]
    assert attempt.answer is not None
    results = tuple(replace(attempt.results[0], command=command, reply=reply) for command in commands)
    anew = replace(attempt, answer=replace(attempt.answer, commands=tuple(commands)), results=results)
    return replace(trace, attempts=(anew,))


@given(
    st.integers(20, 170),
    st.lists(st.sampled_from([NASTY, "a \u4f60\u597d " * 9, "long " * 90, "x" * 400, "y"]), max_size=4),
    st.booleans(),
)
def test_rows_are_drawn_without_loss_in_the_lines_that_were_counted(
    width: int, commands: list[str], is_struck: bool
) -> None:
    """Prompt, every command and every reply; no control character is drawn."""
    traces = [(7, answered(a_trace("t", a_prompt("p" * 90)), commands, "r" * 50)), (8, a_trace("u", a_prompt("q")))]
    counted = page_height(traces, GLYPHS, width, 10_000)
    lines = page_lines(traces, frozenset({0} if is_struck else ()), 1, GLYPHS, width, counted)
    assert len(lines) <= counted
    assert all(width_of(line) <= width for line in lines)
    drawn = "".join(map(plain, lines))
    assert not [character for character in drawn if ord(character) < 0x20 or character in "\x7f\x9b\u202e"]
    assert GLYPHS.more not in drawn
    for text, count in (("p", 90), ("r", 50 * len(commands)), ("x", 400 * commands.count("x" * 400))):
        assert drawn.count(text) >= count


def lengthy(folder: Path, *numbers_of_commands: int) -> list[str]:
    """Clean traces of so many commands each, of 70 cells and more; returns the commands."""
    database = begun(folder)
    # Only traces that come to a page.
    slots = [slot for slot in range(200) if not is_control(f"{RUN}.1.{slot}")][: len(numbers_of_commands)]
    prompts = [PlannedPrompt(f"{RUN}.1.{slot}", a_prompt(f"sudo build {slot}", slot)) for slot in slots]
    add_round(database, RUN, 1, ["edge_items"], prompts)
    made: list[str] = []
    for item, count in zip(prompts, numbers_of_commands, strict=True):
        commands = [f"give SwiftWolf stone[custom_name='{item.prompt.slot}.{one}{'.' * 40}'] 1" for one in range(count)]
        save_trace(database, RUN, answered(a_trace(item.trace_id, item.prompt), commands), 1500.0)
        made += commands
    database.close()
    return made


@pytest.mark.parametrize("size", [(60, 16), (80, 24), (120, 36), (160, 50)])
async def test_no_command_is_accepted_that_was_not_on_screen(tmp_path: Path, size: tuple[int, int]) -> None:
    """A page holds what it shows whole, and the rest comes on the next one."""
    commands = lengthy(tmp_path, 3, 4, 2, 5, 1, 3, 4, 2, 2, 5)
    async with opened(a_job(tmp_path), size) as page:
        seen = ""
        for _ in range(10):
            body = shown(page.screen, "#body").partition("\n")[2]
            assert GLYPHS.more not in body
            seen += body
            page.wait()
            await page.press("a")
        assert len(await page.of("accept")) == 10
    assert [command for command in commands if _squeezed(command) not in _squeezed(seen)] == []


def _squeezed(text: str) -> str:
    return "".join(text.split())


async def test_what_no_page_could_show_whole_is_left_for_a_single_look(tmp_path: Path) -> None:
    """And the page says so."""
    lengthy(tmp_path, 2, 30, 2)
    async with opened(a_job(tmp_path)) as page:
        assert page.on_page == [1, 3]
        assert "1 too long for a page" in page.text
        page.wait()
        await page.press("a")
        assert (await page.of("accept"), await page.of("undecided")) == ([1, 3], [2])
    async with opened(a_job(tmp_path)) as page:
        assert page.on_page == []
        assert "So does 1 too long to be shown whole on a page." in " ".join(page.text.split())


async def test_another_size_composes_the_page_anew_from_its_first_example(tmp_path: Path) -> None:
    """Struck ones stay struck, and the other page must have been in sight, too."""
    lengthy(tmp_path, *([3] * 8))
    async with opened(a_job(tmp_path), (160, 50)) as page:
        assert page.on_page == list(range(1, 9))
        await page.press("2")
        page.wait()
        await page.pilot.resize_terminal(80, 24)
        await until(page.pilot, lambda: len(page.on_page) < 8)
        fewer = page.on_page
        assert fewer == list(range(1, len(fewer) + 1))
        assert "1 struck" in page.text
        await page.press("a")
        assert await page.of("accept") == []
        page.wait()
        await page.press("a")
        assert await page.of("accept") == [number for number in fewer if number != 2]
        await page.pilot.resize_terminal(160, 50)
        await until(page.pilot, lambda: page.on_page == list(range(len(fewer) + 1, 9)))
        await page.press("u")
        assert page.on_page == fewer
        assert await page.of("accept") == []


async def test_news_that_cover_a_part_of_the_page_accept_nothing(tmp_path: Path) -> None:
    """What went out of sight must be looked at again."""
    lengthy(tmp_path, *([2] * 8))
    async with opened(a_job(tmp_path), (60, 16)) as page:
        page.screen.tell("long " * 200)
        await page.pilot.pause()
        assert not page.screen.is_whole
        page.wait()
        await page.press("a")
        assert await page.of("accept") == []
        assert "out of sight" in page.text
        page.wait()
        await page.press("a")
        assert await page.of("accept") != []


async def test_a_screen_that_was_left_is_told_nothing(tmp_path: Path) -> None:
    """Its widgets go one by one; what comes late must not end the app."""
    async with paging(tmp_path) as page:
        page.screen.finish(None)
        for _ in range(20):
            await asyncio.sleep(0)
            page.screen.tell("x")
            page.screen._show()
        await page.pilot.pause()
        assert page.results == [None]
