"""Laws of the workspace's file, its lock, and the thread that writes."""

from __future__ import annotations

import asyncio
import fcntl
import os
import sqlite3
import subprocess
import sys
import tempfile
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import pytest

from selfplay_core.errors import StoreError, WorkspaceError
from selfplay_core.models import Outcome
from selfplay_core.store import lock as lock_module
from selfplay_core.store.database import Database, Reader
from selfplay_core.store.lock import Lease, WorkspaceLock
from selfplay_core.store.migrations import VERSION
from selfplay_core.store.runs import RunStatus, end_run, last_run, start_run
from selfplay_core.store.thread import AsyncStore
from selfplay_core.store.traces import trace
from tests.store_samples import RUN, a_run, accepted, assert_sound, begun, ended, projection, prompts_in


def test_the_file_is_as_measured(tmp_path: Path) -> None:
    """The database is in WAL mode, fully synchronous, with large pages and checked references."""
    database = Database.open(tmp_path / "new" / "workspace")
    pragmas = ("journal_mode", "synchronous", "page_size", "foreign_keys", "user_version")
    found = [database.row(f"PRAGMA {name}") for name in pragmas]
    assert found == [("wal",), (2,), (8192,), (1,), (VERSION,)]
    database.close()
    assert not (tmp_path / "new" / "workspace" / "selfplay.db-wal").exists()


def test_opening_again_keeps_everything(tmp_path: Path) -> None:
    """A second start finds what the first left."""
    database = begun(tmp_path)
    (made,) = ended(database, ["x"])
    database.close()
    again = Database.open(tmp_path)
    assert trace(again, made.id) == made
    again.close()


def test_a_reader_needs_no_writer(tmp_path: Path) -> None:
    """A workspace that was closed can be read, and none is made where none is."""
    with pytest.raises(WorkspaceError, match="no workspace is here"):
        Reader.open(tmp_path)
    begun(tmp_path).close()
    reader = Reader.open(tmp_path)
    assert last_run(reader) is not None
    reader.close()


@pytest.mark.parametrize("content", [b"hello", b"not a database\n" * 100, b"SQLite format 3\0" + bytes(200)])
def test_a_file_that_is_no_database_is_refused(tmp_path: Path, content: bytes) -> None:
    """What is no database is left alone."""
    path = tmp_path / "selfplay.db"
    path.write_bytes(content)
    for opener in (Database.open, Reader.open):
        with pytest.raises(WorkspaceError, match=r"no database.*--workspace"):
            opener(tmp_path)
    assert path.read_bytes() == content


def test_another_programs_database_is_refused(tmp_path: Path) -> None:
    """A sound database with strange tables is somebody's, and is not changed."""
    with sqlite3.connect(tmp_path / "selfplay.db") as other:
        other.execute("CREATE TABLE theirs (x)")
    other.close()
    with pytest.raises(WorkspaceError, match="belongs to another program"):
        Database.open(tmp_path)


def test_a_newer_workspace_is_refused(tmp_path: Path) -> None:
    """A version that this program does not know is not touched."""
    Database.open(tmp_path).close()
    with sqlite3.connect(tmp_path / "selfplay.db") as newer:
        newer.execute(f"PRAGMA user_version = {VERSION + 1}")
    newer.close()
    for opener in (Database.open, Reader.open):
        with pytest.raises(WorkspaceError, match=r"a newer selfplay-tui.*Update"):
            opener(tmp_path)


def test_a_workspace_must_be_a_folder(tmp_path: Path) -> None:
    """A file, or a database that is a folder, is told in one error."""
    (tmp_path / "file").write_text("")
    (tmp_path / "workspace" / "selfplay.db").mkdir(parents=True)
    for place in ("file", "workspace"):
        with pytest.raises(WorkspaceError, match="cannot be used"):
            Database.open(tmp_path / place)


@pytest.mark.parametrize("is_new", [True, False])
@pytest.mark.parametrize("mode", [0o555, 0o777])
def test_a_workspace_without_rights_is_refused(is_new: bool, mode: int) -> None:
    """A user who may not write in the folder, or not in its files, is told so at the start."""
    # Not below pytest's own folder, which no other user may enter.
    with tempfile.TemporaryDirectory() as folder:
        if not is_new:
            begun(Path(folder)).close()
        for file in Path(folder).iterdir():
            file.chmod(0o666 if file.suffix == ".lock" else 0o444)
        if is_new and mode == 0o777:
            (Path(folder) / "selfplay.lock").touch(0o444)
        os.chmod(folder, mode)
        command = [sys.executable, "-m", "tests.store_worker", "unprivileged", folder, "-", "-"]
        said = subprocess.run(command, capture_output=True, text=True, check=True).stdout
    assert said.startswith("refused WorkspaceError")
    assert "permission denied" in said or "it is read-only" in said
    assert folder in said


