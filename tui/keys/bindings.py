"""Textual's bindings from the table of keys."""

from __future__ import annotations

from textual.binding import Binding, BindingType

from tui.keys.actions import ACTIONS, Keymap

__all__ = ["bindings_of", "keymap_of"]


def bindings_of(screen: str, *, through: str = "") -> list[BindingType]:
    """Return the bindings of a screen; each has its action's name as id, so that a keymap can change its keys.

    With `through` the name is handed to that one action of the screen, else each action has its own.
    """
    return [
        Binding(
            ",".join(action.keys),
            f"{through}({action.name!r})" if through else action.name,
            action.help,
            show=False,
            id=action.name,
        )
        for action in ACTIONS
        if screen in action.screens
    ]


def keymap_of(keymap: Keymap) -> dict[str, str]:
    """Return a person's own keys as Textual wants them."""
    return {name: ",".join(keys) for name, keys in keymap.own.items()}
