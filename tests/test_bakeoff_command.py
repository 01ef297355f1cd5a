"""`selfplay-tui bakeoff` as a person or a program meets it."""

from __future__ import annotations

import asyncio
import signal
from pathlib import Path

import orjson
import pytest

from tests.bakeoffs import Bakery, Skill, bakery, write_cases
from tests.commands import clean_environment, run_command, start_command
from tests.servers.ollama import fail
from tests.terminal import Terminal
from tests.worlds import PASSWORD


def flags(ground: Bakery) -> list[str]:
    models = [word for name in ground.skills for word in ("--model", name)]
    return [*models, "--ollama-url", ground.model.url, "--rcon-port", str(ground.server.port)]


async def test_with_nothing_configured_the_sandboxes_models_are_compared(tmp_path: Path) -> None:
    """On what the sandbox's workspace has accepted: the same command again asks nothing and tells the same."""
    env = clean_environment(tmp_path)
    assert (await run_command(tmp_path, "--headless", "--rounds", "2", "--seed", "1", env=env)).code == 0
    done = await run_command(tmp_path, "bakeoff", "--cases", "workspace", env=env)
    again = await run_command(tmp_path, "bakeoff", "--cases", "workspace", env=env)
    assert (done.code, again.code) == (0, 0), done.err + again.err
    first, second = done.summary, again.summary
    assert {model["model"] for model in first["models"]} == {"selfplay-sandbox", "selfplay-sandbox-mini"}
    assert first["cases"]["may_be_known"]
    assert first == second
    assert not any(event["event"] == "case_marked" for event in again.events)
    folder = tmp_path / first["folder"]
    assert folder.parent == tmp_path / "selfplay-sandbox" / "bakeoffs"
    assert orjson.loads((folder / "report.json").read_bytes())["pairs"] == first["pairs"]
    assert (folder / "report.md").read_text().startswith("# Bake-off")


async def test_a_new_one_gets_a_folder_of_its_own_and_the_latest_goes_on(tmp_path: Path) -> None:
    book = write_cases(tmp_path, 6)
    async with bakery(tmp_path, good=Skill(90), poor=Skill(10)) as ground:
        words = ["bakeoff", "--cases", book.source, *flags(ground)]
        folders = []
        for more in ([], ["--new"], []):
            done = await run_command(tmp_path, *words, *more)
            assert done.code == 0, done.err
            folders.append(done.summary["folder"])
        compared = await run_command(tmp_path, "bakeoff", "--compare", *folders[:2])
    assert folders == [folders[0], f"{folders[0]}-2", f"{folders[0]}-2"]
    assert compared.code == 0, compared.err
    labels = [model["model"] for model in compared.summary["models"]]
    assert len(set(labels)) == 4
    assert len(compared.summary["pairs"]) == 6


async def test_the_first_signal_ends_it_well_and_it_goes_on_later(tmp_path: Path) -> None:
    book = write_cases(tmp_path, 40)
    async with bakery(tmp_path, good=Skill(90), poor=Skill(10)) as ground:
        words = ["bakeoff", "--cases", book.source, *flags(ground)]
        process = await start_command(tmp_path, *words)
        assert process.stdout is not None
        async with asyncio.timeout(60):
            while b'"case_marked"' not in await process.stdout.readline():
                pass
            process.send_signal(signal.SIGINT)
            rest, _ = await process.communicate()
        summary = orjson.loads(rest.splitlines()[-1])
        done = await run_command(tmp_path, *words)
    assert process.returncode == 130
    assert (summary["status"], summary["complete"]) == ("interrupted", False)
    assert (done.code, done.summary["complete"]) == (0, True)
    assert sum(event["event"] == "case_marked" for event in done.events) < 80


@pytest.mark.parametrize(
    ("words", "told"),
    [
        ([], "--cases is missing"),
        (["--cases", "nowhere.jsonl"], "nowhere.jsonl cannot be read"),
        (["--cases", "workspace"], "nothing is accepted in this workspace"),
        (["--cases", "c.jsonl", "--model", "a", "--model", "a"], "--model a stands twice"),
        (["--cases", "c.jsonl", "--sample", "0"], "no number from 1 on"),
        (["--cases", "c.jsonl", "--accept", "none"], "--accept is unknown to bakeoff"),
        (["--cases", "c.jsonl", "--focus", "worldedit"], "none of the 1 cases is of the category worldedit"),
        (["--compare", "nowhere"], "no bake-off is here: nowhere"),
        (["--compare", "nowhere", "--model", "a"], "--model has no use there"),
    ],
)
async def test_what_makes_no_sense_is_named(tmp_path: Path, words: list[str], told: str) -> None:
    (tmp_path / "c.jsonl").write_text('{"prompt": "sudo a"}\n')
    done = await run_command(tmp_path, "bakeoff", *words, env=clean_environment(tmp_path))
    assert (done.code, done.out) == (2, "")
    assert told in done.err
    assert "Traceback" not in done.err


async def test_what_ends_it_in_the_middle_is_told_with_what_there_is(tmp_path: Path) -> None:
    """A model that is gone at its turn: the answers of the other are in the report, and the summary says failed."""
    book = write_cases(tmp_path, 30)
    async with bakery(tmp_path, good=Skill(90), gone=Skill(90)) as ground:
        ground.script = lambda body: fail(404, {"error": "model 'gone' not found"}) if body["model"] == "gone" else None
        done = await run_command(tmp_path, "bakeoff", "--cases", book.source, "--seed", "3", *flags(ground))
    assert done.code in (1, 3)
    assert "gone" in done.err
    if any(event["event"] == "case_marked" for event in done.events):
        assert (done.code, done.summary["status"]) == (1, "failed")
        assert [model["model"] for model in done.summary["models"]] == ["good"]


async def test_a_server_that_is_not_there_is_named(tmp_path: Path) -> None:
    book = write_cases(tmp_path, 3)
    async with bakery(tmp_path, good=Skill(90)) as ground:
        gone = [*flags(ground)[:-1], "1"]
        done = await run_command(tmp_path, "bakeoff", "--cases", book.source, *gone)
    assert done.code == 3
    assert "127.0.0.1:1" in done.err


async def test_a_person_sees_tables_that_fit_the_terminal(tmp_path: Path) -> None:
    book = write_cases(tmp_path, 6)
    async with bakery(tmp_path, good=Skill(100), poor=Skill(0)) as ground:
        words = ["bakeoff", "--cases", book.source, *flags(ground)]
        with Terminal(tmp_path, *words, columns=80, rows=60, SELFPLAY_RCON__PASSWORD=PASSWORD) as terminal:
            shown = await asyncio.to_thread(terminal.wait_for, "is:differs")
    (head,) = (line for line in shown if line.startswith("model "))
    (good,) = (line for line in shown if line.startswith("good ") and "100.0%" in line)
    assert len(head) == len(good) <= 80
    assert "errored" in head
    assert "The best is good." in shown
