"""The one command: reads the line, then loads only what the chosen branch needs."""

from __future__ import annotations

import sys
from collections.abc import Sequence

from tui.options import Unusable, parse

__all__ = ["main"]


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command and return its exit code; --help and --version exit by themselves."""
    if sys.platform == "win32":
        return _refuse("native Windows is not supported; run selfplay-tui within WSL")
    try:
        options = parse(sys.argv[1:] if arguments is None else arguments)
    except Unusable as error:
        return _refuse(str(error))
    try:
        if options.command == "sandbox":
            from tui.sandbox_command import serve

            return serve(options)
        from tui.headless import run

        return run(options)
    except KeyboardInterrupt:
        return 130


def _refuse(message: str) -> int:
    print(f"selfplay-tui: {message}.", file=sys.stderr)
    return 2
