"""Attempts that wait for a person: the list, and everything that a ruling needs to be known."""

from __future__ import annotations

from dataclasses import dataclass

from selfplay_core.engine.desk import Looked
from selfplay_core.engine.holding import HELD_SECONDS
from selfplay_core.models import Action, Ruling, Trace, TraceId
from selfplay_core.store.held import HeldAttempt
from tui.drawing.glyphs import Glyphs
from tui.drawing.lines import BLANK, Line, Span, cropped, paragraphs, span, wrapped
from tui.drawing.verdicts import result_lines

__all__ = ["Key", "Probe", "Waiting", "allowed_rows", "expiry", "held_details", "held_row"]


Key = tuple[TraceId, float]
"""A trace, and since when its attempt is parked."""


@dataclass(frozen=True, slots=True)
class Waiting:
    """A held attempt with what the policy says of each of its commands; `unread` tells why it cannot be shown."""

    item: HeldAttempt
    trace: Trace | None
    commands: tuple[str, ...]
    rulings: tuple[Ruling, ...]
    unread: str = ""

    @property
    def key(self) -> Key:
        """What tells it from every other attempt, also from a later one of its trace."""
        return (self.item.trace_id, self.item.since)

    @property
    def held_command(self) -> str:
        """The first command that waits, blank where none can be read."""
        asked = (
            command
            for command, ruling in zip(self.commands, self.rulings, strict=True)
            if ruling.action is not Action.ALLOW
        )
        return next(asked, self.commands[0] if self.commands else "")


@dataclass(frozen=True, slots=True)
class Probe:
    """What a probe brought; what nobody `told` it to do has its failure in one line."""

    looked: Looked
    told: bool = True


def expiry(since: float, now: float) -> str:
    """Return in words when an attempt ends by itself; both in seconds since the epoch."""
    left = since + HELD_SECONDS - now
    if left <= 0:
        return "ends by itself any moment"
    if left < 5400:
        return f"ends by itself in {max(round(left / 60), 1)} min"
    return f"ends by itself in {round(left / 3600)} h"


def held_row(waiting: Waiting, now: float, glyphs: Glyphs) -> Line:
    """Return one row of the list."""
    left = max(round((waiting.item.since + HELD_SECONDS - now) / 3600), 0)
    command = waiting.held_command or waiting.item.prompt.text
    return (Span(f" {glyphs.held} ", "warn"), Span(f"{left:>2}h ", "dim"), span(command, "command"))


def allowed_rows(waiting: Waiting, glyphs: Glyphs) -> tuple[Line, ...]:
    """Return the rows of an attempt that was allowed and has not been taken up."""
    command = waiting.held_command or waiting.item.prompt.text
    return (
        (Span(f" {glyphs.accept} ", "ok"), span(command, "dim")),
        (span(f"   allowed by {waiting.item.ruled_by},", "dim"),),
        (Span("   waits for a run", "dim"),),
    )


def held_details(
    waiting: Waiting, *, pattern: str, probe: Probe | None, unprobed: str, now: float, glyphs: Glyphs, width: int
) -> list[Line]:
    """Return the prompt, the commands with the held ones marked, why they wait, and what a probe said or would."""
    prompt = waiting.item.prompt
    lines: list[Line] = [
        (Span(" PROMPT  ", "title"), span(f"{prompt.category} {glyphs.pending} {prompt.mode.value}", "dim")),
        *paragraphs(prompt.text, width, "prompt", first=(Span(" "),)),
        BLANK,
    ]
    if waiting.unread:
        return [*lines, *paragraphs(waiting.unread, width, "bad", first=(Span(" "),))]
    lines.append((Span(" COMMANDS", "title"), Span("  none of them has run", "dim")))
    for number, (command, ruling) in enumerate(zip(waiting.commands, waiting.rulings, strict=True), start=1):
        lines.extend(_command(number, command, ruling, glyphs, width))
    lines += [BLANK, (Span(f" {expiry(waiting.item.since, now)}", "dim"),)]
    if pattern:
        lines += wrapped([Span(" its pattern: ", "dim"), span(pattern, "command")], width, indent=1)
    return [*lines, *_probe_lines(probe, unprobed, glyphs, width)]


def _probe_lines(probe: Probe | None, unprobed: str, glyphs: Glyphs, width: int) -> list[Line]:
    """Return what the server parses of the commands; a probe runs nothing."""
    if probe is None:
        return [BLANK, cropped((Span(" PROBE  ", "title"), span(unprobed, "dim")), width, glyphs.more)]
    looked = probe.looked
    lines: list[Line] = [BLANK, (Span(" PROBE", "title"), Span("  parsed by the server, not run", "dim"))]
    trouble = looked.error or looked.denied or looked.asks
    if trouble and not probe.told:
        return [BLANK, cropped((Span(" PROBE  ", "title"), span(trouble, "dim")), width, glyphs.more)]
    if trouble:
        return [*lines, *paragraphs(trouble, width, "bad", first=(Span(" "),))]
    for number, result in enumerate(looked.results, start=1):
        lines.extend(result_lines(result, glyphs, width, (Span(f" {number:>2} ", "dim"),)))
    return lines


def _command(number: int, command: str, ruling: Ruling, glyphs: Glyphs, width: int) -> list[Line]:
    is_held = ruling.action is not Action.ALLOW
    sign = Span(f" {glyphs.held if is_held else ' '} ", "warn")
    role = "strong" if is_held else "command"
    lines = paragraphs(command, width, role, first=(sign, Span(f"{number} ", "dim")), indent=5)
    if is_held:
        lines += paragraphs(ruling.reason, width, "warn", first=(Span("     "),), indent=5)
    return lines
