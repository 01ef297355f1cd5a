"""Fields that show no control character as it is."""

from __future__ import annotations

from rich.text import Text
from textual import events
from textual.widget import Widget
from textual.widgets import Input, TextArea

from selfplay_core.text import clean

__all__ = ["SafeArea", "SafeInput"]

_STRANGE = "\ufffd"


class SafeArea(TextArea):
    """Holds text from a model verbatim; on screen each hostile character has one visible sign in its place."""

    def get_line(self, line_index: int) -> Text:
        return Text(_visible(self.document.get_line(line_index)), end="", no_wrap=True)

    async def _on_key(self, event: events.Key) -> None:
        await _act_in_turn(self, event)


class SafeInput(Input):
    """Holds what was typed or pasted verbatim; on screen each hostile character has one visible sign in its place."""

    @property
    def _value(self) -> Text:
        return super()._value if self.password else Text(_visible(self.value), no_wrap=True, overflow="ignore", end="")

    async def _on_key(self, event: events.Key) -> None:
        await _act_in_turn(self, event)


async def _act_in_turn(field: Widget, event: events.Key) -> None:
    """Do what a key of the field's own says before the next key is taken in hand.

    Textual lets it travel up to the app first, and a letter typed right behind it goes in before the cursor has moved.
    """
    for binding in field._bindings.key_to_bindings.get(event.key, ()):
        if await field.app.run_action(binding.action, field):
            event.stop()
            event.prevent_default()
            return


def _visible(line: str) -> str:
    """Return a line of the same length, so that the cursor stands where it seems to."""
    return line if clean(line) == line else "".join(map(_sign, line))


def _sign(character: str) -> str:
    shown = clean(character)
    return shown if len(shown) == 1 else _STRANGE
