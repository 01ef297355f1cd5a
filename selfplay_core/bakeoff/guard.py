"""Cases and training rows kept apart: what models are compared by must not be what they are taught."""

from __future__ import annotations

import time
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

from selfplay_core.bakeoff.cases import CaseBook
from selfplay_core.errors import UsageError
from selfplay_core.likeness.copies import Copies
from selfplay_core.store.bans import add_bans, lift_bans
from selfplay_core.store.database import DATABASE_NAME, Database, open_current
from selfplay_core.store.thread import open_store

__all__ = ["Leaks", "keep_out", "leaks_into", "lift"]


@dataclass(frozen=True, slots=True)
class Leaks:
    """Accepted traces of a workspace that hold a case, or nearly one, by number; None where there is no workspace."""

    workspace: str
    numbers: tuple[int, ...] | None


async def keep_out(book: CaseBook, workspace: Path) -> None:
    """Ban the cases of a file from the rows of a workspace from here on.

    Cases that are accepted traces of the workspace already are no secret, and nothing is banned.
    """
    if book.is_workspace:
        return
    prompts = [case.prompt for case in book.cases]
    _refuse_own_rows(book, workspace)
    async with open_store(workspace) as store:
        await store.do(add_bans, prompts, source=book.source, at=time.time())


def lift(book: CaseBook, workspace: Path) -> int:
    """Let the cases of a file become rows of a workspace again; returns how many were banned."""
    with closing(Database.open(workspace)) as database:
        return lift_bans(database, [case.prompt for case in book.cases])


def _refuse_own_rows(book: CaseBook, workspace: Path) -> None:
    """Raise UsageError by cases that are what the workspace has to train on: a ban would leave nothing of it."""
    held = leaks_into(book, workspace).numbers or ()
    if len(held) * 2 > len(book.cases):
        raise UsageError(
            f"of the {len(book.cases)} cases in {book.source} {len(held)} are accepted rows of {workspace}, and cases "
            "of a file may not be trained on. Give --cases workspace to compare on what is accepted there, or name "
            "another --workspace."
        )


def leaks_into(book: CaseBook, workspace: Path) -> Leaks:
    """Return which accepted traces of a workspace hold a case."""
    if not (workspace / DATABASE_NAME).is_file():
        return Leaks(str(workspace), None)
    cases = Copies(case.prompt for case in book.cases)
    with closing(open_current(workspace)) as reader:
        accepted = reader.each(
            "SELECT t.n, coalesce(json_extract(d.payload, '$.edited_prompt'), t.prompt) FROM accepted a"
            " JOIN trace t ON t.id = a.trace_id JOIN decision d ON d.seq = a.decision ORDER BY t.n"
        )
        found = [number for number, prompt in accepted if cases.like(prompt) is not None]
    return Leaks(str(workspace), tuple(found))
