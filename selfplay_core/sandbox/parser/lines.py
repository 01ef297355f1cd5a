"""Commands read from a file, one a line: as they are typed at a console, or as a function of a data pack holds them.

Memory stays flat whatever the file holds: a line is read up to a bound, and the rest of it is passed over.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import BinaryIO, Final

from selfplay_core.errors import SettingsError

__all__ = ["Line", "read_lines"]

# A function's line has at most so many characters; of four bytes each at most.
_LONGEST: Final = 2_000_000
_MOST_BYTES: Final = 4 * _LONGEST
_BLANKS: Final = "".join(map(chr, range(0x21)))  # what Java's String.trim takes for blank
_BOM: Final = b"\xef\xbb\xbf"
_WIDE_BOMS: Final = (b"\xff\xfe", b"\xfe\xff")
_VARIABLE: Final = re.compile(r"\$\(([^)]*)(\)?)")
_VARIABLE_NAME: Final = re.compile(r"[A-Za-z0-9_]+")
_WORD: Final = re.compile(r"[0-9A-Za-z_.+-]*")


@dataclass(frozen=True, slots=True)
class Line:
    """A command as it was written; `number` is that of its first line.

    `fault` says why no server would read it, `doubt` why nobody can judge it here.
    """

    number: int
    text: str
    fault: str = ""
    doubt: str = ""


def read_lines(stream: BinaryIO, *, function: bool) -> Iterator[Line]:
    """Yield every command of a file; blank lines and comments (`#`) are none.

    In a `function` blanks around a command mean nothing, a backslash at the end of a line goes on with the next one,
    `$` begins a macro, and a slash at the beginning is an error. Raises SettingsError for UTF-16.
    """
    lines = _lines(stream, keep_bom=function)
    if not function:
        return (line for line in lines if line.text.strip() and not line.text.startswith("#"))
    return _of_function(lines)


def _lines(stream: BinaryIO, *, keep_bom: bool) -> Iterator[Line]:
    number = 0
    while raw := stream.readline(_MOST_BYTES + 1):
        number += 1
        if number == 1 and raw.startswith(_WIDE_BOMS):
            raise SettingsError(
                "it is written in UTF-16, and a server reads UTF-8. Convert it: iconv -f UTF-16 -t UTF-8 FILE."
            )
        if number == 1 and not keep_bom:
            raw = raw.removeprefix(_BOM)
        yield _line(number, raw, whole=_is_whole(raw, stream))


def _is_whole(raw: bytes, stream: BinaryIO) -> bool:
    """Tell whether a line was read to its end; if not, pass over the rest."""
    if len(raw) <= _MOST_BYTES or raw.endswith(b"\n"):
        return True
    while raw and not raw.endswith(b"\n"):
        raw = stream.readline(_MOST_BYTES)
    return False


def _line(number: int, raw: bytes, *, whole: bool) -> Line:
    content = raw.removesuffix(b"\n").removesuffix(b"\r")
    text = content.decode("utf-8", "backslashreplace")
    if not whole:
        return Line(number, text[:100], fault=f"Command too long: more than {_LONGEST} characters")
    try:
        content.decode("utf-8")
    except UnicodeDecodeError as error:
        return Line(number, text, fault=f"Not UTF-8: byte 0x{content[error.start]:02x} at {error.start}")
    return Line(number, text)


def _of_function(lines: Iterator[Line]) -> Iterator[Line]:
    for line in lines:
        joined = _joined(line, lines)
        if joined.text and not joined.text.startswith("#"):
            yield joined if joined.fault else _as_in_function(joined)


def _joined(first: Line, lines: Iterator[Line]) -> Line:
    """Return a line with those that it goes on with; the backslashes are left out."""
    text, fault = first.text.strip(_BLANKS), first.fault
    parts = []
    length = 0
    while text.endswith("\\"):
        length += len(text)
        # Beyond the bound what follows is read, but not kept.
        parts.append(text[:-1] if length <= _LONGEST else "")
        following = next(lines, None)
        if following is None:
            text, fault = "", fault or "Line continuation at end of file"
            break
        text, fault = following.text.strip(_BLANKS), fault or following.fault
    length += len(text)
    if length > _LONGEST:
        fault = fault or f"Command too long: {length} characters"
    return Line(first.number, "".join((*parts, text))[:_LONGEST], fault)


def _as_in_function(line: Line) -> Line:
    """Return a function's line with what speaks against it."""
    if line.text.startswith("$"):
        fault = _macro_fault(line.text)
        doubt = "" if fault else "A macro is a command only once its variables are filled in"
        return Line(line.number, line.text, fault, doubt)
    if line.text.startswith("//"):
        return Line(line.number, line.text, "Unknown or invalid command (a comment begins with '#', not '//')")
    if line.text.startswith("/"):
        match = _WORD.match(line.text, 1)
        word = match.group() if match else ""
        return Line(line.number, line.text, f"Unknown or invalid command (did you mean '{word}'? No slash before it)")
    return line


def _macro_fault(text: str) -> str:
    variables = _VARIABLE.findall(text)
    if not variables:
        return "No variables in macro"
    for name, end in variables:
        if not end:
            return "Unterminated macro variable"
        if not _VARIABLE_NAME.fullmatch(name):
            return f"Invalid macro variable name '{name}'"
    return ""
