"""The options of `check`; nothing here is slow to import."""

from __future__ import annotations

from typing import Final

from tui.parsing import Parser, new_parser

__all__ = ["check_parser"]

_DESCRIPTION: Final = """\
Tell of every command in a file whether a server would take it, and what it would say if not: one
command a line, a verdict a line. No server is needed; what the command does is not looked at.
Blank lines and comments (#) are passed over, one slash before a command is allowed, totals go to
stderr.

Files that end in .mcfunction are read as functions of a data pack (--function does so for any
file): blanks around a command mean nothing, \\ at the end of a line goes on with the next one, a
slash before a command is an error, and macros ($) are not judged, for they are commands only once
their variables are filled in."""

_EPILOG: Final = """\
examples:
  selfplay-tui check commands.txt
  selfplay-tui check --quiet data/*/function/*.mcfunction
  jq -r '.output.commands[]?' self_play.jsonl | selfplay-tui check --json -

  --json gives an object a line: file, line, command, verdict (accepted, rejected or unjudged),
  message, cursor (how many characters of the command stand before the mistake; null where the
  server names no place).

It judges as Minecraft 1.21.11, or as a server of your own: selfplay-tui sandbox --import
(docs/sandbox.md).

exit codes:
  0 nothing was rejected   1 something was   2 usage, or a file that cannot be read"""


def check_parser() -> Parser:
    """Return the parser of `check`."""
    parser = new_parser("selfplay-tui check", _DESCRIPTION, _EPILOG)
    parser.add_argument("files", nargs="+", metavar="FILE", help="files with one command a line; - for stdin")
    parser.add_argument("--json", action="store_true", help="one JSON object a line")
    parser.add_argument("--quiet", action="store_true", help="leave out what is accepted")
    parser.add_argument("--function", action="store_true", help="read every file as a function of a data pack")
    parser.add_argument("--no-worldedit", action="store_true", help="a server without the WorldEdit plugin")
    return parser