def test_a_failed_transaction_leaves_nothing(tmp_path: Path) -> None:
    """What a transaction did before an error is gone, and the next one works."""
    database = begun(tmp_path)

    def interrupted() -> None:
        with database.transaction() as connection:
            connection.execute("INSERT INTO workspace VALUES (1, 'real')")
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        interrupted()
    assert database.rows("SELECT * FROM workspace") == []
    ended(database, ["x"])
    database.close()


def test_a_lock_is_waited_for_no_longer_than_told(tmp_path: Path) -> None:
    """A write that another process blocks is a clear error at its deadline, and works once it is free."""
    database = Database.open(tmp_path, wait=0.05)
    with (tmp_path / "selfplay.lock").open() as held:
        fcntl.flock(held, fcntl.LOCK_EX)
        with pytest.raises(StoreError, match=r"waited 0\.05 s .*selfplay\.lock.*end it"):
            start_run(database, a_run())
    start_run(database, a_run())
    database.close()


def test_a_lock_that_comes_late_is_given_back(tmp_path: Path) -> None:
    """Who gave up waiting does not hold the lock when it comes at last."""
    path = tmp_path / "lock"
    impatient, patient = WorkspaceLock(path, 0.01), WorkspaceLock(path, 10.0)
    with patient.held(), pytest.raises(StoreError), impatient.held():
        pass
    for thread in threading.enumerate():
        if thread.name == "selfplay-lock":
            thread.join(10)
    with WorkspaceLock(path, 0.01).held():
        pass


