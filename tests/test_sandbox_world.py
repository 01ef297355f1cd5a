"""The sandbox's world answers as a Paper server of 1.21.11 would."""

from __future__ import annotations

import re

import pytest

from selfplay_core.sandbox.facts.registries import registry
from selfplay_core.sandbox.world.world import World
from selfplay_core.verify.verdict import judge

PLAYERS = ("slingshooter08", "SwiftWolf", "DarkWolf", "BraveWolf")
MARK = "<--[HERE]"


@pytest.fixture
def world() -> World:
    return World(PLAYERS)


@pytest.mark.parametrize(
    ("command", "reply"),
    [
        ("give slingshooter08 minecraft:diamond_sword 1", "Gave 1 [Diamond Sword] to slingshooter08"),
        ("give @a dirt 5", "Gave 5 [Dirt] to 4 players"),
        ('give @p stick[custom_name={text:"Wand"}]', "Gave 1 [Wand] to slingshooter08"),
        ("summon cow", "Summoned new Cow"),
        ("time set 1000", "Set the time to 1000"),
        ("time set noon", "Set the time to 6000"),
        ("weather thunder", "Set the weather to rain & thunder"),
        ("effect give SwiftWolf minecraft:speed 10 1", "Applied effect Speed to SwiftWolf"),
        ("effect give @a speed", "Applied effect Speed to 4 targets"),
        ("tp SwiftWolf DarkWolf", "Teleported SwiftWolf to DarkWolf"),
        ("tp SwiftWolf 10 70 10", "Teleported SwiftWolf to 10.500000, 70.000000, 10.500000"),
        ("kill @e[type=zombie]", "Killed 2 entities"),
        ("kill @e[type=minecraft:cow,limit=1]", "Killed Cow"),
        ("gamemode creative DarkWolf", "Set DarkWolf's game mode to Creative Mode"),
        ("setblock 0 70 0 stone", "Changed the block at 0, 70, 0"),
        ("setblock 0 70 0 air", "Could not set the block"),
        ("setblock 0 999 0 stone", "That position is out of this world!"),
        ("setblock 5000 70 0 stone", "That position is not loaded"),
        ("fill 0 70 0 1 71 1 stone", "Successfully filled 8 block(s)"),
        ("scoreboard players set @a kills 3", "Unknown scoreboard objective 'kills'"),
        ("team add red", "Created team [red]"),
        ("enchant @p sharpness 9", "9 is higher than the maximum level of 5 supported by that enchantment"),
        ("execute if entity @e[type=cow]", "Test passed. Count: 1"),
        ("execute unless entity @e[type=cow]", "Test failed"),
        ("execute as @a[name=DarkWolf] run give @s bread", "Gave 1 [Bread] to DarkWolf"),
        ("execute as @e[type=horse] run give @s bread", ""),
        ("say anything a@b.com #here", ""),
        ('tellraw @a {"text":"hi"}', ""),
        ("msg DarkWolf hello", ""),
        ("give Herobrine dirt", "No player was found"),
        ("give @s dirt", "No player was found"),
        ("kill @s", "No entity was found"),
        ("kill @e[type=horse]", "No entity was found"),
        ("list", "There are 4 of a max of 20 players online: slingshooter08, SwiftWolf, DarkWolf, BraveWolf"),
    ],
)
def test_commands_that_parse_get_the_games_own_words(world: World, command: str, reply: str) -> None:
    """A command that parses is answered with the message that the game has for it."""
    assert world.reply(command) == reply


