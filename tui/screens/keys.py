"""Bindings that come before those of an input, which knows many keys itself."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace

from textual.binding import Binding, BindingType

__all__ = ["before_inputs"]


def before_inputs(bindings: Iterable[BindingType]) -> list[BindingType]:
    """Return the bindings with priority; a key that writes a character still goes to the input."""
    return [replace(binding, priority=True) if isinstance(binding, Binding) else binding for binding in bindings]
