"""Canaries: whether a server's answers can be trusted, who is on it, and what it is."""

from __future__ import annotations

import re
from collections.abc import Callable

import pytest

from selfplay_core.errors import CanaryFailed
from selfplay_core.models import SANDBOX_NAME, WorldKind
from selfplay_core.text import clip, one_line
from selfplay_core.verify.canary import Inspection, foreign_players, inspect, read_players, read_plugins
from selfplay_core.verify.identity import read_identity, version_note
from selfplay_core.verify.verifier import Verifier
from tests.fakes import ScriptedConsole
from tests.servers.rcon import StrictRconServer
from tests.servers.rcon_client import client_of

HERE = "Unknown or incomplete command. See below for error"
ONE_ONLINE = "There are 1 of a max of 20 players online: "
PAPER_VERSION = (
    "This server is running Paper version 1.21.4-232-ver/1.21.4@12d8fe0 (2025-06-09) (Implementing API version "
    "1.21.4-R0.1-SNAPSHOT) (MC: 1.21.4)\nYou are running the latest version\n"
)


def vanilla(command: str) -> str:
    """Vanilla joins messages with nothing."""
    if command in ("list", "list uuids"):
        return f"{ONE_ONLINE}{'Alex' if command == 'list' else 'Alex (01234567-89ab-cdef-0123-456789abcdef)'}"
    return f"{HERE}{command[-10:] if len(command) <= 10 else '...' + command[-10:]}<--[HERE]"


def paper(command: str) -> str:
    """Paper ends every message with a line break, and knows its plugins."""
    if command == "plugins":
        return (
            "ℹ Server Plugins (3):\n§6Paper Plugins (1):\n §8- §aChunky\n"
            "§6Bukkit Plugins (2):\n §8- §aLuckPerms§f, §cVault\n"
        )
    return vanilla(command).replace(HERE, HERE + "\n") + "\n"


def essentials(command: str) -> str:
    """A plugin took `list` over; the game's own still answers to its full name."""
    if command == "list":
        return "§6There are §c1§6 out of maximum §c20§6 players online.\n§6default§6: §7[AFK]§f§4~Nick§f\n"
    if command == "list uuids":
        return "§4Error:§c Group uuids does not exist.\n"
    if command == "time query daytime":
        return "The time is 1000\n"
    return paper(command.removeprefix("minecraft:"))


@pytest.mark.parametrize(
    ("server", "plugins"),
    [(vanilla, ()), (paper, ("Chunky", "LuckPerms", "Vault")), (essentials, ("Chunky", "LuckPerms", "Vault"))],
)
async def test_a_good_server_passes_and_tells_who_and_what_is_on_it(
    server: Callable[[str], str], plugins: tuple[str, ...]
) -> None:
    """Its known-good command works, its known-bad one is rejected, and its lists are read."""

    async def ask(command: str) -> str:
        return server(command)

    assert await inspect(ask) == Inspection(("Alex",), plugins)


async def test_a_team_prefix_is_no_name() -> None:
    """What the model may have put before a player's name neither hides him nor makes him another."""

    async def ask(command: str) -> str:
        return f"{ONE_ONLINE}Evil_Alex" if command == "list" else vanilla(command)

    assert (await inspect(ask)).players == ("Alex",)


async def test_without_true_names_the_shown_ones_count() -> None:
    """A server that gives no list with UUIDs is still asked for what it has."""

    async def ask(command: str) -> str:
        return vanilla(command) if command == "list" else vanilla("nothing")

    assert (await inspect(ask)).players == ("Alex",)


ANSWERS = {
    "nothing": "",
    "a good": "There are 0 of a max of 20 players online: ",
    "another good": "Gave 1 [Torch] to Alex",
    "OK": "OK",
    "bad": f"{HERE}list<--[HERE]",
    "trouble": "An internal error occurred while attempting to perform this command",
    "garbage": "\x1b[2J\x00\u202e" + bytes(range(128, 256)).decode("latin-1"),
    "a page": "<html><head><title>502 Bad Gateway</title></head><body>nginx</body></html>",
    "very much": "x" * 1_000_000,
}
HOSTILE = re.compile("[\x00-\x1f\x7f-\x9f\u202e]")


@pytest.mark.parametrize("answer", ANSWERS.values(), ids=ANSWERS)
async def test_who_says_the_same_to_everything_is_found_out(answer: str) -> None:
    """Whatever it is, a known verdict comes out wrong, and the error shows what was answered, fit for a terminal."""
    verifier = Verifier(ScriptedConsole(lambda command: answer))
    with pytest.raises(CanaryFailed) as caught:
        await verifier.inspect()
    said = str(caught.value)
    assert "was answered" in said
    assert clip(one_line(answer), 120)[:100] in said
    assert not HOSTILE.search(said)
    assert len(said) < 1_000


