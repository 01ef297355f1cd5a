"""The laws by which replies are judged with a server's own language file: made-up ones, and the game's."""

from __future__ import annotations

import codecs
import json
import re
import string
import time
from pathlib import Path
from random import Random
from typing import Final

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from selfplay_core.models import FailedBecause, VerdictOutcome
from selfplay_core.verify.language import Language, load_language, outcome_of_key
from selfplay_core.verify.verdict import judge
from tests.game_languages import measure, replies_of, texts_in
from tests.test_verdict import FAILED as OLD_FAILED
from tests.test_verdict import PASSED as OLD_PASSED
from tests.test_verdict import PASSED_WITH_WORDS_OF_FAILURE, UNCLEAR
from tests.test_verdict import REJECTED as OLD_REJECTED
from tests.test_verdict_properties import REPEATED

# A version to come, or a modded one: known keys in other words, and keys that nobody has seen.
FUTURE: Final = {
    "menu.quit": "Gibberish of the whatsit",
    "argument.entity.notfound.player": "Nobody bears that name",
    "argument.shape.hollow": "Shapes want a filling: %s",
    "command.unknown.argument": "This argument makes no sense",
    "command.unknown.command": "Which command was that?",
    "commands.enchant.success.single": "Laid %1$s upon the %3$s of %2$s",
    "commands.fill.failed": "The area kept all its blocks",
    "commands.give.success.single": "Handed %s [%s] over to %s",
    "commands.kill.success.single": "Slew %s",
    "commands.orbit.cannot_fly": "%s cannot fly that high",
    "commands.orbit.query.rate": "Orbits per minute: %d\nShare of the sky: %.1f%%",
    "commands.orbit.stuck": "You must leave the ground before this",
    "commands.orbit.failed.unchanged": "Nothing changed. %s circles there already",
    "commands.orbit.start.success": "§aSent %s around the moon",
    "commands.orbit.who": "Crew: %s",
    "commands.scoreboard.players.get.success": "%s: %s, %s",
    "commands.seed.success": "A whole number, please note it: %s",
    "commands.teleport.success.entity.single": "%s now stands by %s",
    "parsing.int.expected": "A whole number, please",
    "weird": "%s",
}

PASSED: Final = [
    ("give Dee torch", "Handed 1 [Torch] over to Dee"),
    ("give Dee torch", "§7Handed 1 [Torch] over to Dee§r\n"),
    ("give Dee torch", "Handed 1 [Nobody bears that name] over to Dee"),
    ("give Dee torch", "Handed 1 [xNobody bears that name] over to Dee"),
    ("give Dee torch", "Handed 1 [Torch] over to A whole number, please"),
    ("execute as @a run give @s torch", "Handed 1 [Torch] over to DeeHanded 1 [Torch] over to Bob"),
    ("execute as @a run give @s torch", "Handed 1 [Torch] over to Dee\nHanded 1 [Torch] over to Bob"),
    ("kill Dee", "Slew Unknown item"),
    ("enchant Dee sharpness", "Laid Sharpness upon the sword of Dee"),
    ("tp Dee Bob", "Dee now stands by Bob"),
    ("orbit Dee", "Sent Dee around the moon"),
    ("orbit Dee", "Sent Dee around the moonSent Bob around the moon"),
    ("orbit rate", "Orbits per minute: 0.5\nShare of the sky: 12.5%"),
    ("orbit Dee", "Share of the sky: 12.5%Sent Dee around the moon"),
    ("orbit Dee", "Sent Dee around the moonA whole number, please note it: 5"),
    ("orbit who", "Crew: Dee, Nobody bears that name"),
    ("orbit who", "Crew: "),
]

