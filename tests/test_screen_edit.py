"""Editing: what is changed, what was shown of it, and what that makes of the row."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import pytest
from textual.screen import Screen

from selfplay_core.models import Answer, Decision, DecisionKind, VerdictOutcome
from selfplay_core.store.amendments import amend_trace
from selfplay_core.store.decisions import decide
from tests.other_screens import NASTY, shown
from tests.servers.rcon import RconFault
from tests.work_screens import Editing, WorkHost, bench_of, editing, played, the_only
from tests.worlds import playground
from tui.screens.confirm import ConfirmScreen
from tui.screens.edit import EditScreen
from tui.widgets.area import SafeArea

TORCH = "give slingshooter08 minecraft:torch 1"
TWO = "give slingshooter08 minecraft:torch 2"


async def test_changed_commands_that_pass_are_an_edit_with_its_proof(tmp_path: Path) -> None:
    """Run through the one door, shown, then accepted by one key."""
    async with editing(tmp_path) as edit:
        await edit.write("commands", f"{TWO}\n\n  time set 5  ")
        await edit.press("ctrl+r")
        assert "Gave 2 [Torch]" in edit.text
        assert "verdicts for exactly these commands" in edit.text
        await edit.press("ctrl+s")
        decision = await edit.standing()
    assert edit.results == [True]
    assert decision is not None
    assert decision.kind is DecisionKind.EDIT
    assert decision.by == "tester"
    assert decision.edited is not None
    assert decision.edited.commands == (TWO, "time set 5")
    assert [result.verdict.outcome for result in decision.results] == [VerdictOutcome.PASSED] * 2
    assert decision.world is not None
    assert decision.world.brand == "Paper"


async def test_changing_the_commands_again_makes_their_verdicts_stale(tmp_path: Path) -> None:
    """Verdicts are for exactly the commands that ran; the old commands have them back."""
    async with editing(tmp_path) as edit:
        await edit.write("commands", TWO)
        await edit.press("ctrl+r")
        await edit.write("commands", f"{TWO}0")
        assert "stale" in edit.text
        assert "Gave 2" not in edit.text
        await edit.write("commands", TWO)
        assert "Gave 2" in edit.text
        assert edit.sent().count(TWO) == 1


async def test_verdicts_prove_no_other_commands(tmp_path: Path) -> None:
    """Good ones of before are nothing for what was typed since."""
    async with editing(tmp_path) as edit:
        await edit.write("commands", TWO)
        await edit.press("ctrl+r")
        await edit.write("commands", "time set 9")
        await edit.press("ctrl+s")
        assert await edit.standing() is None
        assert "no verdict stands for these commands" in " ".join(edit.text.split())
        edit.wait(1)
        await edit.press("ctrl+s")
        decision = await edit.standing()
    assert decision is not None
    assert decision.results == ()


@pytest.mark.parametrize("commands", [[TWO], ["givee x"]])
async def test_without_good_verdicts_it_takes_a_second_key_and_proves_nothing(
    tmp_path: Path, commands: Sequence[str]
) -> None:
    """It is said plainly; a key that is held down is not a second one; and what the server said is kept."""
    async with editing(tmp_path) as edit:
        await edit.write("commands", "\n".join(commands))
        if commands == ["givee x"]:
            await edit.press("ctrl+r")
        await edit.press("ctrl+s")
        assert "rcon_verified will be false" in edit.text
        await edit.press("ctrl+s", "ctrl+s")
        assert await edit.standing() is None
        edit.wait(1)
        await edit.press("ctrl+s")
        decision = await edit.standing()
    assert edit.results == [True]
    assert decision is not None
    assert decision.edited is not None
    assert decision.edited.commands == tuple(commands)
    said = [result.verdict.outcome for result in decision.results]
    assert said == ([VerdictOutcome.REJECTED] if commands == ["givee x"] else [])
    assert (decision.world is None) == (not said)


async def test_a_change_takes_the_first_of_two_keys_back(tmp_path: Path) -> None:
    """What was agreed to is another text."""
    async with editing(tmp_path) as edit:
        await edit.write("commands", TWO)
        await edit.press("ctrl+s")
        edit.wait(1)
        await edit.write("commands", "time set 7")
        await edit.press("ctrl+s")
        assert await edit.standing() is None


async def test_a_change_or_another_run_takes_the_question_off_the_screen(tmp_path: Path) -> None:
    """It was about what stood there before."""
    async with editing(tmp_path) as edit:
        await edit.write("commands", TWO)
        await edit.press("ctrl+s")
        assert "Accept without proof" in edit.text
        await edit.write("commands", "time set 7")
        await edit.pilot.pause()
        assert "Accept without proof" not in edit.text
        await edit.press("ctrl+s")
        assert "Accept without proof" in edit.text
        await edit.press("ctrl+r")
        assert "Accept without proof" not in edit.text
        await edit.press("ctrl+s")
        assert edit.results == [True]


async def test_a_key_for_what_was_known_before_a_run_is_no_second_key_after_it(tmp_path: Path) -> None:
    """Bad verdicts are another reason to hesitate than none."""
    async with editing(tmp_path) as edit:
        await edit.write("commands", "givee x")
        await edit.press("ctrl+s", "ctrl+r")
        edit.wait(1)
        await edit.press("ctrl+s")
        assert await edit.standing() is None
        assert "The server refused these commands" in " ".join(edit.text.split())


@pytest.mark.parametrize(
    ("begun", "prompt", "beginning"), [("sudo", "pray for two", "sudo"), ("pray", "sudo give two", "pray")]
)
async def test_an_edited_prompt_keeps_the_mode_of_its_trace(
    tmp_path: Path, begun: str, prompt: str, beginning: str
) -> None:
    """The row's system prompt is that of the mode in which it was answered."""
    async with editing(tmp_path, f"{begun} do twice") as edit:
        await edit.write("prompt", prompt)
        await edit.press("ctrl+s")
        told = " ".join(edit.text.split())
        assert "Nothing was saved" in told
        assert f"'{prompt}' addresses another persona" in told
        assert f"Begin it with `{beginning}`." in told
        assert await edit.standing() is None
        await edit.write("prompt", f"{beginning} do two things")
        await edit.press("ctrl+s")
        assert edit.results == [True]


