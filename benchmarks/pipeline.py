"""How close the pipeline comes to what the model's slots allow: `python -m benchmarks.pipeline`.

The bound is slots / (calls per prompt × latency) prompts a second. The servers are the tests' own, in a process
of their own, with a latency for the model and none for the console. `while it goes` leaves out the first prompts'
writing and the last answers, in which slots must stand empty: each costs one latency, however long a run is.
"""

from __future__ import annotations

import argparse
import asyncio
import os
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from benchmarks.figures import Figure, at_least, at_most, tell
from benchmarks.simulated import PASSWORD, Call, Served, served
from selfplay_core.categories import load_texts
from selfplay_core.engine.control import Control
from selfplay_core.engine.servers import Credentials
from selfplay_core.engine.session import Job, generate
from selfplay_core.events import Announce, Event, TraceEnded
from selfplay_core.settings import Secret
from selfplay_core.settings_sources import load_settings

__all__ = ["Measured", "RoundSize", "measure", "run"]


@dataclass(frozen=True, slots=True)
class RoundSize:
    """How many prompts a round has."""

    categories: int = 3
    prompts: int = 5

    @property
    def total(self) -> int:
        """The prompts of a whole round."""
        return self.categories * self.prompts

    @classmethod
    def for_slots(cls, slots: int) -> RoundSize:
        """Return one that keeps so many slots busy: a round's prompts are written while the one before is answered."""
        if slots == 1:
            return cls()
        return cls(3, 4 * slots // 3) if slots < 64 else cls(9, 4 * slots // 9)


_DEFAULT: Final = RoundSize()
_SLOTS: Final = 16
_SHORT: Final = 0.2


@dataclass(frozen=True, slots=True)
class Measured:
    """One run on simulated servers."""

    slots: int
    traces: int
    seconds: float
    cpu: float
    calls: tuple[Call, ...]

    @property
    def of_bound(self) -> float:
        """Share of what the slots allow, over the whole run."""
        return sum(call.seconds for call in self.calls) / self.slots / self.seconds

    @property
    def of_bound_while_it_goes(self) -> float:
        """The same from the first answer begun to the last."""
        answers = [call.at for call in self.calls if call.is_answer]
        first, last = answers[0], answers[-1]
        busy = sum(max(min(call.at + call.seconds, last) - max(call.at, first), 0) for call in self.calls)
        return busy / self.slots / (last - first)


def main() -> None:
    """Tell how each number of slots is used, and what a trace costs."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--slots", type=int, nargs="+", default=[1, 8, 16, 64])
    parser.add_argument("--latency", type=float, default=1.0, help="seconds a call")
    parser.add_argument("--seconds", type=float, default=40.0, help="about how long each run is to last")
    parser.add_argument("--traces", type=int, default=1500, help="by which the CPU of one is measured")
    options = parser.parse_args()
    for slots in options.slots:
        size = RoundSize.for_slots(slots)
        _tell_of(_measured(slots, size, options.latency, options.seconds), size)
        if size != _DEFAULT:
            _tell_of(_measured(slots, _DEFAULT, options.latency, options.seconds / 2), _DEFAULT)
    _tell_cost(options.traces)


def _tell_cost(traces: int) -> None:
    """Tell what a trace costs at 16 slots, and from which latency on that is what holds a machine up."""
    size = RoundSize.for_slots(_SLOTS)
    run = measure(_SLOTS, size, _SHORT, -(-traces // size.total))
    each = run.cpu / run.traces
    tell(Figure(f"CPU a trace at {_SLOTS} slots, all included", 1000 * each, "ms", at_most(5), f"{run.traces} traces"))
    calls = len(run.calls) / run.traces
    note = f"of {_SLOTS} slots; of 64 below {64 * each / calls:.2f} s"
    tell(Figure("one core is the limit where a call takes less than", _SLOTS * each / calls, "s", note=note))
    tell(Figure("traces a second that one core does at most", 1 / each, ""))


def _measured(slots: int, size: RoundSize, latency: float, seconds: float) -> Measured:
    rounds = max(round(seconds * slots / latency / (size.total + size.categories)), 3)
    return measure(slots, size, latency, rounds)


def _tell_of(run: Measured, size: RoundSize) -> None:
    what = f"{run.slots} slot{'s' if run.slots > 1 else ''}, rounds of {size.total}"
    note = f"{run.of_bound:.1%} of the whole run; {run.traces} prompts, {len(run.calls)} calls, {run.seconds:.1f} s"
    tell(Figure(f"{what}: of the bound, while it goes", 100 * run.of_bound_while_it_goes, "%", at_least(95), note))


def measure(slots: int, size: RoundSize, latency: float, rounds: int) -> Measured:
    """Run on servers of this latency."""
    with served(latency) as servers, tempfile.TemporaryDirectory() as folder:
        os.environ["XDG_STATE_HOME"] = folder  # where the server's lock file goes
        traces = 0

        def count(event: Event) -> None:
            nonlocal traces
            traces += isinstance(event, TraceEnded)

        began, cpu = time.monotonic(), time.process_time()
        asyncio.run(run(Path(folder), servers, slots, size, rounds, count))
        seconds, used = time.monotonic() - began, time.process_time() - cpu
        return Measured(slots, traces, seconds, used, tuple(servers.calls()))


async def run(folder: Path, servers: Served, slots: int, size: RoundSize, rounds: int, announce: Announce) -> None:
    """Make a run in a folder, as the batch mode does."""
    settings: dict[str, Any] = {
        "llm.url": servers.url,
        "llm.model": "benchmark",
        "rcon.port": servers.port,
        "run.rounds": rounds,
        "run.categories_per_round": size.categories,
        "run.prompts_per_category": size.prompts,
        "run.concurrency": slots,
        "run.seed": 1,
    }
    job = Job(
        settings=load_settings(file=None, environment={}, flags=settings, flag_names={}).settings,
        texts=load_texts(),
        credentials=Credentials(rcon_password=Secret(PASSWORD)),
        workspace=folder / "workspace",
        output=folder / "out.jsonl",
    )
    await generate(job, Control(), announce)


if __name__ == "__main__":
    main()
