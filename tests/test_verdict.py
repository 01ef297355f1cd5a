"""The laws by which replies are judged, on replies as servers send them."""

from __future__ import annotations

import pytest

from selfplay_core.models import FailedBecause, VerdictOutcome
from selfplay_core.verify.verdict import judge

PASSED = [
    ("give @p diamond_sword", "Gave 1 [Diamond Sword] to slingshooter08"),
    ("give @a minecraft:diamond 64", "Gave 64 [Diamond] to 3 players"),
    ("give @p diamond", "§aGave 1 [Diamond] to slingshooter08§r"),
    ("execute as @a run give @s diamond", "Gave 1 [Diamond] to DeeGave 1 [Diamond] to Steve"),
    ("execute as @a run give @s diamond", "Gave 1 [Diamond] to Dee\nGave 1 [Diamond] to Steve\n"),
    ("summon cow", "Summoned new Cow"),
    ("time set 1000", "Set the time to 1000"),
    ("time set day", "Set the time to day"),
    ("weather rain", "Set the weather to rain"),
    ("list", "There are 2 of a max of 20 players online: a, b"),
    ("list", "There are 0 of a max of 20 players online: "),
    ("execute if entity @e[type=cow]", "Test passed"),
    ("execute if entity @e[type=cow]", "Test passed, count: 3"),
    ("setblock 0 0 0 stone", "Changed the block at 0, 0, 0"),
    ("fill 0 0 0 1 1 1 stone", "Successfully filled 8 block(s)"),
    ("fill 0 0 0 1 1 1 stone", "Successfully filled 8 blocks"),
    ("kill @e[type=cow]", "Killed 5 entities"),
    ("gamemode creative slingshooter08", "Set slingshooter08's game mode to Creative Mode"),
    ("effect give @a speed 10 1", "Applied effect Speed to slingshooter08"),
    ("scoreboard players get a kills", "a has 5 [kills]"),
    ("scoreboard players list a", "a has 2 score(s):\n[kills]: 1\n[deaths]: 2"),
    ("version", "Server version info:id = 1.21.11name = 1.21.11data = 4671series = main"),
    ("help", "/give <targets> <item> [<count>]/kill [<targets>]"),
    ("execute in the_end run tp a 0 0 0", "Teleported a to 0.500000, 0.000000, 0.500000"),
    ("locate structure village", "The nearest minecraft:village_plains is at [100, ~, 200] (223 blocks away)"),
    ("worldborder set 100", "Set the world border to 100.0 block(s) wide"),
    ("forceload add 0 0", "Marked chunk [0, 0] in minecraft:overworld to be force loaded"),
    ("//set stone", "Operation completed (27 blocks affected)."),
    ("//walls stone", "27 blocks have been changed."),
    ("//walls stone", "(FAWE) 27 blocks have been changed."),
    ("//pos1 1,2,3", "First position set to (1, 2, 3)."),
    ("//pos2 3,4,5", "Second position set to (3, 4, 5) (27)."),
    ("//sphere stone 5", "515 blocks have been created."),
    ("//undo", "Undid 1 available edits."),
    ("plugins", "Plugins (2): WorldEdit, Essentials"),
]

PASSED_WITH_WORDS_OF_FAILURE = [
    ("give @p stick", "Gave 1 [Unknown item] to slingshooter08"),
    ("give @p stick", "Gave 1 [xNo player was found] to slingshooter08"),
    ("give @p stick", "Gave 1 [Dee's Unknown item] to slingshooter08"),
    ("give @p stick", "Gave 1 [Unknown item] to No player was found"),
    ("summon cow", "Summoned new No entity was found"),
    ("summon cow", "Summoned new Test failed"),
    ("kill @e[name=x]", "Killed No player was found"),
    ("tp a b", "Teleported Could not set the block to Unknown item"),
    ("data get entity Dee", 'Dee has the following entity data: {CustomName:"xNo entity was found",a:[]}'),
    ("data get block 0 0 0", "0, 64, 0 has the following block data: {t:['Incorrect argument for command']}"),
    ("data get storage a:b", 'Storage a:b has the following contents: {m:"}Unknown item \'x\'", n:"\\"No player"}'),
    ("data get entity Unknown", 'Unknown has the following entity data: "Nothing changed"'),
    ("list", "There are 2 of a max of 20 players online: Unknown, Invalid"),
    ("tag Dee list", "Dee has 2 tags: Invalid ID, Unknown item"),
    ("bossbar add a:b x", "Created custom bossbar [Cannot divide by zero]"),
    ("enchant Dee sharpness", "Applied enchantment Unknown item to Dee's item"),
    ("msg Dee hello", "You whisper to Dee: No player was found"),
]

