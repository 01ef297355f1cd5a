"""The options of the command line; nothing here is slow to import, for `--help` waits for it."""

from __future__ import annotations

import argparse
from collections.abc import Callable, Sequence
from typing import Final

from selfplay_core.models import CATEGORY_NAMES
from selfplay_core.text import clip
from tui import __version__
from tui.bakeoff_options import bakeoff_parser
from tui.check_options import check_parser
from tui.data_options import export_parser, import_parser, stats_parser
from tui.parsing import Parser, Unusable, add_place, new_parser
from tui.setting_options import FLAG_NAMES, add_settings
from tui.simulate_options import simulate_parser

__all__ = ["Unusable", "parse"]

_DESCRIPTION: Final = """\
A local language model writes edge-case Minecraft prompts, answers them with commands, runs the
commands on a server over RCON and corrects itself. What the server confirms becomes training data.
With nothing configured everything runs on the built-in sandbox, and says so."""

_EPILOG: Final = f"""\
categories:
  {", ".join(CATEGORY_NAMES[:5])},
  {", ".join(CATEGORY_NAMES[5:])}

commands:
  review         the review screen, without generating
  export         make files for trainers, or a backup
  import         take in files of the original script, or of another workspace
  stats          the figures of a workspace
  bakeoff        compare models on the same cases
  simulate       compare the ways to choose categories, on students of known skill
  doctor         look at everything that a run needs
  check          tell which commands of a file a server would refuse, and why
  sandbox        serve the sandbox's model and server to other programs
  Each has its own help: selfplay-tui review --help

examples:
  selfplay-tui
      the review screen on the sandbox, generating as it goes
  selfplay-tui --headless --rounds 2 --output out.jsonl
      two rounds on the sandbox, in batch
  selfplay-tui --headless --model qwen3:8b --rcon-host 127.0.0.1
      a model in Ollama and a server of your own; the password comes from SELFPLAY_RCON__PASSWORD
  selfplay-tui --dry-run --model qwen3:8b --focus worldedit
      only show the prompts that the model writes

exit codes:
  0 done   1 gave up later   2 usage or settings   3 model or server not usable at the start
  130 and 143 interrupted: the first Ctrl-C or SIGTERM finishes what has begun, the second stops

Every option under "settings" is also a key of <workspace>/selfplay.toml and a variable
SELFPLAY_SECTION__KEY."""

_SANDBOX_DESCRIPTION: Final = """\
Serve the sandbox on loopback until interrupted: an Ollama-shaped server with a scripted model,
and an RCON server with a small world. One JSON line on stdout tells the addresses, and by which
rules it judges, once both listen.

The built-in rules are those of Minecraft 1.21.11. --import takes the commands and ids of a server
of your own in their place, for every run, `check` and `sandbox` of yours from then on; --forget
goes back."""

_SANDBOX_EPILOG: Final = """\
examples:
  selfplay-tui sandbox --ollama-port 11500 --rcon-port 25580 --rcon-pass secret
  java -DbundlerMainClass=net.minecraft.data.Main -jar server.jar --reports
  selfplay-tui sandbox --import generated/reports
      commands.json and registries.json are needed, blocks.json is used if it is there;
      of 1.21.5 to 1.21.11
  selfplay-tui sandbox --forget

exit codes:
  0 imported or forgotten   1 the disk refused
  2 usage, or reports that are missing, damaged or of another version
  130 and 143 served until interrupted"""

_REVIEW_DESCRIPTION: Final = """\
The review screen without a run of its own: look at what other runs bring, accept, reject, edit,
undo. Where a run goes on in the same workspace, its traces appear as they end."""

_REVIEW_EPILOG: Final = """\
examples:
  selfplay-tui review
  selfplay-tui review --workspace ./selfplay --theme light

The server's password is only needed to run edited commands while no run goes on:
SELFPLAY_RCON__PASSWORD."""

_DOCTOR_DESCRIPTION: Final = """\
Look at everything that a run needs: policy, language, workspace, output, model, slots, server,
password, canaries, version and players. One line each; nothing of a run is done."""

_DOCTOR_EPILOG: Final = """\
examples:
  selfplay-tui doctor
      of the sandbox
  selfplay-tui doctor --model qwen3:8b --rcon-host 127.0.0.1
      the password comes from SELFPLAY_RCON__PASSWORD
  selfplay-tui doctor --model qwen3:8b --concurrency 4
      also whether the model's server takes four requests at once

exit codes:
  0 all is well   2 usage or settings   3 something is not"""


