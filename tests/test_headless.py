"""The batch mode as a person or a program meets it: streams, exit codes, signals, bad input."""

from __future__ import annotations

import asyncio
import signal
import sqlite3
import subprocess
import sys
from collections import Counter
from pathlib import Path

import pytest

from tests.commands import COMMAND, clean_environment, run_command, server_flags, start_command
from tests.servers.ollama import fail, say
from tests.worlds import OUTCOMES, PASSWORD, playground, rows_in


def files_in(folder: Path) -> set[str]:
    return {str(path.relative_to(folder)) for path in folder.rglob("*") if path.is_file() and "state" not in path.parts}


async def test_the_sandbox_needs_no_configuration(tmp_path: Path) -> None:
    """Two rounds with nothing set: rows that are valid JSON and say where they are from, exit 0."""
    done = await run_command(
        tmp_path, "--headless", "--rounds", "2", "--output", "out.jsonl", env=clean_environment(tmp_path)
    )
    assert done.code == 0, done.err
    rows = rows_in(tmp_path / "out.jsonl")
    assert len(rows) == done.summary["rows_written"] > 5
    assert all(row["metadata"]["verifier"] == "sandbox" for row in rows)
    assert not any(row["metadata"]["rcon_verified"] for row in rows)
    assert done.summary["verifier"] == "sandbox"
    assert (tmp_path / "selfplay-sandbox" / "selfplay.db").exists()


async def test_every_prompts_outcome_is_told_on_stdout(tmp_path: Path) -> None:
    """Against somebody else's servers: JSON lines alone, one `trace_ended` a prompt, counts that agree."""
    async with playground(tmp_path) as ground:
        done = await run_command(tmp_path, "--headless", "--rounds", "2", "--seed", "3", *server_flags(ground))
    assert done.code == 0, done.err
    ended = [event for event in done.events if event["event"] == "trace_ended"]
    assert len(ended) == 30
    for event in ended:
        assert event["outcome"] == OUTCOMES[event["prompt"].split()[-1]]
    counted = Counter(event["outcome"] for event in ended)
    assert {name: count for name, count in done.summary["outcomes"].items() if count} == dict(counted)
    assert len(rows_in(tmp_path / "selfplay" / "self_play.jsonl")) == done.summary["rows_written"]


async def test_a_secret_is_nowhere_to_be_found(tmp_path: Path) -> None:
    """Neither in what is said nor in what is kept, however it was given; argv alone is warned of."""
    async with playground(tmp_path) as ground:
        given = await run_command(tmp_path, "--headless", "--rounds", "1", *server_flags(ground))
        typed = await run_command(
            tmp_path, "--headless", "--rounds", "1", *server_flags(ground), "--rcon-pass", PASSWORD,
            env=clean_environment(tmp_path),
        )  # fmt: skip
    assert (given.code, typed.code) == (0, 0)
    assert "--rcon-pass" in typed.err
    for text in (given.out, given.err, typed.out, typed.err):
        assert PASSWORD not in text
    for name in files_in(tmp_path):
        assert PASSWORD.encode() not in (tmp_path / name).read_bytes(), name


async def test_a_password_file_must_be_private(tmp_path: Path) -> None:
    """One that others can read is refused with what to do; a private one works."""
    file = tmp_path / "password"
    file.write_text(f"{PASSWORD}\n", encoding="utf-8")
    environment = clean_environment(tmp_path, SELFPLAY_RCON__PASSWORD_FILE=str(file))
    async with playground(tmp_path) as ground:
        words = ["--headless", "--rounds", "1", "--focus", "worldedit", *server_flags(ground)]
        file.chmod(0o644)
        public = await run_command(tmp_path, *words, env=environment)
        file.chmod(0o600)
        private = await run_command(tmp_path, *words, env=environment)
    assert (public.code, private.code) == (2, 0)
    assert "chmod 600" in public.err


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["--rounds", "-3"], ["--rounds", "-3", "1"]),
        (["--rounds", "0"], ["--rounds", "0"]),
        (["--rounds", "x"], ["--rounds", "x"]),
        (["--focus", "redstone"], ["redstone", "worldedit"]),
        (["--rcon-port", "70000"], ["70000", "65535"]),
        (["--max-retries", "-1"], ["-1"]),
        (["--concurrency", "0"], ["--concurrency", "0"]),
        (["--config", "missing.toml"], ["missing.toml"]),
        (["--config", "bad.toml"], ["bad.toml", "ruonds"]),
        (["--prompts", "missing.txt"], ["missing.txt"]),
        (["--prompts", "empty.txt"], ["empty.txt"]),
        (["--prompts", "bad.jsonl"], ["bad.jsonl", "line 2"]),
        (["--llm", "ollama"], ["--model"]),
        (["--accept", "all"], ["all"]),
        (["--give-up", "soon"], ["soon"]),
        (["--output", "."], ["."]),
        (["--output", "nowhere/out.jsonl"], ["nowhere"]),
        (["--output", "/dev/full"], ["/dev/full"]),
        (["--workspace", "bad.toml"], ["bad.toml"]),
        (["--world", "rcon"], ["SELFPLAY_RCON__PASSWORD"]),
        (["--ollama-url", "http://", "--model", "m"], ["http://"]),
    ],
)
async def test_bad_input_is_one_line_and_exit_2(tmp_path: Path, words: list[str], said: list[str]) -> None:
    """The line names the value and what to do; no traceback, no row."""
    (tmp_path / "bad.toml").write_text("[run]\nruonds = 1\n", encoding="utf-8")
    (tmp_path / "empty.txt").write_text("\n\n", encoding="utf-8")
    (tmp_path / "bad.jsonl").write_text('{"prompt": "sudo a"}\n{"prompt": 7}\n', encoding="utf-8")
    done = await run_command(tmp_path, "--headless", *words, env=clean_environment(tmp_path))
    assert done.code == 2, done
    assert done.err.count("\n") == 1, done.err
    for word in said:
        assert word in done.err
    assert "run_started" not in done.out