REJECTED = [
    ("give @p minecraft:wood_sword", "Unknown item 'minecraft:wood_sword'...give @p minecraft:wood_sword<--[HERE]"),
    ("frob", "Unknown or incomplete command, see below for error\nfrob<--[HERE]"),
    ("frob", "Unknown or incomplete command, see below for error"),
    ("frob", "Unknown or incomplete command. See below for error"),
    ("frob", 'Unknown command. Type "/help" for help.'),
    ("frob", "Unknown command"),
    ("frob", "unknown command: frob"),
    ("give @p stone x", "Incorrect argument for command"),
    ("give @p stone 0", "Integer must not be less than 1, found 0"),
    ("give @p stone 0", "Integer must not be less than 1: found 0"),
    ("give @p stone[x", "Expected whitespace to end one argument, but found trailing data"),
    ("effect give @p spede", "Can't find element 'minecraft:spede' of type 'minecraft:mob_effect'"),
    ("particle x", "Unknown particle: minecraft:x"),
    ("give @p stone[custom_name=x]", "Malformed 'minecraft:custom_name' component: 'Not a string'"),
    ("enchant @p foo", "Invalid or unknown enchantment 'foo'"),
    ("kill @e[type=kow]", "Invalid or unknown entity type 'minecraft:kow'"),
    ("//set foo", "Does not match a valid block type: 'foo'"),
    ("//set", "Too few arguments. Usage: //set <pattern>"),
    ("//set a b", "Too many arguments."),
    ("//set foo", "Invalid value for <pattern> (Does not match a valid block type: 'foo')"),
    ("warp", "Usage: /warp <name>"),
    ("warp", "§cError: Unknown warp"),
]