def parse(arguments: Sequence[str]) -> argparse.Namespace:
    """Return the options with the command's name under `command`; options may stand on either side of it.

    Raises Unusable. Exits after --help and --version.
    """
    command, rest = _split_command(list(arguments))
    parser = _PARSERS[command]()
    found, unknown = parser.parse_known_args(rest)
    if unknown:
        raise Unusable(_unknown(unknown[0].partition("=")[0], command, parser.prog))
    found.command = command
    return found


def _split_command(arguments: list[str]) -> tuple[str, list[str]]:
    """Take the command's name out; a word that is the value of an option is none."""
    takes_value = {flag for action in _run_parser()._actions if action.nargs is None for flag in action.option_strings}
    previous = ""
    for position, word in enumerate(arguments):
        if previous not in takes_value and word in _PARSERS and word:
            return word, arguments[:position] + arguments[position + 1 :]
        previous = word
    return "", arguments


def _unknown(word: str, command: str, prog: str) -> str:
    word = clip(word, 80)
    if word.startswith("-"):
        return f"the option {word} is unknown{f' to {command}' if command else ''}. See {prog} --help"
    known = ", ".join(name for name in _PARSERS if name)
    return f"the command {word!r} is unknown; the commands are: {known}. See {prog} --help"


def _run_parser() -> Parser:
    parser = new_parser("selfplay-tui", _DESCRIPTION, _EPILOG)
    parser.add_argument("--version", action="version", version=f"selfplay-tui {__version__}")
    mode = parser.add_argument_group("what to do")
    mode.add_argument("--headless", action="store_true", help="batch run without a screen")
    mode.add_argument("--dry-run", action="store_true", help="only let the model write prompts, and print them")
    mode.add_argument("--new", action="store_true", help="start another run, even if the last one was interrupted")
    mode.add_argument("--json", action="store_true", help="JSON lines on stdout, also on a terminal")
    add_place(parser)
    _add_screen(parser)
    add_settings(parser)
    return parser


def _add_screen(parser: Parser) -> None:
    screen = parser.add_argument_group("review screen")
    screen.add_argument(
        FLAG_NAMES["review.theme"],
        dest="review.theme",
        metavar="NAME",
        default=argparse.SUPPRESS,
        help="dark (default), light or ansi; NO_COLOR is heeded",
    )
    for path, value, text in (
        ("review.ascii", "true", "no signs outside ASCII"),
        ("review.mouse", "false", "leave the mouse to the terminal"),
    ):
        screen.add_argument(
            FLAG_NAMES[path], dest=path, action="store_const", const=value, default=argparse.SUPPRESS, help=text
        )


def _review_parser() -> Parser:
    parser = new_parser("selfplay-tui review", _REVIEW_DESCRIPTION, _REVIEW_EPILOG)
    parser.set_defaults(headless=False, dry_run=False, new=False, json=False, prompts=None)
    add_place(parser)
    _add_screen(parser)
    add_settings(parser)
    return parser


def _doctor_parser() -> Parser:
    parser = new_parser("selfplay-tui doctor", _DOCTOR_DESCRIPTION, _DOCTOR_EPILOG)
    parser.set_defaults(headless=False, dry_run=False, new=False, prompts=None)
    parser.add_argument("--json", action="store_true", help="one JSON object a line")
    add_place(parser)
    add_settings(parser)
    return parser


def _sandbox_parser() -> Parser:
    parser = new_parser("selfplay-tui sandbox", _SANDBOX_DESCRIPTION, _SANDBOX_EPILOG)
    parser.add_argument("--ollama-port", type=_port, default=0, metavar="PORT", help="0 (default) takes a free one")
    parser.add_argument("--rcon-port", type=_port, default=0, metavar="PORT", help="0 (default) takes a free one")
    parser.add_argument("--rcon-pass", default="sandbox", metavar="PASSWORD", help="default: sandbox")
    parser.add_argument("--no-worldedit", action="store_true", help="a server without the WorldEdit plugin")
    rules = parser.add_argument_group("rules").add_mutually_exclusive_group()
    rules.add_argument(
        "--import",
        dest="reports",
        metavar="REPORTS",
        help="judge by these reports from now on; does not serve",
    )
    rules.add_argument("--forget", action="store_true", help="judge by the built-in rules again; does not serve")
    return parser


def _port(text: str) -> int:
    if not text.isdecimal() or int(text) > 65_535:
        raise argparse.ArgumentTypeError(f"{text!r} is no port; allowed are 0 to 65535, 0 takes a free one")
    return int(text)


_PARSERS: Final[dict[str, Callable[[], Parser]]] = {
    "": _run_parser,
    "review": _review_parser,
    "export": export_parser,
    "import": import_parser,
    "stats": stats_parser,
    "bakeoff": bakeoff_parser,
    "simulate": simulate_parser,
    "doctor": _doctor_parser,
    "check": check_parser,
    "sandbox": _sandbox_parser,
}