NOT_PASSED: Final = [
    ("give Dee torch", "Nobody bears that name", VerdictOutcome.FAILED, FailedBecause.NOBODY),
    ("fill 0 0 0 1 1 1 air", "The area kept all its blocks", VerdictOutcome.FAILED, FailedBecause.NOTHING_CHANGED),
    ("orbit Dee", "Dee cannot fly that high", VerdictOutcome.UNCLEAR, None),
    ("orbit Dee", "You must leave the ground before this", VerdictOutcome.FAILED, FailedBecause.OTHER),
    ("orbit Dee", "Nothing changed. Dee circles there already", VerdictOutcome.FAILED, FailedBecause.NOTHING_CHANGED),
    ("orbit Dee", "Sent Dee around the moonNobody bears that name", VerdictOutcome.FAILED, FailedBecause.NOBODY),
    (
        "give @a torch",
        "Handed 1 [Torch] over to Dee\nNobody bears that name",
        VerdictOutcome.FAILED,
        FailedBecause.NOBODY,
    ),
    (
        "give @a torch",
        "Handed 1 [Torch] over to DeeNobody bears that name",
        VerdictOutcome.FAILED,
        FailedBecause.NOBODY,
    ),
    (
        "give @a torch",
        "Nobody bears that nameHanded 1 [Torch] over to Dee",
        VerdictOutcome.FAILED,
        FailedBecause.NOBODY,
    ),
    ("place ball", "Shapes want a filling: air", VerdictOutcome.REJECTED, None),
    ("give Dee torch x", "A whole number, please", VerdictOutcome.REJECTED, None),
    ("frob", "Which command was that?", VerdictOutcome.REJECTED, None),
    # What the file does not hold is judged as without it.
    ("give Dee torch", "No player was found", VerdictOutcome.FAILED, FailedBecause.NOBODY),
    ("give Dee torch", "Frobnicated the whatsit", VerdictOutcome.UNCLEAR, None),
    ("give Dee torch", "Handed over to Dee", VerdictOutcome.UNCLEAR, None),
    # Texts that answer no command, or say too little.
    ("give Dee torch", "Gibberish of the whatsit", VerdictOutcome.UNCLEAR, None),
    ("weird", "anything at all", VerdictOutcome.UNCLEAR, None),
    ("scoreboard players get Dee x", "Dee: gone, away", VerdictOutcome.UNCLEAR, None),
    ("give Dee torch", "Slew of words", VerdictOutcome.UNCLEAR, None),
]


def write(folder: Path, texts: dict[str, str]) -> Path:
    """Write a language file into the folder."""
    file = folder / "en_us.json"
    file.write_text(json.dumps(texts), encoding="utf-8")
    return file


@pytest.fixture(scope="module")
def future(tmp_path_factory: pytest.TempPathFactory) -> Language:
    """The language of a version to come."""
    return load_language(write(tmp_path_factory.mktemp("future"), FUTURE))


@pytest.fixture(scope="module")
def newest(game_files: dict[str, Path]) -> Language:
    """The language of the newest version that the catalogue knows."""
    return load_language(game_files["1.21.11"])


@pytest.mark.parametrize(("command", "reply"), PASSED)
def test_a_success_in_words_of_its_own_passes(future: Language, command: str, reply: str) -> None:
    """What the file calls a success passes, whatever names and data say; without the file it would not."""
    assert judge(reply, command, language=future).outcome is VerdictOutcome.PASSED
    assert judge(reply, command).outcome is not VerdictOutcome.PASSED


@pytest.mark.parametrize(("command", "reply", "outcome", "because"), NOT_PASSED)
def test_anything_else_does_not_pass(
    future: Language, command: str, reply: str, outcome: VerdictOutcome, because: FailedBecause | None
) -> None:
    """Failures of the file are told with their reason, alone and joined; doubtful and unknown texts are unclear."""
    verdict = judge(reply, command, language=future)
    assert (verdict.outcome, verdict.because) == (outcome, because)
    assert judge(reply, language=future).outcome is not VerdictOutcome.PASSED


def test_a_parse_error_in_new_words_gives_its_key_message_and_cursor(future: Language) -> None:
    """The context is cut from a message that only the file knows, with the command and without."""
    told = judge("Which command was that?frobnicate it<--[HERE]", "frobnicate it", language=future)
    assert (told.key, told.message, told.cursor) == ("command.unknown.command", "Which command was that?", 0)
    untold = judge("Which command was that?frobnicate it<--[HERE]", language=future)
    assert (untold.key, untold.message) == ("command.unknown.command", "Which command was that?")
    hollow = judge("Shapes want a filling: air...place ball air<--[HERE]", "tp place ball air", language=future)
    assert (hollow.key, hollow.message, hollow.cursor) == ("argument.shape.hollow", "Shapes want a filling: air", 13)


def test_short_words_of_success_count_only_for_their_own_command(future: Language) -> None:
    """A wording that could stand in any plugin's reply is believed of the command that the key names."""
    assert judge("Slew a cow", "kill @e", language=future).outcome is VerdictOutcome.PASSED
    assert judge("Slew a cow", "warp home", language=future).outcome is VerdictOutcome.UNCLEAR
    assert judge("Slew a cow", language=future).outcome is VerdictOutcome.UNCLEAR


