"""The policy's tables: how `execute` reads, what never runs, what waits for a person."""

from __future__ import annotations

import re
from collections.abc import Mapping

__all__ = [
    "ASKS_WHEN_BROAD",
    "ASKS_WITH",
    "CHANGES_WORLD",
    "EXECUTE",
    "GIVES_ITEMS",
    "HARMFUL_EFFECTS",
    "LARGEST_RADIUS",
    "LARGEST_VOLUME",
    "NEVER",
    "NEVER_FAMILY",
    "NEVER_WITH",
    "ONLY_WITH",
    "PATTERN_FIRST",
    "PLACES",
    "PLAIN_SPEECH",
    "RADIUS",
    "SEARCHES",
    "VANILLA",
    "WORLDEDIT",
    "Shape",
]

LARGEST_VOLUME = 4096
LARGEST_RADIUS = 25

# Kinds of argument, one letter each, as the game's parser reads them:
#   c coordinate or number   w one word   e entity   E entity that runs the rest once for each match
#   s score holder (any text up to a space)   b block, item or predicate with brackets   p NBT path
#   f function id   m entity type that is summoned
Shape = tuple["str | Mapping[str, Shape]", ...]

_SCORE: Mapping[str, Shape] = {
    "matches": ("w",),
    **dict.fromkeys(("<", "<=", "=", ">=", ">"), ("sw",)),
}
_CONDITION: Mapping[str, Shape] = {
    "biome": ("cccw",),
    "block": ("cccb",),
    "blocks": ("cccccccccw",),
    "data": ({"block": ("cccp",), "entity": ("ep",), "storage": ("wp",)},),
    "dimension": ("w",),
    "entity": ("e",),
    "function": ("f",),
    "items": ({"block": ("cccwb",), "entity": ("ewb",)},),
    "loaded": ("ccc",),
    "predicate": ("b",),
    "score": ("sw", _SCORE),
    "stopwatch": ("ww",),
}
_STORE: Mapping[str, Shape] = {
    "block": ("cccpwc",),
    "bossbar": ("ww",),
    "entity": ("epwc",),
    "score": ("sw",),
    "storage": ("wpwc",),
}

# The empty word stands for "no literal here": its shape begins at the same place.
EXECUTE: Mapping[str, Shape] = {
    "align": ("w",),
    "anchored": ("w",),
    "as": ("E",),
    "at": ("E",),
    "facing": ({"entity": ("Ew",), "": ("ccc",)},),
    "if": (_CONDITION,),
    "in": ("w",),
    "on": ("w",),
    "positioned": ({"as": ("E",), "over": ("w",), "": ("ccc",)},),
    "rotated": ({"as": ("E",), "": ("cc",)},),
    "store": ({"result": (_STORE,), "success": (_STORE,)},),
    "summon": ("m",),
    "unless": (_CONDITION,),
}


def _names(text: str) -> frozenset[str]:
    return frozenset(text.split())


def _named(groups: Mapping[str, str]) -> dict[str, str]:
    return {name: why for why, names in groups.items() for name in names.split()}


def _alike(names: str, pattern: str, why: str) -> dict[str, tuple[re.Pattern[str], str]]:
    return dict.fromkeys(names.split(), (re.compile(pattern), why))


NEVER: Mapping[str, str] = _named(
    {
        "stops, restarts or reloads the server": """
            stop restart reload rl reloadall shutdown end exit quit halt reboot greload autorestart ar
            restartserver stopserver maintenance lockdown reloadconfig reloadpacketlimitconfig""",
        "changes who may do what": """
            op deop ops permission permissions perm perms lp luckperms lpb lpv luckpermsbungee
            luckpermsvelocity lpgui lpedit pex permissionsex groupmanager zperms bperms bpermissions
            powerranks ultrapermissions upc deluxeperms azperms xperms setgroup addgroup setrank promote
            demote rankup authme changepassword unregister""",
        "bans, kicks, mutes or lets people in": """
            ban ban-ip banip ipban banlist pardon pardon-ip pardonip unban unban-ip unbanip whitelist
            allowlist fwhitelist easywhitelist kick kickall tempban tempbanip tempipban mute tempmute unmute
            ipmute warn tempwarn unwarn jail tjail togglejail unjail setjail deljail deluser setmaxplayers""",
        "saves or backs up the server, or stops it from doing so": "save save-all save-on save-off backup",
        "opens the server to others or sends players away": """
            publish transfer send server serverpack connect wsserver""",
        "changes how the whole server works": """
            datapack tick setidletimeout debugconfig changesetting carpet resetchunks chase neoforge
            viaversion viaver viabackwards protocollib protocol packet packetlog skinsrestorer""",
        "measures the server and slows it down": """
            debug perf jfr timings spark sparkb sparkc sparkv debugpath debugmobspawning heap dumpplugins""",
        "runs what the policy cannot read": """
            test gametest script scriptevent sudo fsudo csudo gsudo runas run-as asconsole consolecmd console
            forcecommand fcmd dispatch exec shell terminal ssh js javascript lua groovy python jython
            kubejs kjs sk skript exs executesafe denizen denizenclients dscript cs craftscript .s
            alias unalias macro bind unbind powertool pt ptt powertooltoggle cmi commandtimer
            commandscheduler cmdscheduler cscheduler scheduler delaycommand delaycmd repeatcommand
            commandpanels panelsitem customcommands mycommand myc runcommand runcmd cmd command
            signcommand commandsign advancedcommandsigns vcs csi asay itemcommand interactcommand""",
        "manages plugins": """
            plugman plugmanx plugmanbungee plugmanvelocity pm pluginmanager plm plugin serverutils su
            serverutilsvelocity autoupdateplugins pluginupdater pu bileloader bile""",
        "creates, deletes or rebuilds whole worlds": """
            mv multiverse multiverse-core multiverse-inventories multiverse-netherportals hv hyperverse
            myworlds mw worldmanager wm swm aswm slimeworld slime voidgen chunky chunkymap chunkmaster
            wb worldbordertrim fcp delchunks deleteallunvisited deleteallunclaimed deletealloldregions
            trimallplots trimallflat trimallair deleteoldplots worldgenerate""",
    }
)