async def test_half_a_character_becomes_a_sign_for_it(tmp_path: Path) -> None:
    """No file could hold it: it is another character before it is run, decided on or written."""
    async with editing(tmp_path) as edit:
        await edit.write("commands", f"{TWO}\nsay \ud83d!")
        assert edit.screen.commands == (TWO, "say \ufffd!")
        await edit.write("prompt", "sudo \udc00 do twice")
        await edit.write("reasoning", "\ud800")
        await edit.press("ctrl+s")
        edit.wait(1)
        await edit.press("ctrl+s")
        decision = await edit.standing()
        await edit.bench.curator.projector.write()
        written = edit.bench.job.output.read_text()
    assert edit.results == [True]
    assert decision is not None
    assert decision.edited is not None
    assert (decision.edited_prompt, decision.edited.reasoning) == ("sudo \ufffd do twice", "\ufffd")
    assert "say \ufffd!" in written


async def test_other_fields_leave_the_evidence_of_the_trace(tmp_path: Path) -> None:
    """A better prompt needs no second run."""
    async with editing(tmp_path) as edit:
        await edit.write("prompt", "sudo two things please")
        await edit.press("ctrl+s")
        decision = await edit.standing()
    assert edit.sent() == []
    assert decision is not None
    assert (decision.kind, decision.edited_prompt) == (DecisionKind.EDIT, "sudo two things please")
    assert (decision.edited, decision.results) == (None, ())


async def test_an_edit_of_nothing_is_none(tmp_path: Path) -> None:
    """Accepting is another key's business."""
    async with editing(tmp_path) as edit:
        await edit.press("ctrl+s")
        assert "a accepts it" in " ".join(edit.text.split())
        assert await edit.standing() is None
        assert edit.results == []


async def test_what_the_policy_denies_is_told_while_typing_and_never_sent(tmp_path: Path) -> None:
    """With the reason, and also for the commands beside it."""
    async with editing(tmp_path) as edit:
        await edit.write("commands", f"{TORCH}\nop me")
        assert "Denied: it changes who may do what" in edit.text
        await edit.press("ctrl+r")
        assert "Nothing runs." in edit.text
        assert edit.sent() == []


async def test_what_the_policy_asks_about_runs_after_a_late_yes(tmp_path: Path) -> None:
    """Too early a yes is none."""
    async with editing(tmp_path) as edit:
        await edit.write("commands", "kill @e")
        await edit.press("ctrl+r")
        assert isinstance(edit.pilot.app.screen, ConfirmScreen)
        assert "reaches all players" in shown(edit.pilot.app.screen)
        await edit.press("y")
        edit.wait(0.5)
        await edit.press("y", "enter", "space", "a")
        assert "kill @e" not in edit.sent()
        edit.wait(0.1)
        await edit.press("y")
        assert edit.sent() == ["kill @e"]
        assert "Killed 3 entities" in edit.text


