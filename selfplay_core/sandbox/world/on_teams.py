"""Teams and tags: who belongs to what, in the server's words."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

from selfplay_core.sandbox.parser.problem import Failed
from selfplay_core.sandbox.parser.texts import plain_text
from selfplay_core.sandbox.world.call import Call, named, told
from selfplay_core.sandbox.world.state import Team, room_for

__all__ = ["HANDLERS"]

_Handler = Callable[[Call], str]

_FLAGS: Final = {"friendlyFire": "friendly fire", "seeFriendlyInvisibles": "seeing invisible teammates"}
_RULES: Final = {
    "collisionRule": "Collision rule",
    "deathMessageVisibility": "Death message visibility",
    "nametagVisibility": "Nametag visibility",
}
# How a reply calls the value of a rule.
_SHOWN: Final = {
    "always": "Always", "never": "Never", "hideForOtherTeams": "Hide for other teams",
    "hideForOwnTeam": "Hide for own team", "pushOtherTeams": "Push other teams", "pushOwnTeam": "Push own team",
}  # fmt: skip
_UNCHANGED: Final = {
    "collisionRule": "Nothing changed. Collision rule is already that value",
    "deathMessageVisibility": "Nothing changed. Death message visibility is already that value",
    "nametagVisibility": "Nothing changed. Nametag visibility is already that value",
}
_MOST_TAGS: Final = 1024


def _team_named(call: Call) -> Team:
    """Return the team that a command names; raises `Failed` if there is none."""
    team = call.state.teams.get(call.value("team"))
    if team is None:
        raise Failed(f"Unknown team '{call.text('team')}'")
    return team


def _add(call: Call) -> str:
    name = call.value("team")
    if name in call.state.teams:
        raise Failed("A team already exists by that name")
    room_for("names", call.state.teams)
    title = plain_text(call.value("displayName", name))
    call.state.teams[name] = Team(title)
    return told(f"Created team [{title}]", len(call.state.teams))


def _remove(call: Call) -> str:
    team = _team_named(call)
    del call.state.teams[call.value("team")]
    return told(f"Removed team [{team.title}]", len(call.state.teams))


def _empty(call: Call) -> str:
    team = _team_named(call)
    count = len(team.members)
    if not count:
        raise Failed("Nothing changed. That team is already empty")
    team.members.clear()
    return told(f"Removed {count} member(s) from team [{team.title}]", count)


def _join(call: Call) -> str:
    team = _team_named(call)
    if call.has("members"):
        holders = call.holders("members")
    else:
        being = call.executor(player=False)
        holders = ((being.holder, being.name),)
    for holder, _ in holders:
        call.state.leave(holder)
        room_for("names", team.members)
        team.members[holder] = None
    who = holders[0][1] if len(holders) == 1 else f"{len(holders)} members"
    return told(f"Added {who} to team [{team.title}]", len(holders))


def _leave(call: Call) -> str:
    holders = call.holders("members")
    for holder, _ in holders:
        call.state.leave(holder)
    who = holders[0][1] if len(holders) == 1 else f"{len(holders)} members"
    return told(f"Removed {who} from any team", len(holders))


def _list(call: Call) -> str:
    if not call.has("team"):
        teams = call.state.teams
        names = ", ".join(f"[{team.title}]" for team in teams.values())
        return told(f"There are {len(teams)} team(s): {names}" if teams else "There are no teams", len(teams))
    team = _team_named(call)
    if not team.members:
        return told(f"There are no members on team [{team.title}]", 0)
    names = ", ".join(map(call.shown_holder, team.members))
    return told(f"Team [{team.title}] has {len(team.members)} member(s): {names}", len(team.members))


def _modify(call: Call) -> str:
    team = _team_named(call)
    option = call.words[2]
    shown = f"[{team.title}]"
    if option == "displayName":
        title = plain_text(call.value("displayName"))
        if title == team.title:
            raise Failed("Nothing changed. That team already has that name")
        team.title = title
        return f"Updated the name of team [{title}]"
    if option in ("prefix", "suffix"):
        return f"Team {option} set to {plain_text(call.value(option))}"
    if option == "color":
        colour = call.value("value")
        if team.options.get("color", "reset") == colour:
            raise Failed("Nothing changed. That team already has that color")
        team.options["color"] = colour
        return f"Updated the color for team {shown} to {colour}"
    if option in _FLAGS:
        return _flag(team, option, "true" if call.value("allowed") else "false")
    value = call.words[3]
    if team.options.get(option, "always") == value:
        raise Failed(_UNCHANGED[option])
    team.options[option] = value
    return f'{_RULES[option]} for team {shown} is now "{_SHOWN[value]}"'


def _flag(team: Team, option: str, value: str) -> str:
    shown = f"[{team.title}]"
    if team.options.get(option, "true") == value:
        if option == "friendlyFire":
            state = "enabled" if value == "true" else "disabled"
            raise Failed(f"Nothing changed. Friendly fire is already {state} for that team")
        can = "can already" if value == "true" else "already can't"
        raise Failed(f"Nothing changed. That team {can} see invisible teammates")
    team.options[option] = value
    if option == "friendlyFire":
        return f"{'Enabled' if value == 'true' else 'Disabled'} friendly fire for team {shown}"
    return f"Team {shown} can {'now' if value == 'true' else 'no longer'} see invisible teammates"


def _team_message(call: Call) -> str:
    being = call.executor(player=False)
    team = call.state.team_of(being.holder)
    if team is None:
        raise Failed("You must be on a team to message your team")
    return ""


def _tag_add(call: Call) -> str:
    beings = call.targets("targets")
    name = call.value("name")
    new = [being for being in beings if name not in being.tags and len(being.tags) < _MOST_TAGS]
    for being in new:
        being.tags.add(name)
    if not new:
        raise Failed("Target either already has the tag or has too many tags")
    return told(f"Added tag '{name}' to {named(beings, 'entities')}", len(new))


def _tag_remove(call: Call) -> str:
    beings = call.targets("targets")
    name = call.value("name")
    had = [being for being in beings if name in being.tags]
    for being in had:
        being.tags.remove(name)
    if not had:
        raise Failed("Target does not have this tag")
    return told(f"Removed tag '{name}' from {named(beings, 'entities')}", len(had))


def _tag_list(call: Call) -> str:
    beings = call.targets("targets")
    tags = sorted({tag for being in beings for tag in being.tags})
    shown = ", ".join(tags)
    if len(beings) == 1:
        text = f"{beings[0].name} has {len(tags)} tags: {shown}" if tags else f"{beings[0].name} has no tags"
    elif tags:
        text = f"The {len(beings)} entities have {len(tags)} total tags: {shown}"
    else:
        text = f"There are no tags on the {len(beings)} entities"
    return told(text, len(tags))


HANDLERS: dict[str, _Handler] = {
    "tag add": _tag_add,
    "tag list": _tag_list,
    "tag remove": _tag_remove,
    "team add": _add,
    "team empty": _empty,
    "team join": _join,
    "team leave": _leave,
    "team list": _list,
    "team modify": _modify,
    "team remove": _remove,
    "teammsg": _team_message,
    "tm": _team_message,
}
