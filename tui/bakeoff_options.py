"""The options of `bakeoff`; nothing here is slow to import."""

from __future__ import annotations

from typing import Final

from tui.parsing import Parser, add_workspace, new_parser, positive
from tui.setting_options import add_settings

__all__ = ["bakeoff_parser"]

# What only a run that writes its own prompts, and rows, has a use for.
_NOT_HERE: Final = ("llm.model", "run.rounds", "run.accept", "run.sampler")

_DESCRIPTION: Final = """\
Let several models answer the same cases on the same server, and tell which is better, how much,
and whether that is decided. A folder keeps every answer: the same command again goes on where it
stopped, `review` opens it, and another model can be added to it later."""

_EPILOG: Final = """\
cases:
  a JSONL file, an object a line: prompt, and perhaps category, expect, refuse. `expect` is a
  command, a list of them, or an object: commands, refuse, and regular expressions: patterns (in
  commands or replies), command_patterns, reply_patterns.
  Lines of plain text and rows of the original script are prompts, too. `--cases workspace` takes
  what is accepted in the workspace. Cases of a file never become rows of that workspace from then
  on, and nothing nearly like them.

marks:
  OK        right at the first attempt, or `fixed`: after a retry
  MISS      rejected, failed, refused, blank, no valid answer, denied (by the policy), expectation
            unmet. OK + MISS are all decided cases
  open      nobody matched, no clear reply, only speaks or asks, a person must allow it: nothing
            was shown. Not counted
  errored   a fault of a server. Not counted, and asked again by the same command

examples:
  selfplay-tui bakeoff --model qwen3:8b --model llama3.1:8b --cases cases.jsonl --sample 150
  selfplay-tui bakeoff --model qwen3:8b --model llama3.1:8b --cases cases.jsonl --until-decided
  selfplay-tui bakeoff --cases workspace
      with nothing configured: the sandbox's two scripted models, on what ./selfplay-sandbox has
      accepted
  selfplay-tui bakeoff --compare monday/bakeoff friday/bakeoff
  selfplay-tui review --workspace FOLDER
      look at the answers; the filter is:differs shows those of cases where the models differ

exit codes:
  0 done   1 gave up later   2 usage or settings   3 model or server not usable at the start
  130 and 143 interrupted"""


def bakeoff_parser() -> Parser:
    """Return the parser of `bakeoff`."""
    parser = new_parser("selfplay-tui bakeoff", _DESCRIPTION, _EPILOG)
    parser.set_defaults(headless=True, dry_run=False, prompts=None)
    parser.add_argument(
        "--model", dest="models", metavar="NAME", action="append", default=[], help="once for each model"
    )
    parser.add_argument("--cases", metavar="FILE", help="what is asked, or `workspace`")
    parser.add_argument("--sample", metavar="N", type=positive, help="ask N of the cases, drawn by the seed")
    parser.add_argument(
        "--until-decided", action="store_true", help="stop as soon as one model is known to be the best"
    )
    parser.add_argument(
        "--compare", metavar="FOLDER", nargs="+", help="ask nothing: compare bake-offs of the same cases"
    )
    parser.add_argument(
        "--output",
        metavar="DIR",
        help="the bake-off's folder; default <workspace>/bakeoffs/<cases>-<hash>. With --compare: where reports go",
    )
    parser.add_argument(
        "--lift-ban",
        action="store_true",
        help="ask nothing: let the cases of --cases become rows of the workspace again",
    )
    parser.add_argument("--new", action="store_true", help="begin another one, even if one of these cases is there")
    parser.add_argument("--json", action="store_true", help="JSON lines on stdout, also on a terminal")
    add_workspace(parser, "./selfplay, on the sandbox ./selfplay-sandbox")
    parser.add_argument("--config", metavar="FILE", help="settings; default <workspace>/selfplay.toml if it is there")
    add_settings(parser, without=_NOT_HERE)
    return parser
