"""Which commands the server answers with silence when all is well."""

from __future__ import annotations

from typing import Final

from selfplay_core.verify.unwrap import Reading, words

__all__ = ["is_silent"]

# `say`, `me` and `tellraw` reach players only, a roll is broadcast, `return` and a function may have no output.
_SILENT: Final = frozenset({"say", "me", "msg", "tell", "w", "teammsg", "tm", "tellraw", "function", "return"})


def is_silent(reading: Reading, *, target_shown: bool = False) -> bool:
    """Whether an empty reply means that the command was carried out.

    Under `execute` silence also means that nobody was there; only `target_shown` rules that out.
    """
    if not reading.certain or ("execute" in reading.around and not target_shown):
        return False
    (call,) = reading.calls
    if call.name == "random":
        return words(call.rest)[:1] == ["roll"]
    return call.name in _SILENT and not call.doubled