@pytest.mark.parametrize(
    ("command", "reply"),
    [
        ("foo bar", "Unknown or incomplete command. See below for error\nfoo bar<--[HERE]"),
        ("give", "Unknown or incomplete command. See below for error\ngive<--[HERE]"),
        ("give @p wood_sword", "Unknown item 'minecraft:wood_sword'\ngive @p wood_sword<--[HERE]"),
        (
            "give @p diamond_sword{Enchantments:[{id:sharpness,lvl:5}]} 1",
            "Expected whitespace to end one argument, but found trailing data\n"
            "...mond_sword{Enchantments:[{id:sharpness,lvl:5}]} 1<--[HERE]",
        ),
        ("give @p diamond 1 0", "Incorrect argument for command\n...diamond 1 0<--[HERE]"),
        ("give @p diamond one", "Expected integer\n...p diamond one<--[HERE]"),
        ("give @p diamond 1.5", "Invalid integer '1.5'\n...p diamond 1.5<--[HERE]"),
        ("give @p diamond 0", "Integer must not be less than 1: found 0\n...p diamond 0<--[HERE]"),
        ("give @p diamond ", "Incorrect argument for command\n...@p diamond <--[HERE]"),
        ("give  @p diamond", "Invalid name or UUID\ngive  @p diamond<--[HERE]"),
        (
            "summon zombie_pigman",
            "Can't find element 'minecraft:zombie_pigman' of type 'minecraft:entity_type'\n...bie_pigman<--[HERE]",
        ),
        ("summon Zombie", "Can't find element 'minecraft:' of type 'minecraft:entity_type'\nsummon Zombie<--[HERE]"),
        ("effect @p speed", "Incorrect argument for command\neffect @p speed<--[HERE]"),
        (
            "effect give @p minecraft:sharpness",
            "Can't find element 'minecraft:sharpness' of type 'minecraft:mob_effect'\n...:sharpness<--[HERE]",
        ),
        ("setblock 0 70 0 grass", "Unknown block type 'minecraft:grass'\n...ck 0 70 0 grass<--[HERE]"),
        ("kill @x", "Unknown selector type '@x'\nkill @x<--[HERE]"),
        ("kill @a[r=5]", "Unknown option 'r'\nkill @a[r=5]<--[HERE]"),
        ("kill @e[type=foo]", "Invalid or unknown entity type 'minecraft:foo'\n...l @e[type=foo]<--[HERE]"),
        ("kill @a[", "Expected end of options\nkill @a[<--[HERE]"),
        ("gamemode 1 @p", "Unknown game mode: 1\ngamemode 1 @p<--[HERE]"),
        ('tellraw @a {"text":"hi}', 'Invalid string contents\n...text":"hi}<--[HERE]'),
        ("execute as @a run foo", "Incorrect argument for command\n...as @a run foo<--[HERE]"),
        ("minecraft:give @p dirtt", "Unknown item 'minecraft:dirtt'\n...t:give @p dirtt<--[HERE]"),
        ("gamerule keepInventory true", "Incorrect argument for command\ngamerule keepInventory true<--[HERE]"),
    ],
)
def test_a_syntax_error_shows_the_servers_message_and_its_cursor(world: World, command: str, reply: str) -> None:
    """A refused command gets the message, a line break, ten characters before the cursor, the rest, the mark."""
    assert world.reply(command) == reply


@pytest.mark.parametrize(
    "command",
    [
        "give @p 'diamond_sword'",
        "give @p diamond_sword[enchantments={levels:{sharpness:5}}]",
        "give @p diamond_sword[enchantments={sharpness:256}]",
        "give @p diamond_sword[enchants={sharpness:1}]",
        "give @p diamond_sword[unbreakable=true]",
        "give @p Diamond_Sword",
        "tellraw @a {text:Hello world}",
        "tellraw @a hello world",
        'tellraw @a {"color":"red"}',
        'tellraw @a {"text":"x","color":"pinkish"}',
        "tp @p 1 2",
        "setblock ~~~ stone",
        "setblock ^1 ~ ~ stone",
        "setblock 1.5 64 0 stone",
        "kill @e[limit=0]",
        "kill @e[type=pig,type=cow]",
        "kill @a[type=player]",
        "gamemode creative @e",
        "data merge entity @e[type=cow] {NoAI:1b}",
        "scoreboard objectives add x deaths",
        "attribute @p generic.max_health base set 40",
        " give @p dirt",
        "give @p dirt\nsay hi",
        "give\t@p dirt",
        "",
        "/",
        "//",
    ],
)
def test_classic_mistakes_are_refused(world: World, command: str) -> None:
    """What models get wrong most is refused, with the mark that means a syntax error and nothing else."""
    assert world.reply(command).endswith(MARK)


