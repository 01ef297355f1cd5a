"""How well the judge does on every message of the game's own language files, fetched when the test runs."""

from __future__ import annotations

import json
import random
import re
import shutil
import subprocess
import tarfile
from collections.abc import Iterator
from dataclasses import dataclass, field
from enum import StrEnum
from pathlib import Path
from typing import Final

import pytest

from selfplay_core.models import VerdictOutcome
from selfplay_core.verify import catalogue
from selfplay_core.verify.verdict import judge

PACKAGE: Final = "minecraft-data@3.117.0"
VERSIONS: Final = ("1.21.1", "1.21.3", "1.21.4", "1.21.5", "1.21.6", "1.21.8", "1.21.9", "1.21.11")
MESSAGES: Final = Path(catalogue.__file__).parent / "messages"
FILLS: Final = 3
WANTED: Final = 99.5


class Label(StrEnum):
    """What a message means, going by the name of its key."""

    SUCCESS = "success"
    PARSE = "parse"
    RUN = "run"


RIGHT: Final = {
    Label.SUCCESS: {VerdictOutcome.PASSED},
    Label.PARSE: {VerdictOutcome.REJECTED},
    Label.RUN: {VerdictOutcome.FAILED},
}

ASKED_OF_THE_SERVER: Final = re.compile(
    r"commands?\.|arguments?\.|parsing\.|snbt\.|particle\.|slot\.(?:unknown|only)|permissions\.|clear\.failed|"
    r"predicate\.unknown|item_modifier\.unknown|recipe\.notFound|team\.notFound"
)
NO_REPLY: Final = re.compile(
    r"argument\.entity\.(?:options\.\w+\.description|selector\.(?:all|nearest|random|self))|command\.context\.|"
    r"commands\.(?:banlist\.entry\.unknown|list\.nameAndId|message\.display\.incoming|test\.(?:coordinates|relative)|"
    r"(?:fetchprofile|profile_fetch)\.(?:copy|give|summon))"
)
CARRIED_OUT: Final = re.compile(
    r"clear\.failed|permissions\.|predicate\.|item_modifier\.|recipe\.|team\.|command\.(?:failed|forkLimit)|"
    r"argument\.(?:dimension\.invalid|entity\.notfound|player\.unknown|scoreHolder|waypoint|resource_selector|"
    r"pos\.(?:unloaded|outof))|"
    r"arguments\.(?:function|item\.overstacked|nbtpath\.(?:nothing|too)|objective|operation\.div0)"
)
REFUSAL: Final = re.compile(
    r"\.(?:failed|failure|fail|fail_count|unchanged|invalid\w*|error|toobig|overlap|duplicate|unknown|not_found|"
    r"already\w+|invulnerable|nochange|no_\w+|noRecursion|noReturnRun|traceFailed|notRunning|reportFailed|"
    r"cannot_spectate|not_spectator|self|macro|same_tick|not_riding|does_not_exist|null|expected_\w+|"
    r"advancementNotFound|criterionNotFound|instantiationFailure|optional_failed|failed_to_serialize|not_a_container|"
    r"io_failure|metadata_encode_failure)(?:\.|$)"
)
REFUSALS_BY_NAME: Final = {"commands.forceload.added.none", "commands.data.get.multiple"}
NOT_A_REFUSAL: Final = re.compile(
    r"\.success\b|\.(?:cleared|reset|show|clear|times|test|list|scheduled|set|removed|added)\.(?:\w+\.)?multiple$|"
    r"gamemode\.success\.self|\.reset\.(?:all|specific)\."
)

FAILING_NAMES: Final = (
    "Unknown item",
    "No player was found",
    "Test failed",
    "No entity was found",
    "Nothing changed. That player",
    "Invalid ID",
    "Expected value",
    "Could not set the block",
    "Incorrect argument for command",
    "That position is not loaded",
    "Error",
)
NAMES: Final = ("slingshooter08", "Cow", "Zombie Villager", "minecraft:stone", "foo:bar/baz", "Bob's Cow", "a.b", "x")
NUMBERS: Final = ("1", "17", "-3", "64", "0.50", "1000")
DATA: Final = (
    '{CustomName:"No player was found",Health:20.0f}',
    '{front_text:{messages:["Unknown item","Test failed","",\'it\\\'s\']},id:"minecraft:sign"}',
    "20.0f",
    '"Could not set the block"',
    "[I; 1, 2, 3]",
)
# Where the game puts a number: before the things it counts, and in a position.
COUNTED: Final = re.compile(
    r" ?(?:advancement|ban|biome|block|chunk|command|custom|data pack|entit|experience|force|function|item|matching|"
    r"member|minute|ms|objective|of a max|optional|per |player|random|recipe|required|schedule|score|second|"
    r"structure|tag|target|team|test|tick|total|tracked|waypoint|whitelisted|is higher|s$|\))"
)


