"""From where a command is run, and what silence means there."""

from __future__ import annotations

import pytest

from selfplay_core.errors import CommandTooLong
from selfplay_core.models import CommandResult, FailedBecause, Level, VerdictOutcome
from selfplay_core.verify.lease import Lease
from selfplay_core.verify.rcon import MAX_COMMAND_BYTES
from selfplay_core.verify.standpoint import target_check, wrapped
from selfplay_core.verify.verifier import Conduct, FaultCount, Verifier
from tests.fakes import ScriptedConsole
from tests.servers.rcon import StrictRconServer
from tests.servers.rcon_client import client_of

AS_ALEX = "execute as Alex at @s run"
IS_ALEX_ONLINE = "execute if entity Alex"
ALWAYS = "unless entity @e[tag=__never__]"
PASSED, REJECTED, FAILED, UNCLEAR = VerdictOutcome


def server(replies: dict[str, str]) -> ScriptedConsole:
    """A console that says nothing to what is not in `replies`, and takes no more than a packet holds."""

    def says(command: str) -> str | Exception:
        if len(command.encode()) > MAX_COMMAND_BYTES:
            return CommandTooLong("too long")
        return replies.get(command, "")

    return ScriptedConsole(says)


async def run(command: str, console: ScriptedConsole, as_player: str | None = None) -> CommandResult:
    """Run one command in a lease of its own."""
    await console.open()
    return await Lease(console, as_player).run(command)


GAMES = [
    "give @s torch",
    "/give @s torch",
    "say hi",
    "setblock ~ ~ ~ stone",
    "execute as @a run say hi",
    "minecraft:tp 0 0 0",
]
NOT_THE_GAMES = [
    "//set stone",
    "/set stone",
    "worldedit:/set stone",
    "essentials:give Alex torch",
    "bukkit:plugins",
    "givee @s torch",
    "home",
    "",
    "/",
    " ",
]


@pytest.mark.parametrize("command", GAMES)
def test_the_games_commands_are_wrapped(command: str) -> None:
    """With one slash gone, and nothing else changed."""
    assert wrapped(command, "Alex") == f"{AS_ALEX} {command.removeprefix('/')}"


@pytest.mark.parametrize("command", NOT_THE_GAMES)
def test_others_keep_their_sender(command: str) -> None:
    """A plugin's command is not the game's to wrap, and an unknown one is for the server to refuse."""
    assert wrapped(command, "Alex") is None


async def test_the_result_names_the_bare_command_and_its_context() -> None:
    """What was sent is one put before the other; the verdict knows the bare command's columns no more."""
    console = server({f"{AS_ALEX} give @s torch": "Gave 1 [Torch] to Alex"})
    result = await run("give @s torch", console, "Alex")
    assert (result.command, result.context) == ("give @s torch", AS_ALEX)
    assert (result.verdict.outcome, result.level) == (PASSED, Level.EXECUTED)
    assert console.commands == [f"{AS_ALEX} give @s torch"]


@pytest.mark.parametrize("command", ["//set stone", "givee @s torch"])
async def test_what_is_sent_bare_has_no_context(command: str) -> None:
    """The row does not claim a player who was not there."""
    console = server({command: f"Unknown or incomplete command. See below for error\n{command[-10:]}<--[HERE]"})
    result = await run(command, console, "Alex")
    assert console.commands == [command]
    assert (result.context, result.verdict.outcome) == ("", REJECTED)


async def test_the_console_itself_wraps_nothing() -> None:
    """Without a player the command is sent as it is."""
    console = server({"give Alex torch": "Gave 1 [Torch] to Alex"})
    result = await run("give Alex torch", console)
    assert (console.commands, result.context) == (["give Alex torch"], "")


@pytest.mark.parametrize("gone", ["Test failed", "", "No player was found"])
@pytest.mark.parametrize("command", ["say hi", "give @s torch"])
async def test_a_player_who_is_offline_proves_that_it_parsed(command: str, gone: str) -> None:
    """Nobody acted: no mistake of the model's, and no success."""
    result = await run(command, server({IS_ALEX_ONLINE: gone}), "Alex")
    assert (result.verdict.outcome, result.verdict.because) == (FAILED, FailedBecause.NOBODY)
    assert result.level is Level.PARSED
    assert "Alex" in result.verdict.message


@pytest.mark.parametrize("command", ["execute as @a run someplugin x", "execute at @s run worldedit:/set stone"])
async def test_an_offline_player_proves_nothing_of_a_plugins_command(command: str) -> None:
    """Within an `execute` too a plugin's command takes any arguments: nothing was parsed."""
    result = await run(command, server({IS_ALEX_ONLINE: "Test failed"}), "Alex")
    assert result.level is Level.NONE


