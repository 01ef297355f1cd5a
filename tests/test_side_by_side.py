"""Several processes that want the same thing at the same moment: one has it, the others say so, and a kill frees it."""

from __future__ import annotations

import asyncio
import os
import re
import signal
import time
from contextlib import closing
from functools import partial
from pathlib import Path
from typing import Final

import orjson

from selfplay_core.store.database import Database, Reader
from tests.commands import server_flags
from tests.nursery import Child, Nursery
from tests.storm_laws import Told, assert_laws, copied
from tests.storms import generator_words
from tests.tallies import COUNTED
from tests.terminal import Terminal
from tests.worlds import PASSWORD, playground
from tui.state.review import SIGHT_SECONDS

AT_ONCE: Final = 5
_COUNTS: Final = re.compile(r"✓ (\d+)  ✗ (\d+)")


def the_one_that_runs(children: list[Child]) -> Child:
    """Wait until all but one have ended, and return that one."""
    running = [child for child in children if child.has_said(1) and '"run_started"' in child.lines[0]]
    assert len(running) == 1, [(child.lines[:1], child.said) for child in children]
    return running[0]


def test_generators_started_at_the_same_moment(nursery: Nursery, tmp_path: Path) -> None:
    """Of several on one workspace, also a new one, one runs; the others say so with exit 2, and a kill frees it."""
    words = generator_words(seed=3, rounds=50)
    told = Told()
    for _ in range(4):
        children = [nursery.start("command", *words, folder=tmp_path) for _ in range(AT_ONCE)]
        runs = the_one_that_runs(children)
        for child in children:
            if child is not runs:
                assert child.wait() == 2, child.said
                assert child.said.splitlines() == [
                    "selfplay-tui: another process generates in this workspace: workspace. "
                    "Wait for its end, or use another --workspace."
                ]
        assert runs.has_said(20)
        assert runs.kill() == -signal.SIGKILL
        COUNTED["generator"] += 1
        told.take(runs.lines)
        assert_laws(tmp_path / "workspace", told)
    with copied(tmp_path / "workspace") as copy, closing(Database.open(copy)) as database:
        assert database.rows("SELECT count(*) FROM run") == [(1,)]


async def test_one_server_for_several_workspaces(nursery: Nursery, tmp_path: Path) -> None:
    """Of runs on workspaces of their own and one server, one speaks to it; the others name it with exit 3."""
    async with playground(tmp_path) as ground:
        ground.slow = lambda body: 0.05
        for turn in range(2):
            await asyncio.to_thread(_one_speaks, nursery, tmp_path, server_flags(ground))
            assert ground.server.connections == turn + 1


def _one_speaks(nursery: Nursery, folder: Path, flags: list[str]) -> None:
    children = []
    for number in range(AT_ONCE - 1):
        words = generator_words(*flags, seed=3, rounds=50, workspace=f"{number}")
        children.append(nursery.start("command", *words, folder=folder, SELFPLAY_RCON__PASSWORD=PASSWORD))
    runs = the_one_that_runs(children)
    for child in children:
        if child is not runs:
            assert child.wait() == 3, child.said
            assert f"in use by process {runs.pid} on this machine" in child.said
            assert "Stop that one, or wait until it is done" in child.said
    assert runs.has_said(20)
    assert runs.kill() == -signal.SIGKILL
    COUNTED["generator"] += 1


def test_the_real_screen_is_killed(nursery: Nursery, tmp_path: Path) -> None:
    """Keys are pressed while a run and an export go on, and the screen is killed: what it showed as decided, is."""
    workspace = tmp_path / "workspace"
    assert nursery.run("command", *generator_words("--accept", "none", seed=3, rounds=1), folder=tmp_path).wait() == 0
    words = generator_words(seed=4, rounds=1000)
    generator = nursery.start("command", *words, folder=tmp_path, name="generator")
    words = ["workspace", "native", "out.jsonl", "", "decision:reject"]
    exporter = nursery.start("export_on_end", *words, folder=tmp_path, name="exporter")
    shown = (0, 0)
    for session in range(4):
        with Terminal(tmp_path, "review", "--workspace", "workspace") as terminal:
            terminal.wait_for("wait")
            for key in "ar":
                before = counts(terminal.screen())
                time.sleep(2 * SIGHT_SECONDS)  # the operator looks at it
                terminal.press(key)
                terminal.wait_for(partial(_has_grown, before, "ar".index(key)))
            shown = counts(terminal.screen())
            time.sleep(2 * SIGHT_SECONDS)
            terminal.press("a")
            time.sleep(0.01 * session)  # whether this one is saved, nobody was told
            os.kill(terminal.pid, signal.SIGKILL)
            assert terminal.wait_for_end() == -signal.SIGKILL
            COUNTED["review screen"] += 1
        with closing(Reader.open(workspace)) as reader:
            made = dict(reader.rows("SELECT decision, count(*) FROM trace GROUP BY 1"))
        assert made.get("accept", 0) >= shown[0]
        assert made.get("reject", 0) >= shown[1]
    told = Told()
    for child in (exporter, generator):
        assert child.kill() == -signal.SIGKILL, child.said
        COUNTED[child.name] += 1
    told.take(generator.lines)
    assert_laws(workspace, told)
    assert all(line == "nothing to export" or orjson.loads(line)["lines"] for line in exporter.lines)
    assert any(line.startswith("{") for line in exporter.lines)


def counts(screen: list[str]) -> tuple[int, int]:
    """How many the screen shows as accepted and as rejected."""
    found = _COUNTS.search(screen[0])
    return (int(found[1]), int(found[2])) if found else (0, 0)


def _has_grown(before: tuple[int, int], which: int, screen: list[str]) -> bool:
    return counts(screen)[which] > before[which]