async def test_a_no_runs_nothing(tmp_path: Path) -> None:
    """And the text stays."""
    async with editing(tmp_path) as edit:
        await edit.write("commands", "kill @e")
        await edit.press("ctrl+r")
        edit.wait(1)
        await edit.press("n")
        assert edit.screen.is_active
        assert edit.screen.commands == ("kill @e",)
        assert edit.sent() == []


async def test_a_server_that_is_away_is_told_and_asked_again(tmp_path: Path) -> None:
    """A fault is no verdict: there is none afterwards, and the same key tries again."""
    async with editing(tmp_path) as edit:
        await edit.write("commands", TWO)
        edit.ground.server.faults[TWO] = RconFault.CLOSE
        await edit.press("ctrl+r")
        assert "^r tries again" in " ".join(edit.text.split())
        assert "not run" in edit.text
        edit.ground.server.faults.clear()
        await edit.press("ctrl+r")
        assert "Gave 2 [Torch]" in edit.text


async def test_waiting_for_a_server_can_be_given_up(tmp_path: Path) -> None:
    """esc stops waiting first, and leaves only then."""
    async with editing(tmp_path) as edit:
        waiting = asyncio.Event()

        class Silent:
            async def verify(self, *_: object, **__: object) -> None:
                waiting.set()
                await asyncio.Event().wait()

        edit.bench.desk = Silent()  # type: ignore[assignment]
        await edit.write("commands", TWO)
        await edit.pilot.press("ctrl+r")
        await waiting.wait()
        await edit.pilot.pause()
        assert "running" in edit.text
        assert f"127.0.0.1:{edit.ground.server.port}" in edit.text
        await edit.press("escape")
        assert "Stopped waiting" in edit.text
        assert edit.results == []


async def test_changes_are_thrown_away_only_by_a_second_esc(tmp_path: Path) -> None:
    """Without changes one is enough."""
    async with editing(tmp_path / "a") as edit:
        await edit.press("escape")
        assert edit.results == [False]
    async with editing(tmp_path / "b") as edit:
        await edit.write("reasoning", "another")
        await edit.press("escape")
        assert "esc again throws the changes away" in edit.text
        await edit.press("escape")
        assert edit.results == []
        edit.wait(1)
        await edit.press("escape")
        assert edit.results == [False]


async def test_whom_somebody_else_overtook_is_told_in_place(tmp_path: Path) -> None:
    """Nothing is decided on the sight of what is no longer so, and nothing typed is lost."""
    async with editing(tmp_path) as edit:
        example = await the_only(edit.bench)
        other = Decision(DecisionKind.REJECT, by="another", at=5.0)
        await edit.bench.curator.store.do(decide, example.trace.id, other)
        await edit.write("prompt", "sudo another")
        await edit.press("ctrl+s")
        assert "#1 was decided meanwhile: it is rejected by another" in " ".join(edit.text.split())
        assert await edit.standing() == other
        assert edit.results == []
        await edit.press("ctrl+s")
        assert await edit.standing() == other, "a key that is held down decides nothing"
        edit.wait(1)
        await edit.press("ctrl+s")
        decision = await edit.standing()
    assert decision is not None
    assert (decision.kind, decision.edited_prompt) == (DecisionKind.EDIT, "sudo another")
    assert edit.results == [True]


async def test_an_edit_goes_over_what_the_model_answered_meanwhile(tmp_path: Path) -> None:
    """What was on screen stays what is decided on, though the model's own answer is another by then."""
    async with editing(tmp_path) as edit:
        example = await the_only(edit.bench)
        attempt = replace(example.trace.attempts[0], number=2, answer=Answer((TORCH,), "Anew."), results=())
        anew = replace(example.trace, attempts=(*example.trace.attempts, attempt))
        await edit.bench.curator.store.do(amend_trace, anew, expected_attempts=1, by="another", at=2_000.0)
        before = edit.screen.commands
        await edit.write("prompt", "sudo another")
        await edit.press("ctrl+s")
        assert "#1 has another answer of the model's meanwhile, and is undecided." in " ".join(edit.text.split())
        assert edit.screen.commands == before
        for _ in range(2):
            edit.wait(1)
            await edit.press("ctrl+s")
        decision = await edit.standing()
    assert decision is not None
    assert decision.edited is not None
    assert decision.edited.commands == before