FAILED = [
    ("give @p stone", "No player was found", FailedBecause.NOBODY),
    ("kill @e[type=cow]", "No entity was found", FailedBecause.NOBODY),
    ("op Dee", "That player does not exist", FailedBecause.NOBODY),
    ("execute if entity @e[type=cow]", "Test failed", FailedBecause.NOBODY),
    ("heal Dee", "Error: Player not found.", FailedBecause.NOBODY),
    ("heal Dee", "Player 'Dee' does not exist", FailedBecause.NOBODY),
    ("execute if block 0 0 0 stone", "Test failed", FailedBecause.OTHER),
    ("advancement grant @a only a:b", "Unknown advancement: a:b", FailedBecause.OTHER),
    ("setblock 0 0 0 stone", "Could not set the block", FailedBecause.OTHER),
    (
        "fill 0 0 0 99 99 99 stone",
        "Too many blocks in the specified area (maximum 32768, specified 1000000)",
        FailedBecause.OTHER,
    ),
    (
        "enchant Dee sharpness 9",
        "9 is higher than the maximum level of 5 supported by that enchantment",
        FailedBecause.OTHER,
    ),
    ("enchant Dee sharpness", "Dee is not holding any item", FailedBecause.OTHER),
    ("scoreboard players get a b", "Can't get value of b for a; none is set", FailedBecause.OTHER),
    ("team join red", "Unknown team 'red'", FailedBecause.OTHER),
    ("tp 0 0 0", "An internal error occurred while attempting to perform this command", FailedBecause.OTHER),
    ("tp 0 0 0", "Error executing: tp 0 0 0 (boom)", FailedBecause.OTHER),
    ("tp 0 0 0", "I'm sorry, but you do not have permission to perform this command.", FailedBecause.OTHER),
    ("//set stone", "Make a region selection first.", FailedBecause.OTHER),
    ("//set stone", "You need to provide a world (Try //world)", FailedBecause.OTHER),
    ("//set stone", "0 blocks have been changed.", FailedBecause.NOTHING_CHANGED),
    ("fill 0 0 0 1 1 1 stone", "No blocks were filled", FailedBecause.NOTHING_CHANGED),
    ("worldborder set 5", "Nothing changed. The world border is already that size", FailedBecause.NOTHING_CHANGED),
    ("team add red", "A team already exists by that name", FailedBecause.NOTHING_CHANGED),
    ("effect clear Dee", "Target has no effects to remove", FailedBecause.NOTHING_CHANGED),
    ("setblock 9 9 9 stone", "That position is not loaded", FailedBecause.NOT_LOADED),
    ("teammsg hi", "An entity is required to run this command here", FailedBecause.NEEDS_PLAYER),
    ("gamemode creative", "A player is required to run this command here", FailedBecause.NEEDS_PLAYER),
    ("//wand", "This command must be used with a player.", FailedBecause.NEEDS_PLAYER),
    ("home", "Only in-game players can use this command", FailedBecause.NEEDS_PLAYER),
    ("execute as @a run give @s x", "Gave 1 [Stone] to DeeNo player was found", FailedBecause.NOBODY),
    ("execute as @a run give @s x", "Gave 1 [Dee's stick] to DeeNo player was found", FailedBecause.NOBODY),
    ("execute as @e run kill @s", "Killed Dee's CowNo entity was foundKilled Bob's Cow", FailedBecause.NOBODY),
    ("execute as @a run give @s x", "Gave 1 [Stone] to Dee\nNo player was found", FailedBecause.NOBODY),
    ("execute as @a run give @s x", "No player was foundGave 1 [Stone] to Dee", FailedBecause.NOBODY),
]

UNCLEAR = [
    ("", "Frobnicated the whatsit"),
    ("give @p stone", "OK"),
    ("give @p stone", "Gave up"),
    ("give @p stone", "Unknown request 64"),
    ("give @p stone", "Gave 1 [Stone] to Dee\nFrobnicated the whatsit"),
    ("give @p stone", "Gave 1 [[Stone to DeeNo player was found"),
    ("give @p stone", "\x00\x01\x02\ufffd\ud800"),
    ("save-all", "Could be worse"),
]


@pytest.mark.parametrize(("command", "reply"), PASSED)
def test_a_success_passes(command: str, reply: str) -> None:
    """A message of success is passed."""
    assert judge(reply, command).outcome is VerdictOutcome.PASSED


@pytest.mark.parametrize(("command", "reply"), PASSED_WITH_WORDS_OF_FAILURE)
def test_words_of_failure_in_the_data_of_a_success_do_not_fail_it(command: str, reply: str) -> None:
    """A success stays passed, whatever the names and texts in it say."""
    assert judge(reply, command).outcome is VerdictOutcome.PASSED
    assert judge(reply).outcome is VerdictOutcome.PASSED


@pytest.mark.parametrize(("command", "reply"), REJECTED)
def test_a_parse_error_is_rejected(command: str, reply: str) -> None:
    """What the server's parser refused is rejected, with its context line and without, command known or not."""
    assert judge(reply, command).outcome is VerdictOutcome.REJECTED
    assert judge(reply).outcome is VerdictOutcome.REJECTED


@pytest.mark.parametrize(("command", "reply", "because"), FAILED)
def test_a_failure_at_run_time_says_why(command: str, reply: str, because: FailedBecause) -> None:
    """What parsed but could not be carried out is failed, with its reason."""
    verdict = judge(reply, command)
    assert (verdict.outcome, verdict.because) == (VerdictOutcome.FAILED, because)
    assert judge(reply).outcome is VerdictOutcome.FAILED


