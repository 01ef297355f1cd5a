"""Laws of the map of the command grammar: what a command touches, what became of it, and what nobody has seen."""

from __future__ import annotations

import sys
from collections.abc import Callable
from importlib.resources import files
from types import FrameType
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from selfplay_core.curriculum.coverage import KINDS, Coverage, Seen, items_of, places
from selfplay_core.models import FailedBecause, VerdictOutcome
from selfplay_core.sandbox.facts.registries import registry
from selfplay_core.sandbox.usages import usages
from tests.samples import make_attempt, make_result, make_trace

TraceFunction = Callable[[FrameType, str, Any], Any]

ALL = frozenset(f"{kind} {place}" for kind in KINDS for place in places(kind))
HERE = files("selfplay_core.curriculum")

# What a kind of argument looks like, where a word will not do.
SAMPLES = {
    **dict.fromkeys(("block_pos", "vec3"), "~ ~1 -2.5"),
    **dict.fromkeys(("vec2", "column_pos", "rotation"), "~ 3"),
    **dict.fromkeys(("integer", "float", "double", "int_range", "float_range"), "5"),
    "time": "10s",
    "entity": "@a[limit=1]",
    "message": "run for your lives",
    "component": '{"text":"run away"}',
    "nbt_compound_tag": '{Tags:["a b"]}',
}  # fmt: skip


def filled(usage: str) -> str:
    """A command of a usage, with an example for each argument."""
    return " ".join(SAMPLES.get(word[1:-1], "some") if is_argument(word) else word for word in usage.split())


def is_argument(word: str) -> bool:
    """Whether a usage's word stands for an argument."""
    return word[0] == "<" and word[-1] == ">"


def of_kind(command: str, kind: str) -> set[str]:
    """What a command touches of one kind."""
    return {item.removeprefix(f"{kind} ") for item in items_of(command) if item.startswith(f"{kind} ")}


def test_the_map_reads_every_form_of_every_command() -> None:
    """Its name, its sub-commands and the kinds of its arguments, behind a chain too, and however it is spelt."""
    for usage in usages():
        root, *words = usage.split()
        fixed = [word for word in words if not is_argument(word)]
        found = items_of(filled(usage))
        expected = {f"command {root}"}
        expected |= {f"sub-command {' '.join((root, *fixed[:length]))}" for length in range(1, min(len(fixed), 3) + 1)}
        expected |= {f"argument {word[1:-1]}" for word in words if is_argument(word)}
        assert found - {"selector limit"} == expected, usage
        assert items_of(f"/minecraft:{filled(usage)}") == found, usage
        assert items_of(f"return run {filled(usage)}") == found | {"command return"}, usage


@pytest.mark.parametrize(
    ("command", "subs", "also"),
    [
        ("tp Steve 1 2 3", set(), {"command teleport", "argument vec3"}),
        ("tp 1 2 3", set(), {"command teleport"}),
        ("xp add @s 5 levels", {"experience add", "experience add levels"}, {"command experience"}),
        ("tell Steve run home", set(), {"command msg", "argument message"}),
        (
            "execute as @a at @s if block ~ ~-1 ~ stone run give @s torch",
            {"execute as", "execute at", "execute if", "execute if block"},
            {"command execute", "command give", "argument block_predicate", "argument item_stack"},
        ),
        (
            "execute store result score Steve kills run execute positioned 0 64 0 run minecraft:TP Steve ~ ~ ~",
            {"execute store", "execute store result", "execute store result score", "execute positioned"},
            {"command teleport", "argument objective"},
        ),
        (
            "execute if score a b <= c d unless score a b matches 1..5 run say hi",
            {"execute if", "execute if score", "execute if score <=", "execute unless"}
            | {"execute unless score", "execute unless score matches"},
            {"command say", "argument int_range"},
        ),
        ("return run say a", set(), {"command return", "command say"}),
        ("scoreboard players operation a b >< c d", {"scoreboard players", "scoreboard players operation"}, set()),
        ("execute as @s frobnicate @a at @s run kill", {"execute as"}, {"command kill"}),
        ("execute run", set(), {"command execute"}),
        ("  /give   Steve   stone  ", set(), {"command give", "argument item_stack"}),
    ],
)  # fmt: skip
def test_what_a_command_touches(command: str, subs: set[str], also: set[str]) -> None:
    """Chains link by link, whatever they run, and the game's own names for its aliases."""
    assert of_kind(command, "sub-command") == subs
    assert also <= items_of(command)


