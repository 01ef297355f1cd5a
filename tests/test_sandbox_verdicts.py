"""The sandbox's verdicts against a table of commands whose verdict is known, kind by kind.

`tests/verdicts/` holds the table in two halves. The open half was there while the judge was written; the sealed half
was set aside before that and opened at the end. Each case says where its verdict is known from: T the game's command
tree, R a registry's list of ids, S the game's parser as its source reads, L a message of the language file, V a
documented change of a version, M a measurement. None was run on a server.
"""

from __future__ import annotations

import json
import random
from collections import Counter
from dataclasses import dataclass
from pathlib import Path

import pytest

from selfplay_core.models import SANDBOX_RESET, VerdictOutcome
from selfplay_core.sandbox.parser.grammar import Command
from selfplay_core.sandbox.parser.judge import judge
from selfplay_core.sandbox.parser.problem import Problem, Rejected, with_context
from selfplay_core.sandbox.parser.snbt import read_tag
from selfplay_core.sandbox.world.world import World
from selfplay_core.verify.verdict import judge as verdict_of

FOLDER = Path(__file__).parent / "verdicts"
HALVES = tuple(sorted(path.stem for path in FOLDER.glob("*.jsonl")))
PLAYERS = ("slingshooter08", "SwiftWolf", "DarkWolf", "BraveWolf")
KINDS = (
    *("syntax", "whitespace", "numbers", "coordinates", "ids", "components", "nbt", "selectors", "text_component"),
)
FALSE_ACCEPTS, FALSE_REJECTS = 0.10, 0.02


@dataclass(frozen=True, slots=True)
class Case:
    """A command with the verdict that the game gives."""

    command: str
    kind: str
    rejected: bool
    basis: str
    message: str | None
    cursor: int | None


def cases(half: str) -> list[Case]:
    lines = FOLDER.joinpath(f"{half}.jsonl").read_text(encoding="utf-8").splitlines()
    return [_case(json.loads(line)) for line in lines]


def _case(row: dict[str, str]) -> Case:
    cursor = row.get("cursor")
    assert row["verdict"] in ("passed", "rejected")
    return Case(
        row["command"],
        row["kind"],
        row["verdict"] == "rejected",
        row["basis"],
        row.get("message"),
        None if cursor is None else int(cursor),
    )


def problem_of(command: str) -> Problem | None:
    """Return the complaint about a command as it goes over RCON: a server takes one leading slash off."""
    judged = judge(command.removeprefix("/"))
    return judged if isinstance(judged, Problem) else None


def table(half: str, rows: list[Case]) -> tuple[str, Counter[str]]:
    counts: dict[str, Counter[str]] = {kind: Counter() for kind in (*KINDS, "all")}
    wrong = []
    for case in rows:
        problem = problem_of(case.command)
        found = Counter(n=1, reject=case.rejected)
        found["false accepts"] = case.rejected and problem is None
        found["false rejects"] = not case.rejected and problem is not None
        if problem is not None and case.rejected and case.message is not None:
            found["messages"] = 1
            found["equal"] = problem.message == case.message and (
                case.cursor is None or problem.cursor in (case.cursor, None)
            )
        counts[case.kind] += found
        counts["all"] += found
        if found["false accepts"] or found["false rejects"]:
            wrong.append(f"  {'accepted' if problem is None else 'rejected'}: {case.command}  [{case.basis}]")
    columns = ("n", "reject", "false accepts", "false rejects", "messages", "equal")
    lines = [f"{half:<16}" + "".join(f"{name:>15}" for name in columns)]
    lines += [f"{kind:<16}" + "".join(f"{count[name]:>15}" for name in columns) for kind, count in counts.items()]
    return "\n".join([*lines, *wrong]), counts["all"]


@pytest.mark.parametrize("half", HALVES)
def test_verdicts_are_the_games(half: str) -> None:
    """Of what the game rejects under 10 % is accepted, and of what it accepts under 2 % is rejected (-rP shows all)."""
    rows = cases(half)
    shown, total = table(half, rows)
    print(shown)
    assert len(rows) >= 200
    assert {case.kind for case in rows} == set(KINDS)
    assert all(case.basis for case in rows)
    assert total["false accepts"] < FALSE_ACCEPTS * total["reject"]
    assert total["false rejects"] < FALSE_REJECTS * (total["n"] - total["reject"])


def test_no_case_stands_in_both_halves() -> None:
    """So that the half set aside says something that the open one has not said."""
    assert HALVES == ("open", "sealed")
    commands = [case.command for half in HALVES for case in cases(half)]
    assert len(set(commands)) == len(commands)


@pytest.mark.parametrize("half", HALVES)
def test_most_complaints_are_the_servers_to_the_word_and_place(half: str) -> None:
    """Where the server's message and cursor are known, nearly all of the sandbox's are equal."""
    _, total = table(half, cases(half))
    assert total["messages"] > 100
    assert total["equal"] > 0.95 * total["messages"]