@pytest.mark.parametrize(("command", "reply"), UNCLEAR)
def test_a_text_that_is_not_understood_is_unclear(command: str, reply: str) -> None:
    """Text of no known meaning is never believed."""
    assert judge(reply, command).outcome is VerdictOutcome.UNCLEAR


def _context(sent: str, cursor: int, *, rest: bool) -> str:
    """The quotation under a parse error: the game's own, or without the rest of what was sent."""
    dots = "..." if cursor > 10 else ""
    return dots + sent[max(0, cursor - 10) : None if rest else cursor] + "<--[HERE]"


@pytest.mark.parametrize("joint", ["", "\n"])
@pytest.mark.parametrize("rest", [True, False])
@pytest.mark.parametrize(
    ("sent", "command", "cursor"),
    [
        ("give @p stone x1", "give @p stone x1", 14),
        ("give @p stone x1", "give @p stone x1", 16),
        ("give @p stone x1", "/give @p stone x1", 15),
        ("say a...b...c...d [", "say a...b...c...d [", 19),
        ("give @p stone <--[HERE] x", "give @p stone <--[HERE] x", 14),
        ("execute if entity @s[tag=x] run kill Dee", "kill Dee", 5),
        ("execute as @a run give @p stone x1", "give @p stone x1", 14),
    ],
)
def test_the_context_of_a_parse_error_is_cut_off(sent: str, command: str, cursor: int, rest: bool, joint: str) -> None:
    """The message comes out bare and the cursor as a column of the command, however it was sent."""
    at = cursor + len(sent) - len(command)
    verdict = judge("Expected integer" + joint + _context(sent, at, rest=rest), command)
    assert (verdict.outcome, verdict.message) == (VerdictOutcome.REJECTED, "Expected integer")
    assert (verdict.key, verdict.cursor) == ("parsing.int.expected", cursor)


@pytest.mark.parametrize(
    ("message", "command", "cursor"),
    [
        ("Unknown item 'minecraft:x_y_z'", "give @p x_y_z", 8),
        ("Unknown item 'minecraft:x_y_z'", "/give @p minecraft:x_y_z", 9),
        ("Unknown or incomplete command, see below for error", "frobnicate it", 0),
        ("Unknown or incomplete command. See below for error", "give", None),
        ("Expected whitespace to end one argument, but found trailing data", "say\tsomething", None),
    ],
)
def test_a_quotation_of_the_whole_command_may_leave_the_cursor_open(
    message: str, command: str, cursor: int | None
) -> None:
    """Up to the tenth column the server quotes everything: only the message can tell where the cursor was."""
    verdict = judge(f"{message}{command.removeprefix('/')}<--[HERE]", command)
    assert (verdict.outcome, verdict.message, verdict.cursor) == (VerdictOutcome.REJECTED, message, cursor)


@pytest.mark.parametrize(
    ("reply", "message"),
    [
        ("Expected integer... @p stone x1<--[HERE]", "Expected integer"),
        ("Expected integer\n... @p stone x1<--[HERE]", "Expected integer"),
        (
            "Unknown or incomplete command. See below for errorfrob it<--[HERE]",
            "Unknown or incomplete command. See below for error",
        ),
    ],
)
def test_without_the_command_the_message_is_cut_where_that_is_plain(reply: str, message: str) -> None:
    """A parse error of an unknown command gives its message and no cursor."""
    verdict = judge(reply)
    assert (verdict.outcome, verdict.message, verdict.cursor) == (VerdictOutcome.REJECTED, message, None)


@pytest.mark.parametrize(
    "command",
    [
        "say hi",
        "/say hi",
        "minecraft:say hi",
        "/MINECRAFT:Say hi",
        "me waves",
        "msg Dee hi",
        "tell Dee hi",
        "w Dee hi",
        "teammsg hi",
        "tm hi",
        'tellraw @a {"text":"x"}',
        "function foo:bar",
        "random roll 1..6",
        "return run say hi",
    ],
)
def test_silence_is_success_for_commands_that_say_nothing(command: str) -> None:
    """An empty reply passes a command that is known to be silent."""
    assert judge("", command).outcome is VerdictOutcome.PASSED
    assert judge(" \n§r", command).outcome is VerdictOutcome.PASSED


