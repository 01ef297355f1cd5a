"""The installed command in a pseudo-terminal, with a screen that can be read and a record of every byte."""

from __future__ import annotations

import codecs
import os
import re
import select
import threading
import time
import warnings
from collections.abc import Callable, Iterator
from pathlib import Path
from types import TracebackType
from typing import Final, Self

import pexpect
import pyte

from selfplay_core.text import clean
from tests.commands import COMMAND, clean_environment

__all__ = ["Terminal", "controls_in"]

Seen = str | Callable[[list[str]], object]
"""A text that stands in one line of the screen, or what must be true of its lines."""

PATIENCE: Final = 30.0

_KEYS: Final = {
    # Not a bare ESC: with the next key behind it, that would be Alt and the key.
    "escape": "\x1b[27u",
    "enter": "\r",
    "tab": "\t",
    "shift+tab": "\x1b[Z",
    "space": " ",
    "backspace": "\x7f",
    "delete": "\x1b[3~",
    "up": "\x1b[A",
    "down": "\x1b[B",
    "right": "\x1b[C",
    "left": "\x1b[D",
    "home": "\x1b[H",
    "end": "\x1b[F",
    "pageup": "\x1b[5~",
    "pagedown": "\x1b[6~",
}


class Terminal:
    """A command from its start to its end; a thread reads what it writes.

    `words` are its arguments. `more` goes into an environment that holds no settings of ours.
    """

    def __init__(
        self, folder: Path, *words: str, columns: int = 120, rows: int = 36, command: str = COMMAND, **more: str
    ) -> None:
        environment = clean_environment(
            folder,
            TERM="xterm-256color",
            COLORTERM="truecolor",
            TEXTUAL_ANIMATIONS="none",
            LC_ALL="C.UTF-8",
            **more,
        )
        self._screen = pyte.Screen(columns, rows)
        self._stream = pyte.ByteStream(self._screen)
        self._raw = bytearray()
        self._ended = False
        self._trouble: Exception | None = None
        self._news = threading.Condition()
        self._closing = threading.Event()
        with warnings.catch_warnings():
            # The other threads of this process hold no lock that the child needs between fork and exec.
            warnings.filterwarnings("ignore", "This process .* is multi-threaded", DeprecationWarning)
            self._child = pexpect.spawn(
                command, list(words), cwd=str(folder), env=environment, dimensions=(rows, columns), timeout=None
            )
        self._reader = threading.Thread(target=self._read, name="terminal", daemon=True)
        self._reader.start()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    @property
    def raw(self) -> bytes:
        """Every byte that reached the terminal so far."""
        with self._news:
            return bytes(self._raw)

    @property
    def pid(self) -> int:
        """The process of the command."""
        return self._child.pid or 0

    def screen(self) -> list[str]:
        """Return the lines as they stand on the screen, without the blanks at their ends."""
        with self._news:
            return self._lines()

    def press(self, *keys: str) -> None:
        """Press keys: single characters, `ctrl+x`, or names as Textual has them."""
        for key in keys:
            os.write(self._child.child_fd, _bytes_of(key))

    def write(self, text: str) -> None:
        """Type or paste a text as it is."""
        os.write(self._child.child_fd, text.encode())

    def click(self, column: int, row: int) -> None:
        """Press and release the left button of the mouse; the first cell is 0, 0."""
        for end in "Mm":
            self.write(f"\x1b[<0;{column + 1};{row + 1}{end}")

    def resize(self, columns: int, rows: int) -> None:
        """Give the terminal another size."""
        with self._news:
            self._screen.resize(rows, columns)
        self._child.setwinsize(rows, columns)

    def wait_for(self, wanted: Seen, timeout: float = PATIENCE) -> list[str]:
        """Wait until something stands on the screen, and return its lines; blocks, so call it beside an event loop.

        Raises AssertionError with the screen if it does not come, and at once where the command has ended.
        """
        deadline = time.monotonic() + timeout
        with self._news:
            while not _is_on(wanted, lines := self._lines()):
                left = deadline - time.monotonic()
                if self._ended or left <= 0 or self._trouble is not None:
                    raise AssertionError(self._complaint(wanted, timeout)) from self._trouble
                self._news.wait(left)
            return lines

    def wait_for_end(self, timeout: float = PATIENCE) -> int:
        """Wait until the command has ended, and return its exit code, or the negative number of its signal."""
        deadline = time.monotonic() + timeout
        with self._news:
            while not self._ended:
                left = deadline - time.monotonic()
                if left <= 0:
                    raise AssertionError(self._complaint("its end", timeout))
                self._news.wait(left)
        self._child.wait()
        status, number = self._child.exitstatus, self._child.signalstatus
        return int(status) if status is not None else -int(number or 0)

    def close(self) -> None:
        """End the command, if it has not ended by itself."""
        self._closing.set()
        self._reader.join()
        self._child.close(force=True)

    def _read(self) -> None:
        while not self._closing.is_set():
            if not select.select([self._child.child_fd], [], [], 0.05)[0]:
                continue
            try:
                data = os.read(self._child.child_fd, 1 << 16)
            except OSError:  # Linux tells the end of the other side so
                data = b""
            with self._news:
                self._take_in(data)
                self._news.notify_all()
            if not data:
                return

    def _take_in(self, data: bytes) -> None:
        self._ended = not data
        self._raw += data
        try:
            # pyte knows no `CSI < u` and would show its last letter.
            self._stream.feed(data.replace(b"\x1b[<u", b""))
        except Exception as error:  # whatever pyte cannot read is told by the test that waits
            self._trouble = error

    def _lines(self) -> list[str]:
        rows, columns = range(self._screen.lines), range(self._screen.columns)
        return ["".join(self._screen.buffer[row][column].data for column in columns).rstrip() for row in rows]

    def _complaint(self, wanted: object, timeout: float) -> str:
        width = self._screen.columns
        framed = "\n".join(f"|{line:<{width}}|" for line in self._lines())
        why = "the command has ended" if self._ended else f"it did not come within {timeout:g} s"
        return f"Waited for {wanted!r}, but {why}. The screen:\n{framed}"


