"""The options of `export`, `import` and `stats`; nothing here is slow to import."""

from __future__ import annotations

from typing import Final

from tui.parsing import Parser, add_workspace, new_parser, positive

__all__ = ["FORMAT_NAMES", "export_parser", "import_parser", "stats_parser"]

FORMAT_NAMES: Final = (
    "seed",
    "native",
    "trl-sft",
    "trl-dpo",
    "trl-kto",
    "axolotl",
    "axolotl-dpo",
    "llamafactory",
    "llamafactory-dpo",
    "llamafactory-kto",
    "openai",
    "openai-dpo",
)
"""The formats of `export`."""

_THERE: Final = "the one that is here, ./selfplay before ./selfplay-sandbox"

_EXPORT_DESCRIPTION: Final = """\
Make a file for a trainer, or a backup, of what a workspace holds. Nothing of the workspace is
changed. Files appear whole or not at all; beside them stands a manifest of what is in them and
what was left out, and why."""

_EXPORT_EPILOG: Final = """\
formats:
  seed               the original script's two row types, as in the output file
  native             selfplay/1: every trace without loss, decided or not; the backup, and what
                     `import` merges
  trl-sft  trl-dpo  trl-kto
  axolotl  axolotl-dpo
                     SFT: type chat_template, message_field_training: train
  llamafactory  llamafactory-dpo  llamafactory-kto
                     with an entry in dataset_info.json; SFT: mask_history: true
  openai  openai-dpo
                     also for Together and Fireworks

  All but native and the kto formats hold what was accepted. Of a correction no failing attempt is
  trained.

examples:
  selfplay-tui export --format trl-sft --output sft.jsonl --split train=0.9,eval=0.1
  selfplay-tui export --format trl-dpo --output pairs.jsonl --filter "retries>0"
  selfplay-tui export --format native --output - | gzip > backup.jsonl.gz

exit codes:
  0 done   1 the disk refused   2 usage, or nothing to export: then nothing is written"""

_IMPORT_DESCRIPTION: Final = """\
Take in JSONL files, line by line: rows of the original script and of output files, whose prompts
wait for a decision then, and selfplay/1 (export --format native) with the decisions that stand.
What is known already is passed over, so the same file may be imported again, and two people's
workspaces can be merged. No other format can be read back."""

_IMPORT_EPILOG: Final = """\
Broken tool calls of the original's corrections are recovered exactly; its replies are judged anew.
A known trace that nobody has decided on here gets the decisions that come with it; where both
sides decided, what stands here stays, and it is told how many differ. What was undone, and the
log of undo and redo, stay behind.

examples:
  selfplay-tui import data/processed/self_play.jsonl --workspace ./old
  selfplay-tui import anna.jsonl ben.jsonl --workspace ./ours
  gzip -dc backup.jsonl.gz | selfplay-tui import - --workspace ./again

exit codes:
  0 every line was taken in or known   1 some were not, and it is told which
  2 usage, or no line could be read"""

_STATS_DESCRIPTION: Final = """\
The figures of a workspace: outcomes, levels, decisions, reasons, who judged, lengths, duplicates,
what the server said most often, and what can be exported."""

_STATS_EPILOG: Final = """\
examples:
  selfplay-tui stats
  selfplay-tui stats --coverage
  selfplay-tui stats --filter status:accepted --json"""


def export_parser() -> Parser:
    """Return the parser of `export`."""
    parser = new_parser("selfplay-tui export", _EXPORT_DESCRIPTION, _EXPORT_EPILOG)
    # Both are asked for once all is read: what is misspelt is the better news.
    parser.add_argument("--format", metavar="NAME", choices=FORMAT_NAMES, help="one of those below")
    parser.add_argument("--output", metavar="FILE", help="the file to make; - for stdout")
    add_workspace(parser, _THERE)
    _add_filter(parser)
    parser.add_argument(
        "--split", metavar="PARTS", help="several files, as in train=0.9,eval=0.1; near-copies together"
    )
    parser.add_argument(
        "--duplicates",
        metavar="HOW",
        choices=("keep", "exact", "near"),
        help="what is left out: nothing (keep), what says the same again (exact, default), or nearly the same (near)",
    )
    parser.add_argument(
        "--per-skeleton",
        metavar="N",
        type=positive,
        help="at most N lines whose commands differ in nothing but their arguments; 10 is a good measure",
    )
    parser.add_argument(
        "--proven", action="store_true", help="leave out accepted answers that no server was shown to carry out"
    )
    parser.add_argument("--force", action="store_true", help="replace files that are there already")
    parser.add_argument("--json", action="store_true", help="the manifest as one JSON line on stdout")
    return parser


def import_parser() -> Parser:
    """Return the parser of `import`."""
    parser = new_parser("selfplay-tui import", _IMPORT_DESCRIPTION, _IMPORT_EPILOG)
    parser.add_argument("files", nargs="+", metavar="FILE", help="JSONL files; - for stdin")
    add_workspace(
        parser,
        "the only one that is here; else ./selfplay, or ./selfplay-sandbox if the first line is the sandbox's. It is "
        "made if it is not there",
    )
    parser.add_argument("--json", action="store_true", help="the result as one JSON line on stdout")
    return parser


def stats_parser() -> Parser:
    """Return the parser of `stats`."""
    parser = new_parser("selfplay-tui stats", _STATS_DESCRIPTION, _STATS_EPILOG)
    add_workspace(parser, _THERE)
    _add_filter(parser)
    parser.add_argument("--coverage", action="store_true", help="also what of the commands' grammar was seen")
    parser.add_argument("--json", action="store_true", help="one JSON object on stdout")
    return parser


def _add_filter(parser: Parser) -> None:
    parser.add_argument(
        "--filter",
        metavar="TEXT",
        default="",
        help='as in the review screen: status:accepted category:worldedit retries>0 is:near "gold block"; default: all',
    )
