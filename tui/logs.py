"""Where the warnings of the libraries and of our own go."""

from __future__ import annotations

import logging

from selfplay_core.text import clean

__all__ = ["log_to"]


def log_to(handler: logging.Handler, form: str) -> None:
    """Send warnings to a handler; what a model or a server said in them is cleaned."""
    handler.setFormatter(_Clean(form))
    logging.basicConfig(handlers=[handler], level=logging.WARNING)
    # It warns of each write to a connection that the other side has closed: how every interrupted run ends.
    logging.getLogger("asyncio").setLevel(logging.ERROR)


class _Clean(logging.Formatter):
    def format(self, record: logging.LogRecord) -> str:
        return clean(super().format(record))
