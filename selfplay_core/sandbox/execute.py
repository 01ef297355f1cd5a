"""`execute`: its clauses change who runs the last command and where, or ask whether it runs at all."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import replace
from itertools import chain, islice

from selfplay_core.sandbox.call import Call, block_at
from selfplay_core.sandbox.grammar import Command
from selfplay_core.sandbox.population import SPAWN, Population, Source
from selfplay_core.sandbox.problem import Failed

__all__ = ["execute"]

_Run = Callable[[Call], str]

# More sources than this are not carried out one by one; a server has a limit of its own (max_command_forks).
_FORK_LIMIT = 256


def execute(command: Command, sources: tuple[Source, ...], population: Population, run: _Run) -> str:
    """Carry out the clauses from `command` on and return every reply, a line each."""
    clause: Command | None = command
    while clause is not None:
        words = clause.literals.split()
        if words[0] == "run":
            return _run_all(clause.follow, sources, population, run)
        if words[0] in ("if", "unless"):
            if clause.follow is None:
                return _answer(clause, sources, population)
            wanted = words[0] == "if"
            sources = tuple(
                replace(source, forked=True)
                for source in sources
                if (_count(Call(clause, source, population)) > 0) == wanted
            )
        else:
            sources = _multiplied(clause, sources, population)
        clause = clause.follow
    return ""


def _multiplied(clause: Command, sources: tuple[Source, ...], population: Population) -> tuple[Source, ...]:
    """Return what a clause makes of all sources; equal ones, common in long chains, are worked out once."""
    made = {source: _changed(Call(clause, source, population)) for source in dict.fromkeys(sources)}
    return tuple(islice(chain.from_iterable(made[source] for source in sources), _FORK_LIMIT))


def _run_all(command: Command | None, sources: tuple[Source, ...], population: Population, run: _Run) -> str:
    if command is None:
        return ""
    replies = {source: _run_one(Call(command, source, population), run) for source in dict.fromkeys(sources)}
    return "\n".join(replies[source] for source in sources if replies[source])


def _run_one(call: Call, run: _Run) -> str:
    try:
        return run(call)
    except Failed:
        # A server is silent about failures once a clause has multiplied the source.
        if not call.source.forked:
            raise
        return ""


def _answer(clause: Command, sources: tuple[Source, ...], population: Population) -> str:
    wanted = clause.literals.startswith("if")
    counts = [_count(Call(clause, source, population)) for source in sources]
    if not counts:
        return ""
    if (counts[0] > 0) != wanted:
        raise Failed("Test failed")
    counted = clause.literals.split()[1] in ("entity", "blocks", "items")
    return f"Test passed. Count: {counts[0]}" if counted and wanted else "Test passed"


def _changed(call: Call) -> tuple[Source, ...]:
    """Return the sources that one clause makes of one."""
    source = call.source
    match call.command.literals.split():
        case ["as"]:
            beings = call.population.matching(call.text("targets"), source)
            return tuple(replace(source, being=being, forked=True) for being in beings)
        case ["at"] | ["positioned", "as"]:
            beings = call.population.matching(call.text("targets"), source)
            return tuple(replace(source, position=being.position, forked=True) for being in beings)
        case ["positioned"]:
            return (replace(source, position=call.position("pos")),)
        case ["align"]:
            axes = call.text("axes")
            x, y, z = (
                float(math.floor(value)) if axis in axes else value
                for axis, value in zip("xyz", source.position, strict=True)
            )
            return (replace(source, position=(x, y, z)),)
        case ["rotated", "as"] | ["facing", "entity"]:
            return (replace(source, forked=True),) if call.population.matching(call.text("targets"), source) else ()
        case ["in"]:
            return (replace(source, position=SPAWN),)
        case ["on", *_]:
            # Nobody in this world rides, owns, hits or leads anybody.
            return ()
        case _:
            return (source,)


def _count(call: Call) -> int:
    """Return how often the condition of an `if` or `unless` clause holds."""
    match call.command.literals.split()[1]:
        case "entity":
            return len(call.population.matching(call.text("entities"), call.source))
        case "block":
            return int(_is_block(call))
        case "loaded":
            return 1
        case "dimension":
            return int(call.text("dimension").removeprefix("minecraft:") == "overworld")
        case "biome":
            return int(call.text("biome").removeprefix("minecraft:") in ("plains", "#is_overworld"))
        case _:
            return 0


def _is_block(call: Call) -> bool:
    place = call.block("pos")
    node = call.argument("block").node
    if node.identifier.is_tag:
        return node.identifier.path == "dirt" and block_at(place) in ("dirt", "grass_block")
    air = node.identifier.path in ("air", block_at(place)) and block_at(place) == "air"
    return bool(air or node.identifier.path == block_at(place)) and not node.data_tags
