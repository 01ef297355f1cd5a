"""How long the command takes to say something: `python -m benchmarks.starting`.

Each is the median of several starts, beside what `python -c pass` takes on this machine at the same time. Modules are
compiled once before, as they are where the command is installed.
"""

from __future__ import annotations

import argparse
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Final

from benchmarks.figures import Figure, at_most, tell
from benchmarks.listing import build_workspace
from benchmarks.screen import STAGES, start_in_terminal, terminal_environment
from tests.commands import COMMAND

__all__ = ["main"]

_HEADLESS: Final = (COMMAND, "--headless", "--json", "--rounds", "1", "--seed", "1")
_TRACES: Final = 1_000


def main() -> None:
    """Tell milliseconds, and how many bare starts of Python that is."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--starts", type=int, default=9)
    starts = parser.parse_args().starts
    with tempfile.TemporaryDirectory() as folder:
        environment = terminal_environment(folder)
        workspace = Path(folder) / "workspace"
        build_workspace(workspace, _TRACES)
        fresh = (Path(folder) / f"run-{number}" for number in range(starts + 1))

        def bare() -> float:
            return _run((sys.executable, "-c", "pass"), environment)

        measures: dict[str, Callable[[], list[float]]] = {
            "--help": lambda: [_run((COMMAND, "--help"), environment)],
            "--version": lambda: [_run((COMMAND, "--version"), environment)],
            "a batch run on the sandbox until its first event": lambda: [
                _first_line((*_HEADLESS, "--workspace", str(next(fresh))), environment)
            ],
            "review until": lambda: start_in_terminal(workspace, environment),
        }
        for what, measure in measures.items():
            # By turns, so that other work on the machine weighs on both alike; the first start compiles.
            pairs = [(bare(), measure()) for _ in range(1 + starts)][1:]
            alone = statistics.median(pair[0] for pair in pairs)
            for place, stage in enumerate(_stages(what)):
                _tell(stage, statistics.median(pair[1][place] for pair in pairs), alone)


def _stages(what: str) -> list[str]:
    return [f"{what} {stage}" for stage, _ in STAGES] if what == "review until" else [what]


def _tell(what: str, seconds: float, bare: float) -> None:
    target = at_most(500) if what.endswith("the panes") else None
    note = f"{seconds / bare:.1f} times python -c pass, then {1000 * bare:.0f} ms"
    tell(Figure(what, 1000 * seconds, "ms", target, note))


def _run(words: Sequence[str], environment: Mapping[str, str]) -> float:
    began = time.perf_counter()
    subprocess.run(words, check=True, env=environment, stdout=subprocess.DEVNULL)
    return time.perf_counter() - began


def _first_line(words: Sequence[str], environment: Mapping[str, str]) -> float:
    began = time.perf_counter()
    with subprocess.Popen(words, env=environment, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL) as command:
        assert command.stdout is not None
        command.stdout.readline()
        seconds = time.perf_counter() - began
        command.kill()
    return seconds


if __name__ == "__main__":
    main()
