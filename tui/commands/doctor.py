"""`selfplay-tui doctor`: one line for each thing that a run needs."""

from __future__ import annotations

import argparse
import asyncio
from dataclasses import asdict

import orjson

from selfplay_core.engine.doctor import Check, examine
from selfplay_core.errors import UsageError
from selfplay_core.text import json_for_terminals, one_line
from tui.commands.exits import DONE, UNUSABLE, failed
from tui.job import make_job

__all__ = ["run"]

_WELL, _ILL = "\u2713", "\u2717"


def run(options: argparse.Namespace) -> int:
    """Examine, print as it goes, and return 0 if all is well, else 3."""
    try:
        job = make_job(options)
    except UsageError as error:
        return failed(error)
    found: list[Check] = []

    def tell(check: Check) -> None:
        found.append(check)
        print(_as_json(check) if options.json else _as_line(check), flush=True)

    asyncio.run(examine(job, tell))
    return DONE if all(check.well for check in found) else UNUSABLE


def _as_line(check: Check) -> str:
    return f"{_WELL if check.well else _ILL} {check.name:<12} {one_line(check.said)}"


def _as_json(check: Check) -> str:
    return json_for_terminals(orjson.dumps(asdict(check)).decode())
