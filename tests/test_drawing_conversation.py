"""The conversation shows every attempt, and exactly what the next one changed."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from selfplay_core.models import Attempt, Outcome
from selfplay_core.text import one_line
from tests.drawing_samples import BESSIE, as_text, corrected, make_example
from tests.nasty import NASTY
from tests.samples import make_attempt, make_result, make_trace
from tui.drawing.blocks import LONGEST
from tui.drawing.conversation import conversation_lines, conversation_title
from tui.drawing.difference import aligned, changed_pieces
from tui.drawing.glyphs import GLYPHS
from tui.drawing.lines import Line, plain

COMMANDS = st.one_of(st.sampled_from(NASTY), st.text(alphabet="ab [],=", max_size=60))


def in_role(lines: list[Line], role: str) -> list[str]:
    """What is drawn in a role, piece by piece."""
    return [piece.text for line in lines for piece in line if piece.role == role]


def test_a_retry_beside_what_it_changed() -> None:
    """What the server said, what the person hinted, what the model said, and the words that differ."""
    assert (
        as_text(conversation_lines(make_example(corrected()), 57, GLYPHS, diff=True))
        == """\
 attempt 1                                2.1 s  312 tok
 think › Cows. Cows. Cows. Cows. Cows. Cows. Cows. Cows.
         Cows. Cows. Cows. Cows. Cows. Cows. Cows. Cows.
         Cows. Cows. Cows. Cows. Cows. Cows. Cows. Cows.
         … 459 more characters
 llm   › First make them glow.
   1 ✓ execute as @a at @s run effect give
       @e[type=cow,distance=..10] glowing 30 0 true
 rcon  › Applied effect Glowing to 3 targets
   2 ✗ data merge entity @e[type=cow,limit=1,
       sort=nearest] {CustomName:Bessie}
         rejected
 rcon  › Expected value at position 12:
         …{CustomName:<--[HERE]

 attempt 2
 you   › Quote the name.
 llm   › CustomName takes a JSON text string, so it
         needs both kinds of quotes.
   1 ✓ execute as @a at @s run effect give
       @e[type=cow,distance=..10] glowing 30 0 true
 rcon  › Applied effect Glowing to 3 targets
 −     data merge entity @e[type=cow,limit=1,
       sort=nearest] {CustomName:Bessie}
 + 2 ✓ data merge entity @e[type=cow,limit=1,
       sort=nearest] {CustomName:'"Bessie"'}
 rcon  › Modified entity data of Bessie
 + 3 ✓ tellraw @a [{"text":"Done","color":"gold"}]
 rcon  › no output"""
    )


def test_only_the_words_that_differ_are_marked() -> None:
    """The rest of both commands stands in its usual role."""
    lines = conversation_lines(make_example(corrected()), 120, GLYPHS, diff=True)
    assert in_role(lines, "removed") == ["−"]
    assert [text for text in in_role(lines, "added") if text != "+"][:2] == ["'\"", "\"'"]


def test_without_diff_nothing_is_marked() -> None:
    """Each attempt has its own commands, and no others."""
    lines = conversation_lines(make_example(corrected()), 57, GLYPHS, diff=False)
    assert not in_role(lines, "added")
    assert not in_role(lines, "removed")
    assert as_text(lines).count("CustomName:Bessie}") == 1


@pytest.mark.parametrize(
    ("attempts", "outcome", "words"),
    [
        (0, Outcome.ERRORED, "no answer"),
        (1, Outcome.SOLVED, "first try"),
        (1, Outcome.UNPROVEN, "1 attempt"),
        (2, Outcome.CORRECTED, "1 retry"),
        (3, Outcome.FAILED, "2 retries"),
    ],
)
def test_the_title_tells_how_many_answers_it_took(attempts: int, outcome: Outcome, words: str) -> None:
    """In the words of the rest of the screen."""
    tries = tuple(make_attempt(number + 1, make_result("say hi")) for number in range(attempts))
    trace = replace(make_trace(outcome=outcome), attempts=tries)
    assert plain(conversation_title(make_example(trace))).split("  ")[-1].strip() == words


def test_a_reply_that_is_no_answer_stands_with_its_error() -> None:
    """And the answer after it is compared to nothing."""
    ill = Attempt(1, raw='{"commands": "say hi"}', answer=None, error="commands: expected an array")
    trace = make_trace(ill, make_attempt(2, make_result("say hi")), outcome=Outcome.SOLVED)
    text = as_text(conversation_lines(make_example(trace), 57, GLYPHS, diff=True))
    assert 'llm   › {"commands": "say hi"}' in text
    assert "✗ commands: expected an array" in text
    assert "   1 ✓ say hi" in text


def test_commands_are_compared_in_their_order_not_by_their_place() -> None:
    """One put in front leaves the others what they were."""
    first = make_attempt(1, make_result(BESSIE), make_result("say hi"))
    second = make_attempt(2, make_result("time set noon"), make_result(BESSIE), make_result("say hi"))
    text = as_text(conversation_lines(make_example(make_trace(first, second)), 120, GLYPHS, diff=True))
    assert "+ 1 ✓ time set noon" in text
    assert "  3 ✓ say hi" in text
    assert "−" not in text


def test_a_difference_beyond_all_measure_says_what_is_left_out() -> None:
    """Of both commands."""
    attempts = [make_attempt(number, make_result(letter * (LONGEST + 17))) for number, letter in ((1, "x"), (2, "y"))]
    text = as_text(conversation_lines(make_example(make_trace(*attempts)), 120, GLYPHS, diff=True))
    assert text.count("x") == 2 * LONGEST
    assert text.count("y") == LONGEST
    assert text.count("… (17 more characters)") == 3


@given(COMMANDS, COMMANDS)
@settings(max_examples=80, deadline=None)
def test_a_difference_is_the_two_texts(old: str, new: str) -> None:
    """The pieces of each are the text, and what is not marked in one is what is not marked in the other."""
    removed, added = changed_pieces(old, new)
    assert "".join(text for text, _ in removed) == old
    assert "".join(text for text, _ in added) == new
    assert [text for text, is_other in removed if not is_other] == [text for text, is_other in added if not is_other]


@given(st.lists(COMMANDS, max_size=6), st.lists(COMMANDS, max_size=6))
@settings(max_examples=80, deadline=None)
def test_every_command_of_both_answers_has_its_place(old: list[str], new: list[str]) -> None:
    """Once each, in order; what is called the same is the same."""
    changes = aligned(old, new)
    assert [change.old for change in changes if change.old is not None] == list(range(len(old)))
    assert [change.new for change in changes if change.new is not None] == list(range(len(new)))
    for change in changes:
        if change.is_same:
            assert change.old is not None
            assert change.new is not None
            assert old[change.old] == new[change.new]


@given(st.lists(COMMANDS, min_size=1, max_size=3), st.lists(COMMANDS, min_size=1, max_size=3), st.integers(24, 90))
@settings(max_examples=40, deadline=None)
def test_no_character_of_a_command_is_lost_without_diff(old: list[str], new: list[str], width: int) -> None:
    """Of any attempt."""
    attempts = [make_attempt(number, *map(make_result, texts)) for number, texts in ((1, old), (2, new))]
    lines = conversation_lines(make_example(make_trace(*attempts)), width, GLYPHS, diff=False)
    assert "".join(in_role(lines, "command")) == "".join(map(one_line, [*old, *new]))
