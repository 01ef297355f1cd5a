"""Targets: the sandbox's judge of commands, and files of cases for a bake-off."""

from __future__ import annotations

from pathlib import Path
from tempfile import TemporaryDirectory

from selfplay_core.bakeoff.cases import read_cases
from selfplay_core.errors import SettingsError
from selfplay_core.models import VerdictOutcome
from selfplay_core.sandbox.parser.judge import beyond, judge
from selfplay_core.sandbox.parser.problem import Problem, with_context
from selfplay_core.text import one_line
from selfplay_core.verify.verdict import judge as judge_reply
from tests.fuzzing.laws import assert_shown

__all__ = ["cases", "sandbox_judge"]


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


def cases(data: bytes) -> None:
    """Any file holds cases, the same again from itself, or has an error that names it."""
    with TemporaryDirectory() as folder:
        path = Path(folder, "cases.jsonl")
        path.write_bytes(data)
        try:
            book = read_cases(str(path), None)
        except SettingsError as error:
            assert_shown(one_line(str(error)), 2000)
            return
        assert book.cases
        assert read_cases(str(path), None).digest == book.digest
    for case in book.cases:
        assert case.prompt == case.prompt.strip()
        assert len(case.prompt.splitlines()) == 1
