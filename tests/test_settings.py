"""Settings: which layer wins, and what a person is told of a bad key."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from selfplay_core.errors import SettingsError
from selfplay_core.models import CATEGORY_NAMES
from selfplay_core.settings import Secret
from selfplay_core.settings_sources import Loaded, load_settings, seconds_of

NAMES = {"run.rounds": "--rounds", "run.focus": "--focus", "rcon.port": "--rcon-port"}


def load(*, toml: Path | None = None, env: dict[str, str] | None = None, flags: dict[str, Any] | None = None) -> Loaded:
    return load_settings(file=toml, environment=env or {}, flags=flags or {}, flag_names=NAMES)


def written(folder: Path, text: str) -> Path:
    file = folder / "selfplay.toml"
    file.write_text(text, encoding="utf-8")
    return file


def test_nothing_configured_is_the_sandbox() -> None:
    """Without a word from anybody, model and world are the embedded ones."""
    settings = load().settings
    assert (settings.llm.kind, settings.world.kind, settings.is_sandbox) == ("sandbox", "sandbox", True)


def test_flags_beat_environment_beats_file_beats_defaults(tmp_path: Path) -> None:
    """Each layer is seen where the ones above it are silent, and each value knows its origin."""
    file = written(tmp_path, "[run]\nrounds = 3\nmax_retries = 4\nconcurrency = 5\n")
    found = load(
        toml=file,
        env={"SELFPLAY_RUN__ROUNDS": "30", "SELFPLAY_RUN__MAX_RETRIES": "7"},
        flags={"run.rounds": "300"},
    )
    run = found.settings.run
    assert (run.rounds, run.max_retries, run.concurrency, run.prompts_per_category) == (300, 7, 5, 5)
    assert found.origins["run.rounds"] == "--rounds"
    assert found.origins["run.max_retries"] == "SELFPLAY_RUN__MAX_RETRIES"
    assert found.origins["run.concurrency"] == str(file)


@pytest.mark.parametrize("body", ["[run]\nweights = " + "[" * 3000, "[run]\nseed = " + "9" * 5000, "[run", "a = \xff"])
def test_a_file_that_is_no_toml_is_told(tmp_path: Path, body: str) -> None:
    """Also where the parser itself gives up: on depth, on the length of a number."""
    with pytest.raises(SettingsError, match=r"selfplay\.toml are no valid TOML: .* Mend the file\.$"):
        load(toml=written(tmp_path, body))


@pytest.mark.parametrize(
    ("flags", "kinds"),
    [
        ({"llm.model": "m"}, ("ollama", "sandbox")),
        ({"llm.url": "h", "llm.model": "m"}, ("ollama", "sandbox")),
        ({"rcon.host": "h"}, ("sandbox", "rcon")),
        ({"rcon.port": "25575"}, ("sandbox", "rcon")),
        ({"llm.model": "m", "llm.kind": "sandbox", "rcon.port": "1", "world.kind": "sandbox"}, ("sandbox", "sandbox")),
    ],
)
def test_an_address_implies_its_kind(flags: dict[str, str], kinds: tuple[str, str]) -> None:
    """A model or a url means Ollama, anything of rcon a real server, unless the kind is named."""
    settings = load(flags=flags).settings
    assert (settings.llm.kind, settings.world.kind) == kinds


def test_ollama_is_found_where_its_own_variable_says() -> None:
    """OLLAMA_HOST, else the default port; an explicit url beats both."""
    assert load(env={"OLLAMA_HOST": "box:1"}, flags={"llm.model": "m"}).settings.llm.url == "box:1"
    assert load(flags={"llm.model": "m"}).settings.llm.url == "127.0.0.1:11434"
    assert load(env={"OLLAMA_HOST": "box:1"}, flags={"llm.model": "m", "llm.url": "u"}).settings.llm.url == "u"


@pytest.mark.parametrize(
    ("path", "value", "said"),
    [
        ("run.rounds", "-3", ["--rounds", "-3", ">= 1"]),
        ("run.rounds", "many", ["--rounds", "many", "whole number"]),
        ("run.focus", "redstone", ["--focus", "redstone", *CATEGORY_NAMES]),
        ("rcon.port", "70000", ["--rcon-port", "70000", "1 to 65535"]),
        ("run.accept", "all", ["run.accept", "all"]),
        ("run.give_up", "soon", ["run.give_up", "soon", "15m"]),
    ],
)
def test_a_bad_value_is_named_with_its_origin_and_what_is_allowed(path: str, value: str, said: list[str]) -> None:
    """One line: where it was said, the value, what would do."""
    with pytest.raises(SettingsError) as caught:
        load(flags={path: value})
    message = str(caught.value)
    assert "\n" not in message
    for word in said if path in NAMES else said[1:]:
        assert word in message


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("[run]\nruonds = 3\n", ["ruonds", "[run]", "rounds"]),
        ("[rum]\nrounds = 3\n", ["[rum]", "[run]"]),
        ("rounds = 3\n", ["rounds", "section"]),
        ('[run]\nrounds = "x"\n', ["run.rounds", "'x'"]),
        ("[run\n", ["TOML"]),
        ('[rcon]\npassword = "hunter2"\n', ["SELFPLAY_RCON__PASSWORD"]),
    ],
)
def test_a_bad_file_is_named_with_its_key(tmp_path: Path, text: str, said: list[str]) -> None:
    """The file, the key and what is known stand in one line; a secret is refused without being shown."""
    file = written(tmp_path, text)
    with pytest.raises(SettingsError) as caught:
        load(toml=file)
    message = str(caught.value)
    for word in [str(file), *said]:
        assert word in message
    assert "hunter2" not in message


def test_a_file_that_cannot_be_read_is_named(tmp_path: Path) -> None:
    """A missing file that was asked for is an error, not a default."""
    with pytest.raises(SettingsError, match=r"nowhere\.toml"):
        load(toml=tmp_path / "nowhere.toml")


def test_an_unknown_variable_of_ours_is_an_error() -> None:
    """A misspelt variable would otherwise be ignored in silence; other programs' variables are not ours."""
    with pytest.raises(SettingsError, match="SELFPLAY_RUN__RUONDS"):
        load(env={"SELFPLAY_RUN__RUONDS": "3"})
    load(env={"SELFPLAY_HOME": "x", "SELFPLAY_RCON__PASSWORD": "s"})


