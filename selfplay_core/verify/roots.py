"""Which command of the game a line would run in the end, under the one name that it is counted by."""

from __future__ import annotations

from functools import lru_cache
from typing import Final

from selfplay_core.verify.policy import ALIASES
from selfplay_core.verify.rules import VANILLA
from selfplay_core.verify.unwrap import readings

__all__ = ["GAME_ROOTS", "root_of"]

_AROUND: Final = frozenset({"execute", "return"})

GAME_ROOTS: Final = tuple(sorted(VANILLA - ALIASES.keys() - _AROUND))
"""The game's own commands that may run, each under one name, but for those that only stand around others."""


@lru_cache(8192)
def root_of(command: str) -> str:
    """Return the name of what the server would run, blank where there is nothing; WorldEdit's keeps its two slashes.

    Of a command that can be read in several ways, the first command of the game that it may run.
    """
    calls = [call for reading in readings(command) for call in reading.calls]
    named = [call.shown if call.doubled else ALIASES.get(call.name, call.name) for call in calls]
    return next((name for name in named if name in GAME_ROOTS), named[0] if named else "")
