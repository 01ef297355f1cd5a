"""What a benchmark ran on: enough to compare figures by, and nothing that names a machine."""

from __future__ import annotations

import os
import platform
import re
import sqlite3
from importlib.metadata import version
from pathlib import Path
from typing import Final

__all__ = ["load_average", "machine"]

_PACKAGES: Final = ("httpx", "mcrcon", "mecha", "msgspec", "orjson", "rapidfuzz", "textual", "uvicorn")


def machine() -> dict[str, str]:
    """Return processor, memory, system and versions, each under its name."""
    return {
        "processor": f"{_processor()}, {os.cpu_count()} cores",
        "memory": f"{os.sysconf('SC_PAGE_SIZE') * os.sysconf('SC_PHYS_PAGES') / (1 << 30):.0f} GiB",
        "system": f"{platform.system()} {platform.release()}",
        "Python": platform.python_version(),
        "SQLite": sqlite3.sqlite_version,
        "packages": ", ".join(f"{name} {version(name)}" for name in _PACKAGES),
    }


def load_average() -> float:
    """Return how many processes wanted a core, on the average of the last minute."""
    return os.getloadavg()[0]


def _processor() -> str:
    told = Path("/proc/cpuinfo")
    found = re.search(r"^model name\s*:\s*(.+)$", told.read_text(encoding="utf-8"), re.M) if told.exists() else None
    return found[1].strip() if found else platform.machine()
