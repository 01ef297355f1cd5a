"""Target: the sandbox's judge of commands."""

from __future__ import annotations

from selfplay_core.models import VerdictOutcome
from selfplay_core.sandbox.parser.judge import beyond, judge
from selfplay_core.sandbox.parser.problem import Problem, with_context
from selfplay_core.verify.verdict import judge as judge_reply

__all__ = ["sandbox_judge"]


def sandbox_judge(data: bytes) -> None:
    """Any text is a command or a complaint whose place is in it, and which reads as a rejection, as a server's does."""
    command = data.decode("utf-8", "replace")
    found = judge(command)
    if not isinstance(found, Problem):
        assert not beyond(command)
        return
    assert found.message
    assert found.cursor is None or 0 <= found.cursor <= len(command)
    if found.cursor is not None:
        assert judge_reply(with_context(found, command), command).outcome is VerdictOutcome.REJECTED