async def test_an_error_shows_whether_anybody_is_online_or_not() -> None:
    """The server parses first: a bad command is rejected for nobody too."""
    bad = "Unknown item 'minecraft:torhc'...torhc<--[HERE]"
    console = server({f"{AS_ALEX} give @s torhc": bad, IS_ALEX_ONLINE: "Test failed"})
    result = await run("give @s torhc", console, "Alex")
    assert (result.verdict.outcome, result.level) == (REJECTED, Level.NONE)
    assert console.commands == [f"{AS_ALEX} give @s torhc"]


async def test_a_silent_command_of_a_player_who_is_online_passes() -> None:
    """Somebody was there, and the command is known to say nothing."""
    console = server({IS_ALEX_ONLINE: "Test passed"})
    result = await run("say hi", console, "Alex")
    assert (result.verdict.outcome, result.level) == (PASSED, Level.EXECUTED)
    assert console.commands == [f"{AS_ALEX} say hi", IS_ALEX_ONLINE]


async def test_a_loud_command_that_is_silent_stays_unclear() -> None:
    """That the player was there does not explain the silence."""
    result = await run("give @s torch", server({IS_ALEX_ONLINE: "Test passed"}), "Alex")
    assert (result.verdict.outcome, result.level) == (UNCLEAR, Level.NONE)


async def test_whether_a_player_is_online_is_asked_once_in_a_lease() -> None:
    """And anew in the next."""
    console = server({IS_ALEX_ONLINE: "Test passed"})
    verifier = Verifier(console, Conduct(as_player="Alex"))
    for _ in range(2):
        results = await verifier.verify(["say hi", "say ho", "me waves"], faults=FaultCount())
        assert [result.verdict.outcome for result in results] == [PASSED] * 3
    assert console.commands.count(IS_ALEX_ONLINE) == 2


async def test_the_meaning_does_not_go_over_to_the_next_lease() -> None:
    """A player who has left meanwhile is not there any more."""
    online = {IS_ALEX_ONLINE: "Test passed"}
    console = server(online)
    verifier = Verifier(console, Conduct(as_player="Alex"))
    assert (await verifier.verify(["say hi"], faults=FaultCount()))[0].verdict.outcome is PASSED
    online[IS_ALEX_ONLINE] = "Test failed"
    assert (await verifier.verify(["say hi"], faults=FaultCount()))[0].verdict.because is FailedBecause.NOBODY


@pytest.mark.parametrize("probe", [False, True])
async def test_what_is_too_long_when_wrapped_is_unclear(probe: bool) -> None:
    """It fits bare, so it is not the model's mistake; nothing was sent, so it is proven in no way."""
    command = "say " + "x" * (MAX_COMMAND_BYTES - 4)
    async with StrictRconServer(lambda text: "") as strict:
        verifier = Verifier(client_of(strict), Conduct(as_player="Alex"))
        (result,) = await verifier.verify([command], faults=FaultCount(), probe=probe)
        await verifier.aclose()
        assert strict.commands == ["version"]
    assert (result.verdict.outcome, result.level, result.reply) == (UNCLEAR, Level.NONE, "")
    assert "fits the packet bare" in result.verdict.message
    assert (result.command, result.probed) == (command, probe)


@pytest.mark.parametrize(
    ("answer", "outcome"),
    [
        ("Test passed", PASSED),
        ("Test passedTest passed", PASSED),
        ("Test passed\nTest passed\n", PASSED),
        ("", UNCLEAR),
        ("Test failed", UNCLEAR),
        ("No player was found", UNCLEAR),
        ("Test passedTest failed", UNCLEAR),
        ("garbage", UNCLEAR),
    ],
)
async def test_silence_under_execute_passes_only_if_somebody_is_shown(answer: str, outcome: VerdictOutcome) -> None:
    """The check is the same `execute` around a condition that holds anywhere."""
    console = server({f"execute as @a {ALWAYS}": answer})
    result = await run("execute as @a run say hi", console)
    assert result.verdict.outcome is outcome
    assert result.level is (Level.EXECUTED if outcome is PASSED else Level.NONE)
    assert console.commands == ["execute as @a run say hi", f"execute as @a {ALWAYS}"]


