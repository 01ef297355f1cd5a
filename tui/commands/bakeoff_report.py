"""What a bake-off shows: JSON lines for programs, lines and a table for a person."""

from __future__ import annotations

import shutil
import sys
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Final, Protocol

import orjson

from selfplay_core.bakeoff.document import HEADINGS, cells, leaks_told, verdicts
from selfplay_core.bakeoff.document import as_json as report_as_json
from selfplay_core.bakeoff.events import BakeoffEnded, BakeoffStarted, CaseMarked
from selfplay_core.bakeoff.marks import Mark
from selfplay_core.bakeoff.publish import JSON_NAME, MARKDOWN_NAME
from selfplay_core.bakeoff.report import Report
from selfplay_core.bakeoff.standing import Figures
from selfplay_core.events import Event, as_json
from selfplay_core.models import WorldKind
from selfplay_core.text import clip, json_for_terminals, one_line
from tui.commands.reports import event_line

__all__ = ["Show", "choose_show"]

_WORDS: Final = {Mark.OK: "OK", Mark.FIXED: "OK (fixed)", Mark.MISS: "MISS", Mark.OPEN: "open", Mark.ERRORED: "errored"}
_GAP: Final = "  "
_LONGEST_NAME: Final = 60
_COLUMNS_KEPT: Final = 6


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
        beside = f"{self._done:>{width}}/{self._expected} {one_line(event.model)}: "
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
    return (
        f"Bake-off: {models}; {event.wanted} of {event.cases} cases, judged by {server}, {named}; seed {event.seed}"
        f"{there}\nin {one_line(event.folder)}"
    )


def _closing(report: Report, ended: BakeoffEnded, folder: Path | None) -> Iterator[str]:
    yield ""
    width = shutil.get_terminal_size().columns
    yield from _table("model", {one.entrant.label: one.overall for one in report.standings}, width)
    for one in report.standings:
        yield ""
        yield from _table(one.entrant.label, {**one.by_category, **one.by_mode}, width)
        for word, reasons in (("MISS", one.overall.missed_because), ("open", one.overall.open_because)):
            if reasons:
                yield f"{word}: {', '.join(f'{why} {count}' for why, count in reasons.items())}"
    yield ""
    yield from map(one_line, verdicts(report))
    for warning in report.warnings:
        yield f"Note: {one_line(warning)}"
    yield from map(one_line, leaks_told(report))
    if ended.reason:
        yield f"{ended.status}: {one_line(ended.reason)}"
    if folder is not None:
        shown = one_line(str(folder))
        yield f"{len(report.contrasts)} cases where they differ: {shown}/{MARKDOWN_NAME}, {JSON_NAME}; or"
        yield f"  selfplay-tui review --workspace {shown}      and there: / is:differs"


def _table(name: str, rows: Mapping[str, Figures], width: int) -> Iterator[str]:
    if not rows:
        return
    lines: list[Sequence[str]] = [(clip(one_line(name), _LONGEST_NAME), *HEADINGS)]
    lines += [(clip(one_line(label), _LONGEST_NAME), *cells(figures)) for label, figures in rows.items()]
    widths = [max(len(line[column]) for line in lines) for column in range(len(lines[0]))]
    # What stands at the right is the least of it, and in the report all the same.
    while len(widths) > _COLUMNS_KEPT and sum(widths) + len(_GAP) * (len(widths) - 1) > width:
        widths.pop()
    for line in (line[: len(widths)] for line in lines):
        first, *others = (cell.rjust(width) for cell, width in zip(line, widths, strict=True))
        yield _GAP.join((first.strip().ljust(widths[0]), *others))
