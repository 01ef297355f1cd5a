"""The example pane shows what a decision needs, in the same place each time, and loses nothing."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from selfplay_core.likeness.pool import Like
from selfplay_core.models import (
    Answer,
    Attempt,
    Decision,
    DecisionKind,
    FailedBecause,
    Level,
    Outcome,
    VerdictOutcome,
)
from selfplay_core.text import one_line, without_colours
from tests.drawing_samples import BESSIE, GLOW, SANDBOX, TELL, as_text, corrected, make_example, unproven
from tests.nasty import NASTY
from tests.samples import PAPER, make_attempt, make_result, make_trace
from tui.drawing.blocks import LONGEST
from tui.drawing.example import example_lines
from tui.drawing.glyphs import GLYPHS
from tui.drawing.lines import Line

EDIT = Decision(
    DecisionKind.EDIT, by="ada", at=3.0, edited=Answer((GLOW, TELL), "Shorter."), edited_prompt="Make cows glow."
)


def in_role(lines: list[Line], role: str) -> str:
    """Everything that is drawn in a role, in order."""
    return "".join(piece.text for line in lines for piece in line if piece.role == role)


def seen(reply: str) -> str:
    """What of a reply is visible, whatever its lines."""
    return one_line(without_colours(reply).replace("\r\n", "\n").replace("\n", " ")).replace(" ", "")


def test_a_corrected_example() -> None:
    """Strip, end, prompt, commands with replies under them, and what the retry changed."""
    lines = example_lines(make_example(corrected(), flagged=True, same_as=1702), 57, GLYPHS)
    assert (
        as_text(lines)
        == """\
 ✓ 3/3 ran ↻ 1 retry ⚑ flagged = same as #1702   execute
 ↻ corrected at attempt 2, after the server refused

 PROMPT
 Make every cow within ten blocks of a player glow for
 thirty seconds, then name the nearest one Bessie.

 ANSWER                               ↻ changed by retry
   1 ✓ execute as @a at @s run effect give
       @e[type=cow,distance=..10] glowing 30 0 true
     › Applied effect Glowing to 3 targets
 ↻ 2 ✓ data merge entity @e[type=cow,limit=1,
       sort=nearest] {CustomName:'"Bessie"'}
     › Modified entity data of Bessie
 ↻ 3 ✓ tellraw @a [{"text":"Done","color":"gold"}]
     › no output

 REASONING
 CustomName takes a JSON text string, so it needs both
 kinds of quotes."""
    )


def test_an_unproven_example_of_a_god_on_the_sandbox() -> None:
    """The sandbox is on the strip, the failure's kind under its command, the message below."""
    assert (
        as_text(example_lines(make_example(unproven()), 80, GLYPHS))
        == """\
 ✗ 0/2 ran  SANDBOX  ! changes the world, or many level none   edge_items · god
 ? unproven: not shown to work, nor to fail
   failed: 'kill @e[type=cow]' was answered 'No entity was found'

 PROMPT
 pray remove the cows

 ANSWER
   1 ✗ kill @e[type=cow]
       failed: nobody matched
     › No entity was found
   2 ? execute as @a run foo
       unclear: silence proves nothing here
     › no output

 MESSAGE
 So be it.

 REASONING
 Because."""
    )


def test_an_edited_example_without_fresh_verdicts() -> None:
    """The edited texts stand where the model's did, and it is said that the row will claim nothing."""
    assert (
        as_text(example_lines(make_example(corrected(), EDIT), 57, GLYPHS))
        == """\
 · 2 not run ↻ 1 retry level none  execute_chains · sudo
 · the model's own commands: corrected at attempt 2,
   after the server refused
 ~ edited by ada

 PROMPT                                  ~ edited by ada
 Make cows glow.

 ANSWER                                  ~ edited by ada
 ! not verified: rcon_verified will be false
   1 · execute as @a at @s run effect give
       @e[type=cow,distance=..10] glowing 30 0 true
 ~ 2 · tellraw @a [{"text":"Done","color":"gold"}]

 REASONING
 Shorter."""
    )


