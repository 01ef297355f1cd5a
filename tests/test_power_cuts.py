"""What a power cut leaves of the output file and of an export: all that was synced, and anything of the rest."""

from __future__ import annotations

import errno
import os
import shutil
from collections.abc import Iterator
from contextlib import closing
from functools import partial
from pathlib import Path

import pytest

from selfplay_core.errors import OutputEditedError, StoreError
from selfplay_core.exchange.files import FileSet
from selfplay_core.store import projection as projection_module
from selfplay_core.store.database import Database
from selfplay_core.store.decisions import undo
from tests.power import BASE, Died, Power, recovered
from tests.scratch import scratch
from tests.store_samples import (
    accepted,
    begun,
    decided,
    expected_prompts,
    projection,
    prompts_in,
)


def test_power_fails_at_every_step(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Before whichever step of appends and rewrites the power fails: what is left is continued or mended."""
    monkeypatch.setattr(projection_module, "_BATCH_ROWS", 2)
    output = tmp_path / "out.jsonl"
    output.write_bytes(BASE)
    with closing(begun(tmp_path)) as database:
        power = Power(tmp_path, recovered)
        with monkeypatch.context() as patch:
            power.watch(patch, database)
            target = projection(database, output)
            first, *_ = accepted(database, ["a", "b", "c" * 40])
            target.catch_up()
            accepted(database, ["d", "e"], 2)
            target.catch_up()
            undo(database, first.id, by="tester", at=1.0)
            target.catch_up()
            decided(database, first)
            target.catch_up()
            power.leave(database)
    assert power.cuts > 60
    recovered(tmp_path, output)


def test_power_fails_after_a_kill(tmp_path: Path) -> None:
    """A process dies, and the power fails while the next one recovers: nothing counts as sure too early."""
    died_at = 0
    while _dies_and_recovers(tmp_path / str(died_at), died_at):
        died_at += 1
    assert died_at >= 8


def _dies_and_recovers(folder: Path, died_at: int) -> bool:
    """Kill at a step of the first append, the next one or a rewrite; False if there is no such step."""
    folder.mkdir()
    output = folder / "out.jsonl"
    with closing(begun(folder)) as database, pytest.MonkeyPatch.context() as patch:
        power = Power(folder, partial(recovered, base=b""), dies_at=died_at, fails=False)
        power.watch(patch, database)
        target = projection(database, output)
        died = False
        try:
            first, _ = accepted(database, ["a", "b" * 40])
            target.catch_up()
            accepted(database, ["c"], 2)
            target.catch_up()
            undo(database, first.id, by="tester", at=1.0)
            target.catch_up()
        except Died:
            died, power.fails = True, True
            projection(database, output).check()
            projection(database, output).catch_up()
        power.fails = True
        power.leave(database)
        return died


@pytest.fixture
def half_way(tmp_path: Path) -> tuple[Path, int, bytes]:
    """A workspace whose process died before it synced an append: its output, the size that is sure, and the tail."""
    output = tmp_path / "out.jsonl"
    output.write_bytes(BASE)
    with closing(begun(tmp_path)) as database:
        target = projection(database, output)
        accepted(database, ["a", "b"])
        target.catch_up()
        sure = output.stat().st_size
        accepted(database, ["c", "d" * 30, "é"], 2)

        def die(fd: int) -> None:
            raise KeyboardInterrupt

        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(os, "fsync", die)
            with pytest.raises(KeyboardInterrupt):
                target.catch_up()
    return output, sure, output.read_bytes()[sure:]


def test_an_append_is_cut_at_any_byte(tmp_path: Path, half_way: tuple[Path, int, bytes]) -> None:
    """Whatever a power cut leaves of the last lines, they stand there once and whole after the next start."""
    output, sure, tail = half_way
    kept = output.read_bytes()[:sure]
    for left in _beginnings(tail):
        with scratch() as copy:
            shutil.copytree(tmp_path, copy, dirs_exist_ok=True)
            (copy / "out.jsonl").write_bytes(kept + left)
            recovered(copy, copy / "out.jsonl")
            assert (copy / "out.jsonl").read_bytes() == kept + tail


def _beginnings(tail: bytes) -> Iterator[bytes]:
    for end in range(len(tail) + 1):
        yield tail[:end]
    for end in range(0, len(tail), 7):
        yield tail[:end] + bytes(len(tail) - end)
        yield bytes(end) + tail[end:]
        yield tail[: end // 2] + bytes(end - end // 2)


@pytest.mark.parametrize("damage", ["changed", "shorter", "longer", "zeros behind", "zeros within"])
def test_what_no_power_cut_leaves_is_refused(tmp_path: Path, half_way: tuple[Path, int, bytes], damage: str) -> None:
    """A file that neither we nor a power cut made so is left alone; another output gets every row."""
    output, sure, tail = half_way
    whole = output.read_bytes()
    damaged = {
        "changed": whole[:sure] + tail.replace(b"prompt", b"PROMPT"),
        "shorter": whole[: sure - 3],
        "longer": whole + b"{}\n",
        "zeros behind": whole + bytes(9),
        "zeros within": whole[: sure - 9] + bytes(9) + tail,
    }[damage]
    output.write_bytes(damaged)
    with closing(Database.open(tmp_path)) as database:
        with pytest.raises(OutputEditedError, match=r"changed by hand.*found.*another --output"):
            projection(database, output).check()
        assert output.read_bytes() == damaged
        other = projection(database, tmp_path / "other.jsonl")
        other.check()
        other.catch_up()
        assert prompts_in(tmp_path / "other.jsonl") == expected_prompts(database)


def test_a_sync_that_failed_is_not_believed_the_second_time(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """After a failed sync the file is as before, and its rows are written again before they count as written."""
    output, written, synced = tmp_path / "out.jsonl", list[int](), [0]
    fsync, pwrite = os.fsync, os.pwrite

    def failing_once(fd: int) -> None:
        synced[0] += 1
        if synced[0] == 1:
            raise OSError(errno.EIO, os.strerror(errno.EIO))
        fsync(fd)

    def counting(fd: int, data: bytes, offset: int) -> int:
        written.append(synced[0])
        return pwrite(fd, data, offset)

    with closing(begun(tmp_path)) as database:
        target = projection(database, output)
        accepted(database, ["a", "b"])
        monkeypatch.setattr(os, "fsync", failing_once)
        monkeypatch.setattr(os, "pwrite", counting)
        with pytest.raises(StoreError, match=r"appending to the output failed.*out\.jsonl.*then go on"):
            target.catch_up()
        assert output.read_bytes() == b""
        assert target.catch_up() == 2
        assert written[0] == 0
        assert written[-1] > 0
        assert prompts_in(output) == ["a", "b"]


def test_rows_of_a_dead_process_are_written_again(
    half_way: tuple[Path, int, bytes], monkeypatch: pytest.MonkeyPatch
) -> None:
    """A whole append that nobody has synced may be one whose sync had failed: it is written over itself."""
    output, sure, tail = half_way
    written, pwrite = [], os.pwrite

    def recording(fd: int, data: bytes, offset: int) -> int:
        written.append((bytes(data), offset))
        return pwrite(fd, data, offset)

    monkeypatch.setattr(os, "pwrite", recording)
    recovered(output.parent, output)
    assert written == [(tail, sure)]


def test_an_export_is_on_the_disk_before_it_is_in_its_place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Every file of an export is synced before the first one moves, and its folder once all have moved."""
    done: list[tuple[str, int]] = []
    fsync, move = os.fsync, os.replace

    def syncing(fd: int) -> None:
        fsync(fd)
        done.append(("synced", os.fstat(fd).st_ino))

    def moving(source: Path, target: Path) -> None:
        done.append(("moved", source.stat().st_ino))
        move(source, target)

    monkeypatch.setattr(os, "fsync", syncing)
    monkeypatch.setattr(os, "replace", moving)
    with FileSet.opened() as files:
        for name in ("one", "two"):
            files.target(tmp_path / name).write(b"x" * 5_000_000)
        files.publish()
    one, two, folder = ((tmp_path / name).stat().st_ino for name in ("one", "two", "."))
    assert done == [("synced", one), ("synced", two), ("moved", one), ("moved", two), ("synced", folder)]
