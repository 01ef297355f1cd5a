"""What the sandbox's server answers to a command over RCON."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

from selfplay_core.models import SANDBOX_NAME, SANDBOX_RESET
from selfplay_core.sandbox.facts.rules import basis
from selfplay_core.sandbox.parser.grammar import Command
from selfplay_core.sandbox.parser.judge import judge
from selfplay_core.sandbox.parser.problem import Failed, Problem, with_context
from selfplay_core.sandbox.world import (
    on_bars,
    on_blocks,
    on_data,
    on_effects,
    on_entities,
    on_players,
    on_scores,
    on_teams,
    on_world,
)
from selfplay_core.sandbox.world.call import Call
from selfplay_core.sandbox.world.execute import execute
from selfplay_core.sandbox.world.population import Source
from selfplay_core.sandbox.world.state import State
from selfplay_core.sandbox.world.worldedit import is_worldedit, worldedit

__all__ = ["World"]

_HANDLERS: Final[dict[str, Callable[[Call], str]]] = {
    **on_bars.HANDLERS,
    **on_blocks.HANDLERS,
    **on_data.HANDLERS,
    **on_effects.HANDLERS,
    **on_entities.HANDLERS,
    **on_players.HANDLERS,
    **on_scores.HANDLERS,
    **on_teams.HANDLERS,
    **on_world.HANDLERS,
}
_UNSUPPORTED: Final = "The sandbox understands this command but does not carry it out"


class World:
    """A Paper-like server of version 1.21.11 with a small world that remembers.

    It begins with `players` online at the world spawn and a handful of animals and monsters around them on flat
    ground, and keeps what commands change: entities, tags, scores, teams, boss bars, blocks, storages, rules. One
    world serves all connections, as a server's does. `sandbox reset` takes it back to its beginning: a run sends that
    before every attempt, so that an attempt's replies depend on its own commands alone, in whatever order attempts
    come. WorldEdit's selection and clipboard are not kept.
    """

    def __init__(self, players: tuple[str, ...], *, worldedit: bool = True) -> None:
        self._players = players
        self._worldedit = worldedit
        self._state = State(players)

    def reply(self, command: str) -> str:
        """Return the server's reply; never raises, takes at most some tens of milliseconds for any text."""
        line = command.removeprefix("/")
        plugin = self._plugin_reply(line)
        if plugin is not None:
            return plugin
        parsed = judge(line)
        if isinstance(parsed, Problem):
            return with_context(parsed, line)
        self._state.begin_command()
        try:
            return str(self._run(Call(parsed, Source(), self._state)))
        except Failed as failed:
            return str(failed)

    def _plugin_reply(self, line: str) -> str | None:
        """Return the reply of a command that the game's own tree does not hold, or None."""
        if line == SANDBOX_RESET:
            self._state = State(self._players)
            return "The sandbox's world is as it was at its beginning"
        words = line[:80].split(" ", 1)
        label = words[0].lower().removeprefix("bukkit:")
        if label in ("version", "ver", "about"):
            return _version()
        if label in ("plugins", "pl"):
            return "Server Plugins (1):\n - WorldEdit" if self._worldedit else "Server Plugins (0):"
        if label in ("help", "?"):
            return "--------- Help: Index ---------\nUse /help [n] to get page n of help."
        if self._worldedit and len(line) <= 1460 and is_worldedit(line):
            return worldedit(line)
        return None

    def _run(self, call: Call) -> str:
        command = call.command
        words = command.literals.split()
        if words[0] == "execute":
            return self._execute(command, call)
        if words == ["return", "run"] and command.follow is not None:
            return self._run(Call(command.follow, call.source, call.state))
        for length in range(len(words), 0, -1):
            handler = _HANDLERS.get(" ".join(words[:length]))
            if handler is not None:
                return handler(call)
        return _UNSUPPORTED

    def _execute(self, command: Command, call: Call) -> str:
        if command.follow is None:
            return ""
        return execute(command.follow, call.source, call.state, self._run)


def _version() -> str:
    judged_by = basis()
    by = "by the reports of a server of one's own" if judged_by.imported else "by built-in rules"
    return (
        f"This server is running {SANDBOX_NAME} version {judged_by.version}, {by}: an embedded stand-in for trying and "
        "testing, not a Minecraft server"
    )
