"""Laws of closed gates on the screen: they are told, and one key asks for them again."""

from __future__ import annotations

from selfplay_core.events import GateClosed, GateOpened, PromptsGrowAlike
from tui.state.live import Live


def closed(live: Live) -> None:
    live.apply(GateClosed("worldedit", 0, 24, "Unknown command //set"), 1.0, 1.0)


def test_a_closed_gate_is_a_row_with_its_figures() -> None:
    """What came of the category, and what the server said most."""
    live = Live()
    closed(live)
    assert live.closed == {"worldedit": "0 of 24, Unknown command //set"}
    assert (live.stream[-1].head, live.stream[-1].text) == (
        "worldedit",
        "hardly anything can be won here: 0 of 24, Unknown command //set",
    )
    live.apply(GateOpened("worldedit"), 2.0, 2.0)
    assert live.closed == {}


def test_an_alarm_is_a_row_and_stays() -> None:
    """Until another run begins."""
    live = Live()
    live.apply(PromptsGrowAlike(7, "The prompts grow alike."), 1.0, 1.0)
    assert live.alarm == live.stream[-1].text == "The prompts grow alike."