def test_an_edited_example_shows_its_own_verdicts() -> None:
    """And says nothing more, once all of it was executed on a real server."""
    results = (make_result(GLOW, reply="Applied"), make_result(TELL, reply=""))
    fresh = as_text(example_lines(make_example(corrected(), replace(EDIT, results=results, world=PAPER)), 57, GLYPHS))
    assert " ✓ 2/2 ran" in fresh
    assert "› Applied" in fresh
    assert "rcon_verified" not in fresh
    for why in (
        replace(EDIT, results=results, world=SANDBOX),
        replace(EDIT, results=results[:1], world=PAPER),
        replace(EDIT, results=(make_result(GLOW), make_result(BESSIE)), world=PAPER),
        replace(EDIT, results=(make_result(GLOW), make_result(TELL, VerdictOutcome.UNCLEAR)), world=PAPER),
        replace(EDIT, results=(make_result(GLOW), make_result(TELL, level=Level.PARSED)), world=PAPER),
    ):
        assert "rcon_verified will be false" in as_text(example_lines(make_example(corrected(), why), 57, GLYPHS))


def test_an_edit_of_other_words_keeps_the_evidence_of_the_trace() -> None:
    """What the screen shows of an edited answer is what its row will claim."""
    trace = corrected()
    assert trace.last is not None
    assert trace.last.answer is not None
    decision = replace(EDIT, edited=replace(trace.last.answer, reasoning="Shorter."), edited_prompt=None)
    shown = as_text(example_lines(make_example(trace, decision), 57, GLYPHS))
    assert " ✓ 3/3 ran" in shown
    assert "› Modified entity data of Bessie" in shown
    assert "rcon_verified" not in shown


@pytest.mark.parametrize("held", [False, True])
def test_what_was_not_run_says_so(held: bool) -> None:
    """A held attempt waits, a blocked one is over; both have their reason."""
    attempt = replace(make_attempt(1, make_result("kill @e")), results=())
    trace = make_trace(attempt, outcome=Outcome.BLOCKED, level=Level.NONE)
    shown = make_example(replace(trace, reason="Held for a person: it reaches all."))
    text = as_text(example_lines(shown, 57, GLYPHS, held=held))
    assert ("! 1 held" if held else "· 1 not run") in text.splitlines()[0]
    assert ("held: nothing runs" if held else "blocked: nothing") in text
    assert "it reaches all." in text
    assert "     ! reaches all players or all entities" in text


def test_a_trace_without_an_answer_reads_well() -> None:
    """Neither one that was never answered nor one whose reply was none leaves a gap."""
    bare = replace(make_trace(outcome=Outcome.ERRORED, level=Level.NONE), attempts=(), reason="The model is busy.")
    text = as_text(example_lines(make_example(bare), 57, GLYPHS))
    assert "✗ no answer" in text
    assert "The model is busy." in text
    assert "The model gave none." in text
    ill = Attempt(1, raw='{"command": 1}', answer=None, error="commands: missing")
    text = as_text(example_lines(make_example(make_trace(ill, outcome=Outcome.FAILED)), 57, GLYPHS))
    assert "✗ commands: missing" in text
    assert '{"command": 1}' in text
    refused = make_trace(make_attempt(1), outcome=Outcome.REFUSED, level=Level.NONE)
    assert "? no commands" in as_text(example_lines(make_example(refused), 57, GLYPHS))


def test_how_it_stands_decided() -> None:
    """By whom, and why; what nobody decided by hand says so."""
    rejected = Decision(DecisionKind.REJECT, by="ada", at=1.0, reason="unsafe")
    assert "✗ rejected by ada: unsafe" in as_text(example_lines(make_example(corrected(), rejected), 57, GLYPHS))
    accepted = Decision(DecisionKind.ACCEPT, by="auto", at=1.0)
    assert "✓ accepted automatically" in as_text(example_lines(make_example(corrected(), accepted), 57, GLYPHS))


