"""Commands as models write them, right and wrong: what the judge's speed and bounds are measured with."""

from __future__ import annotations

from typing import Final

__all__ = ["RIGHT", "USUAL", "WRONG"]

RIGHT: Final = (
    "give slingshooter08 minecraft:diamond_sword 1",
    'give @p diamond_sword[enchantments={sharpness:5,"minecraft:unbreaking":3},unbreakable={}] 1',
    'give @p stick[custom_name={text:"Wand",color:"gold",italic:false},lore=["One","Two"]]',
    "effect give @a minecraft:speed 30 1 true",
    "effect clear @e[type=cow,distance=..10] minecraft:poison",
    "tp @p ~ ~10 ~",
    "teleport SwiftWolf 100 64 -200 90 0",
    'summon zombie ~ ~ ~ {CustomName:{text:"Bob"},Passengers:[{id:"minecraft:chicken"}],IsBaby:1b}',
    "setblock ~ ~-1 ~ oak_stairs[facing=north,half=top] replace",
    "fill 0 60 0 10 70 10 minecraft:glass hollow",
    "execute as @a at @s if block ~ ~-1 ~ #minecraft:dirt run setblock ~ ~-1 ~ stone",
    "execute store result score @p hp run data get entity @p Health 1.5",
    'tellraw @a ["a",{text:"b",color:"#ff00aa",bold:true},{selector:"@p"}]',
    'title @a title {"text":"Welcome","color":"aqua"}',
    "particle minecraft:dust{color:[1.0,0.0,0.0],scale:1.0} ~ ~1 ~ 1 1 1 0 10 force @a",
    "playsound minecraft:entity.player.levelup master @a ~ ~ ~ 1 1.5",
    "scoreboard objectives add kills minecraft.killed:minecraft.zombie",
    "scoreboard players operation @a total += @a kills",
    "attribute @p minecraft:max_health base set 40",
    "data merge entity @e[type=cow,limit=1] {NoAI:1b,Silent:1b}",
    "gamerule keep_inventory true",
    "weather thunder 600",
    "time set noon",
    "kill @e[type=!player,distance=..5,tag=!safe]",
    "say all is well",
)
WRONG: Final = (
    "foo bar",
    "give @p wood_sword",
    "give @p diamond_sword{Enchantments:[{id:sharpness,lvl:5}]} 1",
    "give @p diamond one",
    "effect give @a minecraft:sharpness",
    "summon zombie_pigman",
    "setblock 0 70 0 grass",
    "kill @a[r=5]",
    "tp @p ~ ~",
    "execute as @a run foo",
    "particle dust 1 0 0 1 ~ ~ ~",
    'tellraw @a {"text":"hi}',
    "gamemode 1 @p",
    "give @p stone ",
    "attribute @p generic.max_health base set 40",
)
USUAL: Final = RIGHT + WRONG
