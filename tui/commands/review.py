"""`selfplay-tui` and `selfplay-tui review`: opens the workspace and the screen, and closes both in order."""

from __future__ import annotations

import argparse
import asyncio
import getpass
import logging
from dataclasses import replace
from pathlib import Path
from typing import Final

from selfplay_core.engine.desk import Desk
from selfplay_core.engine.session import Job
from selfplay_core.errors import SelfplayError, SettingsError
from selfplay_core.models import AUTO, DecisionKind
from selfplay_core.text import clean
from tui.app import ReviewApp
from tui.commands.exits import GAVE_UP, failed
from tui.drawing.glyphs import choose_glyphs
from tui.job import Settled, settle_job
from tui.keys.actions import Keymap
from tui.logs import log_to
from tui.run.runner import Runner
from tui.workbench import Beginning, Workbench
from tui.workspace.curator import Curator

__all__ = ["run"]

_LOG_NAME: Final = "selfplay.log"
_SOMEBODY: Final = "operator"


def run(options: argparse.Namespace) -> int:
    """Show the review screen until it is left, and return the exit code."""
    try:
        settled = settle_job(options)
        keymap = Keymap.of(settled.job.settings.review.keys)
        if options.command == "" and _is_first_run(options, settled):
            from tui.first_run.app import FirstRunApp

            begin = Beginning(settled.job, settled.origins, keymap, choose_glyphs(settled.job.settings.review.ascii))
            chosen = FirstRunApp(begin).run(mouse=settled.job.settings.review.mouse)
            if chosen is None:
                return 0
            settled = chosen
        job = replace(settled.job, interactive=True)
        code, told = asyncio.run(_review(job, settled.origins, keymap, generates=options.command == ""))
    except SelfplayError as error:
        return failed(error)
    for line in told:
        print(clean(line))
    return code


def _is_first_run(options: argparse.Namespace, settled: Settled) -> bool:
    """Whether nobody has named a place or a server, and no workspace of an earlier start is here."""
    placed = options.workspace or options.config or options.output
    pointed = any(not path.startswith(("review.", "run.")) for path in settled.origins)
    return not (placed or pointed) and not settled.job.workspace.exists()


async def _review(job: Job, origins: dict[str, str], keymap: Keymap, *, generates: bool) -> tuple[int, list[str]]:
    async with Curator.open(job, _operator(job)) as curator:
        _log_to(job.workspace / _LOG_NAME)
        async with Desk(job, curator.store) as desk, Runner(job, curator.store) as runner:
            bench = Workbench(job, origins, curator, desk, runner, keymap, choose_glyphs(job.settings.review.ascii))
            app = ReviewApp(bench, generates=generates and not await curator.is_generating())
            await app.run_async(mouse=job.settings.review.mouse)
    trouble = curator.projector.trouble
    return (GAVE_UP if trouble else app.return_code or 0), _farewell(bench, trouble)


def _farewell(bench: Workbench, trouble: str) -> list[str]:
    decided = bench.state.decided
    counts = ", ".join(f"{decided[kind]} {word}" for kind, word in _WORDS.items() if decided[kind])
    told = [f"Decided in this workspace: {counts or 'nothing'}. Rows: {bench.curator.projector.output}"]
    if trouble:
        told.append(f"The output file could not be brought up to date: {trouble}")
    return told


_WORDS: Final = {
    DecisionKind.ACCEPT: "accepted",
    DecisionKind.EDIT: "edited",
    DecisionKind.REJECT: "rejected",
    DecisionKind.SKIP: "skipped",
}


def _operator(job: Job) -> str:
    """Return who decides: the setting, else the login name."""
    named = job.settings.review.operator
    if named == AUTO:
        raise SettingsError(
            f"review.operator: {AUTO!r} is who decides where no person does; give your own name, or leave it out."
        )
    try:
        login = getpass.getuser()
    except (KeyError, OSError):
        login = _SOMEBODY
    return named or (_SOMEBODY if login == AUTO else login)


def _log_to(file: Path) -> None:
    """Send warnings to a file: on the terminal they would tear the screen."""
    handler = logging.FileHandler(file, delay=True, encoding="utf-8", errors="backslashreplace")
    log_to(handler, "%(asctime)s %(levelname)s %(message)s")
