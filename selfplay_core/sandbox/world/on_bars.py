"""Boss bars, in the server's words."""

from __future__ import annotations

from collections.abc import Callable

from selfplay_core.sandbox.parser.problem import Failed
from selfplay_core.sandbox.parser.texts import plain_text
from selfplay_core.sandbox.world.call import Call, told
from selfplay_core.sandbox.world.population import matching
from selfplay_core.sandbox.world.state import Bar, room_for

__all__ = ["HANDLERS", "bar_named"]

_Handler = Callable[[Call], str]


def bar_named(call: Call) -> Bar:
    """Return the boss bar that the command names; raises `Failed` if there is none."""
    bar = call.state.bars.get(call.value("id"))
    if bar is None:
        raise Failed(f"No bossbar exists with the ID '{call.value('id')}'")
    return bar


def _add(call: Call) -> str:
    name = call.value("id")
    if name in call.state.bars:
        raise Failed(f"A bossbar already exists with the ID '{name}'")
    room_for("names", call.state.bars)
    title = plain_text(call.value("name"))
    call.state.bars[name] = Bar(title)
    return told(f"Created custom bossbar [{title}]", len(call.state.bars))


def _remove(call: Call) -> str:
    bar = bar_named(call)
    del call.state.bars[call.value("id")]
    return told(f"Removed custom bossbar [{bar.title}]", len(call.state.bars))


def _list(call: Call) -> str:
    bars = call.state.bars
    if not bars:
        return told("There are no custom bossbars active", 0)
    names = ", ".join(f"[{bar.title}]" for bar in bars.values())
    return told(f"There are {len(bars)} custom bossbar(s) active: {names}", len(bars))


def _get(call: Call) -> str:
    bar = bar_named(call)
    shown = f"Custom bossbar [{bar.title}]"
    match call.words[2]:
        case "value":
            return told(f"{shown} has a value of {bar.value}", bar.value)
        case "max":
            return told(f"{shown} has a maximum of {bar.most}", bar.most)
        case "visible":
            visible = bar.options["visible"] == "true"
            return told(f"{shown} is currently {'shown' if visible else 'hidden'}", int(visible))
        case _:
            if not bar.players:
                return told(f"{shown} has no players currently online", 0)
            names = ", ".join(bar.players)
            return told(f"{shown} has {len(bar.players)} player(s) currently online: {names}", len(bar.players))


def _set(call: Call) -> str:
    bar = bar_named(call)
    option = call.words[2]
    match option:
        case "value" | "max":
            return _set_number(bar, option, call.value(option))
        case "color" | "style":
            if bar.options[option] == call.words[3]:
                raise Failed(f"Nothing changed. That's already the {option} of this bossbar")
            bar.options[option] = call.words[3]
            return f"Custom bossbar [{bar.title}] has changed {option}"
        case "name":
            title = plain_text(call.value("name"))
            if title == bar.title:
                raise Failed("Nothing changed. That's already the name of this bossbar")
            bar.title = title
            return f"Custom bossbar [{title}] has been renamed"
        case "visible":
            visible = "true" if call.value("visible") else "false"
            state = "visible" if visible == "true" else "hidden"
            if bar.options["visible"] == visible:
                raise Failed(f"Nothing changed. The bossbar is already {state}")
            bar.options["visible"] = visible
            return f"Custom bossbar [{bar.title}] is now {state}"
        case _:
            return _set_players(call, bar)


def _set_number(bar: Bar, option: str, value: int) -> str:
    if (bar.value if option == "value" else bar.most) == value:
        raise Failed(f"Nothing changed. That's already the {option} of this bossbar")
    if option == "value":
        bar.value = value
        return told(f"Custom bossbar [{bar.title}] has changed value to {value}", value)
    bar.most = value
    return told(f"Custom bossbar [{bar.title}] has changed maximum to {value}", value)


def _set_players(call: Call, bar: Bar) -> str:
    beings = matching(call.value("targets"), call.source, call.state) if call.has("targets") else ()
    names = tuple(being.name for being in beings if being.is_player)
    if set(names) == set(bar.players):
        raise Failed("Nothing changed. Those players are already on the bossbar with nobody to add or remove")
    bar.players = names
    if not names:
        return told(f"Custom bossbar [{bar.title}] no longer has any players", 0)
    return told(f"Custom bossbar [{bar.title}] now has {len(names)} player(s): {', '.join(names)}", len(names))


HANDLERS: dict[str, _Handler] = {
    "bossbar add": _add,
    "bossbar get": _get,
    "bossbar list": _list,
    "bossbar remove": _remove,
    "bossbar set": _set,
}
