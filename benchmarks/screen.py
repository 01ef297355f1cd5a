"""How fast the review screen is: `python -m benchmarks.screen [--traces N] [--only paint|keys|events|open]`.

Each question has a process of its own. Targets are printed beside what was measured; nothing is asserted.
"""

from __future__ import annotations

import argparse
import asyncio
import os
import shutil
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Final

import pexpect

from benchmarks.figures import Bound, Figure, Times, at_most, megabytes, tell
from benchmarks.listing import build_workspace
from selfplay_core.events import AttemptJudged, Event, TraceEnded, TraceStarted
from selfplay_core.models import Attempt, CommandResult, Level, Verdict, VerdictOutcome
from tests.commands import COMMAND
from tests.store_samples import a_prompt, a_trace
from tui.cli import FRAMES_PER_SECOND

__all__ = ["KINDS", "STAGES", "main", "start_in_terminal", "terminal_environment"]

KINDS: Final = ("paint", "keys", "events", "open")
_STARTS: Final = 9
STAGES: Final = (("the first byte", b"\x1b[?1049h"), ("the panes", b"Prompts"), ("the first example", b" pending"))
_FIRST_PAINT: Final = {"the panes": at_most(500)}
_KEYS: Final = 300
_DECISIONS: Final = 60
_KEY_REPEAT: Final = 0.03
_SIGHT: Final = 0.3
_RATE: Final = 1_000
_STREAMED_SECONDS: Final = 10.0
_MILLION: Final = 1_000_000


def main() -> None:
    """Tell each measurement, with its target."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--traces", type=int, default=100_000, help="of the workspace that is reviewed")
    parser.add_argument("--only", choices=KINDS, action="append", help="this question alone; may be repeated")
    parser.add_argument("--keep", type=Path, help="build the workspaces in this folder and leave them there")
    parser.add_argument("--million", type=int, default=_MILLION, help="traces of the workspace that is opened")
    parser.add_argument("--child", type=Path, help=argparse.SUPPRESS)
    options = parser.parse_args()
    kinds: Sequence[str] = options.only or KINDS
    if options.child:
        asyncio.run(_MEASURES[kinds[0]](options.child))
        return
    with tempfile.TemporaryDirectory() as folder:
        os.environ["XDG_STATE_HOME"] = folder
        for kind in kinds:
            count = options.million if kind == "open" else options.traces
            workspace = _workspace(options.keep or Path(folder), count)
            if kind == "paint":
                _measure_paint(workspace)
            else:
                _in_a_copy(kind, workspace, Path(folder))


def _workspace(folder: Path, count: int) -> Path:
    path = folder / f"traces-{count}"
    if not path.exists():
        build_workspace(path, count)
    return path


def _in_a_copy(kind: str, workspace: Path, folder: Path) -> None:
    """Measure in a process of its own, in a copy where it decides, so that what is kept stays as it was built."""
    copy = folder / f"{kind}-{workspace.name}" if kind == "keys" else workspace
    if copy != workspace:
        shutil.copytree(workspace, copy)
    words = [sys.executable, "-m", "benchmarks.screen", "--only", kind, "--child", str(copy)]
    subprocess.run(words, check=True, env={**os.environ, "TEXTUAL_FPS": FRAMES_PER_SECOND})
    if copy != workspace:
        shutil.rmtree(copy)


def _tell_times(what: str, times: Times, target: Bound | None = None, *, at: float = 0.95) -> None:
    tell(Figure(f"{what}, p{100 * at:.0f}", times.at(at), "ms", target, str(times)))


def _measure_paint(workspace: Path) -> None:
    """Start the installed command in a pseudo-terminal, again and again."""
    with tempfile.TemporaryDirectory() as compiled:
        environment = terminal_environment(compiled)
        starts = [start_in_terminal(workspace, environment) for _ in range(1 + _STARTS)][1:]
        bare = statistics.median([_import_alone(environment) for _ in range(1 + _STARTS)][1:])
    tell(Figure("python -c 'import textual.app'", 1000 * bare, "ms"))
    for stage, (name, _) in enumerate(STAGES):
        median = statistics.median(start[stage] for start in starts)
        note = f"{median / bare:.2f} of the import"
        tell(Figure(f"start until {name}", 1000 * median, "ms", _FIRST_PAINT.get(name), note))


def terminal_environment(compiled: str) -> dict[str, str]:
    """Return an environment in which modules are compiled once, as they are where the command is installed."""
    kept = {name: value for name, value in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"}
    terminal = {"TERM": "xterm-256color", "COLORTERM": "truecolor", "TEXTUAL_ANIMATIONS": "none"}
    return {**kept, **terminal, "PYTHONPYCACHEPREFIX": compiled}


def start_in_terminal(workspace: Path, environment: dict[str, str]) -> list[float]:
    """Return the seconds until each of the stages, from a start of the installed command in a pseudo-terminal."""
    began = time.perf_counter()
    words = ["review", "--workspace", str(workspace)]
    child = pexpect.spawn(COMMAND, words, env=environment, dimensions=(36, 120), timeout=30)
    seen = []
    for _, mark in STAGES:
        child.expect_exact(mark)
        seen.append(time.perf_counter() - began)
    child.close(force=True)
    return seen


def _import_alone(environment: dict[str, str]) -> float:
    began = time.perf_counter()
    subprocess.run([sys.executable, "-c", "import textual.app"], check=True, env=environment)
    return time.perf_counter() - began


async def _measure_keys(workspace: Path) -> None:
    """Go down the list at the rate of a held key, then decide as fast as sight allows."""
    from benchmarks.rendering import opened, settled

    async with opened(workspace) as screen:
        await settled(screen)
        queue, moved, decided = screen.bench.state.queue, Times(), Times()
        for _ in range(_KEYS):
            following = queue.numbers[queue.cursor + 1]
            moved.seconds.append(await screen.key("j", f"{following} pending"))
            await asyncio.sleep(_KEY_REPEAT)
        _tell_times("j until the next example is painted", moved, at_most(20))
        for _ in range(_DECISIONS):
            await asyncio.sleep(_SIGHT)
            following = queue.numbers[queue.cursor + 1]
            decided.seconds.append(await screen.key("a", f"{following} pending"))
        _tell_times("a until committed and the next is painted", decided, at_most(20))
        tell(
            Figure(
                "bytes a paint", screen.driver.bytes / screen.driver.paints, "", note=f"{screen.driver.paints} paints"
            )
        )


async def _measure_events(workspace: Path) -> None:
    """Feed a run's events from a thread, and see how late the loop comes."""
    from benchmarks.rendering import lag, opened, settled

    async with opened(workspace) as screen:
        await settled(screen)
        for what, rate in (("idle", 0), (f"{_RATE:,} events/s", _RATE)):
            late, before, cpu, began = Times(), megabytes(), time.process_time(), time.perf_counter()
            watching = asyncio.ensure_future(lag(late))
            applied = screen.bench.state.live.streamed
            await asyncio.to_thread(_feed, screen.bench.runner.inbox.append, rate)
            watching.cancel()
            seconds, used = time.perf_counter() - began, time.process_time() - cpu
            applied = screen.bench.state.live.streamed - applied
            _tell_times(f"{what}: loop lag", late, at_most(16) if rate else None, at=0.99)
            tell(Figure(f"{what}: memory more", megabytes() - before, "MB", at_most(10) if rate else None))
            tell(Figure(f"{what}: of one core", 100 * used / seconds, "%", note=f"{applied:,} rows streamed"))


