"""Standard output and standard error, whatever the shell made of them."""

from __future__ import annotations

import io
import os
import sys

__all__ = ["give_up_stdout", "make_streams_sure"]


def make_streams_sure() -> None:
    """Give what is printed a stream to go to, whatever the shell closed, and whatever its encoding cannot say."""
    if sys.stdout is None:
        sys.stdout = open(os.devnull, "w", encoding="utf-8")  # noqa: SIM115  # stays open as long as the process
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="backslashreplace")


def give_up_stdout(error: OSError, advice: str = "Give it another place.") -> None:
    """Print no more where nobody reads any more, or the disk behind stdout is full; only the latter is told."""
    if not isinstance(error, BrokenPipeError):
        print(f"selfplay-tui: cannot write to stdout: {error.strerror}. {advice}", file=sys.stderr)
    # Python would complain once more when it flushes at exit.
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
