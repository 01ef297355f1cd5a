"""Laws of the files of an export: nothing is replaced unasked, and nothing is ever half there."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import orjson
import pytest

from selfplay_core.errors import UsageError
from selfplay_core.exchange.rows import render
from selfplay_core.store.projection import Projection
from tests.test_export import exported
from tests.test_import import filled


def test_what_is_there_is_replaced_by_force_alone(tmp_path: Path) -> None:
    """And a link, a folder or a file of the workspace not even so."""
    workspace = filled(tmp_path / "ws")
    output = tmp_path / "x.jsonl"
    output.write_bytes(b"precious\n")
    with pytest.raises(UsageError, match="--force"):
        exported(workspace, "seed", output)
    assert output.read_bytes() == b"precious\n"
    exported(workspace, "seed", output, force=True)
    assert output.read_bytes() != b"precious\n"
    for bad in (tmp_path, Path(), Path("/"), workspace.path, workspace.workspace / "selfplay.toml"):
        with pytest.raises(UsageError):
            exported(workspace, "seed", bad, force=True)
    (tmp_path / "link.jsonl").symlink_to(output)
    with pytest.raises(UsageError, match="no plain file"):
        exported(workspace, "seed", tmp_path / "link.jsonl", force=True)
    with pytest.raises(UsageError, match="folder does not exist"):
        exported(workspace, "seed", tmp_path / "none" / "x.jsonl")


def test_a_manifest_of_somebody_else_is_not_replaced(tmp_path: Path) -> None:
    """It may be the one of another export."""
    workspace = filled(tmp_path / "ws")
    manifest = tmp_path / "x.jsonl.manifest.json"
    manifest.write_bytes(b"{}")
    with pytest.raises(UsageError, match="--force"):
        exported(workspace, "seed", tmp_path / "x.jsonl")
    assert [path.name for path in tmp_path.glob("x*")] == [manifest.name]


def test_what_a_killed_export_left_is_swept(tmp_path: Path) -> None:
    """What a living one is writing is not."""
    workspace = filled(tmp_path / "ws")
    dead = subprocess.Popen(["true"])
    dead.wait()
    left = tmp_path / f".x.jsonl.{dead.pid}.selfplay-export"
    alive = tmp_path / f".x.jsonl.{os.getppid()}.selfplay-export"
    for path in (left, alive):
        path.write_bytes(b"torn")
    exported(workspace, "seed", tmp_path / "x.jsonl")
    assert not left.exists()
    assert alive.exists()


def test_the_output_file_is_not_exported_over(tmp_path: Path) -> None:
    """Its state is the workspace's own: another writer would break it."""
    workspace = filled(tmp_path / "ws")
    output = tmp_path / "rows.jsonl"
    Projection(workspace, output, render).catch_up()
    before = output.read_bytes()
    with pytest.raises(UsageError, match="belongs to the workspace"):
        exported(workspace, "trl-sft", output, force=True)
    assert output.read_bytes() == before


def test_dataset_info_keeps_what_it_held(tmp_path: Path) -> None:
    """An entry of the same name is replaced by force alone, a broken file never."""
    workspace = filled(tmp_path / "ws")
    register = tmp_path / "dataset_info.json"
    register.write_bytes(b'{"alpaca_en": {"file_name": "a.json"}}')
    exported(workspace, "llamafactory", tmp_path / "sp.jsonl")
    known = orjson.loads(register.read_bytes())
    assert known["alpaca_en"] == {"file_name": "a.json"}
    assert known["sp"]["file_name"] == "sp.jsonl"
    for name in ("sp.jsonl", "sp.jsonl.manifest.json"):
        (tmp_path / name).unlink()
    with pytest.raises(UsageError, match="describes 'sp' already"):
        exported(workspace, "llamafactory", tmp_path / "sp.jsonl")
    register.write_bytes(b"{")
    with pytest.raises(UsageError, match="cannot be read"):
        exported(workspace, "llamafactory-dpo", tmp_path / "dpo.jsonl", force=True)
    assert register.read_bytes() == b"{"


_FULL_DISK = """
import resource, signal, sys
from pathlib import Path
from selfplay_core.exchange.export import export
from selfplay_core.exchange.places import Wish
from selfplay_core.store.database import Reader
from selfplay_core.store.filters import Filter
reader = Reader.open(Path(sys.argv[1]))
signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
resource.setrlimit(resource.RLIMIT_FSIZE, (4096, 4096))
try:
    export(reader, Wish("native", Path(sys.argv[2]), Filter(), "", "1", force=True))
except Exception as error:
    print(type(error).__name__, error)
"""


def test_a_full_disk_leaves_the_old_file(tmp_path: Path) -> None:
    """The export fails in one sentence, and neither the old file nor a torn one is harmed or left."""
    workspace = filled(tmp_path / "ws")
    folder = tmp_path / "out"
    folder.mkdir()
    output = folder / "x.jsonl"
    output.write_bytes(b"old\n")
    words = [sys.executable, "-c", _FULL_DISK, str(workspace.workspace), str(output)]
    done = subprocess.run(words, capture_output=True, text=True, check=True)
    assert done.stdout.startswith("StoreError the disk refused the export")
    assert output.read_bytes() == b"old\n"
    assert os.listdir(folder) == ["x.jsonl"]
