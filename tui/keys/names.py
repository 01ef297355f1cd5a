"""Names of keys: which there are, and how a person may write them."""

from __future__ import annotations

import string
from typing import Final

from textual.keys import Keys, _character_to_key

__all__ = ["key_name"]

_MODIFIERS: Final = ("ctrl", "shift", "alt", "super", "meta", "hyper")
_NAMES: Final = {key.value for key in Keys if "<" not in key.value} | {"enter", "space"}


def key_name(written: str) -> str | None:
    """Return Textual's name of a key such as `a`, `/`, `ctrl+x` or `pagedown`; None if there is no such key."""
    *modifiers, key = written.split("+") if len(written) > 1 else [written]
    if any(modifier not in _MODIFIERS for modifier in modifiers):
        return None
    if len(key) == 1 and key.isprintable():
        name = _character_to_key(key)
    elif key in _NAMES or key in _PUNCTUATION:
        name = key
    else:
        return None
    return "+".join([*modifiers, name])


_PUNCTUATION: Final = {_character_to_key(character) for character in string.punctuation}
