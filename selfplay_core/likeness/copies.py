"""Prompts that must not come again, whatever their category: the same, or nearly a copy."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

from selfplay_core.likeness.pool import PromptPool

__all__ = ["Copies"]

_ANY: Final = ""


class Copies:
    """Known prompts, of which the same one is found even where no word of it is left to compare."""

    def __init__(self, prompts: Iterable[str] = ()) -> None:
        self._pool = PromptPool()
        self._exact: set[str] = set()
        self._texts: list[str] = []
        for prompt in prompts:
            self.add(prompt)

    def __len__(self) -> int:
        return len(self._texts)

    def add(self, prompt: str) -> None:
        """Know one more."""
        self._pool.add(_ANY, len(self._texts), prompt)
        self._exact.add(prompt)
        self._texts.append(prompt)

    def like(self, prompt: str) -> str | None:
        """Return the known prompt that this one is the same as, or nearly a copy of; None if there is none."""
        if prompt in self._exact:
            return prompt
        found = self._pool.closest(_ANY, prompt)
        return None if found is None else self._texts[found.number]
