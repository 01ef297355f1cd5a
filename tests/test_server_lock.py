"""The lock that keeps two processes of one machine off the same Minecraft server."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
from pathlib import Path

import pytest

from selfplay_core.errors import ServerBusy, UsageError
from selfplay_core.verify.server_lock import ServerLock, lock_name

HOLD = """
import sys
from pathlib import Path
from selfplay_core.verify.server_lock import ServerLock
with ServerLock("127.0.0.1", 25575, folder=Path(sys.argv[1])):
    print("held", flush=True)
    sys.stdin.read()
"""


@pytest.fixture
def other(tmp_path: Path) -> subprocess.Popen[str]:
    """Another process that holds the lock until its input ends."""
    process = subprocess.Popen(
        [sys.executable, "-c", HOLD, str(tmp_path)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    )
    assert process.stdout is not None
    assert process.stdout.readline() == "held\n"
    return process


def test_a_second_holder_is_told_who_holds(tmp_path: Path) -> None:
    """While one holds a server the next is refused at once, with its name and the holder's pid."""
    with ServerLock("127.0.0.1", 25575, folder=tmp_path):
        second = ServerLock("127.0.0.1", 25575, folder=tmp_path)
        with pytest.raises(ServerBusy, match=rf"127\.0\.0\.1:25575 is in use by process {os.getpid()} "):
            second.acquire()
    second.acquire()
    assert second.held
    second.release()
    second.release()


def test_another_process_holds_it_until_it_ends(tmp_path: Path, other: subprocess.Popen[str]) -> None:
    """The lock holds between processes and is free after an orderly end."""
    lock = ServerLock("127.0.0.1", 25575, folder=tmp_path)
    with other:
        with pytest.raises(ServerBusy, match=f"process {other.pid} "):
            lock.acquire()
        other.communicate(timeout=10)
    with lock:
        assert lock.held


def test_a_killed_holder_leaves_nothing_behind(tmp_path: Path, other: subprocess.Popen[str]) -> None:
    """After kill -9 the next holder gets in, and its own pid alone stands in the file."""
    (file,) = tmp_path.iterdir()
    with other:
        other.kill()
        other.wait(10)
    file.write_text("123456789012345\n")
    with ServerLock("127.0.0.1", 25575, folder=tmp_path):
        assert file.read_text() == f"{os.getpid()}\n"


def test_other_servers_are_free(tmp_path: Path) -> None:
    """A lock is on one host and port alone."""
    with (
        ServerLock("127.0.0.1", 25575, folder=tmp_path),
        ServerLock("127.0.0.1", 25576, folder=tmp_path),
        ServerLock("127.0.0.2", 25575, folder=tmp_path),
    ):
        assert len(list(tmp_path.iterdir())) == 3


def test_acquiring_again_is_harmless(tmp_path: Path) -> None:
    """A holder that asks again still holds, and one release frees it."""
    lock = ServerLock("127.0.0.1", 25575, folder=tmp_path)
    lock.acquire()
    lock.acquire()
    lock.release()
    with ServerLock("127.0.0.1", 25575, folder=tmp_path):
        assert not lock.held


@pytest.mark.parametrize(
    ("one", "other"),
    [("127.0.0.1", "LOCALHOST"), ("127.0.0.1", "::ffff:127.0.0.1"), ("::1", "0:0:0:0:0:0:0:1")],
)
def test_names_of_one_address_share_a_file(one: str, other: str) -> None:
    """Spellings of the same server exclude each other."""
    assert lock_name(one, 25575) == lock_name(other, 25575)


def test_a_name_goes_by_its_least_address(monkeypatch: pytest.MonkeyPatch) -> None:
    """A resolver that changes the order of a server's addresses changes nothing."""
    found = ["2001:db8::1", "192.0.2.9", "192.0.2.10"]

    def resolve(*_: object, **__: object) -> list[tuple[int, int, int, str, tuple[str, int]]]:
        return [(0, 0, 0, "", (address, 25575)) for address in found]

    monkeypatch.setattr(socket, "getaddrinfo", resolve)
    name = lock_name("mc.example", 25575)
    found.reverse()
    assert lock_name("mc.example", 25575) == name == "192.0.2.9_25575.lock"


def test_a_name_that_does_not_resolve_goes_by_itself(monkeypatch: pytest.MonkeyPatch) -> None:
    """Without an address upper case and a last dot make no difference, another name does."""

    def fail(*_: object, **__: object) -> object:
        raise socket.gaierror(socket.EAI_NONAME, "unknown")

    monkeypatch.setattr(socket, "getaddrinfo", fail)
    assert lock_name("MC.Example.", 1) == lock_name("mc.example", 1) == "mc.example_1.lock"
    assert lock_name("mc.example", 1) != lock_name("mc-example", 1)


@pytest.mark.parametrize("host", ["../../etc/passwd", "a/b", "nul\0byte", "x" * 5000, "\ud800", "..", "語" * 80])
def test_a_hostile_host_stays_in_the_folder(tmp_path: Path, host: str) -> None:
    """Whatever the host is called, its lock is one plain file in the folder."""
    folder = tmp_path / "servers"
    with ServerLock(host, 25575, folder=folder):
        assert [path.is_file() for path in folder.iterdir()] == [True]
    assert list(tmp_path.iterdir()) == [folder]


def test_a_file_that_names_nobody_is_still_a_lock(tmp_path: Path) -> None:
    """What stands in the file is only ever a hint: it is not believed unless it is a number."""
    with ServerLock("127.0.0.1", 25575, folder=tmp_path):
        (file,) = tmp_path.iterdir()
        file.write_bytes(b"\x1b[31m\xff")
        with pytest.raises(ServerBusy, match="by another process on this machine"):
            ServerLock("127.0.0.1", 25575, folder=tmp_path).acquire()


def test_a_link_in_the_files_place_is_not_followed(tmp_path: Path) -> None:
    """A symbolic link does not make the lock write over another file."""
    precious = tmp_path / "precious"
    precious.write_text("keep")
    folder = tmp_path / "servers"
    folder.mkdir()
    (folder / lock_name("127.0.0.1", 25575)).symlink_to(precious)
    with pytest.raises(UsageError, match="cannot be used"):
        ServerLock("127.0.0.1", 25575, folder=folder).acquire()
    assert precious.read_text() == "keep"


def test_a_folder_that_cannot_be_made_is_told(tmp_path: Path) -> None:
    """The person learns which file, why, and what to do."""
    (tmp_path / "file").write_text("")
    with pytest.raises(UsageError, match="XDG_STATE_HOME"):
        ServerLock("127.0.0.1", 25575, folder=tmp_path / "file" / "servers").acquire()


def test_the_lock_stands_in_the_users_state_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Without a folder given, all processes of one user meet in the same place."""
    monkeypatch.setattr("platformdirs.user_state_path", lambda name: tmp_path / name)
    with ServerLock("127.0.0.1", 25575):
        assert (tmp_path / "selfplay-tui" / "servers" / lock_name("127.0.0.1", 25575)).is_file()


def test_any_address_is_this_machine() -> None:
    """Connecting to 0.0.0.0 or :: reaches the server on 127.0.0.1, so they share its lock."""
    assert lock_name("0.0.0.0", 25575) == lock_name("::", 25575) == lock_name("127.0.0.1", 25575)
