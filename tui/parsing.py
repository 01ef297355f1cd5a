"""What the parsers of all commands share; nothing here is slow to import."""

from __future__ import annotations

import argparse
from typing import Final, NoReturn

from selfplay_core.text import clip

__all__ = ["Parser", "Unusable", "add_place", "add_workspace", "new_parser", "positive"]

# Longer than any message but for what was typed.
_LONGEST: Final = 400


class Unusable(Exception):
    """Raised by a command line that makes no sense; its text is one line."""


class Parser(argparse.ArgumentParser):
    """Raises instead of printing and exiting."""

    def error(self, message: str) -> NoReturn:
        raise Unusable(f"{clip(message, _LONGEST)}. See {self.prog} --help")


def new_parser(prog: str, description: str, epilog: str) -> Parser:
    """Return a parser that takes options by their whole names alone."""
    return Parser(
        prog=prog,
        description=description,
        epilog=epilog,
        formatter_class=argparse.RawDescriptionHelpFormatter,
        allow_abbrev=False,
    )


def add_place(parser: Parser) -> None:
    """Add where a run works."""
    place = parser.add_argument_group("where")
    place.add_argument("--workspace", metavar="DIR", help="default ./selfplay, on the sandbox ./selfplay-sandbox")
    place.add_argument("--config", metavar="FILE", help="settings; default <workspace>/selfplay.toml if it is there")
    place.add_argument("--output", metavar="FILE", help="accepted rows; default <workspace>/self_play.jsonl")
    place.add_argument("--prompts", metavar="FILE", help="prompts to use instead of written ones: lines or JSONL")


def add_workspace(parser: Parser, default: str) -> None:
    """Add the workspace alone, for commands that make no run."""
    parser.add_argument("--workspace", metavar="DIR", help=f"default {default}")


def positive(text: str) -> int:
    """Return a number from 1 on; argparse tells what is wrong with any other text."""
    if not (text.isascii() and text.isdecimal()) or int(text) == 0:
        raise argparse.ArgumentTypeError(f"{text!r} is no number from 1 on")
    return int(text)
