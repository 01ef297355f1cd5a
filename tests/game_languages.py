"""The game's own language files, fetched when a test needs them, and replies made from their texts."""

from __future__ import annotations

import json
import random
import re
import shutil
import subprocess
import tarfile
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

import pytest

from selfplay_core.models import VerdictOutcome
from selfplay_core.verify.language import Language, outcome_of_key
from selfplay_core.verify.verdict import judge

PACKAGE: Final = "minecraft-data@3.117.0"
VERSIONS: Final = ("1.21.1", "1.21.3", "1.21.4", "1.21.5", "1.21.6", "1.21.8", "1.21.9", "1.21.11")
FILLS: Final = 3

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

    language: Language | None = None
    judged: int = 0
    wrong: list[str] = field(default_factory=list)
    false_passed: list[str] = field(default_factory=list)

    def add(self, key: str, reply: str, command: str, right: VerdictOutcome) -> None:
        verdict = judge(reply, command, language=self.language)
        self.judged += 1
        if verdict.outcome is not right:
            self.wrong.append(f"{key} {verdict.outcome}: {command!r} -> {reply!r}")
        if verdict.outcome is VerdictOutcome.PASSED and right is not VerdictOutcome.PASSED:
            self.false_passed.append(f"{key}: {command!r} -> {reply!r}")

    @property
    def right(self) -> float:
        return 100 * (1 - len(self.wrong) / self.judged)


def language_files(folder: Path) -> dict[str, Path]:
    """The language file of each version, fetched into `folder` unless it is there; skips where it cannot be had."""
    files = {version: folder / f"{version}.json" for version in VERSIONS}
    if not all(file.exists() for file in files.values()):
        _fetch(folder)
    return files


def texts_in(file: Path) -> dict[str, str]:
    """The texts of a language file by their keys."""
    texts: dict[str, str] = json.loads(file.read_bytes())
    return texts


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


def replies_of(texts: dict[str, str], rng: random.Random) -> Iterator[tuple[str, VerdictOutcome, str, str]]:
    """Make replies of every text that answers a command: key, what it means by its key, reply, command."""
    for key, template in texts.items():
        outcome = outcome_of_key(key)
        if outcome is None:
            continue
        for _ in range(FILLS):
            yield key, outcome, _fill(key, template, rng), _command(key)


def measure(texts: dict[str, str], *, command_known: bool, language: Language | None = None) -> Score:
    """Judge replies made of all the texts, with the command that brought them or without."""
    score = Score(language)
    for key, right, reply, command in replies_of(texts, random.Random(4)):
        score.add(key, reply, command if command_known else "", right)
    return score