@pytest.mark.parametrize("answer", ANSWERS.values(), ids=ANSWERS)
async def test_the_same_over_a_real_connection(answer: str) -> None:
    """A canary that fails is no fault of the wire: the connection stays, and so does the verdict."""
    async with StrictRconServer(lambda command: answer.replace("\x00", "")) as server, client_of(server) as client:
        verifier = Verifier(client)
        for _ in range(2):
            with pytest.raises(CanaryFailed):
                await verifier.inspect()
        assert server.connections == 1


async def test_a_good_server_passes_over_a_real_connection() -> None:
    """And what was read stands in the identity from then on."""
    answer = {"version": PAPER_VERSION}
    async with StrictRconServer(lambda c: answer.get(c) or paper(c)) as server, client_of(server) as client:
        verifier = Verifier(client)
        found = await verifier.inspect()
    assert (found.brand, found.version, found.players) == ("Paper", "1.21.4", ("Alex",))
    assert found.plugins == ("Chunky", "LuckPerms", "Vault")
    assert verifier.identity == found


@pytest.mark.parametrize("bad", ["", "selfplay_no_such_command", "Done.", "The time is 1000"])
async def test_a_server_that_hides_its_rejections_is_not_trusted(bad: str) -> None:
    """Paper with an empty unknown-command message: a bad command would look like a silent good one."""
    console = ScriptedConsole(lambda command: bad if command == "selfplay_no_such_command" else paper(command))
    with pytest.raises(CanaryFailed, match=r"should have been rejected.*selfplay_no_such_command"):
        await Verifier(console).inspect()


async def test_one_good_answer_of_two_is_enough_and_none_is_not() -> None:
    """A plugin may answer `list` in its own words, but not everything."""
    theirs = {"list": "Nobody but us chickens."}
    console = ScriptedConsole(lambda command: theirs.get(command) or essentials(command))
    assert (await Verifier(console).inspect()).players == ("Alex",)
    theirs["time query daytime"] = "Late."
    with pytest.raises(CanaryFailed, match=r"'list' was answered 'Nobody.*'time query daytime' was answered 'Late\.'"):
        await Verifier(console).inspect()


PLAYERS: dict[str, tuple[str, ...] | None] = {
    "There are 0 of a max of 20 players online: ": (),
    "There are 0 of a max of 20 players online:": (),
    "There are 1 of a max of 20 players online: Alex": ("Alex",),
    "There are 2 of a max of 20 players online: Alex, Steve\n": ("Alex", "Steve"),
    "There are 2 of a max of 20 players online: Alex (01234567-89ab-cdef-0123-456789abcdef), "
    "Steve (01234567-89ab-cdef-0123-456789abcde0)": ("Alex", "Steve"),
    "There are 2 of a max of 20 players online: [Red] Alex, [Red] [Admin] Steve": ("Alex", "Steve"),
    "There are 1/20 players online:\nAlex": ("Alex",),
    "§6There are §c0§6 out of maximum §c20§6 players online.\n": (),
    "§6There are §c3§6 out of maximum §c20§6 players online.\n§6admins§6: §4Alex§f\n"
    "§6default§6: §7[AFK]§fSteve, §f.Bed_rock": ("Alex", "Steve", ".Bed_rock"),
    "There are 3 of a max of 20 players online: ": None,
    "There are 3 of a max of 20 players online.": None,
    "There are 1 of a max of 20 players online: The Boss": None,
    "There are 1 of a max of 20 players online: \x1b[31mAlex": None,
    "There are 1 of a max of 20 players online: Al\u202eex": None,
    "There are 1 of a max of 20 players online: <--[HERE]": None,
    "Nobody but us chickens.": None,
    "": None,
}


@pytest.mark.parametrize(("reply", "players"), PLAYERS.items())
def test_a_list_of_players_is_read_or_not_but_never_guessed(reply: str, players: tuple[str, ...] | None) -> None:
    """Vanilla, Paper and Essentials say it differently; what cannot be read is None, not nobody."""
    assert read_players(reply) == players


PLUGINS: dict[str, tuple[str, ...]] = {
    f"{HERE}plugins<--[HERE]": (),
    f"{HERE}\nplugins<--[HERE]\n": (),
    'Unknown command. Type "/help" for help.': (),
    "Plugins (0): ": (),
    "Plugins (2): §aWorldEdit§f, §cVault\n": ("Vault", "WorldEdit"),
    "Plugins (2): *OldOne, floodgate-spigot": ("OldOne", "floodgate-spigot"),
    "ℹ Server Plugins (3):\nPaper Plugins (1):\n - A\nBukkit Plugins (2):\n - B, *C\n": ("A", "B", "C"),
    "Plugins (1): \x1b[31mRed, Good": ("Good",),
    "An internal error occurred while attempting to perform this command": (),
    "": (),
}


