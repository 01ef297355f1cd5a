"""What a batch run shows: JSON lines for programs, lines and a bar for a person."""

from __future__ import annotations

import shutil
import sys
from typing import Protocol, TextIO

import orjson

from selfplay_core.events import (
    Away,
    Back,
    DryRunStarted,
    Event,
    GateClosed,
    GateOpened,
    PromptsFailed,
    PromptsGrowAlike,
    PromptsWritten,
    RunPaused,
    RunResumed,
    RunStarted,
    TraceEnded,
    TraceHeld,
    as_json,
)
from selfplay_core.models import Outcome, Trace, WorldKind
from selfplay_core.text import json_for_terminals, one_line
from selfplay_core.verify.identity import version_note
from tui.commands.summary import Summary

__all__ = ["DryRunReport", "JsonReport", "Report", "TerminalReport", "choose_report", "event_line"]

_PROMPT_SHOWN = 60
_ELSE_ON_THE_LINE = len("[enchantment_combos]   CORRECTED (3 attempts)")


class Report(Protocol):
    """Where the events of a batch run are shown."""

    def show(self, event: Event) -> None:
        """Show one event; raises BrokenPipeError when nobody reads any more."""

    def close(self, summary: Summary, output: str, seconds: float) -> None:
        """Show the summary, and leave the terminal as it was; a dry run has no output."""


def choose_report(*, as_json_lines: bool, dry_run: bool, summary: Summary) -> Report:
    """Return the report for where stdout goes."""
    if as_json_lines or not sys.stdout.isatty():
        return JsonReport(sys.stdout)
    return DryRunReport() if dry_run else TerminalReport(summary)


class JsonReport:
    """One JSON object a line, flushed at once, so that a reader sees what has happened."""

    def __init__(self, stream: TextIO) -> None:
        self._stream = stream

    def show(self, event: Event) -> None:
        self._write(as_json(event))

    def close(self, summary: Summary, output: str, seconds: float) -> None:
        self._write(summary.as_json(output, seconds))

    def _write(self, body: dict[str, object]) -> None:
        self._stream.write(json_for_terminals(orjson.dumps(body).decode()) + "\n")
        self._stream.flush()


class TerminalReport:
    """The original's line per prompt, above a bar on stderr; the summary on stdout."""

    def __init__(self, summary: Summary) -> None:
        # rich costs more than everything else of a start; a batch run into a pipe does without.
        from tui.commands.progress import ProgressBar

        self._summary = summary
        self._bar = ProgressBar()

    def show(self, event: Event) -> None:
        line = event_line(event)
        if line is not None:
            self._bar.print(line)
        self._bar.update(self._summary)

    def close(self, summary: Summary, output: str, seconds: float) -> None:
        self._bar.stop()
        if summary.started is not None:
            for line in summary.table(output, seconds):
                print(line)


class DryRunReport:
    """The written prompts on stdout, and nothing else."""

    def show(self, event: Event) -> None:
        if isinstance(event, PromptsWritten):
            for prompt in event.prompts:
                print(f"[{event.category}] {one_line(prompt)}  [DRY RUN]", flush=True)
        elif (line := event_line(event)) is not None:
            print(line, file=sys.stderr)

    def close(self, summary: Summary, output: str, seconds: float) -> None:
        print(f"{summary.written} prompts written in {seconds:.0f} s, nothing answered, run or saved.", file=sys.stderr)


def _how_many(event: PromptsWritten) -> str:
    return "all" if event.copies == len(event.dropped) else f"{event.copies} of them"


def event_line(event: Event) -> str | None:
    """Return what a person is told of an event, None for nothing."""
    match event:
        case RunStarted():
            return _opening(event)
        case DryRunStarted():
            return f"Dry run: model {one_line(event.model.name)}; seed {event.seed}"
        case TraceEnded():
            trace = event.trace
            return f"[{trace.prompt.category}] {_shortened(trace.prompt.text)}  {_word(trace)}"
        case TraceHeld():
            return f"waits for a person: {_shortened(event.command)} ({one_line(event.reason)})"
        case PromptsFailed():
            return f"[{event.category}] no prompts in round {event.round + 1}: {one_line(event.reason)}"
        case PromptsWritten() if event.dropped:
            prompts = "1 prompt" if len(event.dropped) == 1 else f"{len(event.dropped)} prompts"
            told = f"[{event.category}] {prompts} dropped in round {event.round + 1}"
            return f"{told}, {_how_many(event)} nearly known" if event.copies else told
        case GateClosed():
            error = f", {one_line(event.error)}" if event.error else ""
            return f"[{event.category}] asked for seldom now: {event.won} of {event.tried} were won{error}"
        case GateOpened():
            return f"[{event.category}] asked for again"
        case PromptsGrowAlike():
            return f"Warning: {event.figures}"
        case Away():
            return f"{event.what} is away: {one_line(event.reason)} Next try in {event.retry_in:.0f} s."
        case RunPaused():
            return f"Paused: {one_line(event.reason)}"
        case RunResumed():
            return "Resumed."
        case Back():
            return f"{event.what} is back after {event.after:.0f} s."
    return None


def _shortened(text: str) -> str:
    """Return so much of a prompt that its line fits the terminal."""
    room = min(_PROMPT_SHOWN, max(shutil.get_terminal_size().columns - _ELSE_ON_THE_LINE, 20))
    shown = one_line(text)
    return shown if len(shown) <= room else f"{shown[: room - 1]}…"


def _opening(event: RunStarted) -> str:
    world = event.world
    server = "the SANDBOX (no real server)" if world.kind is WorldKind.SANDBOX else "a real server"
    named = f"{world.brand or 'unnamed'} {world.version}".strip()
    verb = "Resuming" if event.resumed else "Starting"
    text = f"{verb}: model {one_line(event.model.name)}, judged by {server}, {named}; seed {event.seed}"
    if event.resumed:
        text += f"; {event.done_rounds} of {event.rounds} rounds are written"
    if world.players is not None:
        text += f"; online: {', '.join(map(one_line, world.players)) or 'nobody'}"
    if world.plugins:
        text += f"; plugins: {', '.join(map(one_line, world.plugins))}"
    if event.leftovers:
        text += f"; {event.leftovers} prompts that wait for an answer come first"
    return "\n".join(filter(None, (text, version_note(world.version))))


def _word(trace: Trace) -> str:
    """Return the original script's word for how a prompt ended."""
    last = trace.last
    match trace.outcome:
        case Outcome.SOLVED:
            commands = len(last.answer.commands) if last and last.answer else 0
            return f"OK ({commands} cmds)"
        case Outcome.CORRECTED:
            return f"CORRECTED ({len(trace.attempts)} attempts)"
        case outcome:
            return outcome.value.upper()
