"""What is asked in which folder: one that goes on, or a new one."""

from __future__ import annotations

import secrets
import time
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Final

import msgspec

from selfplay_core.bakeoff.cases import CaseBook
from selfplay_core.bakeoff.terms import Terms, differences, digest, terms_of
from selfplay_core.categories import Texts
from selfplay_core.engine.plan import RunPlan, plan_run, recorded_settings
from selfplay_core.engine.seeds import choice_rng
from selfplay_core.engine.servers import Credentials
from selfplay_core.errors import UsageError
from selfplay_core.settings import Settings
from selfplay_core.store.bakeoffs import BakeoffRecord, bakeoff_of
from selfplay_core.store.codec import decode
from selfplay_core.store.database import DATABASE_NAME, Database
from selfplay_core.store.runs import RunRecord, RunStatus

__all__ = ["BakeoffJob", "order_of", "refuse_foreign", "run_of", "settled"]

_SEED_BITS: Final = 32


@dataclass(frozen=True, slots=True)
class BakeoffJob:
    """What a person asked for, settled; `folder` is the bake-off's own, `workspace` the one that it is to be kept from.

    `sample` is how many of the cases are asked, None for all.
    """

    settings: Settings
    texts: Texts
    credentials: Credentials
    folder: Path
    workspace: Path
    book: CaseBook
    models: tuple[str, ...]
    sample: int | None = None
    until_decided: bool = False

    @property
    def wanted(self) -> int:
        """How many cases are asked."""
        return min(self.sample or len(self.book.cases), len(self.book.cases))


def refuse_foreign(job: BakeoffJob) -> None:
    """Raise UsageError by a folder that is somebody's, and no bake-off's."""
    folder = job.folder
    if job.folder.resolve() == job.workspace.resolve():
        raise UsageError(
            f"this folder is the workspace that the cases are kept out of: {job.folder}. Name another --output."
        )
    try:
        found = sorted(folder.iterdir()) if folder.is_dir() else []
    except OSError as error:
        raise UsageError(f"this folder cannot be read: {folder}: {error.strerror}. Name another --output.") from error
    if found and not (folder / DATABASE_NAME).is_file():
        raise UsageError(f"this folder is not empty, and holds no bake-off: {folder}. Name another --output.")


def settled(database: Database, job: BakeoffJob) -> BakeoffRecord:
    """Return the bake-off that goes on in its folder, or is to begin there; raises UsageError by another one."""
    plan = plan_run(job.settings, seed=0)
    terms = terms_of(job.settings, job.texts, plan)
    print_of = digest(terms, job.book.digest)
    found = bakeoff_of(database)
    seed = job.settings.run.seed
    if found is None:
        if database.row("SELECT 1 FROM run UNION ALL SELECT 1 FROM ban LIMIT 1") is not None:
            raise UsageError(f"this folder is a workspace of its own: {job.folder}. Name another --output.")
        drawn = secrets.randbits(_SEED_BITS) if seed is None else seed
        cases = msgspec.json.encode(job.book).decode()
        return BakeoffRecord(print_of, drawn, msgspec.json.encode(terms).decode(), cases, job.wanted, job.until_decided)
    if found.fingerprint != print_of or seed not in (None, found.seed):
        raise UsageError(
            f"another bake-off is in this folder: {job.folder}: {_what_differs(job, terms, found)}. "
            "Name another --output, or ask the same."
        )
    # Whoever looks, and then asks for more cases, has looked: only the test that allows for it holds from then on.
    has_looked = found.wanted != job.wanted and database.row("SELECT 1 FROM bakeoff_mark LIMIT 1") is not None
    is_sequential = found.sequential or job.until_decided or has_looked
    return replace(found, wanted=job.wanted, sequential=is_sequential)


def _what_differs(job: BakeoffJob, terms: Terms, found: BakeoffRecord) -> str:
    book = decode(found.cases, CaseBook, "the cases of the bake-off")
    if book.digest != job.book.digest:
        return f"its cases are others ({len(book.cases)} from {book.source})"
    there = decode(found.plan, Terms, "the terms of the bake-off")
    told = [
        f"{name} is {theirs or 'none'} there, {mine or 'none'} here" for name, mine, theirs in differences(terms, there)
    ]
    return "; ".join(told) or f"its seed is {found.seed}"


def run_of(job: BakeoffJob, plan: RunPlan, record: BakeoffRecord) -> RunRecord:
    return RunRecord(
        id=secrets.token_hex(12),
        seed=record.seed,
        fingerprint=record.fingerprint,
        rounds=record.wanted,
        status=RunStatus.RUNNING,
        started_at=time.time(),
        settings=recorded_settings(job.settings, plan),
    )


def order_of(book: CaseBook, seed: int) -> list[int]:
    """Return the places of all cases as they are asked: a longer sample begins like a shorter one."""
    places = list(range(len(book.cases)))
    choice_rng(seed, 0, "cases").shuffle(places)
    return places
