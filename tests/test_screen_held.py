"""Held attempts: what a person sees of them, and when a key rules."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, closing
from dataclasses import replace
from pathlib import Path

import pytest

from selfplay_core.dataset.prompts import GivenPrompt
from selfplay_core.engine.desk import Looked
from selfplay_core.models import Outcome
from selfplay_core.store.codec import encode
from selfplay_core.store.database import Database
from selfplay_core.store.denials import denials
from selfplay_core.store.held import held, hold, rule_held
from selfplay_core.store.runs import RunRecord, RunStatus, start_run
from selfplay_core.verify.policy import Policy
from tests.held_screen import ruling
from tests.other_screens import NASTY, shown, until
from tests.work_screens import the_only
from tests.worlds import play
from tui.drawing.glyphs import GLYPHS
from tui.drawing.held import expiry, held_details
from tui.drawing.lines import plain
from tui.screens.confirm import ConfirmScreen
from tui.screens.edit import EditScreen
from tui.screens.held import waiting_of
from tui.screens.help import HelpScreen


async def test_an_attempt_is_shown_with_the_rule_that_holds_it(tmp_path: Path) -> None:
    """Prompt, command, reason, and when it ends by itself."""
    async with ruling(tmp_path, "torch", "chunks") as page:
        assert "1 held" in page.text
        assert "sudo 1 chunks" in page.text
        assert "execute as @a run forceload remove all" in page.text
        assert "it changes which chunks stay loaded" in page.text
        assert "ends by itself in 24 h" in page.text
        assert "its pattern: forceload remove" in page.text


@pytest.mark.parametrize("key", ["y", "n", "N", "e"])
async def test_no_key_rules_before_the_attempt_was_in_sight_for_a_while(tmp_path: Path, key: str) -> None:
    """Whoever pages through a queue with a key held down lets nothing run."""
    async with ruling(tmp_path, "kill") as page:
        assert "keys open in 0.6 s" in page.text
        page.wait(0.59)
        await page.press(key)
        assert await page.held() == [None]
        assert "Too early" in page.text
        page.wait(0.02)
        await page.press(key)
        if key == "e":
            assert isinstance(page.pilot.app.screen, EditScreen)
        else:
            assert await page.held() == ([True] if key == "y" else [])


async def test_that_it_is_too_early_is_said_no_longer_than_it_is(tmp_path: Path) -> None:
    """Once the keys are open, nothing says that they are not."""
    async with ruling(tmp_path, "kill") as page:
        await page.press("y")
        assert "Too early" in page.text
        page.wait(1)
        await until(page.pilot, lambda: "keys are open" in page.text)
        assert "Too early" not in page.text


async def test_each_attempt_arms_its_keys_anew(tmp_path: Path) -> None:
    """Having read one is not having read the next."""
    async with ruling(tmp_path, "kill", "border") as page:
        page.wait(1)
        page.screen.action_next()
        assert not page.screen.is_armed
        await page.press("y")
        assert await page.held() == [None, None]
        page.wait(1)
        await page.press("n", "n")
        assert len(await page.held()) == 1
        assert page.screen.shown is not None
        assert page.screen.shown.held_command == "kill @e"


@pytest.mark.parametrize("key", ["a", "enter", "space"])
async def test_keys_that_accept_elsewhere_do_nothing_here(tmp_path: Path, key: str) -> None:
    """However long one waits."""
    async with ruling(tmp_path, "kill") as page:
        page.wait(10)
        await page.press(key)
        assert await page.held() == [None]
        assert page.screen.is_active


async def test_what_is_allowed_leaves_the_list_and_runs_with_the_next_run(tmp_path: Path) -> None:
    """And says who takes it up."""
    async with ruling(tmp_path, "kill") as page:
        page.wait(1)
        await page.press("y")
        assert "Allowed: the next run takes it up." in page.text
        assert "Nothing is held." in page.text
        assert "kill @e allowed by tester, waits for a run" in page.text
        assert "kill @e" not in page.ground.server.commands
        await play(replace(page.bench.job, given=(GivenPrompt("sudo a torch", None),)))
        assert "kill @e" in page.ground.server.commands


async def test_what_is_denied_ends_without_having_run(tmp_path: Path) -> None:
    """As a blocked trace that tells who said so."""
    async with ruling(tmp_path, "kill") as page:
        page.wait(1)
        await page.press("n")
        trace = (await the_only(page.bench)).trace
        assert (trace.outcome, "Denied by tester." in trace.reason) == (Outcome.BLOCKED, True)
        assert "kill @e" not in page.ground.server.commands


async def test_a_pattern_is_denied_for_the_run_with_all_that_begin_so(tmp_path: Path) -> None:
    """Others stay."""
    async with ruling(tmp_path, "kill", "border", "kill") as page:
        page.wait(1)
        await page.press("N")
        assert isinstance(page.pilot.app.screen, ConfirmScreen)
        asked = " ".join(shown(page.pilot.app.screen).split())
        assert "End 2 held attempts, and deny for the rest of the run what begins so? kill" in asked
        assert len(await page.held()) == 3
        page.wait(1)
        await page.press("y")
        await until(page.pilot, lambda: "Denied for the rest of the run: kill" in page.text)
        assert await page.held_commands() == ["worldborder set 10"]
        run_id = (await the_only(page.bench)).run_id
        assert list(await page.bench.curator.reader.do(denials, run_id)) == ["kill"]


async def test_a_pattern_is_denied_for_the_run_that_goes_on(tmp_path: Path) -> None:
    """It is who would send such commands, though what is held is of an earlier run; the screen says so."""
    async with ruling(tmp_path, "kill") as page, a_later_run(tmp_path) as database:
        page.wait(1)
        await page.press("N")
        assert "Denied for the rest of its run, and of the run that goes on: kill" in page.text
        assert list(denials(database, "later")) == ["kill"]
        earlier = (await the_only(page.bench)).run_id
        assert list(denials(database, earlier)) == ["kill"]


@asynccontextmanager
async def a_later_run(folder: Path) -> AsyncIterator[Database]:
    """A run that goes on in the workspace, named `later`."""
    with closing(Database.open(folder / "workspace")) as database:
        start_run(database, RunRecord("later", 1, "f", 1, RunStatus.RUNNING, 1.0, "{}"))
        yield database


async def test_what_was_allowed_stands_below_the_others_and_no_key_acts_on_it(tmp_path: Path) -> None:
    """Neither does the cursor come to it, nor a click."""
    async with ruling(tmp_path, "kill", "border") as page:
        page.wait(1)
        await page.press("y")
        assert "1 held" in page.text
        assert "allowed by tester, waits for a run" in page.text
        await page.press("j", "j", "G")
        await page.pilot.click("#list", offset=(8, 3))
        await page.pilot.pause()
        assert page.screen.shown is not None
        assert page.screen.shown.held_command == "worldborder set 10"
        page.wait(1)
        await page.press("n", "n", "y", "N", "e", "p")
        assert await page.held() == [True]


async def test_the_keys_are_explained_over_the_attempt(tmp_path: Path) -> None:
    """By `?`; esc leads back, and what is clicked there is done here."""
    async with ruling(tmp_path, "kill") as page:
        page.wait(1)
        await page.press("question_mark")
        assert isinstance(page.pilot.app.screen, HelpScreen)
        await page.press("escape")
        assert page.screen.is_active
        await page.press("question_mark", *"without running", "enter")
        assert page.screen.is_active
        assert await page.held() == []


async def test_a_no_to_the_counted_question_denies_nothing(tmp_path: Path) -> None:
    """Neither the attempts nor what begins so."""
    async with ruling(tmp_path, "kill", "kill") as page:
        page.wait(1)
        await page.press("N", "n")
        assert page.screen.is_active
        assert await page.held() == [None, None]


async def test_whom_somebody_else_overtook_is_told(tmp_path: Path) -> None:
    """The first ruling stands."""
    async with ruling(tmp_path, "kill") as page:
        page.wait(1)
        (item,) = await page.bench.curator.reader.do(held)
        shown_one = page.screen.shown
        assert shown_one is not None
        await page.bench.curator.store.do(rule_held, item.trace_id, since=item.since, allow=False, by="another")
        await page.screen._allow(shown_one)
        await page.pilot.pause()
        assert "Somebody ruled on this attempt meanwhile" in page.text
        assert [one.ruled_by for one in await page.bench.curator.reader.do(held)] == ["another"]


async def test_an_attempt_that_took_the_place_of_another_is_not_ruled_on_unseen(tmp_path: Path) -> None:
    """What was read, probed and in sight for a while is the other one."""
    async with ruling(tmp_path, "kill") as page:
        page.wait(1)
        await page.press("p")
        assert "parsed by the server" in page.text
        (item,) = await page.bench.curator.reader.do(held)
        payload = item.payload.replace(b"kill @e", b"kill @a")
        await page.bench.curator.store.do(hold, replace(item, payload=payload, since=item.since + 1))
        await page.press("y")
        assert await page.held() == [None]
        # Whether the key found it out or the screen's own look did, a moment earlier.
        assert "Somebody ruled on this attempt meanwhile" in page.text or "read it first" in page.text
        await until(page.pilot, lambda: "kill @a" in page.text)
        assert "parsed by the server" not in page.text
        await page.press("y")
        assert await page.held() == [None]
        page.wait(1)
        await page.press("y")
        assert await page.held() == [True]


async def test_a_click_chooses_an_attempt_and_the_key_bar_acts_once(tmp_path: Path) -> None:
    """As the keys do."""
    async with ruling(tmp_path, "kill", "border") as page:
        await page.pilot.click("#list", offset=(8, 2))
        await page.pilot.pause()
        assert page.screen.shown is not None
        assert page.screen.shown.held_command == "worldborder set 10"
        page.wait(1)
        await page.pilot.click("#keys", offset=(2, 0))
        await until(page.pilot, lambda: "Allowed" in page.text)
        assert sorted(await page.held(), key=str) == [None, True]


async def test_a_key_says_that_it_has_to_wait(tmp_path: Path) -> None:
    """While a probe is under way, another one is not begun."""
    async with ruling(tmp_path, "kill") as page:
        asked: list[object] = []

        class Silent:
            async def is_at_hand(self) -> bool:
                return False

            async def probe(self, commands: object) -> Looked:
                asked.append(commands)
                await asyncio.Event().wait()
                return Looked()

        page.bench.desk = Silent()  # type: ignore[assignment]
        await page.pilot.press("p")
        await until(page.pilot, lambda: asked)
        await page.pilot.press("p")
        await page.pilot.pause()
        assert "Something is under way still; wait for it, or stop it with esc." in page.text
        assert len(asked) == 1
        await page.press("escape")


async def test_what_arrives_does_not_move_what_is_being_read(tmp_path: Path) -> None:
    """The list grows at its end; the attempt on screen keeps its open keys."""
    async with ruling(tmp_path, "kill", "border") as page:
        await page.press("j")
        page.wait(1)
        before = page.screen.shown
        first, second = await page.bench.curator.reader.do(held)
        # An older one comes back, as an interrupted run might leave it.
        await page.bench.curator.store.do(hold, replace(first, since=second.since + 5))
        await page.screen._reload()
        await page.pilot.pause()
        assert page.screen.shown is before
        assert page.screen.is_armed


async def test_an_attempt_that_cannot_be_read_says_so(tmp_path: Path) -> None:
    """It can be denied, and hides no other."""
    async with ruling(tmp_path, "kill") as page:
        (item,) = await page.bench.curator.reader.do(held)
        await page.bench.curator.store.do(hold, replace(item, payload=b"{}"))
        broken = waiting_of(replace(item, payload=b"{}"), Policy())
        lines = held_details(broken, pattern="", probe=None, unprobed="", now=item.since, glyphs=GLYPHS, width=60)
        assert "sudo 0 kill" in " ".join(map(plain, lines))
        assert "cannot be read" in " ".join(" ".join(map(plain, lines)).split())


@pytest.mark.parametrize("size", [(60, 16), (80, 24), (160, 50), (20, 4)])
async def test_hostile_text_is_visible_at_every_size(tmp_path: Path, size: tuple[int, int]) -> None:
    """No control character of a prompt or a command is drawn."""
    async with ruling(tmp_path, "kill", size=size) as page:
        (item,) = await page.bench.curator.reader.do(held)
        waiting = waiting_of(item, Policy())
        assert waiting.trace is not None
        answer = waiting.trace.attempts[0].answer
        assert answer is not None
        attempt = replace(waiting.trace.attempts[0], answer=replace(answer, commands=(NASTY,)))
        odd = replace(
            item,
            payload=encode(replace(waiting.trace, attempts=(attempt,))).encode(),
            prompt=replace(item.prompt, text=NASTY),
        )
        page.screen._waiting = [waiting_of(odd, Policy())]
        page.screen._show()
        await page.pilot.pause()
        text = "".join(segment.text for strip in page.screen._compositor.render_strips() for segment in strip)
        assert not [character for character in text if ord(character) < 0x20 or character in "\x7f\x9b\u202e"]
        if size >= (80, 24):
            assert "\u241b[2J" in text


def test_the_time_that_is_left_is_told_in_words() -> None:
    """Hours, then minutes, then none."""
    day = 24 * 3600
    assert [expiry(0.0, at) for at in (0, 3600, day - 3600, day - 20, day)] == [
        "ends by itself in 24 h",
        "ends by itself in 23 h",
        "ends by itself in 60 min",
        "ends by itself in 1 min",
        "ends by itself any moment",
    ]
