"""The options that are settings, too; nothing here is slow to import."""

from __future__ import annotations

import argparse
from collections.abc import Collection
from typing import Final

from tui.parsing import Parser

__all__ = ["FLAG_NAMES", "add_settings"]

FLAG_NAMES: Final = {
    "llm.kind": "--llm",
    "llm.model": "--model",
    "llm.url": "--ollama-url",
    "review.ascii": "--ascii",
    "review.mouse": "--no-mouse",
    "review.theme": "--theme",
    "rcon.host": "--rcon-host",
    "rcon.port": "--rcon-port",
    "run.accept": "--accept",
    "run.concurrency": "--concurrency",
    "run.execute": "--execute",
    "run.focus": "--focus",
    "run.give_up": "--give-up",
    "run.max_retries": "--max-retries",
    "run.on_ask": "--on-ask",
    "run.rounds": "--rounds",
    "run.sampler": "--sampler",
    "run.seed": "--seed",
    "verify.allow_players": "--allow-players",
    "verify.as_player": "--as-player",
    "world.kind": "--world",
}
"""The flag of each setting that has one."""

_OPTIONS: Final = (
    ("llm.kind", "KIND", "sandbox, ollama or openai; --model or --ollama-url imply ollama"),
    ("llm.model", "NAME", "the model to be taught"),
    ("llm.url", "URL", "default OLLAMA_HOST, else 127.0.0.1:11434"),
    ("world.kind", "KIND", "sandbox or rcon; any --rcon-… implies rcon"),
    ("rcon.host", "HOST", "default 127.0.0.1"),
    ("rcon.port", "PORT", "default 25575"),
    ("verify.as_player", "NAME", "run commands as this player, where the player stands"),
    ("run.rounds", "N", "rounds of this invocation; default 50, or as --prompts has it"),
    ("run.focus", "CATEGORY", "only this category"),
    ("run.max_retries", "N", "corrections after an error; default 2"),
    ("run.concurrency", "N", "requests to the model at once; default 1"),
    ("run.seed", "N", "the same seed and replies give the same rows; default: drawn and shown"),
    (
        "run.accept",
        "RULE",
        "what is accepted without a person: verified (default of a batch run), parsed, or none (of the screen)",
    ),
    ("run.execute", "HOW", "run (default), or probe: let the server parse and run nothing"),
    ("run.on_ask", "HOW", "commands that need a person: deny (default of a batch run; the screen holds them) or probe"),
    ("run.sampler", "NAME", "how categories are drawn: gated (default; weak but learnable), weakest or uniform"),
    ("run.give_up", "TIME", "how long to wait for a server that is away; default 15m"),
)


def add_settings(parser: Parser, *, without: Collection[str] = ()) -> None:
    """Add the settings that have a flag, but for the paths in `without`."""
    options = parser.add_argument_group("settings")
    for path, metavar, text in _OPTIONS:
        if path not in without:
            options.add_argument(FLAG_NAMES[path], dest=path, metavar=metavar, help=text, default=argparse.SUPPRESS)
        if path == "llm.url":
            options.add_argument(
                "--llm-url", dest=path, metavar=metavar, default=argparse.SUPPRESS, help="the same, for --llm openai"
            )
        if path == "rcon.port":
            options.add_argument(
                "--rcon-pass",
                metavar="PASSWORD",
                help="works, but others on this machine can read it: prefer SELFPLAY_RCON__PASSWORD or …_PASSWORD_FILE",
            )
        if path == "verify.as_player":
            options.add_argument(
                FLAG_NAMES["verify.allow_players"],
                dest="verify.allow_players",
                action="store_const",
                const="true",
                default=argparse.SUPPRESS,
                help="run although players are online who are not in the settings",
            )
