"""Which answer of an example is shown, with the verdicts that speak for it, and how its commands are drawn."""

from __future__ import annotations

from dataclasses import dataclass

from selfplay_core.dataset.evidence import Evidence, evidence_of, standing_answer
from selfplay_core.models import Answer, CommandResult, Decision, Level, WorldKind
from selfplay_core.store.listing import Example
from tui.drawing.blocks import Gutter, command_lines, reply_lines
from tui.drawing.glyphs import Glyphs
from tui.drawing.lines import Line, Span, span, wrapped
from tui.drawing.words import Risk, risks, verdict_role

__all__ = ["Shown", "answer_lines", "answer_shown", "gutter_of"]

_ASKS = 4


@dataclass(frozen=True, slots=True)
class Shown:
    """The answer that would become a row, and what the server made of exactly its commands.

    `changed` are the places of commands that differ from the attempt before, or from the model's where a person
    edited them; `unproven` says why an edited answer's row will not claim to be verified, blank if it will.
    """

    answer: Answer | None
    results: tuple[CommandResult, ...]
    changed: frozenset[int]
    edited_by: str = ""
    unproven: str = ""

    @property
    def commands(self) -> tuple[str, ...]:
        """Its commands."""
        return self.answer.commands if self.answer is not None else ()

    @property
    def level(self) -> Level:
        """The lowest level among its commands."""
        if not self.results:
            return Level.NONE
        return min((result.level for result in self.results), key=lambda level: level.rank)


def answer_shown(shown: Example) -> Shown:
    """Return what a person edited or had run again, else what the model said last."""
    decision = shown.standing.decision
    attempts = shown.trace.attempts
    answer = standing_answer(shown.trace, decision)
    if decision is not None and answer is not None and (decision.edited is not None or decision.results):
        return _decided(shown, decision, answer)
    if not attempts:
        return Shown(None, (), frozenset())
    last = attempts[-1]
    before = attempts[-2].answer if len(attempts) > 1 else None
    commands = last.answer.commands if last.answer is not None else ()
    return Shown(last.answer, last.results, _changed(before, commands))


def answer_lines(answer: Shown, width: int, glyphs: Glyphs) -> list[Line]:
    """Return the commands, each with its sign in the gutter and the server's reply under it."""
    commands = answer.commands
    digits = len(str(len(commands)))
    sign = Span(glyphs.edit if answer.edited_by else glyphs.retry, "info")
    lines: list[Line] = []
    results = (*answer.results, *(None for _ in commands))
    for index, (command, result, risk) in enumerate(zip(commands, results, risks(commands), strict=False)):
        gutter = gutter_of(sign if index in answer.changed else Span(" "), index + 1, digits, result, glyphs)
        lines.extend(command_lines(command, gutter, width, glyphs))
        lines.extend(_risk_lines(risk, gutter.width, width, glyphs))
        if result is not None:
            first: Line = (Span(" " * (gutter.width - 2)), Span(f"{glyphs.reply} ", "dim"))
            lines.extend(reply_lines(result, first, gutter.width, width, glyphs))
    return lines


def gutter_of(sign: Span, number: int, digits: int, result: CommandResult | None, glyphs: Glyphs) -> Gutter:
    """Return what stands before a command; without a result it was not run."""
    if result is None:
        return Gutter(sign, number, digits, Span(glyphs.dot, "dim"))
    return Gutter(sign, number, digits, Span(glyphs.verdict(result.verdict.outcome), verdict_role(result)))


def _risk_lines(risk: Risk, indent: int, width: int, glyphs: Glyphs) -> list[Line]:
    if risk[0] < _ASKS:
        return []
    first: Line = (Span(" " * (indent - 2)), Span(f"{glyphs.held} ", "warn"))
    return wrapped([span(risk[1], "warn")], width, first=first)


def _decided(shown: Example, decision: Decision, answer: Answer) -> Shown:
    last = shown.trace.last
    original = last.answer if last is not None else None
    evidence = evidence_of(shown.trace, decision, answer)
    by = decision.by if decision.edited is not None else ""
    return Shown(answer, evidence.results, _changed(original, answer.commands), by, _why_unproven(answer, evidence))


def _why_unproven(answer: Answer, evidence: Evidence) -> str:
    if evidence.is_verified:
        return ""
    if not answer.commands or not evidence.results:
        return "not verified"
    return "sandbox only" if evidence.world.kind is WorldKind.SANDBOX else "not all shown to work"


def _changed(before: Answer | None, commands: tuple[str, ...]) -> frozenset[int]:
    """Return the places at which a command is another than before; all are the same where there was no answer."""
    if before is None:
        return frozenset()
    old = before.commands
    return frozenset(index for index, command in enumerate(commands) if index >= len(old) or old[index] != command)
