"""How well the judge does on every message of the game's own language files, fetched when the test runs."""

from __future__ import annotations

import random
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Final

import pytest

from selfplay_core.models import VerdictOutcome
from selfplay_core.verify import catalogue
from selfplay_core.verify.language import outcome_of_key
from selfplay_core.verify.verdict import judge
from tests.game_languages import measure, replies_of

MESSAGES: Final = Path(catalogue.__file__).parent / "messages"
WANTED: Final = 99.5


def _contexts(command: str, cursor: int) -> Iterator[str]:
    dots = "..." if cursor > 10 else ""
    for gap in ("", "\n"):
        yield f"{gap}{dots}{command[max(0, cursor - 10) :]}<--[HERE]"


@pytest.mark.parametrize("command_known", [True, False])
def test_every_message_of_the_game_is_judged_right(
    languages: dict[str, dict[str, str]], command_known: bool, capsys: pytest.CaptureFixture[str]
) -> None:
    """At least 99.5 % of all messages, filled at random, are judged right; no failure is judged passed."""
    scores = {version: measure(texts, command_known=command_known) for version, texts in languages.items()}
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
        for _, outcome, message, command in replies_of(languages[version], rng):
            if outcome is not VerdictOutcome.REJECTED:
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
    for key, outcome, failure, _ in replies_of(languages["1.21.11"], random.Random(6)):
        if outcome is VerdictOutcome.PASSED:
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
    long = [text for key, text in languages["1.21.11"].items() if outcome_of_key(key) is not None and len(text) > 40]
    whole = [text for text in long if re.sub(r"%(?:\d\$)?s", "%", text).replace('"', '\\"') in written]
    assert len(whole) < len(long) / 10, whole
