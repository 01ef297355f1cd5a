"""Where settings come from: defaults < TOML file < environment < flags, checked with the path of the bad key."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import msgspec

from selfplay_core.errors import SettingsError
from selfplay_core.models import CATEGORY_NAMES, SANDBOX_NAME
from selfplay_core.settings import (
    CapSettings,
    LlmSettings,
    PolicySettings,
    RconSettings,
    ReviewSettings,
    RunSettings,
    Section,
    Settings,
    VerifySettings,
    WorldSettings,
)
from selfplay_core.text import clip, one_line

__all__ = ["Loaded", "load_settings", "seconds_of"]

ENV_PREFIX: Final = "SELFPLAY_"
SECRET_VARIABLES: Final = (
    "SELFPLAY_RCON__PASSWORD",
    "SELFPLAY_RCON__PASSWORD_FILE",
    "SELFPLAY_LLM__API_KEY",
)
_OLLAMA: Final = "127.0.0.1:11434"
_DURATION = re.compile(r"^(\d+(?:\.\d+)?)(s|m|h)?$")
_UNITS = {None: 1.0, "s": 1.0, "m": 60.0, "h": 3600.0}


@dataclass(frozen=True, slots=True)
class Loaded:
    """The settings in force, and for each path that somebody set where it came from."""

    settings: Settings
    origins: dict[str, str]


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
    _check_weights(settings.run.weights, origins)
    seconds_of(settings.run.give_up, origins.get("run.give_up", "run.give_up"))
    _refuse_blank(settings, origins)
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
    except (ValueError, RecursionError) as error:
        # Besides TOMLDecodeError: numbers of thousands of digits, and arrays in arrays in arrays.
        reason = clip(one_line(str(error)), 120)
        raise SettingsError(f"The settings in {file} are no valid TOML: {reason}. Mend the file.") from error
    pairs: list[tuple[str, Any]] = []
    for section, body in found.items():
        if not isinstance(body, dict):
            raise SettingsError(
                f"{file}: the key {section!r} stands outside a section; the sections are "
                f"{', '.join(f'[{name}]' for name in Settings.__struct_fields__)}."
            )
        if section not in Settings.__struct_fields__:
            raise SettingsError(_no_such_section(str(file), section))
        pairs.extend((f"{section}.{key}", value) for key, value in body.items())
    return pairs


def _from_environment(environment: Mapping[str, str]) -> list[tuple[str, str, Any]]:
    found = []
    for name, text in sorted(environment.items()):
        if not name.startswith(ENV_PREFIX) or "__" not in name or name in SECRET_VARIABLES:
            continue
        section, _, key = name.removeprefix(ENV_PREFIX).lower().partition("__")
        path, origin = f"{section}.{key}", clip(one_line(name), 80)
        _refuse_unreadable(origin, text)
        found.append((origin, path, _as_value(path, text)))
    return found


# How a list is written in a variable; commands hold commas, but no line breaks.
_LISTS: Final = {
    "world.players": ",",
    "world.setup": "\n",
    "world.cleanup": "\n",
    "world.round_setup": "\n",
    "world.round_cleanup": "\n",
    "policy.deny": ",",
    "policy.ask": ",",
    "policy.allow": ",",
}
# What is a table in the file is a JSON object in a variable.
_TABLES: Final = ("review.keys", "run.weights")


def _as_value(path: str, text: str) -> Any:
    if path in _TABLES:
        return _as_table(text)
    return _as_list(text, _LISTS[path]) if path in _LISTS else text


def _refuse_unreadable(name: str, text: str) -> None:
    if not text.isascii() and any("\ud800" <= character <= "\udfff" for character in text):
        raise SettingsError(f"{name} holds bytes that are not UTF-8; write it in UTF-8.")


def _as_list(text: str, separator: str) -> list[str]:
    """Return a list written as a JSON array, or with separators."""
    if text.lstrip().startswith("["):
        try:
            return msgspec.json.decode(text, type=list[str])
        except msgspec.MsgspecError:
            return [text]  # whatever it is, the check of the setting will name it
    return text.split(separator)


def _as_table(text: str) -> Any:
    try:
        return msgspec.json.decode(text, type=dict[str, Any])
    except msgspec.MsgspecError:
        return text  # whatever it is, the check of the setting will name it


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


_SECTIONS: Final[dict[str, type[Section]]] = {
    "llm": LlmSettings,
    "rcon": RconSettings,
    "world": WorldSettings,
    "verify": VerifySettings,
    "policy": PolicySettings,
    "caps": CapSettings,
    "run": RunSettings,
    "review": ReviewSettings,
}


def _refuse_blank(settings: Settings, origins: dict[str, str]) -> None:
    """A variable of the shell that is not set would otherwise turn a real run into one on the sandbox."""
    for path, value in (("llm.model", settings.llm.model), ("llm.url", settings.llm.url)):
        if path in origins and not value.strip():
            raise SettingsError(f"{origins[path]}: {path} is empty; give it a value, or leave it out.")


def _check_focus(focus: str | None, origins: dict[str, str]) -> None:
    if focus is not None and focus not in CATEGORY_NAMES:
        raise SettingsError(
            f"{origins['run.focus']}: {clip(one_line(focus), 60)!r} is no category; "
            f"allowed are {', '.join(CATEGORY_NAMES)}."
        )


def _check_weights(weights: dict[str, float], origins: dict[str, str]) -> None:
    unknown = [name for name in weights if name not in CATEGORY_NAMES]
    if unknown:
        raise SettingsError(
            f"{origins['run.weights']}: run.weights.{clip(one_line(unknown[0]), 60)} is no category; "
            f"allowed are {', '.join(CATEGORY_NAMES)}."
        )
    if all(weights.get(name, 1.0) == 0 for name in CATEGORY_NAMES):
        raise SettingsError(
            f"{origins['run.weights']}: run.weights leaves nothing to draw: every category has 0. Give one more than 0."
        )


_WANTED: Final = {"int": "write a whole number", "float": "write a number", "bool": "write true or false"}


def _in_words(path: str, reason: str) -> str:
    if path == "rcon.port":
        return "a port is a number from 1 to 65535"
    if path == "rcon.host":
        return "give a host name or an IP address"
    if path == "world.players":
        return "player names are 1 to 16 letters, digits or _"
    if path == "run.weights":
        return "write categories with numbers from 0 to 1000, as in [run.weights] worldedit = 0.2"
    if path in _TABLES:
        return 'write names with keys, as in [review.keys] accept = "a,enter"; in a variable as a JSON object'
    field_type = str(_SECTIONS[path.partition(".")[0]].__annotations__.get(path.partition(".")[2], ""))
    choices = re.findall(r"""['"](\w+)['"]""", field_type) if "Literal" in field_type else []
    choices += ["true", "false"] if choices and "bool" in field_type else []
    if choices:
        return f"allowed are {', '.join(choices)}"
    for kind, wanted in _WANTED.items():
        if re.match(f"Expected `{kind}( \\| null)?`, got", reason):
            return wanted
    return (reason[0].lower() + reason[1:]).replace(" | null", "")


def _no_such_section(origin: str, section: str) -> str:
    sections = ", ".join(f"[{name}]" for name in Settings.__struct_fields__)
    return f"{origin}: there is no section [{clip(one_line(section), 40)}]; the sections are {sections}."


def _refuse_unknown(tree: dict[str, dict[str, Any]], origins: dict[str, str]) -> None:
    for section, body in tree.items():
        if section not in Settings.__struct_fields__:
            origin = next(origins[f"{section}.{key}"] for key in body)
            raise SettingsError(_no_such_section(origin, section))
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
