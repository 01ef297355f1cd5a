"""`execute`: its clauses change who runs the last command and where, or ask whether it runs at all."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import replace
from itertools import chain, islice
from typing import Final

from selfplay_core.sandbox.parser.grammar import Command
from selfplay_core.sandbox.parser.problem import Failed
from selfplay_core.sandbox.world.call import Call, check_place, told
from selfplay_core.sandbox.world.conditions import count_of, counted
from selfplay_core.sandbox.world.on_bars import bar_named
from selfplay_core.sandbox.world.on_data import holder_of, numbered, store_number
from selfplay_core.sandbox.world.on_entities import summoned
from selfplay_core.sandbox.world.on_scores import objective_named, set_score
from selfplay_core.sandbox.world.population import OVERWORLD, Source, matching
from selfplay_core.sandbox.world.state import BOTTOM, TOP, Being, State

__all__ = ["execute"]

_Run = Callable[[Call], str]

# More sources than this are not carried out one by one; a server has a limit of its own (max_command_forks).
_FORK_LIMIT: Final = 256
_EYES: Final = 1.62
# How many blocks of the overworld one block of a dimension is.
_SCALES: Final = {OVERWORLD: 1, "minecraft:the_nether": 8, "minecraft:the_end": 1}


def execute(command: Command, source: Source, state: State, run: _Run) -> str:
    """Carry out the clauses from `command` on and return every reply, a line each."""
    sources: tuple[Source, ...] = (source,)
    clause: Command | None = command
    while clause is not None:
        words = clause.literals.split()
        if words[0] == "run":
            return _run_all(clause.follow, sources, state, run)
        if words[0] in ("if", "unless"):
            if clause.follow is None:
                return _answer(clause, sources, state)
            wanted = words[0] == "if"
            sources = tuple(
                replace(one, forked=True) for one in sources if (count_of(Call(clause, one, state)) > 0) == wanted
            )
        else:
            sources = _multiplied(clause, sources, state)
        clause = clause.follow
    return ""


def _multiplied(clause: Command, sources: tuple[Source, ...], state: State) -> tuple[Source, ...]:
    """Return what a clause makes of all sources; equal ones, common in long chains, are worked out once."""
    if clause.literals == "summon":
        return tuple(_summoned(Call(clause, source, state)) for source in sources)
    made = {source: _changed(Call(clause, source, state)) for source in dict.fromkeys(sources)}
    return tuple(islice(chain.from_iterable(made[source] for source in sources), _FORK_LIMIT))


def _run_all(command: Command | None, sources: tuple[Source, ...], state: State, run: _Run) -> str:
    if command is None:
        return ""
    replies = [_run_one(Call(command, source, state), run) for source in sources]
    total = sum(getattr(reply, "result", 1) for reply in replies)
    return told("\n".join(reply for reply in replies if reply), total)


def _run_one(call: Call, run: _Run) -> str:
    """Run the last command for one source, and keep its result where `store` clauses want it."""
    try:
        reply = run(call)
    except Failed:
        _store(call, succeeded=False, result=0)
        # A server is silent about failures once a clause has multiplied the source.
        if not call.source.forked:
            raise
        return ""
    _store(call, succeeded=True, result=getattr(reply, "result", 1))
    return reply


def _answer(clause: Command, sources: tuple[Source, ...], state: State) -> str:
    wanted = clause.literals.startswith("if")
    reply: str = ""
    for source in sources:
        call = Call(clause, source, state)
        count = count_of(call)
        passed = (count > 0) == wanted
        _store(call, succeeded=passed, result=count if passed and wanted else int(passed))
        if not passed:
            if len(sources) == 1 and not source.forked:
                raise Failed("Test failed")
            continue
        reply = told(f"Test passed. Count: {count}", count) if counted(clause) and wanted else "Test passed"
    if not reply and sources and not any(source.forked for source in sources):
        raise Failed("Test failed")
    return reply


def _store(call: Call, *, succeeded: bool, result: int) -> None:
    for clause in call.source.stores:
        kept = Call(clause, replace(call.source, stores=()), call.state)
        words = clause.literals.split()
        value = result if words[1] == "result" else int(succeeded)
        try:
            _store_at(kept, words, value)
        except Failed:
            continue  # what is not there any more is passed over, as by a server


def _store_at(call: Call, words: list[str], value: int) -> None:
    match words[2]:
        case "score":
            for holder, _ in call.holders("targets"):
                set_score(call, holder, call.value("objective"), value)
        case "bossbar":
            bar = bar_named(call)
            bar.value, bar.most = (value, bar.most) if words[3] == "value" else (bar.value, value)
        case kind:
            store_number(call, kind, numbered(words[3], value * call.value("scale")))


def _checked_store(call: Call) -> tuple[Source, ...]:
    """Take a `store` clause in; what it names has to be there already."""
    match call.words[2]:
        case "score":
            objective_named(call, writable=True)
            call.holders("targets")
        case "bossbar":
            bar_named(call)
        case kind:
            holder_of(call, kind, "target")
    return (replace(call.source, stores=(*call.source.stores, call.command)),)


def _summoned(call: Call) -> Source:
    kind = call.value("entity").removeprefix("minecraft:")
    being = summoned(call, kind, call.source.position, {})
    return replace(call.source, being=being)


def _changed(call: Call) -> tuple[Source, ...]:
    """Return the sources that one clause makes of one."""
    source = call.source
    match list(call.words):
        case ["as"]:
            return tuple(replace(source, being=being, forked=True) for being in _meant(call))
        case ["at"]:
            return tuple(
                replace(source, position=being.position, dimension=OVERWORLD, forked=True) for being in _meant(call)
            )
        case ["positioned", "as"]:
            return tuple(replace(source, position=being.position, forked=True) for being in _meant(call))
        case ["positioned", "over"]:
            x, _, z = source.position
            return (replace(source, position=(x, _surface(call), z)),)
        case ["positioned"]:
            return (replace(source, position=call.position("pos")),)
        case ["align"]:
            x, y, z = (
                float(math.floor(value)) if axis in call.value("axes") else value
                for axis, value in zip("xyz", source.position, strict=True)
            )
            return (replace(source, position=(x, y, z)),)
        case ["rotated", "as"] | ["facing", "entity"]:
            return tuple(replace(source, forked=True) for _ in _meant(call))
        case ["rotated"]:
            yaw, pitch = (one.value for one in call.value("rot"))
            return (replace(source, rotation=(yaw, pitch)),)
        case ["anchored"]:
            x, y, z = source.position
            lifted = call.value("anchor") == "eyes" and source.being is not None
            return (replace(source, position=(x, y + _EYES, z)),) if lifted else (source,)
        case ["in"]:
            return _in_dimension(call)
        case ["on", relation]:
            return tuple(replace(source, being=being, forked=True) for being in _related(call, relation))
        case ["store", *_]:
            return _checked_store(call)
        case _:
            return (source,)


def _surface(call: Call) -> float:
    """Return the height above the highest block of the column; every block counts, whichever map is asked for."""
    x, z = (math.floor(call.source.position[axis]) for axis in (0, 2))
    check_place((x, BOTTOM, z), call.source)
    solid = (y for y in range(TOP, BOTTOM - 1, -1) if not call.state.block_at((x, y, z)).name.endswith("air"))
    return float(next(solid, BOTTOM - 1) + 1)


def _meant(call: Call) -> tuple[Being, ...]:
    return matching(call.value("targets"), call.source, call.state)


def _in_dimension(call: Call) -> tuple[Source, ...]:
    name = call.value("dimension")
    if name not in _SCALES:
        raise Failed(f"Unknown dimension '{name}'")
    x, y, z = call.source.position
    scale = _SCALES[call.source.dimension] / _SCALES[name]
    return (replace(call.source, dimension=name, position=(x * scale, y, z * scale)),)


def _related(call: Call, relation: str) -> tuple[Being, ...]:
    being = call.source.being
    if being is None:
        return ()
    if relation == "vehicle":
        return () if being.vehicle is None else (being.vehicle,)
    if relation == "passengers":
        return tuple(other for other in call.state.beings if other.vehicle is being)
    # Nobody in this world owns, hits or leads anybody.
    return ()
