"""Folders for copies that are looked at once: in memory, where the system has a place for that."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

__all__ = ["scratch"]

_MEMORY: Final = Path("/dev/shm")


@contextmanager
def scratch() -> Iterator[Path]:
    """Give a folder on which a sync costs nothing, and remove it afterwards."""
    with tempfile.TemporaryDirectory(prefix="selfplay-", dir=_MEMORY if _MEMORY.is_dir() else None) as folder:
        yield Path(folder)
