"""Whether a long run stays small: `python -m benchmarks.memory`.

A batch run on scripted servers at full speed, with the memory of its process sampled as traces end. Prompts and traces
are compared with the newest 100,000 before them, so what is known of these grows until there are as many.
"""

from __future__ import annotations

import argparse
import asyncio
import os
import tempfile
import time
from pathlib import Path
from typing import Final

from benchmarks.figures import Figure, at_most, megabytes, tell
from benchmarks.pipeline import RoundSize, run
from benchmarks.simulated import served
from selfplay_core.events import Event, TraceEnded

__all__ = ["main"]

_SLOTS: Final = 16
_ROUND: Final = RoundSize(9, 50)


class _Sampler:
    """Hears a run's events, and samples the memory after every so many traces."""

    def __init__(self, every: int) -> None:
        self.samples: dict[int, float] = {}
        self.traces = 0
        self._every = every

    def hear(self, event: Event) -> None:
        self.traces += isinstance(event, TraceEnded)
        if isinstance(event, TraceEnded) and self.traces % self._every == 0:
            self.samples[self.traces] = megabytes()


def main() -> None:
    """Tell the memory at a tenth of the traces and at the end, and what lies between."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--traces", type=int, default=100_000)
    traces = parser.parse_args().traces
    sampler = _Sampler(traces // 10)
    with served(0.0) as servers, tempfile.TemporaryDirectory() as folder:
        os.environ["XDG_STATE_HOME"] = folder
        began, cpu = time.monotonic(), time.process_time()
        rounds = -(-traces // _ROUND.total)
        asyncio.run(run(Path(folder), servers, _SLOTS, _ROUND, rounds, sampler.hear))
        seconds, used = time.monotonic() - began, time.process_time() - cpu
    _tell_samples(sampler)
    tell(Figure("traces a second at full speed", sampler.traces / seconds, "", note=f"{sampler.traces:,} traces"))
    tell(Figure("CPU a trace", 1000 * used / sampler.traces, "ms"))


def _tell_samples(sampler: _Sampler) -> None:
    (first, at_first), *between, (last, at_last) = sampler.samples.items()
    tell(Figure(f"memory after {first:,} traces", at_first, "MB"))
    note = ", ".join(f"{memory:.0f}" for _, memory in between)
    tell(Figure(f"memory after {last:,} traces", at_last, "MB", note=f"between: {note}"))
    tell(Figure("times as much at the end", at_last / at_first, "x", at_most(1.1), "flat within a tenth"))
    tell(Figure("growth a trace", 1024 * (at_last - at_first) / (last - first), "KB"))


if __name__ == "__main__":
    main()
