"""An example while it is edited: what it starts from, what has been changed, and what has been shown of it."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Final

from selfplay_core.dataset.evidence import evidence_of, holds
from selfplay_core.models import (
    Answer,
    CommandResult,
    Decision,
    DecisionKind,
    Mode,
    Trace,
    WorldIdentity,
)

__all__ = ["FIELD_NAMES", "Fields", "Proof", "Start", "commands_in", "is_proven", "made_of", "mended", "start_of"]

FIELD_NAMES: Final = ("prompt", "commands", "reasoning", "message")
_LONE_SURROGATE: Final = re.compile("[\ud800-\udfff]")


@dataclass(frozen=True, slots=True)
class Fields:
    """What a person edits, as text: one command a line; `message` is None outside god mode."""

    prompt: str
    commands: str
    reasoning: str
    message: str | None = None


@dataclass(frozen=True, slots=True)
class Proof:
    """What a server made of exactly these commands."""

    results: tuple[CommandResult, ...]
    world: WorldIdentity | None

    def is_for(self, commands: Sequence[str]) -> bool:
        """Whether the verdicts are those of these commands, in this order."""
        return tuple(result.command for result in self.results) == tuple(commands)


@dataclass(frozen=True, slots=True)
class Start:
    """What an edit begins with: the edit that stands, else the model's last answer, else nothing.

    `own` is the model's answer, whose evidence is the trace's, and `own_proven` says whether that proves it; `proof`
    is that of a standing edit.
    """

    prompt: str
    answer: Answer
    own_prompt: str
    own: Answer | None
    proof: Proof | None
    own_proven: bool = False

    @property
    def fields(self) -> Fields:
        """The text of each field."""
        return Fields(self.prompt, "\n".join(self.answer.commands), self.answer.reasoning, self.answer.message)


def start_of(trace: Trace, standing: Decision | None) -> Start:
    """Return what an edit of a trace begins with."""
    own = trace.last.answer if trace.last is not None else None
    blank = Answer((), "", "" if trace.prompt.mode is Mode.GOD else None)
    edit = standing if standing is not None and standing.kind is DecisionKind.EDIT else None
    answer = (edit.edited if edit is not None else None) or own or blank
    if trace.prompt.mode is Mode.GOD and answer.message is None:
        answer = Answer(answer.commands, answer.reasoning, "")
    proof = Proof(edit.results, edit.world) if edit is not None and edit.results else None
    prompt = (edit.edited_prompt if edit is not None else None) or trace.prompt.text
    proven = own is not None and evidence_of(trace, None, own).is_proof
    return Start(prompt, answer, trace.prompt.text, own, proof, proven)


def commands_in(text: str) -> tuple[str, ...]:
    """Return the commands of a text: one a line, blank lines left out."""
    return tuple(line.strip() for line in mended(text).split("\n") if line.strip())


def mended(text: str) -> str:
    """Return text that a file can hold: a lone surrogate, which no encoding has, becomes U+FFFD."""
    return _LONE_SURROGATE.sub("\ufffd", text)


def is_proven(proof: Proof | None, commands: Sequence[str]) -> bool:
    """Whether verdicts for exactly these commands show that all passed, or had nothing to change."""
    if proof is None or not commands or not proof.is_for(commands):
        return False
    return all(map(holds, proof.results))


def made_of(
    start: Start, prompt: str, answer: Answer, proof: Proof | None, *, by: str, at: float, accepts: bool = True
) -> Decision | None:
    """Return the decision that an edit is, None if nothing differs from what the model wrote.

    Verdicts of changed commands enter it whatever they say. Those of the model's own enter it only where they prove
    what the trace does not; such verdicts alone are an acceptance, if it `accepts`.
    """
    edited = None if _same(answer, start.own) else answer
    edited_prompt = prompt if prompt != start.own_prompt else None
    own_commands = start.own.commands if start.own is not None else ()
    is_changed = answer.commands != own_commands
    proves = (is_changed or not start.own_proven) and is_proven(proof, answer.commands)
    fresh = proof if proof is not None and (proves or (is_changed and proof.is_for(answer.commands))) else None
    is_edit = edited is not None or edited_prompt is not None
    if not is_edit and not (proves and accepts):
        return None
    return Decision(
        DecisionKind.EDIT if is_edit else DecisionKind.ACCEPT,
        by=by,
        at=at,
        edited=_mended(edited) if edited is not None else None,
        edited_prompt=mended(edited_prompt) if edited_prompt is not None else None,
        results=fresh.results if fresh is not None else (),
        world=fresh.world if fresh is not None else None,
    )


def _mended(answer: Answer) -> Answer:
    return replace(
        answer,
        commands=tuple(map(mended, answer.commands)),
        reasoning=mended(answer.reasoning),
        message=mended(answer.message) if answer.message is not None else None,
    )


def _same(answer: Answer, own: Answer | None) -> bool:
    if own is None:
        return not (answer.commands or answer.reasoning or answer.message)
    return (answer.commands, answer.reasoning, answer.message or "") == (own.commands, own.reasoning, own.message or "")
