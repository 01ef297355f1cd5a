"""Where the commands of the documents run: a scratch folder, servers on loopback, and what is there beforehand."""

from __future__ import annotations

import gzip
import json
import shutil
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

from tests.commands import clean_environment, run_command
from tests.documents import BIN, Line
from tests.server_reports import write_reports
from tests.servers.ollama import FakeOllama, Reply, say, say_events
from tests.servers.rcon import StrictRconServer
from tests.worlds import PASSWORD, model_says, server_says

__all__ = ["NOT_RUN", "SLOW", "STAND_INS", "Ground", "Stock", "ground", "stock_up"]

STAND_INS: Final = {
    # A password that is typed where the document leaves it out.
    "PASSWORD=…": f"PASSWORD={PASSWORD}",
    # Enough to see that it runs.
    "--rounds 20": "--rounds 4",
    "--students 30": "--students 2",
    "FOLDER FOLDER": "monday/bakeoff friday/bakeoff",
    "--workspace FOLDER": "--workspace monday/bakeoff",
    # jq is no package of Python, and may be missing.
    "jq -r '.output.commands[]?' old.jsonl": "cat commands.txt",
    "jq -r '.output.commands[]?' self_play.jsonl": "cat commands.txt",
    # A free port, as the one in the document may be taken here.
    "--ollama-port 11500 --rcon-port 25580": "--ollama-port 0 --rcon-port 0",
}
"""What is written otherwise before a command runs; places of servers are in `Ground.ready`."""

NOT_RUN: Final = {
    "java ": "a server of Minecraft, which may not be shipped",
    "OLLAMA_NUM_PARALLEL=4 ollama ": "a model server of its own",
    "git clone": "the address is the reader's",
    "cd selfplay-tui": "goes where the tests are already",
    "python -m selfplay_core.sandbox.facts.": "writes facts into the source tree, from what it downloads",
    ".venv/bin/python -m tests.golden_cases": "writes into the source tree",
    ".venv/bin/pytest": "the tests within the tests",
}
"""Beginnings of commands that are no command of ours, or change the source tree, and why they are not run."""

SLOW: Final = {"selfplay-tui simulate": "selfplay-tui simulate --students 2 --rounds 10"}
"""Whole commands that take long as they are."""


@dataclass(slots=True)
class Stock:
    """What was made once for all documents: a workspace of the sandbox, and files of it."""

    folder: Path


@dataclass(slots=True)
class Ground:
    """One document's scratch folder, and servers that are ready for its commands."""

    folder: Path
    model: FakeOllama
    server: StrictRconServer
    variables: dict[str, str] = field(default_factory=dict)

    @property
    def environment(self) -> dict[str, str]:
        """The environment of the next command: what the document exported so far, and nothing else of ours."""
        return clean_environment(self.folder, **self.variables)

    def ready(self, line: Line) -> str:
        """Return a command as it is run here: with the addresses of these servers."""
        text = line.text.replace(".venv/bin/selfplay-tui", "selfplay-tui")
        for written, meant in STAND_INS.items():
            text = text.replace(written, meant)
        text = SLOW.get(text, text)
        if "sandbox" not in text.split():
            host = "--rcon-host 127.0.0.1"
            text = text.replace("--rcon-port 25575", "").replace(host, f"{host} --rcon-port {self.server.port}")
        for port in (8000, 8080, 1234, 11434):
            for name in ("host", "127.0.0.1"):
                text = text.replace(f"http://{name}:{port}", self.model.url)
        return text


@asynccontextmanager
async def ground(folder: Path, stock: Stock) -> AsyncIterator[Ground]:
    """Fill a folder and start both servers on free ports."""
    shutil.copytree(stock.folder, folder, dirs_exist_ok=True)
    with FakeOllama(_reply) as model:
        async with StrictRconServer(server_says, password=PASSWORD) as server:
            variables = {
                "PATH": f"{BIN}:/usr/local/bin:/usr/bin:/bin",
                "XDG_DATA_HOME": str(folder / "data-home"),
                "OLLAMA_HOST": model.url,
                # Short runs; as flags they would stand in every example.
                "SELFPLAY_RUN__ROUNDS": "1",
                "SELFPLAY_RUN__SEED": "11",
                "SELFPLAY_RUN__PROMPTS_PER_CATEGORY": "1",
            }
            yield Ground(folder, model, server, variables)


async def stock_up(folder: Path) -> Stock:
    """Make a workspace of the sandbox as `make demo` leaves it, and files as people have them."""
    env = clean_environment(folder)
    made = await run_command(folder, "--headless", "--rounds", "2", "--seed", "1", env=env)
    assert made.code == 0, made.err
    accepted = (folder / "selfplay-sandbox" / "self_play.jsonl").read_bytes()
    for day in ("monday", "friday"):
        words = ("bakeoff", "--cases", "workspace", "--sample", "3", "--output", f"{day}/bakeoff")
        done = await run_command(folder, *words, env=env)
        assert done.code == 0, done.err
    done = await run_command(folder, "export", "--format", "native", "--output", "anna.jsonl", env=env)
    assert done.code == 0, done.err
    native = (folder / "anna.jsonl").read_bytes()
    (folder / "anna.jsonl.manifest.json").unlink(missing_ok=True)
    for name, content in (("ben.jsonl", native), ("old.jsonl", accepted), ("self_play.jsonl", accepted)):
        (folder / name).write_bytes(content)
    (folder / "backup.jsonl.gz").write_bytes(gzip.compress(native))
    _write(folder / "data" / "processed" / "self_play.jsonl", accepted.decode())
    _write(folder / "data" / "own" / "function" / "tick.mcfunction", "say a tick\n")
    _write(folder / "commands.txt", "give @s diamond 1\ntime set day\n")
    _write(folder / "cases.jsonl", "".join(json.dumps({"prompt": f"sudo {n} torch"}) + "\n" for n in ("a", "b", "c")))
    _write(folder / "prompts.txt", "sudo one torch\n")
    _write(folder / "rcon-password", f"{PASSWORD}\n")
    write_reports(folder / "generated" / "reports")
    shutil.rmtree(folder / "state", ignore_errors=True)
    return Stock(folder)


def _write(path: Path, text: str) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, encoding="utf-8")


def _reply(body: dict[str, Any]) -> Reply:
    """Answer as a model does, in the protocol in which it was asked."""
    if "format" in body:
        return say(model_says(body))
    schema = body["response_format"]["json_schema"]["schema"]
    return say_events(model_says({**body, "format": schema, "options": {"seed": body.get("seed", 0)}}))
