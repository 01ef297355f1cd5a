"""How a command ends: its exit codes, and what a person is told of an error."""

from __future__ import annotations

import sys
from collections.abc import Callable
from typing import Final

from selfplay_core.errors import Fault, SelfplayError, UntrustedServer, UsageError
from selfplay_core.text import clean
from tui.streams import give_up_stdout, make_streams_sure

__all__ = ["DONE", "GAVE_UP", "UNUSABLE", "USAGE", "complain", "failed", "guarded"]

DONE: Final = 0
GAVE_UP: Final = 1
"""Not done, or only in part."""
USAGE: Final = 2
UNUSABLE: Final = 3
"""A model or server that cannot be used, found out before anything was done."""


def complain(message: str) -> None:
    """Tell a person what went wrong, on stderr."""
    print(f"selfplay-tui: {clean(message)}", file=sys.stderr)


def failed(error: SelfplayError, *, has_begun: bool = True) -> int:
    """Tell a person of the error that ended a command, and return the exit code."""
    complain(str(error))
    if isinstance(error, UsageError):
        return USAGE
    return UNUSABLE if isinstance(error, Fault | UntrustedServer) and not has_begun else GAVE_UP


def guarded(work: Callable[[], int]) -> int:
    """Return the exit code of the work; a reader of stdout that has gone away ends it quietly."""
    make_streams_sure()
    try:
        code = work()
        sys.stdout.flush()
    except OSError as error:
        give_up_stdout(error)
        return GAVE_UP
    except SelfplayError as error:
        return failed(error)
    return code
