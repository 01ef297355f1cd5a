"""Commands that act on scores, teams and boss bars, in the server's words.

Nothing is kept: an objective, a team or a bar that a command needs is taken to be there.
"""

from __future__ import annotations

from collections.abc import Callable

from selfplay_core.sandbox.call import Call
from selfplay_core.sandbox.problem import Failed

__all__ = ["HANDLERS"]

_Handler = Callable[[Call], str]


def _fixed(text: str) -> _Handler:
    return lambda call: text


def _scores(call: Call) -> str:
    holders = call.holders("targets")
    amount, objective = call.text("score"), f"[{call.text('objective')}]"
    many = f"{len(holders)} entities"
    match call.command.literals.split()[2]:
        case "set":
            who = holders[0] if len(holders) == 1 else many
            return f"Set {objective} for {who} to {amount}"
        case "add":
            ending = f"{holders[0]} (now {amount})" if len(holders) == 1 else many
            return f"Added {amount} to {objective} for {ending}"
        case _:
            ending = f"{holders[0]} (now -{amount})" if len(holders) == 1 else many
            return f"Removed {amount} from {objective} for {ending}"


def _scores_reset(call: Call) -> str:
    holders = call.holders("targets")
    what = f"[{call.text('objective')}]" if call.command.get("objective") else "all scores"
    return f"Reset {what} for {holders[0] if len(holders) == 1 else f'{len(holders)} entities'}"


def _score_get(call: Call) -> str:
    holder = call.holders("target")[0]
    return f"{holder} has 0 [{call.text('objective')}]"


def _score_operation(call: Call) -> str:
    holders = call.holders("targets")
    objective = f"[{call.text('targetObjective')}]"
    if len(holders) == 1:
        return f"Set {objective} for {holders[0]} to 0"
    return f"Updated {objective} for {len(holders)} entities"


def _score_enable(call: Call) -> str:
    holders = call.holders("targets")
    who = holders[0] if len(holders) == 1 else f"{len(holders)} entities"
    return f"Enabled trigger [{call.text('objective')}] for {who}"


def _display(call: Call) -> str:
    slot = call.text("slot")
    if call.command.get("objective") is None:
        return f"Cleared any objectives in display slot {slot}"
    return f"Set display slot {slot} to show objective {call.text('objective')}"


def _team_modify(call: Call) -> str:
    option, team = call.command.literals.split()[2], f"[{call.text('team')}]"
    match option:
        case "color":
            return f"Updated the color for team {team} to {call.text('value')}"
        case "displayName":
            return f"Updated the name of team {team}"
        case "prefix" | "suffix":
            return f"Team {option} set to {call.shown(option)}"
        case "friendlyFire":
            return f"{_on(call, 'allowed')} friendly fire for team {team}"
        case "seeFriendlyInvisibles":
            can = "now" if call.text("allowed") == "true" else "no longer"
            return f"Team {team} can {can} see invisible teammates"
        case "collisionRule":
            return f'Collision rule for team {team} is now "{call.command.literals.split()[3]}"'
        case "deathMessageVisibility":
            return f'Death message visibility for team {team} is now "{call.command.literals.split()[3]}"'
        case _:
            return f'Nametag visibility for team {team} is now "{call.command.literals.split()[3]}"'


def _on(call: Call, name: str) -> str:
    return "Enabled" if call.text(name) == "true" else "Disabled"


def _bossbar_set(call: Call) -> str:
    bar = f"[{call.text('id').rpartition(':')[2]}]"
    option = call.command.literals.split()[2]
    match option:
        case "value" | "max":
            ending = f"changed {'maximum' if option == 'max' else 'value'} to {call.text(option)}"
            return f"Custom bossbar {bar} has {ending}"
        case "color" | "style":
            return f"Custom bossbar {bar} has changed {option}"
        case "name":
            return f"Custom bossbar {bar} has been renamed"
        case "visible":
            return f"Custom bossbar {bar} is now {'visible' if call.text('visible') == 'true' else 'hidden'}"
        case _:
            if call.command.get("targets") is None:
                return f"Custom bossbar {bar} no longer has any players"
            beings = call.targets("targets")
            names = ", ".join(being.name for being in beings)
            return f"Custom bossbar {bar} now has {len(beings)} player(s): {names}"


def _trigger(call: Call) -> str:
    call.executor(player=True)
    return f"Triggered [{call.text('objective')}]"


def _team_message(call: Call) -> str:
    call.executor(player=True)
    raise Failed("You must be on a team to message your team")


def _add_named(text: str, name: str, title: str) -> _Handler:
    """A thing is made; the reply names it by its title, or by its own name without one."""

    def reply(call: Call) -> str:
        shown = call.shown(title) if call.command.get(title) else call.text(name)
        return text.format(shown)

    return reply


def _named(text: str, name: str) -> _Handler:
    return lambda call: text.format(call.text(name))


HANDLERS: dict[str, _Handler] = {
    "bossbar add": _add_named("Created custom bossbar [{}]", "id", "name"),
    "bossbar list": _fixed("There are no custom bossbars active"),
    "bossbar remove": _named("Removed custom bossbar [{}]", "id"),
    "bossbar set": _bossbar_set,
    "scoreboard objectives add": _add_named("Created new objective [{}]", "objective", "displayName"),
    "scoreboard objectives list": _fixed("There are no objectives"),
    "scoreboard objectives modify displayname": _named("Changed the display name of {0} to [{0}]", "objective"),
    "scoreboard objectives modify rendertype": _named("Changed the render type of objective [{}]", "objective"),
    "scoreboard objectives remove": _named("Removed objective [{}]", "objective"),
    "scoreboard objectives setdisplay": _display,
    "scoreboard players add": _scores,
    "scoreboard players enable": _score_enable,
    "scoreboard players get": _score_get,
    "scoreboard players list": _fixed("There are no tracked entities"),
    "scoreboard players operation": _score_operation,
    "scoreboard players remove": _scores,
    "scoreboard players reset": _scores_reset,
    "scoreboard players set": _scores,
    "team add": _add_named("Created team [{}]", "team", "displayName"),
    "team empty": _named("Removed 1 member(s) from team [{}]", "team"),
    "team list": _fixed("There are no teams"),
    "team modify": _team_modify,
    "team remove": _named("Removed team [{}]", "team"),
    "teammsg": _team_message,
    "tm": _team_message,
    "trigger": _trigger,
}