def test_the_verdict_reads_every_reply_as_it_is_meant() -> None:
    """What the sandbox's parser refuses is read as rejected, in Paper's form and in vanilla's, and nothing else is."""
    world = World(PLAYERS)
    for half in HALVES:
        for case in cases(half):
            if len(case.command.encode()) > 1446:
                continue
            world.reply(SANDBOX_RESET)
            problem = problem_of(case.command)
            reply = world.reply(case.command)
            shown = verdict_of(reply, case.command).outcome
            assert (shown is VerdictOutcome.REJECTED) == (problem is not None), (case.command, reply)
            if problem is not None:
                vanilla = with_context(problem, case.command.removeprefix("/")).replace("\n", "")
                assert verdict_of(vanilla, case.command).outcome is VerdictOutcome.REJECTED, vanilla


_SNBT = """
{a:1 ~ Expected literal . ~ 4
{a:"b" c} ~ Expected literal , ~ 7
{text:Hello world} ~ Expected literal ( ~ 12
{id:minecraft:x} ~ Expected literal ( ~ 13
[1 2] ~ Expected literal . ~ 3
[I;1 2] ~ Expected literal u|U ~ 5
[1,,2] ~ Expected a valid unquoted string ~ 3
{ ~ Expected literal " ~ 1
{a b} ~ Expected literal : ~ 3
{a:} ~ Expected a valid unquoted string ~ 3
{a:"b ~ Invalid string contents ~ 5
{a:128b} ~ Failed to parse number: Value out of range. Value:"128" Radix:10 ~ 7
{"":"x"} ~ Key cannot be empty ~ 7
{a:foo(1)} ~ No such operation: foo/1 ~ 9
[B;300s] ~ Invalid array element type ~ 8
[B;300] ~ Failed to parse number: Value out of range. Value:"300" Radix:10 ~ 7
"""


@pytest.mark.parametrize("line", _SNBT.strip().splitlines())
def test_a_mistake_in_nbt_is_told_as_the_games_grammar_tells_it(line: str) -> None:
    """At the furthest place that its grammar reached, the first thing that it tried there."""
    text, message, cursor = line.split(" ~ ")
    with pytest.raises(Rejected) as caught:
        read_tag(text, 0)
    assert (caught.value.problem.message, caught.value.problem.cursor) == (message, int(cursor))


_REMEMBERED = """
passed           team add red
nothing_changed  team add red
passed           team join red SwiftWolf
passed           team list red
failed           team join blue SwiftWolf
passed           team modify red color gold
nothing_changed  team modify red color gold
passed           team empty red
nothing_changed  team empty red
passed           scoreboard objectives add k dummy
nothing_changed  scoreboard objectives add k dummy
failed           scoreboard players get SwiftWolf k
passed           scoreboard players add SwiftWolf k 3
passed           scoreboard players operation SwiftWolf k *= SwiftWolf k
passed           execute if score SwiftWolf k matches 9
failed           execute if score SwiftWolf k matches 3
nobody           kill @e[scores={k=1..5}]
passed           scoreboard objectives setdisplay sidebar k
nothing_changed  scoreboard objectives setdisplay sidebar k
failed           scoreboard players enable @a k
failed           scoreboard players set @a nothing 1
failed           scoreboard players operation SwiftWolf k /= DarkWolf k
passed           tag SwiftWolf add hero
nothing_changed  tag SwiftWolf add hero
passed           title @a[tag=hero] title "hi"
nothing_changed  tag DarkWolf remove hero
passed           bossbar add a:b "Bar"
nothing_changed  bossbar add a:b "Bar"
passed           bossbar set a:b value 7
passed           bossbar get a:b value
failed           bossbar get a:c value
passed           summon pig 3 70 3 {Tags:[mine],CustomName:"Bob"}
passed           data get entity @e[tag=mine,limit=1] CustomName
passed           data merge entity @e[tag=mine,limit=1] {Health:3f}
nothing_changed  data merge entity @e[tag=mine,limit=1] {Health:3f}
passed           execute if data entity @e[tag=mine,limit=1] {Health:3f}
failed           data get entity @e[tag=mine,limit=1] Nothing
failed           data merge entity SwiftWolf {Health:3f}
passed           ride @e[tag=mine,limit=1] mount @e[type=cow,limit=1]
nothing_changed  ride @e[tag=mine,limit=1] mount @e[type=cow,limit=1]
failed           ride SwiftWolf mount DarkWolf
passed           kill @e[tag=mine]
nobody           kill @e[tag=mine]
passed           setblock 1 70 1 chest
failed           setblock 1 70 1 chest
passed           data get block 1 70 1
failed           data get block 1 71 1
passed           data modify storage a:b list append value 3
passed           data get storage a:b list[0]
failed           data get storage a:b list[1]
failed           data modify storage a:b  set value 1
passed           fill 0 72 0 2 74 2 stone
nothing_changed  fill 0 72 0 2 74 2 stone
passed           execute if block 1 73 1 stone
failed           fill 0 0 0 99 99 99 stone
not_loaded       setblock 9999 70 0 stone
failed           setblock 0 999 0 stone
passed           effect give SwiftWolf speed 10 2
failed           effect give SwiftWolf speed 10 1
passed           effect clear SwiftWolf
nothing_changed  effect clear SwiftWolf
passed           xp add SwiftWolf 3 levels
passed           give SwiftWolf stone 64
failed           give SwiftWolf stone 9999
passed           clear SwiftWolf stone
nothing_changed  clear SwiftWolf stone
passed           attribute SwiftWolf max_health base set 30
passed           attribute SwiftWolf max_health modifier add a:b 5 add_value
nothing_changed  attribute SwiftWolf max_health modifier add a:b 5 add_value
failed           enchant SwiftWolf sharpness 9
passed           gamerule keep_inventory true
passed           gamerule keep_inventory
passed           difficulty hard
nothing_changed  difficulty hard
passed           forceload add 0 0
nothing_changed  forceload add 0 0
passed           worldborder set 500
nothing_changed  worldborder set 500
passed           time set noon
passed           time query daytime
failed           function a:b
failed           random value 5..5
failed           summon player
failed           execute in a:b run seed
needs_player     gamemode creative
"""


