"""Settings: defaults < TOML file < environment < flags, checked with the path of the bad key."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any, Final, Literal

import msgspec

from selfplay_core.errors import SettingsError
from selfplay_core.models import CATEGORY_NAMES, SANDBOX_NAME
from selfplay_core.text import clip, one_line

__all__ = [
    "LlmSettings",
    "Loaded",
    "RconSettings",
    "RunSettings",
    "Secret",
    "Settings",
    "WorldSettings",
    "load_settings",
    "seconds_of",
]

ENV_PREFIX: Final = "SELFPLAY_"
SECRET_VARIABLES: Final = (
    "SELFPLAY_RCON__PASSWORD",
    "SELFPLAY_RCON__PASSWORD_FILE",
    "SELFPLAY_LLM__API_KEY",
)

Port = Annotated[int, msgspec.Meta(ge=1, le=65535)]
Seconds = Annotated[float, msgspec.Meta(gt=0, le=86_400)]
PlayerName = Annotated[str, msgspec.Meta(pattern=r"^[A-Za-z0-9_]{1,16}$")]
_OLLAMA: Final = "127.0.0.1:11434"
_DURATION = re.compile(r"^(\d+(?:\.\d+)?)(s|m|h)?$")
_UNITS = {None: 1.0, "s": 1.0, "m": 60.0, "h": 3600.0}


class _Section(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """A table of the settings file; an unknown key in it is an error."""


class LlmSettings(_Section, frozen=True):
    """The model server; `kind` auto becomes ollama once a url or a model is set."""

    kind: Literal["auto", "sandbox", "ollama", "openai"] = "auto"
    url: str = ""
    model: str = ""
    think: bool | Literal["low", "medium", "high"] = False
    num_ctx: Annotated[int, msgspec.Meta(ge=512)] | None = 8192
    max_tokens: Annotated[int, msgspec.Meta(ge=16, le=131_072)] = 1024
    keep_alive: str = "10m"
    proxy: str = ""
    connect_seconds: Seconds = 5.0
    first_byte_seconds: Seconds = 300.0
    stall_seconds: Seconds = 60.0
    total_seconds: Seconds = 600.0


class RconSettings(_Section, frozen=True):
    """Where the server's remote console listens; the password is a secret and no setting."""

    host: Annotated[str, msgspec.Meta(min_length=1)] = "127.0.0.1"
    port: Port = 25575
    tls: Annotated[int, msgspec.Meta(ge=0, le=2)] = 0
    connect_seconds: Seconds = 5.0
    command_seconds: Seconds = 30.0


class WorldSettings(_Section, frozen=True):
    """The ground truth; `kind` auto becomes rcon once an rcon setting is made.

    The first of `players` is the one who speaks. `setup` and `cleanup` run around every attempt.
    """

    kind: Literal["auto", "sandbox", "rcon"] = "auto"
    players: Annotated[tuple[PlayerName, ...], msgspec.Meta(min_length=1)] = (
        "slingshooter08",
        "SwiftWolf",
        "DarkWolf",
        "BraveWolf",
    )
    setup: tuple[str, ...] = ()
    cleanup: tuple[str, ...] = ()
    worldedit: bool = True


class RunSettings(_Section, frozen=True):
    """What a run does; `rounds` and `accept` are None where nobody named them."""

    rounds: Annotated[int, msgspec.Meta(ge=1, le=1_000_000)] | None = None
    focus: str | None = None
    concurrency: Annotated[int, msgspec.Meta(ge=1, le=512)] = 1
    max_retries: Annotated[int, msgspec.Meta(ge=0, le=20)] = 2
    categories_per_round: Annotated[int, msgspec.Meta(ge=1, le=9)] = 3
    prompts_per_category: Annotated[int, msgspec.Meta(ge=1, le=100)] = 5
    sampler: Literal["uniform"] = "uniform"
    execute: Literal["run", "probe"] = "run"
    on_ask: Literal["deny", "probe"] = "deny"
    accept: Literal["verified", "parsed", "none"] | None = None
    give_up: str = "15m"
    seed: Annotated[int, msgspec.Meta(ge=0, le=2**53)] | None = None


