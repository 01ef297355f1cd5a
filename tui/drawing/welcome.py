"""The first page: what the sandbox is, how to point to real servers, and what a look at them found."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from selfplay_core.engine.doctor import Check
from tui.drawing.glyphs import Glyphs
from tui.drawing.lines import BLANK, Line, Span, paragraphs, span, wrapped

__all__ = ["FIELDS", "PASSWORD", "Field", "check_lines", "welcome_lines"]


@dataclass(frozen=True, slots=True)
class Field:
    """One line of the form: the setting that it makes, its name, what an empty one shows, and a note."""

    path: str
    label: str
    usual: str
    note: str


PASSWORD: Final = "rcon.password"
FIELDS: Final = (
    Field("llm.model", "model", "qwen3:8b", "as `ollama list` names it"),
    Field("llm.url", "Ollama URL", "127.0.0.1:11434", "OLLAMA_HOST, if that is set"),
    Field("rcon.host", "RCON host", "127.0.0.1", "all three blank: the small world"),
    Field("rcon.port", "RCON port", "25575", "rcon.port of server.properties"),
    Field(PASSWORD, "password", "rcon.password", "never saved: set SELFPLAY_RCON__PASSWORD"),
)
_NAME: Final = 14
_ABOUT: Final = (
    "`test` asks the model for one line, logs in at the server and looks at versions and players; it runs nothing of "
    "a player's. `save and start` writes what was typed, but not the password, to selfplay.toml in the workspace; "
    "from then on selfplay-tui finds it there. The password goes into SELFPLAY_RCON__PASSWORD of your environment."
)


def welcome_lines(workspace: Path, width: int, *, short: bool) -> list[Line]:
    """Return the explanation; `short` for screens of few lines."""
    inner = max(width - 2, 1)
    story = [
        (
            span("Nothing is configured, so this is the "),
            span(" SANDBOX ", "sandbox"),
            span(": a scripted model, which writes and answers prompts by rote and makes typical mistakes, and a "),
            span("small world that judges Minecraft commands by the real grammar. Both run inside this program; "),
            span("nothing leaves it, and nothing needs to be installed."),
        ),
        (
            span("It is for trying this out. Every row says so: "),
            span('"verifier": "sandbox", "rcon_verified": false', "key"),
            span(f". Rows go to {workspace}; real servers get a folder of their own, the two are never mixed."),
        ),
    ]
    lines: list[Line] = []
    for part in story:
        if lines and not short:
            lines.append(BLANK)
        lines.extend(wrapped(part, inner))
    return [(Span(" "), *line) if line else BLANK for line in lines]


def check_lines(
    checks: Sequence[Check], told: str, role: str, going_on: bool, width: int, glyphs: Glyphs, back: str
) -> list[Line]:
    """Return what was found so far, one thing a line, and how it ended; `back` is the key that stops."""
    inner = max(width - 2, 1)
    if not (checks or told or going_on):
        return [BLANK, *((Span(" "), *line) for line in paragraphs(_ABOUT, inner, "dim"))]
    lines: list[Line] = []
    for check in checks:
        sign = Span(f"{glyphs.accept} ", "ok") if check.well else Span(f"{glyphs.reject} ", "bad")
        first = (sign, Span(f"{check.name:<{_NAME}}", "text" if check.well else "strong"))
        lines.extend(paragraphs(check.said, inner, "dim" if check.well else "text", first=first))
    if going_on:
        lines.append((Span(f"{glyphs.more} ", "info"), span(f"looking; {back} stops", "info")))
    elif told:
        if checks:
            lines.append(BLANK)
        lines.extend(paragraphs(told, inner, role))
    return [(Span(" "), *line) if line else BLANK for line in lines]
