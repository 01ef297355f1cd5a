"""Objectives and scores, in the server's words."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

from selfplay_core.sandbox.parser.problem import Failed
from selfplay_core.sandbox.parser.texts import plain_text
from selfplay_core.sandbox.world.call import Call, told
from selfplay_core.sandbox.world.state import Objective, room_for

__all__ = ["HANDLERS", "objective_named", "score_of", "set_score", "wrapped"]

_Handler = Callable[[Call], str]

_READ_ONLY: Final = ("health", "food", "air", "armor", "xp", "level")


def objective_named(call: Call, name: str = "objective", *, writable: bool = False) -> Objective:
    """Return the objective that an argument names; raises `Failed` if there is none, or if it counts by itself."""
    objective = call.state.objectives.get(call.value(name))
    if objective is None:
        raise Failed(f"Unknown scoreboard objective '{call.text(name)}'")
    if writable and objective.criterion in _READ_ONLY:
        raise Failed(f"Scoreboard objective '{call.text(name)}' is read-only")
    return objective


def score_of(call: Call, holder: str, objective: str) -> int | None:
    """Return a score, None where the holder has none."""
    return call.state.scores.get(holder, {}).get(objective)


def set_score(call: Call, holder: str, objective: str, value: int) -> int:
    """Keep a score; it wraps around as 32 bits do."""
    if holder not in call.state.scores:
        room_for("names", call.state.scores)
    scores = call.state.scores.setdefault(holder, {})
    scores[objective] = wrapped(value)
    return scores[objective]


def wrapped(value: int) -> int:
    """Return a number as 32 bits hold it."""
    return (value + 2**31) % 2**32 - 2**31


def _add_objective(call: Call) -> str:
    name = call.value("objective")
    if name in call.state.objectives:
        raise Failed("An objective already exists by that name")
    room_for("names", call.state.objectives)
    title = plain_text(call.value("displayName", name))
    criterion = call.value("criteria")
    call.state.objectives[name] = Objective(criterion, title, "hearts" if criterion == "health" else "integer")
    return told(f"Created new objective [{title}]", len(call.state.objectives))


def _remove_objective(call: Call) -> str:
    objective = objective_named(call)
    name = call.value("objective")
    del call.state.objectives[name]
    for scores in call.state.scores.values():
        scores.pop(name, None)
    call.state.displays = {slot: shown for slot, shown in call.state.displays.items() if shown != name}
    return told(f"Removed objective [{objective.title}]", len(call.state.objectives))


def _list_objectives(call: Call) -> str:
    objectives = call.state.objectives
    if not objectives:
        return told("There are no objectives", 0)
    names = ", ".join(f"[{objective.title}]" for objective in objectives.values())
    return told(f"There are {len(objectives)} objective(s): {names}", len(objectives))


def _modify_objective(call: Call) -> str:
    objective = objective_named(call)
    name = call.value("objective")
    match call.words[3]:
        case "displayname":
            before, objective.title = objective.title, plain_text(call.value("displayName"))
            # What is as it was is no failure, and a server says nothing of it.
            if before == objective.title:
                return told("", 0)
            return told(f"Changed the display name of {name} to [{objective.title}]", 0)
        case "rendertype":
            before, objective.drawn = objective.drawn, call.words[4]
            said = "" if before == objective.drawn else f"Changed the render type of objective [{objective.title}]"
            return told(said, 0)
        case "displayautoupdate":
            updating, objective.updates = objective.updates, bool(call.value("value"))
            if updating == objective.updates:
                return told("", 0)
            state = "Enabled" if objective.updates else "Disabled"
            return told(f"{state} display auto-update for objective [{objective.title}]", 0)
        case _:
            verb = "Changed" if len(call.words) > 4 else "Cleared"
            return f"{verb} default number format of objective [{objective.title}]"


def _display(call: Call) -> str:
    slot = call.value("slot")
    shown = call.state.displays.get(slot)
    if not call.has("objective"):
        if shown is None:
            raise Failed("Nothing changed. That display slot is already empty")
        del call.state.displays[slot]
        return told(f"Cleared any objectives in display slot {slot}", 0)
    objective = objective_named(call)
    if shown == call.value("objective"):
        raise Failed("Nothing changed. That display slot is already showing that objective")
    call.state.displays[slot] = call.value("objective")
    return told(f"Set display slot {slot} to show objective {objective.title}", 0)


def _change(call: Call) -> str:
    objective = objective_named(call, writable=True)
    name, verb = call.value("objective"), call.words[2]
    holders = call.holders("targets")
    amount = call.value("score")
    total = 0
    for holder, _ in holders:
        before = score_of(call, holder, name) or 0
        value = {"set": amount, "add": before + amount, "remove": before - amount}[verb]
        total += set_score(call, holder, name, value)
    shown = f"[{objective.title}]"
    one = holders[0][1] if len(holders) == 1 else ""
    many = f"{len(holders)} entities"
    if verb == "set":
        return told(f"Set {shown} for {one or many} to {amount}", amount * len(holders))
    ending = f"{one} (now {total})" if one else many
    if verb == "add":
        return told(f"Added {amount} to {shown} for {ending}", total)
    return told(f"Removed {amount} from {shown} for {ending}", total)


def _reset(call: Call) -> str:
    holders = call.holders("targets")
    who = holders[0][1] if len(holders) == 1 else f"{len(holders)} entities"
    if not call.has("objective"):
        for holder, _ in holders:
            call.state.scores.pop(holder, None)
        return told(f"Reset all scores for {who}", len(holders))
    objective = objective_named(call)
    for holder, _ in holders:
        call.state.scores.get(holder, {}).pop(call.value("objective"), None)
    return told(f"Reset [{objective.title}] for {who}", len(holders))


def _get(call: Call) -> str:
    objective = objective_named(call)
    [(holder, shown)] = call.holders("target")[:1]
    score = score_of(call, holder, call.value("objective"))
    if score is None:
        raise Failed(f"Can't get value of {call.value('objective')} for {shown}; none is set")
    return told(f"{shown} has {score} [{objective.title}]", score)


def _list(call: Call) -> str:
    if not call.has("target"):
        holders = [holder for holder, scores in call.state.scores.items() if scores]
        if not holders:
            return told("There are no tracked entities", 0)
        names = ", ".join(map(call.shown_holder, holders))
        return told(f"There are {len(holders)} tracked entity/entities: {names}", len(holders))
    [(holder, shown)] = call.holders("target")[:1]
    scores = call.state.scores.get(holder, {})
    if not scores:
        return told(f"{shown} has no scores to show", 0)
    lines = [f"[{call.state.objectives[name].title}]: {score}" for name, score in scores.items()]
    return told("\n".join([f"{shown} has {len(scores)} score(s):", *lines]), len(scores))


def _enable(call: Call) -> str:
    objective = objective_named(call)
    if objective.criterion != "trigger":
        raise Failed("Enable only works on trigger-objectives")
    holders = call.holders("targets")
    new = {(holder, call.value("objective")) for holder, _ in holders} - call.state.enabled
    if not new:
        raise Failed("Nothing changed. That trigger is already enabled")
    room_for("names", call.state.enabled)
    call.state.enabled |= new
    who = holders[0][1] if len(holders) == 1 else f"{len(holders)} entities"
    return told(f"Enabled trigger [{objective.title}] for {who}", len(new))


def _operate(call: Call) -> str:
    objective = objective_named(call, "targetObjective", writable=True)
    objective_named(call, "sourceObjective")
    target, source = call.value("targetObjective"), call.value("sourceObjective")
    holders, others = call.holders("targets"), call.holders("source")
    call.state.spend("looks at entities", len(holders) * len(others) * 3)
    total = 0
    for holder, _ in holders:
        for other, _ in others:
            # Whoever had no score has one from here on, the one that is only read as well.
            before = set_score(call, holder, target, score_of(call, holder, target) or 0)
            with_ = set_score(call, other, source, score_of(call, other, source) or 0)
            value, swapped = _result(call.value("operation"), before, with_)
            total = set_score(call, holder, target, value)
            if swapped is not None:
                set_score(call, other, source, swapped)
    if len(holders) == 1:
        return told(f"Set [{objective.title}] for {holders[0][1]} to {total}", total)
    return told(f"Updated [{objective.title}] for {len(holders)} entities", len(holders))


def _result(operation: str, left: int, right: int) -> tuple[int, int | None]:
    match operation:
        case "=":
            return right, None
        case "+=":
            return left + right, None
        case "-=":
            return left - right, None
        case "*=":
            return left * right, None
        case "<":
            return min(left, right), None
        case ">":
            return max(left, right), None
        case "><":
            return right, left
        case _:
            if right == 0:
                raise Failed("Cannot divide by zero")
            # As in Java's floorDiv and floorMod, which Python's operators do by themselves.
            return (left // right if operation == "/=" else left % right), None


def _display_player(call: Call) -> str:
    objective = objective_named(call)
    holders = call.holders("targets")
    who = holders[0][1] if len(holders) == 1 else f"{len(holders)} entities"
    if call.words[3] == "name":
        if call.has("name"):
            return f"Changed display name to {plain_text(call.value('name'))} for {who} in [{objective.title}]"
        return f"Cleared display name for {who} in [{objective.title}]"
    verb = "Changed" if len(call.words) > 4 else "Cleared"
    return f"{verb} number format for {who} in [{objective.title}]"


def _trigger(call: Call) -> str:
    being = call.executor(player=True)
    objective = call.state.objectives.get(call.value("objective"))
    if objective is None:
        raise Failed(f"Unknown scoreboard objective '{call.text('objective')}'")
    if objective.criterion != "trigger":
        raise Failed("You can only trigger objectives that are 'trigger' type")
    key = (being.holder, call.value("objective"))
    if key not in call.state.enabled:
        raise Failed("You cannot trigger this objective yet")
    call.state.enabled.discard(key)
    before = score_of(call, being.holder, call.value("objective")) or 0
    amount = call.value("value", 1)
    setting = call.words[1:2] == ("set",)
    value = set_score(call, being.holder, call.value("objective"), amount if setting else before + amount)
    if setting:
        return told(f"Triggered [{objective.title}] (set value to {amount})", value)
    if call.words[1:2] == ("add",):
        return told(f"Triggered [{objective.title}] (added {amount} to value)", value)
    return told(f"Triggered [{objective.title}]", value)


HANDLERS: dict[str, _Handler] = {
    "scoreboard objectives add": _add_objective,
    "scoreboard objectives list": _list_objectives,
    "scoreboard objectives modify": _modify_objective,
    "scoreboard objectives remove": _remove_objective,
    "scoreboard objectives setdisplay": _display,
    "scoreboard players add": _change,
    "scoreboard players display": _display_player,
    "scoreboard players enable": _enable,
    "scoreboard players get": _get,
    "scoreboard players list": _list,
    "scoreboard players operation": _operate,
    "scoreboard players remove": _change,
    "scoreboard players reset": _reset,
    "scoreboard players set": _change,
    "trigger": _trigger,
}
