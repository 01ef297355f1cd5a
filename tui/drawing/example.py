"""The example pane: what the player typed, what the model answered, what the server said, how it was decided."""

from __future__ import annotations

from typing import Final

from selfplay_core.dataset.evidence import own_commands
from selfplay_core.models import Decision, Mode, Outcome
from selfplay_core.store.listing import Example
from tui.drawing.answer import Shown, answer_lines, answer_shown
from tui.drawing.blocks import framed, heading, is_blank, note, text_lines
from tui.drawing.glyphs import Glyphs
from tui.drawing.lines import BLANK, Line, Span, span, wrapped
from tui.drawing.rivals import mark_lines, rival_lines
from tui.drawing.strip import strip_line
from tui.drawing.words import decided_word, decider, decision_role, outcome_role, outcome_words

__all__ = ["example_lines"]

_GOOD: Final = (Outcome.SOLVED, Outcome.CORRECTED)


def example_lines(shown: Example, width: int, glyphs: Glyphs, *, held: bool = False) -> list[Line]:
    """Return everything that a decision on an example needs; `held` is one that waits for a person's permission."""
    inner = width - 2
    answer = answer_shown(shown)
    lines = [
        strip_line(shown, answer, inner, glyphs, held=held),
        *_ending(shown, inner, glyphs, held=held),
        *(mark_lines(shown.entered, inner) if shown.entered is not None else ()),
        BLANK,
        *_prompt(shown, inner, glyphs),
        BLANK,
        *_answer(shown, answer, inner, glyphs),
        *_message(shown, answer, inner, glyphs),
        *_reasoning(answer, inner, glyphs),
        *(rival_lines(shown.entered, inner, glyphs) if shown.entered is not None else ()),
    ]
    return framed(lines)


def _ending(shown: Example, width: int, glyphs: Glyphs, *, held: bool) -> list[Line]:
    """Return how the trace ended and how it stands decided; what went wrong has its reason under it."""
    trace, decision = shown.trace, shown.standing.decision
    role = "warn" if held else outcome_role(trace.outcome)
    sign = glyphs.held if held else glyphs.outcome(trace.outcome)
    words = outcome_words(trace, held=held)
    if decision is not None and decision.edited is not None and decision.edited.commands != own_commands(trace):
        # Of what a person wrote the verdicts above say how it ended.
        sign, role, words = glyphs.dot, "dim", f"the model's own commands: {words}"
    lines = wrapped([Span(words, role)], width, first=(Span(f"{sign} ", role),))
    if trace.reason and (held or trace.outcome not in _GOOD):
        lines.extend(text_lines(trace.reason, width, "text", glyphs, first=(Span("  "),), indent=2))
    if decision is not None:
        lines.extend(_decided(decision, width, glyphs))
    return lines


def _decided(decision: Decision, width: int, glyphs: Glyphs) -> list[Line]:
    role = decision_role(decision.kind)
    pieces = [Span(decided_word(decision), role), Span(" "), span(decider(decision), "dim")]
    if decision.reason:
        pieces.extend((Span(": ", "dim"), span(decision.reason)))
    return wrapped(pieces, width, first=(Span(f"{glyphs.decision(decision.kind)} ", role),))


def _prompt(shown: Example, width: int, glyphs: Glyphs) -> list[Line]:
    decision = shown.standing.decision
    edited = decision.edited_prompt if decision is not None else None
    remark = _edited_by(decision.by, glyphs) if decision is not None and edited is not None else BLANK
    text = shown.trace.prompt.text if edited is None else edited
    return [heading("PROMPT", width, glyphs, remark), *text_lines(text, width, "prompt", glyphs)]


def _answer(shown: Example, answer: Shown, width: int, glyphs: Glyphs) -> list[Line]:
    lines = [heading("ANSWER", width, glyphs, _answer_remark(answer, glyphs))]
    if answer.unproven:
        words = f"{answer.unproven}: rcon_verified will be false"
        lines.extend(wrapped([Span(words, "warn")], width, first=(Span(f"{glyphs.held} ", "warn"),)))
    if answer.answer is None:
        return [*lines, *_unusable(shown, width, glyphs)]
    last = shown.trace.last
    if not answer.edited_by and last is not None and last.error is not None:
        lines.extend(_error(last.error, width, glyphs))
    if not answer.commands:
        return [*lines, *note("no commands", width)]
    lines.extend(answer_lines(answer, width, glyphs))
    contexts = dict.fromkeys(result.context for result in answer.results if result.context)
    for context in contexts:
        lines.extend(wrapped([Span("sent behind ", "dim"), span(context, "dim")], width, words=False))
    return lines


def _unusable(shown: Example, width: int, glyphs: Glyphs) -> list[Line]:
    """Return what came instead of an answer."""
    last = shown.trace.last
    if last is None:
        return note("The model gave none.", width)
    lines = _error(last.error or "this is no answer", width, glyphs)
    if not last.raw:
        return [*lines, *note("The reply was empty.", width)]
    return [*lines, *note("the reply as it came", width), *text_lines(last.raw, width, "text", glyphs)]


def _error(error: str, width: int, glyphs: Glyphs) -> list[Line]:
    return text_lines(error, width, "bad", glyphs, first=(Span(f"{glyphs.reject} ", "bad"),), indent=2)


def _answer_remark(answer: Shown, glyphs: Glyphs) -> Line:
    if answer.edited_by:
        return _edited_by(answer.edited_by, glyphs)
    return (Span(f"{glyphs.retry} changed by retry", "info"),) if answer.changed else BLANK


def _edited_by(by: str, glyphs: Glyphs) -> Line:
    return (Span(f"{glyphs.edit} edited by ", "info"), span(by, "info"))


def _message(shown: Example, answer: Shown, width: int, glyphs: Glyphs) -> list[Line]:
    if answer.answer is None or (shown.trace.prompt.mode is not Mode.GOD and not answer.answer.message):
        return []
    title = [BLANK, heading("MESSAGE", width, glyphs)]
    if not answer.answer.message:
        return [*title, *note("none, though a god was asked", width, "warn")]
    return [*title, *text_lines(answer.answer.message, width, "text", glyphs)]


def _reasoning(answer: Shown, width: int, glyphs: Glyphs) -> list[Line]:
    if answer.answer is None:
        return []
    title = [BLANK, heading("REASONING", width, glyphs)]
    if is_blank(answer.answer.reasoning):
        return [*title, *note("none", width)]
    return [*title, *text_lines(answer.answer.reasoning, width, "reasoning", glyphs)]
