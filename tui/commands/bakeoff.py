"""`selfplay-tui bakeoff`: models compared on the same cases. Loads no screen."""

from __future__ import annotations

import argparse
import asyncio
import logging
import sys
from contextlib import closing
from itertools import count
from pathlib import Path
from typing import Final

from selfplay_core.bakeoff.beginning import BakeoffJob
from selfplay_core.bakeoff.cases import WORKSPACE, CaseBook, read_cases
from selfplay_core.bakeoff.contest import bake_off
from selfplay_core.bakeoff.events import BakeoffEnded
from selfplay_core.bakeoff.guard import lift
from selfplay_core.bakeoff.ledger import read_folder
from selfplay_core.bakeoff.publish import conclude, write_reports
from selfplay_core.bakeoff.report import make_report
from selfplay_core.bakeoff.terms import digest, terms_of
from selfplay_core.engine.control import Control
from selfplay_core.engine.session import Job, plan_of
from selfplay_core.errors import Fault, SelfplayError, SettingsError, StoreError, UntrustedServer
from selfplay_core.models import SANDBOX_MODELS
from selfplay_core.store.database import DATABASE_NAME, open_current
from selfplay_core.text import one_line
from tui.commands.bakeoff_report import Show, choose_show
from tui.commands.exits import DONE, GAVE_UP, complain, failed
from tui.commands.interrupts import Stopped, heeding_signals
from tui.early import Interrupted, released_signals
from tui.job import make_job
from tui.logs import log_to
from tui.streams import give_up_stdout, make_streams_sure

__all__ = ["run"]

_FOLDERS: Final = "bakeoffs"


def run(options: argparse.Namespace) -> int:
    """Make or compare bake-offs, and return the exit code."""
    log_to(logging.StreamHandler(sys.stderr), "%(levelname)s %(message)s")
    make_streams_sure()
    show = choose_show(as_json_lines=options.json)
    try:
        with released_signals():
            return _run(options, show)
    except Interrupted as early:
        return early.code
    except Stopped as stopped:
        return stopped.code
    except OSError as error:
        give_up_stdout(error)
        return GAVE_UP
    except SelfplayError as error:
        return failed(error, has_begun=show.answers > 0)


def _run(options: argparse.Namespace, show: Show) -> int:
    if options.compare:
        return _compare(options, show)
    if options.lift_ban:
        return _lift_ban(options)
    return asyncio.run(_contest(_job(options), show))


async def _contest(job: BakeoffJob, show: Show) -> int:
    control = Control()
    try:
        ended, signalled = await heeding_signals(bake_off(job, control, show.event), control)
    except (Fault, UntrustedServer, StoreError) as error:
        if show.answers:
            # What was answered stays, and is worth a look, whatever ended it.
            show.report(conclude(job.folder, job.workspace), BakeoffEnded("failed", str(error)), job.folder)
        raise
    except OSError:
        conclude(job.folder, job.workspace)
        raise
    show.report(conclude(job.folder, job.workspace), ended, job.folder)
    if ended.status == "gave_up":
        complain(ended.reason)
        return GAVE_UP
    return signalled or DONE


def _compare(options: argparse.Namespace, show: Show) -> int:
    for flag, given in (
        ("--model", options.models),
        ("--cases", options.cases),
        ("--sample", options.sample),
        ("--until-decided", options.until_decided),
        ("--new", options.new),
    ):
        if given:
            raise SettingsError(f"--compare asks nothing, so {flag} has no use there. Leave it out.")
    ledgers = [read_folder(Path(folder)) for folder in options.compare]
    if len(ledgers) > 1 and len({ledger.folder.resolve() for ledger in ledgers}) < len(ledgers):
        raise SettingsError("--compare names the same folder twice. Name different ones.")
    report = make_report(ledgers)
    folder = Path(options.output) if options.output else None
    if folder is not None:
        write_reports(report, folder)
    show.report(report, BakeoffEnded("done", ""), None)
    return DONE


def _lift_ban(options: argparse.Namespace) -> int:
    job = _job(options)
    if job.book.is_workspace or not (job.workspace / DATABASE_NAME).is_file():
        raise SettingsError(
            f"--lift-ban: nothing of {job.book.source} is banned in {job.workspace}. Name the cases' file."
        )
    lifted = lift(job.book, job.workspace)
    print(f"{lifted} of {len(job.book.cases)} cases may be trained on again in {one_line(str(job.workspace))}.")
    return DONE


def _job(options: argparse.Namespace) -> BakeoffJob:
    """Settle what a person asked for; raises UsageError."""
    if not options.cases:
        raise SettingsError("--cases is missing. Name a JSONL file, or `workspace`. See selfplay-tui bakeoff --help")
    twice = [name for name in options.models if options.models.count(name) > 1]
    if twice:
        raise SettingsError(f"--model {twice[0]} stands twice; a model is compared with others. Name it once.")
    folder, options.output = options.output, None
    if options.models:
        setattr(options, "llm.model", options.models[0])
    settled = make_job(options)
    models = tuple(options.models) or _usual_models(settled)
    book = _cases(options.cases, settled)
    return BakeoffJob(
        settings=settled.settings,
        texts=settled.texts,
        credentials=settled.credentials,
        folder=Path(folder) if folder else _folder(settled, book, is_new=options.new),
        workspace=settled.workspace,
        book=book,
        models=models,
        sample=options.sample,
        until_decided=options.until_decided,
    )


def _usual_models(job: Job) -> tuple[str, ...]:
    llm = job.settings.llm
    return SANDBOX_MODELS if llm.kind == "sandbox" else (llm.model,)


def _cases(source: str, job: Job) -> CaseBook:
    reader = open_current(job.workspace) if source == WORKSPACE and (job.workspace / DATABASE_NAME).is_file() else None
    if reader is None:
        book = read_cases(source, None)
    else:
        with closing(reader):
            book = read_cases(source, reader)
    focus = job.settings.run.focus
    return book if focus is None else book.only(focus)


def _folder(job: Job, book: CaseBook, *, is_new: bool) -> Path:
    """Return where these cases under these terms are asked: the latest folder of theirs, or a new one."""
    print_of = digest(terms_of(job.settings, job.texts, plan_of(job, 0)), book.digest)
    name = f"{Path(book.source).stem or 'cases'}-{print_of[:8]}"
    first = job.workspace / _FOLDERS / name
    later = (first.with_name(f"{name}-{number}") for number in count(2))
    latest = first
    if not latest.exists():
        return latest
    for folder in later:
        if not folder.exists():
            return folder if is_new else latest
        latest = folder
    raise AssertionError("numbers do not end")