# Multiverse and GroupManager spell one command for each deed.
NEVER_FAMILY: tuple[tuple[re.Pattern[str], str], ...] = (
    (
        re.compile(r"mv(?!(?:list|l|info|i|version|v|who|w|help|tp|spawn)$)\w+"),
        "creates, deletes or rebuilds whole worlds",
    ),
    (
        re.compile(r"man[ug]\w+|man(?:load|save|select|promote|demote|toggle\w*|world)"),
        "changes who may do what",
    ),
)

# Commands that are fine, but for these arguments (matched from the start, words parted by one space).
NEVER_WITH: Mapping[str, tuple[re.Pattern[str], str]] = {
    **_alike(
        "schem schematic",
        r"(?:-\S+ )*(?:delete|del|d|remove|rm|move|clear)\b",
        "deletes or moves files of the server",
    ),
    **_alike("worldedit we", r"reload\b|report\b", "reloads WorldEdit or publishes a report of the server"),
    **_alike(
        "world worlds",
        r"(?:delete|remove|unload|create|load|import|regen\w*|reset|clone|copy|rename|move)\b",
        "creates, deletes or rebuilds whole worlds",
    ),
    **_alike("chunk chunks", r"(?:delete|regen\w*|reset)\b", "creates, deletes or rebuilds whole worlds"),
    **_alike("brush br", r"(?:command|cmd|scattercommand|scmd)\b", "runs what the policy cannot read"),
    # WorldEdit's `ex` puts out fires within a radius; Denizen's runs a script.
    **_alike("ex", r"(?!-?\d+$)\S", "runs what the policy cannot read"),
    **_alike("npc npc2", r"(?:command|commands|cmd|cmds)\b", "runs commands later"),
    **_alike(
        "co coreprotect",
        r"(?:purge|rollback|rb|ro|restore|rs|re|reload|apply|undo|consumer|migrate-db)\b",
        "rewrites the history of the world",
    ),
}

# Commands of which only these first words are harmless queries; anything else of theirs never runs.
ONLY_WITH: Mapping[str, frozenset[str]] = dict.fromkeys(
    _names(
        """paper spigot bukkit purpur pufferfish folia leaf gale tuinity airplane mohist arclight magma ketting
        forge fabric geyser floodgate velocity bungee bungeecord essentials ess dynmap bluemap discordsrv
        worldguard wg citizens fawe fastasyncworldedit griefprevention towny townyadmin ta"""
    ),
    _names("version ver v about help ? info status list tps mspt mobcaps playermobcaps chunkinfo entity plugins")
    | {""},
)

_EVERYBODY_ALIASES = _names(
    """clearinventory ci clean tphere tpohere s gmc gms gma gmsp gmt creative survival adventure burn ekill
    lightning smite shock"""
)

# A word of None matches anything; the number is the place of the target among all words.
ASKS_WHEN_BROAD: tuple[tuple[tuple[str | None, ...], int], ...] = (
    (("kill",), 1),
    (("clear",), 1),
    (("tp",), 1),
    (("teleport",), 1),
    (("gamemode",), 2),
    (("damage",), 1),
    (("spawnpoint",), 1),
    (("item", None, "entity"), 3),
    (("data", "merge", "entity"), 3),
    (("data", "modify", "entity"), 3),
    (("data", "remove", "entity"), 3),
    (("advancement", "revoke"), 2),
    (("recipe", "take"), 2),
    (("experience", "set"), 2),
    (("xp", "set"), 2),
    (("spreadplayers", None, None, None, None, "under"), 8),
    (("spreadplayers",), 6),
    (("scoreboard", "players", "reset"), 3),
    (("gm",), 2),
    *(((name,), 1) for name in sorted(_EVERYBODY_ALIASES)),
)

