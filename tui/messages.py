"""What one screen asks of the app."""

from __future__ import annotations

from textual.message import Message

__all__ = ["CopyWanted"]


class CopyWanted(Message):
    """The operator wants to copy something of an example."""

    def __init__(self, number: int) -> None:
        super().__init__()
        self.number = number
