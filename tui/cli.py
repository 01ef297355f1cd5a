"""The one command: reads the line, then loads only what the chosen branch needs."""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Sequence

from selfplay_core.text import clean
from tui.early import hold_signals
from tui.options import Unusable, parse

__all__ = ["FRAMES_PER_SECOND", "main"]

FRAMES_PER_SECOND = "120"


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command and return its exit code; --help and --version exit by themselves."""
    if sys.platform == "win32":
        return _refuse("native Windows is not supported; run selfplay-tui within WSL")
    words = sys.argv[1:] if arguments is None else arguments
    if any("\ud800" <= character <= "\udfff" for word in words for character in word):
        return _refuse("a word of the command line is not UTF-8; write names in UTF-8")
    try:
        options = parse(words)
    except Unusable as error:
        return _refuse(str(error))
    try:
        return _run(options)
    except KeyboardInterrupt:
        return 130


def _run(options: argparse.Namespace) -> int:
    if options.command == "sandbox":
        from tui.commands.sandbox import run as sandbox

        return sandbox(options)
    if options.command == "doctor":
        from tui.commands.doctor import run as examine

        return examine(options)
    if options.command == "check":
        from tui.commands.check import run as check

        return check(options)
    if options.command in ("export", "import", "stats"):
        from tui.commands.data import WORK

        return WORK[options.command](options)
    if options.command == "bakeoff":
        hold_signals()
        from tui.commands.bakeoff import run as bake_off

        return bake_off(options)
    if options.command == "simulate":
        from tui.commands.simulate import run as simulate

        return simulate(options)
    if options.command == "" and (options.headless or options.dry_run or options.json):
        # Loading takes a few tenths of a second, and a run that is stopped then has a summary, too.
        hold_signals()
        from tui.commands.headless import run

        return run(options)
    if not (sys.stdin.isatty() and sys.stdout.isatty()):
        return _refuse("the review screen needs a terminal, and there is none here; --headless makes a batch run")
    # Textual waits for its next frame before it paints; twice as many make keys feel twice as quick.
    os.environ.setdefault("TEXTUAL_FPS", FRAMES_PER_SECOND)
    from tui.commands.review import run as review

    return review(options)


def _refuse(message: str) -> int:
    print(f"selfplay-tui: {clean(message)}.", file=sys.stderr)
    return 2
