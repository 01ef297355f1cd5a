"""A batch run as a person sees it, in a real pseudo-terminal."""

from __future__ import annotations

import asyncio
import re
from pathlib import Path

import pexpect
import pytest

from tests.commands import COMMAND, clean_environment, server_flags
from tests.worlds import PASSWORD, playground

HOSTILE = "sudo \x1b]0;evil\x07\x1b[2J\x9b31m\u202e[/bold] torch"
CSI = re.compile(r"\x1b\[[0-9;?]*[a-zA-Z]")


def in_terminal(folder: Path, words: list[str], *, columns: int = 100) -> tuple[str, int]:
    """Run the command in a terminal and return every character that it was sent, and the exit code."""
    child = pexpect.spawn(
        COMMAND,
        words,
        cwd=str(folder),
        env=clean_environment(folder, SELFPLAY_RCON__PASSWORD=PASSWORD, TERM="xterm-256color"),
        dimensions=(24, columns),
        encoding="utf-8",
        timeout=60,
    )
    child.expect(pexpect.EOF)
    child.close()
    return str(child.before), child.exitstatus or 0


async def test_a_person_sees_a_line_a_prompt_and_the_table(tmp_path: Path) -> None:
    """The original's words for each outcome, the bar's counts, and the summary per category."""
    async with playground(tmp_path) as ground:
        words = ["--headless", "--rounds", "1", "--seed", "3", *server_flags(ground)]
        shown, code = await asyncio.to_thread(in_terminal, tmp_path, words)
    assert code == 0
    lines = CSI.sub("", shown).replace("\r", "\n").splitlines()
    told = [line for line in lines if re.match(r"\[[a-z_]+\] sudo ", line)]
    assert len(told) == 15
    assert any(line.endswith("OK (1 cmds)") for line in told)
    assert all(re.search(r"  (OK \(\d cmds\)|CORRECTED \(\d attempts\)|[A-Z]+)$", line) for line in told)
    assert any(re.search(r"\d+/15 .*\d+ ok", line) for line in lines)
    assert any(line.startswith("all ") for line in lines)
    assert not any('{"event"' in line for line in lines)


@pytest.mark.parametrize("more", [[], ["--json"], ["--dry-run"]])
async def test_hostile_text_reaches_no_terminal(tmp_path: Path, more: list[str]) -> None:
    """A prompt full of control characters is shown, and obeyed by nobody, in every form of output."""
    (tmp_path / "prompts.txt").write_text(HOSTILE + "\n", encoding="utf-8")
    async with playground(tmp_path) as ground:
        words = ["--headless", "--prompts", "prompts.txt", *more, *server_flags(ground)]
        shown, code = await asyncio.to_thread(in_terminal, tmp_path, words)
    assert code == 0
    assert "evil" in shown
    for hostile in ("\x1b]", "\x1b[2J", "\x07", "\x9b", "\u202e"):
        assert hostile not in shown
    assert "[/bold]" in shown
