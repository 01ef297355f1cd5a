"""What runs around attempts and rounds: when, how often, and what may not."""

from __future__ import annotations

import logging
from pathlib import Path

import pytest

from selfplay_core.engine.control import Control
from selfplay_core.engine.outage import Outage
from selfplay_core.engine.surroundings import Surroundings
from selfplay_core.errors import ConnectionLost, ServerUnreachable, SettingsError
from selfplay_core.events import Event
from selfplay_core.models import Outcome, VerdictOutcome
from selfplay_core.verify.verifier import Conduct, FaultCount, Verifier
from tests.fakes import ScriptedConsole
from tests.servers.ollama import fail
from tests.servers.rcon import RconFault
from tests.worlds import Playground, play, playground

SETUP = "time set 10"
CLEANUP = "time set 20"
ROUND_SETUP = "time set 30"
ROUND_CLEANUP = "time set 40"
PLACES = ("setup", "cleanup", "round_setup", "round_cleanup")
GIVE = "give slingshooter08 minecraft:torch 1"


def sent_by(ground: Playground) -> list[str]:
    """What the server was told, without who and what it is."""
    looks = ("version", "list", "list uuids", "minecraft:list uuids", "plugins", "selfplay_no_such_command")
    return [command for command in ground.server.commands if command not in looks]


async def test_every_attempt_stands_between_set_up_and_clean_up(tmp_path: Path) -> None:
    """Each attempt of a trace anew, with the commands in their order and nobody's between them."""
    async with playground(tmp_path) as ground:
        job = ground.job(
            given=["sudo fix", "sudo twice", "sudo stuck", "sudo refuse", "sudo op"] * 4,
            run__concurrency=4,
            world__setup=(SETUP, "time set 11"),
            world__cleanup=(CLEANUP,),
        )
        ran = await play(job)
        sent = sent_by(ground)
    blocks: list[list[str]] = []
    for command in sent:
        if command == SETUP:
            blocks.append([])
        blocks[-1].append(command)
    assert all(block[:2] == [SETUP, "time set 11"] and block[-1] == CLEANUP for block in blocks)
    attempts = sorted(block[2:-1] for block in blocks)
    expected = [["givee slingshooter08 minecraft:torch 1"], [GIVE], [GIVE, "time set 1000"]]
    expected += [["givee x"], ["givee y"], ["givee z"]]
    assert attempts == sorted(expected * 4)
    assert {trace.outcome for trace in ran.traces if trace.prompt.text.endswith("fix")} == {Outcome.CORRECTED}


@pytest.mark.parametrize("workers", [1, 4])
async def test_a_round_is_set_up_once_and_cleaned_up_once(tmp_path: Path, workers: int) -> None:
    """Before its first command and after its last, however many work on it."""
    async with playground(tmp_path) as ground:
        await play(
            ground.job(
                run__rounds=3,
                run__concurrency=workers,
                world__round_setup=(ROUND_SETUP, "time set 31"),
                world__round_cleanup=(ROUND_CLEANUP,),
            )
        )
        sent = sent_by(ground)
    assert sent[:2] == [ROUND_SETUP, "time set 31"]
    assert sent[-1] == ROUND_CLEANUP
    assert [sent.count(command) for command in (ROUND_SETUP, "time set 31", ROUND_CLEANUP)] == [3, 3, 3]
    assert all(sent[at + 1] == "time set 31" for at, command in enumerate(sent) if command == ROUND_SETUP)
    if workers == 1:
        around = [command for command in sent if command in (ROUND_SETUP, ROUND_CLEANUP)]
        assert around == [ROUND_SETUP, ROUND_CLEANUP] * 3


async def test_a_round_is_cleaned_up_after_its_own_last_prompt(tmp_path: Path) -> None:
    """Not with the last of the run: the next round's world is its own."""
    given = [f"sudo {number} torch" for number in range(32)]
    async with playground(tmp_path) as ground:
        job = ground.job(given=given, world__round_setup=(ROUND_SETUP,), world__round_cleanup=(ROUND_CLEANUP,))
        await play(job)
        sent = sent_by(ground)
    rounds = "".join({ROUND_SETUP: "(", ROUND_CLEANUP: ")", GIVE: "."}[command] for command in sent)
    assert rounds == f"({15 * '.'})({15 * '.'})(..)"


DENIED = ["stop", "/minecraft:op Alex", "execute as @a run ban Alex", "say a\nstop", "say " + "x" * 1443]


@pytest.mark.parametrize("place", PLACES)
@pytest.mark.parametrize("command", DENIED, ids=range(len(DENIED)))
async def test_a_denied_command_in_the_settings_is_refused_at_the_start(
    tmp_path: Path, place: str, command: str
) -> None:
    """No hand that writes settings goes around the policy; nothing was sent, and the command is named."""
    async with playground(tmp_path) as ground:
        with pytest.raises(SettingsError, match=r"may not run.*\[world\]") as caught:
            await play(ground.job(given=["sudo torch"], **{f"world__{place}": ("time set 1", command)}))  # type: ignore[arg-type]
        assert command[:6].splitlines()[0] in str(caught.value)
        assert "\n" not in str(caught.value)
        assert not ground.server.commands
        assert not ground.model.chats


async def test_what_waits_for_a_person_elsewhere_may_set_up() -> None:
    """Who writes it into the settings has said yes to it."""
    asked_about = ("kill @e[type=!player]", "gamerule doDaylightCycle false")
    conduct = Conduct(setup=asked_about, cleanup=("worldborder set 100",))
    console = ScriptedConsole(lambda command: "Set the time to 1000")
    await Verifier(console, conduct).verify(["time set 1000"], faults=FaultCount())
    assert console.commands == [*conduct.setup, "time set 1000", *conduct.cleanup]


