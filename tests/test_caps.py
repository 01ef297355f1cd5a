"""Caps: what commands cost, read from their own words, and what a run may not exceed."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from functools import partial

import pytest

from selfplay_core.engine.control import Control, Drained
from selfplay_core.errors import CapReached, ConnectionLost
from selfplay_core.verify.caps import Caps, Meter, Toll, toll_of
from selfplay_core.verify.verifier import Conduct, FaultCount, TooSoon, Verifier
from tests.fakes import ScriptedChat, ScriptedConsole, answer, make_prompt, make_solver

TOLLS = {
    "say summon pig": Toll(),
    "give Alex minecraft:pig_spawn_egg 64": Toll(),
    "summon minecraft:pig": Toll(entities=1),
    "/SUMMON pig ~ ~ ~ {Passengers:[{id:pig}]}": Toll(entities=1),
    "execute at Alex run summon pig": Toll(entities=1),
    "execute as @s at @s run summon pig": Toll(entities=1),
    "execute at @r run summon pig": Toll(entities=1),
    "execute at @e[type=cow,limit=1] run summon pig": Toll(entities=1),
    "execute at @a run summon pig": Toll(entities=10),
    "execute at @e[type=cow] run summon pig": Toll(entities=10),
    "execute at @e[type=cow,limit=3] run summon pig": Toll(entities=10),
    "execute as @a at @e run summon pig": Toll(entities=100),
    "execute as @a run execute at @a run execute at @a run summon pig": Toll(entities=1000),
    "execute summon pig run say hi": Toll(entities=1),
    "execute summon pig run summon cow": Toll(entities=2),
    "execute at @a summon pig run setblock ~ ~ ~ stone": Toll(entities=10, blocks=10),
    "return run summon pig": Toll(entities=1),
    "setblock ~ ~1 ~ minecraft:stone": Toll(blocks=1),
    "fill 0 64 0 9 64 9 stone": Toll(blocks=100),
    "fill 9 64 9 0 64 0 stone": Toll(blocks=100),
    "fill ~ ~ ~ ~4 ~4 ~4 air": Toll(blocks=125),
    "fill ~-5 ~ ~-5 ~5 ~ ~5 minecraft:oak_planks[axis=x] replace air": Toll(blocks=121),
    "FILL 0 0 0 1 1 1 stone": Toll(blocks=8),
    "minecraft:fill 0 0 0 1 1 1 stone": Toll(blocks=8),
    "execute at @a run fill ~ ~ ~ ~1 ~1 ~1 stone": Toll(blocks=80),
    "clone 0 0 0 1 1 1 5 5 5": Toll(blocks=8),
    "clone from minecraft:overworld 0 0 0 1 1 1 to minecraft:the_end 0 0 0": Toll(blocks=8),
    "clone FROM the_end ~ ~ ~ ~9 ~ ~ 0 0 0": Toll(blocks=10),
    # A corner here and a corner there: the game would fill as much as it ever does at once.
    "fill ~ ~ ~ 100 70 100 stone": Toll(blocks=32_768),
    "execute at @a run clone ~ ~ ~ 1 1 1 0 0 0": Toll(blocks=327_680),
    # The server refuses these.
    "fill a b c d e f stone": Toll(),
    "fill 0 0 0": Toll(),
    "fill": Toll(),
    "clone from": Toll(),
}


@pytest.mark.parametrize(("command", "toll"), TOLLS.items())
def test_what_a_command_costs(command: str, toll: Toll) -> None:
    """Every entity and block that it names, times ten for every selector that may find several."""
    assert toll_of(command) == toll


def test_looking_up_a_hostile_command_costs_little() -> None:
    """Any text has a toll, and no number in it is too large."""
    assert toll_of("execute " + "at @a " * 200 + "run summon pig").entities == 10**200
    for command in ("", " ", "/", "execute" * 1000, "fill " + "9" * 5000 + " 0 0 0 0 0 stone", "fill \x00 ~ ^ ~ ~ ~"):
        assert toll_of(command).entities == 0


@dataclass
class Clock:
    """A clock that stands until it is moved."""

    now: float = 1000.0

    def __call__(self) -> float:
        return self.now


def send(meter: Meter, *commands: str) -> None:
    """Send the commands of one answer."""
    for position, command in enumerate(commands):
        meter.spend(command, before=commands[:position])


def test_a_region_that_the_answer_selects_counts() -> None:
    """WorldEdit changes as many blocks as the corners enclose."""
    meter = Meter(Caps(blocks=1500))
    edit = ("//pos1 0,0,0", "//pos2 9,9,9", "//set stone")
    meter.refuse_beyond(edit)
    send(meter, *edit)
    with pytest.raises(CapReached):
        meter.refuse_beyond(edit)


def test_a_meter_refuses_what_would_be_too_much() -> None:
    """Up to the cap, counted over the run; what was refused is not counted."""
    meter = Meter(Caps(entities=3))
    send(meter, "summon pig", "summon cow")
    with pytest.raises(CapReached, match=r"cap of 3 entities summoned .* \[caps\]"):
        meter.refuse_beyond(["summon pig", "summon pig"])
    meter.refuse_beyond(["summon pig"])
    send(meter, "summon pig")
    meter.refuse_beyond(["say hi", "fill 0 0 0 99 99 99 stone"])
    with pytest.raises(CapReached):
        meter.refuse_beyond(["summon pig"])


def test_blocks_have_a_cap_of_their_own() -> None:
    """And 0 allows none at all."""
    meter = Meter(Caps(blocks=100))
    send(meter, "fill 0 0 0 9 0 8 stone")
    meter.refuse_beyond(["summon pig"] * 1000)
    meter.refuse_beyond(["fill 0 0 0 9 0 0 stone"])
    with pytest.raises(CapReached, match="cap of 100 blocks changed"):
        meter.refuse_beyond(["fill 0 0 0 9 0 0 stone", "setblock 0 0 0 stone"])
    with pytest.raises(CapReached):
        Meter(Caps(blocks=0)).refuse_beyond(["setblock 0 0 0 stone"])


def test_without_caps_nothing_is_refused_or_delayed() -> None:
    """None is no limit."""
    meter = Meter(Caps())
    send(meter, *["execute as @a at @a at @a run fill 0 0 0 99 99 99 stone"] * 100)
    meter.refuse_beyond(["summon pig"] * 1000)
    assert meter.pause_before(1_000_000) == 0.0


@pytest.mark.parametrize("attempts", [[1] * 40, [3] * 15, [2, 5, 1, 1, 9, 4, 2, 2, 1, 1, 1], [10] * 5])
def test_no_minute_sees_more_commands_than_its_limit(attempts: list[int]) -> None:
    """Waiting as told, any sixty seconds hold at most ten; and nobody waits longer than a minute."""
    clock = Clock()
    meter = Meter(Caps(commands_per_minute=10), clock=clock)
    sent: list[float] = []
    for size in attempts:
        pause = meter.pause_before(size)
        assert 0.0 <= pause <= 60.0
        # It is a limit, not a brake: who waits would have been too many.
        assert pause == 0.0 or sum(moment > clock.now - 60.0 for moment in sent) + size > 10
        clock.now += pause
        send(meter, *["say hi"] * size)
        sent += [clock.now] * size
        clock.now += 0.5
    for moment in sent:
        assert sum(moment <= other < moment + 60.0 for other in sent) <= 10


def test_an_attempt_larger_than_the_limit_waits_for_a_whole_minute_to_itself() -> None:
    """It is not cut in two, and it does not wait for ever."""
    clock = Clock()
    meter = Meter(Caps(commands_per_minute=2), clock=clock)
    assert meter.pause_before(5) == 0.0
    send(meter, *["say hi"] * 5)
    clock.now += 20.0
    assert meter.pause_before(5) == 40.0
    assert meter.pause_before(1) == 40.0
    clock.now += 40.0
    assert meter.pause_before(5) == 0.0


def verifier_with(caps: Caps, console: ScriptedConsole) -> Verifier:
    """A verifier with these caps and nothing else."""
    return Verifier(console, Conduct(caps=caps))


def summons(command: str) -> str:
    """Reply to every command as to `summon pig`."""
    return "Summoned new Pig"


async def test_an_attempt_beyond_the_cap_sends_nothing() -> None:
    """Not even those of its commands that would still have been allowed."""
    console = ScriptedConsole(summons)
    verifier = verifier_with(Caps(entities=3), console)
    await verifier.verify(["summon pig", "summon pig"], faults=FaultCount())
    with pytest.raises(CapReached):
        await verifier.verify(["summon pig", "summon pig"], faults=FaultCount())
    assert console.commands == ["summon pig"] * 2
    await verifier.verify(["summon pig"], faults=FaultCount())
    assert len(console.commands) == 3


async def test_a_probe_costs_nothing() -> None:
    """It runs nothing, so no cap stops it and it uses none up."""
    console = ScriptedConsole(lambda command: "" if command.startswith("execute") else "Summoned new Pig")
    verifier = verifier_with(Caps(entities=1), console)
    for _ in range(3):
        await verifier.verify(["summon pig"] * 5, faults=FaultCount(), probe=True)
    await verifier.verify(["summon pig"], faults=FaultCount())
    assert console.commands[-1] == "summon pig"


async def test_attempts_at_the_same_time_share_the_cap() -> None:
    """Each would fit alone; the server sees only as many as fit together."""
    console = ScriptedConsole(summons)
    verifier = verifier_with(Caps(entities=5), console)
    ended = await asyncio.gather(
        *(verifier.verify(["summon pig"] * 3, faults=FaultCount()) for _ in range(4)), return_exceptions=True
    )
    assert sum(isinstance(error, CapReached) for error in ended) == 3
    assert len(console.commands) == 3


async def test_what_a_fault_cut_short_was_done_all_the_same() -> None:
    """An attempt that ends in faults has summoned what it had sent, and the cap knows it."""
    lost = ConnectionLost("gone")
    console = ScriptedConsole(lambda command: lost if command == "say bye" else "Summoned new Pig")
    verifier = verifier_with(Caps(entities=3), console)
    with pytest.raises((ConnectionLost, CapReached)):
        await verifier.verify(["summon pig"] * 2 + ["say bye"], faults=FaultCount())
    with pytest.raises(CapReached):
        await verifier.verify(["summon pig"] * 2, faults=FaultCount())


async def test_the_verifier_keeps_to_the_commands_per_minute(monkeypatch: pytest.MonkeyPatch) -> None:
    """It refuses the attempt that would be too many, and says when to come again; none is cut in two."""
    clock = Clock()
    console = ScriptedConsole(lambda command: "Set the time to 1000")
    monkeypatch.setattr("selfplay_core.verify.verifier.Meter", partial(Meter, clock=clock))
    verifier = verifier_with(Caps(commands_per_minute=5), console)
    for _ in range(2):
        await verifier.verify(["time set 1000"] * 2, faults=FaultCount())
    with pytest.raises(TooSoon) as caught:
        await verifier.verify(["time set 1000"] * 2, faults=FaultCount())
    assert len(console.commands) == 4
    clock.now += caught.value.seconds
    await verifier.verify(["time set 1000"] * 2, faults=FaultCount())
    assert len(console.commands) == 6


async def test_a_drain_does_not_wait_for_the_minute() -> None:
    """Who waits to send holds nothing, and leaves at once when the run drains."""
    control = Control()
    console = ScriptedConsole(lambda command: "Set the time to 1000")
    chat = ScriptedChat(lambda request: answer("time set 1000"))
    solver = make_solver(chat, console, control=control, conduct=Conduct(caps=Caps(commands_per_minute=1)))
    await solver.solve("a", make_prompt())
    waiting = asyncio.create_task(solver.solve("b", make_prompt()))
    asyncio.get_running_loop().call_later(0.05, control.drain)
    with pytest.raises(Drained):
        await asyncio.wait_for(waiting, 5)
    assert console.commands == ["time set 1000"]
