"""What every target asks of a text that a person is shown."""

from __future__ import annotations

from selfplay_core.text import one_line

__all__ = ["assert_shown"]


def assert_shown(text: str, longest: int = 1000) -> None:
    """An error's text is one clean line of bounded length."""
    assert text
    assert one_line(text) == text
    assert len(text) <= longest
