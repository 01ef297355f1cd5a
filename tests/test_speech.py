"""Which commands only speak or ask."""

from __future__ import annotations

import pytest

from selfplay_core.verify.speech import only_speaks

SPEAKS = """
say hi
/say hi
minecraft:say hi
SAY hi
say stop
me waves
msg Bob hi
tell Bob hi
w Bob hi
teammsg hi
tm hi
tellraw @a {"text":"hi"}
tellraw @a {"text":"x","click_event":{"action":"run_command","command":"/op Bob"}}
broadcast hi
help
help give
?
list
list uuids
version
ver
about
plugins
pl
bukkit:plugins
tps
paper version
spigot version
seed
data get entity @s
data get block 0 64 0 Items[{id:"a b"}].count
time query daytime
weather query
scoreboard players get Bob kills
scoreboard players list
scoreboard players list @a
scoreboard objectives list
team list
team list red
tag Bob list
tag @e[name="a b"] list
attribute @s minecraft:max_health get
attribute @s minecraft:max_health get 2
attribute @s max_health base get
attribute @s max_health modifier value get a:b
bossbar get a:b value
bossbar list
experience query Bob levels
xp query Bob points
worldborder get
gamerule keepInventory
gamerule
difficulty
locate structure village
forceload query
forceload query 0 0
datapack list
datapack list enabled
whitelist list
banlist
random value 1..6
clear @a dirt 0
stopwatch query a:b
waypoint list
return 1
return fail
execute if entity @a
execute unless block ~ ~ ~ air
execute as @a at @s if score @s x matches 1
execute as @a run say hi
execute as Bob run execute at @s run list
return run say hi
execute if score a b matches 1 run data get entity @s Pos
//size
//count stone
//distr
//calc 1+1
schem list
we help
""".strip().split("\n")

ACTS = [
    *"""
stop
op Bob
give @s stone
summon pig
time set day
time add 5
weather rain
weather clear
data merge entity @s {}
data modify entity @s CustomName set value "x"
data remove entity @s CustomName
scoreboard players set Bob kills 1
scoreboard players operation a b = c d
scoreboard objectives add x dummy
team add red
team join red @a
tag Bob add list
tag list add x
attribute @s max_health base set 4
attribute @s max_health modifier add a:b 1 add_value
bossbar add a:b "x"
bossbar set a:b value 3
experience add Bob 5
xp set Bob 5
worldborder set 5
gamerule keepInventory true
difficulty hard
forceload add 0 0
datapack disable x
whitelist on
random reset *
clear @a dirt
clear @a dirt 1
clear
kill
title @a title "x"
playsound a:b master @a
particle flame
execute
execute as @a
execute as @a run
execute as @a at @s
execute if entity @a run give @s stone
execute summon pig
execute summon pig run say hi
execute summon pig if entity @s
execute store result score a b run list
execute store result score a b if entity @a
execute if function a:b
execute if function a:b run say hi
execute mystery run say hi
return run give @s stone
return run execute as @a run give @s stone
function a:b
schedule clear a:b
//set stone
//pos1 0,0,0
//copy
paper reload
we reload
foo
saying hi
""".strip().split("\n"),
    "",
    " ",
    "/",
    "execute as\u00a0@a run give @s stone",
    "give\u00a0@s say",
]


@pytest.mark.parametrize("command", SPEAKS)
def test_a_command_that_speaks_or_asks_is_told(command: str) -> None:
    """Speech and queries prove nothing done, also under `execute` and `return run`."""
    assert only_speaks([command])


@pytest.mark.parametrize("command", ACTS)
def test_a_command_that_acts_is_told(command: str) -> None:
    """What may change something is not speech, and what cannot be read is not called speech either."""
    assert not only_speaks([command])


def test_one_deed_makes_an_answer_more_than_speech() -> None:
    """An answer only speaks if all of its commands do."""
    assert only_speaks(["say a", "list"])
    assert not only_speaks(["say a", "give @s stone", "list"])


def test_no_commands_are_no_speech() -> None:
    """An empty answer says nothing; it has its own rule."""
    assert not only_speaks([])
    assert not only_speaks(())
