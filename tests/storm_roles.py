"""What the processes of a storm do: they acknowledge on stdout what is committed, and never end by themselves.

Each is given words; the command is the installed one, whose own lines are its acknowledgements.
"""

from __future__ import annotations

import asyncio
import itertools
import os
import random
import resource
import signal
import sqlite3
import threading
import time
from collections.abc import Callable
from contextlib import closing
from dataclasses import replace
from pathlib import Path
from typing import Final

import tui.workspace.projector as projector_module
from selfplay_core.engine.control import Control
from selfplay_core.engine.holding import deny_held
from selfplay_core.engine.session import generate
from selfplay_core.errors import DecisionOvertaken, SelfplayError
from selfplay_core.exchange import importing
from selfplay_core.models import Answer, Decision, DecisionKind, Outcome
from selfplay_core.store import database as database_module
from selfplay_core.store.database import Database
from selfplay_core.store.filters import Filter
from selfplay_core.store.held import held, rule_held
from selfplay_core.store.history import Moved
from selfplay_core.store.listing import Example
from tests.storm_laws import OPERATOR
from tui.cli import main
from tui.commands.reports import choose_report
from tui.commands.summary import Summary
from tui.job import make_job
from tui.options import parse
from tui.workspace.curator import Curator

__all__ = ["ROLES"]

_CHOICES: Final = ("accept", "accept", "reject", "edit", "edit", "skip", "undo", "undo", "redo", "bulk", "flag")
_PAUSE: Final = 0.004
_NEWEST: Final = 30
_NOBODY: Final = 65534


def acknowledge(*words: object) -> None:
    """Tell what is committed now."""
    print(*words, flush=True)


def command(words: list[str]) -> int:
    """The command itself."""
    return main(words)


def review(words: list[str]) -> int:
    """Decide, edit and undo as the review screen does: so many times, or for ever if that is 0."""
    seed, times, workspace = words
    # The output follows at once and not after two seconds, which few of these processes live to see.
    for name, seconds in (("_REST", 0.01), ("_AT_LATEST", 0.03)):
        setattr(projector_module, name, seconds)
    asyncio.run(_Reviewer(random.Random(seed), int(seed) * 1e6).work(workspace, int(times)))
    return 0


def review_stubbornly(words: list[str]) -> int:
    """Accept one example after the other, each until it is saved; what the store says against it is told once."""
    try:
        asyncio.run(_accept_all(words[0]))
    except SelfplayError as error:
        acknowledge("refused", error)
        return 1
    return 0


def limited(words: list[str]) -> int:
    """The command, which may make no file longer than so many bytes."""
    resource.setrlimit(resource.RLIMIT_FSIZE, (int(words[0]), resource.RLIM_INFINITY))
    return main(words[1:])


def unprivileged(words: list[str]) -> int:
    """The command of a user who owns nothing here, unless the tests are run by one who is not root."""
    if os.geteuid() == 0:
        os.setgroups([])
        os.setgid(_NOBODY)
        os.setuid(_NOBODY)
    return main(words)


def command_with_a_person(words: list[str]) -> int:
    """A batch run that leaves to a person what the policy asks about, as the run of the review screen does."""
    job, summary = replace(make_job(parse(words)), interactive=True), Summary()
    report = choose_report(as_json_lines=True, dry_run=False, summary=summary)
    asyncio.run(generate(job, Control(), report.show))
    return 0


def rule(words: list[str]) -> int:
    """Allow or deny what is held, for ever, as the keys of the held screen do."""
    seed, workspace = words
    chance, pause = random.Random(seed), threading.Event()
    with closing(Database.open(Path(workspace))) as database:
        while True:
            for item in held(database):
                if item.allowed is not None:
                    continue
                allow = chance.random() < 0.5
                done = (
                    rule_held(database, item.trace_id, since=item.since, allow=True, by=OPERATOR)
                    if allow
                    else deny_held(database, item.trace_id, since=item.since, by=OPERATOR)
                )
                if done:
                    acknowledge("ruled", item.trace_id, "allow" if allow else "deny")
                pause.wait(chance.random() * _PAUSE)
            pause.wait(_PAUSE)


def at_odds(words: list[str]) -> int:
    """Another role, by a clock that is so many seconds off and goes backwards: half a second with each look at it."""
    off, role, *rest = words
    start, looks = time.time() + float(off), itertools.count()
    time.time = lambda: start - next(looks) / 2
    return ROLES[role](rest)


def checkpointing(words: list[str]) -> int:
    """Another role, whose WAL is written back all the while and not only once it is long."""
    connect = database_module._connect

    def connected(path: Path, mode: str) -> sqlite3.Connection:
        connection = connect(path, mode)
        connection.execute("PRAGMA wal_autocheckpoint = 4")
        return connection

    setattr(database_module, "_connect", connected)  # noqa: B010  # for this process alone
    role, *rest = words
    return ROLES[role](rest)