@pytest.mark.parametrize(
    "command",
    [
        'give @p diamond_sword[minecraft:enchantments={"minecraft:sharpness":255},lore=["a"],unbreakable={}] 1',
        "give @p player_head[profile=Notch]",
        'summon zombie ~ ~ ~ {CustomName:{text:"Bob"},Passengers:[{id:"minecraft:chicken"}]}',
        "tellraw @a hello",
        'tellraw @a ["a",{text:"b",color:"#ff00aa",bold:true}]',
        "kill @e[type=!player,distance=..5,tag=!safe,nbt={}]",
        "particle minecraft:dust{color:[1.0,0.0,0.0],scale:1.0} ~ ~1 ~ 1 1 1 0 10",
        "execute as @a at @s if block ~ ~-1 ~ #minecraft:dirt run setblock ~ ~-1 ~ stone",
        "execute store result score @p hp run data get entity @p Health 1.5",
        "clone 0 70 0 1 71 1 5 70 5 replace move",
        "gamerule minecraft:keep_inventory true",
        "item replace entity @p armor.head with carved_pumpkin",
        "execute as @a run minecraft:give @s stone",
        "scoreboard players operation @p a += @a b",
    ],
)
def test_right_commands_are_not_refused(world: World, command: str) -> None:
    """What a 1.21.11 server takes is taken."""
    assert MARK not in world.reply(command)


def test_one_leading_slash_and_the_namespace_change_nothing(world: World) -> None:
    """Like Paper the world takes one slash off, and knows its commands with `minecraft:` before them."""
    plain = world.reply("give @p stone")
    assert world.reply("/give @p stone") == plain
    assert world.reply("minecraft:give @p stone") == plain
    assert MARK in world.reply("//give @p stone")


def test_the_world_names_itself(world: World) -> None:
    """`version` names the sandbox and says that it is no Minecraft server."""
    reply = world.reply("version")
    assert "selfplay-sandbox" in reply
    assert "1.21.11" in reply
    assert "not a Minecraft server" in reply


def test_worldedit_answers_in_its_own_words_and_can_be_taken_away(world: World) -> None:
    """WorldEdit's commands have its replies, and without it they are unknown commands."""
    assert world.reply("//set stone") == "Operation completed (500 blocks affected)."
    assert world.reply("//set stonee").startswith("Invalid value for <pattern>")
    assert world.reply("//pos1 1,2,3").startswith("First position set to (1, 2, 3)")
    assert world.reply("//stack 2 sideways") == "Unknown direction: sideways"
    assert world.reply("//undo") == "Undid 1 available edits."
    bare = World(PLAYERS, worldedit=False)
    assert bare.reply("//set stone") == "Unknown or incomplete command. See below for error\n/set stone<--[HERE]"


def test_dangerous_commands_do_nothing(world: World) -> None:
    """What the policy denies is harmless here, and the reply does not claim that it was done."""
    for command in ("stop", "op SwiftWolf", "ban SwiftWolf", "whitelist on", "reload"):
        assert world.reply(command) == "The sandbox understands this command but does not carry it out"


def test_what_is_done_is_found_again_until_the_world_is_reset(world: World) -> None:
    """A team exists once, who was killed is gone, a block that stands is not set again; a reset begins anew."""
    commands = ["team add red", "kill @e[type=cow]", "setblock 0 70 0 stone", "summon cow ~ ~ ~ {Tags:[new]}"]
    first = [world.reply(command) for command in commands]
    assert first == ["Created team [red]", "Killed Cow", "Changed the block at 0, 70, 0", "Summoned new Cow"]
    assert world.reply("team add red") == "A team already exists by that name"
    assert world.reply("setblock 0 70 0 stone") == "Could not set the block"
    assert world.reply("tag @e[type=cow] list") == "Cow has 1 tags: new"
    world.reply("sandbox reset")
    assert [world.reply(command) for command in commands] == first


def test_the_same_commands_in_two_worlds_have_the_same_replies() -> None:
    """Nothing in a world is random and nothing passes with time."""
    commands = [
        "summon zombie 3 64 3 {CustomName:Bob}",
        "scoreboard objectives add k dummy",
        "scoreboard players add @r k 2",
        "execute as @e[sort=random,limit=3] run data get entity @s UUID",
        "random value 1..100",
        "spreadplayers 0 0 2 50 false @a",
        "data get entity @p Pos",
    ]
    worlds = World(PLAYERS), World(PLAYERS)
    replies = [[world.reply(command) for command in commands] for world in worlds]
    assert replies[0] == replies[1]