@dataclass
class Score:
    """How many replies of a version were judged, and which of them wrongly."""

    judged: int = 0
    wrong: list[str] = field(default_factory=list)
    false_passed: list[str] = field(default_factory=list)

    def add(self, key: str, reply: str, command: str, right: set[VerdictOutcome]) -> None:
        verdict = judge(reply, command)
        self.judged += 1
        if verdict.outcome not in right:
            self.wrong.append(f"{key} {verdict.outcome}: {command!r} -> {reply!r}")
        if verdict.outcome is VerdictOutcome.PASSED and VerdictOutcome.PASSED not in right:
            self.false_passed.append(f"{key}: {command!r} -> {reply!r}")

    @property
    def right(self) -> float:
        return 100 * (1 - len(self.wrong) / self.judged)


@pytest.fixture(scope="module")
def languages(pytestconfig: pytest.Config) -> dict[str, dict[str, str]]:
    """The English texts of each version, from the package, fetched once into pytest's cache."""
    if pytestconfig.cache is None:
        pytest.skip("The language files are kept in pytest's cache, which is off; drop -p no:cacheprovider.")
    folder = Path(pytestconfig.cache.mkdir("minecraft-languages"))
    if not all((folder / f"{version}.json").exists() for version in VERSIONS):
        _fetch(folder)
    return {version: json.loads((folder / f"{version}.json").read_bytes()) for version in VERSIONS}


def _fetch(folder: Path) -> None:
    npm = shutil.which("npm")
    if npm is None:
        pytest.skip(f"npm is not installed, so {PACKAGE} with the language files cannot be fetched; install Node.js.")
    try:
        subprocess.run(
            [npm, "pack", PACKAGE, "--silent", "--pack-destination", str(folder)],
            check=True,
            capture_output=True,
            timeout=300,
        )
    except (subprocess.CalledProcessError, subprocess.TimeoutExpired) as error:
        pytest.skip(f"npm did not fetch {PACKAGE} ({error}); check the network and npm's registry setting.")
    archive = next(folder.glob("minecraft-data-*.tgz"))
    with tarfile.open(archive) as package:
        for version in VERSIONS:
            member = package.extractfile(f"package/minecraft-data/data/pc/{version}/language.json")
            assert member is not None
            part = folder / f"{version}.part"
            part.write_bytes(member.read())
            part.replace(folder / f"{version}.json")
    archive.unlink()


def _label(key: str) -> Label | None:
    if not ASKED_OF_THE_SERVER.match(key) or NO_REPLY.match(key):
        return None
    if CARRIED_OUT.match(key):
        return Label.RUN
    if not key.startswith("commands."):
        return Label.PARSE
    if NOT_A_REFUSAL.search(key):
        return Label.SUCCESS
    if REFUSAL.search(key) or key in REFUSALS_BY_NAME:
        return Label.RUN
    return Label.SUCCESS


ROOTS: Final = {
    "banip": "ban-ip",
    "drop": "loot",
    "experience": "xp",
    "message": "msg",
    "pardonip": "pardon-ip",
    "profile_fetch": "fetchprofile",
    "save": "save-all",
    "teleport": "tp",
}


def _command(key: str) -> str:
    """A command that could bring the message; any will do for the messages of the parser."""
    parts = key.split(".")
    if key.startswith("clear."):
        return "clear @a minecraft:stone"
    if parts[0] != "commands":
        return "give @p minecraft:wood_sword 1"
    return f"{ROOTS.get(parts[1], parts[1])} one two three"


def _fill(key: str, template: str, rng: random.Random) -> str:
    """Put something plausible, or nasty, into every placeholder."""
    pieces = re.split(r"(%(?:\d\$)?s)", template)
    filled = []
    for index, piece in enumerate(pieces):
        if index % 2 == 0:
            filled.append(piece)
            continue
        filled.append(_value(key, pieces[index - 1], pieces[index + 1], rng))
    return "".join(filled).replace("%%", "%")