def export_and_die(words: list[str]) -> int:
    """An export that is killed before it puts so many files in their places."""
    left = itertools.count(int(words[0]), -1)
    replace_file = os.replace

    def replace_or_die(source: str, target: str) -> None:
        if next(left) == 0:
            os.kill(os.getpid(), signal.SIGKILL)
        replace_file(source, target)

    setattr(os, "replace", replace_or_die)  # noqa: B010  # as above
    return main(["export", *words[1:]])


def export_on_end(words: list[str]) -> int:
    """Export again and again, with each of the words as another filter; every export tells its manifest."""
    workspace, made, output, *filters = words
    for number in range(1_000_000):
        chosen = filters[number % len(filters)]
        place = ["--workspace", workspace, "--output", output, "--force"]
        if main(["export", *place, "--format", made, "--filter", chosen, "--json"]) != 0:
            acknowledge("nothing to export")
        threading.Event().wait(0.001)
    return 0


def import_in_pieces(words: list[str]) -> int:
    """Import files in many small transactions."""
    setattr(importing, "_AT_ONCE", 2)  # noqa: B010  # Final, and here for this process alone
    return main(["import", "--json", *words])


async def _accept_all(workspace: str) -> None:
    job = replace(make_job(parse(["review", "--workspace", workspace])), interactive=True)
    refused = ""
    async with Curator.open(job, OPERATOR) as curator:
        for number in (await curator.listing(Filter())).numbers:
            while (shown := await curator.example(int(number))) is not None:
                decision = Decision(DecisionKind.ACCEPT, by=curator.operator, at=float(number), reason="long " * 1000)
                try:
                    await curator.decide(shown, decision)
                except SelfplayError as error:
                    if str(error) != refused:
                        refused = str(error)
                        acknowledge("refused", refused)
                    await asyncio.sleep(0.02)
                else:
                    acknowledge("decided", shown.trace.id, decision.kind, decision.at)
                    break
    acknowledge("trouble", curator.projector.trouble)


class _Reviewer:
    """One operator at the keys; each of its decisions has a time that no other has."""

    def __init__(self, chance: random.Random, first: float) -> None:
        self._chance = chance
        self._at = first

    async def work(self, workspace: str, times: int) -> None:
        job = replace(make_job(parse(["review", "--workspace", workspace])), interactive=True)
        async with Curator.open(job, OPERATOR) as curator:
            done = 0
            while not times or done < times:
                numbers = (await curator.listing(Filter())).numbers[-_NEWEST:]
                if numbers:
                    await self._do(curator, [int(number) for number in numbers])
                    done += 1
                else:
                    acknowledge("nothing to review")
                await asyncio.sleep(self._chance.random() * _PAUSE)

    async def _do(self, curator: Curator, numbers: list[int]) -> None:
        what, self._at = self._chance.choice(_CHOICES), self._at + 1.0
        shown = await curator.example(self._chance.choice(numbers))
        if shown is None:
            return
        try:
            if what == "undo":
                self._tell_moved(await curator.undo(shown if self._chance.random() < 0.3 else None))
            elif what == "redo":
                self._tell_moved(await curator.redo())
            elif what == "bulk":
                await self._bulk(curator, numbers)
            elif what == "flag":
                await curator.flag(shown)
                acknowledge("flagged", shown.trace.id)
            else:
                await self._decide(curator, shown, DecisionKind(what))
        except DecisionOvertaken:
            curator.drop(numbers)

    async def _decide(self, curator: Curator, shown: Example, kind: DecisionKind) -> None:
        if kind in (DecisionKind.ACCEPT, DecisionKind.EDIT) and shown.trace.outcome is Outcome.ERRORED:
            return
        decision = Decision(kind, by=curator.operator, at=self._at, reason=f"for {self._at}")
        if kind is DecisionKind.EDIT:
            decision = replace(decision, edited=Answer(("say hello",), f"better at {self._at}"))
        await curator.decide(shown, decision)
        acknowledge("decided", shown.trace.id, kind, self._at)

    async def _bulk(self, curator: Curator, numbers: list[int]) -> None:
        kind = self._chance.choice([DecisionKind.ACCEPT, DecisionKind.REJECT])
        await curator.news()
        chosen = tuple(self._chance.sample(numbers, min(4, len(numbers))))
        for number in await curator.decide_all(chosen, kind, seen_at=curator.position):
            acknowledge("bulk", number, kind)

    def _tell_moved(self, moved: Moved | None) -> None:
        if moved is not None:
            for trace_id, _ in moved.traces:
                acknowledge("moved", trace_id, moved.kind)


ROLES: Final[dict[str, Callable[[list[str]], int]]] = {
    work.__name__: work
    for work in (
        command,
        command_with_a_person,
        rule,
        at_odds,
        checkpointing,
        export_and_die,
        limited,
        unprivileged,
        review,
        review_stubbornly,
        export_on_end,
        import_in_pieces,
    )
}
