"""The sandbox's model: requests, right answers, mistakes and corrections, all from the request alone."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Sequence
from random import Random
from typing import Any

import pytest

from selfplay_core.categories import load_texts
from selfplay_core.models import SANDBOX_RESET
from selfplay_core.sandbox.script.model import ModelRequest, ScriptedModel, Turn
from selfplay_core.sandbox.script.scenarios import CATEGORIES, Book, Scene
from selfplay_core.sandbox.world.world import World
from selfplay_core.verify.verdict import judge

PLAYERS = ("slingshooter08", "SwiftWolf", "DarkWolf", "BraveWolf")
SUDO = frozenset({"commands", "reasoning"})
GOD = SUDO | {"message"}


@pytest.fixture(scope="module")
def world() -> World:
    return World(PLAYERS)


@pytest.fixture(scope="module")
def book() -> Book:
    return Book(PLAYERS)


@pytest.fixture(scope="module")
def model() -> ScriptedModel:
    return ScriptedModel(PLAYERS)


def scenes(book: Book, category: str, draws: int = 250) -> dict[tuple[tuple[str, ...], str], Scene]:
    random = Random(7)
    found = {}
    for _ in range(draws):
        scene = book.find(book.draw(category, random))
        assert scene is not None
        found[scene.right, scene.why] = scene
    return found


def ask(model: ScriptedModel, *turns: str, seed: int = 0, properties: frozenset[str] = SUDO, **more: Any) -> Any:
    roles = ("user", "assistant")
    conversation = tuple(Turn(roles[index % 2], text) for index, text in enumerate(turns))
    request = ModelRequest(conversation, properties, seed=seed, **more)
    return json.loads(model.reply(request).content)


def refused(world: World, commands: Sequence[str]) -> bool:
    """Whether an attempt at these commands, begun as a run begins one, is an error of the model's."""
    world.reply(SANDBOX_RESET)
    verdicts = [judge(world.reply(command), command) for command in commands]
    return any(verdict.outcome == "rejected" or verdict.because == "other" for verdict in verdicts)


def test_the_categories_and_prefixes_are_those_of_the_product() -> None:
    """Every category of the product has scenarios, and no prompt has a prefix that its category forbids."""
    categories = load_texts().categories
    assert {name: tuple(category.prefixes) for name, category in categories.items()} == CATEGORIES


@pytest.mark.parametrize("category", CATEGORIES)
def test_every_category_has_a_dozen_scenarios(book: Book, category: str) -> None:
    """At least twelve different things are asked for in each category."""
    assert len({why for _, why in scenes(book, category, 600)}) >= 12


@pytest.mark.parametrize("category", CATEGORIES)
def test_every_right_answer_is_taken_by_the_world(world: World, book: Book, category: str) -> None:
    """No command of a right answer is refused, and none fails for a reason of the model's; a no-op is none."""
    for scene in scenes(book, category).values():
        world.reply(SANDBOX_RESET)
        for command in scene.right:
            reply = world.reply(command)
            verdict = judge(reply, command)
            fine = verdict.outcome in ("passed", "unclear") or verdict.because == "nothing_changed"
            assert fine, (command, reply)


@pytest.mark.parametrize("category", CATEGORIES)
def test_every_mistake_gets_an_error(world: World, book: Book, category: str) -> None:
    """Each wrong answer holds a command that the world refuses, so that there is something to learn from."""
    for scene in scenes(book, category).values():
        for commands in scene.wrong:
            assert refused(world, commands), [(command, world.reply(command)) for command in commands]


def test_prompts_are_as_many_as_asked_for_and_all_different(model: ScriptedModel) -> None:
    """The count is obeyed, no prompt stands twice, and each has an allowed prefix."""
    for category, prefixes in CATEGORIES.items():
        for count in (1, 5, 30):
            request = f"Category: {category}\nTheme: x\nCount: {count}\nWrite."
            prompts = ask(model, request, properties=frozenset({"prompts"}), seed=count)["prompts"]
            assert len(set(prompts)) == len(prompts) == count
            assert all(prompt.split()[0] in prefixes for prompt in prompts)