async def test_servers_that_cannot_be_used_at_the_start_are_exit_3(tmp_path: Path) -> None:
    """No model server, no model, no RCON, a wrong password: told at once, and nothing asked."""
    async with playground(tmp_path) as ground:
        here = server_flags(ground)
        nobody = await run_command(tmp_path, "--headless", *here, "--ollama-url", "127.0.0.1:1")
        no_rcon = await run_command(tmp_path, "--headless", *here, "--rcon-port", "1")
        wrong = await run_command(
            tmp_path, "--headless", *here, env=clean_environment(tmp_path, SELFPLAY_RCON__PASSWORD="wrong")
        )
        ground.model.routes["/api/show"] = fail(404, {"error": "model 'theirs' not found"})
        missing = await run_command(tmp_path, "--headless", *here)
        assert ground.model.chats == []
        assert [command for command in ground.server.commands if command != "version"] == []
    for done in (nobody, no_rcon, wrong, missing):
        assert done.code == 3, done
        assert done.err.count("\n") == 1, done.err
    assert "password" in wrong.err
    assert "ollama pull" in missing.err


async def test_a_model_that_is_missed_only_in_chat_is_exit_3_too(tmp_path: Path) -> None:
    """A server that knows nothing but /api/chat says it there."""
    async with playground(tmp_path) as ground:
        for path in list(ground.model.routes):
            ground.model.routes[path] = fail(404, b"404 page not found")
        ground.model.script = lambda body: fail(404, {"error": "model 'theirs' not found, try pulling it first"})
        done = await run_command(tmp_path, "--headless", *server_flags(ground))
    assert done.code == 3, done
    assert "ollama pull" in done.err


async def test_giving_up_later_is_exit_1_and_says_why(tmp_path: Path) -> None:
    """A server that goes away and stays away; the next run goes on."""
    async with playground(tmp_path) as ground:
        words = ["--headless", "--rounds", "1", "--seed", "3", "--give-up", "1s", *server_flags(ground)]
        theirs = ground.server.handler
        process = await start_command(tmp_path, *words)
        assert process.stdout is not None
        async for line in process.stdout:
            if b"trace_ended" in line:
                await ground.server.stop()
                break
        out, err = await asyncio.wait_for(process.communicate(), 60)
        assert process.returncode == 1, err
        assert b'"status":"gave_up"' in out.splitlines()[-1]
        assert b"--give-up" in out.splitlines()[-1]
        ground.server.handler = theirs
        await ground.server.start()
        again = await run_command(tmp_path, *words)
    assert again.code == 0, again.err
    assert again.events[0]["resumed"]