def test_the_lists_of_ids_hold_what_the_game_has() -> None:
    """The registries have the game's size, and ids of the right form alone."""
    sizes = {"item": 1505, "block": 1166, "entity_type": 157, "mob_effect": 40, "enchantment": 43, "attribute": 35}
    for name, size in sizes.items():
        ids = registry(name)
        assert len(ids) == size
        assert all(re.fullmatch(r"[a-z0-9_/]+", identifier) for identifier in ids)


# One value for each kind of argument of the command tree.
_SAMPLES = """bool true|double 1|float 1|integer 1|long 1|string word|entity @p|resource_key a:b
resource_location a:b|game_profile SwiftWolf|message hi there|component {text:"x"}|item_predicate *
block_pos 0 70 0|block_predicate stone|dimension overworld|vec3 ~ ~ ~|nbt_path Health|nbt_compound_tag {a:1}
nbt_tag 1|function a:b|gamemode creative|dialog a:b|swizzle xyz|entity_anchor eyes|uuid 0-0-0-0-1|block_state stone
column_pos 0 0|item_stack stone|item_slot weapon|loot_modifier a:b|resource_or_tag_key village|loot_table a:b
particle flame|template_rotation none|template_mirror none|int_range 1..5|rotation 0 0|time 5
objective_criteria dummy|objective obj|style {bold:true}|scoreboard_slot sidebar|score_holder @p|operation +=
vec2 0 0|team red|color red|resource_selector a:b|hex_color ff0000|item_slots weapon|loot_predicate a:b
float_range 1..2|heightmap world_surface|mob_effect speed|enchantment mending|attribute max_health|entity_type cow
damage_type fall|worldgen/biome plains"""


def _every_form() -> list[str]:
    from mecha import Mecha

    spec = Mecha(version="1.21").spec
    samples = dict(line.split(" ", 1) for line in re.split(r"[|\n]", _SAMPLES))
    forms = []
    for prototype in spec.prototypes.values():
        words = []
        for part in prototype.signature:
            if isinstance(part, str):
                words.append(part)
                continue
            node = spec.tree.get(part.scope)
            assert node is not None
            registry_name = str((node.properties or {}).get("registry", "")).removeprefix("minecraft:")
            kind = (node.parser or "").partition(":")[2]
            words.append(samples.get(registry_name) or samples.get(kind, "run say hi"))
        forms.append(" ".join(words))
    return forms


def test_every_form_of_every_command_is_answered_with_words_that_the_verdict_knows(world: World) -> None:
    """No form of the command tree raises, and what is neither done nor refused says that it is not done."""
    unsupported = "The sandbox understands this command but does not carry it out"
    strange = []
    for command in _every_form():
        reply = world.reply(command)
        verdict = judge(reply, command)
        if verdict.outcome == "unclear" and reply not in ("", unsupported):
            strange.append((command, reply))
    assert strange == []


