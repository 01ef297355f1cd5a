"""Processes that the tests of the store start, to kill them or to take their rights."""

from __future__ import annotations

import os
import random
import resource
import signal
import sys
from collections.abc import Callable
from pathlib import Path
from typing import BinaryIO

from selfplay_core.errors import SelfplayError
from selfplay_core.models import Decision, DecisionKind
from selfplay_core.store.database import Database
from selfplay_core.store.decisions import decide, redo, undo
from selfplay_core.store.disk import Disk
from selfplay_core.store.projection import Projection
from selfplay_core.store.runs import start_run
from selfplay_core.store.traces import trace, traces
from tests.store_samples import a_run, accepted, begun, decided, ended, projection, render


def acknowledge(*words: object) -> None:
    os.write(1, (" ".join(map(str, words)) + "\n").encode())


def generate(workspace: Path, output: Path, seed: str) -> None:
    """Write rounds for ever, accept one trace in two, and project."""
    chance = random.Random(seed)
    database = Database.open(workspace)
    run_id = f"run-{seed}"
    start_run(database, a_run(run_id))
    target = projection(database, output)
    for number in range(1, 1_000_000):
        # Every fourth prompt is one that was asked before, so that the same rows come again.
        texts = [f"{run_id} {number} {slot}" if slot else "asked again" for slot in range(4)]
        for made in ended(database, texts, number, run_id):
            acknowledge("trace", made.id)
            if chance.random() < 0.5:
                acknowledge("decision", decided(database, made).seq, made.id)
        target.catch_up()


def review(workspace: Path, output: Path, seed: str) -> None:
    """Decide for ever on what is there, change half of it again, and project."""
    chance = random.Random(seed)
    database = Database.open(workspace)
    target = projection(database, output)
    while True:
        for line in traces(database, newest_first=True, limit=8):
            made = trace(database, line.id)
            assert made is not None
            kind = chance.choice([DecisionKind.ACCEPT, DecisionKind.REJECT, DecisionKind.EDIT])
            decision = Decision(kind, "reviewer", 1.0, edited_prompt=f"better {line.id}" if kind == "edit" else None)
            acknowledge("decision", decide(database, line.id, decision, render(made, decision)).seq, line.id)
            if chance.random() < 0.3:
                acknowledge("decision", undo(database, line.id, by="reviewer", at=2.0).seq, line.id)
            if chance.random() < 0.3:
                redo(database, line.id, by="reviewer", at=3.0)
        target.catch_up()


class DyingDisk(Disk):
    """Kills its process at the named step."""

    def __init__(self, step: str) -> None:
        self._step = step

    def append(self, path: Path, offset: int, data: bytes) -> None:
        self._die_at("append-begins")
        super().append(path, offset, data)
        self._die_at("append-done")

    def write(self, fd: int, offset: int, data: bytes) -> None:
        if self._step == "append-half":
            super().write(fd, offset, data[: len(data) // 2])
        self._die_at("append-half")
        super().write(fd, offset, data)
        self._die_at("append-written")

    def cut(self, path: Path, size: int) -> None:
        self._die_at("cut-begins")
        super().cut(path, size)
        self._die_at("cut-done")

    def write_beside(self, path: Path, kept: int, fill: Callable[[BinaryIO], None]) -> None:
        def half(file: BinaryIO) -> None:
            fill(file)
            file.flush()
            os.ftruncate(file.fileno(), file.tell() // 2)
            self._die_at("beside-half")

        super().write_beside(path, kept, half if self._step == "beside-half" else fill)
        self._die_at("beside-done")

    def put_in_place(self, path: Path) -> None:
        self._die_at("replace-begins")
        super().put_in_place(path)
        self._die_at("replace-done")

    def _die_at(self, step: str) -> None:
        if step == self._step:
            os.kill(os.getpid(), signal.SIGKILL)


def die(workspace: Path, output: Path, step: str) -> None:
    """Catch up on a disk that kills at `step`."""
    Projection(Database.open(workspace), output, render, disk=DyingDisk(step)).catch_up()


def start(workspace: Path, output: Path, run_id: str) -> None:
    """Begin a run and wait for the end of time."""
    start_run(Database.open(workspace), a_run(run_id))
    acknowledge("started")
    signal.pause()


def fill_database(workspace: Path, output: Path, room: str) -> None:
    """Save traces until the file size limit is met, then with the limit lifted."""
    database = begun(workspace)
    target = projection(database, output)
    limit(wal_of(workspace).stat().st_size + int(room))
    number = 0
    try:
        for number in range(1, 10_000):
            accepted(database, [f"{number} a", f"{number} b"], number)
            acknowledge("saved", number)
    except SelfplayError as error:
        acknowledge("refused", type(error).__name__, error)
    limit(resource.RLIM_INFINITY)
    accepted(database, ["after"], number + 1)
    target.catch_up()
    database.close()


def fill_output(workspace: Path, output: Path, room: str) -> None:
    """Catch up with `room` bytes left under the file size limit, then with the limit lifted."""
    database = Database.open(workspace)
    target = projection(database, output)
    size = output.stat().st_size
    limit(size + int(room))
    try:
        target.catch_up()
    except SelfplayError as error:
        acknowledge("refused", type(error).__name__, output.stat().st_size - size, error)
    limit(resource.RLIM_INFINITY)
    acknowledge("written", target.catch_up())
    database.close()


def unprivileged(workspace: Path, output: Path, _: str) -> None:
    """Open the workspace as a user who may not write there."""
    if os.geteuid() == 0:
        os.setgid(65534)
        os.setuid(65534)
    try:
        Database.open(workspace)
    except SelfplayError as error:
        acknowledge("refused", type(error).__name__, error)


def wal_of(workspace: Path) -> Path:
    return workspace / "selfplay.db-wal"


def limit(size: int) -> None:
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, resource.RLIM_INFINITY))


ROLES = (generate, review, die, start, fill_database, fill_output, unprivileged)

if __name__ == "__main__":
    role, where, out, argument = sys.argv[1:]
    {work.__name__: work for work in ROLES}[role](Path(where), Path(out), argument)