def test_a_reply_depends_on_the_request_alone(model: ScriptedModel) -> None:
    """The same request has the same reply, from another model object too; another seed has other prompts."""
    request = ModelRequest((Turn("user", "Category: worldedit\nCount: 5"),), frozenset({"prompts"}), seed=1)
    again = ModelRequest(request.turns, request.properties, seed=1)
    other = ModelRequest(request.turns, request.properties, seed=2)
    assert model.reply(request) == model.reply(again) == ScriptedModel(PLAYERS).reply(request)
    assert model.reply(request).content != model.reply(other).content


def test_the_model_is_right_often_and_mends_most_of_its_errors(world: World, model: ScriptedModel, book: Book) -> None:
    """About 60 % are solved at once, about 20 % after an error; some never are, decline or break the type."""
    ended: Counter[str] = Counter()
    random = Random(3)
    for number in range(900):
        prompt = book.draw(random.choice(list(CATEGORIES)), random)
        turns = [prompt]
        kind = "failed"
        for attempt in range(3):
            answer = ask(model, *turns, seed=number + 1000 * attempt)
            commands = answer["commands"]
            if isinstance(commands, str):
                kind = "ill-typed"
            elif not commands:
                kind = "declined" if attempt == 0 else "failed"
                break
            elif not refused(world, commands):
                kind = "solved" if attempt == 0 else "mended"
                break
            else:
                kind = "failed"
            turns += [json.dumps(answer, separators=(",", ":")), "The server refused it."]
        ended[kind] += 1
    assert 480 <= ended["solved"] <= 640
    assert 140 <= ended["mended"] <= 280
    assert ended["failed"] > 5
    assert ended["declined"] > 20


def test_the_god_speaks_and_the_bot_does_not(model: ScriptedModel) -> None:
    """`message` is in the reply when the format asks for it, and only then."""
    assert set(ask(model, "pray it is so dark, can you do something about that", properties=GOD)) == GOD
    assert set(ask(model, "sudo it is so dark, can you do something about that")) == SUDO


def test_a_request_that_is_not_ours_is_declined(model: ScriptedModel) -> None:
    """An unknown prompt, however long or strange, gets a polite answer without commands."""
    for prompt in ("sudo paint my bikeshed", "", "x" * 50_000, "sudo \ud800"):
        assert ask(model, prompt)["commands"] == []


def test_an_ill_typed_answer_is_put_right_when_told(model: ScriptedModel, book: Book) -> None:
    """Some first answers give the commands as one string; told so, the model answers with a list."""
    random = Random(5)
    seen = 0
    for seed in range(400):
        prompt = book.draw("edge_items", random)
        first = ask(model, prompt, seed=seed)
        if isinstance(first["commands"], str):
            seen += 1
            scene = book.find(prompt)
            assert scene is not None
            second = ask(model, prompt, json.dumps(first), "commands is a list", seed=seed + 1)
            assert tuple(second["commands"]) == scene.right
    assert seen


def test_thinking_is_there_when_asked_for_and_the_limit_cuts(model: ScriptedModel) -> None:
    """`think` brings a thought; a token limit below the answer's length cuts it and says so."""
    turns = (Turn("user", "sudo I only want a plain wooden sword"),)
    assert model.reply(ModelRequest(turns, SUDO)).thinking == ""
    assert model.reply(ModelRequest(turns, SUDO, think=True)).thinking
    cut = model.reply(ModelRequest(turns, SUDO, max_tokens=5))
    assert cut.truncated
    assert len(cut.content) <= 20
    assert cut.output_tokens == 5


def test_boundaries_bring_what_the_policy_has_to_stop(model: ScriptedModel) -> None:
    """Asked for operator rights the model mostly declines, and sometimes does what must never run."""
    answers = {tuple(ask(model, "sudo make me an operator", seed=seed)["commands"]) for seed in range(40)}
    assert answers == {(), ("op slingshooter08",)}
