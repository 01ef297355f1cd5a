"""Copying: through the terminal, which also works over SSH, and by a program of this machine where there is one."""

from __future__ import annotations

import asyncio
import os
import shutil
import sys
from collections.abc import Mapping
from typing import Any, Final

from textual.app import App

__all__ = ["LIMIT_BYTES", "copy", "local_command"]

LIMIT_BYTES: Final = 100_000
"""More than this many terminals drop; what is larger goes to a local program alone."""

_PATIENCE: Final = 2.0


async def copy(app: App[Any], text: str, environment: Mapping[str, str] = os.environ) -> str:
    """Copy a text and return in words what was done; no terminal tells whether it took it."""
    # A lone surrogate has no bytes: the terminal's sequence and the program's input are both UTF-8.
    data = text.encode("utf-8", "replace")
    done = []
    if len(data) <= LIMIT_BYTES:
        app.copy_to_clipboard(data.decode())
        done.append("sent to the terminal's clipboard")
    else:
        done.append(
            f"too long for the terminal's clipboard ({len(data) // 1000:,} KB, the limit is {LIMIT_BYTES // 1000} KB)"
        )
    command = local_command(environment)
    if command:
        done.append(await _by_program(command, data))
    return "; ".join(done)


def local_command(environment: Mapping[str, str], platform: str = sys.platform) -> tuple[str, ...]:
    """Return the program that takes a text on its input and can reach a display, empty if there is none."""
    candidates: list[tuple[str, ...]] = []
    if platform == "darwin":
        candidates.append(("pbcopy",))
    if environment.get("WAYLAND_DISPLAY"):
        candidates.append(("wl-copy",))
    if environment.get("DISPLAY"):
        candidates += [("xclip", "-selection", "clipboard"), ("xsel", "--clipboard", "--input")]
    path = environment.get("PATH")
    return next((command for command in candidates if shutil.which(command[0], path=path)), ())


async def _by_program(command: tuple[str, ...], data: bytes) -> str:
    name = command[0]
    try:
        process = await asyncio.create_subprocess_exec(
            *command,
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.DEVNULL,
            stderr=asyncio.subprocess.DEVNULL,
        )
    except OSError as error:
        return f"{name} could not be started ({error.strerror})"
    try:
        async with asyncio.timeout(_PATIENCE):
            await process.communicate(data)
    except TimeoutError:
        process.kill()
        await process.wait()
        return f"{name} took longer than {_PATIENCE:.0f} s"
    return f"copied by {name}" if process.returncode == 0 else f"{name} failed (exit {process.returncode})"
