"""The small screens: asking again, tuning, confirming, copying."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from pathlib import Path

import orjson
import pytest
from textual.widgets import Input

from selfplay_core.engine.again import Asked
from selfplay_core.engine.control import Control
from selfplay_core.engine.steering import Steer, Steered
from selfplay_core.engine.tuning import Tuning
from selfplay_core.models import Answer, Decision, DecisionKind, Outcome
from selfplay_core.store.decisions import decide
from tests.other_screens import NASTY, shown, until
from tests.samples import make_trace
from tests.work_screens import Clock, WorkHost, bench_of, played, the_only
from tests.worlds import going, playground
from tui.drawing.lines import Line, Span
from tui.keys.actions import Keymap
from tui.screens.ask import AskScreen
from tui.screens.confirm import ConfirmScreen
from tui.screens.copy_menu import CopyMenu, copies_of
from tui.screens.tune import TuneScreen

SIZES = [(60, 16), (80, 24), (160, 50), (20, 4)]


async def test_the_model_is_asked_once_more_with_the_hint(tmp_path: Path) -> None:
    """Its new attempt is in the trace, verified, before the screen closes."""
    async with playground(tmp_path) as ground:
        job = await played(ground, ["sudo do learn"])
        async with bench_of(job) as bench:
            before = await the_only(bench)
            host = WorkHost(screen := AskScreen(bench, before))
            async with host.run_test(size=(80, 24)) as pilot:
                await pilot.press(*"use give", "enter")
                await until(pilot, lambda: host.results)
            after = await the_only(bench)
        assert host.results == [True]
        assert not screen.is_busy
        assert len(after.trace.attempts) == len(before.trace.attempts) + 1
        assert (after.trace.attempts[-1].hint, after.trace.outcome) == ("use give", Outcome.CORRECTED)


async def test_what_hinders_the_model_is_told_in_place(tmp_path: Path) -> None:
    """The hint stays, and can be sent again."""
    async with playground(tmp_path) as ground:
        job = await played(ground, ["sudo do torch"])
        async with bench_of(job) as bench:
            example = await the_only(bench)
            accepted = Decision(DecisionKind.ACCEPT, by="another", at=1.0)
            await bench.curator.store.do(decide, example.trace.id, accepted)
            host = WorkHost(screen := AskScreen(bench, example))
            async with host.run_test(size=(80, 24)) as pilot:
                await pilot.press(*"hint", "enter")
                await until(pilot, lambda: not screen.is_busy)
                await pilot.pause()
                assert "#1 is accepted, by another" in " ".join(shown(screen).split())
                assert screen.query_one("#hint", Input).value == "hint"
                assert host.results == []
                await pilot.press("escape")
                await pilot.pause()
                assert host.results == [False]


async def test_what_went_wrong_behind_an_answer_is_told_too(tmp_path: Path) -> None:
    """The model answered, but its commands could not be run: the answer stands, and the reason is not lost."""
    async with playground(tmp_path) as ground:
        job = await played(ground, ["sudo do torch"])
        async with bench_of(job) as bench:
            example = await the_only(bench)

            class Half:
                async def ask_again(self, *_: object, **__: object) -> Asked:
                    return Asked(example.trace, "The server is away. Start it.")

            bench.desk = Half()  # type: ignore[assignment]
            host = WorkHost(AskScreen(bench, example))
            async with host.run_test(size=(80, 24)) as pilot:
                await pilot.press("enter")
                await until(pilot, lambda: host.results)
            assert host.results == [True]
            assert bench.state.notice is not None
            assert bench.state.notice.text == "The server is away. Start it."


async def test_asking_can_be_taken_back(tmp_path: Path) -> None:
    """esc stops waiting first, and leaves only then."""
    async with playground(tmp_path) as ground:
        job = await played(ground, ["sudo do torch"])
        async with bench_of(job) as bench:
            waiting, ended = asyncio.Event(), asyncio.Event()

            class Silent:
                async def ask_again(self, *_: object, **__: object) -> Asked:
                    waiting.set()
                    try:
                        await asyncio.Event().wait()
                    finally:
                        ended.set()
                    return Asked()

            bench.desk = Silent()  # type: ignore[assignment]
            host = WorkHost(screen := AskScreen(bench, await the_only(bench)))
            async with host.run_test(size=(80, 24)) as pilot:
                await pilot.press("enter")
                await waiting.wait()
                await pilot.pause()
                assert "Asking the model once more" in shown(screen)
                await pilot.press("escape")
                await ended.wait()
                assert host.results == []
                await until(pilot, lambda: not screen.is_busy)
                await pilot.press("escape")
                await pilot.pause()
                assert host.results == [False]


async def test_a_run_is_tuned_by_keys(tmp_path: Path) -> None:
    """Here one of another store on the same workspace, told through the store."""
    async with playground(tmp_path) as ground:
        ground.slow = lambda body: 0.05
        job = ground.job(interactive=True, given=[f"sudo {number} torch" for number in range(400)])
        control = Control()
        async with going(job, control) as run:
            await run.until(lambda events: control.tuning is not None)
            async with bench_of(job) as bench:
                host = WorkHost(screen := TuneScreen(bench))
                async with host.run_test(size=(80, 24)) as pilot:
                    await until(pilot, lambda: not screen.is_busy)
                    await pilot.press("j", "l", "right", "h", "down", "l", "enter")
                    await until(pilot, lambda: host.results)
                assert control.tuning == Tuning(None, 2, 3)
                assert bench.state.notice is not None
                assert "2 at once, 3 retries" in bench.state.notice.text
            control.drain()


class FollowedRun:
    """A run of another process, which answers when it is let."""

    def __init__(self, tuning: Tuning) -> None:
        self.tuning = tuning
        self.answers = asyncio.Event()
        self.told: list[Steer] = []

    async def standing(self) -> Steered:
        await self.answers.wait()
        return Steered(tuning=self.tuning)

    async def steer(self, wish: Steer) -> str:
        self.told.append(wish)
        return ""


async def test_a_run_that_is_followed_is_tuned_from_what_it_does(tmp_path: Path) -> None:
    """Until it has told so nothing is sent; what the person left alone is what it was, whatever the settings say."""
    async with playground(tmp_path) as ground, bench_of(ground.job()) as bench:
        bench.runner = run = FollowedRun(Tuning("worldedit", 3, 5))  # type: ignore[assignment]
        host = WorkHost(screen := TuneScreen(bench))
        async with host.run_test(size=(80, 24)) as pilot:
            await pilot.pause()
            assert "asking" in shown(screen)
            await pilot.press("j", "l", "enter")
            assert run.told == []
            run.answers.set()
            await until(pilot, lambda: not screen.is_busy)
            await pilot.press("l", "enter")
            await until(pilot, lambda: host.results)
        assert run.told == [Steer("tune", Tuning("worldedit", 4, 5))]


async def test_no_key_leaves_the_allowed_values(tmp_path: Path) -> None:
    """What is too little is told in place."""
    async with playground(tmp_path) as ground, bench_of(ground.job()) as bench:
        bench.runner = run = FollowedRun(Tuning(None, 2, 5))  # type: ignore[assignment]
        run.answers.set()
        host = WorkHost(screen := TuneScreen(bench))
        async with host.run_test(size=(80, 24)) as pilot:
            await until(pilot, lambda: not screen.is_busy)
            await pilot.press("j", "h", "h")
            await pilot.pause()
            assert screen.tuning == Tuning(None, 1, 5)
            assert "run.concurrency" in shown(screen)
            await pilot.press("k", "l")
            assert screen.tuning == Tuning("enchantment_combos", 1, 5)


async def test_without_a_run_tuning_says_so(tmp_path: Path) -> None:
    """In place; nothing can be changed or applied, and it can be asked again."""
    async with playground(tmp_path) as ground, bench_of(ground.job()) as bench:
        host = WorkHost(screen := TuneScreen(bench))
        async with host.run_test(size=(80, 24)) as pilot:
            await until(pilot, lambda: not screen.is_busy)
            await pilot.press("l", "enter")
            await until(pilot, lambda: not screen.is_busy)
            await pilot.pause()
            assert screen.tuning is None
            assert "No run is going on in this workspace" in shown(screen)
            assert "enter asks again" in " ".join(shown(screen).split())
            assert host.results == []
            await pilot.press("escape")
            await pilot.pause()
            assert host.results == [None]


@pytest.mark.parametrize(("key", "expected"), [("y", True), ("n", False), ("escape", False)])
async def test_a_yes_counts_once_the_question_was_read(key: str, expected: bool) -> None:
    """A no counts at once."""
    clock = Clock()
    question: list[str | Line] = ["Accept 37 marked examples?", (Span("each by itself", "dim"),)]
    host = WorkHost(screen := ConfirmScreen(question, "accept 37", clock=clock))
    async with host.run_test(size=(80, 24)) as pilot:
        await pilot.pause()
        assert "Accept 37 marked examples?" in shown(screen)
        clock.pass_by(0.29)
        await pilot.press("y", "enter", "space")
        assert host.results == []
        clock.pass_by(0.02)
        await pilot.press(key)
        await pilot.pause()
        assert host.results == [expected]


async def test_a_persons_own_keys_answer_too() -> None:
    """And are the ones that are shown."""
    clock, keymap = Clock(), Keymap.of({"yes": "j"})
    host = WorkHost(screen := ConfirmScreen(["Sure?"], "do it", clock=clock, keymap=keymap), keymap)
    async with host.run_test(size=(80, 24)) as pilot:
        await pilot.pause()
        clock.pass_by(1)
        await pilot.press("y")
        assert host.results == []
        assert "j do it" in shown(screen)
        await pilot.press("j")
        await pilot.pause()
        assert host.results == [True]


@pytest.mark.parametrize("key", ["i", "p", "c", "j"])
async def test_each_key_copies_its_thing(tmp_path: Path, key: str) -> None:
    """JSON is the row that accepting would give."""
    async with playground(tmp_path) as ground:
        job = await played(ground, ["sudo do twice"])
        async with bench_of(job) as bench:
            example = await the_only(bench)
            host = WorkHost(CopyMenu(bench, example))
            async with host.run_test(size=(80, 24)) as pilot:
                await pilot.press(key)
                await pilot.pause()
            (text,) = host.results
    if key == "j":
        row = orjson.loads(text)
        assert (row["input"]["user_message"], row["id"][:9]) == ("sudo do twice", "selfplay-")
    else:
        commands = "give slingshooter08 minecraft:torch 1\ntime set 1000"
        assert text == {"i": example.trace.id, "p": "sudo do twice", "c": commands}[key]


async def test_what_was_edited_is_copied_as_it_stands(tmp_path: Path) -> None:
    """Not as the model wrote it."""
    async with playground(tmp_path) as ground:
        job = await played(ground, ["sudo do twice", "sudo do op"])
        async with bench_of(job) as bench:
            example = await the_only(bench)
            edit = Decision(
                DecisionKind.EDIT, by="tester", at=1.0, edited=Answer(("say hi",), "x"), edited_prompt="sudo hi"
            )
            await bench.curator.decide(example, edit)
            texts = copies_of(await the_only(bench), by="tester", at=2.0)
    assert (texts["prompt"], texts["commands"]) == ("sudo hi", "say hi")
    assert orjson.loads(texts["json"])["output"]["commands"] == ["say hi"]


async def test_what_gives_no_row_is_copied_as_a_trace(tmp_path: Path) -> None:
    """All there is."""
    async with playground(tmp_path) as ground:
        job = await played(ground, ["sudo do torch"])
        async with bench_of(job) as bench:
            example = await the_only(bench)
            silent = replace(example, trace=replace(example.trace, attempts=(), outcome=Outcome.ERRORED))
            texts = copies_of(silent, by="tester", at=2.0)
    assert orjson.loads(texts["json"])["outcome"] == "errored"
    assert texts["commands"] == ""


@pytest.mark.parametrize("size", SIZES)
async def test_hostile_text_is_visible_at_every_size(tmp_path: Path, size: tuple[int, int]) -> None:
    """In each of the small screens."""
    async with playground(tmp_path) as ground:
        job = await played(ground, ["sudo do torch"])
        async with bench_of(job) as bench:
            example = await the_only(bench)
            odd = replace(example, trace=replace(make_trace(text=NASTY), id=example.trace.id))
            for screen in (
                AskScreen(bench, odd),
                CopyMenu(bench, odd),
                ConfirmScreen([NASTY], NASTY),
                TuneScreen(bench),
            ):
                host = WorkHost(screen)
                async with host.run_test(size=size) as pilot:
                    await pilot.pause()
                    text = "".join(segment.text for strip in screen._compositor.render_strips() for segment in strip)
                assert not [one for one in text if ord(one) < 0x20 or one in "\x7f\x9b\u202e"]