async def test_the_first_key_goes_to_the_commands(tmp_path: Path) -> None:
    """They have the focus as soon as the screen is there."""
    async with playground(tmp_path) as ground:
        job = await played(ground, ["sudo do twice"])
        async with bench_of(job) as bench:
            screen = EditScreen(bench, await the_only(bench))
            host = WorkHost(Screen())
            async with host.run_test(size=(80, 24)):
                await host.push_screen(screen)
                assert screen.focused is screen.query_one("#commands")


async def test_a_defect_ends_no_edit(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    """It is logged and told, and what was typed is still there."""
    async with editing(tmp_path) as edit:

        class Broken:
            async def verify(self, *_: object, **__: object) -> None:
                raise RuntimeError("broken")

        edit.bench.desk = Broken()  # type: ignore[assignment]
        await edit.write("commands", TWO)
        await edit.press("ctrl+r")
        assert "A defect stopped this; selfplay.log in the workspace says where it lies." in " ".join(edit.text.split())
        assert edit.screen.commands == (TWO,)
    assert "RuntimeError: broken" in caplog.text


async def test_an_edit_that_stands_is_where_the_next_one_starts(tmp_path: Path) -> None:
    """With its proof; what is not changed is not decided anew."""
    async with playground(tmp_path) as ground:
        job = await played(ground, ["pray do twice"])
        async with bench_of(job) as bench:
            for words in ("So let it be.", "Amen."):
                screen = EditScreen(bench, await the_only(bench))
                async with WorkHost(screen).run_test(size=(80, 24)) as pilot:
                    edit = Editing(pilot, screen, bench, ground)
                    await pilot.pause()
                    if words == "Amen.":
                        assert screen.query_one("#message", SafeArea).text == "So let it be."
                        assert screen.commands == (TWO,)
                        assert "Gave 2 [Torch]" in edit.text
                        await edit.press("ctrl+s")
                        assert "this edit stands already" in edit.text
                    await edit.write("message", words)
                    await edit.write("commands", TWO)
                    if words == "So let it be.":
                        await edit.press("ctrl+r")
                    await edit.press("ctrl+s")
                    assert edit.results == [True]
                    decision = await edit.standing()
    assert decision is not None
    assert decision.edited is not None
    assert decision.edited.message == "Amen."
    assert [result.command for result in decision.results] == [TWO]


async def test_hostile_text_is_visible_and_stays_verbatim(tmp_path: Path) -> None:
    """No control byte of the model's reaches the terminal; an untouched field is what it was, to the byte."""
    async with playground(tmp_path) as ground:
        job = await played(ground, ["sudo do twice"])
        async with bench_of(job) as bench:
            example = await the_only(bench)
            trace = example.trace
            prompt = replace(trace.prompt, text=NASTY)
            answer = trace.attempts[0].answer
            assert answer is not None
            nasty = replace(answer, commands=(NASTY, "a\x0bb\u2028c"), reasoning=NASTY)
            attempt = replace(trace.attempts[0], answer=nasty)
            odd = replace(example, trace=replace(trace, prompt=prompt, attempts=(attempt,)))
            screen = EditScreen(bench, odd)
            async with WorkHost(screen).run_test(size=(160, 50)) as pilot:
                await pilot.pause()
                strips = screen._compositor.render_strips()
                seen = "".join(segment.text for strip in strips for segment in strip)
                assert not [character for character in seen if character in NASTY and ord(character) in _CONTROLS]
                assert "[/red]" in seen
                assert "\u241b[2J" in seen
                assert screen.commands == nasty.commands
                assert (screen.answer.reasoning, screen.is_changed) == (NASTY, False)


_CONTROLS = {*range(0x20), 0x7F, *range(0x80, 0xA0), 0x202E, 0x2028}


@pytest.mark.parametrize("size", [(60, 16), (80, 24), (160, 50), (20, 4)])
async def test_the_screen_fits_every_terminal(tmp_path: Path, size: tuple[int, int]) -> None:
    """What is typed in and what the server says are both in sight from 60x16 on."""
    async with editing(tmp_path, "pray do twice", size=size) as edit:
        await edit.press("ctrl+r")
        if size >= (60, 16):
            assert "passed" in edit.text
            areas = edit.screen.query(SafeArea)
            assert [area.size.height >= 1 for area in areas] == [True] * 4
