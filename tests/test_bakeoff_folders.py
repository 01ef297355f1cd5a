"""The folder of a bake-off: one at a time in it, always the same one, and never somebody's workspace."""

from __future__ import annotations

import asyncio
from contextlib import closing
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from selfplay_core.bakeoff.ledger import read_folder
from selfplay_core.errors import UsageError, WorkspaceError
from selfplay_core.store.database import Database
from tests.bakeoffs import Skill, bake, bakery, write_cases
from tests.servers.ollama import Reply
from tests.worlds import play, playground


async def test_of_two_that_begin_at_once_in_one_folder_one_is_refused(tmp_path: Path) -> None:
    """Whoever comes second finds the folder in use, or others' cases in it, and asks none of its own."""
    book, other_book = write_cases(tmp_path, 5), write_cases(tmp_path, 9)
    async with bakery(tmp_path, good=Skill(100)) as ground:
        ended = await asyncio.gather(
            bake(ground.job(book)), bake(ground.job(other_book, run__seed=6)), return_exceptions=True
        )
    (refused,) = (one for one in ended if isinstance(one, BaseException))
    assert isinstance(refused, UsageError)
    ledger = read_folder(tmp_path / "bakeoff")
    assert len(ledger.entrants[0].results) == len(ledger.book.cases)


async def test_another_bakeoff_in_its_folder_is_refused_by_what_differs(tmp_path: Path) -> None:
    book, other_book = write_cases(tmp_path, 5), write_cases(tmp_path, 6)
    async with bakery(tmp_path, good=Skill(90)) as ground:
        await bake(ground.job(book))
        for job, told in (
            (ground.job(other_book), "its cases are others"),
            (ground.job(book, run__max_retries=0), "max_retries is 2 there, 0 here"),
            (ground.job(book, run__seed=9), "its seed is 5"),
        ):
            with pytest.raises(UsageError, match=told):
                await bake(job)
        (tmp_path / "full").mkdir()
        (tmp_path / "full" / "letter.txt").write_text("dear")
        with pytest.raises(UsageError, match="not empty"):
            await bake(ground.job(book, folder="full"))
        goes_on = await bake(ground.job(book, run__seed=None, run__concurrency=3))
    assert goes_on.marked == []


async def test_a_workspace_is_no_folder_for_a_bakeoff_nor_the_other_way_round(tmp_path: Path) -> None:
    async with playground(tmp_path) as ground:
        await play(ground.job(run__rounds=1))
        book = write_cases(tmp_path, 5)
        async with bakery(tmp_path, good=Skill(90)) as bakers:
            with pytest.raises(UsageError, match="is the workspace that the cases are kept out of"):
                await bake(bakers.job(book, folder="workspace"))
            elsewhere = replace(bakers.job(book, folder="workspace"), workspace=tmp_path / "elsewhere")
            with pytest.raises(UsageError, match=r"a workspace of its own"):
                await bake(elsewhere)
            await bake(bakers.job(book))
        with pytest.raises(WorkspaceError, match="holds a bake-off"):
            await play(ground.job(workspace="bakeoff"))


async def test_two_of_them_in_one_folder_are_one_too_many(tmp_path: Path) -> None:
    book = write_cases(tmp_path, 8)
    async with bakery(tmp_path, good=Skill(90)) as ground:
        begun = asyncio.Event()
        loop = asyncio.get_running_loop()

        def script(body: dict[str, Any]) -> Reply | None:
            loop.call_soon_threadsafe(begun.set)
            return None

        ground.script = script
        first = asyncio.create_task(bake(ground.job(book)))
        await begun.wait()
        with closing(Database.open(ground.folder / "bakeoff")) as database:
            assert database.is_generating()
            assert not database.lease.acquire()
        baked = await first
    assert baked.ended.status == "done"