class Settings(_Section, frozen=True):
    """Everything that can be set, section by section."""

    llm: LlmSettings = LlmSettings()
    rcon: RconSettings = RconSettings()
    world: WorldSettings = WorldSettings()
    run: RunSettings = RunSettings()

    @property
    def is_sandbox(self) -> bool:
        """Whether the embedded default plays the model or the world: such data stay in a sandbox workspace."""
        return self.llm.kind == "sandbox" or self.world.kind == "sandbox"


@dataclass(frozen=True, slots=True)
class Loaded:
    """The settings in force, and for each path that somebody set where it came from."""

    settings: Settings
    origins: dict[str, str]


class Secret:
    """A password or a key that shows itself to nobody but `reveal`."""

    __slots__ = ("_value",)

    def __init__(self, value: str) -> None:
        self._value = value

    def reveal(self) -> str:
        """Return the secret itself."""
        return self._value

    def __repr__(self) -> str:
        return "Secret(…)"


def load_settings(
    *, file: Path | None, environment: Mapping[str, str], flags: Mapping[str, Any], flag_names: Mapping[str, str]
) -> Loaded:
    """Merge and check every layer; `flags` maps a path such as `run.rounds` to what was typed.

    Raises SettingsError in one line: the path, the value, where it came from and what is allowed.
    """
    tree: dict[str, dict[str, Any]] = {}
    origins: dict[str, str] = {}
    if file is not None:
        for path, value in _from_file(file):
            _put(tree, origins, path, value, str(file))
    for name, path, value in _from_environment(environment):
        _put(tree, origins, path, value, name)
    for path, value in flags.items():
        _put(tree, origins, path, value, flag_names.get(path, "a flag"))
    settings = _convert(tree, origins)
    _check_focus(settings.run.focus, origins)
    seconds_of(settings.run.give_up, origins.get("run.give_up", "run.give_up"))
    return Loaded(_resolved(settings, origins, environment), origins)


def seconds_of(duration: str, origin: str = "a duration") -> float:
    """Return the seconds in `90`, `90s`, `15m` or `2h`; raises SettingsError otherwise."""
    match = _DURATION.match(duration.strip())
    if match is None:
        raise SettingsError(
            f"{origin}: {clip(one_line(duration), 40)!r} is no duration; write seconds, or 90s, 15m, 2h."
        )
    return float(match[1]) * _UNITS[match[2]]


def _from_file(file: Path) -> list[tuple[str, Any]]:
    try:
        found = tomllib.loads(file.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError) as error:
        raise SettingsError(f"Cannot read the settings in {file}: {error}. Give --config a TOML file.") from error
    except tomllib.TOMLDecodeError as error:
        raise SettingsError(f"The settings in {file} are no valid TOML: {error}. Mend the file.") from error
    pairs: list[tuple[str, Any]] = []
    for section, body in found.items():
        if not isinstance(body, dict):
            raise SettingsError(
                f"{file}: the key {section!r} stands outside a section; the sections are "
                f"{', '.join(f'[{name}]' for name in Settings.__struct_fields__)}."
            )
        pairs.extend((f"{section}.{key}", value) for key, value in body.items())
    return pairs


def _from_environment(environment: Mapping[str, str]) -> list[tuple[str, str, Any]]:
    found = []
    for name, text in sorted(environment.items()):
        if not name.startswith(ENV_PREFIX) or "__" not in name or name in SECRET_VARIABLES:
            continue
        section, _, key = name.removeprefix(ENV_PREFIX).lower().partition("__")
        path = f"{section}.{key}"
        found.append((name, path, text.split(",") if path in _LISTS else text))
    return found


_LISTS: Final = ("world.players", "world.setup", "world.cleanup")


