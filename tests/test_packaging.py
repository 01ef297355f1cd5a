"""What is shipped: the wheel, installed into a clean environment, runs."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tomllib
import venv
import zipfile
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
BUILD = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["tool"]["hatch"]["build"]
EXCLUDED: list[str] = BUILD["targets"]["wheel"]["exclude"]


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The wheel, built by the backend that is installed here."""
    folder = tmp_path_factory.mktemp("wheel")
    subprocess.run(
        [sys.executable, "-m", "build", "--wheel", "--no-isolation", "--outdir", str(folder), str(ROOT)],
        check=True,
        capture_output=True,
        timeout=300,
    )
    (built,) = folder.glob("*.whl")
    return built


def test_every_data_file_is_in_the_wheel(wheel: Path) -> None:
    """Whatever stands beside the modules in the tree is shipped, but for what pyproject.toml says."""
    shipped = set(zipfile.ZipFile(wheel).namelist())
    tracked = subprocess.run(
        ["git", "ls-files", "selfplay_core", "tui"], cwd=ROOT, check=True, capture_output=True, text=True
    ).stdout.split()
    assert any(name.endswith(".sql") for name in tracked)
    assert any(name.endswith(".toml") for name in tracked)
    assert set(tracked) - shipped == set(EXCLUDED)


def test_the_installed_wheel_runs_without_the_tree(wheel: Path, tmp_path: Path) -> None:
    """A clean environment with the wheel and its dependencies makes a run in an empty folder."""
    environment = tmp_path / "venv"
    venv.create(environment, with_pip=True, symlinks=True)
    python = environment / "bin" / "python"
    subprocess.run(
        [python, "-m", "pip", "install", "--quiet", "--constraint", ROOT / "constraints.txt", wheel],
        check=True,
        capture_output=True,
        timeout=900,
    )
    work = tmp_path / "work"
    work.mkdir()
    bare = {name: value for name, value in os.environ.items() if name != "PYTHONPATH"}
    done = subprocess.run(
        [environment / "bin" / "selfplay-tui", "--headless", "--rounds", "1", "--output", "out.jsonl"],
        cwd=work,
        env=bare,
        capture_output=True,
        text=True,
        timeout=300,
    )
    assert done.returncode == 0, done.stderr
    summary = json.loads(done.stdout.splitlines()[-1])
    assert summary["event"] == "summary"
    rows = (work / "out.jsonl").read_text(encoding="utf-8").splitlines()
    assert len(rows) == summary["rows_written"] > 0
    where = subprocess.run(
        [python, "-c", "import selfplay_core; print(selfplay_core.__file__)"],
        cwd=work,
        env=bare,
        capture_output=True,
        text=True,
        check=True,
    )
    assert str(environment) in where.stdout
