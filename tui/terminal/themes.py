"""The colours: a dark and a light theme of our own; accept is blue-green and reject orange, for eyes of all kinds."""

from __future__ import annotations

from pathlib import Path, PurePath
from typing import Final

from textual.theme import Theme

__all__ = ["OWN_THEMES", "STYLES", "theme_name"]

STYLES: Final[list[str | PurePath]] = sorted((Path(__file__).parent.parent / "css").glob("*.tcss"))

OWN_THEMES: Final = (
    Theme(
        name="selfplay-dark",
        primary="#4aa8c0",
        secondary="#7fb4ca",
        accent="#e6c384",
        success="#5fb3a1",
        warning="#e6c384",
        error="#e8845a",
        foreground="#d7dae0",
        background="#14171c",
        surface="#1b1f26",
        panel="#232830",
        boost="#2b3340",
        dark=True,
        variables={"foreground-muted": "#8b93a1"},
    ),
    Theme(
        name="selfplay-light",
        primary="#17708a",
        secondary="#1d5f7a",
        accent="#8a5a00",
        success="#0b6e5d",
        warning="#8a5a00",
        error="#b03f0c",
        foreground="#1d2430",
        background="#fbfaf7",
        surface="#f2f0ea",
        panel="#e7e4db",
        boost="#dbe6ee",
        dark=False,
        variables={"foreground-muted": "#5d6675"},
    ),
)

_NAMES: Final = {"dark": "selfplay-dark", "light": "selfplay-light", "ansi": "ansi-dark"}


def theme_name(setting: str) -> str:
    """Return Textual's name of a theme of the settings; any other is a name already."""
    return _NAMES.get(setting, setting)