def _value(key: str, before: str, after: str, rng: random.Random) -> str:
    if key.endswith("players.get.success"):
        return "Cow" if not before else "17" if before.endswith(" has ") else "[kills]"
    if before.endswith(("data: ", "contents: ")):
        return rng.choice(DATA)
    if COUNTED.match(after) or before.endswith((", ", " at ", "Gave ", "Seed: ", "is ", ": ")) or after == ", ":
        return rng.choice(NUMBERS)
    return rng.choice(FAILING_NAMES if rng.random() < 0.3 else NAMES)


def _contexts(command: str, cursor: int) -> Iterator[str]:
    dots = "..." if cursor > 10 else ""
    for gap in ("", "\n"):
        yield f"{gap}{dots}{command[max(0, cursor - 10) :]}<--[HERE]"


def _replies(texts: dict[str, str], rng: random.Random) -> Iterator[tuple[str, Label, str, str]]:
    for key, template in texts.items():
        label = _label(key)
        if label is None:
            continue
        for _ in range(FILLS):
            yield key, label, _fill(key, template, rng), _command(key)


def _measure(texts: dict[str, str], *, command_known: bool) -> Score:
    score = Score()
    for key, label, reply, command in _replies(texts, random.Random(4)):
        score.add(key, reply, command if command_known else "", RIGHT[label])
    return score


@pytest.mark.parametrize("command_known", [True, False])
def test_every_message_of_the_game_is_judged_right(
    languages: dict[str, dict[str, str]], command_known: bool, capsys: pytest.CaptureFixture[str]
) -> None:
    """At least 99.5 % of all messages, filled at random, are judged right; no failure is judged passed."""
    scores = {version: _measure(texts, command_known=command_known) for version, texts in languages.items()}
    with capsys.disabled():
        print(f"\n{'command known' if command_known else 'command unknown':>16}  replies   right  false passed")
        for version, score in scores.items():
            print(f"{version:>16}  {score.judged:7}  {score.right:5.2f}%  {len(score.false_passed):12}")
    assert [line for score in scores.values() for line in score.false_passed] == []
    for score in scores.values():
        assert score.judged > 1500
        assert score.right >= WANTED, "\n".join(score.wrong[:40])


def test_a_parse_error_gives_its_bare_message_and_cursor(languages: dict[str, dict[str, str]]) -> None:
    """The context is cut off exactly, joined with nothing or a line break, and the cursor is where it was."""
    rng = random.Random(5)
    wrong: list[str] = []
    judged = 0
    for version in ("1.21.1", "1.21.11"):
        for _, label, message, command in _replies(languages[version], rng):
            if label is not Label.PARSE:
                continue
            cursor = rng.randrange(11, len(command) + 1)
            for context in _contexts(command, cursor):
                verdict = judge(message + context, command)
                judged += 1
                assert verdict.outcome is VerdictOutcome.REJECTED
                if (verdict.message, verdict.cursor) != (message, cursor):
                    wrong.append(f"{message + context!r} -> {verdict}")
    assert judged > 1000
    assert not wrong, "\n".join(wrong[:20])


def test_joined_messages_fail_if_one_of_them_does(languages: dict[str, dict[str, str]]) -> None:
    """A failure after a success is never judged passed: after a line break, or after nothing if it begins with text."""
    wrong = []
    for key, label, failure, _ in _replies(languages["1.21.11"], random.Random(6)):
        if label is Label.SUCCESS:
            continue
        begins_with_data = languages["1.21.11"][key].startswith("%s")
        for joint in ("\n",) if begins_with_data else ("\n", ""):
            reply = f"Gave 1 [Diamond Sword] to slingshooter08{joint}{failure}"
            if judge(reply, "execute as @a run function foo:bar").outcome is VerdictOutcome.PASSED:
                wrong.append(reply)
    assert not wrong, "\n".join(wrong[:40])


def test_the_repository_holds_no_copy_of_the_language_file(languages: dict[str, dict[str, str]]) -> None:
    """Of the longer messages, few are spelled out from end to end in the catalogue."""
    written = "".join(file.read_text(encoding="utf-8") for file in MESSAGES.glob("*.toml")).replace("#", "%")
    long = [text for key, text in languages["1.21.11"].items() if _label(key) is not None and len(text) > 40]
    whole = [text for text in long if re.sub(r"%(?:\d\$)?s", "%", text).replace('"', '\\"') in written]
    assert len(whole) < len(long) / 10, whole
