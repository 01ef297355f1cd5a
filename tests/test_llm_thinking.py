"""Thinking inside the content, told apart from the reply."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from selfplay_core.llm.thinking import split_thinking

REPLY = '{"commands": [], "reasoning": "x"}'


@pytest.mark.parametrize(
    ("content", "thinking", "rest"),
    [
        (REPLY, "", REPLY),
        (f"<think>\nhm\n</think>\n\n{REPLY}", "hm", REPLY),
        (f"\n <think>hm</think>{REPLY}", "hm", REPLY),
        (f"<think>\n\n</think>\n\n{REPLY}", "", REPLY),
        (f"<think>a</think> <think>b</think>{REPLY}", "a\nb", REPLY),
        (f"so I think\n</think>\n{REPLY}", "so I think", REPLY),
        (f"</think>{REPLY}", "", REPLY),
        (f"a</think><think>b</think>{REPLY}", "a\nb", REPLY),
        (f"<think>it never ends {REPLY}", f"it never ends {REPLY}", ""),
        ("<think>", "", ""),
        ("<think></think>", "", ""),
        ("", "", ""),
        ("  plain  ", "", "  plain  "),
    ],
)
def test_thinking_is_separated(content: str, thinking: str, rest: str) -> None:
    """Closed, unclosed, empty, repeated and half-swallowed blocks all leave the reply alone."""
    assert split_thinking(content) == (thinking, rest)


@pytest.mark.parametrize(
    "content",
    [
        '{"commands": ["say <think>"], "reasoning": "the </think> tag"}',
        ' \n{"reasoning": "</think>", "commands": []}',
        '["</think>"]',
    ],
)
def test_tags_within_the_json_stay(content: str) -> None:
    """A reply that starts as JSON is never searched for tags."""
    assert split_thinking(content) == ("", content)


@given(st.text(alphabet="ab{ \n") | st.lists(st.sampled_from(["<think>", "</think>", "a", "{", " "])).map("".join))
def test_splitting_again_finds_nothing_more(content: str) -> None:
    """What is left of a reply holds no further thinking, and nothing is made up."""
    _, rest = split_thinking(content)
    assert split_thinking(rest) == ("", rest)
    assert content.endswith(rest)