@pytest.mark.parametrize(("reply", "plugins"), PLUGINS.items())
def test_a_list_of_plugins_is_read_for_what_it_is_worth(reply: str, plugins: tuple[str, ...]) -> None:
    """Names are sorted, and what is no name is left out."""
    assert read_plugins(reply) == plugins


def test_a_list_of_a_megabyte_costs_little() -> None:
    """Nobody's list is that long: it is not read to its end, so anybody may be on it."""
    names = ", ".join(f"Player{number}" for number in range(80_000))
    assert len(names) > 1_000_000
    players = read_players(f"There are 80000 of a max of 20 players online: {names}")
    assert players is None
    assert len(read_plugins(f"Plugins (80000): {names}")) < 5_000
    for spoilt in (" " * 1_000_000, "[" * 1_000_000, ":" * 1_000_000, "[a]" * 300_000, "0" * 1_000_000):
        assert not read_players(f"online: {spoilt}")


def test_a_stranger_is_who_is_not_named_in_the_settings() -> None:
    """Names are the same in any case, and only whole."""
    ours = ("slingshooter08", "SwiftWolf")
    assert foreign_players(("SlingShooter08", "SWIFTWOLF"), ours) == ()
    assert foreign_players(("slingshooter0", "SwiftWolf2", "Alex"), ours) == ("slingshooter0", "SwiftWolf2", "Alex")
    assert foreign_players((), ours) == ()


IDENTITIES = {
    PAPER_VERSION: ("Paper", "1.21.4"),
    "§fThis server is running §aPurpur version 1.21.8-2497 (MC: 1.21.8)\n": ("Purpur", "1.21.8"),
    "This server is running CraftBukkit version 4226-Spigot-146439e-2889b3a (MC: 1.21.1) (Implementing API version "
    "1.21.1-R0.1-SNAPSHOT)\n": ("CraftBukkit", "1.21.1"),
    "This server is running Paper version 1.21.10-1-main@abc": ("Paper", "1.21.10"),
    "Server version info:id = 1.21.6name = 1.21.6data = 4435series = mainprotocol = 771 (0x303)": ("vanilla", "1.21.6"),
    "Server version info:\nid = 1.21.11\nname = 1.21.11\ndata = 4671\n": ("vanilla", "1.21.11"),
    "Server version info:id = 1.21.9-pre1name = 1.21.9 Pre-Release 1": ("vanilla", "1.21.9-pre1"),
    "Server version info:id = 25w31aname = 25w31a": ("vanilla", "25w31a"),
    "Checking version, please wait...\n": ("", ""),
    f"{HERE}version<--[HERE]": ("", ""),
    "": ("", ""),
    "x" * 1_000_000: ("", ""),
}


@pytest.mark.parametrize(("reply", "named"), IDENTITIES.items(), ids=range(len(IDENTITIES)))
def test_a_server_is_what_it_calls_itself(reply: str, named: tuple[str, str]) -> None:
    """In the words of Paper, of Spigot and of vanilla, whose messages are joined with nothing; else it has no name."""
    identity = read_identity(reply)
    assert identity.kind is WorldKind.REAL
    assert (identity.brand, identity.version) == named


def test_the_sandbox_is_known_by_its_name() -> None:
    """It can never be taken for a real server."""
    assert read_identity(f"This is {SANDBOX_NAME} 1.21.11").kind is WorldKind.SANDBOX
    assert read_identity(f"This server is running {SANDBOX_NAME} (MC: 1.21.4)").kind is WorldKind.SANDBOX


async def test_a_server_that_still_looks_for_its_version_is_asked_again() -> None:
    """Paper says so at first; at the second asking it knows, and once it is known nobody asks any more."""
    asked: list[str] = []

    def says(command: str) -> str:
        asked.append(command)
        if command == "version":
            return "Checking version, please wait...\n" if asked.count("version") == 1 else PAPER_VERSION
        return paper(command)

    async with StrictRconServer(says) as server:
        verifier = Verifier(client_of(server))
        assert (await verifier.connect()).version == ""
        found = await verifier.inspect()
        assert (found.brand, found.version, found.players) == ("Paper", "1.21.4", ("Alex",))
        await verifier.inspect()
        await verifier.aclose()
    assert asked.count("version") == 2


@pytest.mark.parametrize("version", ["1.21.1", "1.21.4", "1.21.9", "1.21.10", "1.21.11", ""])
def test_the_versions_that_the_verdicts_are_made_for_need_no_note(version: str) -> None:
    """Nor does a server that does not tell."""
    assert version_note(version) == ""


@pytest.mark.parametrize("version", ["1.8.9", "1.20.6", "1.21", "1.21.12", "1.22", "26.1", "25w31a", "1.21.9-pre1"])
def test_other_versions_are_told_with_the_remedy(version: str) -> None:
    """The note names the version and the setting that mends it."""
    note = version_note(version)
    assert version in note
    assert "verify.language" in note
