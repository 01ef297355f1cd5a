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

from benchmarks.figures import Bound, Figure, at_most, tell
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
        bare = _median(starts, lambda: _run((sys.executable, "-c", "pass"), environment))
        tell(Figure("python -c pass", 1000 * bare, "ms"))
        for option in ("--help", "--version"):
            _tell(option, _median(starts, lambda option=option: _run((COMMAND, option), environment)), bare)  # type: ignore[misc]  # mypy infers no default of a lambda
        fresh = (Path(folder) / f"run-{number}" for number in range(starts + 1))
        first = _median(starts, lambda: _first_line((*_HEADLESS, "--workspace", str(next(fresh))), environment))
        _tell("a batch run on the sandbox until its first event", first, bare)
        seen = [start_in_terminal(workspace, environment) for _ in range(1 + starts)][1:]
        for stage, (name, _) in enumerate(STAGES):
            wanted = at_most(500) if name == "the panes" else None
            _tell(f"review until {name}", statistics.median(start[stage] for start in seen), bare, wanted)


def _tell(what: str, seconds: float, bare: float, target: Bound | None = None) -> None:
    tell(Figure(what, 1000 * seconds, "ms", target, f"{seconds / bare:.1f} times python -c pass"))


def _median(times: int, measure: Callable[[], float]) -> float:
    return statistics.median([measure() for _ in range(1 + times)][1:])


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
