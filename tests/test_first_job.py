"""What is typed on the first screen, as a job and as a file."""

from __future__ import annotations

import tomllib
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from selfplay_core.errors import SettingsError, WorkspaceError
from selfplay_core.settings_sources import load_settings
from tests.other_screens import a_job
from tui.first_run.job import FirstJob, job_of, save, settings_file

TYPED = {"llm.model": "qwen3:8b", "llm.url": "", "rcon.host": "", "rcon.port": "25577", "rcon.password": "s3cret"}


def test_what_was_typed_and_what_was_set_before_hold_together(tmp_path: Path) -> None:
    """The job has the typed servers, the password as a secret, and every setting that was made elsewhere."""
    job = a_job(tmp_path / "w", run__rounds=7, world__players=["Alex", "Steve"])
    first = job_of(job, {"run.rounds": "--rounds", "world.players": "a file"}, TYPED, {})
    made = first.job.settings
    assert (made.llm.kind, made.llm.model, made.world.kind, made.rcon.port) == ("ollama", "qwen3:8b", "rcon", 25577)
    assert (made.run.rounds, made.world.players) == (7, ("Alex", "Steve"))
    assert (first.origins["run.rounds"], first.origins["llm.model"]) == ("--rounds", "the field 'model'")
    assert first.job.credentials.rcon_password is not None
    assert first.job.credentials.rcon_password.reveal() == "s3cret"


def test_real_servers_get_the_folder_of_real_servers(tmp_path: Path) -> None:
    """The default folder follows from what is typed, one that a person named stays, and the output goes with it."""
    unnamed = replace(
        a_job(tmp_path), workspace=Path("selfplay-sandbox"), output=Path("selfplay-sandbox/self_play.jsonl")
    )
    real = job_of(unnamed, {}, TYPED, {}).job
    assert (real.workspace, real.output) == (Path("selfplay"), Path("selfplay/self_play.jsonl"))
    half = job_of(unnamed, {}, {"llm.model": "m"}, {}).job
    assert (half.workspace, half.settings.world.kind) == (Path("selfplay-sandbox"), "sandbox")
    named = job_of(replace(unnamed, workspace=tmp_path / "mine", output=tmp_path / "rows"), {}, TYPED, {}).job
    assert (named.workspace, named.output) == (tmp_path / "mine", tmp_path / "rows")


@pytest.mark.parametrize(
    ("typed", "words"),
    [
        ({}, ["form is empty", "sandbox"]),
        ({"llm.model": "m", "rcon.host": "h"}, ["password", "SELFPLAY_RCON__PASSWORD"]),
        ({"rcon.port": "70000", "rcon.password": "p"}, ["RCON port", "70000", "65535"]),
        ({"llm.url": "somewhere"}, ["llm.model"]),
        ({"llm.model": "m", "llm.url": "s3 cret!"}, ["'Ollama URL'", "s3 cret!", "127.0.0.1:11434"]),
        ({"llm.model": "m", "llm.url": "127.0.0.1:99999"}, ["'Ollama URL'", "99999", "1 to 65535", "11434"]),
        ({"rcon.port": "s3cret", "rcon.password": "p"}, ["RCON port", "s3cret"]),
    ],
)
def test_what_is_wrong_is_said(tmp_path: Path, typed: dict[str, str], words: list[str]) -> None:
    """A form that makes no job says what is wrong, of which field, and what to do."""
    with pytest.raises(SettingsError) as caught:
        job_of(a_job(tmp_path), {}, typed, {})
    assert all(word in str(caught.value) for word in words), str(caught.value)


def test_the_environment_may_hold_the_password(tmp_path: Path) -> None:
    """A password that is in the environment need not be typed."""
    first = job_of(a_job(tmp_path), {}, {"rcon.host": "h"}, {"SELFPLAY_RCON__PASSWORD": "theirs"})
    assert first.job.credentials.rcon_password is not None
    assert first.job.credentials.rcon_password.reveal() == "theirs"


def test_the_file_says_what_was_typed_but_no_password(tmp_path: Path) -> None:
    """A start that reads the file has the same servers; the password is nowhere in it."""
    first = job_of(a_job(tmp_path / "w"), {}, TYPED, {})
    file = save(first)
    assert file == tmp_path / "w" / "selfplay.toml"
    assert "s3cret" not in file.read_text()
    assert "SELFPLAY_RCON__PASSWORD" in file.read_text()
    again = load_settings(file=file, environment={}, flags={}, flag_names={}).settings
    assert again == first.job.settings


def test_no_file_is_overwritten(tmp_path: Path) -> None:
    """A settings file that is there stays as it is, and the error says so."""
    (tmp_path / "selfplay.toml").write_text("# mine\n")
    first = job_of(a_job(tmp_path), {}, TYPED, {})
    with pytest.raises(WorkspaceError, match="not overwritten"):
        save(first)
    assert (tmp_path / "selfplay.toml").read_text() == "# mine\n"
    (tmp_path / "a file").write_text("")
    with pytest.raises(WorkspaceError, match="cannot be written"):
        save(FirstJob(replace(first.job, workspace=tmp_path / "a file" / "w"), {}, {}))


@given(st.text(st.characters(exclude_categories=["Cs"]), min_size=1))
def test_any_text_survives_the_file(text: str) -> None:
    """Whatever is typed is read back as it was typed."""
    found = tomllib.loads(settings_file({"llm.model": text, "rcon.port": "1"}))
    assert found == {"llm": {"model": text}, "rcon": {"port": 1}}
