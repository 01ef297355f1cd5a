"""Every command in the documents and in `--help` runs as it is written there."""

from __future__ import annotations

import asyncio
import re
import signal
from asyncio.subprocess import DEVNULL, PIPE
from pathlib import Path

import orjson
import pytest

from tests.commands import clean_environment, run_command
from tests.document_grounds import NOT_RUN, SLOW, STAND_INS, Ground, Stock, ground, stock_up
from tests.documents import COMMANDS, DOCUMENTS, ROOT, Line, commands_in, help_examples, kind_of, make_targets
from tests.terminal import Terminal
from tests.worlds import PASSWORD

_PATIENCE = 120.0


@pytest.fixture(scope="module")
def stock(tmp_path_factory: pytest.TempPathFactory) -> Stock:
    """What the documents take for granted, made once."""
    return asyncio.run(stock_up(tmp_path_factory.mktemp("stock")))


@pytest.mark.parametrize("name", DOCUMENTS)
async def test_the_commands_of_a_document_run_in_their_order(tmp_path: Path, stock: Stock, name: str) -> None:
    """From a folder in which the sandbox has run once; what is exported counts for the lines that follow."""
    lines = commands_in(name, (ROOT / name).read_text(encoding="utf-8"))
    async with ground(tmp_path, stock) as here:
        for line in lines:
            await _run(here, line)


@pytest.mark.parametrize("command", COMMANDS)
async def test_the_examples_of_help_run(tmp_path: Path, stock: Stock, command: str) -> None:
    """With the password in the environment, as the help says."""
    told = await run_command(tmp_path, *command.split(), "--help", env=clean_environment(tmp_path, COLUMNS="100"))
    lines = help_examples(command, told.out)
    assert lines
    async with ground(tmp_path, stock) as here:
        here.variables["SELFPLAY_RCON__PASSWORD"] = PASSWORD
        for line in lines:
            await _run(here, line)


@pytest.mark.parametrize("command", COMMANDS)
async def test_help_fits_a_terminal(tmp_path: Path, command: str) -> None:
    """No line is wider than 99 columns."""
    told = await run_command(tmp_path, *command.split(), "--help", env=clean_environment(tmp_path, COLUMNS="100"))
    assert told.code == 0
    assert [line for line in told.out.splitlines() if len(line) > 99] == []


async def test_no_exception_is_left_over(tmp_path: Path) -> None:
    """What the tables let be written otherwise, or not run, stands in a document or in a help."""
    env = clean_environment(tmp_path, COLUMNS="100")
    lines = [line for name in DOCUMENTS for line in commands_in(name, (ROOT / name).read_text(encoding="utf-8"))]
    for command in COMMANDS:
        lines += help_examples(command, (await run_command(tmp_path, *command.split(), "--help", env=env)).out)
    texts = [line.text.replace(".venv/bin/selfplay-tui", "selfplay-tui") for line in lines]
    assert [beginning for beginning in NOT_RUN if not any(text.startswith(beginning) for text in texts)] == []
    assert [written for written in STAND_INS if not any(written in text for text in texts)] == []
    assert [whole for whole in SLOW if whole not in texts] == []


async def _run(here: Ground, line: Line) -> None:
    match kind_of(line):
        case "make":
            missing = [word for word in line.text.split()[1:] if "=" not in word and word not in make_targets()]
            assert not missing, f"{line.place}: the Makefile has no {missing}"
        case "export":
            name, _, value = here.ready(line).removeprefix("export ").partition("=")
            here.variables[name] = value
        case "other":
            known = any(line.text.startswith(beginning) for beginning in NOT_RUN)
            assert known, f"{line.place}: {line.text!r} is nobody's command; give it a reason in NOT_RUN"
            named = re.findall(r"(?<!\S)tests(?:/\S+)?", line.text)
            named += [
                f"{module.replace('.', '/')}.py"
                for module in re.findall(r"-m ((?:tests|tui|benchmarks|selfplay_core)\.\S+)", line.text)
            ]
            gone = [path for path in named if not (ROOT / path).exists()]
            assert not gone, f"{line.place}: {gone} is not there"
        case "serve":
            await _serve(here, line)
        case "screen":
            await asyncio.to_thread(_look, here, line)
        case "run":
            await _finish(here, line)


async def _finish(here: Ground, line: Line) -> None:
    process = await asyncio.create_subprocess_exec(
        *("bash", "-euo", "pipefail", "-c", here.ready(line)),
        cwd=here.folder,
        env=here.environment,
        stdin=DEVNULL,
        stdout=PIPE,
        stderr=PIPE,
    )
    async with asyncio.timeout(_PATIENCE):
        out, err = await process.communicate()
    assert process.returncode == 0, f"{line.place}: {here.ready(line)}\n{out.decode()[-2000:]}\n{err.decode()}"


async def _serve(here: Ground, line: Line) -> None:
    process = await asyncio.create_subprocess_exec(
        *("bash", "-c", f"exec {here.ready(line)}"), cwd=here.folder, env=here.environment, stdin=DEVNULL, stdout=PIPE
    )
    assert process.stdout is not None
    async with asyncio.timeout(_PATIENCE):
        told = orjson.loads(await process.stdout.readline())
        process.send_signal(signal.SIGINT)
        await process.communicate()
    assert process.returncode == 130, line.place
    assert told, line.place


def _look(here: Ground, line: Line) -> None:
    words = ("-c", f"exec {here.ready(line)}")
    with Terminal(here.folder, *words, command="/bin/bash", columns=120, rows=36, **here.variables) as terminal:
        terminal.wait_for(lambda lines: any(re.search(r"\bquit\b|\bq\b", line) for line in lines[-2:]), _PATIENCE)
        terminal.press("q")
        code = terminal.wait_for_end(_PATIENCE)
    assert code == 0, f"{line.place}: {line.text}\n" + "\n".join(terminal.screen())
