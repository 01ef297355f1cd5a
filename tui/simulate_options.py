"""The options of `simulate`; nothing here is slow to import."""

from __future__ import annotations

import argparse
from collections.abc import Callable
from typing import Final

from tui.parsing import Parser, new_parser

__all__ = ["SAMPLER_NAMES", "SCENARIO_NAMES", "simulate_parser"]

SCENARIO_NAMES: Final = (
    "one-broken",
    "one-broken-no-retries",
    "none-broken",
    "none-broken-no-retries",
    "two-broken",
    "two-broken-no-retries",
    "all-alike",
    "skill-fades",
    "mended-half-way",
)
"""The worlds that samplers can be compared in."""

SAMPLER_NAMES: Final = ("gated", "weakest", "uniform")
"""The samplers that can be compared."""

_DESCRIPTION: Final = """\
Compare samplers, the ways to choose the categories of a round, on students whose skill is known.
No model, no server and no workspace are used. A student answers right with a probability that
grows by what it has practised, by two learning laws: gradient (a success teaches the more, the
rarer it is) and saturating (the n-th teaches less)."""

_EPILOG: Final = f"""\
scenarios:
  {", ".join(SCENARIO_NAMES[:3])},
  {", ".join(SCENARIO_NAMES[3:6])},
  {", ".join(SCENARIO_NAMES[6:])}
  a broken category cannot be won, whatever is answered: WorldEdit is not installed

samplers:
  gated    by failure rate, as far as anything verified comes of a category (the default of a run)
  weakest  the three categories that fail most
  uniform  all alike

A run is 200 rounds of 15 prompts in nine categories unless it is said otherwise. ± is the 95 %
interval over students. The same options give the same bytes.

examples:
  selfplay-tui simulate
  selfplay-tui simulate --scenario two-broken --students 30
  selfplay-tui simulate --scenario one-broken --sampler gated --sampler uniform --rounds 50 --json

exit codes:
  0 done   2 usage   130 interrupted"""


def simulate_parser() -> Parser:
    """Return the parser of `simulate`."""
    parser = new_parser("selfplay-tui simulate", _DESCRIPTION, _EPILOG)
    parser.add_argument(
        "--scenario",
        dest="scenarios",
        action="append",
        metavar="NAME",
        choices=SCENARIO_NAMES,
        help="a world to compare in; may be given several times; default: all",
    )
    parser.add_argument(
        "--sampler",
        dest="samplers",
        action="append",
        metavar="NAME",
        choices=SAMPLER_NAMES,
        help="a sampler to compare; may be given several times; default: all",
    )
    parser.add_argument("--rounds", metavar="N", type=_from(1), default=200, help="rounds of a run; default 200")
    parser.add_argument("--students", metavar="N", type=_from(2), default=12, help="runs of each kind; default 12")
    parser.add_argument("--seed", metavar="N", type=_from(0), default=0, help="other students; default 0")
    parser.add_argument("--ascii", action="store_true", help="no signs outside ASCII")
    parser.add_argument("--json", action="store_true", help="one JSON object on stdout")
    return parser


def _from(least: int) -> Callable[[str], int]:
    def number(text: str) -> int:
        if not (text.isascii() and text.isdecimal() and len(text) < 10) or int(text) < least:
            raise argparse.ArgumentTypeError(f"{text!r} is no number from {least} on")
        return int(text)

    return number