async def test_a_rejected_set_up_is_only_warned_of(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    """It is the person's mistake, not the model's: the verdicts stand."""
    with caplog.at_level(logging.WARNING):
        async with playground(tmp_path) as ground:
            around: dict[str, object] = {f"world__{place}": (f"nonsense {place}",) for place in PLACES}
            ran = await play(ground.job(given=["sudo torch"], **around))  # type: ignore[arg-type]
    assert [trace.outcome for trace in ran.traces] == [Outcome.SOLVED]
    for place in PLACES:
        assert any("rejects" in line and f"nonsense {place}" in line for line in caplog.messages)


async def test_a_failed_clean_up_is_no_reason_to_warn(caplog: pytest.LogCaptureFixture) -> None:
    """Nothing left to kill is how it should be."""
    console = ScriptedConsole(lambda command: "No entity was found" if command.startswith("kill") else "Made it")
    verifier = Verifier(console, Conduct(cleanup=("kill @e[tag=selfplay]",)))
    with caplog.at_level(logging.WARNING):
        await verifier.verify(["say hi"], faults=FaultCount())
    assert not caplog.messages


async def test_a_fault_in_the_clean_up_changes_no_verdict() -> None:
    """The attempt has been judged; the next one has a connection of its own."""
    console = ScriptedConsole(lambda command: ConnectionLost("gone") if command == CLEANUP else "Set the time to 1")
    verifier = Verifier(console, Conduct(cleanup=(CLEANUP,)))
    for opened in (1, 2):
        (result,) = await verifier.verify(["time set 1"], faults=FaultCount())
        assert (result.verdict.outcome, console.opened) == (VerdictOutcome.PASSED, opened)


async def test_a_fault_in_the_set_up_is_a_fault_of_the_attempt() -> None:
    """Without its world nothing is run; the second fault is raised."""
    console = ScriptedConsole(lambda command: ConnectionLost("gone") if command == SETUP else "Set the time to 1")
    with pytest.raises(ConnectionLost):
        await Verifier(console, Conduct(setup=(SETUP,))).verify(["time set 1"], faults=FaultCount())
    assert console.commands == [SETUP] * 2


async def test_after_a_fault_the_set_up_runs_again(tmp_path: Path) -> None:
    """The attempt is verified anew from its beginning, in the world that was meant."""
    async with playground(tmp_path) as ground:
        ground.server.faults[GIVE] = RconFault.CLOSE
        commands = ground.server.commands
        healthy = ground.server.handler

        def heals(command: str) -> str:
            if commands.count(GIVE) == 1:
                ground.server.faults.clear()
            return healthy(command)

        ground.server.handler = heals
        job = ground.job(given=["sudo torch"], world__setup=(SETUP,), world__cleanup=(CLEANUP,))
        ran = await play(job)
        sent = sent_by(ground)
    assert sent == [SETUP, GIVE, SETUP, GIVE, CLEANUP]
    assert [trace.outcome for trace in ran.traces] == [Outcome.SOLVED]


async def test_the_players_context_is_not_put_around_set_up() -> None:
    """The person writes what is sent."""
    console = ScriptedConsole(lambda command: "Set the time to 1")
    await Verifier(console, Conduct(as_player="Alex", setup=(SETUP,))).verify(["time set 1"], faults=FaultCount())
    assert console.commands == [SETUP, "execute as Alex at @s run time set 1"]


async def test_a_round_waits_for_a_server_that_is_away() -> None:
    """Its set-up is not skipped, and runs once when the server is back."""
    events: list[Event] = []
    console = ScriptedConsole(lambda command: "Set the time to 30")
    console.refusals.append(ServerUnreachable("not yet"))
    outage = Outage("The server", give_up=30, control=Control(), announce=events.append)
    surroundings = Surroundings(Verifier(console, Conduct(round_setup=(ROUND_SETUP,))), outage)
    for number in (0, 0, 1):
        await surroundings.begin_round("run", number)
    assert console.commands == [ROUND_SETUP] * 2
    assert [type(event).__name__ for event in events] == ["Away", "Back"]


async def test_a_round_whose_set_up_was_cut_short_is_set_up_anew() -> None:
    """In half a world commands would fail that are no mistakes."""
    faults = [ConnectionLost("gone")]
    console = ScriptedConsole(lambda command: faults.pop() if command == "time set 31" and faults else "It is done")
    outage = Outage("The server", give_up=30, control=Control(), announce=lambda event: None)
    conduct = Conduct(round_setup=(ROUND_SETUP, "time set 31"))
    await Surroundings(Verifier(console, conduct), outage).begin_round("run", 0)
    assert console.commands == [ROUND_SETUP, "time set 31"] * 2


async def test_a_round_of_an_earlier_run_is_not_taken_for_ones_own(tmp_path: Path) -> None:
    """What an earlier run left of its first round does not use up the set-up of this run's first round."""
    async with playground(tmp_path) as ground:
        healthy = ground.model.script
        ground.model.script = lambda body: fail(400, {"error": "no"}) if len(ground.model.chats) > 1 else healthy(body)
        first = await play(ground.job(given=["sudo 1 torch", "sudo 2 torch"]))
        assert [trace.outcome for trace in first.traces] == [Outcome.SOLVED, Outcome.ERRORED]
        ground.model.script = healthy
        before = len(sent_by(ground))
        await play(ground.job(given=["sudo 3 torch"], world__round_setup=(ROUND_SETUP,)))
        sent = sent_by(ground)[before:]
    assert sent == [ROUND_SETUP, GIVE, ROUND_SETUP, GIVE]
