"""An example in the editor that a person is used to: the text that is handed over, and the terminal lent."""

from __future__ import annotations

import asyncio
import os
import re
import shlex
import subprocess
import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

from textual.app import App, SuspendNotSupported

from selfplay_core.errors import SettingsError
from selfplay_core.text import clip, one_line
from tui.state.draft import FIELD_NAMES, Fields

__all__ = ["as_document", "edit_outside", "editor_in", "from_document"]

_INTRO: Final = "Each field stands under its heading; one line of commands is one command.\n\n"
_HEADING: Final = re.compile(rf"# ({'|'.join(FIELD_NAMES)})[ \t\r]*")
_LIKE_HEADING: Final = re.compile(rf"\\*# ({'|'.join(FIELD_NAMES)})[ \t\r]*")
_ESCAPED: Final = re.compile(rf"\\+# ({'|'.join(FIELD_NAMES)})[ \t\r]*")
_FALLBACK: Final = "vi"


def as_document(fields: Fields) -> str:
    """Return the fields as one text, each under its heading; a line that looks like a heading gets a backslash."""
    parts = [(name, getattr(fields, name)) for name in FIELD_NAMES]
    return _INTRO + "\n".join(f"# {name}\n{_escaped(text)}\n" for name, text in parts if text is not None)


def from_document(text: str) -> Fields:
    """Return the fields of a text; raises SettingsError where a heading is missing, or stands there twice."""
    found: dict[str, list[str]] = {}
    lines: list[str] | None = None
    for line in text.split("\n"):
        heading = _HEADING.fullmatch(line)
        if heading is not None:
            if heading[1] in found:
                raise SettingsError(
                    f"The heading `# {heading[1]}` stands there twice, so nothing was taken over. Open the editor "
                    "again, and take one away, or write a backslash before it."
                )
            lines = found[heading[1]] = []
        elif lines is not None:
            lines.append(line[1:] if _ESCAPED.fullmatch(line) else line)
    missing = [name for name in ("prompt", "commands", "reasoning") if name not in found]
    if missing:
        raise SettingsError(
            f"The heading `# {missing[0]}` is missing, so nothing was taken over. Open the editor again, and put it "
            "back on a line of its own."
        )
    texts = {name: "\n".join(lines[:-1] if lines and not lines[-1] else lines) for name, lines in found.items()}
    return Fields(texts["prompt"], texts["commands"], texts["reasoning"], texts.get("message"))


def editor_in(configured: str, environment: Mapping[str, str] = os.environ) -> str:
    """Return the editor: the setting's, else what the shell names, else vi."""
    return configured.strip() or environment.get("VISUAL") or environment.get("EDITOR") or _FALLBACK


async def edit_outside(app: App[Any], text: str, editor: str, suffix: str = ".md") -> str | None:
    """Lend the terminal to an editor and return what it made of `text`, None if it changed nothing or failed.

    A blank `editor` is what the shell names. Raises SettingsError for an editor that cannot be started, a text that
    is no UTF-8, and a terminal that cannot be lent.
    """
    chosen = editor_in(editor)
    command = _words(chosen)
    try:
        # Without the batch, a timer that repaints meanwhile would fill the queue of the stopped writer and hang.
        with app.batch_update(), app.suspend():
            # Nothing may be raised in here: Textual would not take the terminal back.
            editing = asyncio.ensure_future(asyncio.to_thread(_edit, command, text, suffix))
            cancelled = await _ended(editing)
    except SuspendNotSupported as error:
        raise SettingsError(
            f"This terminal cannot be lent to the editor {clip(one_line(chosen), 60)!r}. Edit here instead, or start "
            "selfplay-tui in a terminal of its own."
        ) from error
    if cancelled:
        raise asyncio.CancelledError
    return editing.result()


async def _ended(editing: asyncio.Future[str | None]) -> bool:
    """Wait for the editor, whose the terminal is until it is closed; tell whether somebody cancelled the wait."""
    cancelled = False
    while not editing.done():
        try:
            await asyncio.wait({editing})
        except asyncio.CancelledError:
            cancelled = True
    return cancelled


def _escaped(text: str) -> str:
    return "\n".join(f"\\{line}" if _LIKE_HEADING.fullmatch(line) else line for line in text.split("\n"))


def _words(editor: str) -> list[str]:
    try:
        words = shlex.split(editor)
    except ValueError as error:
        raise _not_an_editor(editor, str(error)) from error
    if not words:
        raise _not_an_editor(editor, "it is blank")
    return words


def _edit(command: list[str], text: str, suffix: str) -> str | None:
    before = text.encode("utf-8", "surrogatepass")
    with tempfile.TemporaryDirectory(prefix="selfplay-") as folder:
        path = Path(folder) / f"example{suffix}"
        handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with open(handle, "wb") as file:
            file.write(before)
        try:
            if subprocess.call([*command, str(path)]) != 0:
                return None
            after = path.read_bytes()
        except OSError as error:
            raise _not_an_editor(shlex.join(command), error.strerror or str(error)) from error
    if after == before:
        return None
    try:
        return after.decode("utf-8", "surrogatepass")
    except UnicodeDecodeError as error:
        raise SettingsError(
            f"What the editor saved is not UTF-8 (byte {error.start}), so nothing was taken over. "
            "Let the editor write UTF-8, and edit again."
        ) from error


def _not_an_editor(editor: str, why: str) -> SettingsError:
    return SettingsError(
        f"The editor {clip(one_line(editor), 60)!r} cannot be used: {clip(one_line(why), 120)}. "
        "Set review.editor, $VISUAL or $EDITOR to one that starts in this terminal."
    )