def test_a_lock_is_handed_over(tmp_path: Path) -> None:
    """Two who count under the lock never count the same, and each gets it."""
    counter = tmp_path / "counter"
    counter.write_text("0")

    def count() -> None:
        lock = WorkspaceLock(tmp_path / "lock", 10.0)
        for _ in range(200):
            with lock.held(), lock.held():
                counter.write_text(str(int(counter.read_text()) + 1))

    threads = [threading.Thread(target=count) for _ in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert counter.read_text() == "600"


def test_a_lock_on_a_deleted_file_does_not_count(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Who locked a file that was deleted meanwhile locks the new one, and so keeps others out."""
    path = tmp_path / "lock"
    opened = lock_module._open
    calls = 0

    def then_deleted(path: Path) -> int:
        nonlocal calls
        calls += 1
        fd = opened(path)
        if calls == 1:
            path.unlink()
        return fd

    monkeypatch.setattr(lock_module, "_open", then_deleted)
    with WorkspaceLock(path, 10.0).held(), path.open() as other, pytest.raises(BlockingIOError):
        fcntl.flock(other, fcntl.LOCK_EX | fcntl.LOCK_NB)


def test_a_glance_at_a_lease_keeps_nobody_out(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Who takes a lease while another only looks whether it is taken gets it after an instant."""
    tried = lock_module._try_lock
    answers = iter([False])
    monkeypatch.setattr(lock_module, "_try_lock", lambda fd, *kind: next(answers, True) and tried(fd, *kind))
    mine, other = Lease(tmp_path / "run.lock"), Lease(tmp_path / "run.lock")
    assert not other.is_taken()
    assert mine.acquire()
    assert other.is_taken()
    assert not other.acquire()
    mine.release()
    assert not other.is_taken()


def test_errors_in_sql_are_not_the_disks(tmp_path: Path) -> None:
    """A mistake of ours is not told to a person as a full disk."""
    database = Database.open(tmp_path)
    with pytest.raises(sqlite3.OperationalError, match="no such table"):
        database.rows("SELECT * FROM missing")
    database.close()


def test_a_damaged_database_is_told(tmp_path: Path) -> None:
    """Damage within the file is an error that names it and says what to do."""
    database = begun(tmp_path)
    accepted(database, [f"{n}" * 50 for n in range(50)])
    database.close()
    path = tmp_path / "selfplay.db"
    content = bytearray(path.read_bytes())
    content[8192 * 3 :] = b"\xa5" * (len(content) - 8192 * 3)
    path.write_bytes(content)
    reader = Reader.open(tmp_path)
    with pytest.raises(StoreError, match=r"damaged.*selfplay\.db.*copy of the workspace"):
        reader.rows("SELECT * FROM trace, decision, prompt")
    reader.close()


@contextmanager
def small_disk(size: str) -> Iterator[Path]:
    with tempfile.TemporaryDirectory() as folder:
        mounted = subprocess.run(
            ["mount", "-t", "tmpfs", "-o", f"size={size}", "none", folder], capture_output=True, check=False
        )
        if mounted.returncode != 0:
            pytest.skip("mounting a small file system needs root; the limit on file sizes covers the law elsewhere")
        try:
            yield Path(folder)
        finally:
            subprocess.run(["umount", "-l", folder], check=True)


def fill(path: Path) -> None:
    with path.open("wb", buffering=0) as file, suppress(OSError):
        while file.write(bytes(4096)):
            pass


def test_a_full_file_system() -> None:
    """On a disk that is really full writes are refused, readers go on, and freed room is used."""
    with small_disk("3m") as disk:
        database = begun(disk)
        target = projection(database, disk / "out.jsonl")
        accepted(database, ["a"])
        target.catch_up()
        ballast = disk / "ballast"
        fill(ballast)
        number, refused = 1, ""
        while not refused:
            number += 1
            try:
                accepted(database, ["b" * 3000], number)
                target.catch_up()
            except StoreError as error:
                refused = str(error)
        assert "is full" in refused or "no room" in refused
        assert last_run(database) is not None
        ballast.unlink()
        accepted(database, ["c"], number + 1)
        target.catch_up()
        target.check()
        assert prompts_in(disk / "out.jsonl")[-1] == "c"
        assert_sound(database)
        database.close()


async def test_the_thread_does_one_thing_after_the_other(tmp_path: Path) -> None:
    """Work handed in at once runs in one thread, in order, and its errors come back to who asked."""
    store = await AsyncStore.open(tmp_path)
    await store.do(start_run, a_run())
    threads: list[int] = []

    def work(database: Database, number: int) -> int:
        threads.append(threading.get_ident())
        ended(database, ["x"], number)
        return number

    assert await asyncio.gather(*(store.do(work, number) for number in range(1, 6))) == [1, 2, 3, 4, 5]
    assert len(set(threads)) == 1
    assert threads[0] != threading.get_ident()
    with pytest.raises(StoreError, match="no such run"):
        await store.do(ended, ["x"], 9, run_id="nobody")
    await store.do(end_run, RUN, RunStatus.DONE, 1.0)
    await store.aclose()
    await store.aclose()


async def test_cancelled_work_is_whole_or_not_begun(tmp_path: Path) -> None:
    """A task cancelled in the middle of a transaction leaves all of it, and closing waits for it."""
    store = await AsyncStore.open(tmp_path)
    await store.do(start_run, a_run())
    loop = asyncio.get_running_loop()
    begun_work, go_on = asyncio.Event(), threading.Event()

    def slow(database: Database) -> None:
        with database.transaction():
            loop.call_soon_threadsafe(begun_work.set)
            assert go_on.wait(10)
            end = "UPDATE run SET rounds = 99"
            database.row(end)

    running = asyncio.create_task(store.do(slow))
    await begun_work.wait()
    waiting = asyncio.create_task(store.do(ended, ["never"], outcome=Outcome.SOLVED))
    await asyncio.sleep(0)
    for task in (running, waiting):
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
    go_on.set()
    await store.aclose()
    database = Database.open(tmp_path)
    assert database.row("SELECT rounds FROM run") == (99,)
    assert database.row("SELECT count(*) FROM trace") == (0,)
    database.close()


async def test_opening_in_vain_leaves_no_thread(tmp_path: Path) -> None:
    """A workspace that cannot be opened is refused to the caller, and the thread ends."""
    (tmp_path / "file").write_text("")
    with pytest.raises(WorkspaceError):
        await AsyncStore.open(tmp_path / "file")
    for thread in threading.enumerate():
        if thread.name.startswith("selfplay-store"):
            thread.join(10)
            assert not thread.is_alive()
