"""What a person types to search, as SQLite's full text index understands it."""

from __future__ import annotations

from selfplay_core.store.codec import storable

__all__ = ["match_expression"]


def match_expression(text: str) -> str:
    """Return an FTS5 expression in which nothing of `text` is syntax; blank if it holds no word.

    Every word must be found, the last as a beginning.
    """
    words = [word for word in text.replace("\0", " ").split() if any(map(str.isalnum, word))]
    quoted = ['"' + storable(word).replace('"', '""') + '"' for word in words]
    return " ".join(quoted) + "*" if quoted else ""