@pytest.mark.parametrize(
    "command",
    ["", "give @p stone", "/give @p stone", "random value 1..6", "random", "sayhi", "//set stone", "/"],
)
def test_silence_of_any_other_command_is_unclear(command: str) -> None:
    """An empty reply shows nothing where the server should have spoken."""
    assert judge("", command).outcome is VerdictOutcome.UNCLEAR
    assert judge("", command, target_shown=True).outcome is VerdictOutcome.UNCLEAR


@pytest.mark.parametrize(
    ("command", "silent_inside"),
    [
        ("execute as @a run say hi", True),
        ('/minecraft:execute as @a at @s positioned ~ ~1 ~ run minecraft:tellraw @s "run"', True),
        ('execute as @e[name="run give x"] run say run away', True),
        ("execute if score a b matches 1.. run execute unless block ~ ~ ~ stone run say hi", True),
        ("execute store result score a b run say hi", True),
        ("execute if score run say = a b run give @p stone", False),
        ("execute as @a run give @s stone", False),
        ("execute if entity @a", False),
        ("execute as @a run", False),
        ("execute frob run say hi", False),
    ],
)
def test_silence_under_execute_needs_a_target(command: str, silent_inside: bool) -> None:
    """Under execute silence is unclear, unless a target was shown and the inner command is silent."""
    assert judge("", command).outcome is VerdictOutcome.UNCLEAR
    shown = judge("", command, target_shown=True).outcome
    assert shown is (VerdictOutcome.PASSED if silent_inside else VerdictOutcome.UNCLEAR)


def test_the_command_tells_a_name_from_a_message() -> None:
    """Where a success and a failure could each be the other's name, the command decides; without it nobody can."""
    reply = "Summoned new Cow is not holding any item"
    assert judge(reply, "summon cow").outcome is VerdictOutcome.PASSED
    assert judge(reply, "enchant @e[limit=1] sharpness").outcome is VerdictOutcome.FAILED
    assert judge(reply).outcome is VerdictOutcome.UNCLEAR


def test_the_verdict_names_the_message() -> None:
    """A message of the game comes with its key; where two commands share a text, the command decides."""
    area = "Too many blocks in the specified area (maximum 32768, specified 99999)"
    assert judge("Gave 1 [Stone] to Dee", "give Dee stone").key == "commands.give.success.single"
    assert judge("Gave 1 [Stone] to 2 players").key == "commands.give.success.multiple"
    assert judge(area, "fill 0 0 0 9 9 9 stone").key == "commands.fill.toobig"
    assert judge(area, "clone 0 0 0 9 9 9 0 0 0").key == "commands.clone.toobig"
    assert judge("Frobnicated", "give Dee stone").key is None


def test_the_failing_message_is_singled_out() -> None:
    """Of several messages the verdict quotes the one that decided, without colours."""
    assert judge("Gave 1 [Stone] to Dee\n§cNo player was found\n", "give").message == "No player was found"
    assert judge("Gave 1 [Stone] to DeeNo player was found").message == "No player was found"


@pytest.mark.parametrize("between", ["\n", "\r", "\r\n", "\x0b", "\x0c", "\x85", "\u2028"])
def test_messages_are_parted_by_any_line_break(between: str) -> None:
    """A failure behind it is seen."""
    reply = f"Gave 1 [Stone] to Foo{between}No player was found"
    assert judge(reply, "give Foo stone").outcome is VerdictOutcome.FAILED


def test_a_failure_before_a_success_that_begins_with_a_name_is_seen() -> None:
    """Vanilla joins messages with nothing, and a name could take in what stands before it."""
    reply = "No entity was foundFoo started riding Bar"
    assert judge(reply, "ride Foo mount Bar").outcome is VerdictOutcome.FAILED
    assert judge("Foo started riding Bar", "ride Foo mount Bar").outcome is VerdictOutcome.PASSED
