"""Lines keep to their width and lose nothing of a text."""

from __future__ import annotations

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from tests.nasty import NASTY
from tui.drawing.lines import Line, Span, between, cropped, paragraphs, plain, span, width_of, wrapped

WIDTHS = st.integers(2, 60)
TEXTS = st.one_of(
    st.text(alphabet=st.sampled_from("ab ,\u65e5\u0301\u2764\ufe0f\U0001f469[]"), max_size=80),
    st.text(max_size=80),
    st.sampled_from([text[:300] for text in NASTY]),
)
PIECES = st.lists(st.builds(span, TEXTS, st.sampled_from(("text", "command", "added"))), max_size=4)


def bodies(lines: list[Line], margin: int) -> list[str]:
    """The lines without what stands before them."""
    return [plain(line)[margin if number else 0 :] for number, line in enumerate(lines)]


@given(PIECES, WIDTHS, st.integers(0, 12), st.booleans())
def test_no_line_is_wider_than_its_width(pieces: list[Span], width: int, opening: int, words: bool) -> None:
    """Whatever the cells of its characters are, and whatever opens it."""
    first: Line = (Span("#" * min(opening, width)),)
    for line in wrapped(pieces, width, first=first, words=words):
        assert width_of(line) <= width


@given(PIECES, WIDTHS, st.integers(0, 12))
@example([span("a,\u0301b c,d" * 9)], 7, 3)
def test_a_command_loses_no_character(pieces: list[Span], width: int, indent: int) -> None:
    """Not even a blank at the end of a line."""
    lines = wrapped(pieces, width, indent=indent, words=False)
    margin = min(indent, max(width - 8, 0))
    assert "".join(bodies(lines, margin)) == plain(tuple(pieces))


@given(PIECES, WIDTHS)
def test_prose_loses_one_blank_a_break_at_most(pieces: list[Span], width: int) -> None:
    """And nothing else."""
    text, lines = plain(tuple(pieces)), wrapped(pieces, width)
    kept = "".join(bodies(lines, 0))
    assert kept.replace(" ", "") == text.replace(" ", "")
    assert len(text) - len(kept) <= len(lines)


@given(TEXTS, WIDTHS, st.booleans())
@example("aaaaaa,\u0301bbb", 8, False)
@example("aaaaaa \u0301bbb", 8, True)
def test_what_is_drawn_over_each_other_stays_together(text: str, width: int, words: bool) -> None:
    """No line but the first begins with a character of no width."""
    for line in wrapped([span(text)], width, words=words)[1:]:
        assert width_of((Span(plain(line)[:1]),)) > 0


@given(PIECES, WIDTHS)
def test_roles_stay_with_their_characters(pieces: list[Span], width: int) -> None:
    """Each character of a line has the role that it had before."""
    before = [(character, piece.role) for piece in pieces for character in piece.text]
    lines = wrapped(pieces, width, words=False)
    assert [(character, piece.role) for line in lines for piece in line for character in piece.text] == before


@given(PIECES, st.integers(0, 60))
def test_what_is_cropped_says_so(pieces: list[Span], width: int) -> None:
    """A line is as it was, or ends with the mark within its width."""
    line = tuple(pieces)
    found = cropped(line, width)
    assert width_of(found) <= width
    assert found == line or width == 0 or plain(found).endswith("\u2026")


@given(TEXTS, TEXTS, st.integers(1, 60))
def test_two_ends_fill_the_width(left: str, right: str, width: int) -> None:
    """The left end gives way to the right one."""
    assert width_of(between((span(left),), (span(right),), width)) <= width


@pytest.mark.parametrize(
    ("text", "words", "expected"),
    [
        ("hello big world of things", True, ["hello big", "world of", "things"]),
        ("aaaaaaaaaaaaaaa b", True, ["aaaaaaaaaaa", "aaaa b"]),
        ("tp @a[x=1,y=2,z=3]", False, ["tp @a[x=1,", "y=2,z=3]"]),
        ("give @s an apple", False, ["give @s an ", "apple"]),
        ("\u65e5\u672c\u8a9e\u65e5\u672c\u8a9e", False, ["\u65e5\u672c\u8a9e\u65e5\u672c", "\u8a9e"]),
        ("", True, [""]),
    ],
)
def test_where_a_line_is_broken(text: str, words: bool, expected: list[str]) -> None:
    """At a blank in prose; behind a blank or comma near the end in commands."""
    assert [plain(line) for line in wrapped([span(text)], 11, words=words)] == expected


def test_a_wide_character_in_a_cell_too_few_is_still_there() -> None:
    """Rather too wide than lost."""
    assert [plain(line) for line in wrapped([span("\u65e5\u672c")], 1, words=False)] == ["\u65e5", "\u672c"]


def test_a_newline_begins_a_line() -> None:
    """Behind the same margin as a line that was too long."""
    lines = paragraphs("one\r\ntwo three\n\nfour", 10, first=(Span("> "),))
    assert [plain(line) for line in lines] == ["> one", "  two", "  three", "  ", "  four"]