@pytest.mark.parametrize(
    ("command", "components"),
    [
        ("give @s stone", set()),
        ("give @s stone[lore=['a'],damage=3] 2", {"lore", "damage"}),
        ("give @s stone[minecraft:unbreakable={}, custom_name = 'a']", {"unbreakable", "custom_name"}),
        ("give @s stone[!lore,!minecraft:food]", {"lore", "food"}),
        ("give @s stone[custom_data={lore:1,food:[{trim:2}]},rarity=epic]", {"custom_data", "rarity"}),
        ('give @s stone[custom_name="a, lore=1, [food=2]",rarity=epic]', {"custom_name", "rarity"}),
        ("give @s stone[custom_name='it\\'s, lore=1',rarity=epic]", {"custom_name", "rarity"}),
        ("give @s stone[nonsense=1,damage=2]", {"damage"}),
        ("give @s stone[damage=2", {"damage"}),
        ("give @s stone{display:[lore,food]}", set()),
        ("clear @s *[damage~{max:3}|!lore,count=1]", {"damage", "lore"}),
        ("execute if items entity @s weapon *[trim] run say a", {"trim"}),
        ("say stone[lore=1]", set()),
    ],
)  # fmt: skip
def test_components_are_the_keys_of_an_item(command: str, components: set[str]) -> None:
    """Those of the first bracket alone, not what stands deeper, in quotes, or elsewhere."""
    assert of_kind(command, "component") == components


@pytest.mark.parametrize(
    ("command", "options"),
    [
        ("kill @e", set()),
        ("kill @e[type=!pig,tag=!a,tag=b]", {"type", "tag"}),
        ("kill @e[ distance = ..5 , sort=nearest]", {"distance", "sort"}),
        ("kill @e[scores={level=1..,name=2},limit=1]", {"scores", "limit"}),
        ('kill @e[name="a,team=b]",nbt={x:[{y:1}]}]', {"name", "nbt"}),
        ("execute as @a[team=] at @e[dx=1] run tp @s @p[gamemode=creative]", {"team", "dx", "gamemode"}),
        ("kill Steve[type=pig]", set()),
    ],
)
def test_options_are_the_keys_of_a_selector(command: str, options: set[str]) -> None:
    """With or without a negation, of every selector in the command."""
    assert of_kind(command, "selector") == options


@pytest.mark.parametrize("command", ["", " ", "/", "//set stone", "frobnicate @s", "essentials:tp a", "run say a", "§"])
def test_what_the_game_does_not_know_touches_nothing(command: str) -> None:
    """Nor do commands of plugins."""
    assert items_of(command) == frozenset()


WORDS = st.sampled_from(
    ["execute", "run", "give", "@a[", "stone[", "lore=", "if", "score", "<=", "~", "{", "]", '"', ","]
)


@settings(deadline=None)
@given(st.text() | st.lists(WORDS | st.text(max_size=5)).map(" ".join) | st.lists(WORDS).map("".join))
def test_any_text_touches_places_of_the_map_or_none(text: str) -> None:
    """Nothing that a model writes breaks it, and nothing that is no place is counted."""
    assert items_of(text) <= ALL
    assert items_of(f"give @s {text}") <= ALL


HOSTILE = ["execute run ", "execute as @a ", "return run ", "give @s stone[", "[lore=1,", '"', "\\", "tp ", "~ ", "a=,",
           "give @s stone[lore=" + "a" * 500, "@e[" + " " * 500, "{[(", "minecraft:"]  # fmt: skip


