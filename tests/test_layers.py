"""What is loaded when: the core knows no screen, a batch run loads none."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

SCREENS = ["textual", "rich"]


def loaded_after(program: str, names: list[str], folder: Path) -> list[str]:
    """Run a program in a process of its own and return which of the modules it has loaded."""
    program += f"\nimport sys\nprint(*[name for name in {names!r} if name in sys.modules], file=sys.stderr)"
    done = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=True, cwd=folder, timeout=60
    )
    return done.stderr.split()


def test_importing_the_core_loads_no_screen(tmp_path: Path) -> None:
    """Not even by way of another module."""
    every_module = (
        "import importlib, pkgutil, selfplay_core\n"
        "for found in pkgutil.walk_packages(selfplay_core.__path__, 'selfplay_core.'):\n"
        "    importlib.import_module(found.name)"
    )
    assert "textual" not in loaded_after(every_module, ["textual"], tmp_path)


def test_a_headless_run_loads_no_screen(tmp_path: Path) -> None:
    """From the command line to the last row, into a pipe."""
    program = "from tui.cli import main\nassert main(['--headless', '--rounds', '1', '--focus', 'edge_items']) == 0"
    assert "textual" not in loaded_after(program, ["textual"], tmp_path)


@pytest.mark.parametrize(
    "words", [["export", "--format", "seed", "--output", "x"], ["import", "x"], ["stats"], ["check", "x"]]
)
def test_commands_about_files_load_no_screen(words: list[str], tmp_path: Path) -> None:
    """Nor the sandbox, nor anything that speaks to a server."""
    program = f"from tui.cli import main\nassert main({words!r}) == 2"
    unwanted = ["textual", "httpx", "mcrcon", "mecha", "uvicorn"]
    assert set(unwanted).isdisjoint(loaded_after(program, unwanted, tmp_path))


@pytest.mark.parametrize("module", ["selfplay_core.models", "selfplay_core.engine.session", "tui.cli"])
def test_nothing_slow_is_loaded_without_need(module: str, tmp_path: Path) -> None:
    """The sandbox's grammar and web server are loaded by those who use the sandbox."""
    assert loaded_after(f"import {module}", ["mecha", "uvicorn", *SCREENS[:1]], tmp_path) == []
