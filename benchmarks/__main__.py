"""All benchmarks, and RESULTS.md made of what they tell: `python -m benchmarks [--only NAME]`.

Each runs in a process of its own. What it told is kept in results.json, so that one can be repeated by itself.
"""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

import msgspec

from benchmarks.figures import COLLECTED_IN, Figure
from benchmarks.machine import load_average, machine

__all__ = ["main"]

_FOLDER: Final = Path(__file__).parent
_RESULTS: Final = _FOLDER / "results.json"
_KEEP: Final = "{keep}"
"""Stands in a command for a folder in which workspaces are left for the next benchmark."""


@dataclass(frozen=True, slots=True)
class Benchmark:
    """One of them: its title, what stands behind `python -m benchmarks.`, and what a reader should know."""

    title: str
    command: str
    about: str = ""

    @property
    def shown(self) -> str:
        """The command as a person types it."""
        return f"python -m benchmarks.{self.command.replace(f' --keep {_KEEP}', '')}"


_BENCHMARKS: Final[Mapping[str, Benchmark]] = {
    "pipeline": Benchmark(
        "The pipeline",
        "pipeline",
        "The bound is slots / (calls per prompt × latency). Round n is chosen from the complete rounds up to n − 2, so "
        "that no more than two can be under way: a round must hold twice as many prompts as there are slots "
        "(`run.categories_per_round`, `run.prompts_per_category`). The default of 15 prompts does for eight slots.",
    ),
    "original": Benchmark("Beside the original's loop", "original_loop"),
    "judging": Benchmark("Verdicts and rulings", "judging"),
    "likeness": Benchmark("Near-copies", "likeness"),
    "listing": Benchmark("The store at a million traces", f"listing --traces 1000000 --keep {_KEEP}"),
    "exporting": Benchmark("Exports of 100,000 traces", f"exporting --keep {_KEEP}"),
    "screen": Benchmark("The review screen", f"screen --keep {_KEEP} --only keys --only events --only open"),
    "starting": Benchmark("Starting", "starting"),
    "memory": Benchmark(
        "Memory over a long run",
        "memory",
        "Not flat: what is known of prompts stays in memory, up to the newest 100,000 to 200,000 of each category, "
        "twice: for what is asked next, and for near-copies. All nine categories are full only after a million traces.",
    ),
}


@dataclass(frozen=True, slots=True)
class Result:
    """What one benchmark told, and when. `load` is how many processes wanted a core before it and after it."""

    at: str
    seconds: float
    load: tuple[float, float]
    figures: list[Figure]


@dataclass(slots=True)
class Results:
    """What is known of all of them, on one machine."""

    machine: dict[str, str]
    results: dict[str, Result] = field(default_factory=dict)


def main() -> int:
    """Run all of them, or those that are named, and write what is known; returns 1 if one of them failed."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--only", choices=_BENCHMARKS, action="append", help="this one alone; may be repeated")
    wanted = parser.parse_args().only or list(_BENCHMARKS)
    known = _known()
    failed = []
    with tempfile.TemporaryDirectory() as keep:
        for name in wanted:
            print(f"{_BENCHMARKS[name].title}: {_BENCHMARKS[name].shown}", flush=True)
            result = _run(_BENCHMARKS[name], Path(keep))
            if result is None:
                failed.append(name)
                continue
            known.results[name] = result
            _RESULTS.write_bytes(msgspec.json.format(msgspec.json.encode(known), indent=1) + b"\n")
            (_FOLDER / "RESULTS.md").write_text("\n".join(_page(known)) + "\n", encoding="utf-8")
    for name in failed:
        print(f"The benchmark {name} failed; what it said stands above. Repeat it with --only {name}.", file=sys.stderr)
    return 1 if failed else 0


def _known() -> Results:
    """Return earlier results of this very machine and these versions; of others nothing is kept."""
    here = machine()
    if not _RESULTS.exists():
        return Results(here)
    known = msgspec.json.decode(_RESULTS.read_bytes(), type=Results)
    return known if known.machine == here else Results(here)


def _run(benchmark: Benchmark, keep: Path) -> Result | None:
    collected = keep / "figures.jsonl"
    collected.unlink(missing_ok=True)
    name, *words = benchmark.command.replace(_KEEP, str(keep)).split()
    began, before = time.monotonic(), load_average()
    command = [sys.executable, "-m", f"benchmarks.{name}", *words]
    done = subprocess.run(command, check=False, env={**os.environ, COLLECTED_IN: str(collected)})
    if done.returncode or not collected.exists():
        return None
    figures = [msgspec.json.decode(line, type=Figure) for line in collected.read_bytes().splitlines()]
    at = datetime.now(UTC).strftime("%Y-%m-%d %H:%M UTC")
    return Result(at, time.monotonic() - began, (before, load_average()), figures)


def _page(known: Results) -> Iterator[str]:
    yield "# Benchmarks"
    yield ""
    yield "`make bench` measures all of this and writes this page; `python -m benchmarks --only NAME` one part of it."
    yield "Nothing is asserted. Other work on the machine makes every figure worse: the load tells how many processes"
    yield "wanted a core."
    yield ""
    for name, what in known.machine.items():
        yield f"- {name}: {what}"
    missed = [figure for result in known.results.values() for figure in result.figures if figure.met is False]
    targets = sum(figure.met is not None for result in known.results.values() for figure in result.figures)
    yield ""
    yield f"{targets - len(missed)} of {targets} targets are met." + (" Missed:" if missed else "")
    for figure in missed:
        yield f"- {figure.name}: {figure.shown}, wanted {figure.wanted}"
    for name, benchmark in _BENCHMARKS.items():
        if (result := known.results.get(name)) is not None:
            yield from _section(benchmark, result)


def _section(benchmark: Benchmark, result: Result) -> Iterator[str]:
    before, after = result.load
    yield ""
    yield f"## {benchmark.title}"
    yield ""
    yield f"`{benchmark.shown}`, {result.at}, {result.seconds:.0f} s, load {before:.1f} before and {after:.1f} after."
    if benchmark.about:
        yield ""
        yield benchmark.about
    yield ""
    yield "| figure | measured | target | | beside it |"
    yield "|---|---:|---:|---|---|"
    for figure in result.figures:
        yield f"| {figure.name} | {figure.shown} | {figure.wanted} | {figure.verdict} | {figure.note} |"


if __name__ == "__main__":
    raise SystemExit(main())