def test_a_real_model_has_to_be_named() -> None:
    """There is no default model for a model server."""
    with pytest.raises(SettingsError, match="--model"):
        load(flags={"llm.kind": "ollama"})


def test_lists_come_from_the_environment_with_commas() -> None:
    """And every name among them is checked."""
    assert load(env={"SELFPLAY_WORLD__PLAYERS": "Ann,Bob"}).settings.world.players == ("Ann", "Bob")
    with pytest.raises(SettingsError, match="1 to 16"):
        load(env={"SELFPLAY_WORLD__PLAYERS": "Ann,two words"})


def test_keys_are_a_table_in_the_file_and_json_in_a_variable(tmp_path: Path) -> None:
    """Whose names are the review screen's business."""
    file = written(tmp_path, '[review]\ntheme = "light"\n[review.keys]\naccept = "a,enter"\nundo = "u"\n')
    review = load(toml=file).settings.review
    assert (review.theme, review.keys) == ("light", {"accept": "a,enter", "undo": "u"})
    assert load(env={"SELFPLAY_REVIEW__KEYS": '{"undo": "z"}'}).settings.review.keys == {"undo": "z"}


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ('[review]\nkeys = "a"\n', ["review.keys", "[review.keys]"]),
        ("[review.keys]\naccept = 3\n", ["review.keys", "[review.keys]"]),
        ('[review]\ntheme = "pink"\n', ["review.theme", "dark, light, ansi"]),
        ('[review]\nthema = "dark"\n', ["thema", "[review]", "theme"]),
        ('[run]\non_ask = "hold"\n', ["run.on_ask", "deny, probe"]),
    ],
)
def test_a_bad_setting_of_the_screen_is_named(tmp_path: Path, text: str, said: list[str]) -> None:
    """As any other; holding is what a review screen does by itself."""
    with pytest.raises(SettingsError) as caught:
        load(toml=written(tmp_path, text))
    for word in said:
        assert word in str(caught.value)


def test_durations() -> None:
    """Seconds by default, minutes and hours by their letter."""
    assert [seconds_of(text) for text in ("90", "90s", "1.5m", "2h")] == [90.0, 90.0, 90.0, 7200.0]


def test_a_secret_shows_itself_to_nobody() -> None:
    """Neither repr nor str nor formatting gives it away."""
    secret = Secret("hunter2")
    assert "hunter2" not in f"{secret!r} {secret} {[secret]}"
    assert secret.reveal() == "hunter2"
