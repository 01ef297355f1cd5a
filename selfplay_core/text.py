"""Text from a model or a server, made safe for a person's terminal."""

from __future__ import annotations

import re

__all__ = ["clean", "clip", "json_for_terminals", "one_line", "without_colours"]

_LEGACY_COLOUR = re.compile("\u00a7[0-9A-FK-ORXa-fk-orx]")

# C0 but newline and tab, DEL, C1, the bidirectional controls, line and paragraph separators, everything that Unicode
# lets a font leave out (in which text can be hidden), and lone surrogates (which no terminal encodes). The sixteen
# variation selectors of the basic plane stay: emoji are written with them.
_HOSTILE = re.compile(
    "[\x00-\x08\x0b-\x1f\x7f-\x9f\u00ad\u034f\u061c\u115f\u1160\u17b4\u17b5\u180b-\u180f\u200b-\u200f\u2028-\u202e"
    "\u2060-\u206f\u3164\ufeff\uffa0\ufff0-\ufffb\U0001bca0-\U0001bca3\U0001d173-\U0001d17a\U000e0000-\U000e0fff"
    "\ud800-\udfff]"
)


def clean(text: str) -> str:
    """Return `text` with every control character made visible; newlines and tabs stay.

    For display, logs and exceptions only: files keep what was said. C0 controls become the Unicode control
    pictures, everything else hostile `<U+XXXX>`. Minecraft's section-sign colours stay: in a prompt or a command
    they are what is trained on.
    """
    return _HOSTILE.sub(_visible, text)


def without_colours(reply: str) -> str:
    """Return a server's reply without Minecraft's section-sign colours, which are its paint and none of its words."""
    return _LEGACY_COLOUR.sub("", reply)


def one_line(text: str) -> str:
    """Return `text` cleaned, with newlines and tabs made visible too."""
    return clean(text).replace("\n", "\u240a").replace("\t", "\u2409")


def json_for_terminals(document: str) -> str:
    """Return the same JSON with every hostile character as an escape, so that it can be printed as it is.

    JSON encoders leave DEL, C1, the bidirectional controls and the line separators bare. They can only stand
    in strings, where the escape means the same.
    """
    return _HOSTILE.sub(_as_json_escape, document)


def clip(text: str, limit: int) -> str:
    """Return at most `limit` characters of `text`, saying how many were left out."""
    if len(text) <= limit:
        return text
    return f"{text[:limit]}\u2026 ({len(text) - limit} more characters)"


def _as_json_escape(match: re.Match[str]) -> str:
    units = match.group().encode("utf-16-be", "surrogatepass").hex()
    return "".join(f"\\u{units[start : start + 4]}" for start in range(0, len(units), 4))


def _visible(match: re.Match[str]) -> str:
    code = ord(match.group())
    if code < 0x20:
        return chr(0x2400 + code)
    if code == 0x7F:
        return "\u2421"
    return f"<U+{code:04X}>"
