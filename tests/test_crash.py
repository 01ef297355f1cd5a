"""kill -9 of the whole command: nothing accepted is lost or written twice, no line is torn."""

from __future__ import annotations

import asyncio
import random
import sqlite3
from pathlib import Path

from tests.commands import run_command, server_flags, start_command
from tests.worlds import playground

KILLS = 12


async def test_killed_at_random_the_file_is_the_one_of_a_quiet_run(tmp_path: Path) -> None:
    """After any number of kills the last run completes the file to what it would have been, byte for byte."""
    rng = random.Random(20)
    quiet, stormy = tmp_path / "quiet", tmp_path / "stormy"
    quiet.mkdir()
    stormy.mkdir()
    output = stormy / "selfplay" / "self_play.jsonl"
    async with playground(tmp_path) as ground:
        words = ["--headless", "--rounds", "4", "--seed", "9", "--concurrency", "4", *server_flags(ground)]
        undisturbed = await run_command(quiet, *words)
        assert undisturbed.code == 0, undisturbed.err
        ground.slow = lambda body: 0.01
        rows = 0
        for _ in range(KILLS):
            await _kill_after(stormy, words, lines=rng.randrange(1, 40), seconds=rng.random() * 0.02)
            whole = output.read_bytes().count(b"\n") if output.exists() else 0
            assert whole >= rows
            rows = whole
        last = await run_command(stormy, *words)
        assert last.code == 0, last.err
    assert output.read_bytes() == (quiet / "selfplay" / "self_play.jsonl").read_bytes()
    with sqlite3.connect(stormy / "selfplay" / "selfplay.db") as database:
        assert database.execute("PRAGMA integrity_check").fetchone() == ("ok",)
        assert database.execute("SELECT count(*), count(DISTINCT id) FROM trace").fetchone() == (60, 60)


async def _kill_after(folder: Path, words: list[str], *, lines: int, seconds: float) -> None:
    """Start the command, and kill it a moment after it has told a number of events."""
    process = await start_command(folder, *words)
    assert process.stdout is not None
    for _ in range(lines):
        if not await process.stdout.readline():
            break
    try:
        await asyncio.wait_for(process.wait(), seconds)
    except TimeoutError:
        process.kill()
    await process.communicate()
