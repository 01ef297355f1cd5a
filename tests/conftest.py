"""What several test files share."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest

from tests.game_languages import language_files, texts_in
from tests.servers.rcon import StrictRconServer
from tests.servers.rcon_client import rcon_threads

# They have environments of their own: `make test-consumers` and `make test-realllm`.
collect_ignore = ["consumers", "realllm"]


@pytest.fixture(autouse=True, scope="session")
def user_folders(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """Keep the lock files of servers, and rules that were imported, out of the user's own folders."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("XDG_DATA_HOME", str(tmp_path_factory.mktemp("data")))
        patch.setenv("XDG_STATE_HOME", str(tmp_path_factory.mktemp("state")))
        yield


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
