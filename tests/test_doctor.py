"""`selfplay-tui doctor`: every thing that a run needs has its line, and what is wrong says what to do."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any

import orjson

from tests.commands import Done, clean_environment, run_command, server_flags, start_command
from tests.servers.ollama import fail
from tests.worlds import Playground, playground

EVERYTHING = {
    "policy",
    "language",
    "workspace",
    "output",
    "model server",
    "model",
    "slots",
    "server",
    "password",
    "canaries",
    "version",
    "players",
}


async def examine(folder: Path, *words: str, env: dict[str, str] | None = None) -> tuple[Done, dict[str, Any]]:
    done = await run_command(folder, "doctor", "--json", *words, env=env)
    return done, {check["name"]: check for check in map(orjson.loads, done.out.splitlines())}


async def test_all_is_well(tmp_path: Path) -> None:
    """Against working servers every line is a check mark, exit 0, and nothing is made or asked of the server."""
    async with playground(tmp_path) as ground:
        done, checks = await examine(tmp_path, *server_flags(ground), "--concurrency", "2")
        plain = await run_command(tmp_path, "doctor", *server_flags(ground))
    assert done.code == 0, done
    assert set(checks) == EVERYTHING
    assert all(check["well"] for check in checks.values())
    assert "Paper 1.21.4" in checks["version"]["said"]
    assert plain.code == 0
    assert {line[0] for line in plain.out.splitlines()} == {"✓"}
    assert not (tmp_path / "selfplay").exists()


async def ill(folder: Path, ground: Playground, *words: str, env: dict[str, str] | None = None) -> dict[str, str]:
    """Return what is said of each thing that is not well; the exit code must be 3."""
    done, checks = await examine(folder, *server_flags(ground), *words, env=env)
    assert done.code == 3, done
    return {name: check["said"] for name, check in checks.items() if not check["well"]}


async def test_each_fault_is_told_by_itself(tmp_path: Path) -> None:
    """One thing is wrong at a time, and that thing alone is marked, with what to do."""
    async with playground(tmp_path) as ground:
        found = await ill(tmp_path, ground, "--ollama-url", "127.0.0.1:1")
        assert set(found) == {"model server"}
        assert "ollama serve" in found["model server"]

        found = await ill(tmp_path, ground, "--rcon-port", "1")
        assert set(found) == {"server"}
        assert "enable-rcon" in found["server"]

        found = await ill(tmp_path, ground, env=clean_environment(tmp_path, SELFPLAY_RCON__PASSWORD="wrong"))
        assert set(found) == {"password"}

        found = await ill(tmp_path, ground, "--output", "nowhere/out.jsonl")
        assert set(found) == {"output"}

        theirs = ground.server.handler
        ground.server.handler = lambda command: "" if command != "version" else theirs(command)
        found = await ill(tmp_path, ground)
        assert set(found) == {"canaries"}
        assert "'list'" in found["canaries"]

        ground.server.handler = lambda command: (
            "There are 1 of a max of 20 players online: Stranger" if command == "list" else theirs(command)
        )
        found = await ill(tmp_path, ground)
        assert set(found) == {"players"}
        assert "Stranger" in found["players"]

        ground.server.handler = theirs
        ground.model.routes["/api/show"] = fail(404, {"error": "model 'theirs' not found"})
        found = await ill(tmp_path, ground)
        assert set(found) == {"model"}


async def test_another_version_is_told_with_its_remedy(tmp_path: Path) -> None:
    """Any version runs; outside the known ones doctor names the language file."""
    async with playground(tmp_path) as ground:
        theirs = ground.server.handler
        ground.server.handler = lambda command: (
            "This server is running Paper version 26.1 (MC: 26.1)" if command == "version" else theirs(command)
        )
        done, checks = await examine(tmp_path, *server_flags(ground))
    assert done.code == 0
    assert "verify.language" in checks["version"]["said"]


async def test_the_run_that_holds_the_server_looks_for_the_doctor(tmp_path: Path) -> None:
    """Two processes never speak to one server at once: the request goes through the workspace."""
    async with playground(tmp_path) as ground:
        ground.slow = lambda body: 0.3
        run = await start_command(tmp_path, "--headless", "--rounds", "1", *server_flags(ground))
        assert run.stdout is not None
        await run.stdout.readline()
        connections = ground.server.connections
        done, checks = await examine(tmp_path, *server_flags(ground))
        assert done.code == 0, done
        assert "holds" in checks["server"]["said"]
        assert checks["canaries"]["well"]
        assert ground.server.connections == connections
        run.terminate()
        await asyncio.wait_for(run.communicate(), 60)


async def test_a_bad_language_file_is_named(tmp_path: Path) -> None:
    """With what to do."""
    (tmp_path / "lang.json").write_text("{}", encoding="utf-8")
    (tmp_path / "settings.toml").write_text('[verify]\nlanguage = "lang.json"\n', encoding="utf-8")
    done, checks = await examine(tmp_path, "--config", "settings.toml", env=clean_environment(tmp_path))
    assert done.code == 3, done
    assert "lang.json" in checks["language"]["said"]


async def test_a_set_up_that_may_not_run_is_told(tmp_path: Path) -> None:
    """In a line, not in a traceback."""
    (tmp_path / "settings.toml").write_text('[world]\nsetup = ["stop"]\n', encoding="utf-8")
    done, checks = await examine(tmp_path, "--config", "settings.toml", env=clean_environment(tmp_path))
    assert done.code == 3, done
    assert "'stop'" in checks["server"]["said"]
    assert done.err == ""
