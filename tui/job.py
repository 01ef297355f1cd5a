"""A command line made into a job: settings, texts, places and secrets."""

from __future__ import annotations

import argparse
import getpass
import os
import stat
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from selfplay_core.categories import load_texts
from selfplay_core.dataset.prompts import read_prompts
from selfplay_core.engine.servers import Credentials
from selfplay_core.engine.session import Job
from selfplay_core.errors import SettingsError
from selfplay_core.models import CATEGORY_NAMES
from selfplay_core.settings import Secret
from selfplay_core.settings_sources import Loaded, load_settings
from selfplay_core.text import clip, one_line
from tui.setting_options import FLAG_NAMES

__all__ = ["Settled", "make_job", "settle_job"]

_REAL: Final = Path("selfplay")
_SANDBOX: Final = Path("selfplay-sandbox")
_SETTINGS_NAME: Final = "selfplay.toml"
_OUTPUT_NAME: Final = "self_play.jsonl"
_TEXTS_NAME: Final = "prompts"


@dataclass(frozen=True, slots=True)
class Settled:
    """What a person asked for, and for each setting that somebody made where it came from."""

    job: Job
    origins: dict[str, str]


def make_job(options: argparse.Namespace, environment: Mapping[str, str] = os.environ) -> Job:
    """Settle what a person asked for; raises SettingsError in one line, and asks for a missing password."""
    return settle_job(options, environment).job


def settle_job(options: argparse.Namespace, environment: Mapping[str, str] = os.environ) -> Settled:
    """As `make_job`, with the origins of the settings."""
    for flag in ("workspace", "config", "output", "prompts"):
        if getattr(options, flag) == "":
            raise SettingsError(f"--{flag} is empty; give it a value, or leave it out.")
    loaded, workspace = _settle(options, environment)
    given = read_prompts(Path(options.prompts), CATEGORY_NAMES) if options.prompts else None
    texts = workspace / _TEXTS_NAME
    job = Job(
        settings=loaded.settings,
        texts=load_texts(texts if texts.is_dir() else None),
        credentials=_credentials(options, loaded, environment),
        workspace=workspace,
        output=_output(options, workspace),
        given=given,
        new=options.new,
    )
    return Settled(job, loaded.origins)


def _output(options: argparse.Namespace, workspace: Path) -> Path:
    if options.output == "-":
        raise SettingsError("--output: rows go to a file that can be continued, not to `-`; name a file.")
    return Path(options.output) if options.output else workspace / _OUTPUT_NAME


def _settle(options: argparse.Namespace, environment: Mapping[str, str]) -> tuple[Loaded, Path]:
    """Find settings and workspace together: the default workspace depends on whether all is real."""

    def load(file: Path | None) -> Loaded:
        flags = {path: value for path, value in vars(options).items() if "." in path}
        if options.rcon_pass is not None:
            # Any --rcon-… means a real server, and this one is no setting.
            flags.setdefault("world.kind", "rcon")
        return load_settings(file=file, environment=environment, flags=flags, flag_names=FLAG_NAMES)

    if options.config:
        loaded = load(Path(options.config))
        chosen = Path(options.workspace) if options.workspace else _default_workspace(loaded)
        return loaded, chosen
    if options.workspace:
        workspace = Path(options.workspace)
        return load(_settings_in(workspace)), workspace
    loaded = load(_settings_in(_REAL))
    if not loaded.settings.is_sandbox:
        return loaded, _REAL
    own = _settings_in(_SANDBOX)
    return (load(own) if own else loaded), _SANDBOX


def _default_workspace(loaded: Loaded) -> Path:
    return _SANDBOX if loaded.settings.is_sandbox else _REAL


def _settings_in(workspace: Path) -> Path | None:
    file = workspace / _SETTINGS_NAME
    try:
        return file if file.exists() else None
    except OSError as error:
        raise SettingsError(
            f"--workspace: {clip(one_line(str(workspace)), 80)} cannot be a folder: {error.strerror}. Name another."
        ) from error


def _credentials(options: argparse.Namespace, loaded: Loaded, environment: Mapping[str, str]) -> Credentials:
    api_key = environment.get("SELFPLAY_LLM__API_KEY")
    needs_password = loaded.settings.world.kind == "rcon" and not options.dry_run
    # Who only reviews may never ask the server anything.
    asks = options.command != "review"
    return Credentials(
        rcon_password=_rcon_password(options.rcon_pass, environment, asks=asks) if needs_password else None,
        api_key=Secret(api_key) if api_key else None,
    )


def _rcon_password(typed: str | None, environment: Mapping[str, str], *, asks: bool) -> Secret | None:
    if typed is not None:
        print(
            "selfplay-tui: --rcon-pass can be read by others on this machine; "
            "SELFPLAY_RCON__PASSWORD or SELFPLAY_RCON__PASSWORD_FILE cannot.",
            file=sys.stderr,
        )
        return _not_empty(typed, "--rcon-pass")
    if (password := environment.get("SELFPLAY_RCON__PASSWORD")) is not None:
        return _not_empty(password, "SELFPLAY_RCON__PASSWORD")
    if file := environment.get("SELFPLAY_RCON__PASSWORD_FILE"):
        return _not_empty(_from_file(Path(file)), file)
    if not asks:
        return None
    if sys.stdin.isatty():
        return _not_empty(getpass.getpass("RCON password: "), "the terminal")
    raise SettingsError(
        "The RCON password is not set, and there is nobody to ask. Set SELFPLAY_RCON__PASSWORD, or "
        "SELFPLAY_RCON__PASSWORD_FILE to a file that only you can read."
    )


def _not_empty(password: str, source: str) -> Secret:
    if not password:
        raise SettingsError(
            f"The RCON password from {source} is empty, and a server without one has RCON switched off. "
            "Give the rcon.password of its server.properties."
        )
    return Secret(password)


def _from_file(file: Path) -> str:
    try:
        mode = file.stat().st_mode
        if mode & (stat.S_IRWXG | stat.S_IRWXO):
            raise SettingsError(
                f"The password file {file} can be read by others (mode {stat.S_IMODE(mode):04o}). Run: chmod 600 {file}"
            )
        return file.read_text(encoding="utf-8").rstrip("\r\n")
    except (OSError, UnicodeDecodeError) as error:
        raise SettingsError(
            f"Cannot read the password file {file}: {error}. Correct SELFPLAY_RCON__PASSWORD_FILE."
        ) from error
