"""What commands without a screen leave on the terminal, drawn."""

from __future__ import annotations

import io
import os
import re
from itertools import dropwhile
from pathlib import Path

import pexpect
from rich.console import Console
from rich.text import Text

__all__ = ["draw_batch"]

WIDTH = 100

_CONTROLS = re.compile(r"\x1b\[[0-9;?]*[a-zA-Z]")


def draw_batch(here: Path, folder: str) -> None:
    """Draw a batch run, an examination, and the end of a bake-off on what the run has accepted."""
    _draw(here / "batch.svg", ["--headless", "--rounds", "2", "--seed", "3"], folder)
    _draw(here / "doctor.svg", ["doctor"], folder)
    _draw(here / "bakeoff.svg", ["bakeoff", "--cases", "workspace", "--seed", "3"], folder, beginning="model ")


def _draw(picture: Path, words: list[str], folder: str, beginning: str = "") -> None:
    """Run the command in a pseudo-terminal and draw what stays on the screen, from the line with this beginning on."""
    environment = {**os.environ, "XDG_STATE_HOME": folder, "TERM": "xterm"}
    child = pexpect.spawn(
        "selfplay-tui", words, cwd=folder, env=environment, dimensions=(30, WIDTH), encoding="utf-8", timeout=120
    )
    child.expect(pexpect.EOF)
    output = str(child.before)
    console = Console(record=True, width=WIDTH, file=io.StringIO(), force_terminal=True)
    console.print(Text(f"$ selfplay-tui {' '.join(words)}", style="bold"))
    for line in dropwhile(lambda line: not line.startswith(beginning), _kept_lines(output)):
        console.print(Text(line))
    console.save_svg(str(picture), title="selfplay-tui", unique_id=picture.stem)


def _kept_lines(output: str) -> list[str]:
    """Leave out the bar, which is gone when the run is over."""
    lines = _CONTROLS.sub("", output).replace("\r\n", "\n").replace("\r", "\n").split("\n")
    kept = [line.rstrip() for line in lines if "/min" not in line and "━" not in line]
    # Where the bar was redrawn an empty line stands before the next prompt's.
    return re.sub(r"\n+(?=\[)", "\n", "\n".join(kept)).strip("\n").split("\n")
