"""Laws of likeness: nothing near is missed, nothing far is found, and arguments make no other skeleton."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from rapidfuzz.distance import Indel

from selfplay_core.likeness.normal import bare, normal_commands, normal_text, words
from selfplay_core.likeness.pool import NEAR, Like, PromptPool
from selfplay_core.likeness.skeleton import skeleton, skeleton_of
from selfplay_core.sandbox.parser.grammar import command_tree

PROMPTS = st.lists(st.sampled_from(["a", "b", "c", "d", "e", "f", "g"]), max_size=12).map(" ".join)


def ratio(one: str, other: str) -> float:
    """ROUGE-L's F over whole words, without any filter."""
    return Indel.normalized_similarity(words(one), words(other))


def pool_of(prompts: list[str], **options: int) -> PromptPool:
    pool = PromptPool(**options)
    for number, prompt in enumerate(prompts):
        pool.add("c", number, prompt)
    return pool


@settings(max_examples=400, deadline=None)
@given(st.lists(PROMPTS, max_size=25), PROMPTS)
def test_the_closest_is_that_of_comparing_with_all(known: list[str], asked: str) -> None:
    """The prefix filter loses nothing: the first of the most alike, and none below the threshold."""
    ratios = [ratio(prompt, asked) if words(prompt) and words(asked) else 0.0 for prompt in known]
    best = max(ratios, default=0.0)
    expected = Like(ratios.index(best), best) if best >= NEAR else None
    assert pool_of(known).closest("c", asked) == expected


def test_a_prompt_said_otherwise_is_near_and_another_is_not() -> None:
    """Case, signs and the mode's prefix make no difference, a word in ten does not save a copy."""
    pool = pool_of(["sudo give every player near the spawn a golden apple now"])
    assert pool.closest("c", "pray GIVE every player, near the spawn: a golden apple now!") == Like(0, 1.0)
    near = pool.closest("c", "sudo give every player near the spawn a golden carrot now")
    assert near is not None
    assert 0.85 < near.ratio < 1
    assert pool.closest("c", "sudo weather clear in the whole world for an hour") is None


def test_categories_are_apart() -> None:
    """What is asked in one category is no copy of what was asked in another."""
    pool = pool_of(["sudo make it noon"])
    assert pool.closest("other", "sudo make it noon") is None


def test_the_oldest_are_forgotten() -> None:
    """Of each category the newest are known, at least as many as are kept and at most twice as many."""
    pool = pool_of([f"one{n} two{n} three{n}" for n in range(25)], kept=10)
    assert pool.closest("c", "one24 two24 three24") == Like(24, 1.0)
    assert pool.closest("c", "one15 two15 three15") == Like(15, 1.0)
    assert pool.closest("c", "one0 two0 three0") is None


@pytest.mark.parametrize("nothing", ["", "sudo", "pray "])
def test_a_prompt_without_words_is_like_nothing(nothing: str) -> None:
    """It is neither kept nor found, and breaks nothing."""
    pool = pool_of([nothing, "sudo a torch"])
    assert pool.closest("c", nothing) is None


def test_signs_alone_are_compared_by_themselves() -> None:
    """And so are scripts without blanks, sign by sign; in others a word is one."""
    pool = pool_of(["sudo !!!!", "sudo \u7ed9\u6211\u4e00\u628a\u94bb\u77f3\u5251 7"])
    assert pool.closest("c", "sudo !!!!!") == Like(0, 8 / 9)
    assert pool.closest("c", "sudo ????") is None
    assert pool.closest("c", "sudo \u7ed9\u6211\u4e00\u628a\u94bb\u77f3\u5251 8") == Like(1, 14 / 16)


@settings(deadline=None)
@given(st.text())
def test_any_text_is_normal_or_becomes_so(text: str) -> None:
    """Normal text stays as it is when it is made normal once more, but for a word that looks like a prefix."""
    once = normal_text(text)
    if once.split(" ")[0] not in ("sudo", "pray"):
        assert normal_text(once) == normal_text(normal_text(once))
    PromptPool().add("c", 1, text)


def test_commands_are_the_same_but_for_blanks_and_a_slash() -> None:
    """WorldEdit's two slashes are a part of the name."""
    assert normal_commands(("/give  @s stone", "say a")) == normal_commands(("give @s stone ", "say a"))
    assert bare("//set stone") == "//set stone"


@pytest.mark.parametrize(
    ("command", "expected"),
    [
        ("give Steve minecraft:stone 3", "give _ _ _"),
        ("/minecraft:give @a[name=\"a b\"] stone[custom_name='\"x y\"'] 1", "give _ _ _"),
        ("execute as @a at @s run data merge entity @p {A:{B:1b}}", "execute as _ at _ run data merge entity _ _"),
        ("execute in the_end run execute as @p run say hi all", "execute in _ run execute as _ run say _"),
        ("return run effect give @s speed infinite", "return run effect give _ _ infinite"),
        ("msg Steve hello there", "msg _ _"),
        ("say one two three", "say _"),
        ("//set 50%stone,dirt", "//set _"),
        ("plugin:thing a b", "plugin:thing _ _"),
        ("summon pig ~ ~ ~ {unclosed 'quote", "summon _ _ _ _ _"),
        ("", ""),
        ("   ", ""),
    ],
)  # fmt: skip
def test_a_skeleton_keeps_what_a_command_is(command: str, expected: str) -> None:
    """Its name and its fixed words; each argument is one blank, however long it is."""
    assert skeleton(command) == expected


@settings(deadline=None)
@given(st.text(alphabet=st.characters(), max_size=300))
def test_any_text_has_a_skeleton(text: str) -> None:
    """Nothing that a model writes breaks it, and it is never longer than the text by more than a mask a word."""
    assert skeleton(text).count("_") <= text.count("_") + len(text)


def test_a_long_command_is_read_in_one_go() -> None:
    """A hundred kilobytes of brackets and quotes are linear work."""
    for hostile in ("[" * 100_000, '"' * 100_001, "\\" * 100_000, "a " * 50_000, "execute run " * 8_000):
        assert skeleton(hostile) is not None


def test_fixed_words_are_those_of_the_grammar() -> None:
    """Every fixed word of the game's own commands is known, so that none is taken for an argument."""
    tree = command_tree()
    for line in ("team modify x color red", "scoreboard players set a b 1", "time set noon", "effect clear @a"):
        root, *rest = line.split()
        node = tree.children[root]
        kept = [root]
        for word in rest:
            literal = node.children.get(word)
            is_fixed = literal is not None and literal.type == "literal"
            kept.append(word if is_fixed else "_")
            arguments = (child for child in node.children.values() if child.type == "argument")
            node = literal if literal is not None and is_fixed else next(arguments)
        assert skeleton(line) == " ".join(kept)


def test_the_skeletons_of_an_answer_are_a_line_each() -> None:
    """So two answers are built alike only if all their commands are."""
    assert skeleton_of(("give @s a", "say b")) == "give _ _\nsay _"