@pytest.mark.parametrize(("number", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, 143)])
async def test_the_first_signal_drains(tmp_path: Path, number: signal.Signals, code: int) -> None:
    """What has begun is finished and kept; the rest is there for the next run."""
    async with playground(tmp_path) as ground:
        ground.slow = lambda body: 0.05
        words = ["--headless", "--rounds", "2", "--seed", "3", "--concurrency", "4", *server_flags(ground)]
        process = await start_command(tmp_path, *words)
        assert process.stdout is not None
        async for line in process.stdout:
            if b"trace_ended" in line:
                process.send_signal(number)
                break
        out, err = await asyncio.wait_for(process.communicate(), 60)
        assert process.returncode == code, err
        assert b'"status":"interrupted"' in out.splitlines()[-1]
        again = await run_command(tmp_path, *words)
    assert again.code == 0, again.err
    assert again.events[0]["resumed"]
    with sqlite3.connect(tmp_path / "selfplay" / "selfplay.db") as database:
        assert database.execute("SELECT count(*) FROM trace").fetchone() == (30,)


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
@pytest.mark.parametrize("moment", ["tui.cli.hold_signals", "tui.commands.headless.make_job"])
def test_a_signal_before_the_run_ends_with_a_summary(tmp_path: Path, number: signal.Signals, moment: str) -> None:
    """While its modules load, or its job is made: whoever reads the last line finds it, and nothing was touched."""
    module, _, name = moment.rpartition(".")
    program = (
        f"import os, signal, sys, tui.cli, {module} as module\n"
        # As from a terminal: a shell's background jobs ignore this signal.
        "signal.signal(signal.SIGINT, signal.default_int_handler)\n"
        f"theirs = module.{name}\n"
        f"def then_signalled(*given):\n    theirs(*given)\n    os.kill(os.getpid(), {int(number)})\n"
        f"module.{name} = then_signalled\n"
        "sys.exit(tui.cli.main(['--headless', '--rounds', '1']))"
    )
    done = subprocess.run(
        [sys.executable, "-c", program],
        cwd=tmp_path,
        env=clean_environment(tmp_path),
        capture_output=True,
        timeout=60,
        check=False,
    )
    assert done.returncode == 128 + number, done.stderr
    (line,) = done.stdout.splitlines()
    assert b'"event":"summary"' in line
    assert b'"status":"interrupted"' in line
    assert b"Traceback" not in done.stderr
    assert not (tmp_path / "selfplay-sandbox").exists()


async def test_the_second_signal_stops(tmp_path: Path) -> None:
    """Even while the model takes its time."""
    async with playground(tmp_path) as ground:
        ground.slow = lambda body: 60.0
        process = await start_command(tmp_path, "--headless", *server_flags(ground))
        assert process.stdout is not None
        await process.stdout.readline()
        process.send_signal(signal.SIGINT)
        assert process.stderr is not None
        await process.stderr.readline()
        process.send_signal(signal.SIGINT)
        out, err = await asyncio.wait_for(process.communicate(), 30)
    assert process.returncode == 130, err
    assert b"Traceback" not in err
    assert b'"event":"summary"' in out.splitlines()[-1]


async def test_a_dry_run_touches_nothing(tmp_path: Path) -> None:
    """Prompts are shown; no answer is asked, no command sent, no file made."""
    async with playground(tmp_path) as ground:
        done = await run_command(tmp_path, "--dry-run", "--rounds", "2", *server_flags(ground))
        assert all("prompts" in body["format"]["properties"] for body in ground.model.chats)
        assert ground.server.connections == 0
    assert done.code == 0, done.err
    written = [event for event in done.events if event["event"] == "prompts_written"]
    assert sum(len(event["prompts"]) for event in written) == 30
    assert files_in(tmp_path) == set()


async def test_two_generators_on_one_workspace_do_not_mix(tmp_path: Path) -> None:
    """The second says so, on the same server as on another, and leaves the first alone."""
    async with playground(tmp_path) as ground, playground(tmp_path) as other:
        ground.slow = lambda body: 0.2
        first = await start_command(tmp_path, "--headless", "--rounds", "50", *server_flags(ground))
        assert first.stdout is not None
        await first.stdout.readline()
        for theirs in (ground, other):
            second = await run_command(tmp_path, "--headless", "--rounds", "1", *server_flags(theirs))
            assert second.code == 2, second
            assert "another process" in second.err
        assert other.server.connections == 0
        assert first.returncode is None
        first.terminate()
        _, err = await asyncio.wait_for(first.communicate(), 60)
        assert first.returncode == 143, err


async def test_two_runs_on_one_server_do_not_mix(tmp_path: Path) -> None:
    """Vanilla would mix their replies: the second is told who holds the server."""
    async with playground(tmp_path) as ground:
        ground.slow = lambda body: 0.2
        first = await start_command(tmp_path, "--headless", "--rounds", "50", *server_flags(ground))
        assert first.stdout is not None
        await first.stdout.readline()
        second = await run_command(tmp_path, "--headless", "--workspace", "other", *server_flags(ground))
        assert second.code == 3, second
        assert str(first.pid) in second.err
        first.terminate()
        await asyncio.wait_for(first.communicate(), 60)