CHECKS = {
    "execute as @a run say hi": f"execute as @a {ALWAYS}",
    "/execute as @a run say hi": f"/execute as @a {ALWAYS}",
    "execute as @a at @s if block ~ ~ ~ stone run say run away": f"execute as @a at @s if block ~ ~ ~ stone {ALWAYS}",
    'execute as @e[name="run say"] run say hi': f'execute as @e[name="run say"] {ALWAYS}',
    # Under several the innermost decides.
    "execute as @a run execute at @s run say hi": f"execute as @a run execute at @s {ALWAYS}",
    "execute as @a run execute as @e[tag=x] run return run say hi": f"execute as @a run execute as @e[tag=x] {ALWAYS}",
    "execute as @a run minecraft:execute at @s run say hi": f"execute as @a run minecraft:execute at @s {ALWAYS}",
}


@pytest.mark.parametrize(("command", "check"), CHECKS.items())
def test_the_check_is_the_command_without_its_deed(command: str, check: str) -> None:
    """Everything up to the last `run` of an `execute`, and a condition in place of the rest."""
    assert target_check(command) == check


NEVER_ASKED = [
    "execute store result score @s x run say hi",
    "execute as @a store success storage a:b c byte 1 run say hi",
    "execute as @a run execute store result bossbar a:b value run say hi",
    "execute summon pig run say hi",
    "execute as @a summon minecraft:tnt run say hi",
    "execute if function a:b run say hi",
    "execute as @a unless function #a:b run say hi",
    "execute if predicate a:dice run say hi",
    'execute if predicate {condition:"minecraft:random_chance",chance:0.5} run say hi',
    "execute as @a[predicate=a:dice] run say hi",
]


@pytest.mark.parametrize("as_player", [None, "Alex"])
@pytest.mark.parametrize("command", NEVER_ASKED)
async def test_what_would_change_something_is_never_asked(command: str, as_player: str | None) -> None:
    """To ask twice is to store, summon or run twice, or to roll other dice; so the silence stays unclear."""
    console = server({IS_ALEX_ONLINE: "Test passed"})
    result = await run(command, console, as_player)
    assert not [sent for sent in console.commands if ALWAYS in sent]
    assert (result.verdict.outcome, result.level) == (UNCLEAR, Level.NONE)


@pytest.mark.parametrize(
    "command",
    [
        "execute as @a run give @s torch",
        "execute as @a run someplugin x",
        "execute as @a run",
        "execute as @a",
        "give @a torch",
        "someplugin x",
        "execute nonsense run say hi",
    ],
)
async def test_nothing_more_is_asked_where_silence_cannot_pass(command: str) -> None:
    """A command that is never silent is unclear without a question."""
    console = server({})
    assert (await run(command, console)).verdict.outcome is UNCLEAR
    assert console.commands == [command]


@pytest.mark.parametrize("reply", ["Test failed", "Hello", "No entity was found", "Gave 1 [Torch] to Alex", "\x00"])
@pytest.mark.parametrize("as_player", [None, "Alex"])
async def test_nothing_more_is_asked_where_the_server_has_answered(reply: str, as_player: str | None) -> None:
    """The reply is what is judged."""
    console = ScriptedConsole(lambda command: reply)
    await run("execute as @a run say hi", console, as_player)
    assert len(console.commands) == 1


async def test_a_player_and_a_chain_both_have_to_be_there() -> None:
    """The player who is online shows nothing about whom the chain finds."""
    replies = {IS_ALEX_ONLINE: "Test passed"}
    check = f"{AS_ALEX} execute as @e[tag=x] {ALWAYS}"
    command = "execute as @e[tag=x] run say hi"
    assert (await run(command, server(replies), "Alex")).verdict.outcome is UNCLEAR
    replies[check] = "Test passed"
    console = server(replies)
    assert (await run(command, console, "Alex")).verdict.outcome is PASSED
    assert console.commands == [f"{AS_ALEX} {command}", IS_ALEX_ONLINE, check]


async def test_several_executes_need_somebody_at_the_innermost() -> None:
    """That the outer one found somebody is not enough."""
    command = "execute as @a run execute at @e[tag=x] run say hi"
    outer = {f"execute as @a {ALWAYS}": "Test passed"}
    assert (await run(command, server(outer))).verdict.outcome is UNCLEAR
    inner = {f"execute as @a run execute at @e[tag=x] {ALWAYS}": "Test passed"}
    assert (await run(command, server(inner))).verdict.outcome is PASSED


async def test_a_check_that_is_too_long_shows_nothing() -> None:
    """The command went through; the question does not fit, so the silence stays unclear."""
    command = "execute as @a[name=" + "x" * (MAX_COMMAND_BYTES - 35) + "] run say hi"
    console = server({})
    result = await run(command, console)
    assert len(command) <= MAX_COMMAND_BYTES
    assert (result.verdict.outcome, console.commands[0]) == (UNCLEAR, command)