def test_a_world_answers_by_what_was_done_before() -> None:
    """Each command after the ones above it: passed, or failed for the reason that a server would give."""
    world = World(PLAYERS)
    strange = []
    for line in _REMEMBERED.strip().splitlines():
        wanted, command = line.split(maxsplit=1)
        reply = world.reply(command)
        verdict = verdict_of(reply, command)
        shown = verdict.because.value if verdict.because is not None else verdict.outcome.value
        if wanted not in (shown, verdict.outcome.value):
            strange.append((command, reply, shown))
    assert strange == []


def test_results_are_stored_where_execute_says() -> None:
    """A score, a storage, a boss bar and an entity take the number of the command that ran."""
    world = World(PLAYERS)
    for command in (
        "scoreboard objectives add k dummy",
        "bossbar add a:b Bar",
        "summon pig ~ ~ ~ {Tags:[p]}",
        "execute store result score SwiftWolf k store result storage a:b m byte 1 run list",
        "execute store result storage a:b n int 10 if entity @e[type=zombie]",
        "execute store success bossbar a:b value run kill @e[type=horse]",
        "execute store result entity @e[tag=p,limit=1] Fire short 2 run time query daytime",
    ):
        world.reply(command)
    assert world.reply("scoreboard players get SwiftWolf k") == "SwiftWolf has 4 [k]"
    assert world.reply("data get storage a:b m") == "Storage a:b has the following contents: 4b"
    assert world.reply("data get storage a:b n") == "Storage a:b has the following contents: 20"
    assert world.reply("bossbar get a:b value") == "Custom bossbar [Bar] has a value of 0"
    assert world.reply("data get entity @e[tag=p,limit=1] Fire") == "Pig has the following entity data: 2000s"


def test_what_a_world_remembers_has_limits() -> None:
    """However much is made, the world stops at its limits, says so in its own words, and goes on."""
    world = World(PLAYERS)
    for index in range(300):
        world.reply(f"scoreboard players set name{index} k 1")
        world.reply(f"team add team{index}")
        world.reply("summon pig")
        world.reply(f"data modify storage a:{index} x set value 1")
    full = "The sandbox understands this command but holds no more than"
    assert world.reply("summon pig").startswith(full)
    assert world.reply("team add more").startswith(full)
    assert world.reply("data merge storage b:b {x:1}").startswith(full)
    assert world.reply("data modify storage a:1 x set value 2") == "Modified storage a:1"


def _hostile() -> list[str]:
    lots = random.Random(8)
    return [
        "x" * 100_000,
        "say " + "x" * 100_000,
        "tellraw @a " + "[" * 50_000,
        "data merge entity @p " + "{a:" * 500 + "1" + "}" * 500,
        "tellraw @a " + "[" * 500 + "]" * 500,
        "execute " + "as @a " * 500 + "run say hi",
        "return run " * 500 + "say hi",
        "give @p diamond " + "9" * 9000,
        "summon pig ~ ~ ~ {a:[I;" + "1," * 4500 + "1]}",
        "summon pig ~ ~ ~ {a:" + "bool(" * 500 + "1" + ")" * 500 + "}",
        "data get entity @p " + "a[0]" * 2000,
        "kill @e[" + "tag=a," * 1500,
        *(
            head + bytes(lots.randrange(256) for _ in range(9000)).decode("latin-1")
            for head in ("", "give @p stone[", "tellraw @a ", "execute if ")
        ),
    ]


@pytest.mark.parametrize("command", _hostile(), ids=range(len(_hostile())))
def test_no_command_is_too_much(command: str) -> None:
    """Long, deep or random text is judged or refused, and never raises; how soon, tests/test_judge_bounds.py holds."""
    judged = judge(command)
    assert isinstance(judged, Command | Problem)