def test_a_number_must_be_one_where_the_wording_is_the_old_one(tmp_path: Path) -> None:
    """Where the catalogue knows what the placeholders hold, the file does not make them take in anything."""
    language = load_language(write(tmp_path, FUTURE | {"commands.scoreboard.players.get.success": "%s has %s %s"}))
    command = "scoreboard players get Dee kills"
    assert judge("Dee has 5 [kills]", command, language=language).outcome is VerdictOutcome.PASSED
    assert judge("Dee has lost everything", command, language=language).outcome is VerdictOutcome.UNCLEAR


def test_most_fixed_text_wins(tmp_path: Path) -> None:
    """Of two messages that fit, the one that says more decides, whichever comes first in the file."""
    pair = {"commands.give.success.all": "Handed out %s", "argument.give.refused": "Handed out %s of nothing real"}
    for texts in (pair, dict(reversed(pair.items()))):
        language = load_language(write(tmp_path, FUTURE | texts))
        assert judge("Handed out 3 of nothing real", "give", language=language).key == "argument.give.refused"
        assert judge("Handed out 3 torches", "give @a torch", language=language).key == "commands.give.success.all"


@pytest.mark.parametrize(
    ("key", "outcome"),
    [
        ("commands.orbit.start.success", VerdictOutcome.PASSED),
        ("commands.orbit.failed", VerdictOutcome.FAILED),
        ("commands.orbit.start.unchanged", VerdictOutcome.FAILED),
        ("argument.entity.notfound.moon", VerdictOutcome.FAILED),
        ("argument.shape.hollow", VerdictOutcome.REJECTED),
        ("snbt.parser.moon", VerdictOutcome.REJECTED),
        ("commands.message.display.incoming", None),
        ("block.minecraft.stone", None),
    ],
)
def test_a_key_tells_what_its_message_means(key: str, outcome: VerdictOutcome | None) -> None:
    """The name of a key that nobody has seen tells success, refusal and parse error, or that it answers nothing."""
    assert outcome_of_key(key) is outcome


@given(st.text(max_size=60), st.text(max_size=60), st.text(max_size=60))
def test_the_mark_of_a_parse_error_always_rejects(future: Language, before: str, after: str, command: str) -> None:
    """Whatever the file holds, a reply with `<--[HERE]` is rejected."""
    before, after = before.replace("§", ""), after.replace("§", "")
    reply = f"Handed 1 [{before}<--[HERE]{after}] over to Dee"
    assert judge(reply, command, language=future).outcome is VerdictOutcome.REJECTED


@settings(max_examples=200)
@given(
    # Without capitals, for hypothesis takes words from the code, and every message begins with one.
    st.text(alphabet=string.ascii_lowercase + string.digits + string.punctuation + " \n§\u2028é", max_size=80),
    st.sampled_from(["", "give Dee stone", "tp Dee Bob", "execute as @a run say hi", "//set stone", "nonsense"]),
)
def test_gibberish_never_passes(future: Language, reply: str, command: str) -> None:
    """The judge answers for any text; random text is no success with a file either."""
    verdict = judge(reply, command, language=future)
    assert verdict.outcome is not VerdictOutcome.PASSED or not verdict.message


@settings(max_examples=40, deadline=None)
@given(
    st.dictionaries(
        st.sampled_from([*FUTURE, "commands.a.b", "commands.a.failed", "argument.a"]),
        st.lists(
            st.sampled_from(["%s", "%1$s", "%d", "%%", "%", "\\", "#", "…", "≈", "\n", "§a", "Word ", " a ", "("])
        ).map("".join),
    ),
    st.text(max_size=30),
)
def test_any_text_can_be_a_template(
    tmp_path_factory: pytest.TempPathFactory, texts: dict[str, str], reply: str
) -> None:
    """No text in a file breaks the reading of it, nor the judging after it."""
    language = load_language(write(tmp_path_factory.mktemp("any"), FUTURE | texts))
    for said in (reply, *texts.values()):
        assert judge(said, "a b", language=language).outcome in VerdictOutcome


@pytest.mark.parametrize("source", ["future", "newest"])
def test_what_the_catalogue_judges_right_stays_right(source: str, request: pytest.FixtureRequest) -> None:
    """With a file, every reply of the verdict's own tests gets the verdict that it gets without."""
    language: Language = request.getfixturevalue(source)
    cases = [*OLD_PASSED, *PASSED_WITH_WORDS_OF_FAILURE, *OLD_REJECTED, *UNCLEAR, *(case[:2] for case in OLD_FAILED)]
    for command, reply in cases:
        for sent in (command, ""):
            without, with_it = judge(reply, sent), judge(reply, sent, language=language)
            assert (with_it.outcome, with_it.because) == (without.outcome, without.because), reply
            assert (with_it.message, with_it.cursor) == (without.message, without.cursor), reply