def _feed(append: Callable[[Event], None], rate: int) -> None:
    events, began, fed = _events(), time.perf_counter(), 0
    while (passed := time.perf_counter() - began) < _STREAMED_SECONDS:
        for _ in range(int(passed * rate) - fed):
            append(next(events))
            fed += 1
        threading.Event().wait(0.01)


def _events() -> Iterator[Event]:
    """Yield what a run announces: each trace begins, one or two attempts are judged, it ends."""
    number = 0
    while True:
        number += 1
        trace = a_trace(f"{number:024x}", a_prompt(f"sudo torch {number}"))
        yield TraceStarted(trace.id, trace.prompt)
        for attempt in range(1, 2 + number % 2):
            yield AttemptJudged(trace.id, _attempt(number, attempt))
        yield TraceEnded(trace)


def _attempt(number: int, attempt: int) -> Attempt:
    command = f"execute as @a at @s run give @s minecraft:torch[custom_name='\"{number}\"'] 1"
    verdict = Verdict(VerdictOutcome.PASSED if number % 3 else VerdictOutcome.REJECTED)
    return Attempt(attempt, "{}", None, results=(CommandResult(command, "Gave 1 [Torch]", verdict, Level.EXECUTED),))


async def _measure_open(workspace: Path) -> None:
    """Open a large workspace until its list and its first example stand on the screen."""
    from benchmarks.rendering import opened, settled

    before = megabytes()
    async with opened(workspace) as screen:
        what = f"opening {_count(workspace):,} traces until the first example is painted"
        tell(Figure(what, screen.opened_after, "s", at_most(1)))
        await settled(screen)
        now = megabytes()
        tell(Figure("memory with them open", now, "MB", at_most(150), f"{now - before:+.0f} by opening"))


def _count(workspace: Path) -> int:
    return int(workspace.name.rpartition("-")[2])


_MEASURES: Final = {"keys": _measure_keys, "events": _measure_events, "open": _measure_open}


if __name__ == "__main__":
    main()
