"""What several test files share."""

from __future__ import annotations

import signal
from collections import Counter
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.game_languages import language_files, texts_in
from tests.nursery import Nursery
from tests.servers.rcon import StrictRconServer
from tests.servers.rcon_client import rcon_threads
from tests.soak import HEADINGS, LINES
from tests.tallies import COUNTED, FOUND

# They have environments of their own: `make test-consumers` and `make test-realllm`.
collect_ignore = ["consumers", "realllm"]


def pytest_addoption(parser: pytest.Parser) -> None:
    """What takes longer than every run of the tests should is for `make soak`."""
    parser.addoption("--soak-prompts", type=int, default=112, help="prompts in each run of tests/test_soak.py")
    parser.addoption("--soak", action="store_true", help="storm longer: more kills, more traffic")
    parser.addoption("--storm-seed", type=int, default=20, help="what the kills at random are drawn from")


def pytest_configure() -> None:
    """Let commands be interrupted: what a shell starts in its background, and all its children, ignore SIGINT."""
    if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
        signal.signal(signal.SIGINT, signal.default_int_handler)


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter, config: pytest.Config) -> None:
    """Print what became of the runs through the faults, and how many processes were killed."""
    if COUNTED:
        terminalreporter.write_line(f"kill -9: {COUNTED.total()} ({_counts(COUNTED)})")
        terminalreporter.write_line(f"found then: {_counts(FOUND)}")
    if lines := config.stash.get(LINES, []):
        terminalreporter.section("runs through faults")
        for line in (HEADINGS, *lines):
            terminalreporter.write_line(line)


def pytest_sessionfinish(session: pytest.Session) -> None:
    """Hand what was counted to the process that prints it, where tests run in several."""
    output: dict[str, Any] | None = getattr(session.config, "workeroutput", None)
    if output is not None:
        output["tallies"] = (dict(COUNTED), dict(FOUND), session.config.stash.get(LINES, []))


@pytest.hookimpl(optionalhook=True)
def pytest_testnodedown(node: Any) -> None:
    """Take in what one of the processes counted."""
    counted, found, lines = getattr(node, "workeroutput", {}).get("tallies", ({}, {}, []))
    COUNTED.update(counted)
    FOUND.update(found)
    node.config.stash.setdefault(LINES, []).extend(lines)


@pytest.fixture(scope="session")
def soak_prompts(pytestconfig: pytest.Config) -> int:
    """How many prompts go through each fault."""
    return int(pytestconfig.getoption("soak_prompts"))


def _counts(counted: Counter[str]) -> str:
    return ", ".join(f"{count} {name}" for name, count in sorted(counted.items()))


@pytest.fixture(autouse=True, scope="session")
def user_folders(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """Keep the lock files of servers, and rules that were imported, out of the user's own folders."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("XDG_DATA_HOME", str(tmp_path_factory.mktemp("data")))
        patch.setenv("XDG_STATE_HOME", str(tmp_path_factory.mktemp("state")))
        yield


@pytest.fixture(scope="session")
def nursery(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Nursery]:
    """The process that all the short-lived ones are forked from."""
    with Nursery(tmp_path_factory.mktemp("nursery")) as opened:
        yield opened


@pytest.fixture
async def server() -> AsyncIterator[StrictRconServer]:
    """A strict RCON server on a free port."""
    async with StrictRconServer() as strict:
        yield strict


@pytest.fixture
def no_rcon_thread_is_left() -> Iterator[None]:
    """Whatever a test did to its clients, their threads end."""
    yield
    for thread in rcon_threads():
        thread.join(5)
    assert rcon_threads() == []


@pytest.fixture(scope="session")
def game_files(pytestconfig: pytest.Config) -> dict[str, Path]:
    """The game's English language file of each version, fetched once into pytest's cache."""
    if getattr(pytestconfig, "cache", None) is None:
        pytest.skip("The language files are kept in pytest's cache, which is off; drop -p no:cacheprovider.")
    return language_files(Path(pytestconfig.cache.mkdir("minecraft-languages")))


@pytest.fixture(scope="session")
def languages(game_files: dict[str, Path]) -> dict[str, dict[str, str]]:
    """The English texts of each version."""
    return {version: texts_in(file) for version, file in game_files.items()}