@pytest.mark.parametrize("piece", HOSTILE)
@pytest.mark.parametrize("before", ["", "give @s stone[", "kill @e[x", "execute "])
def test_a_long_command_is_read_in_one_go(piece: str, before: str) -> None:
    """Of a hundred kilobytes: work that grew by the square of it would not end."""
    text = before + piece * (100_000 // len(piece))
    assert items_of(text) <= ALL
    short = before + piece * (500 // len(piece))
    assert steps(short + short[len(before) :] * 3) <= 4.5 * steps(short)


def steps(text: str) -> int:
    """How many lines of our code it takes to read a command."""
    count = 0

    def step(_: FrameType, event: str, __: Any) -> TraceFunction:
        nonlocal count
        count += event == "line"
        return step

    before = sys.gettrace()
    sys.settrace(step)
    try:
        items_of(text)
    finally:
        sys.settrace(before)
    return count


def test_the_usages_are_those_of_the_grammar() -> None:
    """The file is what `python -m selfplay_core.sandbox.usages` prints; none manages the server."""
    assert HERE.joinpath("usages.txt").read_text(encoding="utf-8") == "\n".join(usages()) + "\n"
    assert {"stop", "op", "ban", "reload", "function", "whitelist"}.isdisjoint(places("command"))
    assert len(places("command")) > 50


def test_the_components_are_the_games_own() -> None:
    """All of them are in the registry; those are left out that only mobs have, and a few that no player gives."""
    known = registry("data_component_type")
    listed = HERE.joinpath("components.txt").read_text(encoding="utf-8").split()
    assert listed == sorted(set(listed))
    assert set(listed) <= known
    left_out = {name for name in known - set(listed) if "/" not in name}
    assert left_out == {"creative_slot_lock", "debug_stick_state", "map_id", "map_post_processing"}


def test_places_are_named_once() -> None:
    """And every argument, sub-command and option is a word of its kind."""
    for kind in KINDS:
        assert len(set(places(kind))) == len(places(kind)) > 10
    for place in places("sub-command"):
        assert place.split()[0] in places("command")
        assert 2 <= len(place.split()) <= 4
        assert not any(is_argument(word) for word in place.split())
    assert "execute if score <=" in places("sub-command")


@pytest.mark.parametrize(
    ("outcome", "because", "expected"),
    [
        (VerdictOutcome.PASSED, None, Seen(1, 1, 0)),
        (VerdictOutcome.REJECTED, None, Seen(1, 0, 1)),
        (VerdictOutcome.FAILED, FailedBecause.OTHER, Seen(1, 0, 1)),
        (VerdictOutcome.FAILED, FailedBecause.NOTHING_CHANGED, Seen(1, 1, 0)),
        (VerdictOutcome.FAILED, FailedBecause.NOBODY, Seen(1, 0, 0)),
        (VerdictOutcome.UNCLEAR, None, Seen(1, 0, 0)),
    ],
)
def test_what_became_of_a_command_is_counted(
    outcome: VerdictOutcome, because: FailedBecause | None, expected: Seen
) -> None:
    """As its verdict has it: passed where it was shown, failed where it was the model's mistake, else only asked."""
    coverage = Coverage()
    coverage.add(make_trace(make_attempt(1, make_result("give @s stone[lore=[]]", outcome, because=because))))
    assert set(coverage.seen) == items_of("give @s stone[lore=[]]")
    assert {coverage.of(place) == expected for place in coverage.seen} == {True}


def test_every_command_of_every_attempt_is_counted() -> None:
    """Once, however often a place is in it."""
    first = make_attempt(1, make_result("kill @e[tag=a]", VerdictOutcome.REJECTED))
    second = make_attempt(2, make_result("kill @e[tag=a,tag=b]"), make_result("tp @a[tag=a] @p[tag=b]"))
    coverage = Coverage()
    coverage.add(make_trace(first, second))
    assert coverage.of("command kill") == Seen(2, 1, 1)
    assert coverage.of("selector tag") == Seen(3, 2, 1)
    assert coverage.of("command give") == Seen()


def test_what_nobody_has_seen() -> None:
    """All at first, and each place until a command has had it."""
    coverage = Coverage()
    assert coverage.unseen("component") == list(places("component"))
    coverage.add(make_trace(make_attempt(1, make_result("give @s stone[lore=[]]", VerdictOutcome.REJECTED))))
    assert set(places("component")) - set(coverage.unseen("component")) == {"lore"}
    assert set(places("command")) - set(coverage.unseen("command")) == {"give"}


def test_the_thinnest_come_first() -> None:
    """Of equals the first, and no more than were asked for or are there."""
    coverage = Coverage({"command a": Seen(3), "command b": Seen(1, 1), "command c": Seen(1, 0, 1)})
    named = [f"command {name}" for name in "abcd"]
    assert coverage.thinnest(named, 3) == ["command d", "command b", "command c"]
    assert coverage.thinnest(reversed(named), 2) == ["command d", "command c"]
    assert len(coverage.thinnest(named, 9)) == 4
