"""What was typed on the first screen, made into a job and into a settings file."""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Final

from selfplay_core.engine.servers import Credentials
from selfplay_core.engine.session import Job
from selfplay_core.errors import SettingsError, WorkspaceError
from selfplay_core.llm.address import normalise_url
from selfplay_core.settings import Secret
from selfplay_core.settings_sources import load_settings
from tui.drawing.welcome import FIELDS, PASSWORD

__all__ = ["FirstJob", "job_of", "save", "settings_file"]

_REAL: Final = Path("selfplay")
_SANDBOX: Final = Path("selfplay-sandbox")
_OUTPUT_NAME: Final = "self_play.jsonl"
_SETTINGS_NAME: Final = "selfplay.toml"
_VARIABLE: Final = "SELFPLAY_RCON__PASSWORD"
_LABELS: Final = {field.path: field.label for field in FIELDS}


@dataclass(frozen=True, slots=True)
class FirstJob:
    """A job, the settings of it that were typed, as paths with their text, and where each setting came from."""

    job: Job
    typed: dict[str, str]
    origins: dict[str, str]


def job_of(
    job: Job, origins: Mapping[str, str], typed: Mapping[str, str], environment: Mapping[str, str] = os.environ
) -> FirstJob:
    """Return a job on the servers that were typed; what was set elsewhere stays set.

    Blank fields are left out. Raises SettingsError.
    """
    given = {path: text.strip() for path, text in typed.items() if path != PASSWORD and text.strip()}
    password = typed.get(PASSWORD, "")
    if not given and not password:
        raise SettingsError(
            "The form is empty: there is nothing to test or to save. Give a model, a server, or start on the sandbox."
        )
    if password:
        given.setdefault("world.kind", "rcon")
    names = {path: f"the field {label!r}" for path, label in _LABELS.items()}
    loaded = load_settings(
        file=None,
        environment=environment,
        flags={**_made(job, origins), **given},
        flag_names={**origins, **names, "world.kind": "the password"},
    )
    _check_address(given)
    secret = None
    if loaded.settings.world.kind == "rcon":
        secret = _password(password, environment, job)
    workspace = _workspace(job, loaded.settings.is_sandbox)
    made = replace(
        job,
        settings=loaded.settings,
        credentials=Credentials(secret, job.credentials.api_key),
        workspace=workspace,
        output=workspace / _OUTPUT_NAME if job.output == job.workspace / _OUTPUT_NAME else job.output,
    )
    return FirstJob(made, given, loaded.origins)


def save(first: FirstJob) -> Path:
    """Write what was typed, never a password, to a new settings file; raises WorkspaceError if there is one."""
    file = first.job.workspace / _SETTINGS_NAME
    try:
        file.parent.mkdir(parents=True, exist_ok=True)
        with file.open("x", encoding="utf-8") as opened:
            opened.write(settings_file(first.typed))
    except FileExistsError as error:
        raise WorkspaceError(
            f"Nothing was saved: {file} is there already, and is not overwritten. "
            "Edit it, or move it away and save again."
        ) from error
    except OSError as error:
        raise WorkspaceError(
            f"The settings were not saved: {file} cannot be written ({error.strerror}). Mend that, and save again."
        ) from error
    return file


def settings_file(typed: Mapping[str, str]) -> str:
    """Return the settings file that says what was typed."""
    lines = [f"# The RCON password is no setting: set {_VARIABLE}, or {_VARIABLE}_FILE to a file of mode 0600."]
    sections: dict[str, list[str]] = {}
    for path, text in typed.items():
        section, _, key = path.partition(".")
        value = text if path == "rcon.port" else _quoted(text)
        sections.setdefault(section, []).append(f"{key} = {value}")
    for section, body in sections.items():
        lines.extend(("", f"[{section}]", *body))
    return "\n".join(lines) + "\n"


def _check_address(given: Mapping[str, str]) -> None:
    """Refuse an address that no start could use: it would stand in the file by then."""
    if "llm.url" in given:
        try:
            normalise_url(given["llm.url"])
        except SettingsError as error:
            raise SettingsError(f"The field {_LABELS['llm.url']!r}: {error}") from error


def _made(job: Job, origins: Mapping[str, str]) -> dict[str, Any]:
    """Return the settings that somebody made elsewhere, as they are in force."""
    made = {}
    for path in origins:
        section, _, key = path.partition(".")
        value = getattr(getattr(job.settings, section), key)
        made[path] = list(value) if isinstance(value, tuple) else value
    return made


def _password(typed: str, environment: Mapping[str, str], job: Job) -> Secret:
    if typed:
        return Secret(typed)
    if found := environment.get(_VARIABLE):
        return Secret(found)
    if job.credentials.rcon_password is not None:
        return job.credentials.rcon_password
    raise SettingsError(
        f"The password is empty, and a server without one has RCON switched off. "
        f"Give the rcon.password of its server.properties, or set {_VARIABLE}."
    )


def _workspace(job: Job, is_sandbox: bool) -> Path:
    """Return the folder of the job; one that a person named stays."""
    if job.workspace not in (_REAL, _SANDBOX):
        return job.workspace
    return _SANDBOX if is_sandbox else _REAL


def _quoted(text: str) -> str:
    # JSON's strings are TOML's, but for DEL, which TOML wants escaped.
    return json.dumps(text, ensure_ascii=False).replace("\x7f", "\\u007f")
