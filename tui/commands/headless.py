"""Batch runs: events to a report, signals to the run, errors to exit codes. Loads no screen."""

from __future__ import annotations

import argparse
import asyncio
import logging
import sys
import time
from collections.abc import Callable, Coroutine
from dataclasses import dataclass, field

from selfplay_core.engine.control import Control
from selfplay_core.engine.session import Job, dry_run, generate
from selfplay_core.errors import SelfplayError, UsageError
from selfplay_core.events import Event, RunEnded
from tui.commands.exits import DONE, GAVE_UP, complain, failed
from tui.commands.interrupts import Stopped, heeding_signals
from tui.commands.reports import Report, choose_report
from tui.commands.summary import Summary
from tui.early import Interrupted, released_signals
from tui.job import make_job
from tui.logs import log_to
from tui.streams import give_up_stdout, make_streams_sure

__all__ = ["run"]


@dataclass(slots=True)
class _Batch:
    """One batch run as its report sees it."""

    control: Control
    report: Report
    summary: Summary
    unread: bool = False
    started: float = field(default_factory=time.monotonic)

    def announce(self, event: Event) -> None:
        """Count and show an event; a reader that has gone away ends the run in good order."""
        self.summary.apply(event)
        self._to_reader(lambda: self.report.show(event))

    def close(self, output: str = "") -> None:
        """Show the summary."""
        seconds = time.monotonic() - self.started
        self._to_reader(lambda: self.report.close(self.summary, output, seconds))

    def _to_reader(self, show: Callable[[], None]) -> None:
        if self.unread:
            return
        try:
            show()
        except OSError as error:
            # Nobody reads any more, or the disk behind stdout is full: the run ends in good order all the same.
            self.unread = True
            give_up_stdout(error, "The run ends.")
            self.control.drain()


def run(options: argparse.Namespace) -> int:
    """Make a batch run, or a dry one, and return the exit code."""
    log_to(logging.StreamHandler(sys.stderr), "%(levelname)s %(message)s")
    make_streams_sure()
    try:
        with released_signals():
            job = make_job(options)
            work = _print_prompts if options.dry_run else _generate
            return asyncio.run(_supervise(job, work, _new_batch(options)))
    except UsageError as error:
        return failed(error)
    except Interrupted as early:
        batch = _new_batch(options)
        batch.summary.apply(RunEnded("interrupted", "The run was asked to stop before it began."))
        batch.close()
        return early.code


def _new_batch(options: argparse.Namespace) -> _Batch:
    summary = Summary()
    report = choose_report(as_json_lines=options.json, dry_run=options.dry_run, summary=summary)
    return _Batch(Control(), report, summary)


async def _supervise(job: Job, work: Callable[[Job, _Batch], Coroutine[None, None, int]], batch: _Batch) -> int:
    try:
        code, signalled = await heeding_signals(work(job, batch), batch.control)
    except Stopped as stopped:
        return stopped.code
    except SelfplayError as error:
        return failed(error, has_begun=batch.summary.traces > 0)
    return signalled or code


async def _generate(job: Job, batch: _Batch) -> int:
    try:
        ended = await generate(job, batch.control, batch.announce)
    except Exception as error:
        # Whatever it is, the last line on stdout tells that the run failed.
        batch.summary.failed(str(error) or type(error).__name__)
        raise
    finally:
        batch.close(str(job.output))
    if ended.status == "gave_up":
        complain(ended.reason)
    return _code_of(batch)


async def _print_prompts(job: Job, batch: _Batch) -> int:
    try:
        await dry_run(job, batch.control, batch.announce)
        ended = RunEnded("interrupted" if batch.control.draining else "done", "")
        batch.summary.apply(ended)
    except SelfplayError as error:
        batch.summary.failed(str(error))
        raise
    finally:
        batch.close()
    return _code_of(batch)


def _code_of(batch: _Batch) -> int:
    """Return the exit code of a run that came to its end."""
    return GAVE_UP if batch.unread or batch.summary.status in ("gave_up", "failed") else DONE
