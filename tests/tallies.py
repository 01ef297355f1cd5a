"""What the kills of this test session were, for the summary at its end."""

from __future__ import annotations

from collections import Counter
from typing import Final

__all__ = ["COUNTED", "FOUND"]

COUNTED: Final[Counter[str]] = Counter()
"""The kills that found their process alive, by who it was."""

FOUND: Final[Counter[str]] = Counter()
"""In how many workspaces something was left unfinished, by what it was."""