def _is_on(wanted: Seen, lines: list[str]) -> bool:
    return any(wanted in line for line in lines) if isinstance(wanted, str) else bool(wanted(lines))


def _bytes_of(key: str) -> bytes:
    if key in _KEYS:
        return _KEYS[key].encode()
    if len(key) == 1:
        return key.encode()
    letter = key.removeprefix("ctrl+")
    if len(letter) == 1 and letter != key:
        return bytes([ord(letter.upper()) & 0x1F])
    raise ValueError(f"The terminal has no key {key!r}.")


# What Textual's driver for Linux and its compositor write: styles, places, modes it sets and asks about, keyboard
# levels, and the shape of the mouse pointer.
_OWN: Final = re.compile(
    r"\x1b\[[0-9;]*[mH]"
    r"|\x1b\[\?(?:7|25|1000|1003|1004|1006|1015|1016|1049|2004|2026|2048)[hl]"
    r"|\x1b\[\?(?:2026|2048)\$p"
    r"|\x1b\[(?:>[0-9]+|<)u"
    r"|\x1b\]22;(?:default|pointer|text|wait)\x07"
)

_CONTROL: Final = re.compile(
    r"\x1b\[[0-?]*[ -/]*[@-~]"  # CSI
    r"|\x1b[\]P_^X][^\x00-\x1f\x7f-\x9f]*(?:\x07|\x1b\\|\x9c)?"  # OSC and the other strings, ended or not
    r"|\x1b[ -/]*[0-~]?"
    r"|\r?\n|[\x00-\x1f\x7f-\x9f]|[^\x00-\x9f]"
)
_UNFINISHED: Final = re.compile(r"\x1b(?:\[[0-?]*[ -/]*)?\Z")
_FULL_SCREEN: Final = ("\x1b[?1049h", "\x1b[?1049l")


def controls_in(raw: bytes) -> list[str]:
    """Return what a Textual app would not send by itself: control sequences, control and invisible characters.

    Its full-screen paints use a new line only before they say where to go on. What was cut off by the end of
    `raw` is left out.
    """
    # What is no UTF-8 comes out as a lone surrogate, which no app sends either.
    text = codecs.getincrementaldecoder("utf-8")("surrogateescape").decode(raw)
    return list(_foreign(_UNFINISHED.sub("", text)))


def _foreign(text: str) -> Iterator[str]:
    is_full = False
    for match in _CONTROL.finditer(text):
        control = match.group()
        if control in _FULL_SCREEN:
            is_full = control == _FULL_SCREEN[0]
        elif control.endswith("\n"):
            if is_full and not text.startswith("\x1b[", match.end()) and match.end() < len(text):
                yield control
        elif not _OWN.fullmatch(control) and (control < "\xa0" or clean(control) != control):
            yield control
