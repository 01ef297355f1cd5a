"""Hostile text is visible, and harmless."""

from __future__ import annotations

import unicodedata

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from selfplay_core.text import clean, clip, json_for_terminals, one_line, without_colours


@given(st.text(alphabet=st.characters()))
def test_no_control_character_survives(text: str) -> None:
    """Nothing that a terminal would obey, reorder by or choke on is left, but newlines and tabs."""
    for character in clean(text):
        if character not in "\n\t":
            assert unicodedata.category(character) not in {"Cc", "Cs", "Zl", "Zp"}
            assert unicodedata.bidirectional(character) not in {
                "RLE",
                "LRE",
                "RLO",
                "LRO",
                "PDF",
                "RLI",
                "LRI",
                "FSI",
                "PDI",
            }


@given(st.text())
def test_cleaning_twice_changes_nothing(text: str) -> None:
    """What has been made safe stays as it is."""
    assert clean(clean(text)) == clean(text)


@pytest.mark.parametrize(
    ("hostile", "shown"),
    [
        ("\x1b]0;title\x07", "␛]0;title␇"),
        ("a\x7fb", "a␡b"),
        ("\x9b2J", "<U+009B>2J"),
        ("\u202eevil", "<U+202E>evil"),
        ("a\u00ad\u3164\U000e0101b", "a<U+00AD><U+3164><U+E0101>b"),
        ("\u2764\ufe0f", "\u2764\ufe0f"),
        ("§aGreen §lbold §", "§aGreen §lbold §"),
        ("plain [/] text", "plain [/] text"),
    ],
)
def test_what_is_hostile_becomes_visible(hostile: str, shown: str) -> None:
    """A person sees that something was there; colours of the game are no control characters, and stay."""
    assert clean(hostile) == shown


def test_a_reply_loses_its_paint_alone() -> None:
    """Every word of it stays, and a section sign that colours nothing."""
    assert without_colours("§aGreen §Lbold§r § §z") == "Green bold § §z"


def test_one_line_is_one_line() -> None:
    """Line breaks and tabs are shown, not made."""
    assert one_line("a\nb\tc") == "a␊b␉c"


def test_clipping_says_how_much_is_missing() -> None:
    """Nothing is cut in silence."""
    assert clip("abcdef", 4) == "abcd… (2 more characters)"
    assert clip("abcd", 4) == "abcd"


@given(st.text())
def test_json_for_terminals_means_the_same_and_obeys_nobody(text: str) -> None:
    """Decoded it is the very text, and printed it holds no control character."""
    printed = json_for_terminals(orjson.dumps({"text": text}).decode())
    assert orjson.loads(printed) == {"text": text}
    assert not any(unicodedata.category(character) in {"Cc", "Zl", "Zp"} for character in printed)
