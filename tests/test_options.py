"""The command line: what it takes, what it refuses, and how fast it helps."""

from __future__ import annotations

import subprocess
import sys

import pytest

from tui.cli import main
from tui.options import Unusable, parse

ORIGINAL = [
    "--model", "m", "--ollama-url", "http://h:1", "--rcon-host", "h", "--rcon-port", "2", "--rcon-pass", "p",
    "--rounds", "3", "--focus", "worldedit", "--output", "o.jsonl", "--dry-run", "--max-retries", "1",
]  # fmt: skip


def test_every_flag_of_the_original_is_taken() -> None:
    """With its name and its meaning."""
    found = vars(parse(ORIGINAL))
    assert (found["llm.model"], found["llm.url"], found["rcon.host"], found["rcon.port"]) == (
        "m",
        "http://h:1",
        "h",
        "2",
    )
    assert (found["rcon_pass"], found["run.rounds"], found["run.focus"], found["output"]) == (
        "p",
        "3",
        "worldedit",
        "o.jsonl",
    )
    assert (found["dry_run"], found["run.max_retries"]) == (True, "1")


@pytest.mark.parametrize(
    "line",
    [["sandbox", "--rcon-port", "7"], ["--rcon-port", "7", "sandbox"], ["--rcon-port=7", "sandbox"]],
)
def test_options_stand_on_either_side_of_a_command(line: list[str]) -> None:
    """And mean the same."""
    found = parse(line)
    assert (found.command, found.rcon_port) == ("sandbox", 7)


def test_a_value_is_no_command() -> None:
    """A word that belongs to an option is taken as its value."""
    found = vars(parse(["--model", "sandbox", "--headless"]))
    assert (found["command"], found["llm.model"]) == ("", "sandbox")


@pytest.mark.parametrize(
    ("line", "said"),
    [
        (["--round", "3"], "--round "),
        (["--nonsense"], "--nonsense"),
        (["sandbox", "--rounds", "3"], "--rounds"),
        (["frobnicate"], "frobnicate"),
        (["--rounds"], "--rounds"),
        (["sandbox", "--rcon-port", "70000"], "70000"),
    ],
)
def test_a_line_that_makes_no_sense_is_refused(line: list[str], said: str, capsys: pytest.CaptureFixture[str]) -> None:
    """One line that names the word, exit 2; nothing is abbreviated."""
    with pytest.raises(Unusable, match=said):
        parse(line)
    assert main(line) == 2
    printed = capsys.readouterr().err
    assert printed.count("\n") == 1


def test_an_unknown_option_does_not_show_its_value() -> None:
    """It may be a misspelt secret."""
    with pytest.raises(Unusable) as caught:
        parse(["--rcon-password=hunter2"])
    assert "hunter2" not in str(caught.value)


def test_native_windows_is_refused(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    """In one sentence, exit 2."""
    monkeypatch.setattr(sys, "platform", "win32")
    assert main(["--headless"]) == 2
    assert "WSL" in capsys.readouterr().err


@pytest.mark.parametrize("line", [["--help"], ["sandbox", "--help"], ["--version"]])
def test_help_loads_nothing_slow(line: list[str]) -> None:
    """What costs time at the start is not loaded to print a text."""
    slow = ["asyncio", "httpx", "msgspec", "mecha", "sqlite3", "uvicorn", "textual", "rich"]
    program = (
        "import sys\nfrom tui.cli import main\n"
        f"try:\n    main({line!r})\nexcept SystemExit:\n    pass\n"
        f"print([name for name in {slow!r} if name in sys.modules], file=sys.stderr)"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert done.stderr.strip() == "[]"
    assert done.stdout
