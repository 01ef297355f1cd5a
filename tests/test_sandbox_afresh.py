"""No attempt on the sandbox depends on another: each finds the world as it was made."""

from __future__ import annotations

import pytest

from selfplay_core.engine.servers import conduct_of
from selfplay_core.models import SANDBOX_RESET, CommandResult, VerdictOutcome
from selfplay_core.sandbox.rcon_server import RconServer
from selfplay_core.sandbox.world.world import World
from selfplay_core.settings import RconSettings, Settings, WorldSettings
from selfplay_core.verify.address import RconAddress
from selfplay_core.verify.caps import Caps
from selfplay_core.verify.rcon import RconClient
from selfplay_core.verify.verifier import Conduct, FaultCount, Verifier
from tests.fakes import ScriptedConsole

PLAYERS = ("slingshooter08", "SwiftWolf")
ATTEMPTS = (
    ("team add red", "team join red @a", "scoreboard objectives add k dummy"),
    ("kill @e[type=cow]", "summon pig ~ ~ ~ {Tags:[mine]}", "tag @e[tag=mine] add more"),
    ("execute as @e[type=cow] run data get entity @s Health", "scoreboard players set @a k 1"),
)


async def verified(verifier: Verifier, attempts: tuple[tuple[str, ...], ...]) -> dict[str, CommandResult]:
    found = {}
    for commands in attempts:
        for result in await verifier.verify(commands, faults=FaultCount(), allowed_by_person=True):
            found[result.command] = result
    return found


async def test_attempts_have_the_same_verdicts_in_any_order() -> None:
    """Once in this order, once backwards, and each of them twice: every reply is the same."""
    settings = Settings(world=WorldSettings(kind="sandbox", players=PLAYERS))
    async with RconServer(World(PLAYERS), "p") as server:
        client = RconClient(RconAddress("127.0.0.1", server.port), "p", connect_seconds=10, command_seconds=10)
        verifier = Verifier(client, conduct_of(settings))
        forwards = await verified(verifier, ATTEMPTS)
        assert await verified(verifier, (*reversed(ATTEMPTS), *ATTEMPTS)) == forwards
        await verifier.aclose()
    assert forwards["team add red"].reply == "Created team [red]"
    assert forwards["scoreboard players set @a k 1"].verdict.outcome is VerdictOutcome.FAILED


async def test_what_a_round_sets_up_is_there_again_in_every_attempt() -> None:
    """The reset takes the round's set-up away too, so that it is done again after it."""
    world = WorldSettings(kind="sandbox", players=PLAYERS, round_setup=("scoreboard objectives add k dummy",))
    async with RconServer(World(PLAYERS), "p") as server:
        client = RconClient(RconAddress("127.0.0.1", server.port), "p", connect_seconds=10, command_seconds=10)
        verifier = Verifier(client, conduct_of(Settings(world=world)))
        for _ in range(2):
            (result,) = await verifier.verify(["scoreboard players add @a k 1"], faults=FaultCount())
            assert result.reply == "Added 1 to [k] for 2 entities"
        await verifier.aclose()


async def test_the_reset_comes_first_and_costs_nothing() -> None:
    """It stands before the set-up, no probe needs it, and no cap counts it."""
    console = ScriptedConsole(lambda command: "")
    conduct = Conduct(setup=("time set 1",), afresh=(SANDBOX_RESET,), caps=Caps(commands_per_minute=3))
    verifier = Verifier(console, conduct)
    await verifier.verify(["say hi"], faults=FaultCount())
    await verifier.verify(["say hi"], faults=FaultCount(), probe=True)
    assert [command for command in console.commands if command == SANDBOX_RESET] == [SANDBOX_RESET]
    first = console.commands.index(SANDBOX_RESET)
    assert console.commands[first : first + 3] == [SANDBOX_RESET, "time set 1", "say hi"]


@pytest.mark.parametrize(("kind", "resets"), [("sandbox", True), ("rcon", False)])
def test_only_the_embedded_world_is_reset(kind: str, resets: bool) -> None:
    """A real server never sees the sandbox's own command."""
    world = WorldSettings(kind="rcon") if kind == "rcon" else WorldSettings(kind="sandbox")
    conduct = conduct_of(Settings(world=world, rcon=RconSettings()))
    assert (SANDBOX_RESET in conduct.afresh) is resets