async def test_a_reader_that_leaves_ends_the_run_in_good_order(tmp_path: Path) -> None:
    """As with `| head -1`: no traceback, and what was begun is kept."""
    async with playground(tmp_path) as ground:
        process = await asyncio.create_subprocess_shell(
            f"'{COMMAND}' --headless --rounds 2 {' '.join(server_flags(ground))} | head -1",
            cwd=tmp_path,
            env=clean_environment(tmp_path, SELFPLAY_RCON__PASSWORD=PASSWORD),
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.PIPE,
        )
        out, err = await asyncio.wait_for(process.communicate(), 60)
    assert out.count(b"\n") == 1
    assert err == b""


@pytest.mark.parametrize("redirection", [">/dev/full", ">&-"])
async def test_a_stdout_that_takes_nothing_breaks_nothing(tmp_path: Path, redirection: str) -> None:
    """No traceback, and what was accepted is in the file."""
    process = await asyncio.create_subprocess_shell(
        f"'{COMMAND}' --headless --rounds 1 --output out.jsonl {redirection}",
        cwd=tmp_path,
        env=clean_environment(tmp_path),
        stderr=asyncio.subprocess.PIPE,
    )
    _, err = await asyncio.wait_for(process.communicate(), 60)
    assert b"Traceback" not in err
    assert process.returncode == (1 if "full" in redirection else 0), err


async def test_a_model_that_writes_no_prompt_is_a_failure(tmp_path: Path) -> None:
    """Exit 1, with the latest reason on the last line."""
    async with playground(tmp_path) as ground:
        ground.model.script = lambda body: say("nonsense")
        done = await run_command(tmp_path, "--headless", "--rounds", "2", *server_flags(ground))
    assert done.code == 1, done
    assert done.summary["status"] == "failed"
    assert "JSON" in done.summary["reason"]


@pytest.mark.parametrize("words", [["--model", ""], ["--model", " "], ["--output", "-"], ["--rcon-host", " "]])
async def test_an_empty_word_is_no_choice(tmp_path: Path, words: list[str]) -> None:
    """A variable of the shell that is not set does not turn a real run into one on the sandbox."""
    done = await run_command(tmp_path, "--headless", *words, env=clean_environment(tmp_path))
    assert done.code == 2, done
    assert words[0] in done.err


async def test_a_proxys_password_is_not_kept(tmp_path: Path) -> None:
    """The settings of a run stand in the database, the secrets among them do not."""
    async with playground(tmp_path) as ground:
        environment = clean_environment(
            tmp_path, SELFPLAY_RCON__PASSWORD=PASSWORD, SELFPLAY_LLM__PROXY="http://me:hunter2@127.0.0.1:1"
        )
        words = [
            "--headless",
            "--rounds",
            "1",
            "--give-up",
            "1s",
            "--world",
            "rcon",
            "--rcon-port",
            str(ground.server.port),
        ]
        done = await run_command(tmp_path, *words, "--llm", "sandbox", env=environment)
        words = ["--headless", "--rounds", "1", *server_flags(ground)]
        via_proxy = await run_command(tmp_path, *words, env=environment)
    assert via_proxy.code == 3, via_proxy
    for said in (done.out, done.err, via_proxy.out, via_proxy.err):
        assert "hunter2" not in said
    for name in files_in(tmp_path):
        assert b"hunter2" not in (tmp_path / name).read_bytes(), name


async def test_words_that_are_not_utf8_are_refused(tmp_path: Path) -> None:
    """In one line, before anything is done."""
    process = await asyncio.create_subprocess_exec(
        COMMAND, b"--headless", b"--output", b"out\xff.jsonl", cwd=tmp_path, env=clean_environment(tmp_path),
        stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.PIPE,
    )  # fmt: skip
    _, err = await asyncio.wait_for(process.communicate(), 30)
    assert (process.returncode, err.count(b"\n")) == (2, 1), err
    assert files_in(tmp_path) == set()


async def test_a_run_in_which_everything_errored_has_failed(tmp_path: Path) -> None:
    """Exit 1 with the latest reason: nothing of it is a success."""
    (tmp_path / "prompts.txt").write_text("sudo a torch\nsudo b torch\n", encoding="utf-8")
    async with playground(tmp_path) as ground:
        ground.model.script = lambda body: say("", done_reason="length")
        done = await run_command(tmp_path, "--headless", "--prompts", "prompts.txt", *server_flags(ground))
    assert done.code == 1, done
    assert (done.summary["status"], done.summary["outcomes"]["errored"]) == ("failed", 2)
    assert done.summary["reason"]
