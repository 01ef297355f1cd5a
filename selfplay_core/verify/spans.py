"""Which stretches of a text are data: brackets and quoted strings."""

from __future__ import annotations

import re
from typing import Final

__all__ = ["data_spans"]

_TOKEN: Final = re.compile(r"""\\.|["'\[\]{}]""", re.DOTALL)

# A quote inside a word is an apostrophe ("Dee's sword"); a string begins after one of these.
_BEFORE_A_STRING: Final = frozenset(" \t\n[{(:,=")


def data_spans(text: str) -> list[tuple[int, int]] | None:
    """Return the outermost bracketed and quoted stretches, ascending, or None if they do not close.

    Quotes that never close are taken for plain characters and only brackets count.
    """
    spans = _scan(text, quotes=True)
    return spans if spans is not None else _scan(text, quotes=False)


def _scan(text: str, *, quotes: bool) -> list[tuple[int, int]] | None:
    spans: list[tuple[int, int]] = []
    depth = 0
    opened_at = 0
    quote = ""
    for match in _TOKEN.finditer(text):
        token, at = match.group(), match.start()
        if quote:
            if token != quote:
                continue
            quote = ""
        elif token in "\"'":
            if not quotes or not _begins_string(text, at):
                continue
            quote = token
            opened_at = opened_at if depth else at
            continue
        elif token in "[{":
            opened_at = opened_at if depth else at
            depth += 1
        elif token in "]}" and depth:
            depth -= 1
        else:
            continue
        if not depth:
            spans.append((opened_at, match.end()))
    return None if depth or quote else spans


def _begins_string(text: str, at: int) -> bool:
    return at == 0 or text[at - 1] in _BEFORE_A_STRING
