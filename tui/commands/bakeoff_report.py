"""What a bake-off shows: JSON lines for programs, lines and a table for a person."""

from __future__ import annotations

import shlex
import shutil
import sys
import textwrap
from collections.abc import Iterator, Mapping
from functools import partial
from pathlib import Path
from typing import Final, Protocol

import orjson

from selfplay_core.bakeoff.document import as_json as report_as_json
from selfplay_core.bakeoff.events import BakeoffEnded, BakeoffStarted, CaseMarked
from selfplay_core.bakeoff.marks import Mark
from selfplay_core.bakeoff.publish import JSON_NAME, MARKDOWN_NAME
from selfplay_core.bakeoff.report import Report
from selfplay_core.bakeoff.sentences import HEADINGS, cells, headline, how_decided, leaks_told, verdicts
from selfplay_core.bakeoff.standing import Figures
from selfplay_core.events import Event, as_json
from selfplay_core.models import WorldKind
from selfplay_core.text import json_for_terminals, one_line
from tui.commands.reports import event_line

__all__ = ["Show", "choose_show"]

_WORDS: Final = {Mark.OK: "OK", Mark.FIXED: "OK (fixed)", Mark.MISS: "MISS", Mark.OPEN: "open", Mark.ERRORED: "errored"}
_GAP: Final = " "
_CELL: Final = 7
_LONGEST_NAME: Final = 28
_LEAST_NAME: Final = 12
_COLUMNS_KEPT: Final = HEADINGS.index("errored") + 1


class Show(Protocol):
    """Where a bake-off is shown; `answers` counts what was marked so far."""

    answers: int

    def event(self, event: Event) -> None:
        """Show one event."""

    def report(self, report: Report, ended: BakeoffEnded, folder: Path | None) -> None:
        """Show what was found; `folder` holds it, None where several were compared."""


def choose_show(*, as_json_lines: bool) -> Show:
    """Return the show for where stdout goes."""
    return _JsonLines() if as_json_lines or not sys.stdout.isatty() else _Terminal()


class _JsonLines:
    """One JSON object a line; the last one is the summary."""

    def __init__(self) -> None:
        self.answers = 0

    def event(self, event: Event) -> None:
        self.answers += isinstance(event, CaseMarked)
        self._write(as_json(event))

    def report(self, report: Report, ended: BakeoffEnded, folder: Path | None) -> None:
        body = orjson.loads(report_as_json(report))
        body["differences"] = len(body["differences"])
        del body["results"]
        summary = {"event": "summary", "status": ended.status, "reason": ended.reason}
        self._write({**summary, "folder": None if folder is None else str(folder), **body})

    def _write(self, body: Mapping[str, object]) -> None:
        print(json_for_terminals(orjson.dumps(body).decode()), flush=True)


class _Terminal:
    """A line for each answer on stderr, the tables on stdout."""

    def __init__(self) -> None:
        self.answers = 0
        self._done = 0
        self._expected = 0

    def event(self, event: Event) -> None:
        match event:
            case BakeoffStarted():
                self._done, self._expected = event.done, event.expected
                line: str | None = _opening(event)
            case CaseMarked():
                self.answers += 1
                self._done += 1
                line = self._answer(event)
            case _:
                line = event_line(event)
        if line is not None:
            print(line, file=sys.stderr, flush=True)

    def report(self, report: Report, ended: BakeoffEnded, folder: Path | None) -> None:
        for line in _closing(report, ended, folder):
            print(line)
        sys.stdout.flush()

    def _answer(self, event: CaseMarked) -> str:
        width = len(str(self._expected))
        word = _WORDS[event.mark] + (f", {event.why}" if event.why else "")
        beside = f"{self._done:>{width}}/{self._expected} {_shortened(one_line(event.model), _LONGEST_NAME)}: "
        room = max(shutil.get_terminal_size().columns - len(beside) - len(word) - 3, 20)
        shown = one_line(event.prompt)
        shown = shown if len(shown) <= room else f"{shown[: room - 1]}…"
        return f"{beside}{shown}  {word}"


def _opening(event: BakeoffStarted) -> str:
    world = event.world
    server = "the SANDBOX (no real server)" if world.kind is WorldKind.SANDBOX else "a real server"
    named = f"{one_line(world.brand) or 'unnamed'} {one_line(world.version)}".strip()
    models = ", ".join(one_line(model.name) for model in event.models)
    there = f"; {event.done} answers are there" if event.done else ""
    expecting = f", {event.expecting} of all with an expectation" if event.expecting else ""
    return (
        f"Bake-off: {models}; {event.wanted} of {event.cases} cases{expecting}, judged by {server}, {named}; "
        f"seed {event.seed}"
        f"{there}\nin {one_line(event.folder)}"
    )


def _closing(report: Report, ended: BakeoffEnded, folder: Path | None) -> Iterator[str]:
    yield ""
    width = shutil.get_terminal_size().columns
    if ended.reason:
        yield from _wrapped(f"{ended.status}: {ended.reason}", width)
    names = max(len(name) for one in report.standings for name in (one.entrant.label, *one.by_category, "model"))
    table = partial(_table, width=width, room=min(names, _LONGEST_NAME))
    yield from table("model", {one.entrant.label: one.overall for one in report.standings})
    for one in report.standings:
        yield ""
        yield from table(one.entrant.label, {**one.by_category, **one.by_mode})
        for word, reasons in (("MISS", one.overall.missed_because), ("open", one.overall.open_because)):
            if reasons:
                yield f"{word}: {', '.join(f'{why} {count}' for why, count in reasons.items())}"
    yield ""
    if found := headline(report):
        yield from _wrapped(found, width)
    for sentence in (*verdicts(report), *how_decided(report), *leaks_told(report)):
        yield from _wrapped(f"- {sentence}", width)
    for warning in report.warnings:
        yield from _wrapped(f"- Note: {warning}", width)
    if folder is not None:
        shown = one_line(str(folder))
        yield ""
        yield f"{len(report.contrasts)} of {report.asked} cases differ: {MARKDOWN_NAME} and {JSON_NAME} in {shown}"
        yield f"selfplay-tui review --workspace {shlex.quote(shown)}"
        yield "and there / is:differs shows both answers"


def _wrapped(text: str, width: int) -> list[str]:
    """Return text in lines that break between words."""
    indent = "  " if text.startswith("- ") else ""
    return textwrap.wrap(one_line(text), width, subsequent_indent=indent, break_on_hyphens=False) or [""]


def _shortened(name: str, room: int) -> str:
    """Return a name with its beginning and its end, which tell models apart."""
    if len(name) <= room:
        return name
    head = room // 2
    return f"{name[:head]}…{name[len(name) - (room - 1 - head) :]}"


def _table(name: str, rows: Mapping[str, Figures], *, width: int, room: int) -> Iterator[str]:
    """Yield a table whose names have so much room, if the terminal is that wide."""
    body = [(label, cells(figures)) for label, figures in rows.items()]
    # What stands at the right is the least of it, and in the report all the same.
    columns = len(HEADINGS)
    while columns > _COLUMNS_KEPT and room + (_CELL + len(_GAP)) * columns > width:
        columns -= 1
    shown = max(min(room, width - (_CELL + len(_GAP)) * columns), _LEAST_NAME)
    for label, line in ((name, HEADINGS), *body):
        beginning = _shortened(one_line(label), shown).ljust(shown)
        yield _GAP.join((beginning, *(cell.rjust(_CELL) for cell in line[:columns]))).rstrip()