HOSTILE: Final = {
    "commands.a.success": "Begin " + "%s a " * 15 + "end%s",
    "commands.a.failed": "%s a " * 15 + "b",
    "commands.b.success": "Many " + "%s" * 16,
    "commands.b.failed": "Many %s" * 14,
    "argument.a": "Begin%s" + "%d, " * 12,
}


@pytest.mark.parametrize("unit", [*REPEATED, "Begin ", " a ", "Slew Dee", "Handed 1 [x] over to ", "1, "])
def test_a_megabyte_is_judged_in_linear_time(unit: str, tmp_path: Path) -> None:
    """Four times the text takes no more than about four times as long, whatever it repeats, with hostile templates."""
    language = load_language(write(tmp_path, FUTURE | HOSTILE))
    head = "Begin a "
    short, long = (head + unit * (size // len(unit)) + "b" for size in (250_000, 1_000_000))
    assert _seconds(long, language) < 12 * _seconds(short, language) + 0.2


def _seconds(reply: str, language: Language) -> float:
    began = time.process_time()
    for command in ("a b", "x" * 4000):
        judge(reply, command, language=language)
    return time.process_time() - began


@pytest.mark.parametrize("command_known", [True, False])
def test_with_its_own_file_a_version_is_judged_right(
    game_files: dict[str, Path], command_known: bool, capsys: pytest.CaptureFixture[str]
) -> None:
    """At least 99.9 % of all messages are right; without the command only the line of a score is not known again."""
    rows = []
    for version, file in game_files.items():
        language = load_language(file)
        score = measure(texts_in(file), command_known=command_known, language=language)
        rows.append(
            f"{version:>16}  {language.keys:4}  {score.judged:7}  {score.right:6.2f}%  {len(score.false_passed):12}"
        )
        assert language.keys > 600
        assert score.false_passed == []
        wrong = [line for line in score.wrong if command_known or not line.startswith(SCORE_LINE)]
        assert len(wrong) <= score.judged / 1000, "\n".join(wrong)
        assert len(score.wrong) <= score.judged / 500
    with capsys.disabled():
        print(f"\n{'command known' if command_known else 'command unknown':>16}  keys  replies    right  false passed")
        print("\n".join(rows))


# A name, a colon and a number: any plugin may say that.
SCORE_LINE: Final = "commands.scoreboard.players.list.entity.entry "


def test_a_version_in_wholly_other_words_is_judged_by_its_file(
    languages: dict[str, dict[str, str]], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """With every fixed text enciphered, 99.5 % are right with the file and nothing passes without it."""
    texts = {key: _enciphered(text) for key, text in languages["1.21.11"].items()}
    language = load_language(write(tmp_path, texts))
    score = measure(texts, command_known=True, language=language)
    unaided = measure(texts, command_known=True)
    with capsys.disabled():
        print(f"\nother words: {score.right:.2f}% of {score.judged} right with the file, {unaided.right:.2f}% without")
    assert score.right >= 99.5, "\n".join(score.wrong[:40])
    assert score.false_passed == unaided.false_passed == []
    assert unaided.right < 5


def _enciphered(text: str) -> str:
    parts = re.split(r"(%(?:\d\$)?s)", text)
    return "".join(part if index % 2 else codecs.encode(part, "rot13") for index, part in enumerate(parts))


def test_joined_messages_fail_if_one_of_them_does(newest: Language, languages: dict[str, dict[str, str]]) -> None:
    """With the file too, a failure after a success is never judged passed."""
    wrong = []
    for key, outcome, failure, _ in replies_of(languages["1.21.11"], Random(6)):
        if outcome is VerdictOutcome.PASSED:
            continue
        begins_with_data = languages["1.21.11"][key].startswith("%s")
        for joint in ("\n",) if begins_with_data else ("\n", ""):
            reply = f"Gave 1 [Diamond Sword] to slingshooter08{joint}{failure}"
            verdict = judge(reply, "execute as @a run function foo:bar", language=newest)
            if verdict.outcome is VerdictOutcome.PASSED:
                wrong.append(reply)
    assert not wrong, "\n".join(wrong[:40])
