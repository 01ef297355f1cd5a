"""The facts that decoders are checked by: complete, sound, and made from schemas as their maker says."""

from __future__ import annotations

import json
from collections.abc import Iterator
from importlib.resources import files
from pathlib import Path
from typing import Any

import pytest

from selfplay_core.sandbox.facts.make_schemas import main
from selfplay_core.sandbox.facts.mcdoc import Book, read_mcdoc
from selfplay_core.sandbox.facts.registries import registry
from selfplay_core.sandbox.parser.judge import judge
from selfplay_core.sandbox.parser.problem import Problem
from selfplay_core.sandbox.parser.schema import TRANSIENT, component_error, has_form
from selfplay_core.sandbox.parser.tags import Int

FORMS = frozenset(("int", "float", "string", "id", "enum", "list", "map", "of", "struct", "either", "ref", "by"))


@pytest.fixture(scope="module")
def facts() -> dict[str, Any]:
    text = files("selfplay_core.sandbox.facts").joinpath("schemas.json").read_text(encoding="utf-8")
    loaded: dict[str, Any] = json.loads(text)
    return loaded


def forms(form: Any) -> Iterator[list[Any]]:
    """Yield every form within a form."""
    if isinstance(form, dict):
        for inner in form.values():
            yield from forms(inner)
    elif isinstance(form, list):
        if form and isinstance(form[0], str) and form[0] in FORMS:
            yield form
        for inner in form:
            yield from forms(inner)


def test_the_facts_name_their_version_and_source(facts: dict[str, Any]) -> None:
    """Whoever reads the file knows what it holds for and whose facts they are."""
    assert facts["about"] == "Minecraft Java 1.21.11; facts taken from vanilla-mcdoc (MIT)"


def test_every_name_in_the_facts_leads_somewhere(facts: dict[str, Any]) -> None:
    """No reference is empty, no family is missing."""
    for form in forms({"families": facts["families"], "types": facts["types"]}):
        if form[0] == "ref":
            assert form[1] in facts["types"]
        if form[0] == "of":
            assert form[1] in facts["families"]
        if form[0] == "struct" and len(form) > 3:
            assert all(family in facts["families"] for _, family in form[3])


def test_every_component_has_a_form() -> None:
    """The schemas know each component of the game's registry, so that no value goes unread."""
    assert [name for name in registry("data_component_type") if not has_form("data_component", name)] == []
    for name in sorted(TRANSIENT & registry("data_component_type")):
        assert isinstance(judge(f"give @p stone[{name}={{}}]"), Problem)


def test_ranges_keep_a_low_end_of_zero() -> None:
    """Zero is an end as any other."""
    assert component_error("minecraft:damage", Int(0)) is None
    assert component_error("minecraft:damage", Int(-1)) is not None


# A component with a value that its decoder takes, then values that it refuses; S and V as in the table of verdicts.
_VALUES = """
damage                  5 | -1 | "5" | {}
max_stack_size          99 | 100 | 0
unbreakable             {} | true | []
custom_name             {text:x} | 5 | {color:red} | {text:x,color:pink}
lore                    [a,{text:b}] | a | [5]
enchantments            {sharpness:5,"minecraft:mending":1} | {sharpness:256} | {sharp:1} | [sharpness]
attribute_modifiers     [{type:armor,id:"a:b",amount:1,operation:add_value}] | [{type:armor}] | {modifiers:[]}
potion_contents         {potion:healing,custom_effects:[{id:speed}]} | {potion:foo} | {custom_effects:[{id:foo}]} | 5
food                    {nutrition:1,saturation:2} | {nutrition:1} | {nutrition:-1,saturation:1}
tool                    {rules:[{blocks:"#minecraft:logs"}]} | {} | {rules:[{blocks:"#a:b"}]}
equippable              {slot:head} | {} | {slot:tail}
dyed_color              [1.0,0,0] | {rgb:5} | [1,2]
container               [{slot:0,item:{id:stone,count:500}}] | [{slot:256,item:{id:stone}}] | [{slot:0,item:{id:air}}]
bundle_contents         [{id:stone}] | [{}] | [{id:stone,components:{foo:1}}]
rarity                  epic | shiny
consumable              {animation:eat} | {animation:foo} | {on_consume_effects:[{type:foo}]}
use_cooldown            {seconds:1} | {seconds:0} | {}
fireworks               {explosions:[{shape:star,colors:[I;1,2]}]} | {explosions:[{shape:foo}]}
trim                    {material:gold,pattern:coast} | {material:gold} | {material:foo,pattern:coast}
banner_patterns         [{pattern:cross,color:red}] | [{pattern:cross,color:pinkish}]
profile                 Notch | {name:"this name is too long"} | {id:5}
jukebox_playable        cat | foo
damage_resistant        {types:"#minecraft:is_fire"} | {types:in_fire}
block_state             {facing:north} | {facing:1}
entity_data             {id:pig,NoAI:1b} | {id:foo} | 5
custom_data             {a:1} | 5 | "{"
written_book_content    {title:a,author:b,pages:[x]} | {title:a} | {title:a,author:b,generation:7}
custom_model_data       {floats:[1]} | 1
tooltip_display         {hidden_components:[damage]} | {hidden_components:[foo]}
can_break               [{blocks:stone}] | [] | [{blocks:foo}]
wolf/variant            pale | foo
"""


@pytest.mark.parametrize("line", _VALUES.strip().splitlines(), ids=lambda line: line.split()[0])
def test_values_of_components_are_taken_or_refused(line: str) -> None:
    """A right value parses; each wrong one is named as malformed at its place."""
    name, values = line.split(maxsplit=1)
    right, *wrong = values.split(" | ")
    command = "give @p stone[{}={}]"
    assert not isinstance(judge(command.format(name, right)), Problem)
    assert wrong
    for value in wrong:
        problem = judge(command.format(name, value))
        assert isinstance(problem, Problem), value
        assert problem.message.startswith(f"Malformed 'minecraft:{name}' component: '")
        assert problem.cursor == command.index("{") + len(name) + 1


def test_schemas_of_other_versions_are_left_out() -> None:
    """What begins later or has ended is not read, a union of what is left is read, and so are ranges and defaults."""
    book = Book()
    text = """
    struct Thing {
        /// a comment
        old: #[until="1.21"] string,
        #[until="1.21"] gone: int,
        #[since="1.22"] new: int,
        kept?: ( #[until="1.20"] string | #[since="1.20"] int @ 1..5 ),
        list: [float @ 0<..] @ 2..,
    }
    #[since="26.1"]
    dispatch minecraft:data_component[later] to Thing
    dispatch minecraft:data_component[now, "a/b"] to Thing
    """
    read_mcdoc(text, ("java", "x"), book)
    _, _, (_, fields) = book.types[("java", "x", "Thing")]
    assert [entry[1] for entry in fields] == ["old", "kept", "list"]
    assert fields[1][3] == ["either", [["int", 1, 5, False]]]
    assert fields[2][3] == ["list", ["float", 0, None, True], 2, None]
    assert set(book.families["data_component"]) == {"now", "a/b"}


def test_a_declaration_that_is_not_understood_stops_the_maker(tmp_path: Path) -> None:
    """Half-read schemas would be wrong facts, so nothing is written."""
    folder = tmp_path / "java"
    folder.mkdir()
    folder.joinpath("x.mcdoc").write_text("something else {}", encoding="utf-8")
    with pytest.raises(SystemExit, match="what is 'something'"):
        main([str(tmp_path)])