@pytest.mark.parametrize(
    ("before", "command", "reply"),
    [
        ((), "particle flame ~ ~ ~ 0 0 0 0 1 normal Herobrine", "No player was found"),
        ((), "particle flame 100 64 0", "The particle was not visible for anybody"),
        ((), "particle flame 100 64 0 0 0 0 0 1 force", "Displaying particle minecraft:flame"),
        ((), "playsound a:b master @a 1000 0 0", "The sound is too far away to be heard"),
        ((), "playsound a:b master @a 1000 0 0 1 1 0.5", "Played sound a:b to 4 players"),
        ((), "place template foo:bar", 'There is no template with id "foo:bar"'),
        ((), "worldborder set 100 30", "Shrinking the world border to 100.0 block(s) wide over 1.50 second(s)"),
        (
            ("worldborder set 100",),
            "worldborder set 200 30s",
            "Growing the world border to 200.0 blocks wide over 30.00 seconds",
        ),
        ((), "worldborder add 59999968", "World border cannot be bigger than 5.9999968E7 blocks wide"),
        ((), "worldborder warning time 30", "Set the world border warning time to 1.50 second(s)"),
        (
            ("forceload add 0 0 20 20",),
            "forceload query",
            "4 force loaded chunks were found in minecraft:overworld at: [0, 0], [1, 0], [0, 1], [1, 1]",
        ),
        ((), "damage @p 0", "Target is invulnerable to the given damage type"),
        ((), "damage @e[type=cow,limit=1] 10000000", "Applied 1.0E7 damage to Cow"),
        (
            ("data modify storage a x set value [1e-5,123456.789f,0.1f,3.4028235e38f]",),
            "data get storage a x",
            "Storage minecraft:a has the following contents: [1.0E-5d, 123456.79f, 0.1f, 3.4028235E38f]",
        ),
        (
            ("scoreboard objectives add a dummy", "scoreboard players operation @p a += Bob a"),
            "scoreboard players get Bob a",
            "Bob has 0 [a]",
        ),
        (("scoreboard objectives add a dummy",), 'scoreboard objectives modify a displayname "a"', ""),
        (("scoreboard objectives add a dummy",), "scoreboard objectives modify a rendertype integer", ""),
        (("scoreboard objectives add a health",), "scoreboard objectives modify a rendertype hearts", ""),
        (
            ("setblock 5 90 5 stone",),
            "execute positioned 5 0 5 positioned over motion_blocking run setblock ~ ~ ~ dirt",
            "Changed the block at 5, 91, 5",
        ),
        ((), "execute in the_nether run setblock 0 70 0 stone", "That position is not loaded"),
        ((), "execute in the_nether if dimension overworld", "Test failed"),
        ((), "execute in the_end at @p if dimension overworld", "Test passed"),
        (
            ("advancement grant SwiftWolf only story/root",),
            "execute if entity @a[advancements={story/root=true,story/mine_stone=false}]",
            "Test passed. Count: 1",
        ),
        ((), "advancement grant SwiftWolf only a:b", "Unknown advancement: a:b"),
        (
            (),
            "advancement revoke SwiftWolf only story/root",
            "Couldn't revoke advancement [Root] from SwiftWolf as they don't have it",
        ),
        (
            (),
            "advancement revoke SwiftWolf everything",
            "Couldn't revoke 125 advancements from SwiftWolf as they don't have them",
        ),
        ((), "execute in the_end if loaded 0 70 0", "Test failed"),
    ],
)
def test_the_world_answers_as_a_server_that_looks(
    world: World, before: tuple[str, ...], command: str, reply: str
) -> None:
    """Who sees, hears and is hit, what was so already, and where: none of it is taken for granted."""
    for earlier in before:
        world.reply(earlier)
    assert world.reply(command) == reply


def test_players_are_found_by_the_uuid_that_the_list_shows(world: World) -> None:
    """`list uuids` shows UUIDs, and whoever has one is found by it."""
    first = world.reply("list uuids").split("(")[1].split(")")[0]
    assert world.reply(f"kill {first}") == "Killed slingshooter08"


@pytest.mark.parametrize(
    ("command", "reply"),
    [
        ("attribute @p scale get {many}", "The value of attribute Scale for entity slingshooter08 is 1.0"),
        ("data get storage a x {many}", "x in storage minecraft:a after scale factor of Infinity is 2147483647"),
        ("execute store result storage a y int {many} run seed", "Seed: [4815162342]"),
        ("execute store result storage a y double {many} run seed", "Seed: [4815162342]"),
    ],
)
def test_numbers_without_end_are_cut_to_their_size(world: World, command: str, reply: str) -> None:
    """Hundreds of digits make an infinite number, which the game's casts cut; nothing raises."""
    world.reply("data modify storage a x set value 1")
    assert world.reply(command.format(many="9" * 400)) == reply
    assert world.reply("data get storage a").startswith("Storage minecraft:a has")
    assert " y " not in command or world.reply("data get storage a y").startswith("Storage")


def test_one_command_reads_so_much_nbt_and_no_more(world: World) -> None:
    """However many entities it runs as: the rest is refused unread, in words that are no verdict."""
    world.reply(f'data modify storage a x set value "{"y" * 12000}"')
    for _ in range(40):
        world.reply("summon pig")
    shown = world.reply("execute as @e run data get storage a")
    assert shown.count("\n") < 40
    assert len(shown) < 250_000
