"""The laws by which language files are read and refused."""

from __future__ import annotations

import json
import os
from collections.abc import Callable
from pathlib import Path
from typing import Final

import pytest

from selfplay_core.errors import SettingsError
from selfplay_core.models import VerdictOutcome
from selfplay_core.verify.language import load_language
from selfplay_core.verify.verdict import judge
from tests.test_language import FUTURE, write


def test_the_file_is_told_by_its_keys_and_digest(tmp_path: Path) -> None:
    """The count is of the messages that can be matched; the digest changes with any byte of the file."""
    first = load_language(write(tmp_path, FUTURE))
    again = load_language(write(tmp_path, FUTURE))
    other = load_language(write(tmp_path, FUTURE | {"menu.quit": "Quit"}))
    # Without menu.quit, weird, the two doubtful successes and the score, which is all data.
    assert first.keys == len(FUTURE) - 5
    assert first.digest == again.digest != other.digest
    assert other.keys == first.keys


def _nested(file: Path) -> None:
    file.write_text("[" * 100_000)


def _huge(file: Path) -> None:
    file.touch()
    os.truncate(file, 16_000_001)


BAD_FILES: Final[dict[str, tuple[Callable[[Path], object], str]]] = {
    "missing": (lambda file: None, "cannot be read (No such file"),
    "folder": (Path.mkdir, "is no regular file"),
    "pipe": (os.mkfifo, "is no regular file"),
    "huge": (_huge, "is larger than 16,000,000 bytes"),
    "empty": (Path.touch, "is no JSON"),
    "jar": (lambda file: file.write_bytes(b"PK\x03\x04\xff\xfe"), "is not UTF-8 at byte 4"),
    "lang": (lambda file: file.write_text("commands.give=Gave"), "is no JSON"),
    "nested": (_nested, "is no JSON"),
    "list": (lambda file: file.write_text("[]"), "is no JSON object"),
    "number": (lambda file: file.write_text(json.dumps(FUTURE | {"a\x1bb": 1})), "other than text under 'a␛b'"),
    "pack": (lambda file: file.write_text('{"item.mod.gem": "Gem"}'), "lacks 'argument.entity.notfound.player'"),
    "flood": (
        lambda file: file.write_text(json.dumps(FUTURE | {f"commands.x{n}": "Long enough %s" for n in range(8001)})),
        "messages for commands, more than 8,000",
    ),
}


@pytest.mark.parametrize("name", BAD_FILES)
def test_a_bad_file_is_named_with_what_to_do(name: str, tmp_path: Path) -> None:
    """The error says which file, what is wrong with it, and where to get a good one."""
    file = tmp_path / f"{name}.json"
    spoil, why = BAD_FILES[name]
    spoil(file)
    with pytest.raises(SettingsError) as caught:
        load_language(file)
    said = str(caught.value)
    assert str(file) in said
    assert why in said
    assert "assets/minecraft/lang/en_us.json" in said


def test_a_hostile_path_is_made_visible() -> None:
    """No control character of a path reaches the terminal."""
    with pytest.raises(SettingsError, match="␛") as caught:
        load_language(Path("/nowhere/\x1b[2J\x00"))
    assert "\x1b" not in str(caught.value)


def test_a_byte_order_mark_does_no_harm(tmp_path: Path) -> None:
    """A file that an editor saved with a mark is read like one without."""
    file = tmp_path / "en_us.json"
    file.write_text(json.dumps(FUTURE), encoding="utf-8-sig")
    assert judge("Handed 1 [Torch] over to Dee", language=load_language(file)).outcome is VerdictOutcome.PASSED


def test_monstrous_templates_are_left_out(tmp_path: Path) -> None:
    """A text that is too long, or has too many placeholders, is not matched at all."""
    base = load_language(write(tmp_path, FUTURE)).keys
    most = {"argument.a": "x" * 1000, "argument.b": "Word" + " %s" * 16}
    more = {"argument.c": "x" * 1001, "argument.d": "Word" + " %s" * 17}
    assert load_language(write(tmp_path, FUTURE | most | more)).keys == base + 2
