"""Bindings that come before those of an input, which knows many keys itself."""

from __future__ import annotations

import asyncio
from collections.abc import Container, Iterable
from dataclasses import replace
from typing import Any, Final

from textual.binding import Binding, BindingType
from textual.screen import Screen

__all__ = ["before_inputs", "keys_taken_in"]

_PATIENCE: Final = 1.0


def before_inputs(bindings: Iterable[BindingType], only: Container[str] | None = None) -> list[BindingType]:
    """Return the bindings, all or `only` those of these ids with priority.

    A key that writes a character still goes to the input.
    """
    return [
        replace(binding, priority=True)
        if isinstance(binding, Binding) and (only is None or (binding.id or "") in only)
        else binding
        for binding in bindings
    ]


async def keys_taken_in(screen: Screen[Any]) -> None:
    """Wait until the fields of a screen hold what was typed so far.

    A field takes its keys in hand later than the app a binding with priority: what is saved or sent without this
    lacks the letters that came in one breath with its key. The app must await it, so that later keys come later.
    """
    taken: list[asyncio.Event] = []
    for field in screen.query("Input, TextArea"):
        event = asyncio.Event()
        if field.call_later(event.set):
            taken.append(event)
    try:
        async with asyncio.timeout(_PATIENCE):
            for event in taken:
                await event.wait()
    except TimeoutError:
        return  # a field that hangs must not take the app with it
