"""`selfplay-tui simulate`: samplers compared on students whose skill is known. Loads no screen."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Generator
from contextlib import closing
from typing import Final

import orjson

from selfplay_core.curriculum.samplers import SAMPLERS
from selfplay_core.curriculum.simulator import LAWS, SCENARIOS, Comparison, compare
from tui.commands.exits import DONE, guarded
from tui.commands.simulated import as_json, table, verdict

__all__ = ["run"]

_CLEAR_LINE: Final = "\r\x1b[K"


def run(options: argparse.Namespace) -> int:
    """Compare what was asked for, print it, and return the exit code; a reader that has gone away ends it quietly."""
    return guarded(lambda: _simulate(options))


def _simulate(options: argparse.Namespace) -> int:
    with closing(_tables(options)) as tables:
        found: list[Comparison] = []
        for rows in tables:
            found += rows
            if not options.json:
                _print(table(rows, ascii_only=options.ascii))
        if options.json:
            _print([_document(found, options)])
        else:
            _print(verdict(found, ascii_only=options.ascii))
    return DONE


def _tables(options: argparse.Namespace) -> Generator[list[Comparison], None, None]:
    """Yield the comparisons of each scenario and law in turn; on a terminal it is told how far it has come."""
    scenarios = [SCENARIOS[name] for name in dict.fromkeys(options.scenarios or SCENARIOS)]
    samplers = {name: SAMPLERS[name] for name in dict.fromkeys(options.samplers or SAMPLERS)}
    shows = sys.stderr.isatty()
    whole = len(scenarios) * len(LAWS) * len(samplers)
    done = 0
    for scenario in scenarios:
        for law in LAWS:
            rows: list[Comparison] = []
            for name, sampler in samplers.items():
                if shows:
                    print(f"{done} of {whole}: {scenario.name}, {law}, {name}", end="", file=sys.stderr, flush=True)
                try:
                    rows += compare(
                        [scenario],
                        {name: sampler},
                        laws=[law],
                        rounds=options.rounds,
                        students=options.students,
                        seed=options.seed,
                    )
                finally:
                    if shows:
                        print(_CLEAR_LINE, end="", file=sys.stderr, flush=True)
                done += 1
            yield rows


def _document(found: list[Comparison], options: argparse.Namespace) -> str:
    body = as_json(found, rounds=options.rounds, students=options.students, seed=options.seed)
    return orjson.dumps(body).decode()


def _print(lines: list[str]) -> None:
    for line in lines:
        print(line, flush=True)