@pytest.mark.parametrize("because", list(FailedBecause))
def test_every_kind_of_failure_has_words(because: FailedBecause) -> None:
    """Of what is the circumstances' fault, the sign is a warning."""
    result = make_result("say hi", VerdictOutcome.FAILED, because=because)
    lines = example_lines(make_example(make_trace(make_attempt(1, result))), 57, GLYPHS)
    assert "failed: " in in_role(lines, "bad" if because is FailedBecause.OTHER else "warn")


def test_a_probe_ran_nothing() -> None:
    """The strip does not claim that it did."""
    result = replace(make_result("say hi", level=Level.PARSED), probed=True)
    lines = example_lines(make_example(make_trace(make_attempt(1, result))), 57, GLYPHS)
    assert "✓ 1/1 parsed" in as_text(lines)
    assert "parsed, not run" in as_text(lines)
    assert in_role(lines, "info").count("✓") == 2


@given(st.lists(st.one_of(st.sampled_from(NASTY), st.text(max_size=90)), min_size=1, max_size=4), st.integers(24, 130))
@settings(max_examples=60, deadline=None)
def test_every_character_of_commands_and_replies_is_there(texts: list[str], width: int) -> None:
    """In order: of commands every one, of replies all but blanks at the end of a line."""
    results = [make_result(text, reply=text) for text in texts]
    lines = example_lines(make_example(make_trace(make_attempt(1, *results))), width, GLYPHS)
    assert in_role(lines, "command") == "".join(map(one_line, texts))
    said = [text for text in texts if without_colours(text).strip(" \t\r\n")]
    assert in_role(lines, "reply").replace(" ", "") == "".join(map(seen, said))


def test_colours_of_the_game_are_paint_in_a_reply_and_text_elsewhere() -> None:
    """A prompt and a command with section signs are shown as they are trained on; a reply as it reads."""
    painted = "\u00a7cred \u00a7lbold"
    result = make_result(f"say {painted}", reply=painted)
    lines = example_lines(make_example(make_trace(make_attempt(1, result), text=f"sudo {painted}")), 80, GLYPHS)
    assert in_role(lines, "prompt") == f"sudo {painted}"
    assert in_role(lines, "command") == f"say {painted}"
    assert in_role(lines, "reply") == "red bold"


def test_only_what_is_beyond_all_measure_is_left_out() -> None:
    """And how much it is."""
    long = "x" * (LONGEST + 17)
    lines = example_lines(make_example(make_trace(make_attempt(1, make_result(long, reply=long)))), 120, GLYPHS)
    assert in_role(lines, "command") == "x" * LONGEST
    assert as_text(lines).count("… (17 more characters)") == 2


@given(st.integers(24, 160), st.booleans(), st.sampled_from((None, 7, 1_000_000)))
def test_the_strip_is_the_first_row_and_the_end_the_second(width: int, flagged: bool, same_as: int | None) -> None:
    """At every width, whatever there is to say."""
    lines = as_text(example_lines(make_example(corrected(), flagged=flagged, same_as=same_as), width, GLYPHS))
    first, second = lines.splitlines()[:2]
    assert first.startswith(" ✓ 3/3")
    assert second.startswith(" ↻ corrected")


def test_what_comes_nearest_is_named() -> None:
    """The ratio is never rounded up to what it is not, and what is the same is not said twice."""

    def strip_of(near: Like, *, same_as: int | None = None) -> str:
        shown = replace(make_example(corrected(), same_as=same_as), near=near)
        return as_text(example_lines(shown, 100, GLYPHS)).splitlines()[0]

    assert "≈ 0.71 of #1702" in strip_of(Like(1702, 0.7199))
    assert "≈ 0.99 of #1702" in strip_of(Like(1702, 0.9999))
    assert "≈" not in strip_of(Like(1702, 1.0), same_as=1702)
    assert "≈ 0.80 of #9" in strip_of(Like(9, 0.8), same_as=1702)
