"""Servers that remember: what was done before fails when it is done again, and that is no verdict on the model."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from selfplay_core.dataset.preferences import labels
from selfplay_core.errors import ConnectionLost, NothingSent, ServerUnreachable
from selfplay_core.llm.base import ChatReply
from selfplay_core.models import FailedBecause, Outcome, Trace, VerdictOutcome
from tests.fakes import ScriptedChat, ScriptedConsole, answer, make_prompt, make_solver

ADD, REMOVE = "scoreboard objectives add o dummy", "scoreboard objectives remove o"
SET, GIVE = "scoreboard players set Alex o 1", "give Alex torch 1"
REJECTED = "Unknown or incomplete command. See below for error\n<--[HERE]"


class Remembering:
    """A server with room for one objective.

    `cuts` are the numbers of the commands, counted from 1, whose reply is lost: after they ran, or before if they
    are negative.
    """

    def __init__(self, *cuts: int, exists: bool = False) -> None:
        self.cuts = cuts
        self.count = 0
        self.exists = exists

    def __call__(self, command: str) -> str | Exception:
        self.count += 1
        if -self.count in self.cuts:
            return ConnectionLost("cut before")
        reply = self.run(command)
        return ConnectionLost("cut after") if self.count in self.cuts else reply

    def run(self, command: str) -> str:
        match command.split()[:3]:
            case ["scoreboard", "objectives", "add"]:
                existed, self.exists = self.exists, True
                return "An objective already exists by that name" if existed else "Created new objective [o]"
            case ["scoreboard", "objectives", "remove"]:
                existed, self.exists = self.exists, False
                return "Removed objective [o]" if existed else "Unknown scoreboard objective 'o'"
            case ["scoreboard", "players", "set"]:
                return "Set [o] for Alex to 1" if self.exists else "Unknown scoreboard objective 'o'"
            case ["give", *_]:
                return "Gave 1 [Torch] to Alex"
        return REJECTED


async def solve(server: Callable[[str], str | Exception], *replies: ChatReply) -> tuple[Trace, ScriptedChat]:
    chat = ScriptedChat(list(replies))
    trace = await make_solver(chat, ScriptedConsole(server)).solve("t", make_prompt())
    assert isinstance(trace, Trace)
    return trace, chat


def verdicts(trace: Trace) -> list[VerdictOutcome]:
    return [result.verdict.outcome for result in trace.attempts[-1].results]


async def test_what_failed_when_sent_again_is_no_verdict() -> None:
    """Its reply was lost: whether it had run, and fails for that, nobody knows; the model hears of nothing."""
    trace, chat = await solve(Remembering(2), answer(GIVE, ADD))
    assert trace.outcome is Outcome.ERRORED
    assert "no verdict" in trace.reason
    assert ([attempt.results for attempt in trace.attempts], len(chat.requests)) == ([()], 1)


async def test_what_was_not_run_before_gets_its_verdict() -> None:
    """A reply that was lost before the command arrived costs nothing."""
    trace, _ = await solve(Remembering(-2), answer(GIVE, ADD))
    assert (trace.outcome, verdicts(trace)) == (Outcome.SOLVED, [VerdictOutcome.PASSED] * 2)


async def test_what_was_never_sent_gets_its_verdict() -> None:
    """A connection that had gone before has run nothing: what fails then, fails by itself."""

    def server(command: str) -> str | Exception:
        gone.append(command)
        return NothingSent("gone") if len(gone) == 1 else Remembering().run(command)

    gone: list[str] = []
    trace, chat = await solve(server, answer(SET), answer(GIVE))
    assert (trace.outcome, len(chat.requests)) == (Outcome.CORRECTED, 2)


async def test_the_first_whole_reply_stands() -> None:
    """The attempt runs again from its first command, whose second reply is about the repeat."""
    trace, _ = await solve(Remembering(2), answer(ADD, GIVE))
    assert (trace.outcome, verdicts(trace)) == (Outcome.SOLVED, [VerdictOutcome.PASSED] * 2)
    assert trace.attempts[0].results[0].reply == "Created new objective [o]"


async def test_a_repeat_does_not_put_a_wrong_order_right() -> None:
    """A command that needs one that stands behind it fails, however often a connection is lost."""
    trace, chat = await solve(Remembering(-3), answer(SET, ADD, GIVE), answer(ADD, SET, GIVE))
    first = trace.attempts[0].results[0]
    assert (first.verdict.outcome, first.verdict.because) == (VerdictOutcome.FAILED, FailedBecause.OTHER)
    assert len(chat.requests) == 2


async def test_what_the_parser_refuses_it_refuses_again() -> None:
    """A parser has no memory, so the model is told as ever."""
    trace, chat = await solve(Remembering(1), answer("givee"), answer(GIVE))
    assert (trace.outcome, len(chat.requests)) == (Outcome.CORRECTED, 2)


async def test_what_was_answered_outlives_the_servers_absence() -> None:
    """Between the two connections the server may be away for long."""
    console = ScriptedConsole(Remembering(2))
    solver = make_solver(ScriptedChat([answer(ADD, GIVE)]), console)
    console.refusals = []
    server = console.command

    async def command(text: str) -> str:
        try:
            return await server(text)
        except ConnectionLost:
            console.refusals = [ServerUnreachable("away")]
            raise

    console.command = command  # type: ignore[method-assign]  # the moment of the fault is what matters here
    trace = await solver.solve("t", make_prompt())
    assert isinstance(trace, Trace)
    assert (trace.outcome, console.opened) == (Outcome.SOLVED, 2)
    assert verdicts(trace) == [VerdictOutcome.PASSED] * 2


@pytest.mark.parametrize("also_wrong", [False, True])
async def test_what_passed_in_an_earlier_attempt_is_no_mistake_later(also_wrong: bool) -> None:
    """A complete new answer repeats what was right; that it is done by now waits for a person, and teaches nothing."""
    second = answer(REMOVE, "givee again" if also_wrong else GIVE)
    trace, chat = await solve(Remembering(exists=True), answer(REMOVE, "givee"), second, answer(GIVE))
    if also_wrong:
        assert (trace.outcome, len(chat.requests)) == (Outcome.CORRECTED, 3)
        return
    assert (trace.outcome, len(chat.requests)) == (Outcome.UNPROVEN, 2)
    assert "Unknown scoreboard objective" in trace.reason
    assert [label.attempt for label in labels(trace, None)] == [1]


async def test_what_failed_in_an_earlier_attempt_is_a_mistake_again() -> None:
    """Only what had passed is excused."""
    trace, chat = await solve(Remembering(), *[answer(SET, GIVE)] * 3)
    assert (trace.outcome, len(chat.requests)) == (Outcome.FAILED, 3)
