"""The table of settings: what is in force, where it came from, and how to change it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import msgspec

from selfplay_core.engine.servers import Credentials
from selfplay_core.settings import Settings, without_secrets
from tui.drawing.columns import Block, beside, stacked
from tui.drawing.glyphs import Glyphs
from tui.drawing.lines import BLANK, Line, Span, paragraphs, span, width_of, wrapped
from tui.keys.actions import ACTIONS, Keymap, spoken
from tui.setting_options import FLAG_NAMES

__all__ = ["Place", "Setting", "settings_in_force", "settings_lines"]

_ABOUT: Final = {
    "llm": "the model server",
    "rcon": "the server's remote console",
    "world": "the ground truth: who plays, and what runs around attempts",
    "verify": "how far the server is trusted, and what its failures mean",
    "policy": "rules of your own, the beginnings of commands",
    "caps": "the most that one run may do to the world",
    "run": "what a run does",
    "review": "this screen",
}
_DEFAULT: Final = "default"
_FOLLOWS: Final = "follows from others"
_KEY: Final = 22
_NARROW: Final = 70
_FLAGS_FROM: Final = 112


@dataclass(frozen=True, slots=True)
class Setting:
    """One setting as it is shown; `made` if somebody made it, and did not leave it to be."""

    path: str
    value: str
    origin: str
    made: bool = False


@dataclass(frozen=True, slots=True)
class Place:
    """Something that is no setting but belongs to them: its name, and what it is."""

    name: str
    value: str


def settings_in_force(settings: Settings, origins: Mapping[str, str], secrets: Credentials) -> list[Setting]:
    """Return every setting, without a secret in any of them."""
    shown, defaults = without_secrets(settings), Settings()
    found: list[Setting] = []
    for section in shown.__struct_fields__:
        body, usual = getattr(shown, section), getattr(defaults, section)
        for key in body.__struct_fields__:
            path, value = f"{section}.{key}", getattr(body, key)
            if path == "review.keys":
                continue
            usually = _DEFAULT if value == getattr(usual, key) else _FOLLOWS
            found.append(Setting(path, _as_text(value), origins.get(path, usually), path in origins))
        if section == "rcon":
            told = "SELFPLAY_RCON__PASSWORD, or with _FILE"
            found.append(Setting("rcon.password", _secret(secrets.rcon_password), told))
        if section == "llm":
            found.append(Setting("llm.api_key", _secret(secrets.api_key), "SELFPLAY_LLM__API_KEY"))
    return found


def settings_lines(
    settings: Sequence[Setting], places: Sequence[Place], keymap: Keymap, config: Path, width: int, glyphs: Glyphs
) -> list[Line]:
    """Return the whole page for a width."""
    inner = max(width - 2, 1)
    blocks = [_how(config, inner, glyphs), _places(places, inner)]
    for section, about in _ABOUT.items():
        mine = [setting for setting in settings if setting.path.startswith(f"{section}.")]
        rows = [line for setting in mine for line in _row(setting, inner, glyphs)]
        blocks.append([*_heading(section, about, inner), *rows])
    blocks.append(_remapped(keymap, inner, glyphs))
    return [(Span(" "), *line) if line else BLANK for line in stacked(blocks)]


def _how(config: Path, width: int, glyphs: Glyphs) -> Block:
    told = (
        span("Set by you: "),
        span(glyphs.edit, "warn"),
        span(". Change one as "),
        span("key = value", "key"),
        span(" under its [section] in "),
        span(str(config), "key"),
        span(", as "),
        span("SELFPLAY_SECTION__KEY", "key"),
        span(" in the environment, or by its flag; a flag beats the environment, which beats the file. "),
        span("They hold from the next start."),
    )
    return wrapped(told, width)


def _places(places: Sequence[Place], width: int) -> Block:
    lines: list[Line] = _heading("places", "", width)
    for place in places:
        first = (Span(f"  {place.name:<{_KEY + 3}}"),)
        lines.extend(wrapped([span(place.value)], width, first=first, words=False))
    return lines


def _row(setting: Setting, width: int, glyphs: Glyphs) -> list[Line]:
    made = setting.made
    sign = Span(f"{glyphs.edit} " if made else "  ", "warn")
    key = setting.path.partition(".")[2]
    name: Line = (sign, Span(key, "strong" if made else "text"))
    origin, role = setting.origin, "info" if made else "dim"
    value_role = "dim" if origin == _DEFAULT else "text"
    if width < _NARROW:
        first = (*name, Span(" " * max(_KEY + 2 - width_of(name), 1)))
        lines = paragraphs(setting.value, width, value_role, first=first)
        return [*lines, *paragraphs(origin, width, role, first=(Span(" " * (_KEY + 2)),))] if made else lines
    flag = FLAG_NAMES.get(setting.path, "") if width >= _FLAGS_FROM else ""
    flags = 18 if width >= _FLAGS_FROM else 0
    right = min(max(width // 4, 20), 44)
    middle = width - _KEY - 2 - flags - right - 3 * (3 if flags else 2)
    columns: list[Block] = [[name], paragraphs(setting.value, middle, value_role)]
    widths = [_KEY + 2, middle]
    if flags:
        columns.append([(span(flag, "dim"),)])
        widths.append(flags)
    columns.append(paragraphs(origin, right, role))
    widths.append(right)
    return beside(columns, widths)


def _remapped(keymap: Keymap, width: int, glyphs: Glyphs) -> Block:
    lines: list[Line] = _heading("review.keys", "keys of your own", width)
    if not keymap.own:
        example = '[review.keys]  accept = "a,enter"'
        return [
            *lines,
            *wrapped([span("none; give an action others with ", "dim"), span(example, "key")], width, indent=2),
        ]
    usual = {action.name: action.keys for action in ACTIONS}
    for name, keys in keymap.own.items():
        own = " ".join(spoken(key) for key in keys)
        instead = " ".join(spoken(key) for key in usual.get(name, ()))
        spans = (span(own, "key"), span(f"  instead of {instead}", "dim"))
        first = (Span(f"{glyphs.edit} ", "warn"), Span(f"{name:<{_KEY}}", "strong"))
        lines.extend(wrapped(spans, width, first=first))
    return lines


def _heading(title: str, about: str, width: int) -> list[Line]:
    head = Span(f"[{title}]" if about else title.upper(), "title")
    return wrapped([Span(about, "dim")], width, first=(head, Span("  "))) if about else [(head,)]


def _secret(secret: object) -> str:
    return "set, and never shown" if secret is not None else "not set"


def _as_text(value: Any) -> str:
    if value is None:
        return "none"
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, tuple):
        return ", ".join(value) if value else "none"
    if isinstance(value, str):
        return value or "none"
    return msgspec.json.encode(value).decode()
