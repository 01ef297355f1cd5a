"""What a model may reply, and what it is told otherwise."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from selfplay_core import models
from selfplay_core.errors import IllTyped
from selfplay_core.llm.replies import (
    DroppedPrompt,
    answer_schema,
    decode_answer,
    decode_prompts,
    prompts_schema,
)
from selfplay_core.models import Mode

GOOD = {"commands": ["give SwiftWolf minecraft:diamond 1"], "reasoning": "asked for"}


def sudo(**changes: object) -> str:
    return json.dumps(GOOD | changes)


def complaint(content: str, mode: Mode = Mode.SUDO) -> str:
    with pytest.raises(IllTyped) as caught:
        decode_answer(content, mode)
    return str(caught.value)


def test_a_right_sudo_answer_is_decoded() -> None:
    """An answer of the asked form comes back as the noun of the engine, without a message."""
    assert decode_answer(sudo(), Mode.SUDO) == models.Answer(
        commands=("give SwiftWolf minecraft:diamond 1",), reasoning="asked for", message=None
    )


def test_a_god_answer_needs_its_message() -> None:
    """In god mode the message is part of the answer, and missing it is told."""
    assert decode_answer(sudo(message="So be it."), Mode.GOD).message == "So be it."
    assert '"message" is missing' in complaint(sudo(), Mode.GOD)


def test_an_extra_key_is_ignored() -> None:
    """What was not asked for does not spoil what was; a sudo answer has no message even so."""
    assert decode_answer(sudo(message="x", risk=5), Mode.SUDO).message is None


def test_an_empty_list_of_commands_is_an_answer() -> None:
    """To do nothing is well-typed: the engine calls it refused."""
    assert decode_answer(sudo(commands=[]), Mode.SUDO).commands == ()


@pytest.mark.parametrize(
    ("content", "words"),
    [
        ("[]", "an array at the top"),
        ("null", "null at the top"),
        ('"stop"', "a string at the top"),
        ("7", "a number at the top"),
        ("true", "a boolean at the top"),
        ("", "not one valid JSON value"),
        ("Sure! " + sudo(), "not one valid JSON value"),
        (sudo() + "\nDone.", "trailing characters"),
        (sudo() + sudo(), "trailing characters"),
        (sudo()[:-5], "not one valid JSON value"),
        ("```json\n" + sudo() + "\n```", "code fence"),
        ('{"commands": ["say \\ud83d"], "reasoning": ""}', "not one valid JSON value"),
        ('{"commands": ["say \ud83d"], "reasoning": ""}', "surrogate"),
        ('{"commands": ["say a\nb"], "reasoning": ""}', "not one valid JSON value"),
        ("{}", '"commands" is missing; "reasoning" is missing'),
        (sudo(commands="stop"), '"commands" must be an array of strings, not a string'),
        (sudo(commands={"0": "stop"}), '"commands" must be an array of strings, not an object'),
        (sudo(commands=None), '"commands" must be an array of strings, not null'),
        (sudo(commands=[{"command": "list"}]), "commands[0] must be a string, not an object"),
        (sudo(commands=["list", None, 3]), "commands[1] must be a string, not null; commands[2] must be"),
        (sudo(commands=["list", ["list"], True]), "commands[2] must be a string, not a boolean"),
        (sudo(reasoning=["because"]), '"reasoning" must be a string, not an array'),
        (sudo(commands=["list", ""]), "commands[1] is blank"),
        (sudo(commands=[" \u00a0\t"]), "commands[0] is blank"),
        (sudo(commands=["say hi\nstop"]), "commands[0] holds a line break"),
        (sudo(commands=["say hi\r"]), "commands[0] holds a line break"),
        (sudo(commands=["say hi\u2028stop"]), "commands[0] holds a line break"),
        (sudo(commands=["say hi\x85stop"]), "commands[0] holds a line break"),
        (sudo(commands=["say \x00"]), "commands[0] holds the control character U+0000"),
        (sudo(commands=["say\thi"]), "commands[0] holds the control character U+0009"),
        (sudo(commands=["/give @s stone"]), 'commands[0] must not start with a slash ("/give @s stone")'),
        (sudo(commands=["  /give @s stone"]), "commands[0] must not start with a slash"),
    ],
)
def test_an_ill_typed_answer_is_told_what_is_wrong(content: str, words: str) -> None:
    """Every wrong form is refused with words that name the field and what is wanted, never mended."""
    told = complaint(content)
    assert words in told
    assert 'Reply with one JSON object alone, with nothing before or after it: "commands"' in told


def test_the_two_slashes_of_worldedit_are_right() -> None:
    """A command of WorldEdit keeps both its slashes."""
    assert decode_answer(sudo(commands=["//set stone"]), Mode.SUDO).commands == ("//set stone",)


def test_all_faults_are_named_at_once() -> None:
    """A model that made several mistakes hears of them together, by index."""
    told = complaint(json.dumps({"commands": ["/a", "", "list", 1]}))
    for words in ('"reasoning" is missing', "commands[0]", "commands[1]", "commands[3]"):
        assert words in told
    assert "commands[2]" not in told


def test_a_complaint_stays_short() -> None:
    """However many and however hostile the faults are, the text for the model stays short and printable."""
    told = complaint(sudo(commands=["/\x1b[2J\u202e" + "x" * 10_000, *[""] * 5_000]))
    assert len(told) < 900
    assert "and 4993 more" in told
    assert "\x1b" not in told
    assert "\u202e" not in told


@pytest.mark.parametrize("content", ["[" * 200_000, '{"commands":' * 200_000])
def test_depth_is_the_models_mistake_not_a_crash(content: str) -> None:
    """Nesting past the parser's depth is an ill-typed reply."""
    assert "nested too deeply" in complaint(content)


