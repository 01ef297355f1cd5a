"""A few cases of every kind, and their lines in every format as the trainers' own code has taken them.

`python -m tests.golden_cases` writes the files anew; `make test-consumers` then says whether trainers still take them.
"""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from selfplay_core.dataset.cases import Case, LeftOut, Origin
from selfplay_core.exchange.formats import FORMATS
from selfplay_core.models import (
    Answer,
    Attempt,
    CommandResult,
    Decision,
    DecisionKind,
    FailedBecause,
    Level,
    Outcome,
    Trace,
    VerdictOutcome,
)
from tests.samples import ACCEPT, PAPER, make_attempt, make_result, make_trace

__all__ = ["CASES", "GOLDEN", "a_case", "corrected", "lines_of"]

GOLDEN = Path(__file__).with_name("golden")

QUOTED = """tellraw @a [{"text":"a \\\\ \\"b\\"","color":"gold"},"\u00fc \U0001f600 </tool_call>"]"""
WRONG = "effect give @a minecraft:speeed 10"
REPLY = "Can't find element 'minecraft:speeed' of type 'minecraft:mob_effect'\neffect give @a minecraft:speeed<--[HERE]"
REJECT = Decision(DecisionKind.REJECT, by="operator", at=3.0, reason="wrong")


def a_case(number: int, trace: Trace, *history: Decision) -> Case:
    """A case whose trace is named by its number."""
    placed = replace(trace, id=f"{number:024x}", prompt=replace(trace.prompt, slot=number))
    return Case(number, placed, history, 1000.0 + number, Origin("run", "12345678901234567890"), flagged=number == 2)


def refused(number: int, *more: CommandResult) -> Attempt:
    """An attempt of which the server refused one command."""
    return make_attempt(number, make_result(WRONG, VerdictOutcome.REJECTED, reply=REPLY), *more)


def corrected(*, message: str | None = None) -> Trace:
    """Right at the second attempt, with several commands in both."""
    first = refused(1, make_result(QUOTED, reply=""))
    good = make_result("effect give @a minecraft:speed 10", reply="Applied effect Speed to 4 targets")
    second = make_attempt(2, good, make_result(QUOTED, reply=""), reasoning="The id is speed.", message=message)
    if message is not None:
        assert first.answer is not None
        first = replace(first, answer=replace(first.answer, message="So be it."))
    text = "pray make us fast" if message is not None else "sudo make us fast"
    return make_trace(first, second, outcome=Outcome.CORRECTED, text=text, category="entity_nbt")


def _thrice() -> Trace:
    """Refused, no answer at all, then right after a person's hint."""
    nothing = Attempt(2, '{"commands": "none"}', None, error="commands is no list")
    hinted = replace(make_attempt(3, make_result("time set noon")), hint="It is about the time.")
    return make_trace(refused(1), nothing, hinted, outcome=Outcome.CORRECTED, text="sudo noon please")


def _edited(answer: Answer, *results: CommandResult, prompt: str | None = None) -> Decision:
    world = PAPER if results else None
    return Decision(
        DecisionKind.EDIT, by="ada", at=4.0, edited=answer, edited_prompt=prompt, results=results, world=world
    )


_REFUSAL = Attempt(1, "{}", Answer((), "Operator rights are not given by request."))
_NOBODY = make_result(
    "kill @e[type=cow]", VerdictOutcome.FAILED, reply="No entity was found", because=FailedBecause.NOBODY
)
_NOON = make_result("time set noon", reply="Set the time to 6000")

CASES: tuple[Case, ...] = (
    a_case(1, make_trace(), ACCEPT),
    a_case(2, make_trace(make_attempt(1, _NOON, message="Let there be noon."), text="pray for noon"), ACCEPT),
    a_case(3, corrected(), ACCEPT),
    a_case(4, corrected(message="Run, little ones."), ACCEPT),
    a_case(5, _thrice(), ACCEPT),
    a_case(6, make_trace(_REFUSAL, outcome=Outcome.REFUSED, level=Level.NONE, text="sudo op me"), ACCEPT),
    a_case(7, make_trace(text="sudo midday"), _edited(Answer(("time set noon",), "Noon is midday."), _NOON)),
    a_case(8, make_trace(text="sudo dawn"), _edited(Answer(("time set 0",), "Dawn."), prompt="sudo make it dawn")),
    a_case(9, make_trace(text="sudo a torch!"), REJECT),
    a_case(10, make_trace(refused(1), refused(2), outcome=Outcome.FAILED, level=Level.NONE, text="sudo speed")),
    a_case(11, make_trace(make_attempt(1, _NOBODY), outcome=Outcome.UNPROVEN, level=Level.PARSED, text="sudo no cows")),
)


def lines_of(name: str) -> bytes:
    """All lines of all cases in a format."""
    found: list[bytes] = []
    for case in CASES:
        lines = FORMATS[name].lines(case)
        if not isinstance(lines, LeftOut):
            found.extend(line.data + b"\n" for line in lines)
    return b"".join(found)


if __name__ == "__main__":
    for format_name in FORMATS:
        GOLDEN.joinpath(f"{format_name}.jsonl").write_bytes(lines_of(format_name))