def _put(tree: dict[str, dict[str, Any]], origins: dict[str, str], path: str, value: Any, origin: str) -> None:
    section, _, key = path.partition(".")
    if path in ("rcon.password", "llm.api_key"):
        raise SettingsError(
            f"{origin}: {path} is a secret and no setting; set SELFPLAY_{section.upper()}__{key.upper()} instead."
        )
    tree.setdefault(section, {})[key] = value
    origins[path] = origin


def _convert(tree: dict[str, dict[str, Any]], origins: dict[str, str]) -> Settings:
    _refuse_unknown(tree, origins)
    for section, body in tree.items():
        for key, value in body.items():
            # One key at a time, so that the message can name the value and where it came from.
            try:
                msgspec.convert({key: value}, _SECTIONS[section], strict=not isinstance(value, str | list))
            except msgspec.ValidationError as error:
                path = f"{section}.{key}"
                reason = re.sub(r" - at `\$[^`]*`$", "", str(error))
                shown = clip(one_line(str(value)), 80)
                raise SettingsError(
                    f"{origins[path]}: {path} = {shown!r} is not valid: {_in_words(path, reason)}."
                ) from error
    return msgspec.convert(tree, Settings, strict=False)


_SECTIONS: Final[dict[str, type[_Section]]] = {
    "llm": LlmSettings,
    "rcon": RconSettings,
    "world": WorldSettings,
    "run": RunSettings,
}


def _check_focus(focus: str | None, origins: dict[str, str]) -> None:
    if focus is not None and focus not in CATEGORY_NAMES:
        raise SettingsError(
            f"{origins['run.focus']}: {clip(one_line(focus), 60)!r} is no category; "
            f"allowed are {', '.join(CATEGORY_NAMES)}."
        )


def _in_words(path: str, reason: str) -> str:
    if path == "rcon.port":
        return "a port is a number from 1 to 65535"
    if path == "world.players":
        return "player names are 1 to 16 letters, digits or _"
    return reason[0].lower() + reason[1:]


def _refuse_unknown(tree: dict[str, dict[str, Any]], origins: dict[str, str]) -> None:
    for section, body in tree.items():
        if section not in Settings.__struct_fields__:
            origin = next(origins[f"{section}.{key}"] for key in body)
            raise SettingsError(
                f"{origin}: there is no section [{clip(one_line(section), 40)}]; the sections are "
                f"{', '.join(f'[{name}]' for name in Settings.__struct_fields__)}."
            )
        known = _SECTIONS[section].__struct_fields__
        for key in body:
            if key not in known:
                raise SettingsError(
                    f"{origins[f'{section}.{key}']}: there is no key {clip(one_line(key), 40)!r} in [{section}]; "
                    f"its keys are {', '.join(known)}."
                )


def _resolved(settings: Settings, origins: dict[str, str], environment: Mapping[str, str]) -> Settings:
    """Replace what is `auto` or left to convention by what it means."""
    world = settings.world
    if world.kind == "auto":
        named = any(path.startswith("rcon.") for path in origins)
        world = msgspec.structs.replace(world, kind="rcon" if named else "sandbox")
    return msgspec.structs.replace(settings, llm=_resolved_llm(settings.llm, environment), world=world)


def _resolved_llm(llm: LlmSettings, environment: Mapping[str, str]) -> LlmSettings:
    kind = llm.kind
    if kind == "auto":
        kind = "ollama" if llm.url or llm.model else "sandbox"
    if kind == "sandbox":
        return msgspec.structs.replace(llm, kind=kind, url="", model=SANDBOX_NAME)
    if not llm.model.strip():
        raise SettingsError(f"llm.model is not set, and {kind} has no model to begin with; name one with --model.")
    url = llm.url
    if not url and kind == "openai":
        raise SettingsError("llm.url is not set, and --llm openai needs one; give --llm-url URL.")
    return msgspec.structs.replace(llm, kind=kind, url=url or environment.get("OLLAMA_HOST") or _OLLAMA)