@pytest.mark.parametrize("schema", [answer_schema(Mode.SUDO), answer_schema(Mode.GOD), prompts_schema()])
def test_a_schema_is_flat_and_closed(schema: dict[str, object]) -> None:
    """Servers get an object at the root, everything required, nothing more allowed, and no references."""
    assert schema["type"] == "object"
    assert schema["additionalProperties"] is False
    assert isinstance(schema["properties"], dict)
    assert schema["required"] == list(schema["properties"])
    assert "$ref" not in json.dumps(schema)


def test_the_schema_names_the_keys_that_are_decoded() -> None:
    """One typed class gives both: what the schema requires is what decoding takes."""
    assert answer_schema(Mode.SUDO)["required"] == ["commands", "reasoning"]
    assert answer_schema(Mode.GOD)["required"] == ["message", "commands", "reasoning"]
    assert prompts_schema()["properties"] == {"prompts": {"type": "array", "items": {"type": "string"}}}


def test_a_bad_prompt_does_not_cost_the_good_ones() -> None:
    """Elements that are no prompts are dropped with their reasons; the rest stay, stripped and in order."""
    decoded = decode_prompts(json.dumps({"prompts": [" sudo b \n", "", "a\nb", 3, {"p": 1}, "pray a"]}))
    assert decoded.prompts == ("sudo b", "pray a")
    assert decoded.dropped == (
        DroppedPrompt("", "is blank"),
        DroppedPrompt("a\nb", "holds a line break"),
        DroppedPrompt("3", "is a number, not a string"),
        DroppedPrompt('{"p":1}', "is an object, not a string"),
    )


@pytest.mark.parametrize(
    ("content", "words"),
    [
        ('["sudo a"]', "an array at the top"),
        ("{}", '"prompts" is missing'),
        ('{"prompts": "sudo a"}', '"prompts" must be an array of strings, not a string'),
        ('{"prompts": null}', '"prompts" must be an array of strings, not null'),
    ],
)
def test_prompts_without_a_list_are_ill_typed(content: str, words: str) -> None:
    """Where there is no list there is nothing to choose from; a string is not iterated."""
    with pytest.raises(IllTyped) as caught:
        decode_prompts(content)
    assert words in str(caught.value)


values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(), lambda inner: st.lists(inner), max_leaves=8
)


@given(st.text() | st.dictionaries(st.sampled_from(["commands", "reasoning", "message"]), values).map(json.dumps))
def test_whatever_comes_is_an_answer_or_ill_typed(content: str) -> None:
    """Decoding has two ends alone, and no command that comes out of it can be misread on its way."""
    for mode in Mode:
        try:
            answer = decode_answer(content, mode)
        except IllTyped:
            continue
        for command in answer.commands:
            assert command.strip()
            assert len(command.splitlines()) == 1
            assert "\x00" not in command
            command.encode()


@pytest.mark.parametrize(
    "content",
    [
        '{"commands": ["stop"], "commands": ["list"], "reasoning": "x"}',
        '{"commands": [], "reasoning": "x", "extra": {"a": 1, "a": 2}}',
    ],
)
def test_a_key_given_twice_is_no_answer(content: str) -> None:
    """Which of the two was meant would be a guess."""
    with pytest.raises(IllTyped, match="more than once"):
        decode_answer(content, Mode.SUDO)