HARMFUL_EFFECTS = _names("instant_damage wither poison")

# Commands that wait for a person whenever their arguments match from the start, words parted by one space.
ASKS_WITH: Mapping[str, tuple[re.Pattern[str], str]] = {
    **_alike("worldborder", r"(?!get\b)\S", "moves the border of the world"),
    **_alike("gamerule", r"\S+ \S", "changes a rule of the whole world"),
    **_alike("difficulty", r"\S", "changes the difficulty for everybody"),
    **_alike("forceload tickingarea", r"(?:add|remove)\b", "changes which chunks stay loaded"),
    **_alike("particle", r"(?:\S+ ){8}0*[1-9]\d{5,}\b", "shows so many particles that clients freeze"),
    **_alike("defaultgamemode", r"\S", "changes the game mode of everybody who joins"),
    **_alike("setworldspawn", r"", "moves the spawn of the world"),
    **_alike("place", r"(?:structure|jigsaw|template)\b", "builds a whole structure"),
    **_alike("structure", r"(?:load|delete)\b", "builds or deletes a whole structure"),
    **_alike("anvil", r"\S", "may rewrite the files of the world"),
    **_alike(
        "regen generate gen g generatebiome genbiome gb deform",
        r"",
        "rewrites the whole selection by a rule",
    ),
    **_alike("restore", r"", "brings back an old state of the world"),
    **_alike("snapshot snap", r"(?:restore|use|sel)\b", "brings back an old state of the world"),
    **_alike("butcher butch", r"(?:-[a-z]+ ?)*$|(?:-[a-z]+ )*-\d", "kills every creature that is loaded"),
    **_alike("remove rem rement", r"\S+ -\d|\S+$|$", "removes every entity of a kind"),
    **_alike("killall removeall mobkill", r"", "removes every entity of a kind"),
    **_alike("tpall tpaall nuke", r"", "touches everybody"),
    **_alike("eval", r"", "may run what the policy cannot read"),
}

# WorldEdit commands that take a radius, height or count; a number beyond LARGEST_RADIUS waits for a person.
RADIUS = _names(
    """drain fixwater fixlava green snow snowsmooth thaw ex ext extinguish sphere hsphere cyl hcyl pyramid hpyramid
    cone hcone blob removenear removeabove removebelow replacenear forestgen pumpkins fill fillr butcher butch
    remove rem rement stack smooth"""
)
WORLDEDIT = RADIUS | _names(
    """set replace re rep overlay walls faces outline center middle naturalize move cut paste place rotate flip
    line curve deform generate gen g regen generatebiome genbiome gb forest flora setbiome hollow lay
    schem schematic undo redo brush br restore snapshot snap setblock spline tree tools repl deltree farwand
    lrbuild floodfill cycler"""
)
# Of those, the commands whose first argument (flags aside) is a pattern of blocks: old numeric ids count there.
PATTERN_FIRST = _names(
    """set walls faces outline overlay center middle cyl hcyl sphere hsphere pyramid hpyramid cone hcone fill
    fillr line curve generate gen g replace re rep lay"""
)
# WorldEdit commands that only look for blocks.
SEARCHES = _names("count distr gmask mask search searchitem l size")

PLACES = _names("setblock fill clone summon data place") | WORLDEDIT
GIVES_ITEMS = _names("give item loot replaceitem i egive eitem ei kit")

PLAIN_SPEECH = _names(
    """say me msg tell w teammsg tm whisper m t r reply emsg etell ewhisper er ereply broadcast bc bcast
    ebroadcast ebc shout alert action describe eaction edescribe"""
)

VANILLA = _names(
    """advancement attribute bossbar clear clone damage data defaultgamemode dialog difficulty effect enchant
    execute experience fetchprofile fill fillbiome forceload function gamemode gamerule give help ? item kill
    list locate loot me msg particle place playsound random recipe return ride rotate say schedule scoreboard
    seed setblock setworldspawn spawnpoint spectate spreadplayers stopsound stopwatch summon swing tag team
    teammsg teleport tell tellraw time title tm tp trigger version w waypoint weather worldborder xp"""
)

CHANGES_WORLD = (
    _names("setblock fill clone fillbiome summon place time weather loot spreadplayers forceload") | WORLDEDIT
)
