"""`selfplay-tui sandbox`: the embedded servers for other programs, and the rules they judge by."""

from __future__ import annotations

import argparse
import signal
import sys
from pathlib import Path

import orjson

from selfplay_core.errors import SettingsError
from selfplay_core.sandbox.embedded import Sandbox
from selfplay_core.sandbox.facts.reports import read_reports
from selfplay_core.sandbox.facts.rules import BUILT_IN, Basis, adopt, forget, store
from selfplay_core.settings import WorldSettings
from selfplay_core.text import clean, json_for_terminals
from tui.commands.exits import guarded
from tui.early import SIGNALS

__all__ = ["run"]


def run(options: argparse.Namespace) -> int:
    """Import rules, forget them, or serve; returns the exit code."""
    serves = options.reports is None and not options.forget
    return guarded(lambda: _serve(options) if serves else _change_rules(options))


def _serve(options: argparse.Namespace) -> int:
    """Serve until SIGINT or SIGTERM; the addresses go to stdout as one JSON line once both listen."""
    judged_by = adopt()
    sandbox = Sandbox(
        WorldSettings().players,
        worldedit=not options.no_worldedit,
        ollama_port=options.ollama_port,
        rcon_port=options.rcon_port,
        rcon_password=options.rcon_pass,
    )
    # Blocked before the threads start, so that they inherit it and sigwait alone receives them.
    signal.pthread_sigmask(signal.SIG_BLOCK, SIGNALS)
    sandbox.start()
    try:
        print(_ready_line(sandbox, judged_by), flush=True)
        received = signal.sigwait(SIGNALS)
    finally:
        sandbox.close()
    return 128 + received


def _change_rules(options: argparse.Namespace) -> int:
    if options.ollama_port or options.rcon_port or options.no_worldedit:
        raise SettingsError(
            "--import and --forget do not serve, and the other options are for serving. Give them in a second command."
        )
    if options.reports is not None:
        _import(Path(options.reports))
    else:
        _forget()
    return 0


def _import(folder: Path) -> None:
    rules = read_reports(folder)
    path = store(rules)
    counts = {name: len(rules.registries[name]) for name in ("item", "block", "entity_type")}
    shown = ", ".join(f"{count} {name.partition('_')[0]} ids" for name, count in counts.items())
    states = "block states from blocks.json" if rules.states is not None else "block states as built in"
    commands = len(rules.tree["children"])
    _say(
        {
            "event": "rules_imported",
            "rules": {"version": rules.version, "source": "imported"},
            "commands": commands,
            "registries": {name: len(ids) for name, ids in sorted(rules.registries.items())},
            "block_states": rules.states is not None,
            "path": str(path),
        },
        f"From now on the sandbox judges as Minecraft {rules.version}: {commands} commands, {shown}, {states}.\n"
        f"Kept in {path}; selfplay-tui sandbox --forget goes back to the built-in rules.",
    )


def _forget() -> None:
    was_there = forget()
    _say(
        {"event": "rules_forgotten", "were_imported": was_there, "rules": _as_json(BUILT_IN)},
        f"{'Forgotten' if was_there else 'Nothing was imported'}: the sandbox judges by its built-in rules, as "
        f"Minecraft {BUILT_IN.version}.",
    )


def _say(body: dict[str, object], words: str) -> None:
    """Print for a person on a terminal, else one JSON line."""
    print(clean(words) if sys.stdout.isatty() else json_for_terminals(orjson.dumps(body).decode()), flush=True)


def _ready_line(sandbox: Sandbox, judged_by: Basis) -> str:
    return orjson.dumps(
        {
            "event": "sandbox_ready",
            "ollama_url": sandbox.ollama_url,
            "model": sandbox.model,
            "rcon_host": sandbox.rcon_host,
            "rcon_port": sandbox.rcon_port,
            "rules": _as_json(judged_by),
        }
    ).decode()


def _as_json(judged_by: Basis) -> dict[str, str]:
    return {"version": judged_by.version, "source": judged_by.source}
